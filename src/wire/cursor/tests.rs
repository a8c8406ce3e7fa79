use super::*;

#[test]
fn a_short_slice_moves_nothing() {
    let mut cursor = Cursor::new(&[1, 2, 3]);
    assert_eq!(
        (cursor.u32(), cursor.u64(), cursor.take(4)),
        (None, None, None)
    );
    assert_eq!(cursor.position(), 0);
    assert_eq!(cursor.u16(), Some(0x0102));
    assert_eq!(
        (cursor.u16(), cursor.byte(), cursor.byte()),
        (None, Some(3), None)
    );
    assert_eq!((cursor.position(), cursor.rest()), (3, &[][..]));
}
