//! The calls of a channel, against server machines.
#![cfg(feature = "net")]

use core::time::Duration;

use crate::client_support::{Scene, framed};
use barewire::client::{CallOptions, Calls, ChannelLimits, NextMessage, UsageError};
use barewire::grpc::{Code, Encoding, Status};
use barewire::http::Field;
use barewire::http2::{self, ErrorCode};
use barewire::link::{EndReason, Unreachable};
use barewire::net::Flow;
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_request_carries_the_fields_of_the_protocol() {
    let mut scene = Scene::new();
    scene.calls =
        Calls::new("server.example:7", ChannelLimits::DEFAULT, 3).with_user_agent("greeter/2");
    let options = CallOptions::new()
        .timeout(5 * SECOND)
        .metadata("x-id", "7")
        .binary_metadata("trace-bin", &[0xab, 0xab]);
    let call = scene.start_with(&options);
    scene.calls.send(call, b"hi").unwrap();
    scene.calls.close_sending(call);
    scene.settle();
    let seen = &scene.server().seen[&1];
    assert_eq!(
        (seen.path.as_str(), seen.authority.as_str()),
        ("/a.B/C", "server.example:7")
    );
    let list: Vec<_> = seen
        .fields
        .as_fields()
        .iter()
        .filter(|field| !field.is("host"))
        .map(|field| String::from_utf8([field.name, b": ", field.value].concat()).unwrap())
        .collect();
    let agent = concat!(
        "user-agent: greeter/2 grpc-rust-barewire/",
        env!("CARGO_PKG_VERSION")
    );
    let expected = [
        "content-type: application/grpc",
        "te: trailers",
        &format!("grpc-accept-encoding: {}", Encoding::ACCEPTED),
        "grpc-timeout: 5000000u",
        agent,
        "x-id: 7",
        "trace-bin: q6s",
    ];
    for field in expected {
        assert!(list.iter().any(|it| it == field), "{field}: {list:?}");
    }
    assert_eq!(list.len(), expected.len(), "{list:?}");
    assert_eq!(seen.body, framed(b"hi"));
    assert!(seen.ended);
}

#[test]
fn a_response_is_its_metadata_its_messages_and_its_trailers() {
    let mut scene = Scene::new();
    let call = scene.unary(b"hi");
    scene.settle();
    scene.server().head(1, &[("x-first", "1")]);
    scene.server().message(1, b"one");
    scene.server().message(1, b"");
    scene.settle();
    assert_eq!(scene.calls.changed(), Some(call));
    let head = scene.calls.head(call).unwrap();
    assert_eq!(head.get("x-first").unwrap(), b"1");
    assert_eq!(scene.message(call).unwrap(), b"one");
    assert_eq!(scene.message(call).unwrap(), b"");
    assert!(matches!(scene.calls.next(call), NextMessage::Wait));
    let end = [
        ("grpc-status", "5"),
        ("grpc-message", "no %E2%98%BA"),
        ("x-last", "2"),
    ];
    scene.server().status(1, &end);
    scene.settle();
    assert!(matches!(scene.calls.next(call), NextMessage::Over));
    assert_eq!(scene.ending(call), "NOT_FOUND: no ☺");
    let removed = scene.calls.remove(call).unwrap();
    let trailers: Vec<_> = removed.ending.trailers().iter().collect();
    assert_eq!(trailers, [Field::new("x-last", "2")]);
    assert!(scene.calls.is_empty());
}

#[test]
fn a_call_that_has_ended_stays_so_when_its_channel_is_abandoned() {
    let mut scene = Scene::new();
    let (done, runs) = (scene.unary(b"hi"), scene.unary(b"hi"));
    scene.settle();
    scene.server().answer(1, b"done");
    scene.settle();
    scene.calls.abandon("gone");
    assert_eq!(scene.message(done).unwrap(), b"done");
    assert_eq!(scene.ending(done), "OK");
    assert_eq!(scene.ending(runs), "UNAVAILABLE: gone");
}

#[test]
fn trailers_alone_end_a_call() {
    let mut scene = Scene::new();
    let call = scene.unary(b"hi");
    scene.settle();
    let fields = [
        Field::new("content-type", "application/grpc"),
        Field::new("grpc-status", "12"),
    ];
    scene.server().respond(1, 200, &fields, true);
    scene.settle();
    assert_eq!(scene.ending(call), "UNIMPLEMENTED");
}

#[test]
fn a_call_that_the_server_ends_early_is_reset_and_forgotten() {
    let mut scene = Scene::new();
    let call = scene.start();
    scene.calls.send(call, b"one").unwrap();
    scene.settle();
    scene.server().answer(1, b"enough");
    scene.settle();
    assert_eq!(scene.message(call).unwrap(), b"enough");
    assert_eq!(scene.ending(call), "OK");
    assert_eq!(scene.server().seen[&1].reset, Some(ErrorCode::NO_ERROR));
    assert_eq!(scene.calls.send(call, b"two"), Err(UsageError::Over));
    assert_eq!(scene.server().machine.streams(), 0);
}

#[test]
fn what_is_no_answer_of_grpc_gets_the_code_of_the_specification() {
    let grpc = Field::new("content-type", "application/grpc");
    let cases: [(u16, &[Field<'_>], Code); 12] = [
        (400, &[], Code::Internal),
        (401, &[], Code::Unauthenticated),
        (403, &[], Code::PermissionDenied),
        (404, &[], Code::Unimplemented),
        (429, &[], Code::Unavailable),
        (502, &[], Code::Unavailable),
        (503, &[], Code::Unavailable),
        (504, &[], Code::Unavailable),
        (418, &[], Code::Unknown),
        (
            200,
            &[Field::new("content-type", "text/html")],
            Code::Unknown,
        ),
        (200, &[grpc], Code::Unknown),
        (
            200,
            &[grpc, Field::new("grpc-encoding", "br")],
            Code::Internal,
        ),
    ];
    for (status, fields, code) in cases {
        let mut scene = Scene::new();
        let call = scene.unary(b"hi");
        scene.settle();
        scene.server().respond(1, status, fields, true);
        scene.settle();
        let ending = scene.calls.ending(call).unwrap();
        assert_eq!(ending.code(), code, "{status} {fields:?}: {ending}");
        assert_eq!(scene.server().machine.streams(), 0);
    }
}

/// gRPC compression.
#[cfg(feature = "gzip")]
mod gzip {
    use super::*;

    fn flagged(flag: u8, message: &[u8]) -> Vec<u8> {
        let mut frame = framed(message);
        frame[0] = flag;
        frame
    }

    #[test]
    fn a_call_with_compression_says_so_and_flags_each_message() {
        let mut scene = Scene::new();
        let call = scene.start_with(&CallOptions::new().compression());
        scene.calls.send_compressed(call, b"packed").unwrap();
        scene.calls.send(call, b"plain").unwrap();
        scene.settle();
        let seen = &scene.server().seen[&1];
        let fields = seen.fields.as_fields();
        assert_eq!(fields.get("grpc-encoding"), Some(&b"gzip"[..]));
        let sent = [flagged(1, b"packed"), flagged(0, b"plain")].concat();
        assert_eq!(seen.body, sent);
    }

    #[test]
    fn a_call_without_compression_sends_nothing_compressed() {
        let mut scene = Scene::new();
        let call = scene.start();
        let refused = scene.calls.send_compressed(call, b"packed");
        assert_eq!(refused, Err(UsageError::EncodingNotSent));
        scene.settle();
        let seen = &scene.server().seen[&1];
        assert!(!seen.fields.as_fields().contains("grpc-encoding"));
        assert_eq!(seen.body, b"");
    }

    #[test]
    fn each_message_of_a_response_says_whether_it_is_compressed() {
        let mut scene = Scene::new();
        scene.cut = 3;
        let call = scene.unary(b"hi");
        scene.settle();
        scene.server().head(1, &[("grpc-encoding", "gzip")]);
        scene.server().body(1, &flagged(1, b"packed"));
        scene.server().body(1, &flagged(0, b"plain"));
        scene.server().status(1, &[("grpc-status", "0")]);
        scene.settle();
        for (bytes, compressed) in [(&b"packed"[..], true), (b"plain", false)] {
            let NextMessage::Message(message) = scene.calls.next(call) else {
                panic!("no message");
            };
            assert_eq!((&*message.bytes, message.compressed), (bytes, compressed));
        }
        assert_eq!(scene.ending(call), "OK");
    }

    #[test]
    fn a_compressed_message_that_was_not_announced_ends_the_call() {
        let mut scene = Scene::new();
        let call = scene.unary(b"hi");
        scene.settle();
        scene.server().head(1, &[]);
        scene.server().body(1, &flagged(1, b"packed"));
        scene.settle();
        let ending = scene.calls.ending(call).unwrap();
        assert_eq!(ending.code(), Code::Internal, "{ending}");
    }

    #[test]
    fn a_call_that_begins_anew_is_compressed_again() {
        let mut scene = Scene::new();
        let call = scene.start_with(&CallOptions::new().compression());
        scene.calls.send_compressed(call, b"packed").unwrap();
        scene.settle();
        scene.server().reset(1, ErrorCode::REFUSED_STREAM);
        scene.settle();
        let seen = &scene.server().seen[&3];
        let fields = seen.fields.as_fields();
        assert_eq!(fields.get("grpc-encoding"), Some(&b"gzip"[..]));
        assert_eq!(seen.body, flagged(1, b"packed"));
    }
}

#[test]
fn a_reset_stream_gets_the_code_of_the_specification() {
    for (reset, code) in [
        (ErrorCode::NO_ERROR, Code::Internal),
        (ErrorCode::PROTOCOL_ERROR, Code::Internal),
        (ErrorCode::INTERNAL_ERROR, Code::Internal),
        (ErrorCode::FLOW_CONTROL_ERROR, Code::Internal),
        (ErrorCode::SETTINGS_TIMEOUT, Code::Internal),
        (ErrorCode::STREAM_CLOSED, Code::Internal),
        (ErrorCode::FRAME_SIZE_ERROR, Code::Internal),
        (ErrorCode::CANCEL, Code::Cancelled),
        (ErrorCode::COMPRESSION_ERROR, Code::Internal),
        (ErrorCode::CONNECT_ERROR, Code::Internal),
        (ErrorCode::ENHANCE_YOUR_CALM, Code::ResourceExhausted),
        (ErrorCode::INADEQUATE_SECURITY, Code::PermissionDenied),
    ] {
        let mut scene = Scene::new();
        let call = scene.unary(b"hi");
        scene.settle();
        scene.server().reset(1, reset);
        scene.settle();
        assert_eq!(scene.calls.ending(call).unwrap().code(), code, "{reset}");
    }
}

#[test]
fn messages_that_came_before_a_reset_are_given_out_first() {
    let mut scene = Scene::new();
    let call = scene.unary(b"hi");
    scene.settle();
    scene.server().head(1, &[]);
    scene.server().message(1, b"whole");
    scene.server().reset(1, ErrorCode::INTERNAL_ERROR);
    scene.settle();
    assert_eq!(scene.message(call).unwrap(), b"whole");
    assert!(matches!(scene.calls.next(call), NextMessage::Over));
    assert_eq!(scene.calls.ending(call).unwrap().code(), Code::Internal);
}

/// What comes of a call whose response ends with `status` behind a whole
/// message, if `whole`, and `rest`; messages are taken before the end comes,
/// or behind it.
fn ending_behind(whole: bool, rest: &[u8], early: bool, status: &str) -> String {
    let limits = ChannelLimits::DEFAULT.with_message(100);
    let mut scene = Scene::with(limits, http2::Limits::DEFAULT);
    let call = scene.unary(b"hi");
    scene.settle();
    scene.server().head(1, &[]);
    if whole {
        scene.server().message(1, b"whole");
    }
    scene.server().body(1, rest);
    let mut taken = None;
    if early {
        scene.settle();
        taken = scene.message(call);
    }
    if scene.server().seen[&1].reset.is_none() {
        scene.server().status(1, &[("grpc-status", status)]);
    }
    scene.settle();
    let taken = taken.or_else(|| scene.message(call));
    assert_eq!(taken.is_some(), whole);
    assert!(matches!(scene.calls.next(call), NextMessage::Over));
    scene.ending(call)
}

#[test]
fn a_status_in_the_middle_of_a_message_is_no_success_and_no_other_failure() {
    for (whole, early) in [(false, false), (false, true), (true, false), (true, true)] {
        let torn = &framed(b"torn")[..6];
        let ending = |rest, status| ending_behind(whole, rest, early, status);
        assert_eq!(ending(torn, "8"), "RESOURCE_EXHAUSTED");
        assert!(ending(torn, "0").starts_with("INTERNAL: body ends inside"));
        assert!(ending(torn, "none").starts_with("INTERNAL: body ends inside"));
        assert_eq!(ending(b"", "8"), "RESOURCE_EXHAUSTED");
        assert!(ending(b"", "none").starts_with("UNKNOWN: no grpc-status"));
    }
}

#[test]
fn a_message_that_is_none_is_the_end_of_the_call_whenever_others_are_taken() {
    for (whole, early) in [(false, false), (false, true), (true, false), (true, true)] {
        let ending = |rest, status| ending_behind(whole, rest, early, status);
        for status in ["0", "5"] {
            assert!(ending(b"\x02", status).starts_with("INTERNAL: unknown frame flag"));
            let long = ending(b"\0\0\0\0\x65", status);
            assert!(long.starts_with("RESOURCE_EXHAUSTED: message is larger"));
        }
    }
}

#[test]
fn a_message_that_cannot_be_read_is_no_success_even_after_ok() {
    let mut scene = Scene::new();
    let call = scene.unary(b"hi");
    scene.settle();
    scene.server().answer(1, b"what is this");
    scene.settle();
    assert_eq!(scene.ending(call), "OK");
    assert!(scene.message(call).is_some());
    let unreadable = Status::new(Code::Internal, "unreadable");
    scene.calls.fail(call, unreadable.into());
    scene.calls.cancel(call);
    assert_eq!(scene.ending(call), "INTERNAL: unreadable");
    assert!(matches!(scene.calls.next(call), NextMessage::Over));
}

#[test]
fn a_refused_stream_is_opened_again_once() {
    let mut scene = Scene::new();
    let call = scene.unary(b"hi");
    scene.settle();
    scene.server().reset(1, ErrorCode::REFUSED_STREAM);
    scene.settle();
    assert_eq!(scene.server().seen[&3].body, framed(b"hi"));
    assert!(scene.server().seen[&3].ended);
    scene.server().reset(3, ErrorCode::REFUSED_STREAM);
    scene.settle();
    assert_eq!(scene.calls.ending(call).unwrap().code(), Code::Unavailable);
    assert!(!scene.server().seen.contains_key(&5));
}

#[test]
fn calls_beyond_the_servers_limit_wait_their_turn() {
    let mut scene = Scene::with(
        ChannelLimits::DEFAULT,
        http2::Limits::DEFAULT.with_streams(2),
    );
    let calls: Vec<_> = (0..5u8).map(|n| scene.unary(&[n])).collect();
    scene.settle();
    for stream in [1, 3, 5, 7, 9] {
        assert!(scene.server().machine.streams() <= 2);
        let body = scene.server().seen[&stream].body.clone();
        scene.server().answer(stream, &body[5..]);
        scene.settle();
    }
    for (n, call) in (0..).zip(calls) {
        assert_eq!(scene.message(call).unwrap(), [n]);
        assert_eq!(scene.ending(call), "OK");
    }
}

#[test]
fn goaway_lets_old_calls_finish_and_unseen_ones_begin_anew() {
    let mut scene = Scene::new();
    let old = scene.unary(b"old");
    scene.settle();
    let unseen = scene.unary(b"unseen");
    // GOAWAY with last stream 1 crosses the second request.
    let (link, server) = scene.servers.last_mut().unwrap();
    let link = *link;
    server.machine.shutdown(scene.now, &mut server.out).unwrap();
    drop(scene.output(link));
    scene.receive(link, &mut goaway(1));
    scene.settle();
    assert_eq!(scene.servers.len(), 2);
    assert_eq!(scene.server().seen[&1].body, framed(b"unseen"));
    scene.server().answer(1, b"new");
    scene.servers[0].1.answer(1, b"finished");
    scene.settle();
    assert_eq!(scene.message(old).unwrap(), b"finished");
    assert_eq!(scene.message(unseen).unwrap(), b"new");
    assert!(scene.is_over(link), "the old connection has no calls");
}

/// GOAWAY with `last` as the last stream that the server has looked at.
fn goaway(last: u8) -> [u8; 17] {
    let mut frame = *b"\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\0";
    frame[12] = last;
    frame
}

#[test]
fn a_call_that_no_server_looks_at_is_sent_again_once_and_immediately() {
    for refused_first in [false, true] {
        let mut scene = Scene::new();
        let options = CallOptions::new().wait_for_ready(true);
        let call = scene.start_with(&options);
        scene.calls.send(call, b"hi").unwrap();
        scene.calls.close_sending(call);
        scene.settle();
        if refused_first {
            scene.server().reset(1, ErrorCode::REFUSED_STREAM);
            scene.settle();
            assert_eq!(scene.server().seen[&3].body, framed(b"hi"));
        } else {
            let link = scene.servers[0].0;
            scene.receive(link, &mut goaway(0));
            scene.settle();
            assert_eq!(scene.servers.len(), 2, "no time has passed");
            assert_eq!(scene.server().seen[&1].body, framed(b"hi"));
        }
        let link = scene.servers.last().unwrap().0;
        scene.receive(link, &mut goaway(0));
        let ending = scene.calls.ending(call).unwrap();
        assert_eq!(ending.code(), Code::Unavailable, "{ending}");
        let servers = scene.servers.len();
        scene.pass(300);
        assert_eq!(scene.servers.len(), servers, "nobody calls");
    }
}

#[test]
fn a_call_that_never_left_waits_for_a_connection_until_its_deadline() {
    let mut scene = Scene::with(
        ChannelLimits::DEFAULT,
        http2::Limits::DEFAULT.with_streams(1),
    );
    let options = CallOptions::new().timeout(60 * SECOND);
    let [sent, waits] = [0; 2].map(|_| {
        let call = scene.start_with(&options);
        scene.calls.send(call, b"hi").unwrap();
        scene.calls.close_sending(call);
        call
    });
    scene.settle();
    // Each server takes leave of the one call that it was sent.
    for gone in [false, true] {
        let link = scene.servers.last().unwrap().0;
        scene.receive(link, &mut goaway(0));
        scene.closed(link);
        assert_eq!(scene.calls.ending(sent).is_some(), gone);
        assert_eq!(scene.ending(waits), "it runs");
        scene.servers.clear();
        scene.settle();
    }
    // Others that greet, and take leave before they are sent anything.
    let mut leaves = 0;
    while scene.calls.ending(waits).is_none() {
        match scene.open() {
            Some(link) => {
                leaves += 1;
                let mut bytes = [&b"\0\0\0\x04\0\0\0\0\0"[..], &goaway(0)].concat();
                scene.receive(link, &mut bytes);
                scene.closed(link);
            }
            None => {
                scene.now = scene.calls.deadline().unwrap();
                scene.elapse();
            }
        }
    }
    assert_eq!(scene.ending(waits), "DEADLINE_EXCEEDED: deadline exceeded");
    assert!((3..12).contains(&leaves), "{leaves} attempts in a minute");
}

#[test]
fn what_was_sent_beyond_the_limit_of_replay_is_not_sent_again() {
    let mut scene = Scene::with(
        ChannelLimits::DEFAULT.with_replay(10),
        http2::Limits::DEFAULT,
    );
    let call = scene.unary(&[1; 20]);
    scene.settle();
    scene.server().reset(1, ErrorCode::REFUSED_STREAM);
    scene.settle();
    assert_eq!(scene.calls.ending(call).unwrap().code(), Code::Unavailable);
}

#[test]
fn a_lost_connection_ends_its_calls_and_the_next_one_serves_the_others() {
    let limits = http2::Limits::DEFAULT.with_streams(1);
    let mut scene = Scene::with(ChannelLimits::DEFAULT, limits);
    let lost = scene.unary(b"lost");
    let waits = scene.unary(b"waits");
    scene.settle();
    let link = scene.servers[0].0;
    scene.closed(link);
    scene.servers.clear();
    assert_eq!(scene.ending(lost), "UNAVAILABLE: connection was lost");
    scene.pass(2);
    assert_eq!(scene.server().seen[&1].body, framed(b"waits"));
    scene.server().answer(1, b"ok");
    scene.settle();
    assert_eq!(scene.message(waits).unwrap(), b"ok");
}

#[test]
fn a_server_that_cannot_be_reached_fails_calls_that_do_not_wait_for_it() {
    let mut scene = Scene::new();
    let hasty = scene.unary(b"hasty");
    let patient = scene.start_with(&CallOptions::new().wait_for_ready(true));
    let mut attempts = Vec::new();
    while attempts.len() < 12 {
        match scene.dial() {
            Some(link) => {
                attempts.push(scene.now);
                assert!(scene.calls.dial(scene.now).is_none());
                scene.gone(link, EndReason::Unreachable(Unreachable::NotResolved));
                let why = "UNAVAILABLE: cannot connect to server.example:7: \
                           the name cannot be resolved";
                assert_eq!(scene.ending(hasty), why);
                assert_eq!(scene.ending(patient), "it runs");
                let hasty = CallOptions::new();
                let refused = scene.calls.start("/a.B/C", &hasty, (), scene.now);
                assert_eq!(refused.unwrap_err().to_string(), why);
            }
            None => scene.now = scene.calls.deadline().unwrap(),
        }
    }
    let mut expected = 1.0;
    for pair in attempts.windows(2) {
        let pause = pair[1].saturating_since(pair[0]).as_secs_f64();
        assert!((0.79..1.21).contains(&(pause / expected)), "{pause}");
        expected = f64::min(expected * 1.6, 120.0);
    }
    scene.now = scene.calls.deadline().unwrap();
    scene.calls.close_sending(patient);
    scene.settle();
    scene.server().answer(1, b"at last");
    scene.settle();
    assert_eq!(scene.message(patient).unwrap(), b"at last");
}

/// How a call ends whose server says `answer` first, in pieces of `cut` bytes,
/// and then closes.
fn ending_of_stranger(answer: &[u8], cut: usize) -> String {
    let mut scene = Scene::new();
    let call = scene.unary(b"hi");
    let link = scene.open().unwrap();
    for piece in answer.to_vec().chunks_mut(cut) {
        scene.receive(link, piece);
    }
    scene.closed(link);
    assert!(scene.is_over(link));
    scene.ending(call)
}

#[test]
fn a_server_that_speaks_something_else_is_named_as_such() {
    let http1 = "server does not speak HTTP/2: the answer is in HTTP/1 (RFC 9113 §3.4)";
    let other = "server does not speak HTTP/2: \
                 first frame is not SETTINGS (RFC 9113 §3.4)";
    let tls = "server speaks TLS, and the channel does not: expected https://";
    let none = "connection was lost before the server's first frame";
    for (answer, expected) in [
        (&b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n"[..], http1),
        (b"HTTP/1.0 505 HTTP Version Not Supported\r\n\r\n", http1),
        (b"<!DOCTYPE HTML>\n<html lang=\"en\">", other),
        (b"SSH-2.0-OpenSSH_9.9\r\n", other),
        (b"\0\0\x08\x06\0\0\0\0\x0012345678", other), // PING
        (b"\x15\x03\x01\0\x02\x02\x46", tls),         // an alert
        (b"", none),
        (b"HTTP", none),
    ] {
        for cut in [1, 5, 1000] {
            let ending = ending_of_stranger(answer, cut);
            let why = ending.strip_prefix("UNAVAILABLE: cannot connect to server.example:7: ");
            assert_eq!(why, Some(expected), "{answer:?}");
        }
    }
}

#[test]
fn a_server_that_never_greets_is_given_up() {
    let mut scene = Scene::new();
    let call = scene.unary(b"hi");
    let link = scene.open().unwrap();
    scene.now += ChannelLimits::DEFAULT.greeting + SECOND;
    scene.elapse();
    assert_eq!(scene.calls.ending(call).unwrap().code(), Code::Unavailable);
    assert!(scene.is_over(link));
}

#[test]
fn a_deadline_ends_a_call_and_its_stream() {
    let mut scene = Scene::new();
    let call = scene.start_with(&CallOptions::new().timeout(3 * SECOND));
    scene.calls.send(call, b"hi").unwrap();
    scene.settle();
    scene.server().head(1, &[]);
    scene.server().message(1, b"too late to be taken");
    scene.settle();
    scene.pass(2);
    assert_eq!(scene.ending(call), "it runs");
    scene.pass(1);
    assert_eq!(scene.ending(call), "DEADLINE_EXCEEDED: deadline exceeded");
    assert_eq!(scene.server().seen[&1].reset, Some(ErrorCode::CANCEL));
    assert!(matches!(scene.calls.next(call), NextMessage::Over));
}

#[test]
fn a_deadline_counts_also_for_calls_that_wait_and_the_server_is_told_the_rest() {
    let limits = http2::Limits::DEFAULT.with_streams(1);
    let mut scene = Scene::with(ChannelLimits::DEFAULT, limits);
    let first = scene.unary(b"first");
    let options = CallOptions::new().timeout(5 * SECOND);
    let (second, third) = (scene.start_with(&options), scene.start_with(&options));
    scene.settle();
    scene.pass(2);
    scene.server().answer(1, b"done");
    scene.settle();
    assert_eq!(scene.ending(first), "OK");
    let fields = scene.server().seen[&3].fields.as_fields();
    assert_eq!(fields.get("grpc-timeout").unwrap(), b"3000000u");
    scene.pass(3);
    for call in [second, third] {
        let ending = scene.calls.ending(call).unwrap();
        assert_eq!(ending.code(), Code::DeadlineExceeded);
    }
    assert!(!scene.server().seen.contains_key(&5));
}

#[test]
fn a_cancelled_call_resets_its_stream_or_is_never_sent() {
    let mut scene = Scene::new();
    let sent = scene.unary(b"sent");
    scene.settle();
    let unsent = scene.unary(b"unsent");
    scene.calls.cancel(unsent);
    scene.calls.cancel(sent);
    scene.settle();
    assert_eq!(scene.server().seen[&1].reset, Some(ErrorCode::CANCEL));
    assert_eq!(scene.server().seen.len(), 1);
    for call in [sent, unsent] {
        assert_eq!(scene.calls.ending(call).unwrap().code(), Code::Cancelled);
    }
}

#[test]
fn a_message_over_the_limit_is_refused_by_its_prefix() {
    let limits = ChannelLimits::DEFAULT.with_message(1000);
    let mut scene = Scene::with(limits, http2::Limits::DEFAULT);
    let call = scene.unary(b"hi");
    scene.settle();
    scene.server().head(1, &[]);
    scene.server().message(1, &[7; 1000]);
    scene.server().body(1, b"\0\xff\xff\xff\xff");
    scene.settle();
    assert_eq!(scene.message(call).unwrap(), [7; 1000]);
    scene.settle();
    let ending = scene.calls.ending(call).unwrap();
    assert_eq!(ending.code(), Code::ResourceExhausted);
    assert_eq!(scene.server().seen[&1].reset, Some(ErrorCode::CANCEL));
}

#[test]
fn what_is_wrong_on_one_stream_ends_its_call_alone() {
    let limits = ChannelLimits::DEFAULT.with_fields(2);
    let mut scene = Scene::with(limits, http2::Limits::DEFAULT);
    let calls = [scene.unary(b"1"), scene.unary(b"2"), scene.unary(b"3")];
    scene.settle();
    scene.server().out.extend(barewire_block(&"x".repeat(200)));
    let data = [0, 0, 1, 0, 0, 0, 0, 0, 3, b'a']; // before its head
    scene.server().out.extend(data);
    scene.server().answer(5, b"ok");
    scene.settle();
    let [many, malformed] = [calls[0], calls[1]].map(|it| scene.calls.ending(it).unwrap());
    assert_eq!(
        many.to_string(),
        "RESOURCE_EXHAUSTED: more than the limit `fields` allows"
    );
    assert_eq!(
        malformed.to_string(),
        "INTERNAL: the server broke the protocol: malformed message (RFC 9113 §8.1.1)"
    );
    assert_eq!(scene.message(calls[2]).unwrap(), b"ok");
}

#[test]
fn metadata_over_the_limit_ends_the_call_alone() {
    let limits = ChannelLimits::DEFAULT.with_metadata(500);
    let mut scene = Scene::with(limits, http2::Limits::DEFAULT);
    let (large, small) = (scene.unary(b"1"), scene.unary(b"2"));
    scene.settle();
    let long = "x".repeat(400);
    let block = barewire_block(&long);
    scene.server().out.extend(block);
    scene.server().answer(3, b"ok");
    scene.settle();
    let ending = scene.calls.ending(large).unwrap();
    assert_eq!(
        ending.to_string(),
        "RESOURCE_EXHAUSTED: more than the limit `metadata` allows"
    );
    assert_eq!(scene.message(small).unwrap(), b"ok");
}

/// A HEADERS frame on stream 1 with a long field, from a server that ignores
/// what it was told.
fn barewire_block(long: &str) -> Vec<u8> {
    let mut block = vec![0x88]; // :status 200
    for name in [b'a', b'b'] {
        block.extend([0x10, 1, name, 0x7f, (long.len() - 127) as u8 | 0x80]);
        block.push(((long.len() - 127) >> 7) as u8);
        block.extend(long.as_bytes());
    }
    let len = (block.len() as u32).to_be_bytes();
    [&len[1..], &[1, 4, 0, 0, 0, 1], &block].concat()
}

#[test]
fn messages_that_nobody_takes_hold_the_server_back() {
    let limits = ChannelLimits::DEFAULT.with_window(10_000);
    let mut scene = Scene::with(limits, http2::Limits::DEFAULT);
    let (slow, quick) = (scene.unary(b"slow"), scene.unary(b"quick"));
    scene.settle();
    scene.server().head(1, &[]);
    for n in 0..100 {
        scene.server().message(1, &[n; 995]);
    }
    scene.settle();
    let waiting = scene.server().waiting(1);
    assert!(waiting >= 90_000, "{waiting}");
    // Others are not held back.
    scene.server().answer(3, &[1; 5000]);
    scene.settle();
    assert_eq!(scene.message(quick).unwrap().len(), 5000);
    for n in 0..100 {
        assert_eq!(scene.message(slow).unwrap(), [n; 995]);
        scene.settle();
    }
    assert_eq!(scene.server().waiting(1), 0);
}

#[test]
fn a_message_larger_than_the_window_comes_in_whole() {
    let limits = ChannelLimits::DEFAULT.with_window(1000);
    let mut scene = Scene::with(limits, http2::Limits::DEFAULT);
    let call = scene.unary(b"hi");
    scene.settle();
    scene.server().head(1, &[]);
    scene.server().message(1, &[3; 100_000]);
    scene.server().message(1, &[4; 100_000]);
    scene.settle();
    assert!(scene.server().waiting(1) > 98_000, "one is ahead at most");
    assert_eq!(scene.message(call).unwrap(), [3; 100_000]);
    scene.settle();
    assert_eq!(scene.message(call).unwrap(), [4; 100_000]);
}

#[test]
fn a_sender_is_told_to_wait_and_to_go_on() {
    let limits = ChannelLimits::DEFAULT.with_unsent(1000);
    let server_limits = http2::Limits::DEFAULT.with_stream_window(2000);
    let mut scene = Scene::with(limits, server_limits);
    let call = scene.start();
    scene.settle();
    scene.server().reads = false;
    assert_eq!(scene.calls.send(call, &[0; 1500]), Ok(Flow::Wait));
    assert_eq!(scene.calls.send(call, &[0; 10]), Err(UsageError::NoRoom));
    scene.settle();
    assert_eq!(scene.calls.changed(), Some(call));
    assert!(scene.calls.has_room(call));
    // The server's window is shut now, and nothing grows without bounds.
    let mut taken = 0;
    while scene.calls.send(call, &[0; 95]).is_ok() {
        taken += 1;
        scene.settle();
    }
    assert!((10..=16).contains(&taken), "{taken}");
    assert_eq!(scene.server().seen[&1].body.len(), 2000);
    let server = scene.server();
    server.reads = true;
    server.machine.consume(1, 2000, &mut server.out);
    scene.settle();
    assert_eq!(scene.calls.changed(), Some(call));
    assert_eq!(scene.calls.send(call, &[0; 95]), Ok(Flow::Go));
}

#[test]
fn a_message_of_any_size_is_taken_when_there_is_room() {
    let mut scene = Scene::new();
    let call = scene.unary(&vec![9; 3 << 20]);
    scene.settle();
    assert_eq!(scene.server().seen[&1].body.len(), (3 << 20) + 5);
    assert!(scene.server().seen[&1].ended);
    scene.server().answer(1, b"ok");
    scene.settle();
    assert_eq!(scene.message(call).unwrap(), b"ok");
}

#[test]
fn too_many_calls_at_once_are_refused() {
    let limits = ChannelLimits::DEFAULT.with_calls(2);
    let mut scene = Scene::with(limits, http2::Limits::DEFAULT);
    let first = scene.start();
    scene.start();
    let options = CallOptions::new();
    let refused = scene.calls.start("/a.B/C", &options, (), scene.now);
    assert_eq!(refused.unwrap_err().code(), Code::ResourceExhausted);
    scene.calls.remove(first);
    assert!(scene.calls.start("/a.B/C", &options, (), scene.now).is_ok());
}

#[test]
fn metadata_that_cannot_be_sent_never_leaves() {
    for options in [
        CallOptions::new().metadata("grpc-status", "0"),
        CallOptions::new().metadata("x", "a\r\nb: c"),
        CallOptions::new().metadata("X", "a"),
        CallOptions::new().binary_metadata("x", b"a"),
    ] {
        let mut scene = Scene::new();
        let refused = scene.calls.start("/a.B/C", &options, (), scene.now);
        assert_eq!(refused.unwrap_err().code(), Code::Internal);
        assert!(scene.calls.dial(scene.now).is_none());
    }
    let mut scene = Scene::new();
    let call = scene
        .calls
        .start("no path", &CallOptions::new(), (), scene.now);
    scene.settle();
    assert_eq!(
        scene.calls.ending(call.unwrap()).unwrap().code(),
        Code::Internal
    );
    assert!(scene.server().seen.is_empty());
}

#[test]
fn a_silent_server_is_pinged_only_if_asked_to_and_then_given_up() {
    let keep_alive = ChannelLimits::DEFAULT
        .with_keep_alive(30 * SECOND)
        .with_keep_alive_timeout(10 * SECOND);
    for (limits, lost) in [(ChannelLimits::DEFAULT, false), (keep_alive, true)] {
        let mut scene = Scene::with(limits, http2::Limits::DEFAULT);
        let call = scene.unary(b"hi");
        scene.settle();
        scene.servers.clear(); // nothing is carried any more
        scene.pass(60);
        let ended = scene.calls.ending(call).map(|ending| ending.code());
        assert_eq!(ended, lost.then_some(Code::Unavailable));
    }
}

#[test]
fn a_ping_behind_output_that_waits_has_its_time_once_it_has_left() {
    let limits = ChannelLimits::DEFAULT.with_keep_alive(10 * SECOND);
    let mut scene = Scene::with(limits, http2::Limits::DEFAULT);
    let call = scene.unary(b"hi");
    scene.settle();
    let link = scene.servers[0].0;
    // The server is far away: nothing of it comes, and our side still sends.
    for second in 0..200 {
        scene.now += SECOND;
        if second < 100 {
            scene.connections[0].1.output_waits(scene.now);
        }
        scene.elapse();
        drop(scene.output(link));
        let over = scene.calls.ending(call).is_some();
        assert_eq!(over, second >= 99 + 10 + 20, "{second}");
        if over {
            break;
        }
    }
    let ending = scene.ending(call);
    assert!(
        ending.starts_with("UNAVAILABLE: server is silent"),
        "{ending}"
    );
}

#[test]
fn a_server_that_is_pinged_too_often_is_pinged_less() {
    let limits = ChannelLimits::DEFAULT
        .with_keep_alive(30 * SECOND)
        .with_keep_alive_timeout(10 * SECOND);
    let mut scene = Scene::with(limits, http2::Limits::DEFAULT);
    let call = scene.unary(b"hi");
    scene.settle();
    let link = scene.servers[0].0;
    let mut goaway = b"\0\0\x16\x07\0\0\0\0\0\0\0\0\x01\0\0\0\x0btoo_many_pings".to_vec();
    scene.receive(link, &mut goaway);
    scene.closed(link);
    scene.servers.clear();
    let why = "UNAVAILABLE: connection was lost; \
               server is going away: ENHANCE_YOUR_CALM too_many_pings";
    assert_eq!(scene.ending(call), why);
    let call = scene.unary(b"again");
    scene.pass(2);
    scene.servers.clear();
    scene.pass(65);
    assert_eq!(scene.ending(call), "it runs");
    scene.pass(20);
    assert_eq!(scene.calls.ending(call).unwrap().code(), Code::Unavailable);
}

#[test]
fn an_idle_connection_ends_and_the_next_call_connects_anew() {
    let mut scene = Scene::with(
        ChannelLimits::DEFAULT.with_idle(10 * SECOND),
        http2::Limits::DEFAULT,
    );
    let call = scene.unary(b"one");
    scene.settle();
    scene.server().answer(1, b"ok");
    scene.settle();
    assert_eq!(scene.ending(call), "OK");
    let link = scene.servers[0].0;
    scene.pass(12);
    assert!(scene.is_over(link));
    assert!(scene.server().gone_away);
    scene.closed(link);
    scene.unary(b"two");
    scene.settle();
    assert_eq!(scene.servers.len(), 2);
    assert_eq!(scene.server().seen[&1].body, framed(b"two"));
}

#[test]
fn a_channel_that_is_shut_down_finishes_its_calls_and_takes_no_more() {
    let limits = http2::Limits::DEFAULT.with_streams(1);
    let mut scene = Scene::with(ChannelLimits::DEFAULT, limits);
    let (runs, waits) = (scene.unary(b"runs"), scene.unary(b"waits"));
    scene.settle();
    scene.calls.shutdown(scene.now);
    assert_eq!(scene.ending(waits), "UNAVAILABLE: channel is closed");
    let refused = scene
        .calls
        .start("/a.B/C", &CallOptions::new(), (), scene.now);
    assert_eq!(refused.unwrap_err().code(), Code::Unavailable);
    scene.settle();
    scene.server().answer(1, b"done");
    scene.settle();
    assert_eq!(scene.message(runs).unwrap(), b"done");
    assert!(scene.is_over(scene.servers[0].0));
}

/// A small deterministic source of whims.
struct Whim(u64);

impl Whim {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }
}

/// Calls whose messages a server sends back, through a pipe that cuts.
fn echo(seed: u64, count: usize, window: u32, streams: u32, size: usize, cut: usize) {
    let whim = &mut Whim(seed | 1);
    let limits = ChannelLimits::DEFAULT
        .with_window(window)
        .with_unsent(1 + size);
    let server = http2::Limits::DEFAULT
        .with_streams(streams)
        .with_stream_window(window);
    let mut scene = Scene::with(limits, server);
    scene.cut = cut;
    // Each call: what it still sends, and what it has received.
    let mut calls: Vec<_> = (0..count)
        .map(|_| {
            let messages: Vec<Vec<u8>> = (0..whim.below(6))
                .map(|n| vec![n as u8; whim.below(size)])
                .collect();
            (scene.start(), messages.into_iter(), Vec::new(), Vec::new())
        })
        .collect();
    // Each stream of the server: how much of the body was sent back.
    let mut echoed = std::collections::BTreeMap::new();
    let mut over = 0;
    for _ in 0..100_000 {
        let at = whim.below(calls.len());
        let (call, messages, sent, got) = &mut calls[at];
        match whim.below(3) {
            0 if scene.calls.has_room(*call) => match messages.next() {
                Some(message) => {
                    scene.calls.send(*call, &message).unwrap();
                    sent.push(message);
                }
                None => scene.calls.close_sending(*call),
            },
            1 => got.extend(scene.message(*call)),
            _ => scene.settle(),
        }
        for (_, server) in &mut scene.servers {
            let streams: Vec<u32> = server.seen.keys().copied().collect();
            for stream in streams {
                let seen = &server.seen[&stream];
                let new = seen.body.len();
                let (ended, body) = (seen.ended, seen.body.clone());
                let done = match echoed.get(&stream) {
                    None => {
                        server.head(stream, &[]);
                        echoed.insert(stream, 0);
                        0
                    }
                    Some(&done) => done,
                };
                if done != usize::MAX && new > done {
                    server.body(stream, &body[done..]);
                    echoed.insert(stream, new);
                } else if done != usize::MAX && ended && server.waiting(stream) == 0 {
                    server.status(stream, &[("grpc-status", "0")]);
                    echoed.insert(stream, usize::MAX);
                }
            }
        }
        over = calls
            .iter()
            .filter(|(call, ..)| scene.calls.ending(*call).is_some())
            .count();
        if over == calls.len() {
            break;
        }
    }
    assert_eq!(over, calls.len(), "nothing moves");
    for (call, messages, sent, mut got) in calls {
        while let Some(message) = scene.message(call) {
            got.push(message);
        }
        assert_eq!(scene.ending(call), "OK");
        assert_eq!(messages.len(), 0);
        assert!(got == sent, "{} of {} messages", got.len(), sent.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn every_message_comes_back_whole(
        seed: u64, count in 1..12usize, window in 100..20_000u32, streams in 1..8u32,
        size in 1..5_000usize, cut in 1..3_000usize,
    ) {
        echo(seed, count, window, streams, size, cut);
    }
}
