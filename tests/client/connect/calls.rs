//! Calls of all kinds, which are the same by whatever protocol they go.

use core::time::Duration;
use std::sync::mpsc;

use barewire::app::{App, Call, Service};
use barewire::client::{CallListener, CallOptions, CallResponse, Ending, Outgoing};
use barewire::grpc::{CallStatus, Code, Payload, Protocol};

use super::scene::{scene, service};
use super::{WAYS, channel, options};
use crate::app_support::Running;

type Bytes = Vec<u8>;

fn text(bytes: Bytes) -> String {
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_unary_call_brings_its_message_and_metadata() {
    let running = scene();
    for way in WAYS {
        let channel = channel(&running, way);
        let options = CallOptions::new().metadata("x-echo", "7");
        let answer = channel
            .unary::<Bytes, Bytes>("/test.Test/Tell", &b"hi".to_vec(), options)
            .unwrap();
        assert_eq!(answer.message, b"hi", "{way:?}");
        assert_eq!(answer.metadata().get("x-echo"), Some(&b"7"[..]), "{way:?}");
        assert_eq!(answer.trailers().get("x-last"), Some(&b"7"[..]), "{way:?}");
        assert!(!answer.metadata().contains("trailer-x-last"));
        // A message of no bytes is one.
        let none = CallOptions::new();
        let empty = channel.unary::<Bytes, Bytes>("/test.Test/Tell", &Vec::new(), none);
        assert_eq!(empty.unwrap().message, b"", "{way:?}");
    }
}

#[test]
fn an_error_brings_its_code_its_text_and_its_details() {
    let running = scene();
    for way in WAYS {
        let channel = channel(&running, way);
        for number in 1..=16_u8 {
            let request = format!("code {number}").into_bytes();
            let options = CallOptions::new().metadata("x-echo", "7");
            let failed = channel.unary::<Bytes, Bytes>("/test.Test/Tell", &request, options);
            let ending = failed.unwrap_err();
            assert_eq!(ending.code().number(), number, "{way:?}");
            assert_eq!(
                ending.status.message,
                format!("code \"{number}\""),
                "{way:?}"
            );
            let [detail] = ending.details() else {
                panic!("{way:?}: {ending:?}")
            };
            assert_eq!((detail.type_name(), detail.value()), ("a.B", &[1, 2][..]));
            assert_eq!(ending.trailers().get("x-last"), Some(&b"7"[..]), "{way:?}");
            // gRPC-Web has sent a head before.
            let early = ending.trailers().get("x-echo");
            assert_eq!(early.is_none(), way.0 == Protocol::GrpcWeb, "{way:?}");
        }
        let none = CallOptions::new();
        let unknown = channel.unary::<Bytes, Bytes>("/test.Test/Nothing", &Vec::new(), none);
        assert_eq!(unknown.unwrap_err().code(), Code::Unimplemented, "{way:?}");
    }
}

#[test]
fn a_server_streams() {
    let running = scene();
    for way in WAYS {
        let channel = channel(&running, way);
        let count = |what: &str| {
            let request = what.as_bytes().to_vec();
            let options = CallOptions::new().metadata("x-echo", "7");
            channel
                .server_streaming::<Bytes, Bytes>("/test.Test/Count", &request, options)
                .unwrap()
        };
        let mut whole = count("n");
        assert_eq!(
            whole.metadata().unwrap().as_fields().get("x-echo"),
            Some(&b"7"[..])
        );
        let all: Vec<String> = whole.by_ref().map(|it| text(it.unwrap())).collect();
        assert_eq!(all, ["n0", "n1", "n2"], "{way:?}");
        let ending = whole.ending().unwrap();
        assert_eq!(ending.trailers().get("x-last"), Some(&b"7"[..]), "{way:?}");

        let cut: Vec<_> = count("fail").collect();
        let [Ok(_), Ok(_), Err(ending)] = &cut[..] else {
            panic!("{way:?}: {cut:?}")
        };
        assert_eq!(ending.to_string(), "DATA_LOSS: enough", "{way:?}");
        let refused: Vec<_> = count("code 5").collect();
        let [Err(ending)] = &refused[..] else {
            panic!("{way:?}: {refused:?}")
        };
        assert_eq!(ending.code(), Code::NotFound, "{way:?}");
        assert_eq!(ending.details().len(), 1, "{way:?}");
    }
}

#[test]
fn a_client_streams() {
    let running = scene();
    for way in WAYS {
        let channel = channel(&running, way);
        let options = CallOptions::new();
        let sum = channel.client_streaming::<Bytes, Bytes>("/test.Test/Sum", options);
        let mut sum = sum.unwrap();
        for part in ["a", "", "bc"] {
            sum.send(&part.into()).unwrap();
        }
        assert_eq!(text(sum.finish().unwrap().message), "abc", "{way:?}");
    }
}

#[test]
fn streams_flow_both_ways_over_http2_alone() {
    let running = scene();
    for way in WAYS {
        let channel = channel(&running, way);
        let echo = channel.bidirectional::<Bytes, Bytes>("/test.Test/Echo", CallOptions::new());
        if way.1 {
            assert_eq!(echo.unwrap_err().code(), Code::Unimplemented);
            continue;
        }
        let mut echo = echo.unwrap();
        for round in ["a", "b"] {
            echo.send(&round.into()).unwrap();
            assert_eq!(text(echo.receive().unwrap().unwrap()), round, "{way:?}");
        }
        let rest: Vec<_> = echo.close_sending().collect();
        assert!(rest.is_empty(), "{way:?}");
    }
}

#[test]
fn grpc_itself_needs_http2() {
    let refused = barewire::client::Channel::connect_with(
        "http://127.0.0.1:1",
        options((Protocol::Grpc, true)),
    );
    let fault = refused.err().unwrap().to_string();
    assert!(fault.contains("gRPC needs HTTP/2"), "{fault}");
}

#[test]
fn a_method_without_side_effects_can_be_called_by_get() {
    let running = scene();
    for way in WAYS {
        let channel = channel(&running, way);
        let options = || CallOptions::new().http_get().metadata("x-echo", "7");
        let read = |message: &[u8]| {
            channel.unary::<Bytes, Bytes>("/test.Test/Read", &message.to_vec(), options())
        };
        let answer = read(b"\0\xff?&").unwrap_err(); // not UTF-8: the method panics
        assert_eq!(answer.code(), Code::Internal, "{way:?}");
        let answer = read("hi ☺".as_bytes()).unwrap();
        assert_eq!(answer.message, "hi ☺".as_bytes(), "{way:?}");
        assert_eq!(answer.trailers().get("x-last"), Some(&b"7"[..]));
        let is_get = answer.metadata().contains("cache-control");
        assert_eq!(is_get, way.0 == Protocol::Connect, "{way:?}");
        // The method that has side effects says so.
        let told = channel.unary::<Bytes, Bytes>("/test.Test/Tell", &b"hi".to_vec(), options());
        assert_eq!(told.is_ok(), way.0 != Protocol::Connect, "{way:?}");
    }
}

#[test]
fn a_get_that_would_be_too_long_is_a_post() {
    let long = Service::new("test.Long")
        .unary("Read", |request: Bytes, call: &mut Call<'_>| {
            let by = if call.is_get() { "GET" } else { "POST" };
            Ok::<_, CallStatus>(format!("{by} {}", request.len()).into_bytes())
        })
        .no_side_effects("Read");
    let running = Running::start(App::new().grpc(long));
    for is_http1 in [true, false] {
        let channel = channel(&running, (Protocol::Connect, is_http1));
        for (len, by) in [(5900, "GET 5900"), (6000, "POST 6000"), (0, "GET 0")] {
            let options = CallOptions::new().http_get();
            let answer = channel.unary::<Bytes, Bytes>("/test.Long/Read", &vec![1; len], options);
            assert_eq!(text(answer.unwrap().message), by);
        }
    }
}

#[test]
fn a_deadline_is_told_and_kept() {
    let waits = Service::new("test.Wait").unary_later("Ever", |_: Bytes, call, later| {
        // Its client says until when.
        assert!(call.deadline().is_some());
        std::thread::spawn(move || {
            while later.is_wanted() {
                std::thread::sleep(Duration::from_millis(5));
            }
            later.send(Ok::<Bytes, _>(Vec::new()));
        });
    });
    let running = Running::start(App::new().grpc(waits));
    for way in WAYS {
        let channel = channel(&running, way);
        let options = CallOptions::new().timeout(Duration::from_millis(80));
        let late = channel.unary::<Bytes, Bytes>("/test.Wait/Ever", &Vec::new(), options);
        assert_eq!(late.unwrap_err().code(), Code::DeadlineExceeded, "{way:?}");
    }
}

#[cfg(feature = "gzip")]
#[test]
fn messages_are_compressed_both_ways() {
    let running = Running::start(App::new().grpc(service().compress()));
    for way in WAYS {
        let channel = channel(&running, way);
        let long = vec![b'a'; 900];
        let options = CallOptions::new().compression();
        let answer = channel.unary::<Bytes, Bytes>("/test.Test/Tell", &long, options);
        let answer = answer.unwrap();
        assert_eq!(
            (answer.message.len(), answer.is_compressed()),
            (900, true),
            "{way:?}"
        );
        let options = CallOptions::new().compression().http_get();
        let answer = channel.unary::<Bytes, Bytes>("/test.Test/Read", &long, options);
        assert_eq!(answer.unwrap().message.len(), 900, "{way:?}");
        let options = CallOptions::new().compression();
        let sum = channel.client_streaming::<Bytes, Bytes>("/test.Test/Sum", options);
        let mut sum = sum.unwrap();
        sum.send(&long).unwrap();
        sum.send_uncompressed(&b"b".to_vec()).unwrap();
        let sum = sum.finish().unwrap();
        assert_eq!(
            (sum.message.len(), sum.is_compressed()),
            (901, true),
            "{way:?}"
        );
    }
}

/// A message in JSON, as it is.
#[derive(Debug, PartialEq)]
struct Plain(String);

impl Payload for Plain {
    const CODECS: &'static [&'static str] = &["json"];

    fn decode(bytes: &[u8]) -> Result<Self, CallStatus> {
        Ok(Self(text(bytes.to_vec())))
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0.as_bytes());
    }
}

#[test]
fn a_codec_of_its_own_is_named() {
    let named = Service::new("test.Named").unary("Codec", |_: Plain, call: &mut Call<'_>| {
        let name = call.metadata("content-type").unwrap_or_default();
        Ok::<_, CallStatus>(Plain(name.into()))
    });
    let running = Running::start(App::new().grpc(named));
    for way in WAYS {
        let channel = channel(&running, way);
        let request = Plain("{}".into());
        let none = CallOptions::new();
        let answer = channel.unary::<_, Plain>("/test.Named/Codec", &request, none);
        let expected = match way.0 {
            Protocol::Grpc => "application/grpc+json",
            Protocol::GrpcWeb => "application/grpc-web+json",
            Protocol::Connect => "application/json",
        };
        assert_eq!(answer.unwrap().message.0, expected, "{way:?}");
        // Another form in between does not stay.
        let none = CallOptions::new();
        let other = channel.unary::<Bytes, Bytes>("/test.Named/Codec", &b"a".to_vec(), none);
        assert_eq!(other.is_ok(), way.0 != Protocol::Connect, "{way:?}");
    }
}

struct Collected(Vec<Bytes>, mpsc::Sender<(Vec<Bytes>, Ending)>);

impl CallListener for Collected {
    type Request = Bytes;
    type Response = Bytes;

    fn message(&mut self, message: Bytes, _: &Outgoing<Bytes>) {
        self.0.push(message);
    }

    fn end(self, ending: Ending) {
        let _ = self.1.send((self.0, ending)); // the test may be over
    }
}

#[test]
fn listeners_on_the_loop_hear_the_same() {
    let running = scene();
    for way in WAYS {
        let channel = channel(&running, way);
        let (send, receive) = mpsc::channel();
        let none = CallOptions::new();
        channel
            .unary_then("/test.Test/Tell", &b"hi".to_vec(), none, move |told| {
                let _ = send.send(told.map(CallResponse::<Bytes>::into_message));
            })
            .unwrap();
        assert_eq!(receive.recv().unwrap().unwrap(), b"hi".to_vec(), "{way:?}");
        let (send, receive) = mpsc::channel();
        let listener = Collected(Vec::new(), send);
        let call = channel.open("/test.Test/Count", CallOptions::new(), listener);
        let call = call.unwrap();
        call.send(&b"n".to_vec()).unwrap();
        call.close_sending();
        let (all, ending) = receive.recv().unwrap();
        assert_eq!(
            (all.len(), ending.code()),
            (3, Code::Ok),
            "{way:?}: {ending}"
        );
    }
}
