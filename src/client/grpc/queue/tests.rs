use super::*;
use crate::net::Slab;
use alloc::vec::Vec;

#[test]
fn calls_that_end_leave_without_a_search() {
    let mut calls = Slab::new();
    let mut queue = Queue::new();
    let keys: Vec<Key> = (0..10_000).map(|_| calls.insert(true)).collect();
    keys.iter().for_each(|&key| queue.push(key));
    let mut looks = 0;
    for &key in keys.iter().rev().take(9_999) {
        *calls.get_mut(key).unwrap() = false;
        queue.leave(|key| {
            looks += 1;
            calls.get(key) == Some(&true)
        });
        assert!(!queue.is_empty() && queue.gone <= queue.len() / 2 + FEW);
    }
    assert!(looks < 40_000, "{looks}");
    // A slot that is used again is another call's.
    calls.remove(keys[1]);
    calls.insert(true);
    let waits = |key| calls.get(key) == Some(&true);
    queue.push_again(keys[1]);
    queue.gone += 1;
    assert_eq!(queue.take(waits), Some(keys[0]));
    assert_eq!(queue.take(waits), None);
    assert!(queue.is_empty() && queue.gone == 0);
}
