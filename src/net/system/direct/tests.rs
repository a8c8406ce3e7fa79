use super::*;

#[test]
fn a_socket_takes_four_bytes() {
    assert_eq!(size_of::<Option<Connected>>(), 4);
}
