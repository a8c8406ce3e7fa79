//! Whatever the pieces in which a server's bytes arrive, and whenever messages
//! are taken: a client tells the same of its calls.
#![cfg(all(feature = "net", feature = "http2"))]

use barewire::client::{CallOptions, Calls, ChannelLimits, Connection, LinkId, NextMessage};
use barewire::grpc::{
    ClientCall, ContentType, Event, Limits as CallLimits, Mode, ProtocolError, percent_decode,
};
use barewire::http::{Field, Fields, ResponseHead, Status};
use barewire::link::{self, EndReason};
use barewire::net::Key;
use barewire::wire::{Instant, Step};
use proptest::prelude::*;

/// Messages may have as many bytes.
const MESSAGE: usize = 200;

/// What a server does for one call.
#[derive(Debug, Clone)]
enum Act {
    Head,
    /// A message of so many bytes.
    Message(usize),
    /// The front of one.
    Torn(usize),
    /// Bytes as they are.
    Bytes(Vec<u8>),
    /// Trailers with this status, or without any.
    Status(Option<u8>),
    /// Head and status in one.
    StatusAlone(u8),
    /// The end without trailers.
    End,
    /// HTTP without gRPC.
    Plain(bool),
    Reset(u32),
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    let stream = stream.to_be_bytes();
    [&length[1..], &[kind, flags], &stream, payload].concat()
}

/// A literal field that is not indexed, with a new name (RFC 7541 §6.2.2).
fn field(name: &str, value: &str) -> Vec<u8> {
    let (long, wide) = (name.len() as u8, value.len() as u8);
    [&[0, long], name.as_bytes(), &[wide], value.as_bytes()].concat()
}

fn message(length: usize) -> Vec<u8> {
    let prefix = (length as u32).to_be_bytes();
    [&[0], &prefix[..], &vec![7; length]].concat()
}

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

impl Act {
    fn frame(&self, stream: u32) -> Vec<u8> {
        let data = |bytes: &[u8]| frame(0, 0, stream, bytes);
        let head =
            |flags, block: &[Vec<u8>]| frame(1, END_HEADERS | flags, stream, &block.concat());
        let ok = || vec![vec![0x88], field("content-type", "application/grpc")];
        match self {
            Self::Head => head(0, &ok()),
            Self::Message(length) => data(&message(*length)),
            Self::Torn(length) => data(&message(*length)[..length / 2 + 1]),
            Self::Bytes(bytes) => data(bytes),
            Self::Status(Some(status)) => {
                head(END_STREAM, &[field("grpc-status", &status.to_string())])
            }
            Self::Status(None) => head(END_STREAM, &[field("x-last", "1")]),
            Self::StatusAlone(status) => {
                let mut block = ok();
                block.push(field("grpc-status", &status.to_string()));
                head(END_STREAM, &block)
            }
            Self::End => frame(0, END_STREAM, stream, b""),
            Self::Plain(end) => head(u8::from(*end), &[vec![0x8d], field("server", "x")]),
            Self::Reset(code) => frame(3, 0, stream, &code.to_be_bytes()),
        }
    }
}

fn bodies() -> impl Strategy<Value = Vec<Act>> {
    let part = prop_oneof![
        6 => (0..MESSAGE + 1).prop_map(Act::Message),
        2 => (0..MESSAGE + 1).prop_map(Act::Torn),
        1 => Just(Act::Message(MESSAGE + 1)),
        2 => prop::collection::vec(0..3u8, 0..12).prop_map(Act::Bytes),
    ];
    prop::collection::vec(part, 0..6)
}

fn status() -> impl Strategy<Value = u8> {
    prop_oneof![Just(0), 1..18u8]
}

/// All that a server sends on one stream.
fn response() -> impl Strategy<Value = Vec<Act>> {
    let end = prop_oneof![
        8 => status().prop_map(|status| Act::Status(Some(status))),
        1 => Just(Act::Status(None)),
        1 => Just(Act::End),
        2 => (0..13u32).prop_map(Act::Reset),
    ];
    prop_oneof![
        8 => (bodies(), end).prop_map(|(body, end)| {
            [vec![Act::Head], body, vec![end]].concat()
        }),
        1 => status().prop_map(|status| vec![Act::StatusAlone(status)]),
        1 => any::<bool>().prop_map(|end| vec![Act::Plain(end)]),
        1 => (0..13u32).prop_map(|code| vec![Act::Reset(code)]),
    ]
}

/// The frames of all streams, which take turns as `turns` has it.
fn interleave(responses: &[Vec<Act>], first: u32, turns: &[usize]) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    let mut left: Vec<_> = responses.iter().map(|all| all.iter()).collect();
    let mut turns = turns.iter().cycle();
    let mut open: Vec<usize> = (0..left.len()).collect();
    while !open.is_empty() {
        let at = turns.next().expect("it never ends") % open.len();
        match left[open[at]].next() {
            Some(act) => frames.push(act.frame(first + 2 * open[at] as u32)),
            None => _ = open.remove(at),
        }
    }
    frames
}

/// Something that concerns the connection.
fn aside() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => (0..8u32, 0..12u32).prop_map(|(last, code)| {
            frame(7, 0, 0, &[last.to_be_bytes(), code.to_be_bytes()].concat())
        }),
        1 => Just(frame(6, 0, 0, b"12345678")),
        1 => Just(frame(4, 0, 0, &[0, 4, 0, 0, 0, 1])), // the next window is 1
        1 => Just(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        1 => Just(frame(0, 0, 0, b"nobody's")),
    ]
}

/// What an application is told of a call.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    head: Option<Vec<u8>>,
    messages: Vec<Vec<u8>>,
    ending: Option<String>,
}

struct Client {
    calls: Calls<()>,
    link: LinkId,
    connection: Connection,
    keys: Vec<Key>,
    told: Vec<Told>,
}

impl Client {
    /// With as many calls, all of them sent.
    fn new(count: usize) -> Self {
        let limits = ChannelLimits::DEFAULT.with_message(MESSAGE);
        let mut calls = Calls::new("a", limits, 1);
        let start = |calls: &mut Calls<()>| {
            let call = calls.start("/a.A/B", &CallOptions::new(), (), Instant::START);
            let call = call.expect("there is room");
            calls.send(call, b"hi").expect("it is the first");
            calls.close_sending(call);
            call
        };
        let keys = (0..count).map(|_| start(&mut calls)).collect();
        let link = calls.dial(Instant::START).expect("there are calls");
        let mut connection = Connection::http2(calls.link_limits(), Instant::START);
        let wire = connection.wire();
        calls.event(link, 0, link::Event::Opened, wire, Instant::START);
        let told = (0..count).map(|_| Told::default()).collect();
        let mut client = Self {
            calls,
            link,
            connection,
            keys,
            told,
        };
        client.receive(&frame(4, 0, 0, b""));
        client
    }

    fn receive(&mut self, bytes: &[u8]) {
        let Self {
            calls,
            link,
            connection,
            ..
        } = self;
        let (link, now) = (*link, Instant::START);
        connection.receive(&mut bytes.to_vec(), now, |wire, stream, event| {
            calls.event(link, stream, event, wire, now);
        });
        calls.flush(link, connection.wire(), now);
        while connection.flush(now, |wire, stream, event| {
            calls.event(link, stream, event, wire, now);
        }) {
            connection.output().clear();
        }
    }

    fn close(&mut self) {
        let (calls, link) = (&mut self.calls, self.link);
        self.connection
            .closed(EndReason::Reset, |wire, stream, event| {
                calls.event(link, stream, event, wire, Instant::START);
            });
    }

    /// Takes up to `most` messages of a call.
    fn take(&mut self, at: usize, most: usize) {
        for _ in 0..most {
            match self.calls.next(self.keys[at]) {
                NextMessage::Message(message) => {
                    self.told[at].messages.push(message.bytes.to_vec())
                }
                NextMessage::Wait | NextMessage::Over => return,
            }
        }
    }

    fn end(mut self) -> Vec<Told> {
        for at in 0..self.keys.len() {
            self.take(at, usize::MAX);
            let call = self.keys[at];
            let lines = |fields: Fields<'_>| {
                let line = |it: Field<'_>| [it.name, b": ", it.value, b"\n"].concat();
                fields.iter().flat_map(line).collect()
            };
            self.told[at].head = self.calls.head(call).map(lines);
            self.told[at].ending = self.calls.ending(call).map(ToString::to_string);
        }
        self.told
    }
}

/// What is told of calls that are answered by `first`, and those among them
/// that are sent again by `second`. The connection is lost at the end.
fn talk(parts: [&[u8]; 2], count: usize, whims: &[(usize, usize)]) -> Vec<Told> {
    let mut client = Client::new(count);
    let mut whims = whims.iter().cycle();
    for mut bytes in parts {
        while !bytes.is_empty() {
            let &(cut, take) = whims.next().expect("it never ends");
            let (piece, rest) = bytes.split_at(cut.min(bytes.len()));
            client.receive(piece);
            client.take(take % count, take / count % 4);
            bytes = rest;
        }
    }
    client.close();
    client.end()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn calls_end_the_same_however_their_bytes_arrive(
        responses in prop::collection::vec(response(), 1..4),
        again in prop::collection::vec(response(), 3),
        turns in prop::collection::vec(0..60usize, 1..20),
        whims in prop::collection::vec((1..40usize, 0..60usize), 1..20),
    ) {
        let count = responses.len();
        let refused = |acts: &&Vec<Act>| matches!(acts[..], [Act::Reset(7)]);
        let refused = responses.iter().filter(refused).count();
        let first = interleave(&responses, 1, &turns).concat();
        let second = interleave(&again[..refused], 1 + 2 * count as u32, &turns).concat();
        let parts = [&first[..], &second];
        let whole = talk(parts, count, &[(usize::MAX, 0)]);
        prop_assert_eq!(&talk(parts, count, &[(1, 0)]), &whole);
        prop_assert_eq!(&talk(parts, count, &[(1, 59)]), &whole);
        prop_assert_eq!(&talk(parts, count, &whims), &whole);
        prop_assert!(whole.iter().all(|told| told.ending.is_some()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn calls_of_a_connection_that_ends_are_told_the_same(
        responses in prop::collection::vec(response(), 1..4),
        asides in prop::collection::vec((aside(), 0..40usize), 1..3),
        turns in prop::collection::vec(0..60usize, 1..20),
        whims in prop::collection::vec((1..40usize, 0..60usize), 1..20),
    ) {
        // Whether a call is on its way once more when GOAWAY comes is no matter of
        // how its bytes are read.
        let mut responses = responses;
        responses.retain(|acts| !matches!(acts[..], [Act::Reset(7)]));
        prop_assume!(!responses.is_empty());
        let count = responses.len();
        let mut frames = interleave(&responses, 1, &turns);
        for (bytes, at) in asides {
            frames.insert(at % (frames.len() + 1), bytes);
        }
        let bytes = frames.concat();
        let whole = talk([&bytes, b""], count, &[(usize::MAX, 0)]);
        prop_assert_eq!(&talk([&bytes, b""], count, &[(1, 0)]), &whole);
        prop_assert_eq!(&talk([&bytes, b""], count, &[(1, 59)]), &whole);
        prop_assert_eq!(&talk([&bytes, b""], count, &whims), &whole);
    }
}

/// What a machine alone tells of a body that comes in pieces, and its end.
fn filter(mode: Mode, body: &[u8], status: Option<u8>, cut: usize) -> (Vec<Vec<u8>>, String) {
    let mut call = ClientCall::new(ContentType::new(mode));
    let kind = match mode {
        Mode::Native => "application/grpc",
        Mode::Web => "application/grpc-web",
        Mode::WebText => "application/grpc-web-text",
    };
    let fields = [Field::new("content-type", kind)];
    let head = ResponseHead::new(Status::OK, Fields::new(&fields));
    assert!(call.receive_head(&head).expect("it is gRPC's").is_none());
    let limits = CallLimits::DEFAULT.with_message(MESSAGE);
    let (mut messages, mut buffer) = (Vec::new(), Vec::new());
    let mut told = None;
    let failed = |violation: ProtocolError| format!("{:?}", violation.code());
    for piece in body.chunks(cut) {
        buffer.extend_from_slice(piece);
        loop {
            let received = match call.receive(&mut buffer, &limits) {
                Ok(received) => received,
                Err(violation) => return (messages, failed(violation)),
            };
            let used = received.used;
            let more = match received.step {
                Step::Event(Event::Message(message)) => {
                    messages.push(message.bytes.to_vec());
                    true
                }
                Step::Event(Event::Trailers(trailers)) => {
                    told = Some(format!(
                        "{:?} {}",
                        trailers.code,
                        percent_decode(trailers.message)
                    ));
                    true
                }
                _ => false,
            };
            buffer.drain(..used);
            if !more {
                break;
            }
        }
    }
    let status = status.map(|status| status.to_string());
    let last: Vec<_> = status
        .iter()
        .map(|status| Field::new("grpc-status", status.as_str()))
        .collect();
    let ended = match mode {
        Mode::Native => call
            .receive_trailers(Fields::new(&last))
            .map(|trailers| format!("{:?}", trailers.code)),
        Mode::Web | Mode::WebText => call
            .receive_eof()
            .map(|()| told.expect("there is a status")),
    };
    (messages, ended.unwrap_or_else(failed))
}

proptest! {
    #[test]
    fn a_call_alone_tells_the_same_however_its_body_is_cut(
        acts in bodies(),
        status in prop::option::of(status()),
        mode in prop_oneof![Just(Mode::Native), Just(Mode::Web), Just(Mode::WebText)],
        cut in 1..50usize,
    ) {
        let mut body: Vec<u8> = acts.iter().flat_map(|act| act.frame(1).split_off(9)).collect();
        if mode != Mode::Native && let Some(status) = status {
            let block = format!("grpc-status: {status}\r\n");
            body.extend([0x80, 0, 0, 0, block.len() as u8]);
            body.extend(block.as_bytes());
        }
        let whole = filter(mode, &body, status, usize::MAX);
        prop_assert_eq!(filter(mode, &body, status, cut), whole.clone());
        prop_assert_eq!(filter(mode, &body, status, 1), whole);
    }
}
