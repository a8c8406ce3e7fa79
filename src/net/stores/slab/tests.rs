use super::*;
use alloc::boxed::Box;
use proptest::prelude::*;

#[test]
fn a_slot_that_is_used_again_has_another_key() {
    let mut slab = Slab::new();
    let a = slab.insert(1);
    slab.remove(a);
    let b = slab.insert(2);
    assert_eq!((a.slot(), b.slot()), (0, 0));
    assert_eq!((slab.get(a), slab.get(b)), (None, Some(&2)));
    assert_ne!(a.token(), b.token());
    assert_eq!(slab.key_of(a.token()), None);
    assert_eq!(slab.key_of(b.token()), Some(b));
}

#[test]
fn a_slot_out_of_generations_is_retired() {
    let mut slab = Slab::new();
    let a = slab.insert(1);
    slab.entries.get_mut(0).unwrap().generation = u32::MAX;
    let last = Key {
        generation: u32::MAX,
        ..a
    };
    assert_eq!(slab.remove(last), Some(1));
    assert_eq!(slab.key_at(0), None);
    assert!(!slab.contains(last));
    let b = slab.insert(2);
    assert_eq!(b.slot(), 1);
    assert_eq!((slab.get(last), slab.len()), (None, 1));
}

#[test]
fn free_tokens_belong_to_no_key() {
    let mut slab = Slab::new();
    slab.insert(1);
    assert_eq!(slab.key_of(usize::MAX), None);
    assert_eq!(slab.key_of(Key::FREE_TOKENS), None);
    assert_eq!(slab.key_of(0), slab.key_at(0));
}

#[test]
fn a_boxed_entry_costs_16_bytes() {
    assert!(size_of::<Entry<Box<u64>>>() <= 16 + size_of::<usize>());
    assert_eq!(size_of::<Key>(), 8);
}

proptest! {
    #[test]
    fn a_slab_behaves_like_a_map(steps in prop::collection::vec((0..3u8, 0..12usize), 0..200)) {
        let mut slab = Slab::new();
        let mut model = std::collections::HashMap::new();
        let mut keys: Vec<Key> = Vec::new();
        for (n, (step, pick)) in steps.into_iter().enumerate() {
            let key = keys.get(pick % keys.len().max(1)).copied();
            match (step, key) {
                (0 | 1, _) => {
                    let key = slab.insert(n);
                    prop_assert!(model.insert(key, n).is_none());
                    keys.push(key);
                }
                (2, Some(key)) => prop_assert_eq!(slab.remove(key), model.remove(&key)),
                _ => {}
            }
            prop_assert_eq!(slab.len(), model.len());
            for &key in &keys {
                prop_assert_eq!(slab.get(key), model.get(&key));
                prop_assert_eq!(slab.contains(key), model.contains_key(&key));
                prop_assert_eq!(slab.key_of(key.token()), slab.contains(key).then_some(key));
            }
            prop_assert_eq!(slab.keys().count(), model.len());
            prop_assert_eq!(slab.iter().count(), model.len());
        }
        // No more slots than entries that lived at one time.
        prop_assert!(slab.slots() <= keys.len());
    }
}
