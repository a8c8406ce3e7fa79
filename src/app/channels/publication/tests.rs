use super::*;

#[test]
fn all_parts_come_out_as_they_went_in() {
    for length in [0, 125, 126, 65_535, 65_536] {
        let payload = alloc::vec![b'x'; length];
        let it = Publication::new(&Parts {
            kind: Kind::Text,
            payload: &payload,
            note: b"note",
            event: "kind",
            publisher: 7,
            unix_millis: 8,
        })
        .unwrap();
        assert_eq!(it.payload(), payload);
        assert_eq!((it.note(), it.event_type()), (&b"note"[..], "kind"));
        assert_eq!((it.publisher(), it.unix_millis()), (Some(7), 8));
        assert!(it.frame().ends_with(&payload));
        assert_eq!(it.frame()[0], 0x81);
        assert_eq!(it.position(), None);
        let position = Position::new(Epoch::new(3), 4);
        assert_eq!(it.at(position).position(), Some(position));
    }
}

#[test]
fn what_comes_from_elsewhere_is_text_if_it_says_so() {
    assert!(Publication::from_elsewhere(Kind::Text, b"\xff", b"", 0).is_none());
    let binary = Publication::from_elsewhere(Kind::Binary, b"\xff", b"", 0).unwrap();
    assert_eq!((binary.as_text(), binary.publisher()), (None, None));
}
