use super::*;

#[test]
fn a_connection_is_48_bytes() {
    assert_eq!(size_of::<Connection>(), 48);
}
