//! What PROTOCOL-HTTP2.md says of a request and its response, rule by rule,
//! over real sockets.

#![cfg(feature = "net")]

use std::sync::mpsc::channel;
use std::thread;

use crate::app_support::Running;
use crate::app_support::grpc::{flagged, framed};
use crate::grpc_http2::{PATIENCE, Peer, Scene, get, scene};
use crate::http2_support::{
    END_HEADERS, END_STREAM, HEADERS, RST_STREAM, Seen, block, frame, number,
};
use barewire::app::{App, Call, CallStatus, DeferredResponse, Payload, Service};
use barewire::grpc::{Code, Status};

const ECHO: &str = "/test.Test/Echo";

/// The head of a call as the specification has it, with one field changed:
/// none of its name with `None`.
fn head<'a>(name: &'a str, value: Option<&'a str>) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![
        (":method", "POST"),
        (":scheme", "http"),
        (":path", ECHO),
        (":authority", "a"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
    ];
    let place = fields.iter().position(|field| field.0 == name);
    let at = place.unwrap_or(fields.len());
    fields.splice(
        at..place.map_or(at, |at| at + 1),
        value.map(|value| (name, value)),
    );
    fields
}

/// What comes of a call with such a head: its status by HTTP, that of gRPC.
#[track_caller]
fn ask(peer: &mut Peer, fields: &[(&str, &str)]) -> (u16, String) {
    let id = peer.raw(fields, 0);
    peer.data(id, END_STREAM, &framed("a"));
    let answer = peer.answer(id);
    (answer.status, answer.code().to_owned())
}

/// The code that a stream was reset with.
#[track_caller]
fn reset(peer: &mut Peer, fields: &[(&str, &str)], body: &[u8]) -> u32 {
    let id = peer.raw(fields, 0);
    peer.data(id, END_STREAM, body);
    let of = |seen: &Seen| match seen {
        Seen::Reset(stream, code, true) if *stream == id => Some(*code),
        _ => None,
    };
    peer.until(|seen| seen.iter().any(|it| of(it).is_some()));
    peer.seen.iter().find_map(of).unwrap()
}

#[test]
fn the_method_is_post() {
    let Scene { running, .. } = scene();
    let mut peer = Peer::connect(&running);
    for method in ["GET", "PUT", "DELETE", "post", "PATCH"] {
        assert_eq!(
            ask(&mut peer, &head(":method", Some(method))).0,
            405,
            "{method}"
        );
    }
    assert_eq!(ask(&mut peer, &head("x", None)), (200, "0".into()));
}

#[test]
fn other_content_types_are_415() {
    let Scene { running, .. } = scene();
    let mut peer = Peer::connect(&running);
    assert_eq!(ask(&mut peer, &head("content-type", None)).0, 415);
    for other in [
        "",
        "text/plain",
        "application/grpcfoo",
        "application/grp",
        "application/x-www-form-urlencoded",
    ] {
        assert_eq!(
            ask(&mut peer, &head("content-type", Some(other))).0,
            415,
            "{other}"
        );
    }
    for ours in [
        "application/grpc+json",
        "application/grpc+",
        "application/grpc;charset=utf-8",
        "APPLICATION/GRPC+proto",
        "application/grpc+proto ; a=b",
    ] {
        let answer = ask(&mut peer, &head("content-type", Some(ours)));
        assert_eq!(answer, (200, "0".into()), "{ours}");
    }
}

/// A message of a codec with a name.
struct Named(Vec<u8>);

impl Payload for Named {
    const CODECS: &'static [&'static str] = &["proto", "pb"];

    fn decode(bytes: &[u8]) -> Result<Self, CallStatus> {
        Ok(Self(bytes.into()))
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
}

#[test]
fn a_codec_that_the_method_does_not_have_is_unimplemented() {
    let service = Service::new("test.Test").unary("Echo", |request: Named, _call| Ok(request));
    let running = Running::start(App::new().grpc(service));
    let mut peer = Peer::connect(&running);
    for (content_type, code) in [
        ("application/grpc", "0"),
        ("application/grpc+", "0"),
        ("application/grpc+proto", "0"),
        ("application/grpc+PB", "0"),
        ("application/grpc+json", "12"),
        ("application/grpc+protobuf", "12"),
    ] {
        let answer = ask(&mut peer, &head("content-type", Some(content_type)));
        assert_eq!(answer, (200, code.into()), "{content_type}");
    }
    let json = head("content-type", Some("application/grpc-web+json"));
    let id = peer.raw(&json, 0);
    peer.data(id, END_STREAM, &framed("a"));
    let body = String::from_utf8(peer.answer(id).body[5..].to_vec()).unwrap();
    assert!(body.starts_with("grpc-status: 12\r\n"), "{body}");
}

#[test]
fn a_path_of_other_methods_is_unimplemented_to_a_call() {
    let app = App::new()
        .get("/", |_request, reply| reply.text("a page"))
        .grpc(Service::new("test.Test").unary("Echo", |it: Vec<u8>, _call| Ok(it)));
    let running = Running::start(app);
    let mut peer = Peer::connect(&running);
    for (content_type, answer) in [
        ("application/grpc", (200, "12")),
        ("text/plain", (405, "none")),
    ] {
        let mut fields = head(":path", Some("/"));
        fields.last_mut().unwrap().1 = content_type;
        let answer = (answer.0, answer.1.into());
        assert_eq!(ask(&mut peer, &fields), answer, "{content_type}");
    }
}

#[test]
fn te_may_be_missing_but_not_another() {
    let Scene { running, .. } = scene();
    let mut peer = Peer::connect(&running);
    assert_eq!(ask(&mut peer, &head("te", None)), (200, "0".into()));
    for other in ["gzip", "trailers, deflate", ""] {
        assert_eq!(
            reset(&mut peer, &head("te", Some(other)), b""),
            1,
            "{other}"
        );
    }
}

#[test]
fn the_path_is_exact() {
    let Scene { running, .. } = scene();
    let mut peer = Peer::connect(&running);
    for path in [
        "/test.test/Echo",
        "/test.Test/echo",
        "/test.Test/Echo/",
        "//test.Test/Echo",
        "/Test/Echo",
        "/test.Test",
        "/",
        "/test.Test/Echo?",
        "/test.Test/Echo?a=b",
        "/test.Test/Ech%6f",
        "/test%2ETest/Echo",
    ] {
        let answer = ask(&mut peer, &head(":path", Some(path)));
        assert_eq!(answer, (200, "12".into()), "{path}");
    }
    for bad in ["", "test.Test/Echo", "*"] {
        assert_eq!(reset(&mut peer, &head(":path", Some(bad)), b""), 1, "{bad}");
    }
    for part in [":path", ":method", ":scheme", ":authority"] {
        assert_eq!(reset(&mut peer, &head(part, None), b""), 1, "{part}");
    }
    // Whatever the scheme: proxies take TLS off.
    assert_eq!(ask(&mut peer, &head(":scheme", Some("https"))).1, "0");
}

#[test]
fn timeouts_are_up_to_eight_digits_and_a_unit() {
    let Scene { running, .. } = scene();
    let mut peer = Peer::connect(&running);
    let mut with = |timeout| ask(&mut peer, &head("grpc-timeout", Some(timeout))).1;
    for good in ["1H", "1M", "99999999S", "99999999m", "00000001H"] {
        assert_eq!(with(good), "0", "{good}");
    }
    for bad in [
        "",
        "S",
        "1",
        "1s",
        "1h",
        "-1S",
        "+1S",
        "1 S",
        "1.5S",
        "123456789S",
        "1SS",
        "0x1S",
    ] {
        assert_eq!(with(bad), "13", "{bad}");
    }
    for passed in ["0S", "0n", "00000000H"] {
        assert_eq!(with(passed), "4", "{passed}");
    }
}

#[test]
fn reserved_fields_of_a_client_mean_nothing() {
    let Scene { running, .. } = scene();
    let mut peer = Peer::connect(&running);
    for (name, value) in [
        ("grpc-status", "5"),
        ("grpc-message", "no"),
        ("grpc-previous-rpc-attempts", "3"),
        ("grpc-trace-bin", "AAE"),
        ("grpc-encoding", "identity"),
        ("grpc-accept-encoding", "br,x"),
        (
            "user-agent",
            "grpc-c++/1.60.0 grpc-c/37.0.0 (linux; chttp2)",
        ),
        ("x-upper", "A, B"),
        ("content-length", "6"),
    ] {
        assert_eq!(
            ask(&mut peer, &head(name, Some(value))),
            (200, "0".into()),
            "{name}"
        );
    }
    for wrong in ["5", "7", "x"] {
        let body = framed("a");
        let code = reset(&mut peer, &head("content-length", Some(wrong)), &body);
        assert_eq!(code, 1, "{wrong}");
    }
    assert_eq!(reset(&mut peer, &head("X-Upper", Some("a")), b""), 1);
}

#[test]
fn a_request_ends_in_any_of_the_ways_of_http2() {
    let Scene { running, .. } = scene();
    let mut peer = Peer::connect(&running);
    let fields = head("x", None);
    let talk = head(":path", Some("/test.Test/Talk"));
    // With its last message, behind it, and by trailers.
    let id = peer.raw(&fields, 0);
    peer.data(id, 0, &framed("a"));
    peer.data(id, END_STREAM, b"");
    assert_eq!(peer.answer(id).code(), "0");
    let id = peer.raw(&fields, 0);
    peer.data(id, 0, &framed("a"));
    let trailers = block(&[("x-late", "b")]);
    let trailers = frame(HEADERS, END_HEADERS | END_STREAM, id, &trailers);
    peer.side.out.extend(trailers);
    let answer = peer.answer(id);
    assert_eq!((answer.code(), &answer.body), ("0", &framed("a")));
    // Without any message: fine for a stream of them, none for a unary call.
    for (fields, code) in [(&fields, "12"), (&talk, "0")] {
        let id = peer.raw(fields, END_STREAM);
        assert_eq!(peer.answer(id).code(), code);
        let id = peer.raw(fields, 0);
        peer.data(id, END_STREAM, b"");
        assert_eq!(peer.answer(id).code(), code);
    }
    // In the middle of one, in any part of it.
    for cut in 1..framed("abc").len() {
        for fields in [&fields, &talk] {
            let id = peer.raw(fields, 0);
            peer.data(id, END_STREAM, &framed("abc")[..cut]);
            assert_eq!(peer.answer(id).code(), "13", "{cut}");
        }
    }
}

#[test]
fn what_a_unary_request_is_not() {
    let Scene { running, .. } = scene();
    for (body, code) in [
        ([framed("a"), framed("b")].concat(), "12"),
        ([framed("a"), vec![0]].concat(), "13"),
        (flagged(1, b"a"), "13"),
        (flagged(2, b"a"), "13"),
        (flagged(0x80, b"grpc-status: 0\r\n"), "13"),
        (b"\0\xff\xff\xff\xff".to_vec(), "8"),
        (b"\0\0\x40\0\x01".to_vec(), "8"),
    ] {
        // In one piece with its head, and octet by octet.
        for cut in [body.len(), 1] {
            let mut peer = Peer::connect(&running);
            let id = peer.raw(&head("x", None), 0);
            let (last, pieces) = body.split_at(body.len() - cut.min(body.len()));
            let pieces: Vec<&[u8]> = last.chunks(cut).chain([pieces]).collect();
            for (at, piece) in pieces.iter().enumerate() {
                let flags = if at + 1 == pieces.len() {
                    END_STREAM
                } else {
                    0
                };
                peer.data(id, flags, piece);
            }
            assert_eq!(peer.answer(id).code(), code, "{body:?} by {cut}");
        }
    }
}

#[test]
fn a_response_has_one_status_at_its_end() {
    let Scene { running, .. } = scene();
    let mut peer = Peer::connect(&running);
    for (path, body, trailers_only) in [
        (ECHO, framed("a"), false),
        ("/test.Test/Count", framed([3]), false),
        ("/test.Test/Count", framed([0]), false),
        ("/test.Test/Talk", framed("a"), false),
        ("/test.Test/Fail", framed("a"), true),
        ("/test.Test/Nothing", framed("a"), true),
        (ECHO, vec![], true),
    ] {
        let answer = peer.call(path, &[], &body);
        let count = |list: &[(String, String)], name: &str| {
            list.iter().filter(|(other, _)| other == name).count()
        };
        assert_eq!(answer.status, 200);
        assert_eq!(answer.trailers_only, trailers_only, "{path}");
        assert_eq!(count(&answer.head, "content-type"), 1);
        assert_eq!(get(&answer.head, "content-type"), Some("application/grpc"));
        assert_eq!(count(&answer.trailers, "grpc-status"), 1, "{path}");
        let in_head = count(&answer.head, "grpc-status") == 1;
        assert_eq!(in_head, trailers_only, "{path}");
        assert_eq!(get(&answer.head, "content-length"), None, "{path}");
    }
}

/// What a client makes of a status message (PROTOCOL-HTTP2.md, Status-Message).
fn decoded(message: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), message.as_bytes());
    while let [first, more @ ..] = rest {
        rest = match (first, more) {
            (b'%', [a, b, more @ ..]) => {
                let digits = [*a, *b];
                let digits = core::str::from_utf8(&digits).unwrap();
                bytes.push(u8::from_str_radix(digits, 16).unwrap());
                more
            }
            _ => {
                bytes.push(*first);
                more
            }
        };
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_status_message_of_any_text_survives() {
    let service = Service::new("test.Test").unary("Fail", |request: Vec<u8>, _call| {
        let text = String::from_utf8(request).unwrap();
        Err::<Vec<u8>, _>(Status::new(Code::Aborted, text).into())
    });
    let running = Running::start(App::new().grpc(service));
    let mut peer = Peer::connect(&running);
    let ascii: String = (0..=0x7f_u8).map(char::from).collect();
    for text in [&ascii, " a ", "%", "%41", "ä☺𝄞", "a\r\ngrpc-status: 0"] {
        let answer = peer.call("/test.Test/Fail", &[], &framed(text));
        assert_eq!(answer.code(), "10");
        let sent = get(&answer.trailers, "grpc-message").unwrap();
        assert!(sent.bytes().all(|b| (b' '..=b'~').contains(&b)), "{sent}");
        assert_eq!(decoded(sent), text);
    }
}

#[test]
fn metadata_keeps_its_order_and_its_octets() {
    let service =
        Service::new("test.Test").unary("Echo", |_request: Vec<u8>, call: &mut Call<'_>| {
            let values: Vec<Vec<u8>> = call.binary_metadata("x-in-bin").collect();
            for value in &values {
                call.send_binary_metadata("x-out-bin", value).unwrap();
                call.send_binary_trailer("x-out-bin", value).unwrap();
            }
            call.send_metadata("x-text", "one").unwrap();
            call.send_metadata("x-text", "two").unwrap();
            let reserved = [
                "grpc-status",
                "grpc-x",
                "content-type",
                "te",
                ":path",
                "X-A",
                "",
            ];
            for name in reserved {
                assert!(call.send_metadata(name, "a").is_err(), "{name}");
                assert!(call.send_trailer(name, "a").is_err(), "{name}");
            }
            Ok(values.concat())
        });
    let running = Running::start(App::new().grpc(service));
    let mut peer = Peer::connect(&running);
    let more = [
        ("x-in-bin", "AAE"),
        ("x-in-bin", "/v8="),
        ("x-in-bin", "Ag,Aw=="),
    ];
    let answer = peer.call(ECHO, &more, &framed(""));
    assert_eq!(answer.body, framed([0, 1, 0xfe, 0xff, 2, 3]));
    for list in [&answer.head, &answer.trailers] {
        let values: Vec<&str> = list
            .iter()
            .filter(|(name, _)| name == "x-out-bin")
            .map(|(_, value)| &**value)
            .collect();
        // Sent without padding.
        assert_eq!(values, ["AAE", "/v8", "Ag", "Aw"]);
    }
    let texts = answer.head.iter().filter(|(name, _)| name == "x-text");
    assert!(texts.map(|(_, value)| &**value).eq(["one", "two"]));
}

#[test]
fn metadata_beyond_the_limit_is_431_and_no_other_call_is_touched() {
    let Scene { running, .. } = scene();
    let mut peer = Peer::connect(&running);
    let long = "a".repeat(17 << 10);
    let fields = head("x-long", Some(&long));
    // Longer than one frame: in two.
    let id = peer.raw(&[], 0);
    peer.side.out.clear();
    let block = block(&fields);
    let (one, two) = block.split_at(10_000);
    peer.side.out.extend(frame(HEADERS, END_STREAM, id, one));
    peer.side.out.extend(frame(9, END_HEADERS, id, two));
    assert_eq!(peer.answer(id).status, 431);
    assert_eq!(ask(&mut peer, &head("x", None)), (200, "0".into()));
    let many: Vec<(String, String)> = (0..120).map(|n| (format!("x-{n}"), "a".into())).collect();
    let mut fields = head("x", None);
    fields.extend(many.iter().map(|(name, value)| (&**name, &**value)));
    assert_eq!(ask(&mut peer, &fields).0, 431);
    assert_eq!(ask(&mut peer, &head("x", None)), (200, "0".into()));
}

#[test]
fn a_unary_call_that_is_owed_is_cancelled_at_once() {
    let (give, laters) = channel();
    let service = Service::new("test.Test").unary_later(
        "Wait",
        move |_request: Vec<u8>, _call, later: DeferredResponse<Vec<u8>>| give.send(later).unwrap(),
    );
    let running = Running::start(App::new().grpc(service));
    let mut peer = Peer::connect(&running);
    let wait = head(":path", Some("/test.Test/Wait"));
    for whole in [true, false] {
        let id = peer.raw(&wait, 0);
        if !whole {
            peer.data(id, 0, b"\0");
            peer.until(|_| true);
        }
        let body = framed("a");
        peer.data(id, END_STREAM, if whole { &body } else { &body[1..] });
        peer.until(|_| true);
        let later = laters.recv_timeout(PATIENCE).unwrap();
        assert!(later.is_wanted());
        peer.side.out.extend(number(RST_STREAM, id, 8));
        peer.until(|_| true);
        while later.is_wanted() {
            thread::yield_now();
        }
        assert!(!later.send(Ok(b"late".to_vec())));
    }
    // Others go on, and nothing more comes of those.
    let id = peer.raw(&wait, 0);
    peer.data(id, END_STREAM, &framed("a"));
    peer.until(|_| true);
    let later = laters.recv_timeout(PATIENCE).unwrap();
    assert!(later.send(Ok(b"in time".to_vec())));
    assert_eq!(peer.answer(id).body, framed("in time"));
    let resets = |seen: &Seen| matches!(seen, Seen::Response { stream, .. } if *stream != id);
    assert!(!peer.seen.iter().any(resets));
}

#[test]
fn what_comes_after_the_deadline_is_not_sent() {
    let (give, laters) = channel();
    let service = Service::new("test.Test").unary_later(
        "Wait",
        move |_request: Vec<u8>, _call, later: DeferredResponse<Vec<u8>>| give.send(later).unwrap(),
    );
    let running = Running::start(App::new().grpc(service));
    let mut peer = Peer::connect(&running);
    let mut fields = head(":path", Some("/test.Test/Wait"));
    fields.push(("grpc-timeout", "20m"));
    let id = peer.raw(&fields, 0);
    peer.data(id, END_STREAM, &framed("a"));
    let answer = peer.answer(id);
    assert_eq!((answer.status, answer.code()), (200, "4"));
    assert!(answer.trailers_only && answer.body.is_empty());
    let later = laters.recv_timeout(PATIENCE).unwrap();
    while later.is_wanted() {
        thread::yield_now();
    }
    assert!(!later.send(Ok(b"late".to_vec())));
}
