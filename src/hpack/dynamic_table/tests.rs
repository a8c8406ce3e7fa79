use super::*;
use crate::hpack::{Borrowed, Growing, MAX_CAPACITY};
use alloc::{collections::VecDeque, vec::Vec};
use proptest::prelude::*;

type Pair = (Vec<u8>, Vec<u8>);

fn entries<M: Memory>(table: &DynamicTable<M>) -> Vec<Pair> {
    (0..table.len())
        .map(|index| {
            let stored = table.get(index).unwrap();
            let mut text = std::vec![0; stored.len()];
            stored.copy(stored.len(), &mut text).unwrap();
            let value = text.split_off(stored.name_len());
            (text, value)
        })
        .collect()
}

#[test]
fn an_entry_larger_than_the_table_empties_it() {
    let mut table = DynamicTable::new(Growing::default(), 100);
    table.insert(b"a", b"b");
    table.insert(b"name", &[b'v'; 64]);
    assert_eq!((table.len(), table.size()), (1, 100));
    table.insert(b"name", &[b'v'; 65]);
    assert_eq!((table.len(), table.size()), (0, 0));
    table.set_capacity(31);
    table.insert(b"", b"");
    assert!(table.is_empty());
}

#[test]
fn memory_comes_with_the_first_entry_and_follows_use() {
    let mut table = DynamicTable::new(Growing::default(), 4096);
    assert!(table.memory.rings().0.is_empty() && table.memory.rings().1.is_empty());
    table.insert(b"content-type", b"application/grpc");
    assert_eq!(table.memory.rings().0.len(), 256);
    for n in 0..1000u32 {
        table.insert(b"n", &n.to_be_bytes());
    }
    assert_eq!(table.memory.rings().1.len(), 128);
    assert!(table.memory.rings().0.len() <= 1024);
    assert_eq!(size_of::<Entry>(), 12);
}

#[test]
fn the_largest_table_holds_the_largest_entry() {
    let mut table = DynamicTable::new(Growing::default(), u32::MAX);
    assert_eq!(table.capacity(), MAX_CAPACITY);
    for round in 0..3 {
        table.insert(b"n", &[round; 65_503]);
        assert_eq!((table.len(), table.size()), (1, MAX_CAPACITY));
        table.insert(b"x", b"y");
        assert_eq!(table.len(), 1);
    }
    for _ in 0..5000 {
        table.insert(b"", b"");
    }
    assert_eq!((table.len(), table.size()), (2048, MAX_CAPACITY));
}

proptest! {
    #[test]
    fn the_ring_agrees_with_a_queue(
        steps in proptest::collection::vec((0..40usize, 0..90usize, any::<u8>(), 0..20u8), 1..60),
        capacity in 0..300u32,
    ) {
        let (mut text, mut records) = ([0; 300], [Entry::EMPTY; 10]);
        let borrowed = Borrowed { text: &mut text, entries: &mut records };
        let mut fixed = DynamicTable::new(borrowed, capacity);
        let mut growing = DynamicTable::new(Growing::default(), capacity);
        let (mut queue, mut capacity) = (VecDeque::<Pair>::new(), capacity);
        for (name, value, fill, step) in steps {
            if step == 0 {
                capacity = u32::from(fill);
                fixed.set_capacity(capacity);
                growing.set_capacity(capacity);
            } else if step == 1 {
                growing.trim();
                let text: usize = queue.iter().map(|(n, v)| n.len() + v.len()).sum();
                prop_assert_eq!(growing.memory.rings().0.len(), text);
                prop_assert_eq!(growing.memory.rings().1.len(), queue.len());
            } else {
                queue.push_front((std::vec![fill; name], std::vec![!fill; value]));
                fixed.insert(&queue[0].0, &queue[0].1);
                growing.insert(&queue[0].0, &queue[0].1);
            }
            let size = |q: &VecDeque<Pair>| q.iter().map(|(n, v)| n.len() + v.len() + 32).sum::<usize>();
            while size(&queue) > capacity as usize {
                queue.pop_back();
            }
            prop_assert_eq!(growing.size() as usize, size(&queue));
            prop_assert_eq!(entries(&growing), Vec::from(queue.clone()));
            prop_assert_eq!(entries(&fixed), Vec::from(queue.clone()));
        }
    }
}
