//! gRPC services over gRPC-Web and real sockets.

#![cfg(feature = "net")]

use core::any::Any;
use core::time::Duration;
use std::io::{Read, Write};
use std::sync::mpsc::{Sender, channel};

use crate::app_support::{PATIENCE, Running, read_until, wait_until};
use barewire::app::{App, Call, CallStatus, Handle, ResponseStream, ServerStream, Service};
use barewire::grpc::{Code, Limits, Status, web};
use barewire::link::EndReason;

/// A frame of a response.
#[derive(Debug, PartialEq, Eq)]
enum Frame {
    Message(String),
    Trailers(Vec<(String, String)>),
}

fn message(text: &str) -> Frame {
    Frame::Message(text.into())
}

fn status(code: &str) -> Frame {
    Frame::Trailers(vec![("grpc-status".into(), code.into())])
}

fn failed(code: &str, message: &str) -> Frame {
    let status = ("grpc-status".into(), code.into());
    Frame::Trailers(vec![status, ("grpc-message".into(), message.into())])
}

/// A framed message.
fn framed(text: &str) -> Vec<u8> {
    let mut body = vec![0];
    body.extend_from_slice(&(text.len() as u32).to_be_bytes());
    body.extend_from_slice(text.as_bytes());
    body
}

fn frames(mut body: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    while let [flag, a, b, c, d, rest @ ..] = body {
        let (content, rest) = rest.split_at(u32::from_be_bytes([*a, *b, *c, *d]) as usize);
        frames.push(match flag {
            0 => Frame::Message(String::from_utf8(content.into()).unwrap()),
            0x80 => Frame::Trailers(
                web::fields(content)
                    .map(|field| {
                        let field = field.unwrap();
                        let text = |bytes: &[u8]| String::from_utf8(bytes.into()).unwrap();
                        (text(field.name), text(field.value))
                    })
                    .collect(),
            ),
            other => panic!("flag {other}"),
        });
        body = rest;
    }
    assert!(body.is_empty());
    frames
}

/// The body behind a head, chunked or not.
fn unchunk(head: &str, mut body: &[u8]) -> Vec<u8> {
    if !head
        .to_ascii_lowercase()
        .contains("transfer-encoding: chunked")
    {
        return body.into();
    }
    let mut whole = Vec::new();
    loop {
        let end = body.windows(2).position(|w| w == b"\r\n").unwrap();
        let size = core::str::from_utf8(&body[..end]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return whole;
        }
        whole.extend_from_slice(&body[end + 2..end + 2 + size]);
        body = &body[end + 2 + size + 2..];
    }
}

/// Sends a request in whole and reads the answer to its end.
fn ask(running: &Running, path: &str, fields: &str, body: &[u8]) -> (String, Vec<u8>) {
    let mut stream = running.connect();
    let length = body.len();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {length}\r\n\
         {fields}\r\n"
    )
    .unwrap();
    // An early answer may come before all of it is taken.
    let _ = stream.write_all(body);
    let head = read_until(&mut stream, "\r\n\r\n");
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    (head.clone(), unchunk(&head, &rest))
}

const WEB: &str = "Content-Type: application/grpc-web+proto\r\n";

fn call(running: &Running, path: &str, body: &[u8]) -> Vec<Frame> {
    let (head, body) = ask(running, path, WEB, body);
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(head.contains("pplication/grpc-web+proto\r\n"), "{head}");
    frames(&body)
}

fn refuse(code: Code, message: &'static str) -> CallStatus {
    Status::new(code, message).into()
}

/// Sends what it is mailed.
struct Relay {
    handles: Sender<Handle>,
    ended: Sender<EndReason>,
}

impl ServerStream for Relay {
    type Message = Vec<u8>;

    fn open(&mut self, stream: &mut ResponseStream<'_, '_, Vec<u8>>) {
        stream.after(Duration::from_millis(1), 9);
    }

    fn timer(&mut self, stream: &mut ResponseStream<'_, '_, Vec<u8>>, token: u32) {
        stream.send(&format!("timer {token}").into_bytes());
        // Whoever has the handle knows that the timer has gone off.
        let _ = self.handles.send(stream.handle().unwrap());
    }

    fn mail(&mut self, stream: &mut ResponseStream<'_, '_, Vec<u8>>, mail: Box<dyn Any + Send>) {
        match *mail.downcast::<&'static str>().unwrap() {
            "end" => {
                stream.send_trailer("x-count", "1").unwrap();
                stream.finish(Status::new(Code::Aborted, "as told"));
            }
            other => {
                stream.send(&other.into());
            }
        }
    }

    fn cancelled(&mut self, why: EndReason) {
        let _ = self.ended.send(why);
    }
}

struct Scene {
    running: Running,
    handles: std::sync::mpsc::Receiver<Handle>,
    ends: std::sync::mpsc::Receiver<EndReason>,
}

fn scene() -> Scene {
    let (give, handles) = channel();
    let (ended, ends) = channel();
    let service = Service::new("test.Test")
        .limits(Limits::DEFAULT.with_message(1000))
        .unary("Echo", |request: Vec<u8>, _call| Ok(request))
        .unary("Fail", |_request: Vec<u8>, call: &mut Call<'_>| {
            call.send_trailer("x-why", "because").unwrap();
            Err::<Vec<u8>, _>(refuse(Code::NotFound, "no such ☺"))
        })
        .unary("Panic", |_request: Vec<u8>, _call| -> Result<Vec<u8>, _> {
            panic!("as told")
        })
        .unary("Metadata", |_request: Vec<u8>, call: &mut Call<'_>| {
            call.send_metadata("x-head", "h").unwrap();
            call.send_trailer("x-tail", "t").unwrap();
            let octets: Vec<Vec<u8>> = call.binary_metadata("x-octets-bin").collect();
            let text = call.metadata("x-text").unwrap_or_default();
            Ok(format!("{} {} {text} {octets:?}", call.service(), call.method()).into_bytes())
        })
        .unary_later("Later", |request: Vec<u8>, _call, later| match &*request {
            b"drop" => drop(later),
            b"never" => core::mem::forget(later),
            _ => drop(std::thread::spawn(move || later.send(Ok(request)))),
        })
        .server_streaming("Count", |request: Vec<u8>, _call| {
            let text = String::from_utf8(request).unwrap();
            let Ok(count) = text.parse::<u32>() else {
                return Err(refuse(Code::InvalidArgument, "no number"));
            };
            Ok((0..count).map(move |n| match n {
                99 => Err(refuse(Code::OutOfRange, "99")),
                _ => Ok(n.to_string().into_bytes()),
            }))
        })
        .server_streaming("Large", |_request: Vec<u8>, _call| {
            Ok((0..200_u8).map(|n| Ok(vec![b'a' + n % 26; 50_000])))
        })
        .server_streaming_object("Relay", move |_request: Vec<u8>, _call| {
            Ok(Relay {
                handles: give.clone(),
                ended: ended.clone(),
            })
        });
    Scene {
        running: Running::start(App::new().grpc(service)),
        handles,
        ends,
    }
}

#[test]
fn a_unary_call_is_answered_with_a_message_and_a_status() {
    let Scene { running, .. } = scene();
    let answer = call(&running, "/test.Test/Echo", &framed("hello"));
    assert_eq!(answer, [message("hello"), status("0")]);
    let answer = call(&running, "/test.Test/Fail", &framed(""));
    let Frame::Trailers(trailers) = &answer[0] else {
        panic!("{answer:?}")
    };
    let trailers: Vec<_> = trailers.iter().map(|(n, v)| (&**n, &**v)).collect();
    let message = ("grpc-message", "no such %E2%98%BA");
    assert_eq!(
        trailers,
        [("grpc-status", "5"), message, ("x-why", "because")]
    );
}

#[test]
fn a_method_sees_and_sends_metadata() {
    let Scene { running, .. } = scene();
    let fields = format!("{WEB}X-Text: some\r\nX-Octets-Bin: AAE,Ag==\r\n");
    let (head, body) = ask(&running, "/test.Test/Metadata", &fields, &framed(""));
    assert!(head.contains("x-head: h\r\n"), "{head}");
    let Frame::Trailers(trailers) = &frames(&body)[1] else {
        panic!()
    };
    assert_eq!(trailers[1], ("x-tail".into(), "t".into()));
    assert_eq!(
        frames(&body)[0],
        message("test.Test Metadata some [[0, 1], [2]]")
    );
}

#[test]
fn what_is_no_call_of_the_service_is_refused_in_its_own_way() {
    let Scene { running, .. } = scene();
    let (head, _) = ask(
        &running,
        "/test.Test/Echo",
        "Content-Type: text/plain\r\n",
        b"",
    );
    assert!(head.starts_with("HTTP/1.1 415 "), "{head}");
    let (head, _) = ask(&running, "/test.Test/Echo", "", b"");
    assert!(head.starts_with("HTTP/1.1 415 "), "{head}");
    assert_eq!(running.get("/test.Test/Echo").status, 405);
    assert_eq!(running.get("/other.Test/Echo").status, 404);
    let other = failed("12", "no method Echo of other.Test");
    assert_eq!(call(&running, "/other.Test/Echo", &framed("")), [other]);

    let unknown = failed("12", "no method Nothing of test.Test");
    assert_eq!(call(&running, "/test.Test/Nothing", &framed("")), [unknown]);
    let none = failed("12", "a unary request has one message, and this has none");
    assert_eq!(call(&running, "/test.Test/Echo", b""), [none]);
    let more = failed("12", "a unary request has one message, and this has more");
    let body = [framed("a"), framed("b")].concat();
    assert_eq!(call(&running, "/test.Test/Echo", &body), [more]);

    for (body, code) in [
        (&framed("hello")[..7], "13"),         // cut short
        (&framed(&"x".repeat(1001))[..], "8"), // over the limit
        (b"\x80\0\0\0\x01x", "13"),            // trailers
        (b"\x01\0\0\0\x01x", "13"),            // compressed without a word
    ] {
        let answer = call(&running, "/test.Test/Echo", body);
        let [Frame::Trailers(trailers)] = &answer[..] else {
            panic!("{answer:?}")
        };
        assert_eq!(trailers[0].1, code, "{body:?}");
    }
    let fields = format!("{WEB}grpc-encoding: br\r\n");
    let (head, body) = ask(&running, "/test.Test/Echo", &fields, &framed("a"));
    assert!(head.contains("grpc-accept-encoding: identity"), "{head}");
    assert_eq!(frames(&body), [failed("12", "unknown grpc-encoding")]);
}

#[test]
fn a_message_over_the_limit_is_refused_by_its_prefix_alone() {
    let Scene { running, .. } = scene();
    let mut stream = running.connect();
    write!(
        stream,
        "POST /test.Test/Echo HTTP/1.1\r\nHost: a\r\n{WEB}Content-Length: 100000000\r\n\r\n"
    )
    .unwrap();
    stream.write_all(&[0, 0, 0, 4, 0]).unwrap();
    let head = read_until(&mut stream, "\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let mut body = [0; 21];
    stream.read_exact(&mut body).unwrap();
    assert_eq!(&body[5..], b"grpc-status: 8\r\n"[..16].as_ref());
}

#[test]
fn a_chunked_body_is_taken_as_it_comes() {
    let Scene { running, .. } = scene();
    for pause in [false, true] {
        let mut stream = running.connect();
        write!(
            stream,
            "POST /test.Test/Echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{WEB}\
             Transfer-Encoding: chunked\r\n\r\n"
        )
        .unwrap();
        for byte in framed("hello") {
            stream
                .write_all(&[b'1', b'\r', b'\n', byte, b'\r', b'\n'])
                .unwrap();
            if pause {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        stream.write_all(b"0\r\n\r\n").unwrap();
        let head = read_until(&mut stream, "\r\n\r\n");
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        assert_eq!(
            frames(&unchunk(&head, &rest)),
            [message("hello"), status("0")]
        );
    }
}

#[test]
fn the_text_form_is_answered_in_base64_and_accept_chooses() {
    let Scene { running, .. } = scene();
    let text = "Content-Type: application/grpc-web-text\r\n";
    // 0 0 0 0 1 'x'
    let (head, body) = ask(&running, "/test.Test/Echo", text, b"AAAAAAF4");
    assert!(head.contains("application/grpc-web-text\r\n"), "{head}");
    assert!(body.starts_with(b"AAAAAAF4"), "{body:?}");
    let (_, body) = ask(&running, "/test.Test/Echo", text, b"AAAA*");
    assert!(body.starts_with(b"gAAAA"), "{body:?}");

    let fields = format!("{text}Accept: application/grpc-web\r\n");
    let (_, body) = ask(&running, "/test.Test/Echo", &fields, b"AAAAAAF4");
    assert_eq!(frames(&body), [message("x"), status("0")]);
}

#[test]
fn a_panic_of_a_method_is_an_internal_error_of_its_call_alone() {
    let Scene { running, .. } = scene();
    let answer = call(&running, "/test.Test/Panic", &framed(""));
    assert_eq!(answer, [failed("13", "the method failed")]);
    let answer = call(&running, "/test.Test/Echo", &framed("alive"));
    assert_eq!(answer, [message("alive"), status("0")]);
}

#[test]
fn a_response_may_come_later_and_from_another_thread() {
    let Scene { running, .. } = scene();
    let answer = call(&running, "/test.Test/Later", &framed("slow"));
    assert_eq!(answer, [message("slow"), status("0")]);
    let answer = call(&running, "/test.Test/Later", &framed("drop"));
    assert_eq!(answer, [failed("13", "the method gave no answer")]);
}

#[test]
fn a_deadline_ends_a_call_wherever_it_is() {
    let Scene { running, ends, .. } = scene();
    let exceeded = || failed("4", "deadline has passed");
    let fields = format!("{WEB}grpc-timeout: 0m\r\n");
    let (_, body) = ask(&running, "/test.Test/Echo", &fields, &framed(""));
    assert_eq!(frames(&body), [exceeded()]);
    let fields = format!("{WEB}grpc-timeout: 2S\r\n"); // long behind the timer
    let (_, body) = ask(&running, "/test.Test/Later", &fields, &framed("never"));
    assert_eq!(frames(&body), [exceeded()]);
    let (_, body) = ask(&running, "/test.Test/Relay", &fields, &framed(""));
    assert_eq!(frames(&body), [message("timer 9"), exceeded()]);
    assert_eq!(ends.recv_timeout(PATIENCE), Ok(EndReason::Aborted));
    let fields = format!("{WEB}grpc-timeout: soon\r\n");
    let (_, body) = ask(&running, "/test.Test/Echo", &fields, &framed(""));
    assert_eq!(frames(&body), [failed("13", "malformed grpc-timeout")]);
}

#[test]
fn an_iterator_is_streamed_with_a_status_at_its_end() {
    let Scene { running, .. } = scene();
    let answer = call(&running, "/test.Test/Count", &framed("3"));
    assert_eq!(
        answer,
        [message("0"), message("1"), message("2"), status("0")]
    );
    let answer = call(&running, "/test.Test/Count", &framed("0"));
    assert_eq!(answer, [status("0")]);
    let answer = call(&running, "/test.Test/Count", &framed("x"));
    assert_eq!(answer, [failed("3", "no number")]);
    let answer = call(&running, "/test.Test/Count", &framed("1000"));
    assert_eq!(answer.len(), 100);
    assert_eq!(answer[99], failed("11", "99"));
}

#[test]
fn a_stream_is_made_only_as_fast_as_the_client_takes_it() {
    let Scene { running, .. } = scene();
    // Ten megabytes, far beyond the cap on a backlog.
    let answer = call(&running, "/test.Test/Large", &framed(""));
    assert_eq!(answer.len(), 201);
    assert_eq!(answer[200], status("0"));
}

#[test]
fn an_object_streams_what_it_is_mailed() {
    let scene = scene();
    let path = "/test.Test/Relay";
    let reader = std::thread::scope(|scope| {
        let reader = scope.spawn(|| call(&scene.running, path, &framed("")));
        let handle = scene.handles.recv_timeout(PATIENCE).unwrap();
        handle.mail("one").unwrap();
        handle.send("two").unwrap();
        handle.mail("end").unwrap();
        reader.join().unwrap()
    });
    assert_eq!(
        reader[..3],
        [message("timer 9"), message("one"), message("two")]
    );
    let Frame::Trailers(trailers) = &reader[3] else {
        panic!()
    };
    let trailers: Vec<_> = trailers.iter().map(|(n, v)| (&**n, &**v)).collect();
    assert_eq!(
        trailers,
        [
            ("grpc-status", "10"),
            ("grpc-message", "as told"),
            ("x-count", "1")
        ]
    );
}

#[test]
fn an_object_hears_of_a_client_that_hangs_up() {
    let scene = scene();
    let mut stream = scene.running.connect();
    let body = framed("");
    write!(
        stream,
        "POST /test.Test/Relay HTTP/1.1\r\nHost: a\r\n{WEB}Content-Length: {}\r\n\r\n",
        body.len()
    )
    .unwrap();
    stream.write_all(&body).unwrap();
    let handle = scene.handles.recv_timeout(PATIENCE).unwrap();
    drop(stream);
    wait_until("the object is told", || {
        let _ = handle.send("are you there");
        scene.ends.try_recv().is_ok()
    });
}

#[test]
fn a_drained_server_ends_live_streams_as_unavailable() {
    let scene = scene();
    let answer = std::thread::scope(|scope| {
        let reader = scope.spawn(|| call(&scene.running, "/test.Test/Relay", &framed("")));
        scene.handles.recv_timeout(PATIENCE).unwrap();
        scene.running.server().handle().shutdown(PATIENCE);
        reader.join().unwrap()
    });
    assert_eq!(
        answer,
        [message("timer 9"), failed("14", "the server stops")]
    );
    assert_eq!(scene.ends.recv_timeout(PATIENCE), Ok(EndReason::Drained));
}

#[cfg(feature = "prost")]
#[test]
fn messages_of_prost_are_decoded_and_encoded() {
    use barewire::app::Proto;
    use prost::Message;

    #[derive(Clone, PartialEq, Message)]
    struct Pair {
        #[prost(string, tag = "1")]
        name: String,
        #[prost(int32, tag = "2")]
        number: i32,
    }

    let service = Service::new("test.Pairs").unary("Next", |Proto(pair): Proto<Pair>, _call| {
        Ok(Proto(Pair {
            number: pair.number + 1,
            ..pair
        }))
    });
    let running = Running::start(App::new().grpc(service));
    let pair = |number| Pair {
        name: "n".into(),
        number,
    };
    let encoded = |number| String::from_utf8(pair(number).encode_to_vec()).unwrap();
    let answer = call(&running, "/test.Pairs/Next", &framed(&encoded(6)));
    assert_eq!(answer, [message(&encoded(7)), status("0")]);
    let answer = call(&running, "/test.Pairs/Next", &framed("\u{7f}"));
    let [Frame::Trailers(trailers)] = &answer[..] else {
        panic!("{answer:?}")
    };
    assert_eq!(trailers[0].1, "13");
}
