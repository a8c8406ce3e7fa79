use super::*;

#[test]
fn what_is_left_comes_again_in_front_of_what_arrives() {
    let mut inlet = Inlet::default();
    inlet.fill(b"abc");
    inlet.take(2);
    assert_eq!(inlet.unread(), b"c");
    inlet.fill(b"def");
    assert_eq!(inlet.unread(), b"cdef");
    inlet.take(4);
    assert_eq!(inlet.unread(), b"");
    inlet.fill(b"g");
    assert_eq!(inlet.unread(), b"g");
    inlet.clear();
    assert_eq!(inlet.unread(), b"");
}

#[test]
fn memory_of_a_large_event_is_given_back() {
    let mut inlet = Inlet::default();
    inlet.fill(&[0; 2 * KEPT]);
    inlet.take(2 * KEPT);
    assert_eq!(inlet.bytes.capacity(), 0);
    inlet.fill(&[0; 100]);
    inlet.take(100);
    assert!(
        inlet.bytes.capacity() >= 100,
        "and that of a small one kept"
    );
}
