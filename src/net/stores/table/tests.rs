use super::*;

#[test]
fn entries_are_found_by_number_and_stay_where_they_are() {
    let mut table = Table::new();
    let mut places = Vec::new();
    for n in 0..2 * LEAF + 3 {
        assert_eq!((table.len(), table.get(n)), (n, None));
        table.push(n);
        *table.get_mut(n).unwrap() += 1;
        places.push(core::ptr::from_ref(table.get(n).unwrap()));
    }
    assert!(table.iter().copied().eq(1..=2 * LEAF + 3));
    for (n, place) in places.into_iter().enumerate().skip(LEAF) {
        let entry = table.get(n).unwrap();
        assert_eq!((*entry, core::ptr::from_ref(entry)), (n + 1, place));
    }
    let rooms: Vec<usize> = table.leaves.iter().map(Vec::capacity).collect();
    assert_eq!(rooms, [LEAF; 3]);
}
