use super::*;
use alloc::vec::Vec;

#[test]
fn keys_and_masks_of_the_system_differ() {
    let mut masks = Masks::NONE;
    assert_eq!(masks.next(), [0; 4]);
    let keys = [masks.key().unwrap(), masks.key().unwrap()];
    assert_ne!(keys[0], keys[1]);
    let drawn: Vec<[u8; 4]> = (0..64).map(|_| masks.next()).collect();
    let mut distinct = drawn.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert!(distinct.len() > 60, "{drawn:?}");
}

#[test]
fn another_source_gives_all_bytes() {
    let mut masks = Masks::NONE;
    masks.draw_from(|into| into.fill(7));
    assert_eq!(masks.key().unwrap(), [7; 16]);
    assert_eq!(masks.next(), [7; 4]);
}
