use super::*;
use alloc::collections::BTreeSet;
use proptest::prelude::*;

impl Numbered for u32 {
    fn number(&self) -> u32 {
        *self
    }
}

proptest! {
    #[test]
    fn the_table_agrees_with_a_set(steps in proptest::collection::vec((any::<bool>(), 0..200u32), 1..300)) {
        let (mut table, mut set) = (Table::new(), BTreeSet::new());
        for (add, n) in steps {
            let id = n * 2 + 1;
            if add && set.insert(id) {
                table.insert(id);
            } else if !add {
                prop_assert_eq!(table.remove_if(id, |_| true), set.remove(&id));
            }
            prop_assert_eq!(table.len(), set.len());
            prop_assert!(set.iter().all(|&id| table.get(id) == Some(&id)));
            prop_assert_eq!(table.iter().count(), set.len());
        }
        prop_assert!(table.get(0).is_none());
        prop_assert!(table.get(999_999).is_none());
    }
}
