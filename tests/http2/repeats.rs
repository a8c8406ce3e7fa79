//! Heads that come and go as the same octets mean what the tables say at the
//! time.
#![cfg(feature = "alloc")]

use crate::http2_support::*;
use barewire::http::{Field, Fields, ResponseHead, Status, date::Date};
use barewire::http2::{BodyLength, Limits};
use barewire::wire::{Instant, Role};

/// A request of the block `\x82\x84\x86` `:authority: a` and these octets.
fn request(stream: u32, more: &[u8]) -> Vec<u8> {
    let block = [b"\x82\x84\x86\x01\x01a", more].concat();
    frame(HEADERS, END_HEADERS | END_STREAM, stream, &block)
}

/// The value of the last field of the one request that was seen.
#[track_caller]
fn value(seen: &[Seen]) -> &str {
    match seen {
        [Seen::Request { fields, .. }] => &fields.last().unwrap().1,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_same_block_means_what_the_table_says() {
    let mut side = Side::server();
    let mut stream = 1;
    let mut ask = |more: &[u8]| {
        stream += 2;
        let seen = side.feed(&request(stream, more));
        let reset = side.feed(&number(RST_STREAM, stream, 8));
        assert!(matches!(reset[..], [Seen::Reset(..)]), "{reset:?}");
        value(&seen).to_owned()
    };
    for round in ["a", "b", "c"] {
        let insert = [b"\x40\x01x\x01", round.as_bytes()].concat();
        assert_eq!(ask(&insert), round);
        // The newest entry, whose block is the same each round; and others.
        for _ in 0..6 {
            assert_eq!(ask(b"\xbe"), round);
            assert_eq!(ask(b"\x00\x01y\x01z"), "z");
        }
    }
    // The table shrinks to nothing: the entry is gone, the literal is not.
    assert_eq!(ask(b"\x00\x01y\x01z"), "z");
    let mut shrunk = b"\x20\x82\x84\x86\x01\x01a\x00\x01y\x01z".to_vec();
    let frame_of = |block: &[u8]| frame(HEADERS, END_HEADERS | END_STREAM, 901, block);
    assert_eq!(value(&side.feed(&frame_of(&shrunk))), "z");
    shrunk.splice(.., *b"\x82\x84\x86\x01\x01a\xbe");
    let seen = side.feed(&frame(HEADERS, END_HEADERS | END_STREAM, 903, &shrunk));
    assert!(matches!(seen[..], [Seen::Failed(_)]), "{seen:?}");
}

#[test]
fn a_known_head_is_judged_for_its_own_stream() {
    let mut side = Side::server();
    for stream in [1, 3, 5, 7] {
        assert_eq!(value(&side.feed(&request(stream, b"\x00\x01y\x01z"))), "z");
    }
    // A second head of a stream that is open is none of a new one.
    let seen = side.feed(&request(5, b"\x00\x01y\x01z"));
    assert_eq!(seen, [Seen::Reset(5, 5, false)]);
    // An announced length and no content, known or not, is malformed.
    let mut side = Side::server();
    for stream in [1, 3, 5, 7] {
        let seen = side.feed(&request(stream, b"\x0f\x0d\x011"));
        assert_eq!(seen, []);
        let reset = side.sent().into_iter().find(|sent| sent.kind == RST_STREAM);
        assert_eq!(reset.map(|sent| sent.number()), Some(1));
    }
}

#[test]
fn repeated_responses_are_read_as_they_were_meant() {
    let mut server = Side::server_with(Limits::DEFAULT.with_streams(1000));
    let mut client = Side::new(Role::Client, Limits::DEFAULT);
    client.feed(&[frame(SETTINGS, 0, 0, &[]), frame(SETTINGS, ACK, 0, &[])].concat());
    let texts = ["one", "two", "three", "four", "five", "six"];
    for step in 0..400_u32 {
        let id = 1 + 2 * step;
        let get = barewire::http::RequestHead {
            method: barewire::http::Method::GET,
            target: barewire::http::Target::Absolute {
                scheme: "http",
                authority: "a",
                path: "/",
                query: None,
            },
            version: barewire::http::Version::Http2,
            protocol: None,
            fields: Fields::EMPTY,
        };
        client.out.clear();
        let asked = client.machine.send_request(&get, None, &mut client.out);
        assert_eq!(asked, Ok(id));
        server.feed(&core::mem::take(&mut client.out));
        server.out.clear();
        // Now this text, now that; a new date every 50 requests.
        let text = texts[(step / 7 % 6) as usize];
        let (status, date) = match step % 3 {
            0 => (Status::NOT_FOUND, None),
            _ => (Status::OK, Some(Date::from_unix(u64::from(step / 50)))),
        };
        let fields = [
            Field::new("content-type", "text/plain"),
            Field::new("x", text),
        ];
        let fields = Fields::new(&fields);
        let head = ResponseHead::new(status, fields);
        let machine = &mut server.machine;
        let length = Some(BodyLength::Unknown);
        machine
            .send_response(id, &head, length, date.as_ref(), &mut server.out)
            .unwrap();
        let trailers = [Field::new("grpc-status", text)];
        machine
            .send_end(id, Fields::new(&trailers), &mut server.out)
            .unwrap();
        let seen = client.feed(&core::mem::take(&mut server.out));
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut expected = vec![pair("content-type", "text/plain"), pair("x", text)];
        expected.extend(date.map(|date| pair("date", date.as_str())));
        let head = Seen::Response {
            stream: id,
            status: status.code(),
            fields: expected,
            end: false,
        };
        let end = Seen::End(id, vec![pair("grpc-status", text)]);
        assert_eq!(seen, [head, end], "{step}");
    }
}

#[test]
fn what_is_known_goes_when_a_connection_rests() {
    let mut side = Side::server();
    for stream in [1, 3, 5, 7] {
        side.feed(&request(stream, b"\x00\x01y\x01z"));
        let head = ResponseHead::new(Status::OK, Fields::EMPTY);
        let machine = &mut side.machine;
        machine
            .send_response(stream, &head, None, None, &mut side.out)
            .unwrap();
    }
    let held = side.machine.memory();
    side.now = Instant::START + core::time::Duration::from_secs(2);
    assert_eq!(side.elapsed(), Ok(None));
    assert!(side.machine.memory() < held && side.machine.memory() < 600);
}
