use super::*;
use crate::coding::Coding;
use crate::coding::work::Purpose;

fn key(inode: u64) -> Key {
    let state = FileState {
        device: 1,
        inode,
        modified: (1, 2),
        length: 9,
        is_young: false,
    };
    let made = Made {
        coding: Coding::Gzip,
        level: 4,
        purpose: Purpose::Body,
    };
    (state, made)
}

#[test]
fn what_is_asked_for_stays_and_the_rest_makes_room() {
    let all = Account::new(1 << 20);
    let mut files = CodedFiles::default();
    let coded = Bytes::from(alloc::vec![0; 1000]);
    let each = coded.len() + OVERHEAD;
    let keep = |files: &mut CodedFiles, inode| {
        files.keep(key(inode), &coded, 3 * each, Some(all.child().child()));
    };
    for inode in 1..=3 {
        keep(&mut files, inode);
    }
    assert_eq!(all.held(), 3 * each);
    assert!(files.get(&key(1)).is_some());
    keep(&mut files, 4);
    assert!(files.get(&key(2)).is_none(), "the oldest that nobody wants");
    for inode in [1, 3, 4] {
        assert!(files.get(&key(inode)).is_some(), "{inode}");
    }
    // All were asked for: still there is an end to looking.
    keep(&mut files, 5);
    assert_eq!((files.files.len(), files.order.len()), (3, 3));
    assert_eq!(all.held(), 3 * each);
    keep(&mut files, 5);
    assert_eq!(files.order.len(), 3, "twice the same");
    drop(files);
    assert_eq!(all.held(), 0);
}

#[test]
fn what_is_young_or_too_long_is_not_kept_and_nothing_while_memory_is_short() {
    let all = Account::new(8000);
    let mut files = CodedFiles::default();
    let coded = Bytes::from(alloc::vec![0; 1000]);
    let mut young = key(1);
    young.0.is_young = true;
    files.keep(young, &coded, 1 << 20, Some(all.child()));
    files.keep(key(2), &coded, 1000, Some(all.child()));
    files.keep(key(3), &coded, 1 << 20, None);
    assert!(files.files.is_empty() && all.held() == 0);
    files.keep(key(4), &coded, 1 << 20, Some(all.child()));
    files.shed();
    assert!(files.get(&key(4)).is_some());
    let others = all.charge(7100);
    files.shed();
    assert!(files.get(&key(4)).is_none());
    assert_eq!(all.held(), 7100);
    files.keep(key(5), &coded, 1 << 20, Some(all.child()));
    assert!(files.files.is_empty());
    drop(others);
    files.keep(key(5), &coded, 1 << 20, Some(all.child()));
    assert!(files.get(&key(5)).is_some());
}
