//! A whole connection without I/O: requests, collected and streamed bodies, the
//! upgrade, and WebSocket behind it or inside a stream of HTTP/2.

use super::http2;
use super::http2_support::{DATA, RST_STREAM, Sent, WINDOW_UPDATE, frames, opening};
use super::input::{Input, pieces};
use barewire::http::{
    Content, Fields, OwnedScratch, RequestHead, ResponseHead, Status, date::Date,
};
use barewire::http1;
use barewire::http2::PREFACE;
use barewire::link::{
    Account, Body, CallContext, Closing, EndReason, Event, Limits, Link, ProtocolError,
    RequestPool, UsageError,
};
use barewire::websocket::{self, Kind, handshake};
use barewire::wire::{Instant, Step};
use core::mem;
use std::collections::BTreeMap;

#[derive(Debug, Default, PartialEq, Eq)]
struct Transcript {
    events: Vec<String>,
    out: Vec<u8>,
    error: Option<ProtocolError>,
    closing: Option<Closing>,
    done: bool,
}

struct Side {
    link: Link,
    limits: Limits,
    scratch: OwnedScratch,
    request_pool: RequestPool,
    unread: Vec<u8>,
    bodies: BTreeMap<u32, Vec<u8>>,
    seen: Transcript,
}

/// What the owner decides at a request.
enum Decision {
    Collect(usize),
    Stream,
    Refuse(Status),
    Answer(Vec<u8>),
    Upgrade,
    Raw,
}

fn decide(head: &RequestHead<'_>, content: &Content<'_>) -> Decision {
    let path = head.target.path();
    let changes = path == "/raw" || handshake::is_upgrade(head);
    match content {
        // The protocol changes behind the content (RFC 9110 §7.8).
        Content::Follows { .. } if changes && head.protocol.is_none() => Decision::Collect(64),
        Content::Whole(body) if changes && body.len() > 64 => {
            Decision::Refuse(Status::CONTENT_TOO_LARGE)
        }
        _ if path == "/raw" => Decision::Raw,
        _ if handshake::is_upgrade(head) => Decision::Upgrade,
        Content::Follows { .. } if path == "/collect" => Decision::Collect(64),
        Content::Follows { .. } if path == "/refuse" => Decision::Refuse(Status::CONTENT_TOO_LARGE),
        Content::Follows { .. } => Decision::Stream,
        // What was refused in pieces is refused in whole as well.
        Content::Whole(body) if path == "/collect" && body.len() > 64 => {
            Decision::Refuse(Status::CONTENT_TOO_LARGE)
        }
        Content::Whole(_) if path == "/refuse" => Decision::Refuse(Status::CONTENT_TOO_LARGE),
        Content::Whole(body) => Decision::Answer(body.to_vec()),
        Content::None => Decision::Answer(path.as_bytes().to_vec()),
    }
}

impl Side {
    /// Bytes of memory that the link holds.
    fn held(&self) -> usize {
        self.link.account().map_or(0, Account::held)
    }

    fn new(flags: u8) -> Self {
        let mut limits = Limits::DEFAULT;
        if flags & 1 != 0 {
            limits.http1 = http1::Limits::DEFAULT.with_head(512).with_drain(64);
            limits.websocket = websocket::Limits::DEFAULT.with_message(256);
            limits.http2.streams = 3;
            limits.http2.header_table = 256;
            limits.http2.connection_window = 65_535;
            limits.http2.stream_window = 2_000;
        }
        let mut link = Link::server(Instant::START);
        link.charge_to(Account::new(usize::MAX));
        Self {
            link,
            limits,
            scratch: OwnedScratch::new(100),
            request_pool: RequestPool::new(),
            unread: Vec::new(),
            bodies: BTreeMap::new(),
            seen: Transcript::default(),
        }
    }

    fn feed(&mut self, piece: &[u8], eof: bool) {
        self.unread.extend_from_slice(piece);
        let mut calls = 4 * self.unread.len() + 64;
        while self.seen.error.is_none() && !self.seen.done && self.step(eof) {
            calls = calls.checked_sub(1).expect("calls without progress");
        }
        self.seen.closing = self.link.closing();
    }

    /// One call; whether another is worth it.
    fn step(&mut self, eof: bool) -> bool {
        let date = Date::from_unix(784_111_777);
        let now = Instant::START;
        let mut shown = None;
        let lent = CallContext {
            now,
            date: Some(&date),
            mask_key: [0; 4],
            limits: &self.limits,
            scratch: self.scratch.lend(),
            shown: &mut shown,
        };
        let (link, seen, out) = (&mut self.link, &mut self.seen.events, &mut self.seen.out);
        let received = match eof {
            false => link.receive(&mut self.unread, lent, out),
            true => link.receive_eof(&mut self.unread, lent, out),
        };
        let received = match received {
            Ok(received) => received,
            Err(violation) => {
                self.seen.error = Some(violation);
                return false;
            }
        };
        let (used, stream) = (received.used, link.stream());
        let mut answer = None;
        let mut more = true;
        match received.step {
            Step::Event(Event::Request { head, content }) => {
                let decision = decide(&head, &content);
                match decision {
                    Decision::Collect(limit) => {
                        match link.collect(stream, &head, limit, &mut self.request_pool, now, out) {
                            Ok(()) => {}
                            Err(UsageError::BodyTooLarge) => {
                                answer = Some((Status::CONTENT_TOO_LARGE, Vec::new()));
                            }
                            Err(misuse) => panic!("a body is on offer: {misuse}"),
                        }
                    }
                    Decision::Stream => {
                        seen.push(format!("{:?} {:?}", head.method, head.target));
                        link.accept_body(stream, now, out)
                            .expect("a body is on offer");
                    }
                    Decision::Refuse(status) => answer = Some((status, Vec::new())),
                    Decision::Answer(body) => {
                        seen.push(format!("{:?} {:?}", head.method, head.target));
                        answer = Some((Status::OK, body));
                    }
                    Decision::Upgrade => match handshake::check(&head) {
                        Ok(opening) => {
                            let accepted =
                                handshake::accept(&opening, None).expect("no protocol is chosen");
                            let fields = accepted.fields();
                            let streaming = head.target.path() == "/stream";
                            let switched = link.upgrade_websocket(
                                stream,
                                fields.as_fields(),
                                streaming,
                                Some(&date),
                                now,
                                out,
                            );
                            seen.push(format!("upgrade {:?}", switched.is_ok()));
                            if switched.is_err() {
                                answer = Some((Status::BAD_REQUEST, Vec::new()));
                            }
                        }
                        Err(refusal) => answer = Some((refusal.status(), Vec::new())),
                    },
                    Decision::Raw => {
                        let list = [barewire::http::Field::new("Upgrade", "raw")];
                        if link.upgrade_raw(Fields::new(&list), out).is_err() {
                            answer = Some((Status::UPGRADE_REQUIRED, Vec::new()));
                        }
                    }
                }
            }
            Step::Event(Event::TooLarge) => answer = Some((Status::CONTENT_TOO_LARGE, Vec::new())),
            Step::Event(Event::Body(piece)) => {
                self.bodies
                    .entry(stream)
                    .or_default()
                    .extend_from_slice(piece);
            }
            Step::Event(Event::End { .. }) => {
                answer = Some((Status::OK, self.bodies.remove(&stream).unwrap_or_default()));
            }
            Step::Event(Event::Message { kind, payload }) => {
                let _ = link.send_message(stream, kind, payload, [0; 4], now, out); // closing
            }
            Step::Event(Event::Chunk {
                kind,
                payload,
                last,
            }) => {
                let body = self.bodies.entry(stream).or_default();
                body.extend_from_slice(payload);
                if last {
                    let whole = mem::take(body);
                    assert!(kind == Kind::Binary || core::str::from_utf8(&whole).is_ok());
                    let _ = link.send_message(stream, kind, &whole, [0; 4], now, out); // closing
                }
            }
            Step::Event(Event::Data(bytes)) => {
                let _ = link.write(stream, bytes, out);
            }
            Step::Event(event) => seen.push(format!("{event:?}")),
            // A collected body uses bytes without an event.
            Step::Need(least) => more = used > 0 || least == 0,
            Step::Paused | Step::Full => more = false,
            Step::Done => {
                self.seen.done = true;
                more = false;
            }
        }
        self.unread.drain(..used);
        self.link.set_room(1 << 16);
        self.link.pump(0, now, &mut self.seen.out);
        if let Some(buffered_request) = shown.take().and_then(|it| self.link.reclaim(it)) {
            self.request_pool.put_back(buffered_request);
        }
        if let Some((status, body)) = answer
            && self.link.owes_response(stream)
        {
            let head = ResponseHead::new(status, Fields::EMPTY);
            let out = &mut self.seen.out;
            let sent = self
                .link
                .respond(stream, &head, Body::Whole(&body), Some(&date), now, out)
                .or_else(|_| {
                    let head = ResponseHead::new(Status::NOT_IMPLEMENTED, Fields::EMPTY);
                    self.link
                        .respond(stream, &head, Body::Whole(b""), Some(&date), now, out)
                });
            match sent {
                // The peer has said that it bears no head of this size.
                Err(UsageError::Http2(barewire::http2::UsageError::ListTooLarge)) => self
                    .link
                    .reset(stream, 2, EndReason::Aborted, now, out)
                    .expect("the stream is open"),
                other => other.expect("a response is owed"),
            }
        }
        more
    }
}

/// The preface and every frame for itself, the last ones as far as they go.
fn by_frame(bytes: &[u8]) -> Vec<&[u8]> {
    let (preface, mut rest) = bytes.split_at(PREFACE.len());
    let mut all = vec![preface];
    while !rest.is_empty() {
        let length = match rest {
            [a, b, c, ..] => 9 + u32::from_be_bytes([0, *a, *b, *c]) as usize,
            _ => rest.len(),
        };
        let (frame, after) = rest.split_at(length.min(rest.len()));
        all.push(frame);
        rest = after;
    }
    all
}

/// Whether the rest of a refused request is forgone: a reset with NO_ERROR (RFC
/// 9113 §8.1).
fn is_forgone(one: &Sent) -> bool {
    one.kind == RST_STREAM && one.number() == 0
}

/// What is said on an HTTP/2 connection, stream by stream: with the pieces of
/// content joined and the window updates summed. How streams take turns is no
/// part of it.
fn by_stream(out: &[u8]) -> Vec<Sent> {
    let mut all: Vec<Sent> = Vec::new();
    for one in frames(out) {
        let sum = one.kind == WINDOW_UPDATE;
        let before = all.iter_mut().rev().find(|it| match sum {
            true => it.kind == WINDOW_UPDATE && it.stream == one.stream,
            false => it.kind != WINDOW_UPDATE && it.stream == one.stream,
        });
        match before {
            Some(before) if sum => {
                let both = before.number() + one.number();
                before.payload = both.to_be_bytes().to_vec();
            }
            Some(before) if one.kind == DATA && before.kind == DATA => {
                before.flags |= one.flags;
                before.payload.extend(one.payload);
            }
            _ => all.push(one),
        }
    }
    all.sort_by_key(|it| (it.stream, it.kind == WINDOW_UPDATE));
    all
}

/// Asserts that two connections of HTTP/2 said and saw the same, the second of
/// them in fewer pieces.
fn assert_same(mut cut: Transcript, mut whole: Transcript, bytes: &[u8]) {
    let (one, other) = (mem::take(&mut cut.out), mem::take(&mut whole.out));
    let (mut one, other) = (by_stream(&one), by_stream(&other));
    // Only what is not here yet has to be forgone.
    one.retain(|it| !is_forgone(it) || other.contains(it));
    assert_eq!(one, other, "{bytes:x?}");
    assert_eq!(cut, whole, "{}", bytes.escape_ascii());
}

const HEADS: [&[(&str, &str)]; 8] = [
    &[
        (":method", "GET"),
        (":scheme", "http"),
        (":authority", "a"),
        (":path", "/"),
    ],
    &[
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "a"),
        (":path", "/collect"),
    ],
    &[
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "a"),
        (":path", "/stream"),
    ],
    &[
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "a"),
        (":path", "/refuse"),
        ("content-length", "5"),
    ],
    &[
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "http"),
        (":authority", "a"),
        (":path", "/"),
        ("sec-websocket-version", "13"),
    ],
    &[
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "http"),
        (":authority", "a"),
        (":path", "/stream"),
        ("sec-websocket-version", "13"),
    ],
    &[("trailer", "1")],
    &[
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "a"),
        (":path", "/collect"),
        ("content-length", "100"),
        ("upgrade", "x"),
    ],
];

fn transcript(flags: u8, all: &[&[u8]]) -> Transcript {
    let mut side = Side::new(flags);
    let (unread, memory) = match all.concat().starts_with(PREFACE) {
        true => (http2::MOST, 64 << 10),
        false => (2048, 4096),
    };
    for piece in all {
        side.feed(piece, false);
        let alive = side.seen.error.is_none() && !side.seen.done && side.seen.closing.is_none();
        if flags & 1 != 0 && alive {
            assert!(
                side.unread.len() <= unread,
                "{} bytes kept",
                side.unread.len()
            );
            assert!(side.held() <= memory, "{} bytes held", side.held());
        }
    }
    if flags & 2 != 0 {
        side.feed(b"", true);
    }
    side.seen
}

/// Any cut gives the same transcript, whatever the connection becomes.
pub fn link(data: &[u8]) {
    let mut input = Input::new(data);
    let (flags, manner) = (input.byte(), input.byte());
    let mut bytes = Vec::new();
    if flags & 4 == 0 {
        bytes.extend(input.rest());
    } else {
        bytes.extend(opening());
        bytes.extend(http2::frames(&mut input, &HEADS));
    }
    if bytes.starts_with(PREFACE) {
        let frames = by_frame(&bytes);
        let cut: Vec<&[u8]> = frames.iter().flat_map(|it| pieces(it, manner)).collect();
        assert_same(transcript(flags, &cut), transcript(flags, &frames), &bytes);
        // Below 64 KiB answers wait for windows, and what a frame means (a reset,
        // more content, a window too far) depends on what was sent before it.
        let narrow = bytes.windows(4).any(|entry| entry == [0, 4, 0, 0]);
        if !narrow {
            assert_same(
                transcript(flags, &frames),
                transcript(flags, &[&bytes]),
                &bytes,
            );
        }
        return;
    }
    let mut cut = transcript(flags, &pieces(&bytes, manner));
    let whole = transcript(flags, &[&bytes]);
    if (cut.closing, whole.closing) == (Some(Closing::Linger), Some(Closing::Now)) {
        // Who answers early and closes has to linger for content that is still
        // to come, and for none that has come with the head.
        cut.closing = whole.closing;
    }
    assert_eq!(cut, whole, "{}", bytes.escape_ascii());
}
