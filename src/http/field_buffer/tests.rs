use super::*;

#[test]
fn no_field_can_smuggle_a_line() {
    let mut fields = FieldBuffer::new();
    for value in ["a\rb", "a\nb", "a\0b", "\x7f", "a\r\n b"] {
        assert_eq!(
            fields.push("x", value),
            Err(InvalidField::Value),
            "{value:?}"
        );
    }
    for name in ["", "a b", "a:", "a\r\n", "ä"] {
        assert_eq!(fields.push(name, "v"), Err(InvalidField::Name), "{name:?}");
    }
    assert!(fields.as_fields().is_empty());
}

#[test]
fn fields_that_lie_as_lines_are_appended_in_one_piece() {
    let text = b"HTTP/1.1 200 OK\r\nETag: \"1\"\r\nServer: a\r\nEmpty: \r\n\r\n";
    let range = |name: u32, name_end, value, value_end| FieldRange {
        name,
        name_end,
        value,
        value_end,
    };
    let lines = [
        range(17, 21, 23, 26),
        range(28, 34, 36, 37),
        range(39, 44, 46, 46),
    ];
    // A value that stands elsewhere, an order that is another, a gap.
    for (ranges, is_one) in [
        (&lines[..], true),
        (&[range(17, 21, 22, 26)], false),
        (&[lines[1], lines[0]], false),
        (&[lines[0], lines[2]], false),
        (&[range(17, 21, 23, 200)], false),
        (&[range(17, 10, 12, 16)], false),
    ] {
        let fields = Fields::from_ranges(text, ranges);
        assert_eq!(fields.lines().is_some(), is_one, "{fields:?}");
        let mut buffer = FieldBuffer::new();
        buffer.push("Date", "x").unwrap();
        buffer.extend_checked(fields).unwrap();
        let expected = core::iter::once(Field::new("Date", "x")).chain(fields.iter());
        assert!(buffer.as_fields().iter().eq(expected), "{buffer:?}");
        let mut again = FieldBuffer::new();
        again.extend_checked(fields).unwrap();
        let is_plain = again.as_fields().plain_lines().is_some();
        assert!(is_plain);
        again.extend_checked(buffer.as_fields()).unwrap();
        assert!(again.as_fields().plain_lines().is_none());
    }
}

#[test]
fn lines_are_plain_until_one_has_to_be_looked_at() {
    let mut fields = FieldBuffer::new();
    assert_eq!(fields.as_fields().plain_lines(), Some(&b""[..]));
    fields.push("ETag", "\"1\"").unwrap();
    fields.push("Vary", "Accept").unwrap();
    let lines = fields.as_fields().plain_lines();
    assert_eq!(lines, Some(&b"ETag: \"1\"\r\nVary: Accept\r\n"[..]));
    for special in [
        "te",
        "Date",
        "HOST",
        "Upgrade",
        "Trailer",
        "Connection",
        "keep-alive",
        "Content-Length",
        "proxy-connection",
        "Transfer-Encoding",
    ] {
        let mut fields = fields.clone();
        fields.push(special, "1").unwrap();
        assert_eq!(fields.as_fields().plain_lines(), None, "{special}");
    }
    fields.set("etag", "\"2\"").unwrap();
    assert_eq!(fields.as_fields().plain_lines(), None, "a gap");
    fields.clear();
    assert_eq!(fields.as_fields().plain_lines(), Some(&b""[..]));
}

#[test]
fn set_replaces_every_field_of_the_name() {
    let mut fields = FieldBuffer::new();
    for (name, value) in [("A", "1"), ("B", "2"), ("a", "3")] {
        fields.push(name, value).unwrap();
    }
    fields.set("a", " 4 ").unwrap();
    let all: alloc::vec::Vec<_> = fields.as_fields().iter().collect();
    assert_eq!(all, [Field::new("B", "2"), Field::new("a", "4")]);
}
