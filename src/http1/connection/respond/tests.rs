use super::*;
#[cfg(feature = "alloc")]
use crate::http::{CallContext, Field, FieldBuffer, OwnedScratch};
#[cfg(feature = "alloc")]
use crate::http1::Limits;
use crate::wire::Slice;

#[test]
fn lengths_are_written_in_decimal() {
    let date = Date::from_unix(784_111_777);
    for length in [0, 9, 10, 99, 100, 999, 1000, 9999, 10_000, u64::MAX] {
        let (mut out, mut text) = ([0; 128], [0; 128]);
        let mut out = Slice::new(&mut out);
        encode::put_ok(&date, length, &mut out);
        let mut expected = Slice::new(&mut text);
        encode::put_ok_and_date(&date, &mut expected);
        encode::put_content_length(length, &mut expected);
        assert_eq!(out.written(), expected.written(), "{length}");
    }
}

/// The bytes sent for a request of the given method.
#[cfg(feature = "alloc")]
fn sent(method: &str, fields: Fields<'_>, body: &[u8]) -> alloc::vec::Vec<u8> {
    let mut machine = Connection::new(Role::Server, Instant::START);
    let mut scratch = OwnedScratch::new(8);
    let mut input = alloc::format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes();
    let lent = CallContext {
        now: Instant::START,
        date: None,
        mask_key: [0; 4],
        limits: &Limits::DEFAULT,
        scratch: scratch.lend(),
    };
    let mut out = alloc::vec::Vec::new();
    machine.receive(&mut input, lent, &mut out).unwrap();
    let head = ResponseHead::new(Status::OK, fields);
    let date = Date::from_unix(784_111_777);
    let now = Instant::START;
    machine
        .send_whole(&head, body, Some(&date), now, &mut out)
        .unwrap();
    assert!(machine.is_idle());
    out
}

#[cfg(feature = "alloc")]
#[test]
fn the_short_way_writes_what_the_long_way_does() {
    let list = [
        Field::new("Content-Type", "text/plain"),
        Field::new("X", "y"),
    ];
    let mut buffer = FieldBuffer::new();
    buffer.extend(Fields::new(&list)).unwrap();
    assert!(buffer.as_fields().plain_lines().is_some());
    assert!(Fields::new(&list).plain_lines().is_none());
    let body = alloc::vec![b'a'; 123_456];
    let lengths = (0..130).chain([999, 1000, 1001, 9999, 10_000, 10_001, 123_456]);
    for length in lengths {
        let body = &body[..length];
        for method in ["GET", "HEAD", "POST"] {
            let long = sent(method, Fields::new(&list), body);
            let short = sent(method, buffer.as_fields(), body);
            assert!(long == short, "{method} {length}");
        }
    }
}
