use super::*;
use alloc::collections::BTreeSet;

#[test]
fn no_mask_comes_twice() {
    let mut random = Random::new().unwrap();
    let masks: BTreeSet<[u8; 8]> = (0..10_000)
        .map(|_| {
            let mut mask = [0; 8];
            random.fill(&mut mask);
            mask
        })
        .collect();
    assert_eq!(masks.len(), 10_000);
}

#[test]
fn a_fill_longer_than_a_batch_is_whole() {
    let mut random = Random::new().unwrap();
    let mut long = [0; 3 * DRAW + 5];
    random.fill(&mut long);
    for chunk in long.chunks(32) {
        assert!(chunk.len() < 32 || chunk.iter().any(|&b| b != 0));
    }
}

#[test]
fn the_stand_in_differs_between_draws_and_sources() {
    let (mut a, mut b) = (Random::new().unwrap(), Random::new().unwrap());
    a.expand();
    b.expand();
    assert_ne!(a.buffer, b.buffer);
    let first = a.buffer;
    a.expand();
    assert_ne!(a.buffer, first);
}
