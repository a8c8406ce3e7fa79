//! Native gRPC, frame by frame: the rules of PROTOCOL-HTTP2.md over real
//! sockets.

#![cfg(all(feature = "net", feature = "http2"))]

mod app_support;
mod http2_support;

use core::time::Duration;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, Sender, channel};

use app_support::Running;
use app_support::grpc::{flagged, framed};
use barewire::app::{App, Call, Conversation, ResponseStream, Service};
use barewire::grpc::{Code, Limits, Status};
use barewire::http::{Field, Fields, Method, RequestHead, Target, Version};
use barewire::http2::{self, BodyLength};
use barewire::link::Gone;
use barewire::wire::{Instant, Role};
use http2_support::{DATA, END_STREAM, List, PADDED, RST_STREAM, Seen, Side, frame, number};

const PATIENCE: Duration = Duration::from_secs(10);

/// Echoes, and says how it ended.
struct Echo(Sender<Gone>);

impl Conversation for Echo {
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    fn message(&mut self, message: Vec<u8>, stream: &mut ResponseStream<'_, '_, Vec<u8>>) {
        stream.send(&message);
    }

    fn half_closed(&mut self, stream: &mut ResponseStream<'_, '_, Vec<u8>>) {
        stream.finish(Status::OK);
    }

    fn cancelled(&mut self, why: Gone) {
        let _ = self.0.send(why);
    }
}

/// Says how many messages have come.
#[derive(Default)]
struct Tally(u32);

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

struct Scene {
    running: Running,
    ends: Receiver<Gone>,
}

fn scene() -> Scene {
    let (give, ends) = channel();
    let service = Service::new("test.Test")
        .limits(Limits::DEFAULT)
        .unary("Echo", |request: Vec<u8>, call: &mut Call<'_>| {
            let asked: Vec<(String, String)> = call
                .fields()
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
            core::mem::forget::<barewire::app::Later<Vec<u8>>>(later);
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
struct Peer {
    stream: TcpStream,
    side: Side,
    seen: Vec<Seen>,
}

/// What came of a call.
#[derive(Debug, Default)]
struct Answer {
    status: u16,
    head: List,
    body: Vec<u8>,
    trailers: List,
    trailers_only: bool,
}

fn get<'l>(list: &'l List, name: &str) -> Option<&'l str> {
    let found = list.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| &**value)
}

impl Answer {
    fn code(&self) -> &str {
        get(&self.trailers, "grpc-status").unwrap_or("none")
    }
}

impl Peer {
    fn connect(running: &Running) -> Self {
        let mut peer = Self {
            stream: running.connect(),
            side: Side::new(Role::Client, http2::Limits::DEFAULT),
            seen: Vec::new(),
        };
        peer.until(|seen| seen.contains(&Seen::Settings));
        peer
    }

    #[track_caller]
    fn until(&mut self, mut is: impl FnMut(&[Seen]) -> bool) {
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
    fn open(&mut self, path: &str, more: &[(&str, &str)]) -> u32 {
        let mut list = vec![("te", "trailers"), ("content-type", "application/grpc")];
        list.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
        list.extend(more.iter().filter(|(name, _)| *name != ":method"));
        let fields: Vec<_> = list.iter().map(|(n, v)| Field::new(n, v)).collect();
        let get = more.contains(&(":method", "GET"));
        let head = RequestHead {
            method: if get { Method::Get } else { Method::Post },
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

    /// Sends a DATA frame as it is.
    fn data(&mut self, stream: u32, flags: u8, payload: &[u8]) {
        self.side.out.extend(frame(DATA, flags, stream, payload));
    }

    #[track_caller]
    fn answer(&mut self, stream: u32) -> Answer {
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
    fn call(&mut self, path: &str, more: &[(&str, &str)], body: &[u8]) -> Answer {
        let stream = self.open(path, more);
        self.data(stream, END_STREAM, body);
        self.answer(stream)
    }
}

#[test]
fn a_response_is_a_head_messages_and_trailers() {
    let Scene { running, .. } = scene();
    let mut peer = Peer::connect(&running);
    let answer = peer.call("/test.Test/Echo", &[], &framed("hello"));
    assert_eq!((answer.status, answer.code()), (200, "0"));
    assert_eq!(get(&answer.head, "content-type"), Some("application/grpc"));
    assert_eq!(get(&answer.head, "grpc-status"), None);
    assert_eq!(answer.body, framed("hello"));
    assert!(!answer.trailers_only);
    assert_eq!(get(&answer.trailers, "grpc-message"), None);

    let answer = peer.call("/test.Test/Count", &[], &framed([3]));
    let body = [framed([0]), framed([1]), framed([2])].concat();
    assert_eq!((answer.body, answer.trailers_only), (body, false));
    // A stream of nothing has a head, as it has no error to tell.
    let answer = peer.call("/test.Test/Count", &[], &framed([0]));
    assert_eq!((answer.code(), &answer.body[..]), ("0", &[][..]));
}

#[test]
fn an_error_without_messages_is_trailers_only() {
    let Scene { running, .. } = scene();
    let mut peer = Peer::connect(&running);
    let answer = peer.call("/test.Test/Fail", &[], &framed(""));
    assert!(answer.trailers_only);
    assert_eq!((answer.status, answer.code()), (200, "5"));
    assert_eq!(get(&answer.head, "content-type"), Some("application/grpc"));
    let message = get(&answer.trailers, "grpc-message");
    assert_eq!(message, Some("no such %E2%98%BA 5%25"));
}

#[test]
fn the_content_type_decides_and_its_codec_comes_back() {
    let Scene { running, .. } = scene();
    let mut peer = Peer::connect(&running);
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("data/grpc-vectors.json")).unwrap();
    for vector in vectors["content_type"].as_array().unwrap() {
        let content_type = vector[0].as_str().unwrap();
        let more = [("content-type", content_type)];
        let answer = peer.call("/test.Test/Echo", &more, &framed(""));
        match &vector[1] {
            serde_json::Value::Bool(true) => assert_eq!(answer.code(), "0", "{content_type}"),
            serde_json::Value::Bool(false) => assert_eq!(answer.status, 415, "{content_type}"),
            _ => assert_eq!(answer.status, 200, "{content_type}"),
        }
    }
    let more = [("content-type", "application/grpc+proto")];
    let answer = peer.call("/test.Test/Echo", &more, &framed(""));
    let content_type = get(&answer.head, "content-type");
    assert_eq!(content_type, Some("application/grpc+proto"));
    let answer = peer.call("/test.Test/Echo", &[(":method", "GET")], b"");
    assert_eq!(answer.status, 405);
}

#[test]
fn what_no_service_has_is_unimplemented() {
    let Scene { running, .. } = scene();
    let mut peer = Peer::connect(&running);
    for path in [
        "/test.Test/Nothing",
        "/test.Other/Echo",
        "/",
        "/test.Test",
        "//",
    ] {
        let answer = peer.call(path, &[], &framed(""));
        assert_eq!((answer.status, answer.code()), (200, "12"), "{path}");
        assert!(answer.trailers_only);
    }
}

#[test]
fn timeouts_are_read_and_kept() {
    let Scene { running, ends } = scene();
    let mut peer = Peer::connect(&running);
    let mut ask = |timeout: &str| {
        let more = [("grpc-timeout", timeout)];
        let answer = peer.call("/test.Test/Echo", &more, &framed("a"));
        answer.code().to_owned()
    };
    for timeout in ["1H", "1M", "100S", "99999999u", "99999999H"] {
        assert_eq!(ask(timeout), "0", "{timeout}");
    }
    for timeout in ["", "S", "1", "1s", "123456789S", "-1S", "1.5S", "1SS"] {
        assert_eq!(ask(timeout), "13", "{timeout}");
    }
    assert_eq!(ask("0S"), "4");
    let more = [("grpc-timeout", "30m")];
    let answer = peer.call("/test.Test/Never", &more, &framed(""));
    assert_eq!((answer.code(), answer.trailers_only), ("4", true));
    // Inside of a stream whose request stays open: the status, and a reset.
    let stream = peer.open("/test.Test/Talk", &[("grpc-timeout", "100m")]);
    peer.data(stream, 0, &framed("a"));
    let answer = peer.answer(stream);
    assert_eq!(answer.code(), "4");
    assert_eq!(ends.recv_timeout(PATIENCE), Ok(Gone::Aborted));
    peer.until(|seen| {
        seen.iter()
            .any(|it| matches!(it, Seen::Reset(id, 0, true) if *id == stream))
    });
    // Nobody else is touched.
    assert_eq!(peer.call("/test.Test/Echo", &[], &framed("b")).code(), "0");
}

#[test]
fn grpc_length_4gib() {
    let Scene { running, ends } = scene();
    let mut peer = Peer::connect(&running);
    for path in ["/test.Test/Echo", "/test.Test/Talk"] {
        for prefix in [[0, 0xff, 0xff, 0xff, 0xff], [0, 0, 0x40, 0, 1]] {
            let stream = peer.open(path, &[]);
            // The prefix alone, and the request stays open.
            peer.data(stream, 0, &prefix);
            assert_eq!(peer.answer(stream).code(), "8", "{path}");
        }
    }
    assert!(ends.recv_timeout(PATIENCE).is_ok());
    assert_eq!(peer.call("/test.Test/Echo", &[], &framed("b")).code(), "0");
}

#[test]
fn the_vectors_of_length_prefixed_messages_hold() {
    let Scene { running, .. } = scene();
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("data/grpc-vectors.json")).unwrap();
    let octets = |text: &str| -> Vec<u8> {
        let digits = text.as_bytes().chunks(2);
        digits
            .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    };
    for vector in vectors["length_prefixed"].as_array().unwrap() {
        let (id, body) = (&vector["id"], octets(vector["hex"].as_str().unwrap()));
        let gzip = id.as_str().unwrap().starts_with("gzip");
        if gzip && !cfg!(feature = "gzip") {
            continue;
        }
        let identity = id == "compressed-identity";
        let more: &[(&str, &str)] = match (gzip, identity) {
            (true, _) => &[("grpc-encoding", "gzip")],
            (_, true) => &[("grpc-encoding", "identity")],
            _ => &[],
        };
        let mut peer = Peer::connect(&running);
        // Cut in three, so that the prefix comes in parts too.
        for cut in [1, 2, 3, 4, 5, 6, 100] {
            let stream = peer.open("/test.Test/Talk", more);
            for piece in body.chunks(cut) {
                peer.data(stream, 0, piece);
            }
            if id != "len-4MiB" {
                peer.data(stream, END_STREAM, b"");
            }
            let name = format!("{id} cut {cut}");
            match &vector["expect"] {
                serde_json::Value::Array(messages) => {
                    let answer = peer.answer(stream);
                    assert_eq!(answer.code(), "0", "{name}");
                    let decoded: Vec<u8> = messages
                        .iter()
                        .flat_map(|message| {
                            let plain = message.get("decoded").or(message.get("hex"));
                            framed(octets(plain.and_then(|it| it.as_str()).unwrap_or_default()))
                        })
                        .collect();
                    assert_eq!(answer.body, decoded, "{name}");
                }
                expected => match expected.as_str().unwrap() {
                    "empty" => assert_eq!(peer.answer(stream).code(), "0", "{name}"),
                    "incomplete" => assert_eq!(peer.answer(stream).code(), "13", "{name}"),
                    "accept prefix" => peer.side.out.extend(number(RST_STREAM, stream, 8)),
                    text if text.starts_with("error:RESOURCE_EXHAUSTED") => {
                        assert_eq!(peer.answer(stream).code(), "8", "{name}");
                    }
                    text if text.starts_with("error:INTERNAL") => {
                        assert_eq!(peer.answer(stream).code(), "13", "{name}");
                    }
                    other => panic!("{other}"),
                },
            }
        }
    }
}

#[test]
fn frames_of_http2_and_messages_have_nothing_to_do_with_each_other() {
    let Scene { running, .. } = scene();
    let mut peer = Peer::connect(&running);
    let body = [framed("a"), framed(""), framed([7; 3000]), framed("b")].concat();
    for cut in [1, 7, 1000, 3016] {
        let stream = peer.open("/test.Test/Talk", &[]);
        for piece in body.chunks(cut) {
            let padded = [&[3][..], piece, &[0; 3]].concat();
            peer.data(stream, PADDED, &padded);
        }
        peer.data(stream, END_STREAM, b"");
        let answer = peer.answer(stream);
        assert_eq!((answer.code(), &answer.body), ("0", &body), "{cut}");
    }
}

#[test]
fn grpc_many_small_messages() {
    // A million of five octets, each in a frame of its own or as many as fit.
    const MESSAGES: u32 = 1_000_000;
    let Scene { running, .. } = scene();
    let mut peer = Peer::connect(&running);
    for in_a_frame in [1, 3276] {
        let stream = peer.open("/test.Test/Tally", &[]);
        let (mut sent, empty) = (0, vec![0; 5 * in_a_frame as usize]);
        while sent < MESSAGES {
            let Side { machine, out, .. } = &mut peer.side;
            while sent < MESSAGES && out.len() < 1 << 16 {
                let piece = &empty[..5 * (MESSAGES - sent).min(in_a_frame) as usize];
                if machine.capacity(stream) < piece.len() {
                    break;
                }
                let now = Instant::START;
                let taken = machine.send_data(stream, piece, false, now, out);
                assert_eq!(taken, Ok(piece.len()));
                sent += piece.len() as u32 / 5;
            }
            let waits = machine.capacity(stream) < empty.len();
            peer.stream.write_all(&core::mem::take(out)).unwrap();
            if waits && sent < MESSAGES {
                let mut bytes = [0; 4096];
                let n = peer.stream.read(&mut bytes).unwrap();
                assert_ne!(n, 0, "the end after {sent}");
                let seen = peer.side.feed(&bytes[..n]);
                assert_eq!(seen, [], "after {sent}");
            }
        }
        peer.data(stream, END_STREAM, b"");
        let answer = peer.answer(stream);
        let count = framed(MESSAGES.to_be_bytes());
        assert_eq!((answer.code(), &answer.body), ("0", &count));
    }
}

#[test]
fn a_unary_request_is_one_message() {
    let Scene { running, .. } = scene();
    let mut peer = Peer::connect(&running);
    for body in [vec![], [framed("a"), framed("b")].concat()] {
        assert_eq!(peer.call("/test.Test/Echo", &[], &body).code(), "12");
    }
    for body in [&framed("hello")[..7], &flagged(2, b"x"), &flagged(1, b"x")] {
        assert_eq!(peer.call("/test.Test/Echo", &[], body).code(), "13");
    }
    let answer = peer.call("/test.Test/Echo", &[("grpc-encoding", "br")], &framed(""));
    assert_eq!(answer.code(), "12");
    assert!(get(&answer.head, "grpc-accept-encoding").is_some());
}

#[test]
fn a_reset_cancels_a_call_at_once() {
    let Scene { running, ends } = scene();
    let mut peer = Peer::connect(&running);
    let stream = peer.open("/test.Test/Talk", &[]);
    peer.data(stream, 0, &framed("a"));
    peer.until(|seen| seen.iter().any(|it| matches!(it, Seen::Data(..))));
    peer.side.out.extend(number(RST_STREAM, stream, 8));
    peer.until(|_| true);
    let why = ends.recv_timeout(PATIENCE).unwrap();
    assert!(matches!(why, Gone::StreamReset { .. }), "{why:?}");
}

#[test]
fn metadata_goes_both_ways() {
    let Scene { running, .. } = scene();
    let mut peer = Peer::connect(&running);
    let more = [
        ("x-one", "a"),
        ("x-one", "b"),
        ("x-octets-bin", "AAE"),
        ("x-padded-bin", "Ag=="),
        ("x-many-bin", "AAE,Ag"),
        ("x-empty", ""),
    ];
    let answer = peer.call("/test.Test/Echo", &more, &framed(""));
    assert_eq!(answer.code(), "0");
    for list in [&answer.head, &answer.trailers] {
        let own: Vec<_> = list
            .iter()
            .filter(|(name, _)| name.starts_with("x-"))
            .map(|(n, v)| (&**n, &**v))
            .collect();
        assert_eq!(own, more);
    }
}

#[test]
fn grpc_metadata_of_bad_base64_is_an_internal_error() {
    let Scene { running, .. } = scene();
    let mut peer = Peer::connect(&running);
    for value in ["!", "A", "q6ur_w", "AAE, ,!"] {
        let answer = peer.call("/test.Test/Echo", &[("x-bad-bin", value)], &framed(""));
        assert_eq!((answer.status, answer.code()), (200, "13"), "{value}");
    }
    assert_eq!(peer.call("/test.Test/Echo", &[], &framed("")).code(), "0");
}

#[test]
fn the_web_form_is_served_over_http2_too() {
    let Scene { running, .. } = scene();
    let mut peer = Peer::connect(&running);
    let web = [("content-type", "application/grpc-web+proto")];
    let answer = peer.call("/test.Test/Echo", &web, &framed("hello"));
    let content_type = get(&answer.head, "content-type");
    assert_eq!(content_type, Some("application/grpc-web+proto"));
    let trailers = flagged(0x80, b"grpc-status: 0\r\n");
    assert_eq!(answer.body, [framed("hello"), trailers].concat());
    assert!(answer.trailers.is_empty());
}

#[test]
fn native_calls_need_http2() {
    let Scene { running, .. } = scene();
    let answer = running.exchange(
        "POST /test.Test/Echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc\r\n\
         Content-Length: 0\r\n\r\n",
    );
    assert_eq!(answer.status, 505);
}

#[test]
fn calls_share_a_connection_and_do_not_wait_for_each_other() {
    let Scene { running, .. } = scene();
    let mut peer = Peer::connect(&running);
    let streams: Vec<u32> = (0..100)
        .map(|_| peer.open("/test.Test/Talk", &[]))
        .collect();
    for turn in 0..3_u8 {
        for &stream in streams.iter().rev() {
            peer.data(stream, 0, &framed([turn]));
        }
    }
    for &stream in &streams {
        peer.data(stream, END_STREAM, b"");
    }
    for &stream in &streams {
        let answer = peer.answer(stream);
        assert_eq!(
            answer.body,
            [framed([0]), framed([1]), framed([2])].concat()
        );
        assert_eq!(answer.code(), "0");
    }
}

#[cfg(feature = "gzip")]
#[test]
fn compression_is_negotiated_for_each_direction() {
    use barewire::grpc::Gzip;
    let service = Service::new("test.Test")
        .compress()
        .unary("Echo", |request: Vec<u8>, _call| Ok(request));
    let running = Running::start(App::new().grpc(service));
    let mut peer = Peer::connect(&running);
    let mut packed = Vec::new();
    Gzip::new().compress(b"hello", &mut packed);
    let reads = ("grpc-accept-encoding", "identity,gzip");
    let (plain, gzip) = (framed("hello"), flagged(1, &packed));
    for (more, sent, compressed) in [
        (&[][..], &plain, false),
        (&[reads][..], &plain, true),
        (&[("grpc-encoding", "gzip")][..], &gzip, false),
        (&[("grpc-encoding", "gzip"), reads][..], &gzip, true),
    ] {
        let answer = peer.call("/test.Test/Echo", more, sent);
        let encoding = get(&answer.head, "grpc-encoding");
        assert_eq!(encoding, compressed.then_some("gzip"), "{more:?}");
        assert_eq!(answer.body, *if compressed { &gzip } else { &plain });
        assert_eq!(answer.code(), "0");
    }
}

#[test]
fn a_drained_server_finishes_what_runs() {
    let Scene { running, .. } = scene();
    let mut peer = Peer::connect(&running);
    let stream = peer.open("/test.Test/Never", &[("grpc-timeout", "300m")]);
    peer.data(stream, END_STREAM, &framed(""));
    assert_eq!(peer.call("/test.Test/Echo", &[], &framed("a")).code(), "0");
    running.server().handle().shutdown(PATIENCE);
    peer.until(|seen| seen.iter().any(|it| matches!(it, Seen::GoAway(..))));
    assert_eq!(peer.answer(stream).code(), "4");
}
