//! Native gRPC, frame by frame: the rules of PROTOCOL-HTTP2.md over real
//! sockets.

#![cfg(feature = "net")]

use std::io::{Read, Write};

use crate::app_support::Running;
use crate::app_support::grpc::{flagged, framed};
use crate::grpc_http2::{PATIENCE, Peer, Scene, get, scene};
use crate::http2_support::{END_STREAM, PADDED, RST_STREAM, Seen, Side, number};
use barewire::app::{App, Service};
use barewire::link::EndReason;
use barewire::wire::Instant;

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
    assert!(!answer.trailers_only);
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
        serde_json::from_str(include_str!("../data/grpc-vectors.json")).unwrap();
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
    assert_eq!(ends.recv_timeout(PATIENCE), Ok(EndReason::Aborted));
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
        serde_json::from_str(include_str!("../data/grpc-vectors.json")).unwrap();
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
    assert!(matches!(why, EndReason::StreamReset { .. }), "{why:?}");
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
    use barewire::app::{Direction, Kind};
    use barewire::grpc::Gzip;
    let service = Service::new("test.Test")
        .compress()
        .unary("Echo", |request: Vec<u8>, _call| Ok(request));
    let app = App::new().grpc(service);
    let metrics = app.metrics();
    let running = Running::start(app);
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
    // Two messages each way, with their bytes before and after.
    let counts = metrics.snapshot().codings;
    let ways: Vec<_> = counts.iter().map(|it| it.direction).collect();
    assert_eq!(ways, [Direction::Received, Direction::Sent]);
    for count in counts {
        assert_eq!((count.kind, count.coding), (Kind::Grpc, "gzip"));
        assert_eq!((count.plain, count.coded), (10, 2 * packed.len() as u64));
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
