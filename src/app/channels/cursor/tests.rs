use alloc::string::ToString;

use super::*;

fn get(cursor: &Cursor, epoch: u64) -> Option<Position> {
    let mut positions = cursor.positions().iter().copied();
    positions.find(|it| it.epoch == Epoch::new(epoch))
}

#[test]
fn an_id_says_where_a_stream_is_in_each_channel() {
    let mut cursor = Cursor::default();
    let offsets = [0, 1, 127, 128, 1 << 40, u64::MAX];
    for (nth, &offset) in offsets.iter().enumerate() {
        assert!(cursor.set(Position::new(Epoch::new(nth as u64), offset)));
    }
    let again = Cursor::parse(&cursor.to_string());
    assert_eq!(again, cursor);
    assert_eq!(get(&again, 5).unwrap().offset, u64::MAX);
    cursor.remove(Epoch::new(5));
    assert_eq!((cursor.len(), get(&cursor, 5)), (5, None));
}

#[test]
fn an_id_is_bounded() {
    let mut cursor = Cursor::default();
    for nth in 0..Cursor::MOST as u64 {
        assert!(cursor.set(Position::new(Epoch::new(nth), u64::MAX)));
    }
    assert!(!cursor.set(Position::new(Epoch::new(99), 1)));
    assert!(cursor.set(Position::new(Epoch::new(3), 1)));
    assert!(cursor.set(Position::new(Epoch::new(3), u64::MAX)));
    let id = cursor.to_string();
    assert_eq!((id.len(), Cursor::parse(&id)), (386, cursor));
}

#[test]
fn what_is_no_id_stands_for_no_position() {
    let long = "A".repeat(10_000);
    let cut = Cursor::of(Position::new(Epoch::new(1), 300)).to_string();
    for id in [
        "",
        "7",
        "AQ==",
        "Ag",
        "é",
        "AQAA",
        &long,
        &cut[..cut.len() - 2],
    ] {
        assert_eq!(Cursor::parse(id).len(), 0, "{id}");
    }
    let overlong = [&[VERSION][..], &[0; 8], &[0xff; 9], &[2]].concat();
    assert_eq!(Cursor::read(&overlong), None);
}
