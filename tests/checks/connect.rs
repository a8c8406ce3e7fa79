//! Connect: queries, errors, the ends of streams, and both sides of a call.

use super::input::{Input, pieces};
use barewire::grpc::connect::{Call, ClientCall, ContentType, EndStream, ErrorBody, Event};
use barewire::grpc::connect::{Query, Shape};
use barewire::grpc::{Limits, Status};
use barewire::http::{self, Field, Fields, Method, RequestHead, ResponseHead, Target, Version};
use barewire::wire::Step;

const LIMITS: Limits = Limits::DEFAULT.with_message(300);

/// What comes of a body in pieces: messages, and how it ended.
fn feed(
    all: &[&[u8]],
    mut receive: impl FnMut(&mut Vec<u8>, &mut String) -> Result<(usize, bool), String>,
) -> String {
    let (mut buffer, mut seen) = (Vec::new(), String::new());
    for piece in all {
        buffer.extend_from_slice(piece);
        loop {
            match receive(&mut buffer, &mut seen) {
                Ok((used, more)) => {
                    assert!(used > 0 || !more, "an event for nothing");
                    buffer.drain(..used);
                    if !more {
                        break;
                    }
                }
                Err(fault) => return seen + &fault,
            }
        }
        assert!(
            buffer.len() <= 5 + LIMITS.message,
            "{} bytes kept",
            buffer.len()
        );
    }
    seen
}

fn client(all: &[&[u8]], encoding: &str) -> String {
    let content_type = ContentType::new(Shape::Streaming, "proto").expect("a token");
    let mut call = ClientCall::new(content_type);
    let fields = [
        Field::new("content-type", "application/connect+proto"),
        Field::new("connect-content-encoding", encoding),
    ];
    let head = ResponseHead::new(http::Status::OK, Fields::new(&fields));
    if let Err(violation) = call.receive_head(&head) {
        return violation.to_string();
    }
    let seen = feed(all, |buffer, seen| {
        let received = call.receive(buffer, &LIMITS).map_err(|it| it.to_string())?;
        match received.step {
            Step::Event(Event::Message(it)) => {
                seen.push_str(&format!("{} {:?};", it.compressed, it.bytes));
            }
            Step::Event(Event::End) => seen.push_str("end;"),
            Step::Need(more) => {
                assert!(more > 0);
                return Ok((received.used, false));
            }
            other => panic!("{other:?}"),
        }
        Ok((received.used, true))
    });
    seen + &match call.receive_eof() {
        Ok(outcome) => format!("{} {:?}", outcome.status, outcome.details),
        Err(violation) => violation.to_string(),
    }
}

fn server(call: &Call, all: &[&[u8]]) -> String {
    let mut call = call.clone();
    let seen = feed(all, |buffer, seen| {
        let received = call.receive(buffer, &LIMITS).map_err(|it| it.to_string())?;
        match received.step {
            Step::Event(it) => seen.push_str(&format!("{} {:?};", it.compressed, it.bytes)),
            Step::Need(_) => return Ok((received.used, false)),
            other => panic!("{other:?}"),
        }
        Ok((received.used, true))
    });
    seen + &call
        .receive_eof()
        .map_or_else(|it| it.to_string(), |()| "ok".into())
}

/// What is read is written and read again, and any cut of a stream gives the same.
pub fn call(data: &[u8]) {
    let mut input = Input::new(data);
    let (which, manner) = (input.byte(), input.byte());
    match which & 7 {
        0 => {
            let text = String::from_utf8_lossy(input.rest()).into_owned();
            let Ok(query) = Query::parse(&text) else {
                return;
            };
            let mut written = String::new();
            query.write(&mut written);
            let known = Query {
                encoding: Some(query.encoding.unwrap_or_default()),
                ..query
            };
            assert_eq!(Query::parse(&written), Ok(known));
        }
        1 => {
            let Some(error) = ErrorBody::parse(input.rest()) else {
                return;
            };
            let Some(code) = error.code else {
                return;
            };
            let mut out = Vec::new();
            ErrorBody::put(Status::new(code, &error.message), &error.details, &mut out);
            assert_eq!(ErrorBody::parse(&out), Some(error));
        }
        2 => {
            if let Some(end) = EndStream::parse(input.rest()) {
                let mut out = Vec::new();
                EndStream::put(
                    Status::new(barewire::grpc::Code::Ok, ""),
                    &[],
                    end.metadata.as_fields(),
                    &mut out,
                );
                let again = EndStream::parse(&out).expect("our own");
                assert_eq!(
                    again.metadata.as_fields().len(),
                    end.metadata.as_fields().len()
                );
            }
        }
        3 => {
            if let Some(parsed) = ContentType::parse(input.rest()) {
                let mut memory = [0; 40];
                let written = parsed.write(&mut memory);
                assert_eq!(ContentType::parse(written.as_bytes()), Some(parsed));
            }
        }
        4 | 5 => {
            let encoding = if which & 8 == 0 { "identity" } else { "gzip" };
            let bytes = input.rest();
            assert_eq!(
                client(&pieces(bytes, manner), encoding),
                client(&[bytes], encoding)
            );
        }
        _ => {
            let (name, value, query) = (input.text(), input.text(), input.text());
            let shape = if which & 8 == 0 {
                Shape::Unary
            } else {
                Shape::Streaming
            };
            let content_type = match shape {
                Shape::Unary => "application/json",
                Shape::Streaming => "application/connect+json",
            };
            let list = [
                Field::new("content-type", content_type),
                Field::new(&name, &value),
            ];
            let is_get = which & 16 != 0;
            let head = RequestHead {
                method: if is_get { Method::GET } else { Method::POST },
                target: Target::Origin {
                    path: "/a.B/C",
                    query: Some(&query),
                },
                version: Version::Http11,
                protocol: None,
                fields: Fields::new(&list),
            };
            let opened = match is_get {
                true => Call::open_get(&head).map(|it| it.0),
                false => Call::open(&head, shape),
            };
            let bytes = input.rest();
            if let Ok(call) = opened {
                let _ = call.timeout();
                // A unary message is what has come in all.
                if shape == Shape::Streaming && !is_get {
                    assert_eq!(
                        server(&call, &pieces(bytes, manner)),
                        server(&call, &[bytes])
                    );
                }
            }
        }
    }
}
