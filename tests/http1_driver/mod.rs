//! Drives a connection over pieces of input and writes down what happened.
#![allow(dead_code, reason = "each test file uses a part")]

use barewire::http::{
    CallContext, Content, Field, Fields, Method, OwnedScratch, RequestHead, ResponseHead, Status,
    Target, Version, date::Date,
};
use barewire::http1::{Closing, Connection, Event, Limits, ProtocolError};
use barewire::wire::{Instant, Role, Step};

/// What happened, however the input was cut: adjacent chunks are joined, and a
/// body that came whole reads like one that came in pieces.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Transcript {
    pub(crate) events: Vec<String>,
    pub(crate) bodies: Vec<Vec<u8>>,
    pub(crate) out: Vec<u8>,
    pub(crate) error: Option<ProtocolError>,
    pub(crate) closing: Option<Closing>,
    pub(crate) done: bool,
    /// What was left untouched behind the last event.
    pub(crate) rest: Vec<u8>,
    /// Which of the requests were HEAD.
    pub(crate) heads: Vec<bool>,
}

/// How the server's application behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handler {
    /// Reads each body and sends it back; 501 to methods it does not know.
    Echo,
    /// Answers each request at its head.
    Early,
}

pub(crate) struct Driver {
    pub(crate) connection: Connection,
    pub(crate) handler: Handler,
    pub(crate) limits: Limits,
    pub(crate) now: Instant,
    pub(crate) transcript: Transcript,
    pub(crate) unread: Vec<u8>,
    scratch: OwnedScratch,
    body: Vec<u8>,
    unknown_method: bool,
}

pub(crate) fn date() -> Date {
    Date::from_unix(784_111_777)
}

impl Driver {
    pub(crate) fn new(role: Role, handler: Handler) -> Self {
        Self::with_limits(role, handler, Limits::DEFAULT)
    }

    pub(crate) fn with_limits(role: Role, handler: Handler, limits: Limits) -> Self {
        Self {
            connection: Connection::new(role, Instant::START),
            handler,
            limits,
            now: Instant::START,
            transcript: Transcript::default(),
            unread: Vec::new(),
            scratch: OwnedScratch::new(100),
            body: Vec::new(),
            unknown_method: false,
        }
    }

    /// Feeds one piece.
    pub(crate) fn feed(&mut self, piece: &[u8]) {
        self.unread.extend_from_slice(piece);
        self.turn(false);
    }

    /// Says that the input has ended.
    pub(crate) fn eof(&mut self) {
        self.turn(true);
    }

    fn turn(&mut self, eof: bool) {
        let Self {
            connection,
            handler,
            limits,
            now,
            transcript,
            unread,
            scratch,
            body,
            unknown_method,
        } = self;
        let date = date();
        while transcript.error.is_none() && !transcript.done {
            let before = transcript.out.len();
            let lent = CallContext {
                now: *now,
                date: Some(&date),
                mask_key: [0; 4],
                limits,
                scratch: scratch.lend(),
            };
            let out = &mut transcript.out;
            let received = if eof {
                connection.receive_eof(unread, lent, out)
            } else {
                connection.receive(unread, lent, out)
            };
            let received = match received {
                Ok(received) => received,
                Err(violation) => {
                    transcript.error = Some(violation);
                    break;
                }
            };
            let used = received.used;
            let mut answer = None; // the body of a response that is due
            let stop = match received.step {
                Step::Event(Event::Request { head, content }) => {
                    *unknown_method = matches!(head.method, Method::Extension(_) | Method::CONNECT);
                    transcript.heads.push(head.method == Method::HEAD);
                    transcript.events.push(describe_request(&head));
                    match content {
                        Content::None => answer = Some(Vec::new()),
                        Content::Whole(whole) => {
                            assert!(!whole.is_empty());
                            answer = Some(whole.to_vec());
                        }
                        Content::Follows { length } => {
                            assert_ne!(length, Some(0));
                            match *handler {
                                Handler::Echo => {
                                    connection.accept_body(*now, &mut transcript.out).unwrap()
                                }
                                Handler::Early => answer = Some(Vec::new()),
                            }
                        }
                    }
                    if *handler == Handler::Early {
                        answer = Some(b"early".to_vec());
                    }
                    if answer.is_some() && *handler == Handler::Echo {
                        transcript.events.push("end []".into());
                    }
                    false
                }
                Step::Event(Event::Response { head, content }) => {
                    transcript.events.push(describe_response("response", &head));
                    match content {
                        Content::None => {
                            transcript.bodies.push(Vec::new());
                            transcript.events.push("end []".into());
                        }
                        Content::Whole(whole) => {
                            assert!(!whole.is_empty());
                            transcript.bodies.push(whole.to_vec());
                            transcript.events.push("end []".into());
                        }
                        Content::Follows { .. } => {}
                    }
                    false
                }
                Step::Event(Event::Informational(head)) => {
                    transcript.events.push(describe_response("interim", &head));
                    false
                }
                Step::Event(Event::Body(piece)) => {
                    assert!(!piece.is_empty());
                    body.extend_from_slice(piece);
                    false
                }
                Step::Event(Event::End { trailers, .. }) => {
                    transcript
                        .events
                        .push(format!("end {}", describe(trailers)));
                    answer = Some(core::mem::take(body));
                    false
                }
                Step::Need(more) => {
                    assert!(more > 0);
                    assert_eq!(transcript.out.len(), before);
                    true
                }
                Step::Paused | Step::Full => true,
                Step::Done => {
                    transcript.done = true;
                    true
                }
            };
            unread.drain(..used);
            if let Some(content) = answer {
                transcript.bodies.push(content.clone());
                if connection.awaits_response() {
                    let status = match *unknown_method {
                        true => Status::NOT_IMPLEMENTED,
                        false => Status::OK,
                    };
                    let head = ResponseHead::new(status, Fields::EMPTY);
                    connection
                        .send_whole(&head, &content, Some(&date), *now, &mut transcript.out)
                        .unwrap();
                }
            }
            if stop {
                break;
            }
        }
        transcript.closing = connection.closing();
    }

    pub(crate) fn finish(mut self) -> Transcript {
        if !self.body.is_empty() {
            self.transcript.bodies.push(self.body);
        }
        if self.connection.is_switched() {
            self.transcript.rest = self.unread;
        }
        self.transcript
    }
}

pub(crate) fn describe(fields: Fields<'_>) -> String {
    let list: Vec<String> = fields
        .iter()
        .map(|field| {
            let name = String::from_utf8_lossy(field.name);
            format!("{name}: {}", field.value.escape_ascii())
        })
        .collect();
    format!("[{}]", list.join(", "))
}

fn describe_request(head: &RequestHead<'_>) -> String {
    let RequestHead {
        method,
        target,
        version,
        fields,
        ..
    } = head;
    format!(
        "request {method:?} {target:?} {version:?} {}",
        describe(*fields)
    )
}

fn describe_response(kind: &str, head: &ResponseHead<'_>) -> String {
    let ResponseHead {
        status,
        version,
        fields,
    } = head;
    format!("{kind} {} {version:?} {}", status.code(), describe(*fields))
}

/// The transcript of a server over `pieces`.
pub(crate) fn serve(pieces: &[&[u8]], handler: Handler) -> Transcript {
    let mut driver = Driver::new(Role::Server, handler);
    for piece in pieces {
        driver.feed(piece);
    }
    driver.finish()
}

/// The transcript of a client that has sent one request and gets `pieces` and
/// then the end.
pub(crate) fn ask(pieces: &[&[u8]], method: Method<'_>, upgrade: bool) -> Transcript {
    let mut driver = Driver::new(Role::Client, Handler::Echo);
    let host = [Field::new("Host", "a"), Field::new("Upgrade", "x")];
    let target = match method {
        Method::CONNECT => Target::Authority("a:443"),
        _ => Target::Origin {
            path: "/",
            query: None,
        },
    };
    let head = RequestHead {
        method,
        target,
        version: Version::Http11,
        protocol: None,
        fields: Fields::new(&host[..1 + usize::from(upgrade)]),
    };
    driver
        .connection
        .send_request(&head, None, Instant::START, &mut driver.transcript.out)
        .unwrap();
    for piece in pieces {
        driver.feed(piece);
    }
    driver.eof();
    driver.finish()
}
