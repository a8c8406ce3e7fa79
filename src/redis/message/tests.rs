use super::*;

#[test]
fn a_message_is_read_as_it_was_written() {
    let message = Message {
        is_text: true,
        node: 0xc0ff_ee00,
        id: b"7",
        unix_millis: 1_767_225_600_000,
        place: Some((5, u64::MAX)),
        notice: b"left",
        note: b"note\n",
        event: b"kind",
        payload: b"pay\nload",
    };
    let bytes = message.encode();
    let line =
        b"text n=00000000c0ffee00 i=7 q=left t=1767225600000 x=5 v=4 o=18446744073709551615 \
                 e=0000000000000005\nnote\nkindpay\nload";
    assert_eq!(bytes, line);
    assert_eq!(Message::parse(&bytes), Some(message));
    let plain = Message::parse(b"binary\n\xff").unwrap();
    assert_eq!((plain.is_text, plain.payload), (false, &b"\xff"[..]));
    assert!(Message::parse(b"text z=later\nx").is_some());
}

#[test]
fn what_has_not_the_form_is_no_message() {
    let cases: [&[u8]; 16] = [
        b"",
        b"text",
        b"hello\nx",
        b"text\n\xff",
        b"text  \nx",
        b"text x=2\nx",
        b"text x=99999999999999999999999\nx",
        b"text v=1\n\n",
        b"text o=1\nx",
        b"text o=0 e=0000000000000001\nx",
        b"text e=0000000000000001\nx",
        b"text o=1 e=1\nx",
        b"text n=G\nx",
        b"text t=\nx",
        b"text later\nx",
        &[b'a'; 600],
    ];
    for case in cases {
        assert_eq!(Message::parse(case), None, "{}", case.escape_ascii());
    }
}
