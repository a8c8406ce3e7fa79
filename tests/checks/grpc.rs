//! gRPC framing, gRPC-Web in text, and both sides of a call.

use super::input::{Input, pieces};
#[cfg(feature = "gzip")]
use barewire::grpc::Gzip;
use barewire::grpc::frame::Frame;
use barewire::grpc::{
    Body, Call, ClientCall, Code, Compression, ContentType, Encoding, Event, Limits, Mode,
    ProtocolError, Status, web,
};
use barewire::http::{
    self, Field, FieldBuffer, Fields, Method, RequestHead, ResponseHead, Target, Version,
};
use barewire::wire::{Received, Role, Step};

const LIMITS: Limits = Limits::DEFAULT.with_message(300).with_trailers(64);

/// The most of a body that may wait: a frame, in base64 with a group to spare.
const MOST: usize = (5 + 300) * 4 / 3 + 8;

#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Message(bool, Vec<u8>),
    Trailers(Vec<u8>),
    Failed(ProtocolError),
}

/// Feeds `all` to `receive`, which notes what it sees, until it needs more.
fn feed(
    all: &[&[u8]],
    mut receive: impl FnMut(&mut Vec<u8>, &mut Vec<Seen>) -> Result<Received<()>, ProtocolError>,
) -> (Vec<Seen>, bool) {
    let (mut buffer, mut seen) = (Vec::new(), Vec::new());
    for piece in all {
        buffer.extend_from_slice(piece);
        loop {
            match receive(&mut buffer, &mut seen) {
                Ok(Received { used, step }) => {
                    buffer.drain(..used);
                    match step {
                        Step::Event(()) => assert!(used > 0, "an event for nothing"),
                        Step::Need(more) => {
                            assert!(more > 0);
                            break;
                        }
                        other => panic!("{other:?}"),
                    }
                }
                Err(violation) => {
                    seen.push(Seen::Failed(violation));
                    return (seen, true);
                }
            }
        }
        assert!(buffer.len() <= MOST, "{} bytes kept", buffer.len());
    }
    (seen, false)
}

fn read(mut body: Body, all: &[&[u8]]) -> Vec<Seen> {
    let (mut seen, failed) = feed(all, |buffer, seen| {
        Ok(body.receive(buffer, &LIMITS)?.map(|frame| {
            seen.push(match frame {
                Frame::Message(message) => {
                    Seen::Message(message.compressed, message.bytes.to_vec())
                }
                Frame::Trailers(block) => Seen::Trailers(block.to_vec()),
            });
        }))
    });
    if let (Err(violation), false) = (body.receive_eof(), failed) {
        seen.push(Seen::Failed(violation));
    }
    seen
}

fn body(flags: u8, mode: Mode) -> Body {
    let role = if flags & 1 == 0 {
        Role::Server
    } else {
        Role::Client
    };
    let announced = flags & 2 != 0;
    let compression = if announced {
        Compression::Announced
    } else {
        Compression::Absent
    };
    Body::new(mode, role, compression)
}

fn law_of_splits(flags: u8, manner: u8, mode: Mode, bytes: &[u8]) {
    let whole = read(body(flags, mode), &[bytes]);
    for manner in [manner, 0] {
        let cut = read(body(flags, mode), &pieces(bytes, manner));
        assert_eq!(cut, whole, "{mode:?} {}", bytes.escape_ascii());
    }
}

/// Any cut of a binary body gives the same frames.
pub fn frames(data: &[u8]) {
    let mut input = Input::new(data);
    let (flags, manner) = (input.byte(), input.byte());
    let mode = if flags & 4 == 0 {
        Mode::Native
    } else {
        Mode::Web
    };
    law_of_splits(flags, manner, mode, input.rest());
}

/// Any cut of a body in base64 gives the same frames, and what the encoder
/// writes is read as it was.
pub fn web_text(data: &[u8]) {
    let mut input = Input::new(data);
    let (flags, manner) = (input.byte(), input.byte());
    if flags & 4 == 0 {
        return law_of_splits(flags, manner, Mode::WebText, input.rest());
    }
    let (mut wire, mut expected) = (Vec::new(), Vec::new());
    while !input.is_empty() {
        let message = input.run();
        web::encode_message(Mode::WebText, message, &mut wire).expect("room");
        expected.push(Seen::Message(false, message.to_vec()));
    }
    let fresh = || Body::new(Mode::WebText, Role::Client, Compression::Absent);
    assert_eq!(read(fresh(), &pieces(&wire, manner)), expected);
    assert_eq!(read(fresh(), &[&wire]), expected);
}

const TYPES: [&str; 8] = [
    "application/grpc",
    "application/grpc+proto",
    "application/grpc-web",
    "application/grpc-web+json",
    "application/grpc-web-text",
    "application/grpc-web-text+proto; charset=utf-8",
    "APPLICATION/GRPC-WEB",
    "text/plain",
];

/// A call: of the machines alone, or of a whole app's sessions.
pub fn call(data: &[u8]) {
    match data {
        [0xff, acts @ ..] => super::calls::calls(acts),
        _ => machines(data),
    }
}

/// Both sides of a call over heads and bodies from anywhere: any cut gives the
/// same, and what the server's side answers the client's side understands.
fn machines(data: &[u8]) {
    let mut input = Input::new(data);
    let (flags, manner) = (input.byte(), input.byte());
    let content_type = TYPES[usize::from(flags & 7)];
    let (path, timeout, encoding) = (input.text(), input.text(), input.text());
    let (name, value) = (input.text(), input.text());
    let bytes = input.rest();

    let mut list = vec![
        Field::new("content-type", content_type),
        Field::new(&name, &value),
    ];
    if flags & 8 != 0 {
        list.push(Field::new("grpc-timeout", &timeout));
    }
    if flags & 0x10 != 0 {
        list.push(Field::new("grpc-encoding", &encoding));
    }
    if flags & 0x40 != 0 {
        list.push(Field::new("grpc-accept-encoding", "identity, gzip"));
    }
    #[cfg(feature = "gzip")]
    if flags & 0x80 != 0 {
        compression(bytes);
    }
    let head = RequestHead {
        method: Method::POST,
        target: Target::Origin {
            path: &path,
            query: None,
        },
        version: if flags & 0x20 == 0 {
            Version::Http2
        } else {
            Version::Http11
        },
        protocol: None,
        fields: Fields::new(&list),
    };
    if let Ok(opened) = Call::open(&head) {
        let receive = |all: &[&[u8]]| {
            let mut call = opened.clone();
            let (mut seen, failed) = feed(all, |buffer, seen| {
                Ok(call.receive(buffer, &LIMITS)?.map(|message| {
                    seen.push(Seen::Message(message.compressed, message.bytes.to_vec()));
                }))
            });
            if let (Err(violation), false) = (call.receive_eof(), failed) {
                seen.push(Seen::Failed(violation));
            }
            seen
        };
        assert_eq!(receive(&pieces(bytes, manner)), receive(&[bytes]));
        answer(opened, &head, bytes, manner, &list[1..2]);
    }
    client(content_type, &list, bytes, manner);
}

/// What inflates is bounded, whatever it is; what was compressed comes back.
#[cfg(feature = "gzip")]
fn compression(bytes: &[u8]) {
    let (mut gzip, mut packed, mut out) = (Gzip::new(), Vec::new(), Vec::new());
    let inflated = gzip.inflate(bytes, LIMITS.message, &mut out);
    let most = inflated.map_or(0, |()| LIMITS.message);
    assert!(out.len() <= most, "{} bytes", out.len());
    gzip.compress(bytes, &mut packed);
    out.clear();
    assert_eq!(gzip.inflate(&packed, bytes.len(), &mut out), Ok(()));
    assert_eq!(out, bytes);
    if let Some(less) = bytes.len().checked_sub(1) {
        out.clear();
        let refused = gzip.inflate(&packed, less, &mut out);
        assert_eq!(refused, Err(ProtocolError::InflatedTooLong));
    }
}

/// The server's side answers, and the client's side reads the answer.
fn answer(
    mut call: Call,
    head: &RequestHead<'_>,
    bytes: &[u8],
    manner: u8,
    metadata: &[Field<'_>],
) {
    let status = match call.request(head) {
        Ok(_) => Status::new(Code::Ok, String::from_utf8_lossy(bytes).into_owned()),
        Err(status) => Status::new(status.code, status.message.into()),
    };
    let (mut first, mut last, mut out) = (FieldBuffer::new(), FieldBuffer::new(), Vec::new());
    let compressed = cfg!(feature = "gzip") && !bytes.is_empty() && call.announce(Encoding::Gzip);
    let metadata = match call.send_head(Fields::new(metadata), &mut first) {
        Ok(()) => Fields::new(metadata),
        Err(_) => {
            call.send_head(Fields::EMPTY, &mut first)
                .expect("no metadata is fine");
            Fields::EMPTY
        }
    };
    let message = &bytes[..bytes.len().min(200)];
    match compressed {
        // Whatever they are, they go through as they are.
        true => call.send_compressed(message, &mut out).expect("room"),
        false => call.send_message(message, &mut out).expect("room"),
    }
    let code = status.code;
    if call
        .send_status(status, metadata, &mut last, &mut out)
        .is_err()
    {
        // Metadata may be too long for the trailers of a body.
        return;
    }
    let mut reader = ClientCall::new(*call.content_type());
    let response = ResponseHead::new(http::Status::OK, first.as_fields());
    assert!(
        reader
            .receive_head(&response)
            .expect("our own head")
            .is_none()
    );
    let limits = Limits::DEFAULT.with_trailers(usize::MAX >> 1);
    let (mut buffer, mut seen) = (Vec::new(), 0);
    for piece in pieces(&out, manner) {
        buffer.extend_from_slice(piece);
        loop {
            let received = reader.receive(&mut buffer, &limits).expect("our own body");
            let used = received.used;
            let more = match received.step {
                Step::Event(Event::Message(got)) => {
                    assert_eq!((&*got.bytes, got.compressed), (message, compressed));
                    seen += 1;
                    true
                }
                Step::Event(Event::Trailers(trailers)) => {
                    assert_eq!(trailers.code, code);
                    seen += 1;
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
    if call.content_type().mode() == Mode::Native {
        let trailers = reader
            .receive_trailers(last.as_fields())
            .expect("our own trailers");
        assert_eq!(trailers.code, code);
        seen += 1;
    }
    assert_eq!(seen, 2);
    reader.receive_eof().expect("a whole answer");
}

/// The client's side of a call whose answer is arbitrary.
fn client(content_type: &str, list: &[Field<'_>], bytes: &[u8], manner: u8) {
    let Some(content_type) = ContentType::parse(content_type.as_bytes()) else {
        return;
    };
    let receive = |all: &[&[u8]]| {
        let mut call = ClientCall::new(content_type);
        let response = ResponseHead::new(http::Status::OK, Fields::new(list));
        match call.receive_head(&response) {
            Ok(None) => {}
            Ok(Some(_)) => return vec![Seen::Trailers(Vec::new())],
            Err(violation) => return vec![Seen::Failed(violation)],
        }
        let (mut seen, failed) = feed(all, |buffer, seen| {
            Ok(call.receive(buffer, &LIMITS)?.map(|event| {
                seen.push(match event {
                    Event::Message(message) => {
                        Seen::Message(message.compressed, message.bytes.to_vec())
                    }
                    Event::Trailers(trailers) => Seen::Trailers(trailers.message.to_vec()),
                });
            }))
        });
        if let (Err(violation), false) = (call.receive_eof(), failed) {
            seen.push(Seen::Failed(violation));
        }
        seen
    };
    assert_eq!(receive(&pieces(bytes, manner)), receive(&[bytes]));
}
