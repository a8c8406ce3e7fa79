//! Every attack of `data/h2-attacks.jsonl` that reaches HTTP/2, each in a test
//! of its name: what the peer sees, after how many frames, and what is held, by
//! the machine alone, by a whole link at once, and then by a whole server over a
//! socket, whose other clients must not notice.
#![cfg(feature = "alloc")]

#[cfg(feature = "net")]
mod app_support;
#[cfg(feature = "net")]
#[path = "app_support/attacked.rs"]
mod attacked;
mod http2_support;

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use core::time::Duration;
use std::alloc::System;

#[cfg(feature = "net")]
use attacked::Attacked;
use barewire::hpack::{Encoder, Growing, Indexing};
use barewire::http::{Content, Field, Fields, OwnedScratch, ResponseHead, Status};
use barewire::http2::{BodyLength, ErrorCode, Limits, ProtocolError};
use barewire::link::{self, Link};
use barewire::wire::{Instant, Step};
use http2_support::*;

/// Counts what the present thread holds.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
    static BEFORE: Cell<isize> = const { Cell::new(0) };
}

fn note(by: isize) {
    let _ = HELD.try_with(|held| {
        held.set(held.get() + by);
        let _ = MOST.try_with(|most| most.set(most.get().max(held.get())));
    });
}

#[expect(unsafe_code, reason = "an allocator that counts")]
// SAFETY: every call goes to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size() as isize);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        note(-(layout.size() as isize));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How many hostile frames each attack is willing to send.
const FRAMES: u32 = 20_000;

/// What came of an attack.
#[derive(Debug)]
struct Outcome {
    violation: Option<ProtocolError>,
    /// Frames until then.
    frames: u32,
    /// Events that reached the application.
    events: usize,
    /// Octets that were answered.
    answered: usize,
    /// The most memory that was held beyond what was held before.
    held: isize,
    goaway: Option<(u32, String)>,
}

/// Sends up to 20,000 frames, a few at a time.
fn attack(side: &mut Side, frame: impl FnMut(u32) -> Vec<u8>) -> Outcome {
    attack_with(side, FRAMES, frame)
}

fn attack_with(side: &mut Side, most: u32, mut frame: impl FnMut(u32) -> Vec<u8>) -> Outcome {
    #[cfg(feature = "net")]
    let said = side.said.clone();
    let mut through = Through::new(side);
    let before = HELD.get();
    MOST.set(before);
    let mut outcome = Outcome {
        violation: None,
        frames: 0,
        events: 0,
        answered: 0,
        held: 0,
        goaway: None,
    };
    while outcome.frames < most && outcome.violation.is_none() {
        outcome.frames += 1;
        let bytes = frame(outcome.frames - 1);
        for event in side.feed(&bytes) {
            match event {
                Seen::Failed(violation) => outcome.violation = Some(violation),
                _ => outcome.events += 1,
            }
        }
        if let Some(through) = &mut through {
            through.feed(&bytes, side.now);
            assert_eq!(through.violation, outcome.violation, "{outcome:?}");
        }
        outcome.answered += side.out.len();
        if outcome.violation.is_some() {
            outcome.goaway = Some(side.goaway());
        }
        side.out.clear();
    }
    outcome.held = MOST.get() - before;
    assert!(outcome.held <= 256 << 10, "{outcome:?}");
    #[cfg(feature = "net")]
    if let Some(said) = said {
        over_a_socket(&said, (0..most).map(frame), side.consumes, &outcome);
    }
    outcome
}

/// The same attack on a whole server. Its clock runs, so that what has a rate may
/// take some more frames.
#[cfg(feature = "net")]
fn over_a_socket(
    said: &[u8],
    mut frames: impl Iterator<Item = Vec<u8>>,
    consumes: bool,
    outcome: &Outcome,
) {
    let mut server = Attacked::new(
        consumes,
        || {
            BEFORE.set(HELD.get());
            MOST.set(HELD.get());
        },
        || MOST.get() - BEFORE.get(),
    );
    let (heard, held) = server.attack(said, || frames.next());
    let last = heard.last().unwrap();
    match &outcome.violation {
        Some(violation) => {
            assert_eq!(last.kind, GOAWAY, "{outcome:?}");
            let code = u32::from_be_bytes(last.payload[4..8].try_into().unwrap());
            assert_eq!(code, violation.code().code());
            assert_eq!(&last.payload[8..], violation.reason().as_bytes());
        }
        None => assert!(attacked::is_through(&heard), "{last:?}"),
    }
    assert!(held <= 256 << 10, "{held} octets");
}

/// The same connection as a link, whose owner takes what comes and answers
/// nothing.
struct Through {
    link: Link,
    limits: link::Limits,
    scratch: OwnedScratch,
    input: Vec<u8>,
    consumes: bool,
    violation: Option<ProtocolError>,
}

impl Through {
    /// A link that has seen what a machine has seen, up to its first attack.
    fn new(side: &mut Side) -> Option<Self> {
        let said = side.said.take()?;
        let mut through = Self {
            link: Link::server(side.now),
            limits: link::Limits::DEFAULT.with_http2(side.limits),
            scratch: OwnedScratch::new(128),
            input: Vec::new(),
            consumes: side.consumes,
            violation: None,
        };
        through.feed(&said, side.now);
        Some(through)
    }

    fn feed(&mut self, bytes: &[u8], now: Instant) {
        self.input.extend_from_slice(bytes);
        let mut out = Vec::new();
        while self.violation.is_none() {
            let mut shown = None;
            let lent = link::CallContext {
                now,
                date: None,
                mask_key: [0; 4],
                limits: &self.limits,
                scratch: self.scratch.lend(),
                shown: &mut shown,
            };
            let received = match self.link.receive(&mut self.input, lent, &mut out) {
                Ok(received) => received,
                Err(link::ProtocolError::Http2(violation)) => {
                    self.violation = Some(violation);
                    let last = frames(&out).pop().expect("GOAWAY");
                    assert_eq!(&last.payload[8..], violation.reason().as_bytes());
                    return;
                }
                Err(other) => panic!("{other:?}"),
            };
            let (used, stream) = (received.used, self.link.stream());
            let more = match received.step {
                Step::Event(link::Event::Request {
                    content: Content::Follows { .. },
                    ..
                }) if self.consumes => self.link.accept_body(stream, now, &mut out).is_ok(),
                Step::Event(_) => true,
                Step::Need(more) => used > 0 || more == 0,
                Step::Paused | Step::Full | Step::Done => false,
            };
            self.input.drain(..used);
            if let Some(shown) = shown {
                self.link.reclaim(shown);
            }
            if !more {
                break;
            }
        }
        self.link.pump(0, now, &mut out);
    }
}

impl Outcome {
    #[track_caller]
    fn ends_with(&self, violation: ProtocolError, frames: core::ops::RangeInclusive<u32>) {
        assert_eq!(self.violation, Some(violation), "{self:?}");
        assert!(frames.contains(&self.frames), "{self:?}");
        let (code, debug) = self.goaway.as_ref().unwrap();
        assert_eq!(*code, violation.code().code());
        assert_eq!(debug, violation.reason());
    }
}

/// A server that still works: the connection was not harmed.
#[track_caller]
fn still_serves(side: &mut Side, stream: u32) {
    let events = side.feed(&get(stream));
    assert!(matches!(events[..], [Seen::Request { .. }]), "{events:?}");
}

fn odd(n: u32) -> u32 {
    n * 2 + 1
}

fn reset(stream: u32) -> Vec<u8> {
    number(RST_STREAM, stream, 8)
}

#[test]
fn rapid_reset() {
    let mut side = Side::server();
    let outcome = attack(&mut side, |n| [get(odd(n)), reset(odd(n))].concat());
    outcome.ends_with(ProtocolError::ResetFlood, 100..=1000);
    assert_eq!(
        outcome.goaway.unwrap().0,
        ErrorCode::ENHANCE_YOUR_CALM.code()
    );
}

#[test]
fn rapid_reset_open() {
    let mut side = Side::server();
    let outcome = attack(&mut side, |n| [post(odd(n)), reset(odd(n))].concat());
    outcome.ends_with(ProtocolError::ResetFlood, 100..=1000);
}

#[test]
fn rapid_reset_at_an_honest_rate_passes() {
    let mut side = Side::server();
    for n in 0..5000 {
        side.now += Duration::from_millis(25);
        let events = side.feed(&[get(odd(n)), reset(odd(n))].concat());
        assert_eq!(events.len(), 2, "{events:?}");
    }
}

#[test]
fn made_you_reset_wup0() {
    let mut side = Side::server();
    let outcome = attack(&mut side, |n| {
        [get(odd(n)), number(WINDOW_UPDATE, odd(n), 0)].concat()
    });
    outcome.ends_with(ProtocolError::ErrorFlood, 2..=1024);
}

#[test]
fn made_you_reset_wup_overflow() {
    let mut side = Side::server();
    let outcome = attack(&mut side, |n| {
        [get(odd(n)), number(WINDOW_UPDATE, odd(n), 0x7fff_ffff)].concat()
    });
    outcome.ends_with(ProtocolError::ErrorFlood, 2..=1024);
}

#[test]
fn made_you_reset_data_after_end() {
    let mut side = Side::server();
    let outcome = attack(&mut side, |n| {
        [get(odd(n)), frame(DATA, 0, odd(n), b"x")].concat()
    });
    outcome.ends_with(ProtocolError::ErrorFlood, 2..=1024);
}

#[test]
fn made_you_reset_prio_self() {
    let mut side = Side::server();
    let outcome = attack(&mut side, |n| {
        let depends = [&odd(n).to_be_bytes()[..], &[16]].concat();
        [get(odd(n)), frame(PRIORITY, 0, odd(n), &depends)].concat()
    });
    outcome.ends_with(ProtocolError::SelfDependency, 1..=1);
}

#[test]
fn made_you_reset_prio_len() {
    let mut side = Side::server();
    let outcome = attack(&mut side, |n| {
        [get(odd(n)), frame(PRIORITY, 0, odd(n), &[0; 4])].concat()
    });
    outcome.ends_with(ProtocolError::FrameSize, 1..=1);
}

#[test]
fn continuation_flood_100b() {
    let mut side = Side::server();
    let outcome = attack(&mut side, |n| match n {
        0 => frame(HEADERS, 0, 1, &block(&GET)),
        _ => {
            let value = format!("{n:080}");
            frame(CONTINUATION, 0, 1, &block(&[("x-more", &value)]))
        }
    });
    outcome.ends_with(ProtocolError::ContinuationFlood, 8..=33);
    assert_eq!(outcome.events, 0);
}

#[test]
fn continuation_flood_empty() {
    let mut side = Side::server();
    let outcome = attack(&mut side, |n| match n {
        0 => frame(HEADERS, 0, 1, &block(&GET)),
        _ => frame(CONTINUATION, 0, 1, b""),
    });
    outcome.ends_with(ProtocolError::ContinuationFlood, 8..=33);
}

#[test]
fn continuation_flood_of_one_endless_field() {
    let mut side = Side::server();
    let outcome = attack(&mut side, |n| match n {
        0 => frame(HEADERS, 0, 1, b"\x00\x01x\x7f\x80\x80\x80\x04vvvv"),
        _ => frame(CONTINUATION, 0, 1, &[b'v'; 16_384]),
    });
    outcome.ends_with(ProtocolError::FieldTooLarge, 1..=4);
}

#[test]
fn ping_flood() {
    let mut side = Side::server();
    assert_eq!(side.feed(&post(1)).len(), 1);
    let outcome = attack(&mut side, |_| frame(PING, 0, 0, b"12345678"));
    outcome.ends_with(ProtocolError::PingFlood, 500..=2000);
    assert!(outcome.answered <= 17 * 1001 + 32);
}

#[test]
fn ping_flood_unread() {
    // Nothing that was answered is read: it adds up to what the peer may make
    // us say before the connection ends.
    let mut side = Side::server();
    assert_eq!(side.feed(&post(1)).len(), 1);
    let outcome = attack(&mut side, |_| frame(PING, 0, 0, b"12345678"));
    assert!(outcome.violation.is_some());
    assert!(outcome.answered < 64 << 10);
}

#[test]
fn settings_flood() {
    let mut side = Side::server();
    let outcome = attack(&mut side, |n| {
        frame(
            SETTINGS,
            0,
            0,
            &[&[0, 4][..], &(n + 1).to_be_bytes()].concat(),
        )
    });
    outcome.ends_with(ProtocolError::SettingsFlood, 50..=1000);
}

#[test]
fn settings_flood_unread() {
    let mut side = Side::server();
    let outcome = attack(&mut side, |_| frame(SETTINGS, 0, 0, b""));
    assert!(outcome.violation.is_some());
    assert!(outcome.answered < 64 << 10);
}

#[test]
fn settings_flood_in_one_frame() {
    let mut side = Side::server();
    let outcome = attack(&mut side, |_| {
        frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 1].repeat(1000))
    });
    outcome.ends_with(ProtocolError::SettingsTooLong, 1..=1);
}

#[test]
fn empty_data_flood() {
    let mut side = Side::server();
    assert_eq!(side.feed(&post(1)).len(), 1);
    let outcome = attack(&mut side, |_| frame(DATA, 0, 1, b""));
    outcome.ends_with(ProtocolError::EmptyDataFlood, 100..=1000);
    let mut side = Side::server();
    assert_eq!(side.feed(&post(1)).len(), 1);
    let outcome = attack(&mut side, |_| frame(DATA, PADDED, 1, b"\x03\0\0\0"));
    outcome.ends_with(ProtocolError::EmptyDataFlood, 100..=1000);
}

#[test]
fn tiny_data_flood() {
    // It costs the peer more than us: nothing is kept per frame, so there is
    // nothing to guard against.
    let mut side = Side::server();
    assert_eq!(side.feed(&post(1)).len(), 1);
    let outcome = attack(&mut side, |_| frame(DATA, 0, 1, b"x"));
    assert_eq!((outcome.violation, outcome.events), (None, FRAMES as usize));
    assert!(outcome.held < 4096, "{outcome:?}");
}

#[test]
fn tiny_data_flood_that_nobody_reads_stops_at_the_window() {
    let mut side = Side::server();
    side.consumes = false;
    assert_eq!(side.feed(&post(1)).len(), 1);
    let outcome = attack_with(&mut side, 100_000, |_| frame(DATA, 0, 1, b"x"));
    assert_eq!(outcome.violation, None);
    assert_eq!(side.feed(&get(3)).len(), 1, "the connection lives");
}

#[test]
fn one_million_honest_messages_of_five_bytes_pass() {
    let mut side = Side::server();
    assert_eq!(side.feed(&post(1)).len(), 1);
    let burst = frame(DATA, 0, 1, b"\0\0\0\0\0").repeat(1000);
    let mut bytes = 0;
    for _ in 0..1000 {
        for event in side.feed(&burst) {
            let Seen::Data(1, data) = event else {
                panic!("{event:?}");
            };
            bytes += data.len();
        }
        side.out.clear();
    }
    assert_eq!(bytes, 5_000_000);
}

#[test]
fn zero_length_headers() {
    let mut side = Side::server();
    let list: Vec<_> = GET.iter().copied().chain([("", ""); 3]).collect();
    let events = side.feed(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(&list)));
    assert_eq!(events, []);
    let sent = side.sent();
    assert_eq!((sent[0].kind, sent[0].number()), (RST_STREAM, 1));
    let list: Vec<_> = GET.iter().copied().chain([("", ""); 2000]).collect();
    let outcome = attack_with(&mut side, 1000, |n| {
        frame(HEADERS, END_HEADERS | END_STREAM, odd(n + 1), &block(&list))
    });
    assert_eq!(outcome.events, 0);
}

/// One entry of nearly the whole table, and 12,000 references to it.
fn bomb(stream: u32, first: bool) -> Vec<u8> {
    let mut octets = block(&GET);
    if first {
        let mut encoder = Encoder::new(Growing::default(), 4096);
        let value = "v".repeat(4000);
        encoder.encode(Field::new("x", &value), Indexing::Incremental, &mut octets);
    }
    octets.extend([0xbe; 12_000]);
    frame(HEADERS, END_HEADERS | END_STREAM, stream, &octets)
}

#[test]
fn hpack_bomb() {
    let mut side = Side::server();
    let outcome = attack_with(&mut side, 1, |_| bomb(1, true));
    assert_eq!((outcome.violation, outcome.events), (None, 0));
    assert!(outcome.held < 100 << 10, "{outcome:?}");
    still_serves(&mut side, 3);
}

#[test]
fn hpack_bomb_10_streams() {
    let mut side = Side::server();
    let outcome = attack_with(&mut side, 10, |n| bomb(odd(n), n == 0));
    assert_eq!((outcome.violation, outcome.events), (None, 0));
    still_serves(&mut side, 21);
    assert_eq!(side.machine.streams(), 1);
    let outcome = attack(&mut side, |n| bomb(odd(n + 11), false));
    outcome.ends_with(ProtocolError::RefusalFlood, 100..=200);
}

#[test]
fn hpack_size_update_flood() {
    let mut side = Side::server();
    let octets = [&[0x20; 8000][..], &block(&GET)].concat();
    let outcome = attack(&mut side, |_| frame(HEADERS, END_HEADERS, 1, &octets));
    outcome.ends_with(
        ProtocolError::Compression(barewire::hpack::ProtocolError::SizeUpdatePlace),
        1..=1,
    );
    assert_eq!(
        outcome.goaway.unwrap().0,
        ErrorCode::COMPRESSION_ERROR.code()
    );
}

#[test]
fn priority_churn() {
    let mut side = Side::server();
    let outcome = attack(&mut side, |n| {
        frame(
            PRIORITY,
            0,
            odd(n % 1000),
            &[0, 0, (n >> 8) as u8, n as u8 & 0xfe, 16],
        )
    });
    assert_eq!(
        (outcome.violation, outcome.events, outcome.answered),
        (None, 0, 0)
    );
    assert!(outcome.held < 1024, "{outcome:?}");
    still_serves(&mut side, 3);
}

#[test]
fn window_update_flood() {
    let mut side = Side::server();
    assert_eq!(side.feed(&post(1)).len(), 1);
    let outcome = attack(&mut side, |n| number(WINDOW_UPDATE, n % 2, 1));
    assert_eq!(
        (outcome.violation, outcome.events, outcome.answered),
        (None, 0, 0)
    );
    assert!(outcome.held < 1024, "{outcome:?}");
}

#[test]
fn unknown_frame_flood() {
    let mut side = Side::server();
    let outcome = attack(&mut side, |n| {
        frame(100 + (n % 50) as u8, 0xff, n, b"whatever")
    });
    assert_eq!(
        (outcome.violation, outcome.events, outcome.answered),
        (None, 0, 0)
    );
    still_serves(&mut side, 1);
}

#[test]
fn rst_flood_idle_or_closed() {
    let mut side = Side::server();
    side.feed(&[get(1), reset(1)].concat());
    let outcome = attack(&mut side, |_| reset(1));
    outcome.ends_with(ProtocolError::ResetFlood, 100..=1000);
    let mut side = Side::server();
    attack(&mut side, |_| reset(1)).ends_with(ProtocolError::IdleStream, 1..=1);
}

#[test]
fn streams_over_limit() {
    let mut side = Side::server();
    let outcome = attack_with(&mut side, 2000, |n| post(odd(n)));
    assert_eq!((outcome.violation, outcome.events), (None, 128));
    assert_eq!(side.machine.streams(), 128);
    side.feed(&post(9001));
    let sent = side.sent();
    assert_eq!((sent[0].kind, sent[0].number()), (RST_STREAM, 7));
    let outcome = attack(&mut side, |n| post(9003 + 2 * n));
    outcome.ends_with(ProtocolError::RefusalFlood, 1..=1000);
}

#[test]
fn oversized_frame() {
    for kind in [DATA, HEADERS, SETTINGS, PING, CONTINUATION, 77] {
        let mut side = Side::server();
        let head = frame(kind, 0, 1, &[0; 16_385])[..9].to_vec();
        attack(&mut side, |_| head.clone()).ends_with(ProtocolError::FrameTooLarge, 1..=1);
    }
}

#[test]
fn big_header_list_64k() {
    let mut side = Side::server();
    let value = "v".repeat(1000);
    let list: Vec<_> = GET
        .iter()
        .copied()
        .chain([("x-big", &*value); 64])
        .collect();
    let mut octets = block(&list);
    let mut encoder = Encoder::new(Growing::default(), 4096);
    encoder.encode(
        Field::new("x-kept", "here"),
        Indexing::Incremental,
        &mut octets,
    );
    let mut chunks = octets.chunks(16_384).peekable();
    let (mut bytes, mut kind) = (Vec::new(), HEADERS);
    while let Some(chunk) = chunks.next() {
        let end = if chunks.peek().is_none() {
            END_HEADERS
        } else {
            0
        };
        bytes.push(frame(kind, end, 1, chunk));
        kind = CONTINUATION;
    }
    let count = bytes.len() as u32;
    let outcome = attack_with(&mut side, count, |n| bytes[n as usize].clone());
    assert_eq!((outcome.violation, outcome.events), (None, 0));
    // The compression is in step: the last entry is there.
    let octets = [&block(&GET)[..], &[0xbe]].concat();
    let events = side.feed(&frame(HEADERS, END_HEADERS | END_STREAM, 3, &octets));
    let Some(Seen::Request { fields, .. }) = events.first() else {
        panic!("{events:?}");
    };
    assert_eq!(fields[0], ("x-kept".into(), "here".into()));
}

#[test]
fn big_header_list_is_answered_with_431() {
    let mut side = Side::server();
    let value = "v".repeat(17_000);
    let octets = block(&[&GET[..], &[("x-big", &*value)]].concat());
    let (a, b) = octets.split_at(9000);
    side.feed(
        &[
            frame(HEADERS, 0, 1, a),
            frame(CONTINUATION, END_HEADERS, 1, b),
        ]
        .concat(),
    );
    let sent = side.sent();
    let kinds: Vec<_> = sent.iter().map(|sent| (sent.kind, sent.flags)).collect();
    assert_eq!(
        kinds,
        [(HEADERS, END_HEADERS | END_STREAM), (RST_STREAM, 0)]
    );
    let mut client = Side::client();
    client.out.clear();
    assert_eq!(sent[1].number(), 0, "NO_ERROR");
    still_serves(&mut side, 3);
}

#[test]
fn zero_window_stall() {
    let mut side = Side::server();
    side.feed(&frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]));
    for n in 0..100 {
        side.feed_with(&get(odd(n)), |machine, event, out| {
            let Seen::Request { stream, .. } = event else {
                return;
            };
            let head = ResponseHead::new(Status::OK, Fields::EMPTY);
            let length = Some(BodyLength::Known(1 << 20));
            machine
                .send_response(*stream, &head, length, None, out)
                .unwrap();
            let sent = machine.send_data(*stream, &[0; 1000], false, Instant::START, out);
            assert_eq!(sent, Ok(0));
        });
    }
    assert_eq!(side.machine.ready(), None);
    side.out.clear();
    let mut resets = 0;
    while side.machine.streams() > 0 {
        let due = side.machine.deadline().expect("something is due");
        assert!(due <= Instant::START + Duration::from_secs(61), "{due:?}");
        side.now = side.now.max(due);
        match side.elapsed() {
            Ok(Some(Seen::Reset(_, code, false))) => {
                assert_eq!(code, ErrorCode::CANCEL.code());
                resets += 1;
            }
            Ok(None) => side.feed(&frame(PING, 0, 0, b"12345678")).clear(),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(resets, 100);
}

/// Lets time pass until the connection ends; says when and how.
fn wait(side: &mut Side) -> (u64, Option<ProtocolError>) {
    for _ in 0..100 {
        let Some(due) = side.machine.deadline() else {
            break;
        };
        side.now = side.now.max(due);
        match side.elapsed() {
            Ok(_) if side.machine.is_done() => return (side.now.as_secs(), None),
            Ok(_) => {}
            Err(violation) => return (side.now.as_secs(), Some(violation)),
        }
    }
    panic!("it never ends");
}

#[test]
fn preface_then_silence() {
    let mut side = Side::server();
    assert_eq!(wait(&mut side), (60, None));
    assert_eq!(side.goaway(), (0, "idle".into()));
    let mut side = Side::new(barewire::wire::Role::Server, Limits::DEFAULT);
    side.feed(b"PRI * HTTP/2.0\r\n");
    assert_eq!(wait(&mut side), (10, Some(ProtocolError::PrefaceTimeout)));
    let mut side = Side::new(barewire::wire::Role::Server, Limits::DEFAULT);
    side.feed(&opening()[..33]);
    assert_eq!(wait(&mut side), (10, Some(ProtocolError::SettingsTimeout)));
    assert_eq!(side.goaway().0, ErrorCode::SETTINGS_TIMEOUT.code());
}

#[test]
fn header_block_never_ends() {
    let mut side = Side::server();
    side.feed(&frame(HEADERS, 0, 1, &block(&GET)));
    assert_eq!(wait(&mut side), (10, Some(ProtocolError::HeaderTimeout)));
    assert_eq!(side.goaway(), (11, "header_timeout".into()));
    // Nor does a trickle put it off.
    let mut side = Side::server();
    let bytes = get(1);
    for octet in &bytes[..bytes.len() - 1] {
        side.feed(&[*octet]);
        side.now += Duration::from_millis(700);
        if side.now.as_secs() >= 10 {
            break;
        }
    }
    assert_eq!(wait(&mut side).1, Some(ProtocolError::HeaderTimeout));
}

#[test]
fn a_peer_that_is_gone_is_found_by_a_ping() {
    let mut side = Side::server();
    side.feed(&post(1));
    assert_eq!(wait(&mut side), (80, Some(ProtocolError::PingTimeout)));
}

#[test]
fn grpc_many_small_messages() {
    // 3,276 messages in a frame are one piece of content here.
    let mut side = Side::server();
    side.feed(&post(1));
    let outcome = attack_with(&mut side, 300, |_| frame(DATA, 0, 1, &[0; 16_380]));
    assert_eq!((outcome.violation, outcome.events), (None, 300));
}

#[test]
fn grpc_metadata_flood() {
    let mut side = Side::server();
    let list: Vec<_> = (0..500).map(|n| (format!("x-{n}-bin"), "!!!")).collect();
    let list: Vec<_> = list.iter().map(|(name, value)| (&**name, *value)).collect();
    let events = side.feed(&with(1, 0, &list));
    assert_eq!(events, []);
    assert_eq!(side.sent()[0].kind, HEADERS, "431");
    still_serves(&mut side, 3);
    let outcome = attack(&mut side, |n| with(odd(n + 2), 0, &list));
    outcome.ends_with(ProtocolError::RefusalFlood, 100..=200);
}

/// Pings as far apart, until they are too many; how many that took.
fn pings(side: &mut Side, apart: Duration) -> Option<u32> {
    for frames in 1..=100 {
        side.now += apart;
        match side.feed(&frame(PING, 0, 0, b"12345678"))[..] {
            [Seen::Failed(violation)] => {
                assert_eq!(violation, ProtocolError::PingFlood);
                assert_eq!(side.goaway(), (11, "too_many_pings".into()));
                return Some(frames);
            }
            ref events => assert_eq!(events, [Seen::Ping(*b"12345678")]),
        }
    }
    None
}

#[test]
fn grpc_keepalive_abuse() {
    let (often, minute) = (Duration::from_millis(10), Duration::from_secs(60));
    let outcome = attack(&mut Side::server(), |_| frame(PING, 0, 0, b"12345678"));
    outcome.ends_with(ProtocolError::PingFlood, 10..=30);
    assert!(pings(&mut Side::server(), often).unwrap() < 30);
    // A peer that makes calls is held to the rules of gRPC.
    let caller = |streams: u32| {
        let mut side = Side::server();
        side.machine.judge_keep_alive();
        (0..streams).for_each(|n| _ = side.feed(&post(odd(n))));
        side
    };
    for streams in [0, 1] {
        assert_eq!(pings(&mut caller(streams), often), Some(4));
        assert_eq!(pings(&mut caller(streams), minute), Some(4));
        assert_eq!(
            pings(&mut caller(streams), 119 * minute).is_some(),
            streams == 0
        );
        assert_eq!(pings(&mut caller(streams), 120 * minute), None);
    }
    assert_eq!(pings(&mut caller(1), 5 * minute), None);
    // What is sent wipes out the strikes.
    let mut side = caller(1);
    for n in 0..100 {
        let head = ResponseHead::new(Status::OK, Fields::EMPTY);
        let Side { machine, out, .. } = &mut side;
        match n {
            0 => machine
                .send_response(1, &head, Some(BodyLength::Unknown), None, out)
                .unwrap(),
            _ => _ = machine.send_data(1, b"a", false, Instant::START, out),
        }
        for _ in 0..3 {
            assert_eq!(side.feed(&frame(PING, 0, 0, b"12345678")).len(), 1);
        }
    }
    assert_eq!(pings(&mut side, often), Some(1));
}

#[test]
fn every_attack_on_http2_has_its_test() {
    let tests = include_str!("http2_attacks.rs");
    let of_grpc = [
        "grpc_length_4GiB",
        "grpc_gzip_bomb",
        "grpc_deadline_ignored",
        "grpc_half_message_hold",
    ];
    let mut count = 0;
    for line in include_str!("data/h2-attacks.jsonl").lines() {
        let attack: serde_json::Value = serde_json::from_str(line).unwrap();
        let name = attack["attack"].as_str().unwrap();
        let test = format!("fn {}()", name.to_lowercase());
        assert!(tests.contains(&test) || of_grpc.contains(&name), "{name}");
        count += 1;
    }
    assert_eq!(count, 36);
}
