use super::*;

#[test]
fn a_connection_at_rest_is_small() {
    // And beside it, on the heap, the socket alone.
    assert!(size_of::<Rested>() <= 24);
}
