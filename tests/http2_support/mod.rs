//! A machine with its buffers, frames by hand, and what it said.
#![allow(dead_code, unreachable_pub)]

pub mod pipe;

use barewire::hpack::{Encoder, Growing, Indexing};
use barewire::http::{
    CallContext, Content, Field, Fields, Method, OwnedScratch, RequestHead, ResponseHead, Target,
    Version,
};
use barewire::http2::{BodyLength, Connection, Event, Limits, PREFACE, ProtocolError};
use barewire::wire::{Instant, Role, Step};

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const PRIORITY: u8 = 2;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PUSH_PROMISE: u8 = 5;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

pub const END_STREAM: u8 = 1;
pub const ACK: u8 = 1;
pub const END_HEADERS: u8 = 4;
pub const PADDED: u8 = 8;
pub const WITH_PRIORITY: u8 = 0x20;

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

pub fn number(kind: u8, stream: u32, value: u32) -> Vec<u8> {
    frame(kind, 0, stream, &value.to_be_bytes())
}

/// A frame that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

impl Sent {
    pub fn number(&self) -> u32 {
        u32::from_be_bytes(self.payload[..4].try_into().unwrap())
    }
}

/// The frames in an output, without a client's preface.
pub fn frames(out: &[u8]) -> Vec<Sent> {
    let mut rest = out.strip_prefix(PREFACE).unwrap_or(out);
    let mut frames = Vec::new();
    while !rest.is_empty() {
        let len = u32::from_be_bytes([0, rest[0], rest[1], rest[2]]) as usize;
        frames.push(Sent {
            kind: rest[3],
            flags: rest[4],
            stream: u32::from_be_bytes(rest[5..9].try_into().unwrap()),
            payload: rest[9..9 + len].to_vec(),
        });
        rest = &rest[9 + len..];
    }
    frames
}

/// A header block without the dynamic table and without Huffman code.
pub fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut encoder = Encoder::new(Growing::default(), 4096);
    let mut block = Vec::new();
    for (name, value) in fields {
        encoder.encode(Field::new(name, value), Indexing::Without, &mut block);
    }
    block
}

pub const GET: [(&str, &str); 4] = [
    (":method", "GET"),
    (":scheme", "http"),
    (":authority", "a"),
    (":path", "/"),
];

pub const POST: [(&str, &str); 4] = [
    (":method", "POST"),
    (":scheme", "http"),
    (":authority", "a"),
    (":path", "/"),
];

pub fn get(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, stream, &block(&GET))
}

pub fn post(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, &block(&POST))
}

pub fn with(stream: u32, flags: u8, more: &[(&str, &str)]) -> Vec<u8> {
    let list: Vec<_> = POST.iter().chain(more).copied().collect();
    frame(HEADERS, END_HEADERS | flags, stream, &block(&list))
}

/// What a client says first.
pub fn opening() -> Vec<u8> {
    let mut bytes = PREFACE.to_vec();
    bytes.extend(frame(SETTINGS, 0, 0, &[]));
    bytes.extend(frame(SETTINGS, ACK, 0, &[]));
    bytes
}

pub type List = Vec<(String, String)>;

/// An event that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    Request {
        stream: u32,
        head: String,
        fields: List,
        end: bool,
    },
    Response {
        stream: u32,
        status: u16,
        fields: List,
        end: bool,
    },
    Data(u32, Vec<u8>),
    End(u32, List),
    Reset(u32, u32, bool),
    GoAway(u32, u32, Vec<u8>),
    Settings,
    Ping([u8; 8]),
    Pong([u8; 8]),
    Failed(ProtocolError),
    Done,
}

fn list(fields: Fields<'_>) -> List {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    fields
        .iter()
        .map(|field| (text(field.name), text(field.value)))
        .collect()
}

fn request(head: &RequestHead<'_>) -> String {
    let authority = head.target.authority().unwrap_or("-");
    let protocol = head.protocol.unwrap_or("-");
    let (path, query) = (head.target.path(), head.target.query());
    let query = query.map_or(String::new(), |query| format!("?{query}"));
    format!(
        "{} {authority} {path}{query} {protocol}",
        head.method.as_str()
    )
}

fn response(stream: u32, head: &ResponseHead<'_>, end: bool) -> Seen {
    Seen::Response {
        stream,
        status: head.status.code(),
        fields: list(head.fields),
        end,
    }
}

/// An event; content that came with its head as it would have come behind it.
pub fn seen(event: Event<'_>) -> Vec<Seen> {
    vec![match event {
        Event::Request {
            stream,
            head,
            content,
        } => {
            let request = Seen::Request {
                stream,
                head: request(&head),
                fields: list(head.fields),
                end: content == Content::None,
            };
            let Content::Whole(data) = content else {
                return vec![request];
            };
            let data = Some(Seen::Data(stream, data.to_vec())).filter(|_| !data.is_empty());
            let end = Seen::End(stream, Vec::new());
            return [request].into_iter().chain(data).chain([end]).collect();
        }
        Event::Response {
            stream,
            head,
            content,
        } => response(stream, &head, content == Content::None),
        Event::Informational { stream, head } => response(stream, &head, false),
        Event::Data { stream, data } => Seen::Data(stream, data.to_vec()),
        Event::End {
            stream, trailers, ..
        } => Seen::End(stream, list(trailers)),
        Event::Reset { stream, code } => Seen::Reset(stream, code.code(), true),
        Event::StreamError { stream, error } => Seen::Reset(stream, error.code().code(), false),
        Event::GoAway {
            last_stream,
            code,
            debug,
        } => Seen::GoAway(last_stream, code.code(), debug.to_vec()),
        Event::Settings => Seen::Settings,
        Event::Ping(opaque) => Seen::Ping(opaque),
        Event::Pong(opaque) => Seen::Pong(opaque),
        event => panic!("an event that the tests do not know: {event:?}"),
    }]
}

/// One side of a connection.
pub struct Side {
    pub machine: Connection,
    pub limits: Limits,
    pub now: Instant,
    pub out: Vec<u8>,
    pub input: Vec<u8>,
    /// Consume content as it comes.
    pub consumes: bool,
    /// What was fed, as long as that is wanted.
    pub said: Option<Vec<u8>>,
    scratch: OwnedScratch,
}

impl Side {
    pub fn new(role: Role, limits: Limits) -> Self {
        let now = Instant::START;
        let (mut machine, mut out) = (Connection::new(role, now), Vec::new());
        machine.open(&limits, now, &mut out).unwrap();
        Self {
            machine,
            limits,
            now,
            out,
            input: Vec::new(),
            consumes: true,
            said: Some(Vec::new()),
            scratch: OwnedScratch::new(128),
        }
    }

    /// A server that has seen a client's opening, and forgets its own.
    pub fn server() -> Self {
        Self::server_with(Limits::DEFAULT)
    }

    pub fn server_with(limits: Limits) -> Self {
        let mut side = Self::new(Role::Server, limits);
        assert_eq!(side.feed(&opening()), [Seen::Settings]);
        side.out.clear();
        side
    }

    /// A client whose server has opened.
    pub fn client() -> Self {
        let mut side = Self::new(Role::Client, Limits::DEFAULT);
        let mut bytes = frame(SETTINGS, 0, 0, &[]);
        bytes.extend(frame(SETTINGS, ACK, 0, &[]));
        assert_eq!(side.feed(&bytes), [Seen::Settings]);
        side.out.clear();
        side
    }

    /// Takes bytes in and says what they made.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Seen> {
        self.feed_with(bytes, |_, _, _| {})
    }

    /// The same, with something to be done at each event.
    pub fn feed_with(
        &mut self,
        bytes: &[u8],
        mut at: impl FnMut(&mut Connection, &Seen, &mut Vec<u8>),
    ) -> Vec<Seen> {
        self.input.extend(bytes);
        if let Some(said) = &mut self.said {
            said.extend(bytes);
        }
        let mut all = Vec::new();
        loop {
            let lent = CallContext {
                now: self.now,
                date: None,
                mask_key: [0; 4],
                limits: &self.limits,
                scratch: self.scratch.lend(),
            };
            match self.machine.receive(&mut self.input, lent, &mut self.out) {
                Err(violation) => {
                    all.push(Seen::Failed(violation));
                    break;
                }
                Ok(received) => {
                    let used = received.used;
                    let mut stop = false;
                    match received.step {
                        Step::Event(event) => {
                            for event in seen(event) {
                                if let (Seen::Data(stream, data), true) = (&event, self.consumes) {
                                    self.machine.consume(*stream, data.len(), &mut self.out);
                                }
                                at(&mut self.machine, &event, &mut self.out);
                                all.push(event);
                            }
                        }
                        Step::Need(more) => {
                            assert!(more > 0);
                            stop = true;
                        }
                        Step::Done => {
                            all.push(Seen::Done);
                            stop = true;
                        }
                        Step::Paused | Step::Full => panic!("there is room"),
                    }
                    self.input.drain(..used);
                    if stop {
                        break;
                    }
                }
            }
        }
        all
    }

    pub fn elapsed(&mut self) -> Result<Option<Seen>, ProtocolError> {
        let lent = CallContext {
            now: self.now,
            date: None,
            mask_key: [0; 4],
            limits: &self.limits,
            scratch: self.scratch.lend(),
        };
        let event = self.machine.elapsed(lent, &mut self.out)?;
        Ok(event.map(seen).and_then(|mut seen| seen.pop()))
    }

    /// The frames sent since the last call.
    pub fn sent(&mut self) -> Vec<Sent> {
        let sent = frames(&self.out);
        self.out.clear();
        sent
    }

    /// The frames sent since the last call, which are still to be taken.
    pub fn sent_kept(&self) -> Vec<Sent> {
        frames(&self.out)
    }

    /// The code and the debug text of the GOAWAY that must be the last frame.
    pub fn goaway(&mut self) -> (u32, String) {
        let last = self.sent().pop().expect("something was sent");
        assert_eq!(last.kind, GOAWAY, "{last:?}");
        let code = u32::from_be_bytes(last.payload[4..8].try_into().unwrap());
        let debug = String::from_utf8(last.payload[8..].to_vec()).unwrap();
        (code, debug)
    }

    /// Sends the head of a request of ours.
    pub fn ask(
        &mut self,
        method: &str,
        path: &str,
        protocol: Option<&str>,
        fields: &[(&str, &str)],
        length: Option<BodyLength>,
    ) -> u32 {
        let mut list = vec![Field::new("Host", "a")];
        list.extend(fields.iter().map(|(name, value)| Field::new(name, value)));
        let head = RequestHead {
            method: Method::new(method.as_bytes()).unwrap(),
            target: Target::parse(path.as_bytes(), Method::GET).unwrap(),
            version: Version::Http2,
            protocol,
            fields: Fields::new(&list),
        };
        self.machine
            .send_request(&head, length, &mut self.out)
            .unwrap()
    }

    /// Sends a piece of its content; how much of it was taken.
    pub fn write(&mut self, id: u32, data: &[u8], end: bool) -> usize {
        let (now, out) = (self.now, &mut self.out);
        self.machine.send_data(id, data, end, now, out).unwrap()
    }
}

pub fn status(seen: &[Seen], id: u32) -> u16 {
    let status = seen.iter().find_map(|event| match event {
        Seen::Response { stream, status, .. } if *stream == id => Some(*status),
        _ => None,
    });
    status.unwrap_or_else(|| panic!("no response on {id}: {seen:?}"))
}

pub fn fields(seen: &[Seen], id: u32) -> &List {
    let fields = seen.iter().find_map(|event| match event {
        Seen::Response { stream, fields, .. } if *stream == id => Some(fields),
        _ => None,
    });
    fields.unwrap_or_else(|| panic!("no response on {id}: {seen:?}"))
}

pub fn content(seen: &[Seen], id: u32) -> Vec<u8> {
    let pieces = seen.iter().filter_map(|event| match event {
        Seen::Data(stream, data) if *stream == id => Some(&data[..]),
        _ => None,
    });
    pieces.collect::<Vec<_>>().concat()
}

pub fn ended(seen: &[Seen], id: u32) -> bool {
    let is_end = |event: &Seen| match event {
        Seen::End(stream, _) => *stream == id,
        Seen::Response { stream, end, .. } => *stream == id && *end,
        _ => false,
    };
    seen.iter().any(is_end)
}

/// The code that a stream was reset with.
pub fn reset_of(seen: &[Seen], id: u32) -> Option<u32> {
    seen.iter().find_map(|event| match event {
        Seen::Reset(stream, code, true) if *stream == id => Some(*code),
        _ => None,
    })
}
