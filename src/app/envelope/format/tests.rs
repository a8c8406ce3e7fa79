use super::*;

#[test]
fn a_note_says_who_it_is_from() {
    let sender = Uuid::new_v4();
    let note = Note::new(Some(sender));
    let (name, from) = read(note.as_bytes()).unwrap();
    assert_eq!((name.get_version_num(), from), (4, Some(sender)));
    let (_, from) = read(Note::new(None).as_bytes()).unwrap();
    assert_eq!(from, None);
    for other in [&b""[..], b"\x01", b"hello", &[1; 18], &[1; 34], &[2; 33]] {
        assert_eq!(read(other), None, "{other:?}");
    }
}
