//! A service over HTTP/2, and a client that says what it is told to, frame by
//! frame.
#![allow(dead_code, reason = "each test file uses its part")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, Sender, channel};

use barewire::app::{App, Call, Conversation, ResponseStream, Service};
use barewire::grpc::{Code, Limits, Status};
use barewire::http::{Field, Fields, Method, RequestHead, Target, Version};
use barewire::http2::{self, BodyLength};
use barewire::link::EndReason;
use barewire::wire::Role;

#[allow(unused_imports, reason = "each test file uses its part")]
pub(crate) use crate::app_support::PATIENCE;
use crate::app_support::Running;
use crate::http2_support::{
    DATA, END_HEADERS, END_STREAM, HEADERS, List, Seen, Side, block, frame,
};

/// Echoes, and says how it ended.
pub(crate) struct Echo(Sender<EndReason>);

impl Conversation for Echo {
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    fn message(&mut self, message: Vec<u8>, stream: &mut ResponseStream<'_, '_, Vec<u8>>) {
        stream.send(&message);
    }

    fn half_closed(&mut self, stream: &mut ResponseStream<'_, '_, Vec<u8>>) {
        stream.finish(Status::OK);
    }

    fn cancelled(&mut self, why: EndReason) {
        let _ = self.0.send(why);
    }
}

/// Says how many messages have come.
#[derive(Default)]
pub(crate) struct Tally(u32);

impl Conversation for Tally {
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    fn message(&mut self, _message: Vec<u8>, _stream: &mut ResponseStream<'_, '_, Vec<u8>>) {
        self.0 += 1;
    }

    fn half_closed(&mut self, stream: &mut ResponseStream<'_, '_, Vec<u8>>) {
        stream.respond(&self.0.to_be_bytes().to_vec());
    }
}

pub(crate) struct Scene {
    pub(crate) running: Running,
    pub(crate) ends: Receiver<EndReason>,
}

pub(crate) fn scene() -> Scene {
    let (give, ends) = channel();
    let service = Service::new("test.Test")
        .limits(Limits::DEFAULT)
        .unary("Echo", |request: Vec<u8>, call: &mut Call<'_>| {
            let asked: Vec<(String, String)> = call
                .headers()
                .iter()
                .filter(|field| field.name.starts_with(b"x-"))
                .map(|field| {
                    let text = |bytes: &[u8]| String::from_utf8(bytes.into()).unwrap();
                    (text(field.name), text(field.value))
                })
                .collect();
            for (name, value) in asked {
                call.send_metadata(&name, &value).unwrap();
                call.send_trailer(&name, &value).unwrap();
            }
            Ok(request)
        })
        .unary("Fail", |_request: Vec<u8>, _call| {
            Err::<Vec<u8>, _>(Status::new(Code::NotFound, "no such ☺ 5%").into())
        })
        .unary_later("Never", |_request: Vec<u8>, _call, later| {
            core::mem::forget::<barewire::app::DeferredResponse<Vec<u8>>>(later);
        })
        .server_streaming("Count", |request: Vec<u8>, _call| {
            let count = request.first().copied().unwrap_or_default();
            Ok((0..count).map(|n| Ok(vec![n])))
        })
        .client_streaming("Tally", |_call| Ok(Tally::default()))
        .bidirectional("Talk", move |_call| Ok(Echo(give.clone())));
    Scene {
        running: Running::start(App::new().grpc(service)),
        ends,
    }
}

/// A client that says what it is told to, stream by stream.
pub(crate) struct Peer {
    pub(crate) stream: TcpStream,
    pub(crate) side: Side,
    pub(crate) seen: Vec<Seen>,
}

/// What came of a call.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: List,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: List,
    pub(crate) trailers_only: bool,
}

pub(crate) fn get<'l>(list: &'l List, name: &str) -> Option<&'l str> {
    let found = list.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| &**value)
}

impl Answer {
    pub(crate) fn code(&self) -> &str {
        get(&self.trailers, "grpc-status").unwrap_or("none")
    }
}

impl Peer {
    pub(crate) fn connect(running: &Running) -> Self {
        let mut peer = Self {
            stream: running.connect(),
            side: Side::new(Role::Client, http2::Limits::DEFAULT),
            seen: Vec::new(),
        };
        peer.until(|seen| seen.contains(&Seen::Settings));
        peer
    }

    #[track_caller]
    pub(crate) fn until(&mut self, mut is: impl FnMut(&[Seen]) -> bool) {
        let mut bytes = vec![0; 1 << 16];
        loop {
            let out = core::mem::take(&mut self.side.out);
            self.stream.write_all(&out).unwrap();
            if is(&self.seen) {
                return;
            }
            match self.stream.read(&mut bytes) {
                Ok(n @ 1..) => self.seen.extend(self.side.feed(&bytes[..n])),
                end => panic!("{end:?} after {:?}", self.seen),
            }
        }
    }

    /// Opens a call with these fields beside the usual.
    pub(crate) fn open(&mut self, path: &str, more: &[(&str, &str)]) -> u32 {
        let mut list = vec![("te", "trailers"), ("content-type", "application/grpc")];
        list.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
        list.extend(more.iter().filter(|(name, _)| *name != ":method"));
        let fields: Vec<_> = list.iter().map(|(n, v)| Field::new(n, v)).collect();
        let get = more.contains(&(":method", "GET"));
        let head = RequestHead {
            method: if get { Method::GET } else { Method::POST },
            target: Target::Absolute {
                scheme: "http",
                authority: "a",
                path,
                query: None,
            },
            version: Version::Http2,
            protocol: None,
            fields: Fields::new(&fields),
        };
        let Side { machine, out, .. } = &mut self.side;
        machine
            .send_request(&head, Some(BodyLength::Unknown), out)
            .unwrap()
    }

    /// Opens a stream with just these fields, whatever they are.
    pub(crate) fn raw(&mut self, fields: &[(&str, &str)], flags: u8) -> u32 {
        let kept = self.side.out.len();
        let id = self.open("/", &[]); // so that the machine knows of it
        self.side.out.truncate(kept);
        let head = frame(HEADERS, END_HEADERS | flags, id, &block(fields));
        self.side.out.extend(head);
        id
    }

    /// Sends a DATA frame as it is.
    pub(crate) fn data(&mut self, stream: u32, flags: u8, payload: &[u8]) {
        self.side.out.extend(frame(DATA, flags, stream, payload));
    }

    #[track_caller]
    pub(crate) fn answer(&mut self, stream: u32) -> Answer {
        let is_end = |seen: &Seen| match seen {
            Seen::End(id, _) => *id == stream,
            Seen::Response {
                stream: id, end, ..
            } => *id == stream && *end,
            Seen::Reset(id, ..) => *id == stream,
            _ => false,
        };
        self.until(|seen| seen.iter().any(is_end));
        let mut answer = Answer::default();
        for seen in &self.seen {
            match seen {
                Seen::Response {
                    stream: id,
                    status,
                    fields,
                    end,
                } if *id == stream => {
                    answer.status = *status;
                    answer.head.clone_from(fields);
                    if *end {
                        answer.trailers.clone_from(fields);
                        answer.trailers_only = true;
                    }
                }
                Seen::Data(id, bytes) if *id == stream => answer.body.extend(bytes),
                Seen::End(id, trailers) if *id == stream => answer.trailers.clone_from(trailers),
                _ => {}
            }
        }
        answer
    }

    /// A whole call with one piece of body.
    #[track_caller]
    pub(crate) fn call(&mut self, path: &str, more: &[(&str, &str)], body: &[u8]) -> Answer {
        let stream = self.open(path, more);
        self.data(stream, END_STREAM, body);
        self.answer(stream)
    }
}
