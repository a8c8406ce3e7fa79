//! Calls from head to trailers, both sides, in every form.
#![cfg(feature = "alloc")]

use core::time::Duration;

use barewire::grpc::{
    Call, ClientCall, Code, ContentType, Ending, Event, Limits, Mode, ProtocolError, Refusal,
    Status, UsageError, percent_decode,
};
use barewire::http::{
    self, Field, FieldBuffer, Fields, Method, RequestHead, ResponseHead, Target, Version,
};
use barewire::wire::Step;

fn head<'b>(path: &'b str, version: Version, fields: &'b [Field<'b>]) -> RequestHead<'b> {
    RequestHead {
        method: Method::POST,
        target: Target::Origin { path, query: None },
        version,
        protocol: None,
        fields: Fields::new(fields),
    }
}

fn web(fields: &[(&'static str, &'static str)]) -> Vec<Field<'static>> {
    let own = [("content-type", "application/grpc-web+proto")];
    let all = own.iter().chain(fields);
    all.map(|(name, value)| Field::new(name, value)).collect()
}

/// Both sides of a call that echoes its messages and ends with a status, the
/// body handed over in pieces of `cut` bytes.
fn echo(mode: Mode, cut: usize, status: Status) -> (Vec<Vec<u8>>, Code, String, String) {
    let content_type = ContentType::new(mode).with_codec(b"proto").unwrap();
    let mut client = ClientCall::new(content_type);
    let (mut fields, mut body) = (FieldBuffer::new(), Vec::new());
    let sent = [Field::new("x-id", "7"), Field::new("x-bin", "AAE")];
    let timeout = Some(Duration::from_millis(1500));
    client
        .send_head(timeout, Fields::new(&sent), &mut fields)
        .unwrap();
    for message in [&b"one"[..], b"", b"three"] {
        client.send_message(message, &mut body).unwrap();
    }

    let version = if mode == Mode::Native {
        Version::Http2
    } else {
        Version::Http11
    };
    let request = RequestHead {
        fields: fields.as_fields(),
        ..head("/a.B/C", version, &[])
    };
    let mut call = Call::open(&request).unwrap();
    let asked = call.request(&request).unwrap();
    assert_eq!(
        (asked.service, asked.method, asked.timeout),
        ("a.B", "C", timeout)
    );
    assert_eq!(asked.fields.get("x-id"), Some(&b"7"[..]));

    let (mut head, mut out, mut trailers) = (FieldBuffer::new(), Vec::new(), FieldBuffer::new());
    call.send_head(Fields::EMPTY, &mut head).unwrap();
    let mut buffer = Vec::new();
    for piece in body.chunks(cut) {
        buffer.extend_from_slice(piece);
        loop {
            let received = call.receive(&mut buffer, &Limits::DEFAULT).unwrap();
            let used = received.used;
            let more = match received.step {
                Step::Event(message) => {
                    call.send_message(message.bytes, &mut out).unwrap();
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
    call.receive_eof().unwrap();
    let bye = [Field::new("x-took", "3 ms")];
    let ending = call
        .send_status(status, Fields::new(&bye), &mut trailers, &mut out)
        .unwrap();
    assert_eq!(ending == Ending::Trailers, mode == Mode::Native);
    assert_eq!(call.send_message(b"", &mut out), Err(UsageError::Ended));

    let response = ResponseHead::new(http::Status::OK, head.as_fields());
    assert!(client.receive_head(&response).unwrap().is_none());
    let (mut messages, mut told) = (Vec::new(), None);
    let mut buffer = Vec::new();
    for piece in out.chunks(cut) {
        buffer.extend_from_slice(piece);
        loop {
            let received = client.receive(&mut buffer, &Limits::DEFAULT).unwrap();
            let used = received.used;
            let more = match received.step {
                Step::Event(Event::Message(message)) => {
                    messages.push(message.bytes.to_vec());
                    true
                }
                Step::Event(Event::Trailers(end)) => {
                    let took = end.iter().find(|field| field.is("x-took")).unwrap();
                    told = Some((
                        end.code,
                        percent_decode(end.message).into_owned(),
                        took.value.to_vec(),
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
    if mode == Mode::Native {
        let end = client.receive_trailers(trailers.as_fields()).unwrap();
        let took = end.iter().find(|field| field.is("x-took")).unwrap();
        told = Some((
            end.code,
            percent_decode(end.message).into_owned(),
            took.value.to_vec(),
        ));
    }
    client.receive_eof().unwrap();
    let (code, message, took) = told.unwrap();
    (messages, code, message, String::from_utf8(took).unwrap())
}

#[test]
fn both_sides_understand_each_other_in_every_form_and_cut() {
    for mode in [Mode::Native, Mode::Web, Mode::WebText] {
        for cut in [1, 2, 3, 5, 1000] {
            let status = Status::new(Code::Aborted, " ☺ 5% ");
            let (messages, code, message, took) = echo(mode, cut, status);
            assert_eq!(messages, [&b"one"[..], b"", b"three"]);
            assert_eq!((code, &*message, &*took), (Code::Aborted, " ☺ 5% ", "3 ms"));
        }
    }
}

#[test]
fn requests_that_are_no_calls_are_refused_by_http() {
    let plain = [Field::new("content-type", "application/json")];
    let refusal = Call::open(&head("/a.B/C", Version::Http11, &plain)).unwrap_err();
    assert_eq!(
        (refusal, refusal.http_status().code()),
        (Refusal::ContentType, 415)
    );
    let none = Call::open(&head("/a.B/C", Version::Http2, &[])).unwrap_err();
    assert_eq!(none, Refusal::ContentType);
    let fields = web(&[]);
    let get = RequestHead {
        method: Method::GET,
        ..head("/a.B/C", Version::Http11, &fields)
    };
    assert_eq!(Call::open(&get).unwrap_err().http_status().code(), 405);
    let native = [Field::new("content-type", "application/grpc")];
    let old = head("/a.B/C", Version::Http11, &native);
    assert_eq!(Call::open(&old).unwrap_err().http_status().code(), 505);
}

#[test]
fn calls_that_cannot_be_served_end_with_a_status() {
    for (path, extra, code) in [
        ("/", None, Code::Unimplemented),
        ("/a", None, Code::Unimplemented),
        ("//a", None, Code::Unimplemented),
        ("/a/", None, Code::Unimplemented),
        (
            "/a.B/C",
            Some(("grpc-encoding", "zstd")),
            Code::Unimplemented,
        ),
        ("/a.B/C", Some(("grpc-timeout", "soon")), Code::Internal),
    ] {
        let fields = web(extra.as_slice());
        let request = head(path, Version::Http11, &fields);
        let mut call = Call::open(&request).unwrap();
        let status = call.request(&request).unwrap_err();
        assert_eq!(status.code, code, "{path}");
        let (mut head, mut out) = (FieldBuffer::new(), Vec::new());
        let ending = call.send_status(status, Fields::EMPTY, &mut head, &mut out);
        assert_eq!(ending, Ok(Ending::Head));
        assert_eq!(
            head.as_fields().contains("grpc-accept-encoding"),
            extra.is_some_and(|(name, _)| name == "grpc-encoding")
        );
        let mut client = ClientCall::new(ContentType::new(Mode::Web));
        let response = ResponseHead::new(http::Status::OK, head.as_fields());
        assert!(client.receive_head(&response).unwrap().is_none());
        let received = client.receive(&mut out, &Limits::DEFAULT).unwrap();
        let Step::Event(Event::Trailers(trailers)) = received.step else {
            panic!()
        };
        assert_eq!(trailers.code, code);
    }
}

#[test]
fn a_native_call_without_messages_is_trailers_only() {
    let fields = [Field::new("content-type", "application/grpc")];
    let request = head("/a.B/C", Version::Http2, &fields);
    let mut call = Call::open(&request).unwrap();
    let (mut head, mut out) = (FieldBuffer::new(), Vec::new());
    let status = Status::new(Code::NotFound, "gone");
    assert_eq!(
        call.send_status(status, Fields::EMPTY, &mut head, &mut out),
        Ok(Ending::Head)
    );
    assert!(out.is_empty());
    let mut client = ClientCall::new(ContentType::new(Mode::Native));
    let response = ResponseHead::new(http::Status::OK, head.as_fields());
    let trailers = client.receive_head(&response).unwrap().unwrap();
    assert_eq!(
        (trailers.code, trailers.message),
        (Code::NotFound, &b"gone"[..])
    );
    client.receive_eof().unwrap();
}

#[test]
fn the_answer_takes_the_form_that_accept_names() {
    use Mode::{Web, WebText};
    for (accept, mode) in [
        ("*/*", Web),
        ("application/grpc-web-text", WebText),
        ("application/grpc-web-text;q=0, */*", Web),
        ("application/grpc-web-text, application/grpc-web+proto", Web),
        ("text/html", Web),
        ("application/grpc", Web),
    ] {
        let mut fields = web(&[]);
        fields.push(Field::new("Accept", accept));
        let call = Call::open(&head("/a.B/C", Version::Http11, &fields)).unwrap();
        assert_eq!(call.content_type().mode(), mode, "{accept}");
        assert_eq!(call.content_type().codec(), "proto");
    }
}

#[test]
fn answers_that_are_none_of_grpc_have_the_code_of_their_http_status() {
    let kinds = ["text/html", "application/grpc", "application/grpc-web"];
    for code in 200..600 {
        let status = http::Status::new(code).unwrap();
        // gRPC, doc/http-grpc-status-mapping.md.
        let expected = match code {
            400 => Code::Internal,
            401 => Code::Unauthenticated,
            403 => Code::PermissionDenied,
            404 => Code::Unimplemented,
            429 | 502..=504 => Code::Unavailable,
            _ => Code::Unknown,
        };
        for (kind, told) in kinds.iter().flat_map(|kind| [(kind, false), (kind, true)]) {
            let fields = [
                Field::new("content-type", kind),
                Field::new("grpc-status", "9"),
            ];
            let fields = &fields[..1 + usize::from(told)];
            let mut client = ClientCall::new(ContentType::new(Mode::Web));
            let response = ResponseHead::new(status, Fields::new(fields));
            let is_grpc = *kind == "application/grpc-web";
            match client.receive_head(&response) {
                Ok(Some(trailers)) => {
                    assert!(is_grpc && told, "{code} {kind}");
                    assert_eq!(trailers.code, Code::FailedPrecondition);
                }
                Ok(None) => assert!(is_grpc && !told && code == 200, "{code} {kind}"),
                Err(violation) => assert_eq!(violation.code(), expected, "{code} {kind}"),
            }
        }
    }
}

#[test]
fn a_response_without_a_status_is_unknown() {
    let mut client = ClientCall::new(ContentType::new(Mode::Web));
    assert_eq!(client.receive_eof(), Err(ProtocolError::NoStatus));
    let mut empty = [0x80, 0, 0, 0, 0];
    let received = client.receive(&mut empty, &Limits::DEFAULT);
    assert_eq!(received.unwrap_err(), ProtocolError::NoStatus);
    assert_eq!(ProtocolError::NoStatus.code(), Code::Unknown);
}

#[test]
fn sends_out_of_order_change_nothing() {
    let fields = web(&[]);
    let mut call = Call::open(&head("/a.B/C", Version::Http11, &fields)).unwrap();
    let (mut head, mut out) = (FieldBuffer::new(), Vec::new());
    assert_eq!(
        call.send_message(b"x", &mut out),
        Err(UsageError::HeadNotSent)
    );
    let evil = [Field::new("grpc-status", "0")];
    let evil = Fields::new(&evil);
    assert_eq!(
        call.send_head(evil, &mut head),
        Err(UsageError::MetadataName)
    );
    let sent = call.send_status(Status::OK, evil, &mut head, &mut out);
    assert_eq!(sent, Err(UsageError::MetadataName));
    assert!(head.as_fields().is_empty() && out.is_empty());
    call.send_head(Fields::EMPTY, &mut head).unwrap();
    assert_eq!(
        call.send_head(Fields::EMPTY, &mut head),
        Err(UsageError::HeadSent)
    );
    let mut fields = FieldBuffer::new();
    call.send_status(Status::OK, Fields::EMPTY, &mut fields, &mut out)
        .unwrap();
    let again = call.send_status(Status::OK, Fields::EMPTY, &mut fields, &mut out);
    assert_eq!(again, Err(UsageError::Ended));
}
