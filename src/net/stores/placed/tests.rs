use super::*;

#[test]
fn memory_begins_in_the_middle_of_a_page() {
    for len in [0, 1, 1000, PAGE, 66_560, 1 << 20] {
        let mut placed = Placed::new(len);
        assert_eq!((placed.len(), placed.as_ptr().addr() % PAGE), (len, PLACE));
        placed.fill(7);
        assert!(placed.capacity() >= len + PAGE);
        assert_eq!(Placed::anywhere(len).len(), len);
    }
}
