use super::*;

#[test]
fn list_members_are_trimmed_and_quotes_protect_commas() {
    let list = [
        Field::new("X", " a ,, \"b, \\\"c\" ,"),
        Field::new("Y", "no"),
        Field::new("x", "d"),
    ];
    let members: alloc::vec::Vec<_> = Fields::new(&list).list("x").collect();
    assert_eq!(members, [&b"a"[..], b"\"b, \\\"c\"", b"d"]);
    assert!(Fields::new(&list).list_contains("X", "D"));
}

#[test]
fn debug_shows_text_and_hides_secrets() {
    let list = [
        Field::new("Accept", "text/html"),
        Field {
            name: b"X",
            value: b"\xff\"",
        },
        Field::new("COOKIE", "id=7"),
        Field::new("authorization", "Bearer x"),
    ];
    let shown = std::format!("{:?}", Fields::new(&list));
    let expected =
        r#"{"Accept": "text/html", "X": "\xff\"", "COOKIE": (secret), "authorization": (secret)}"#;
    assert_eq!(shown, expected);
    assert_eq!(std::format!("{:?}", list[0]), r#""Accept": "text/html""#);
}

#[test]
fn ranges_outside_the_text_give_empty_parts() {
    let ranges = [FieldRange {
        name: 0,
        name_end: 1,
        value: 2,
        value_end: 99,
    }];
    let fields = Fields::from_ranges(b"ab", &ranges);
    assert_eq!(
        fields.at(0),
        Some(Field {
            name: b"a",
            value: b""
        })
    );
    assert_eq!(fields.at(1), None);
}
