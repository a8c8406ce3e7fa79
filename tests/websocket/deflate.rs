//! Compressed messages (RFC 7692).
#![cfg(feature = "deflate")]

use crate::websocket_support::{Driver, Seen, frame, frames};
use barewire::http::{CallContext, OwnedScratch, Scratch};
use barewire::websocket::deflate::{Agreement, Session, WindowBits};
use barewire::websocket::{Connection, Kind, Limits, ProtocolError, UsageError};
use barewire::wire::codec::{Compression, Deflater};
use barewire::wire::{Instant, Role};
use core::time::Duration;
use proptest::prelude::*;

const HELLO: &[u8] = &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
/// The same again, five bytes back.
const AGAIN: &[u8] = &[0xf2, 0x00, 0x11, 0x00, 0x00];

const BOTH: Agreement = Agreement {
    server_no_context_takeover: false,
    client_no_context_takeover: false,
    server_max_window_bits: None,
    client_max_window_bits: None,
};
const NEITHER: Agreement = Agreement {
    server_no_context_takeover: true,
    client_no_context_takeover: true,
    ..BOTH
};

fn driver(role: Role, agreement: Agreement, streaming: bool, limits: Limits) -> Driver {
    let mut driver = Driver::with_limits(role, streaming, limits);
    let session = Session::new(&agreement, role);
    driver.machine = Connection::new(role, Instant::START)
        .streaming(streaming)
        .compressed(session);
    driver
}

const DEDICATED: Compression = Compression {
    level: 1,
    threshold: 0,
    dedicated: true,
};

/// One that has states of its own, of which that to inflate is made with the first message.
fn owner(role: Role, agreement: Agreement, limits: Limits) -> Driver {
    let mut driver = driver(role, agreement, false, limits);
    let mut deflater = Deflater::new();
    let session = Session::new(&agreement, role).compressing(deflater.add(DEDICATED));
    driver.machine = Connection::new(role, Instant::START).compressed(session);
    let (machine, now, mut out) = (&mut driver.machine, driver.now, Vec::new());
    machine
        .send_message_deflated(Kind::Text, b"sent", [0; 4], now, &mut deflater, &mut out)
        .unwrap();
    driver
}

/// What is seen of frames, in every way of cutting them in two, and byte by byte, in both
/// modes, each as messages, and with states of its own.
fn seen(role: Role, agreement: Agreement, limits: Limits, list: &[(u8, &[u8])]) -> Vec<Seen> {
    let bytes = frames(role, list);
    let whole = {
        let mut driver = driver(role, agreement, false, limits);
        driver.feed(&bytes);
        driver.seen
    };
    let mut owner = owner(role, agreement, limits);
    owner.feed(&bytes);
    assert_eq!(owner.seen, whole);
    for streaming in [false, true] {
        let one = |pieces: &[&[u8]]| {
            let mut driver = driver(role, agreement, streaming, limits);
            for piece in pieces {
                driver.feed(piece);
            }
            driver.seen
        };
        let expected = one(&[&bytes]);
        assert_eq!(joined(&expected), joined(&whole), "{streaming}");
        for cut in 0..bytes.len() {
            let (front, back) = bytes.split_at(cut);
            assert_eq!(one(&[front, back]), expected, "{streaming} {cut}");
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(one(&single), expected, "{streaming}");
    }
    whole
}

/// Messages in pieces as messages; one that was not finished is left out.
fn joined(seen: &[Seen]) -> Vec<Seen> {
    let (mut all, mut open) = (Vec::new(), Vec::new());
    for it in seen {
        match it {
            Seen::Chunk(kind, bytes, last) => {
                open.extend_from_slice(bytes);
                if *last {
                    all.push(Seen::Message(*kind, core::mem::take(&mut open)));
                }
            }
            other => all.push(other.clone()),
        }
    }
    all
}

fn text(text: &str) -> Seen {
    Seen::Message(Kind::Text, text.as_bytes().to_vec())
}

fn failed(violation: ProtocolError) -> Seen {
    Seen::Failed(violation)
}

/// A stored block, which is not the final one.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len() as u16;
    let head = [&[0][..], &length.to_le_bytes(), &(!length).to_le_bytes()].concat();
    [&head, bytes].concat()
}

#[test]
fn the_examples_of_the_rfc_are_understood() {
    for role in [Role::Server, Role::Client] {
        let seen = |list: &[(u8, &[u8])]| seen(role, BOTH, Limits::DEFAULT, list);
        // RFC 7692 §7.2.3.1: one frame, and two.
        assert_eq!(seen(&[(0xc1, HELLO)]), [text("Hello")]);
        let fragments: &[(u8, &[u8])] = &[(0x41, &HELLO[..3]), (0x80, &HELLO[3..])];
        assert_eq!(seen(fragments), [text("Hello")]);
        // §7.2.3.2: the window of the message before.
        let twice: &[(u8, &[u8])] = &[(0xc1, HELLO), (0xc1, AGAIN)];
        assert_eq!(seen(twice), [text("Hello"), text("Hello")]);
        // §7.2.3.3: without compression.
        let plain = [&stored(b"Hello")[..], &[0]].concat();
        assert_eq!(seen(&[(0xc1, &plain)]), [text("Hello")]);
        // §7.2.3.4: a final block, with and without the byte behind it.
        let last: &[u8] = &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
        assert_eq!(seen(&[(0xc1, last)]), [text("Hello")]);
        assert_eq!(seen(&[(0xc1, &last[..7])]), [text("Hello")]);
        // §7.2.3.5: two blocks.
        let two = [
            0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00,
        ];
        assert_eq!(seen(&[(0xc1, &two)]), [text("Hello")]);
        // §7.2.3.6: an empty message, also without any byte.
        assert_eq!(seen(&[(0xc1, &[0]), (0xc1, &[])]), [text(""), text("")]);
    }
}

#[test]
fn what_is_odd_and_legal_is_understood() {
    let seen = |list: &[(u8, &[u8])]| seen(Role::Server, BOTH, Limits::DEFAULT, list);
    // A final block in the middle: more blocks and later messages refer to before it.
    let last = &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00][..];
    let more = [last, AGAIN].concat();
    assert_eq!(
        seen(&[(0xc1, &more), (0xc1, AGAIN), (0xc1, last), (0xc1, AGAIN)]),
        [
            text("HelloHello"),
            text("Hello"),
            text("Hello"),
            text("Hello")
        ]
    );
    // Empty blocks: stored, of fixed codes, and final ones.
    let empty = [
        &stored(b"")[..],
        &[0x02, 0x00],
        &stored(b"")[1..],
        &[3, 0],
        HELLO,
    ]
    .concat();
    let expected = seen(&[(0xc1, &empty)]);
    assert_eq!(expected, [text("Hello")]);
    // Plain messages between compressed ones are in no window.
    let mixed: &[(u8, &[u8])] = &[(0xc1, HELLO), (0x81, b"plain text"), (0xc1, AGAIN)];
    assert_eq!(
        seen(mixed),
        [text("Hello"), text("plain text"), text("Hello")]
    );
    // Cut inside a tail that a fragment kept, with a ping in the cut.
    let flushed = [
        &[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff][..],
        &[0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00],
    ];
    let cut: &[(u8, &[u8])] = &[
        (0x41, flushed[0]),
        (0x89, b"?"),
        (0x00, &[]),
        (0x80, flushed[1]),
    ];
    assert_eq!(seen(cut), [Seen::Ping(b"?".to_vec()), text("Hello")]);
    // Without takeover a message may still refer to itself.
    let itself = [HELLO, &[0, 0, 0xff, 0xff], AGAIN].concat();
    let list: &[(u8, &[u8])] = &[(0xc2, &itself)];
    let alone = self::seen(Role::Client, NEITHER, Limits::DEFAULT, list);
    assert_eq!(alone, [Seen::Message(Kind::Binary, b"HelloHello".to_vec())]);
}

#[test]
fn reserved_bits_are_those_of_the_first_frame_of_a_message() {
    let refused = [failed(ProtocolError::ReservedBits)];
    for role in [Role::Server, Role::Client] {
        let mut plain = Driver::new(role, false);
        plain.feed(&frame(role, 0xc1, HELLO));
        assert_eq!(plain.seen, refused);
        let seen = |list: &[(u8, &[u8])]| seen(role, BOTH, Limits::DEFAULT, list);
        for first in [0xc8, 0xc9, 0xca, 0xa1, 0x91, 0xe1, 0xd2] {
            assert_eq!(seen(&[(first, &[])]), refused, "{first:x}");
        }
        for continuation in [0x40, 0xc0] {
            assert_eq!(seen(&[(0x41, HELLO), (continuation, &[])]), refused);
            assert_eq!(seen(&[(0x01, b"a"), (continuation, &[])]), refused);
        }
        let orphan = [failed(ProtocolError::ReservedBits)];
        assert_eq!(seen(&[(0xc0, HELLO)]), orphan);
    }
}

#[test]
fn data_that_cannot_be_inflated_is_1007() {
    let invalid = failed(ProtocolError::InvalidCompression);
    let seen =
        |agreement, list: &[(u8, &[u8])]| seen(Role::Server, agreement, Limits::DEFAULT, list);
    let cut = stored(b"Hello");
    let cases: &[&[u8]] = &[
        AGAIN,                                             // in front of the window
        &[0x06],                                           // no such kind of block
        &[0x00, 0x05, 0x00, 0xfa, 0xfe, 1, 2, 3, 4, 5, 0], // lengths that disagree
        &HELLO[..3],                                       // inside a block
        &HELLO[..6],                                       // before its end
        &cut[..7],                                         // inside a stored block
        &cut[..3],                                         // inside its head
        &cut,                                              // without the head of the tail's block
        &[HELLO, &[0, 0, 0xff, 0xff]].concat(),            // with the tail, and nothing behind it
        &[0x04, 0xff, 0xff, 0xff, 0xff],                   // codes that are none
    ];
    for bad in cases {
        let told = seen(BOTH, &[(0xc2, bad)]);
        assert_eq!(told, core::slice::from_ref(&invalid), "{bad:x?}");
    }
    let again: &[(u8, &[u8])] = &[(0xc1, HELLO), (0xc1, AGAIN)];
    assert_eq!(seen(NEITHER, again), [text("Hello"), invalid.clone()]);
    assert_eq!(ProtocolError::InvalidCompression.close_code().get(), 1007);
    // What cannot be inflated is told before what is too long.
    let mut driver = driver(Role::Server, BOTH, false, Limits::DEFAULT);
    driver.feed(&frame(Role::Server, 0xc1, AGAIN));
    assert_eq!(&driver.out[..4], [0x88, 25, 0x03, 0xef]);
    assert!(driver.machine.is_closing());
    assert_eq!(driver.machine.compression_memory(), 0);
}

#[test]
fn inflated_text_is_utf_8() {
    let seen = |list: &[(u8, &[u8])]| seen(Role::Server, BOTH, Limits::DEFAULT, list);
    let pack = |bytes: &[u8]| [&stored(bytes)[..], &[0]].concat();
    let good = "aé€😀";
    assert_eq!(seen(&[(0xc1, &pack(good.as_bytes()))]), [text(good)]);
    for bad in [
        &b"ab\xff"[..],
        b"ab\xe2\x82",
        b"\xed\xa0\x80",
        b"\xf0\x9f\x98",
    ] {
        let invalid = failed(ProtocolError::InvalidText);
        assert_eq!(seen(&[(0xc1, &pack(bad))]), [invalid], "{bad:x?}");
        let binary = Seen::Message(Kind::Binary, bad.to_vec());
        assert_eq!(seen(&[(0xc2, &pack(bad))]), [binary]);
    }
    // In pieces, at the byte that is wrong: what stands before it has been given out.
    let mut driver = driver(Role::Server, BOTH, true, Limits::DEFAULT);
    let bytes = frame(Role::Server, 0x41, &stored("aé€\u{7f}".as_bytes()));
    driver.feed(&bytes);
    driver.feed(&frame(Role::Server, 0x00, &stored(b"\xe2\x82b")));
    let chunk = Seen::Chunk(Kind::Text, "aé€\u{7f}".as_bytes().to_vec(), false);
    assert_eq!(driver.seen, [chunk, failed(ProtocolError::InvalidText)]);
}

#[test]
fn of_two_faults_the_first_one_counts() {
    let limits = Limits::DEFAULT.with_message(300);
    let text = [&[b'a'; 100][..], b"\xff", &[b'a'; 400]].concat();
    let late = [&[b'a'; 310][..], b"\xff"].concat();
    let bad_code = [&stored(b"ab\xffc")[..], &[0xff; 9]].concat();
    for (message, expected) in [
        (&deflated(&text), ProtocolError::InvalidText),
        (&deflated(&late), ProtocolError::MessageTooBig),
        (&bad_code, ProtocolError::InvalidText),
    ] {
        for streaming in [false, true] {
            let mut driver = driver(Role::Server, BOTH, streaming, limits);
            driver.feed(&frame(Role::Server, 0xc1, message));
            assert_eq!(driver.seen.last(), Some(&failed(expected)), "{streaming}");
        }
    }
}

/// A message of these bytes, by another codec.
fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(bytes.len() / 900 + 1024);
    let mut state = flate2::Compress::new(flate2::Compression::best(), false);
    state
        .compress_vec(bytes, &mut packed, flate2::FlushCompress::Sync)
        .unwrap();
    packed.truncate(packed.len() - 4);
    packed
}

/// A message of `size` zeros.
fn zeros(size: usize) -> Vec<u8> {
    deflated(&vec![0; size])
}

#[test]
fn a_message_ends_at_its_limit_to_the_byte() {
    let limits = Limits::DEFAULT.with_message(40_000);
    for streaming in [false, true] {
        for (size, passes) in [
            (39_999, true),
            (40_000, true),
            (40_001, false),
            (400_000, false),
        ] {
            let mut driver = driver(Role::Server, NEITHER, streaming, limits);
            driver.feed(&frame(Role::Server, 0xc2, &zeros(size)));
            let last = driver.seen.last();
            assert_eq!(last == Some(&failed(ProtocolError::MessageTooBig)), !passes);
            let given: usize = driver.seen.iter().map(length).sum();
            let most = if streaming { 40_000 } else { 0 };
            assert_eq!(
                given,
                if passes { size } else { most },
                "{streaming} {size}"
            );
        }
    }
    // What cannot be compressed is a little longer, and is no more than it inflates to.
    let limits = Limits::DEFAULT.with_message(1000).with_frame(1000);
    let exact = [&stored(&[7; 1000])[..], &[0]].concat();
    let more = [&stored(&[7; 1001])[..], &[0]].concat();
    let message = Seen::Message(Kind::Binary, vec![7; 1000]);
    let too_big = failed(ProtocolError::MessageTooBig);
    for (packed, expected) in [(&exact, message), (&more, too_big.clone())] {
        let mut driver = driver(Role::Client, BOTH, false, limits);
        driver.feed(&frame(Role::Client, 0xc2, packed));
        assert_eq!(driver.seen, [expected]);
    }
    let mut driver = driver(Role::Client, BOTH, false, limits.with_frame(5000));
    driver.feed(&frame(Role::Client, 0xc2, &[0; 1127]));
    assert_eq!(driver.seen, [too_big]);
}

fn length(seen: &Seen) -> usize {
    match seen {
        Seen::Message(_, bytes) | Seen::Chunk(_, bytes, _) => bytes.len(),
        _ => 0,
    }
}

#[test]
fn inflate_ratio_stops_messages_that_are_nothing_but_work() {
    let limits = Limits::DEFAULT.with_inflate_ratio(100);
    let bomb = zeros(1_000_000);
    for (streaming, limits, passes) in [
        (false, limits, false),
        (true, limits, false),
        (false, limits.with_inflate_ratio(2000), true),
        (true, Limits::DEFAULT, true),
    ] {
        let mut driver = driver(Role::Server, BOTH, streaming, limits);
        driver.feed(&frame(Role::Server, 0xc2, &bomb));
        let refused = driver.seen.last() == Some(&failed(ProtocolError::InflateRatio));
        assert_eq!(refused, !passes);
        // The first kilobytes are free.
        let mut driver = self::driver(Role::Server, BOTH, streaming, limits);
        driver.feed(&frame(Role::Server, 0xc2, &zeros(4096)));
        assert_eq!(driver.seen.iter().map(length).sum::<usize>(), 4096);
    }
    assert_eq!(ProtocolError::InflateRatio.close_code().get(), 1009);
}

#[test]
fn final_blocks_stops_messages_of_nothing_else() {
    for (blocks, passes) in [(1024, true), (1025, false)] {
        let message = [3, 0].repeat(blocks);
        for streaming in [false, true] {
            let mut driver = driver(Role::Server, BOTH, streaming, Limits::DEFAULT);
            driver.feed(&frame(Role::Server, 0xc2, &message));
            let refused = driver.seen.last() == Some(&failed(ProtocolError::TooManyFinalBlocks));
            assert_eq!(refused, !passes, "{streaming}");
        }
    }
    assert_eq!(ProtocolError::TooManyFinalBlocks.close_code().get(), 1008);
}

#[test]
fn messages_in_pieces_take_bounded_memory() {
    let limits = Limits::DEFAULT.with_message(u64::MAX).with_frame(u64::MAX);
    let mut machine = Connection::new(Role::Server, Instant::START)
        .streaming(true)
        .compressed(Session::new(&BOTH, Role::Server));
    let (mut scratch, mut out) = (OwnedScratch::new(0), Vec::new());
    // A gigabyte: each part refers to nothing before it.
    let megabyte = [&zeros(1 << 20)[..], &[0, 0, 0xff, 0xff]].concat();
    let gigabyte = megabyte.repeat(1 << 10);
    let bytes = frame(Role::Server, 0xc2, &gigabyte[..gigabyte.len() - 4]);
    assert!(bytes.len() < 1_100_000);
    let (mut given, mut most, mut kept) = (0, 0, Vec::new());
    for piece in bytes.chunks(4096) {
        kept.extend_from_slice(piece);
        loop {
            let lent = CallContext {
                now: Instant::START,
                date: None,
                mask_key: [0; 4],
                limits: &limits,
                scratch: scratch.lend(),
            };
            let received = machine.receive(&mut kept, lent, &mut out).unwrap();
            let used = received.used;
            let is_event = match received.step {
                barewire::wire::Step::Event(barewire::websocket::Event::Chunk {
                    payload, ..
                }) => {
                    given += payload.len();
                    assert!(payload.len() <= 16 << 10);
                    true
                }
                barewire::wire::Step::Need(_) => false,
                other => panic!("{other:?}"),
            };
            kept.drain(..used);
            most = most.max(machine.compression_memory() + scratch.inflater().unwrap().held());
            if !is_event {
                break;
            }
        }
    }
    assert_eq!(given, 1 << 30);
    assert!(most < 120_000, "{most}");
    assert!(machine.compression_memory() < 33_000);
}

#[test]
fn without_what_inflates_a_message_is_our_own_fault() {
    let mut machine =
        Connection::new(Role::Server, Instant::START).compressed(Session::new(&BOTH, Role::Server));
    let (mut input, mut out) = (frame(Role::Server, 0xc1, HELLO), Vec::new());
    let lent = CallContext {
        now: Instant::START,
        date: None,
        mask_key: [0; 4],
        limits: &Limits::DEFAULT,
        scratch: Scratch::new(&mut []),
    };
    let refused = machine.receive(&mut input, lent, &mut out);
    assert_eq!(refused.err(), Some(ProtocolError::NoInflater));
    assert_eq!(ProtocolError::NoInflater.close_code().get(), 1011);
}

/// Two sides, what one sends, and how it compresses.
struct Pair {
    sender: Connection,
    deflater: Deflater,
    receiver: Driver,
}

impl Pair {
    fn new(role: Role, agreement: Agreement, compression: Compression, streaming: bool) -> Self {
        let mut deflater = Deflater::new();
        let number = deflater.add(compression);
        let session = Session::new(&agreement, role).compressing(number);
        let peer = match role {
            Role::Server => Role::Client,
            Role::Client => Role::Server,
        };
        Self {
            sender: Connection::new(role, Instant::START).compressed(session),
            deflater,
            receiver: driver(peer, agreement, streaming, Limits::DEFAULT),
        }
    }

    /// Sends a message, and gives the bytes of its frame.
    fn send(&mut self, kind: Kind, payload: &[u8]) -> Vec<u8> {
        let (sender, deflater) = (&mut self.sender, &mut self.deflater);
        let (mut out, now) = (Vec::new(), self.receiver.now);
        sender
            .send_message_deflated(kind, payload, [1, 2, 3, 4], now, deflater, &mut out)
            .unwrap();
        out
    }
}

#[test]
fn what_is_not_worth_it_goes_plain() {
    let mut pair = Pair::new(Role::Server, BOTH, Compression::DEFAULT, false);
    assert_eq!(pair.send(Kind::Text, b"short")[0], 0x81);
    assert_eq!(pair.send(Kind::Text, &[b'a'; 63])[0], 0x81);
    assert_eq!(pair.send(Kind::Text, &[b'a'; 64])[0], 0xc1);
    // Which compresses to nothing shorter.
    let noise: Vec<u8> = (0..200_u32)
        .map(|it| (it.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    assert_eq!(pair.send(Kind::Binary, &noise)[0], 0x82);
    let before = pair.deflater.held();
    assert!(before > 0);
    // Plain messages move no window.
    let first = pair.send(Kind::Text, &[b'b'; 100]);
    assert_eq!(first[0], 0xc1);
    let mut receiver = pair.receiver;
    receiver.feed(&frame(Role::Client, 0x82, &noise));
    assert_eq!(receiver.seen.len(), 1);
    let mut machine = Connection::new(Role::Server, Instant::START);
    let (mut out, now) = (Vec::new(), Instant::START);
    let deflater = &mut pair.deflater;
    machine
        .send_message_deflated(Kind::Text, &[b'a'; 100], [0; 4], now, deflater, &mut out)
        .unwrap();
    assert_eq!((out[0], out.len()), (0x81, 102)); // nothing was agreed on
    let agreement = Agreement {
        server_max_window_bits: WindowBits::new(8),
        ..NEITHER
    };
    let mut tiny = Pair::new(Role::Server, agreement, Compression::DEFAULT, false);
    assert_eq!(tiny.send(Kind::Text, &[b'a'; 100])[0], 0xc1);
    // Which zlib cannot do: the small deflater stands in for it.
    let level = Compression {
        level: 6,
        ..Compression::DEFAULT
    };
    let mut tiny = Pair::new(Role::Server, agreement, level, false);
    let bytes = tiny.send(Kind::Text, &[b'a'; 1000]);
    tiny.receiver.feed(&bytes);
    assert_eq!(tiny.receiver.seen, [text(&"a".repeat(1000))]);
    let tally = pair.deflater.tally();
    assert_eq!(
        (tally.messages, tally.plain_bytes, tally.left_plain),
        (2, 164, 3)
    );
    let deflater = &mut pair.deflater;
    let mut small = [0; 80];
    let mut out = barewire::wire::Slice::new(&mut small);
    let sent = pair.sender.send_message_deflated(
        Kind::Text,
        &[b'a'; 100],
        [0; 4],
        now,
        deflater,
        &mut out,
    );
    assert_eq!(sent, Err(UsageError::NoRoom));
}

#[test]
fn what_was_sent_is_forgotten_by_a_connection_that_sleeps() {
    for dedicated in [false, true] {
        let compression = Compression {
            dedicated,
            ..Compression::DEFAULT
        };
        let mut pair = Pair::new(Role::Server, BOTH, compression, false);
        let message =
            br#"{"a":"some text that is long enough to be worth it, and then more of it"}"#;
        let first = pair.send(Kind::Text, message);
        let second = pair.send(Kind::Text, message);
        assert!(
            second.len() < first.len() / 2,
            "{} {}",
            first.len(),
            second.len()
        );
        assert!(pair.sender.compression_memory() > message.len());
        // As a driver that plays the server.
        let mut server = driver(Role::Server, BOTH, false, Limits::DEFAULT);
        server.machine = pair.sender;
        for seconds in [15, 30, 45, 60, 75] {
            assert_eq!(
                server.machine.compression_memory() > message.len(),
                seconds <= 60
            );
            server.feed(&frame(Role::Server, 0x8a, b"")); // lives
            server.sleep(Duration::from_secs(15));
        }
        assert!(server.machine.compression_memory() < 300);
        pair.sender = server.machine;
        let third = pair.send(Kind::Text, message);
        assert_eq!(third.len(), first.len());
        for bytes in [first, second, third] {
            pair.receiver.feed(&bytes);
        }
        assert_eq!(
            pair.receiver.seen,
            vec![Seen::Message(Kind::Text, message.to_vec()); 3]
        );
    }
}

#[test]
fn memory_for_takeover_is_the_window_and_no_more() {
    let bits = WindowBits::new(12);
    let agreement = Agreement {
        server_max_window_bits: bits,
        client_max_window_bits: bits,
        ..BOTH
    };
    let mut pair = Pair::new(Role::Client, agreement, Compression::DEFAULT, false);
    for n in 0..200 {
        let message = format!("{n} {}", "message ".repeat(n));
        let bytes = pair.send(Kind::Text, message.as_bytes());
        pair.receiver.feed(&bytes);
    }
    let (sent, received) = (&pair.sender, &pair.receiver.machine);
    for memory in [sent.compression_memory(), received.compression_memory()] {
        assert!((4096..4096 + 400).contains(&memory), "{memory}");
    }
    // With a state of its own for what is sent, and both windows.
    let dedicated = Compression {
        dedicated: true,
        ..Compression::DEFAULT
    };
    let mut pair = Pair::new(Role::Client, agreement, dedicated, false);
    let session = Session::new(&agreement, Role::Server);
    let mut echo = driver(Role::Server, agreement, false, Limits::DEFAULT);
    echo.machine = Connection::new(Role::Server, Instant::START).compressed(session.compressing(1));
    let mut out = Vec::new();
    for n in 0..200 {
        let message = format!("{n} {}", "message ".repeat(n * 7));
        let bytes = pair.send(Kind::Text, message.as_bytes());
        echo.feed(&bytes);
        let (machine, deflater) = (&mut echo.machine, &mut pair.deflater);
        machine
            .send_message_deflated(
                Kind::Text,
                message.as_bytes(),
                [0; 4],
                echo.now,
                deflater,
                &mut out,
            )
            .unwrap();
    }
    assert_eq!(echo.seen.len(), 200);
    let memory = echo.machine.compression_memory();
    assert!((12_000..=16 << 10).contains(&memory), "{memory}");
    // With the largest windows, one to inflate, too.
    let mut owner = owner(Role::Server, BOTH, Limits::DEFAULT);
    let before = owner.machine.compression_memory();
    assert!(before < 40_000, "{before}");
    let mut pair = Pair::new(Role::Client, BOTH, Compression::DEFAULT, false);
    for n in 0..200 {
        let message = "message ".repeat(n);
        let bytes = pair.send(Kind::Text, message.as_bytes());
        owner.feed(&bytes);
    }
    assert_eq!(owner.seen.len(), 200);
    let memory = owner.machine.compression_memory() - before;
    assert_eq!(memory, 32_768 + 47_552);
    // A long message is inflated by what is lent, and the state of its own given up.
    let noise: Vec<u8> = (0..3000_u32)
        .map(|n| (n.wrapping_mul(n).wrapping_mul(40_503) >> 12) as u8)
        .collect();
    let bytes = pair.send(Kind::Binary, &[&noise[..], &[0; 100]].concat());
    assert!(bytes[0] & 0x40 != 0 && bytes.len() > 300);
    owner.feed(&bytes);
    assert_eq!(owner.machine.compression_memory() - before, 32_768);
    let short = "message ".repeat(20);
    for _ in 0..2 {
        let bytes = pair.send(Kind::Text, short.as_bytes());
        owner.feed(&bytes);
        assert_eq!(owner.seen.last(), Some(&text(&short)));
        let memory = owner.machine.compression_memory() - before;
        assert_eq!(memory, 32_768 + 47_552);
    }
    owner.machine.forget_sent();
    let memory = owner.machine.compression_memory();
    assert!((32_768..32_768 + 400).contains(&memory), "{memory}");
    let bytes = pair.send(Kind::Text, short.as_bytes());
    owner.feed(&bytes);
    assert_eq!(owner.seen.last(), Some(&text(&short)));
    let mut pair = Pair::new(Role::Client, NEITHER, Compression::DEFAULT, false);
    let bytes = pair.send(Kind::Text, &[b'a'; 10_000]);
    pair.receiver.feed(&bytes);
    assert_eq!(pair.sender.compression_memory(), 0);
    assert_eq!(pair.receiver.machine.compression_memory(), 0);
}

fn messages() -> impl Strategy<Value = Vec<(bool, Vec<u8>)>> {
    let words = prop::sample::select(vec![
        "name", "price", "\":", "{\"", ",\"", "1.5", "é€", " ", "aaaaaaaa",
    ]);
    let text = proptest::collection::vec(words, 0..400).prop_map(|it| it.concat().into_bytes());
    let noise = proptest::collection::vec(any::<u8>(), 0..3000);
    let long = (any::<u8>(), 0..70_000_usize).prop_map(|(byte, size)| vec![byte; size]);
    let message = prop_oneof![
        4 => text.prop_map(|it| (true, it)),
        1 => noise.prop_map(|it| (false, it)),
        1 => long.prop_map(|it| (false, it)),
    ];
    proptest::collection::vec(message, 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is agreed on and however it is compressed and cut, what was sent arrives.
    #[test]
    fn what_is_sent_arrives(
        messages in messages(),
        (client, streaming, dedicated, server_no, client_no) in any::<(bool, bool, bool, bool, bool)>(),
        (owns, largest) in any::<(bool, bool)>(),
        (server_bits, client_bits) in (8_u8..=15, 8_u8..=15),
        level in 1_u8..=9,
        cuts in proptest::collection::vec(1..5000_usize, 1..20),
        fragment in any::<bool>(),
    ) {
        let agreement = Agreement {
            server_no_context_takeover: server_no,
            client_no_context_takeover: client_no,
            server_max_window_bits: WindowBits::new(if largest { 15 } else { server_bits }),
            client_max_window_bits: WindowBits::new(if largest { 15 } else { client_bits }),
        };
        let role = if client { Role::Client } else { Role::Server };
        let compression = Compression { level, dedicated, threshold: 16 };
        let mut pair = Pair::new(role, agreement, compression, streaming);
        if owns && !streaming {
            let peer = if client { Role::Server } else { Role::Client };
            pair.receiver = owner(peer, agreement, Limits::DEFAULT);
        }
        let mut bytes = Vec::new();
        let mut expected = Vec::new();
        for (is_text, message) in &messages {
            let kind = if *is_text { Kind::Text } else { Kind::Binary };
            let sent = pair.send(kind, message);
            bytes.extend(sent);
            expected.push(Seen::Message(kind, message.clone()));
        }
        if fragment {
            bytes.extend(frame(if client { Role::Server } else { Role::Client }, 0x89, b"end"));
            expected.push(Seen::Ping(b"end".to_vec()));
        }
        let (mut rest, mut at) = (&bytes[..], 0);
        while !rest.is_empty() {
            let cut = cuts[at % cuts.len()].min(rest.len());
            pair.receiver.feed(&rest[..cut]);
            rest = &rest[cut..];
            at += 1;
        }
        prop_assert_eq!(joined(&pair.receiver.seen), expected);
    }

    /// Any bytes as a compressed message, in every mode, are taken or refused, in the same
    /// way however they are cut.
    #[test]
    fn any_bytes_are_judged_alike_however_they_are_cut(
        list in proptest::collection::vec((0..4_u8, proptest::collection::vec(any::<u8>(), 0..40)), 1..5),
        takeover: bool,
        cut in 0..200_usize,
    ) {
        let heads = [0xc1, 0xc2, 0x42, 0x80];
        let list: Vec<(u8, &[u8])> = list.iter().map(|(at, it)| (heads[usize::from(*at)], &it[..])).collect();
        let bytes = frames(Role::Server, &list);
        let agreement = if takeover { BOTH } else { NEITHER };
        for streaming in [false, true] {
            let run = |pieces: &[&[u8]]| {
                let mut driver = driver(Role::Server, agreement, streaming, Limits::DEFAULT);
                for piece in pieces {
                    driver.feed(piece);
                }
                driver.seen
            };
            let (front, back) = bytes.split_at(cut.min(bytes.len()));
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            let whole = run(&[&bytes]);
            if !streaming {
                let mut owner = owner(Role::Server, agreement, Limits::DEFAULT);
                owner.feed(&bytes);
                prop_assert_eq!(&owner.seen, &whole);
            }
            prop_assert_eq!(&run(&[front, back]), &whole);
            prop_assert_eq!(&run(&single), &whole);
        }
    }
}
