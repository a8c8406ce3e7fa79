//! Messages, fragments and control frames.
#![cfg(feature = "alloc")]

use crate::websocket_support::{Driver, MASK, ROLES, Seen, frame, frames};
use barewire::websocket::{CloseCode, Connection, Kind, Limits, UsageError, encode_message};
use barewire::wire::{Instant, Rate, Role, Slice};
use proptest::prelude::*;

fn text(s: &str) -> Seen {
    Seen::Message(Kind::Text, s.into())
}

#[test]
fn an_active_connection_is_small() {
    // One at rest is packed: `tests/idle_memory.rs` counts that.
    assert!(size_of::<Connection>() <= 88, "{}", size_of::<Connection>());
    assert!(size_of::<Option<Connection>>() <= 88);
}

#[test]
fn the_examples_of_the_rfc_are_read_and_written() {
    // RFC 6455 §5.7.
    let hello = b"Hello";
    let mut client = Driver::new(Role::Client, false);
    client.feed(b"\x81\x05Hello");
    client.feed(b"\x01\x03Hel\x80\x02lo");
    client.feed(b"\x89\x05Hello");
    assert_eq!(
        client.seen,
        [text("Hello"), text("Hello"), Seen::Ping(hello.to_vec())]
    );
    assert_eq!(client.sent(), [(0x8a, hello.to_vec())]);

    let mut server = Driver::new(Role::Server, false);
    server.feed(b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
    server.feed(b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
    assert_eq!(server.seen, [text("Hello"), Seen::Pong(hello.to_vec())]);

    for (role, expected) in [
        (Role::Server, &b"\x81\x05Hello"[..]),
        (
            Role::Client,
            b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58",
        ),
    ] {
        let (mut machine, mut out) = (Connection::new(role, Instant::START), Vec::new());
        machine
            .send_message(Kind::Text, hello, MASK, Instant::START, &mut out)
            .unwrap();
        assert_eq!(out, expected);
    }
    for (length, head) in [
        (256, &b"\x82\x7e\x01\x00"[..]),
        (65_536, b"\x82\x7f\0\0\0\0\0\x01\0\0"),
    ] {
        let mut out = Vec::new();
        encode_message(Kind::Binary, &vec![0; length], &mut out);
        assert_eq!(out, [head, &vec![0; length]].concat());
        let mut client = Driver::new(Role::Client, false);
        client.feed(&out);
        assert_eq!(client.seen, [Seen::Message(Kind::Binary, vec![0; length])]);
    }
}

#[test]
fn a_character_may_be_cut_by_fragments() {
    for role in ROLES {
        let mut driver = Driver::new(role, false);
        let list: &[(u8, &[u8])] = &[(0x01, b"\xf0\x9f"), (0x00, b""), (0x80, b"\x98\x80")];
        driver.feed(&frames(role, list));
        assert_eq!(driver.seen, [text("😀")]);
    }
}

#[test]
fn a_ping_inside_a_fragmented_message_is_answered_at_once() {
    for role in ROLES {
        let mut driver = Driver::new(role, false);
        driver.feed(&frames(role, &[(0x01, b"Hel"), (0x89, b"there?")]));
        assert_eq!(driver.seen, [Seen::Ping(b"there?".to_vec())]);
        assert_eq!(driver.sent(), [(0x8a, b"there?".to_vec())]);
        driver.feed(&frames(role, &[(0x00, b"l"), (0x80, b"o")]));
        assert_eq!(driver.seen[1..], [text("Hello")]);
        assert!(driver.kept.is_empty());
    }
}

#[test]
fn pongs_are_reported_and_not_answered() {
    let mut driver = Driver::new(Role::Server, false);
    driver.feed(&frame(Role::Server, 0x8a, b"unasked"));
    assert_eq!(driver.seen, [Seen::Pong(b"unasked".to_vec())]);
    assert!(driver.out.is_empty());
}

#[test]
fn chunks_are_given_while_the_frame_arrives_and_end_with_whole_characters() {
    let bytes = frame(Role::Server, 0x81, "aé😀".as_bytes());
    let mut driver = Driver::new(Role::Server, true);
    let (head, payload) = bytes.split_at(6);
    driver.feed(head);
    assert!(driver.seen.is_empty());
    let mut lengths = Vec::new();
    for byte in payload {
        driver.feed(&[*byte]);
        lengths.push(match driver.seen.last() {
            Some(Seen::Chunk(Kind::Text, text, _)) => text.len(),
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(lengths, [1, 1, 3, 3, 3, 3, 7]);
    assert_eq!(driver.seen, [Seen::Chunk(Kind::Text, "aé😀".into(), true)]);
}

#[test]
fn invalid_text_is_refused_at_its_first_impossible_byte() {
    for streaming in [false, true] {
        let bytes = frame(Role::Server, 0x01, b"\xf4\x90\x80\x80");
        let mut driver = Driver::new(Role::Server, streaming);
        driver.feed(&bytes[..7]);
        assert!(driver.seen.is_empty());
        driver.feed(&bytes[7..8]);
        assert_eq!(driver.goodbye(), Some(1007));
    }
}

#[test]
fn pings_without_end_inside_a_message_do_not_grow_what_is_kept() {
    let rate = Rate {
        burst: u32::MAX,
        per_second: 0,
    };
    let limits = Limits::DEFAULT.with_control_rate(rate);
    for held in [1, 10, 500] {
        let mut driver = Driver::with_limits(Role::Server, false, limits);
        driver.feed(&frame(Role::Server, 0x02, &vec![1; held]));
        for _ in 0..2_000 {
            driver.feed(&frame(Role::Server, 0x89, &[9; 125]));
            assert!(driver.kept.len() <= 2 * held + 131, "{}", driver.kept.len());
        }
        driver.feed(&frame(Role::Server, 0x80, &[2]));
        let whole = [vec![1; held], vec![2]].concat();
        assert_eq!(
            driver.seen.last(),
            Some(&Seen::Message(Kind::Binary, whole))
        );
        assert!(driver.kept.is_empty());
    }
}

#[test]
fn empty_fragments_in_one_read_are_linear() {
    let mut bytes = frame(Role::Server, 0x02, &[1; 1000]);
    for _ in 0..60_000 {
        bytes.extend(frame(Role::Server, 0x00, b""));
    }
    bytes.extend(frame(Role::Server, 0x80, b""));
    let mut driver = Driver::new(Role::Server, false);
    driver.feed(&bytes);
    assert_eq!(driver.seen, [Seen::Message(Kind::Binary, vec![1; 1000])]);
}

#[test]
fn nothing_is_consumed_while_the_output_is_full() {
    use barewire::http::{CallContext, OwnedScratch};
    use barewire::wire::Step;

    let mut server = Connection::new(Role::Server, Instant::START);
    let mut scratch = OwnedScratch::new(0);
    let mut input = frame(Role::Server, 0x89, b"hi");
    let before = input.clone();
    for (room, full) in [(130, true), (131, false)] {
        let mut memory = vec![0; room];
        let mut out = Slice::new(&mut memory);
        let lent = CallContext {
            now: Instant::START,
            date: None,
            mask_key: [0; 4],
            limits: &Limits::DEFAULT,
            scratch: scratch.lend(),
        };
        let received = server.receive(&mut input, lent, &mut out).unwrap();
        assert_eq!(matches!(received.step, Step::Full), full);
        assert_eq!(received.used == 0, full);
        if full {
            assert_eq!(input, before);
        }
    }
}

#[test]
fn misuse_changes_nothing() {
    let now = Instant::START;
    let mut server = Connection::new(Role::Server, now);
    let mut out = Vec::new();
    let mut memory = [0; 8];
    let mut tiny = Slice::new(&mut memory);
    assert_eq!(
        server.send_message(Kind::Text, b"hello", MASK, now, &mut tiny),
        Err(UsageError::NoRoom)
    );
    assert_eq!(
        server.send_ping(&[0; 126], MASK, &mut out),
        Err(UsageError::ControlTooLong)
    );
    assert_eq!(
        server.send_close(CloseCode::NORMAL, &"x".repeat(124), MASK, now, &mut out),
        Err(UsageError::ControlTooLong)
    );
    for code in [0, 999, 1004, 1005, 1006, 1015, 2999, 5000] {
        assert_eq!(
            server.send_close(CloseCode::new(code), "", MASK, now, &mut out),
            Err(UsageError::InvalidCloseCode)
        );
    }
    assert_eq!(
        server.send_close(None, "reason", MASK, now, &mut out),
        Err(UsageError::InvalidCloseCode)
    );
    assert!(out.is_empty() && !server.is_closing());

    server
        .send_chunk(Kind::Text, b"a", false, MASK, now, &mut out)
        .unwrap();
    assert_eq!(
        server.send_message(Kind::Text, b"b", MASK, now, &mut out),
        Err(UsageError::MessageOpen)
    );
    assert_eq!(
        server.send_chunk(Kind::Binary, b"b", true, MASK, now, &mut out),
        Err(UsageError::MessageOpen)
    );
    server.send_ping(b"?", MASK, &mut out).unwrap();
    server
        .send_chunk(Kind::Text, b"b", true, MASK, now, &mut out)
        .unwrap();
    server.send_close(None, "", MASK, now, &mut out).unwrap();
    assert_eq!(out, b"\x01\x01a\x89\x01?\x80\x01b\x88\x00");
    assert_eq!(
        server.send_pong(b"", MASK, &mut out),
        Err(UsageError::Closed)
    );
    assert_eq!(
        server.send_close(None, "", MASK, now, &mut out),
        Err(UsageError::Closed)
    );
}

#[test]
fn a_clients_automatic_answers_are_masked_with_the_chance_it_is_lent() {
    use barewire::http::{CallContext, OwnedScratch};

    let mut client = Connection::new(Role::Client, Instant::START);
    let (mut out, mut scratch) = (Vec::new(), OwnedScratch::new(0));
    let lent = CallContext {
        now: Instant::START,
        date: None,
        mask_key: MASK,
        limits: &Limits::DEFAULT,
        scratch: scratch.lend(),
    };
    let mut input = frame(Role::Client, 0x89, b"ask");
    client.receive(&mut input, lent, &mut out).unwrap();
    assert_eq!(out, frame(Role::Server, 0x8a, b"ask"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn what_one_side_sends_the_other_receives(
        list in proptest::collection::vec((any::<bool>(), "[ -~é😀]{0,90}", 0..4usize, any::<[u8; 4]>()), 1..12),
        piece in 1..200usize,
        from_client: bool,
    ) {
        let (sender, receiver) = match from_client {
            true => (Role::Client, Role::Server),
            false => (Role::Server, Role::Client),
        };
        let now = Instant::START;
        let mut machine = Connection::new(sender, now);
        let (mut wire, mut expected) = (Vec::new(), Vec::new());
        for (is_text, content, way, mask_key) in list {
            let kind = if is_text { Kind::Text } else { Kind::Binary };
            let payload = content.as_bytes();
            match way {
                0 => machine.send_message(kind, payload, mask_key, now, &mut wire).unwrap(),
                1 => {
                    let shared = payload.to_vec().into();
                    machine.send_message_shared(kind, shared, mask_key, now, &mut wire).unwrap();
                }
                2 if !from_client => encode_message(kind, payload, &mut wire),
                _ => {
                    let (a, b) = payload.split_at(payload.len() / 2);
                    machine.send_chunk(kind, a, false, mask_key, now, &mut wire).unwrap();
                    machine.send_ping(b"between", mask_key, &mut wire).unwrap();
                    expected.push(Seen::Ping(b"between".to_vec()));
                    machine.send_chunk(kind, b, true, mask_key, now, &mut wire).unwrap();
                }
            }
            expected.push(Seen::Message(kind, payload.to_vec()));
        }
        machine.send_close(CloseCode::NORMAL, "done", MASK, now, &mut wire).unwrap();
        expected.push(Seen::Close(Some(1000), "done".into()));
        let mut driver = Driver::new(receiver, false);
        for piece in wire.chunks(piece) {
            driver.feed(piece);
        }
        prop_assert_eq!(driver.seen, expected);
        prop_assert!(driver.machine.is_done());
    }

    #[test]
    fn large_messages_cross_whole_and_shared(size in 60_000..70_000usize, from_client: bool) {
        let (sender, receiver) = match from_client {
            true => (Role::Client, Role::Server),
            false => (Role::Server, Role::Client),
        };
        let payload: Vec<u8> = (0..size).map(|i| (i / 3) as u8).collect();
        let mut machine = Connection::new(sender, Instant::START);
        let mut wire = Vec::new();
        let shared = payload.clone().into();
        machine.send_message_shared(Kind::Binary, shared, MASK, Instant::START, &mut wire).unwrap();
        let mut driver = Driver::new(receiver, false);
        for piece in wire.chunks(9_999) {
            driver.feed(piece);
        }
        prop_assert_eq!(&driver.seen, &[Seen::Message(Kind::Binary, payload)]);
    }
}
