//! Calls whose requests are streams, over gRPC-Web and real sockets.

#![cfg(feature = "net")]

use core::any::Any;
use core::time::Duration;
use std::sync::mpsc::{Receiver, Sender, channel};

use crate::app_support::grpc::{
    Frame, Talk, call, failed, flagged, framed, message, status, trailers,
};
use crate::app_support::{Running, wait_until};
use barewire::app::{
    App, Call, CallEnd, CallStatus, Conversation, Extensions, Flow, Handle, Incoming, Interceptor,
    Middleware, Next, Reply, ResponseStream, Service,
};
use barewire::grpc::{Code, Limits, Status};
use barewire::link::EndReason;

const PATIENCE: Duration = Duration::from_secs(10);

type Responses<'a, 'b, 'c> = &'a mut ResponseStream<'b, 'c, Vec<u8>>;

/// Answers with how many messages it had, and how long they were.
#[derive(Default)]
struct Count(usize, usize);

impl Conversation for Count {
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    fn message(&mut self, message: Vec<u8>, stream: Responses<'_, '_, '_>) {
        self.0 += 1;
        self.1 += message.len();
        match &*message {
            b"enough" => stream.respond(&b"early".to_vec()),
            b"panic" => panic!("as told"),
            b"twice" => {
                stream.send(&message);
                stream.send(&message);
            }
            _ => {}
        }
    }

    fn half_closed(&mut self, stream: Responses<'_, '_, '_>) {
        match self.0 {
            0 => stream.finish(Status::OK),
            _ => stream.respond(&format!("{} {}", self.0, self.1).into_bytes()),
        }
    }
}

/// Gives each message back, and does what some of them say.
struct Echo {
    handles: Sender<Handle>,
    ends: Sender<EndReason>,
}

impl Conversation for Echo {
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    fn open(&mut self, stream: Responses<'_, '_, '_>) {
        stream.send_metadata("x-open", "yes").unwrap();
        let _ = self.handles.send(stream.handle().unwrap());
    }

    fn message(&mut self, message: Vec<u8>, stream: Responses<'_, '_, '_>) {
        stream.send(&message);
        match &*message {
            b"hold" => {
                stream.set_reading(false);
                stream.after(Duration::from_millis(5), 1);
            }
            b"end" => stream.finish(Status::new(Code::Aborted, "as told")),
            b"later" => {
                let sender = stream.sender();
                std::thread::spawn(move || {
                    sender.send(&b"from a thread".to_vec()).unwrap();
                    sender.finish(Status::OK).unwrap();
                    assert!(sender.send(&b"too late".to_vec()).is_err());
                });
            }
            b"drop" => drop(stream.sender()),
            b"head" => assert!(stream.send_metadata("x-late", "yes").is_err()),
            _ => {}
        }
    }

    fn timer(&mut self, stream: Responses<'_, '_, '_>, token: u32) {
        stream.send(&format!("timer {token}").into_bytes());
        stream.set_reading(true);
    }

    fn mail(&mut self, stream: Responses<'_, '_, '_>, mail: Box<dyn Any + Send>) {
        stream.send(&mail.downcast::<String>().unwrap().into_bytes());
    }

    fn half_closed(&mut self, stream: Responses<'_, '_, '_>) {
        stream.send_trailer("x-closed", "yes").unwrap();
        stream.finish(Status::OK);
    }

    fn cancelled(&mut self, why: EndReason) {
        let _ = self.ends.send(why);
    }
}

/// Answers each message with a hundred times as much.
struct Amplify {
    answered: usize,
    waits: Sender<usize>,
}

impl Conversation for Amplify {
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    fn message(&mut self, message: Vec<u8>, stream: Responses<'_, '_, '_>) {
        self.answered += 1;
        if stream.send(&vec![b'x'; message.len() * 100]) == Flow::Wait {
            let _ = self.waits.send(self.answered);
        }
    }

    fn half_closed(&mut self, stream: Responses<'_, '_, '_>) {
        stream.finish(Status::OK);
    }
}

struct Scene {
    running: Running,
    handles: Receiver<Handle>,
    ends: Receiver<EndReason>,
    waits: Receiver<usize>,
}

fn service(scene: (Sender<Handle>, Sender<EndReason>, Sender<usize>)) -> Service {
    let (handles, ends, waits) = scene;
    Service::new("test.Test")
        .limits(Limits::DEFAULT.with_message(100_000))
        .client_streaming("Count", |_call| Ok(Count::default()))
        .bidirectional("Echo", move |call: &mut Call<'_>| {
            if call.metadata("x-refuse").is_some() {
                return Err(Status::new(Code::PermissionDenied, "refused").into());
            }
            Ok(Echo {
                handles: handles.clone(),
                ends: ends.clone(),
            })
        })
        .bidirectional("Amplify", move |_call| {
            Ok(Amplify {
                answered: 0,
                waits: waits.clone(),
            })
        })
        .server_streaming_later("Ponder", |request: Vec<u8>, _call, sender| {
            std::thread::spawn(move || {
                for byte in request {
                    sender.send(&vec![byte]).unwrap();
                }
                let copy = sender.clone();
                drop(sender);
                copy.finish(Status::OK).unwrap();
            });
        })
        .server_streaming_later("Forget", |_request: Vec<u8>, _call, sender| {
            sender.send(&b"one".to_vec()).unwrap();
        })
        .unary_bytes("Bytes", |request, _call, response| match request {
            b"fail" => {
                response.extend_from_slice(b"not to be seen");
                Err(Status::new(Code::NotFound, "").into())
            }
            _ => {
                response.extend_from_slice(request);
                response.extend_from_slice(request);
                Ok(())
            }
        })
        .unary("Panic", |_request: Vec<u8>, _call| -> Result<Vec<u8>, _> {
            panic!("as told")
        })
}

fn scene() -> Scene {
    scene_with(|service| service)
}

fn scene_with(change: impl FnOnce(Service) -> Service) -> Scene {
    let (give_handle, handles) = channel();
    let (give_end, ends) = channel();
    let (give_wait, waits) = channel();
    let service = change(service((give_handle, give_end, give_wait)));
    Scene {
        running: Running::start(App::new().grpc(service)),
        handles,
        ends,
        waits,
    }
}

#[test]
fn a_client_stream_is_answered_with_one_message() {
    let Scene { running, .. } = scene();
    let answer = call(&running, "/test.Test/Count", "", &["a", "", "bcd"]);
    assert_eq!(answer, [message("3 4"), status("0")]);
    // Before its end.
    let answer = call(&running, "/test.Test/Count", "", &["a", "enough", "b"]);
    assert_eq!(answer, [message("early"), status("0")]);
    // Not with none, nor with two.
    let wrong = || failed("13", "the method did not give one response");
    assert_eq!(call(&running, "/test.Test/Count", "", &[]), [wrong()]);
    let answer = call(&running, "/test.Test/Count", "", &["twice"]);
    assert_eq!(answer.last(), Some(&wrong()));
}

#[test]
fn a_stream_of_messages_may_be_here_in_whole() {
    let Scene { running, .. } = scene();
    let body = [framed("a"), framed("b")].concat();
    let request = format!(
        "POST /test.Test/Echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc-web\r\n\
         Content-Length: {}\r\n\r\n{}",
        body.len(),
        String::from_utf8(body).unwrap()
    );
    let answer = running.exchange(&request);
    assert_eq!(answer.status, 200);
    let both = "\0\0\0\0\x01a\0\0\0\0\x01b\r\n";
    assert!(answer.body.contains(both), "{answer:?}");
}

#[test]
fn both_sides_of_a_conversation_take_turns() {
    let Scene { running, .. } = scene();
    let mut talk = Talk::open(&running, "/test.Test/Echo", "");
    for round in 0..20 {
        let text = format!("round {round}");
        let frame = framed(&text);
        // Cut anywhere, also inside of the prefix.
        let cut = round % frame.len();
        if cut > 0 {
            talk.send(&frame[..cut]);
        }
        talk.send(&frame[cut..]);
        assert_eq!(talk.next(), message(&text));
    }
    assert!(talk.head().contains("x-open: yes"));
    talk.half_close();
    assert_eq!(
        talk.next(),
        trailers(&[("grpc-status", "0"), ("x-closed", "yes")])
    );
}

#[test]
fn an_object_may_end_the_call_before_the_client_does() {
    let Scene { running, .. } = scene();
    let mut talk = Talk::open(&running, "/test.Test/Echo", "");
    talk.send(&framed("end"));
    assert_eq!(talk.rest(), [message("end"), failed("10", "as told")]);
    let answer = call(&running, "/test.Test/Echo", "x-refuse: 1\r\n", &["a"]);
    assert_eq!(answer, [failed("7", "refused")]);
}

#[test]
fn an_object_holds_its_client_back() {
    let Scene { running, .. } = scene();
    let mut talk = Talk::open(&running, "/test.Test/Echo", "");
    talk.send(&[framed("hold"), framed("after")].concat());
    talk.send(&framed("and"));
    talk.half_close();
    let expected = ["hold", "timer 1", "after", "and"].map(message);
    let answer = talk.rest();
    assert_eq!(answer[..4], expected);
    assert_eq!(answer.len(), 5);
}

#[test]
fn no_message_comes_while_the_client_takes_nothing() {
    let Scene { running, waits, .. } = scene();
    let mut talk = Talk::open(&running, "/test.Test/Amplify", "");
    // Ten megabytes, far beyond the backlog's cap.
    for _ in 0..5 {
        talk.send(&framed(vec![b'y'; 20_000]));
    }
    assert!(waits.recv_timeout(PATIENCE).unwrap() <= 5);
    talk.half_close();
    let answer = talk.rest();
    assert_eq!(answer.len(), 6);
    assert!(
        answer[..5]
            .iter()
            .all(|it| matches!(it, Frame::Message(m) if m.len() == 2_000_000))
    );
    assert_eq!(answer[5], status("0"));
}

#[test]
fn a_conversation_is_reached_from_other_threads() {
    let Scene {
        running, handles, ..
    } = scene();
    let mut talk = Talk::open(&running, "/test.Test/Echo", "");
    talk.send(&framed("head"));
    assert_eq!(talk.next(), message("head"));
    let handle = handles.recv_timeout(PATIENCE).unwrap();
    handle.mail(String::from("mailed")).unwrap();
    handle.send("sent").unwrap();
    assert_eq!(talk.next(), message("mailed"));
    assert_eq!(talk.next(), message("sent"));
    talk.send(&framed("later"));
    let rest = talk.rest();
    assert_eq!(
        rest,
        [message("later"), message("from a thread"), status("0")]
    );
    let answer = call(&running, "/test.Test/Echo", "", &["drop"]);
    assert_eq!(answer[0], message("drop"));
}

#[test]
fn messages_may_come_from_another_thread_alone() {
    let Scene { running, .. } = scene();
    let answer = call(&running, "/test.Test/Ponder", "", &["abc"]);
    assert_eq!(
        answer,
        [message("a"), message("b"), message("c"), status("0")]
    );
    let answer = call(&running, "/test.Test/Forget", "", &[""]);
    assert_eq!(
        answer,
        [message("one"), failed("13", "the method gave no answer")]
    );
}

#[test]
fn bytes_are_answered_where_they_leave_from() {
    let Scene { running, .. } = scene();
    let answer = call(&running, "/test.Test/Bytes", "", &["ab"]);
    assert_eq!(answer, [message("abab"), status("0")]);
    let answer = call(&running, "/test.Test/Bytes", "", &["fail"]);
    assert_eq!(answer, [status("5")]);
}

#[test]
fn what_cannot_be_read_ends_a_conversation() {
    let Scene { running, ends, .. } = scene();
    for (bytes, code) in [
        (vec![2, 0, 0, 0, 0], "13"),         // no such flag
        (flagged(1, b"x"), "13"),            // compressed without a word
        (vec![0, 0, 1, 0x86, 0xa1], "8"),    // 100,001 bytes, by the prefix
        (b"\x80\0\0\0\x01x".to_vec(), "13"), // trailers
    ] {
        let mut talk = Talk::open(&running, "/test.Test/Echo", "");
        talk.send(&framed("fine"));
        assert_eq!(talk.next(), message("fine"));
        talk.send(&bytes);
        let Frame::Trailers(trailers) = talk.next() else {
            panic!()
        };
        assert_eq!(trailers[0].1, code, "{bytes:?}");
        assert_eq!(ends.recv_timeout(PATIENCE), Ok(EndReason::Aborted));
    }
    // Ended inside of a message.
    let mut talk = Talk::open(&running, "/test.Test/Echo", "");
    talk.send(&framed("hello")[..7]);
    talk.half_close();
    let Frame::Trailers(trailers) = talk.next() else {
        panic!()
    };
    assert_eq!(trailers[0].1, "13");
}

#[test]
fn grpc_deadline_ignored() {
    let Scene { running, ends, .. } = scene();
    let mut talk = Talk::open(&running, "/test.Test/Echo", "grpc-timeout: 50m\r\n");
    talk.send(&framed("a"));
    // The client never half-closes.
    let rest = talk.rest();
    assert_eq!(rest.last(), Some(&failed("4", "deadline has passed")));
    assert_eq!(ends.recv_timeout(PATIENCE), Ok(EndReason::Aborted));
    // While the message of a unary call is still to come.
    let mut talk = Talk::open(&running, "/test.Test/Bytes", "grpc-timeout: 50m\r\n");
    talk.send(&framed("abc")[..6]);
    assert_eq!(talk.rest(), [failed("4", "deadline has passed")]);
}

#[test]
fn grpc_half_message_hold() {
    let limits = Limits::DEFAULT.with_message_time(Duration::from_millis(100));
    let scene = scene_with(|service| service.limits(limits));
    for path in ["/test.Test/Bytes", "/test.Test/Echo"] {
        let mut talk = Talk::open(&scene.running, path, "");
        talk.send(&framed("whole and half")[..9]);
        let Frame::Trailers(trailers) = talk.next() else {
            panic!()
        };
        assert_eq!(trailers[0].1, "4", "{path}");
    }
    // Silence between messages is no fault.
    let mut talk = Talk::open(&scene.running, "/test.Test/Echo", "");
    talk.send(&framed("a"));
    assert_eq!(talk.next(), message("a"));
    std::thread::sleep(Duration::from_millis(200));
    talk.send(&framed("b"));
    assert_eq!(talk.next(), message("b"));
}

#[test]
fn an_object_hears_of_a_client_that_hangs_up_at_once() {
    let Scene { running, ends, .. } = scene();
    let mut talk = Talk::open(&running, "/test.Test/Echo", "");
    talk.send(&framed("a"));
    assert_eq!(talk.next(), message("a"));
    drop(talk);
    assert!(ends.recv_timeout(PATIENCE).is_ok());
}

#[test]
fn a_panic_of_an_object_is_an_internal_error_of_its_call_alone() {
    let Scene { running, .. } = scene();
    let answer = call(&running, "/test.Test/Count", "", &["panic"]);
    assert_eq!(answer, [failed("13", "the method failed")]);
    let answer = call(&running, "/test.Test/Count", "", &["alive"]);
    assert_eq!(answer, [message("1 5"), status("0")]);
}

/// Notes what it sees, lets some in, and marks how it ended.
struct Watch(&'static str, Sender<String>);

impl Interceptor for Watch {
    fn before(&self, call: &mut Call<'_>) -> Result<(), CallStatus> {
        let Self(name, notes) = self;
        let _ = notes.send(format!("{name} before {}", call.method()));
        call.send_metadata(name, "before").unwrap();
        match call.metadata("x-word") {
            Some(word) if word == *name => {
                Err(Status::new(Code::Unauthenticated, format!("{name} says no")).into())
            }
            Some("panic") => panic!("as told"),
            _ => Ok(()),
        }
    }

    fn after(&self, ended: &mut CallEnd<'_>) {
        let Self(name, notes) = self;
        let (method, code) = (ended.method(), ended.status().code);
        let _ = notes.send(format!("{name} after {method} {code}"));
        ended.send_trailer(name, "after").unwrap();
        if ended.status().message == "as told" {
            ended.set_status(Status::new(Code::DataLoss, "changed"));
        }
        assert_eq!(ended.service(), "test.Test");
    }
}

#[test]
fn interceptors_stand_before_and_behind_every_call() {
    let (give, notes) = channel();
    let of_service = Watch("x-service", give.clone());
    let (handles, ends, waits) = (channel().0, channel().0, channel().0);
    let service = service((handles, ends, waits)).intercept(of_service);
    let app = App::new().intercept(Watch("x-app", give)).grpc(service);
    let running = Running::start(app);
    let noted = || -> Vec<String> { notes.try_iter().collect() };
    let told = [("x-service", "after"), ("x-app", "after")];

    let mut talk = Talk::open(&running, "/test.Test/Bytes", "");
    talk.send(&framed("a"));
    talk.half_close();
    assert!(
        talk.head()
            .contains("x-app: before\r\nx-service: before\r\n"),
        "{}",
        talk.head()
    );
    let [fine, service, app] = [("grpc-status", "0"), told[0], told[1]];
    assert_eq!(
        talk.rest(),
        [message("aa"), trailers(&[fine, service, app])]
    );
    assert_eq!(
        noted(),
        [
            "x-app before Bytes",
            "x-service before Bytes",
            "x-service after Bytes OK",
            "x-app after Bytes OK"
        ]
    );

    for (word, message) in [
        ("x-app", "x-app says no"),
        ("x-service", "x-service says no"),
    ] {
        let answer = call(
            &running,
            "/test.Test/Echo",
            &format!("x-word: {word}\r\n"),
            &["a"],
        );
        let refused = [("grpc-status", "16"), ("grpc-message", message)];
        assert_eq!(answer, [trailers(&[refused[0], refused[1], service, app])]);
    }
    let answer = call(&running, "/test.Test/Echo", "x-word: panic\r\n", &["a"]);
    let failed = [("grpc-status", "13"), ("grpc-message", "the method failed")];
    assert_eq!(answer, [trailers(&[failed[0], failed[1], service, app])]);
    noted();

    let answer = call(&running, "/test.Test/Echo", "", &["end"]);
    let changed = [("grpc-status", "15"), ("grpc-message", "changed")];
    assert_eq!(answer[1], trailers(&[changed[0], changed[1], service, app]));
    call(&running, "/test.Test/Nothing", "", &[""]);
    assert!(noted().contains(&"x-app after Nothing UNIMPLEMENTED".into()));

    let mut talk = Talk::open(&running, "/test.Test/Echo", "");
    talk.send(&framed("a"));
    talk.next();
    drop(talk);
    wait_until("the cancelled call is seen", || {
        noted().contains(&"x-service after Echo CANCELLED".into())
    });
}

/// Who calls, as an interceptor knows.
struct Caller(&'static str);

/// Knows callers by a word; tells who it was at their ends.
struct Login(Sender<String>);

impl Interceptor for Login {
    fn before(&self, call: &mut Call<'_>) -> Result<(), CallStatus> {
        if call.metadata("x-word") == Some("open") {
            call.insert(Caller("nobody yet"));
            call.insert(Caller("Ann"));
        }
        Ok(())
    }

    fn after(&self, ended: &mut CallEnd<'_>) {
        let _ = self.0.send(who(ended.extensions()));
    }
}

/// Puts a number to every request.
struct Numbers;

impl Middleware for Numbers {
    fn before(&self, request: &mut Incoming<'_, '_>, _reply: Reply<'_, '_>) -> Next {
        request.insert(7_u8);
        Next::Continue
    }
}

fn who(extensions: &Extensions) -> String {
    let caller = extensions.get::<Caller>().map_or("-", |caller| caller.0);
    let number = extensions.get::<u8>().copied().unwrap_or(0);
    format!("{caller} {number}")
}

#[test]
fn a_method_sees_what_interceptors_and_middleware_have_put_to_its_call() {
    let service = || {
        let at_once =
            |_request: Vec<u8>, call: &mut Call<'_>| Ok(who(call.extensions()).into_bytes());
        let several = |_request: Vec<u8>, call: &mut Call<'_>| {
            let text = who(call.extensions()).into_bytes();
            Ok((0..2).map(move |_| Ok(text.clone())))
        };
        Service::new("test.Test")
            .unary("Once", at_once)
            .server_streaming("Twice", several)
    };
    for with_middleware in [true, false] {
        let (give, notes) = channel();
        let app = App::new().grpc(service().intercept(Login(give)));
        let (app, number) = match with_middleware {
            true => (app.with(Numbers), 7),
            false => (app, 0),
        };
        let running = Running::start(app);
        // The last one must not see what belonged to those before.
        for (word, caller) in [("open", "Ann"), ("shut", "-")] {
            let expected = format!("{caller} {number}");
            for (method, messages) in [("Once", 1), ("Twice", 2)] {
                let path = format!("/test.Test/{method}");
                let answer = call(&running, &path, &format!("x-word: {word}\r\n"), &["a"]);
                assert_eq!(answer.len(), messages + 1);
                let is_right = |it: &Frame| *it == message(&expected);
                assert!(answer[..messages].iter().all(is_right), "{answer:?}");
                assert_eq!(notes.recv_timeout(PATIENCE).unwrap(), expected);
            }
        }
    }
}

#[test]
fn many_small_messages_of_one_read_are_answered_in_order() {
    let Scene { running, .. } = scene();
    let mut talk = Talk::open(&running, "/test.Test/Echo", "");
    // 3,000 empty messages in one chunk.
    talk.send(&framed("").repeat(3000));
    talk.half_close();
    let answer = talk.rest();
    assert_eq!(answer.len(), 3001);
    assert!(answer[..3000].iter().all(|it| *it == message("")));
}

#[cfg(feature = "gzip")]
mod gzip {
    use super::*;
    use barewire::grpc::Gzip;

    fn packed(message: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        Gzip::new().compress(message, &mut out);
        out
    }

    fn unpacked(frame: Frame) -> Vec<u8> {
        let Frame::Compressed(bytes) = frame else {
            panic!("{frame:?} is not compressed")
        };
        let mut out = Vec::new();
        Gzip::new().inflate(&bytes, 1 << 20, &mut out).unwrap();
        out
    }

    const READS: &str = "grpc-accept-encoding: identity,gzip\r\n";

    #[test]
    fn what_a_client_compresses_is_read() {
        let Scene { running, .. } = scene();
        for path in ["/test.Test/Bytes", "/test.Test/Echo"] {
            let mut talk = Talk::open(&running, path, "grpc-encoding: gzip\r\n");
            talk.send(&flagged(1, &packed(b"abc")));
            talk.half_close();
            let Frame::Message(message) = talk.next() else {
                panic!()
            };
            assert!(message.starts_with(b"abc"));
            assert!(
                talk.head()
                    .contains("grpc-accept-encoding: identity,gzip\r\n")
            );
            assert!(!talk.head().contains("grpc-encoding: gzip"));
        }
        // Each message says for itself whether it is.
        let mut talk = Talk::open(&running, "/test.Test/Echo", "grpc-encoding: gzip\r\n");
        talk.send(&[framed("plain"), flagged(1, &packed(b"packed"))].concat());
        talk.half_close();
        assert_eq!(talk.rest()[..2], [message("plain"), message("packed")]);
    }

    #[test]
    fn grpc_gzip_bomb() {
        let Scene { running, .. } = scene();
        let bomb = packed(&vec![0; 1 << 20]);
        assert!(bomb.len() < 100_000);
        for path in ["/test.Test/Bytes", "/test.Test/Echo"] {
            for (bytes, code) in [(&bomb[..], "8"), (b"no gzip", "13"), (b"", "13")] {
                let mut talk = Talk::open(&running, path, "grpc-encoding: gzip\r\n");
                talk.send(&flagged(1, bytes));
                talk.half_close();
                let Frame::Trailers(trailers) = talk.next() else {
                    panic!()
                };
                assert_eq!(trailers[0].1, code);
            }
        }
    }

    #[test]
    fn responses_are_compressed_for_whoever_reads_that() {
        let Scene { running, .. } = scene_with(Service::compress);
        for path in ["/test.Test/Bytes", "/test.Test/Echo"] {
            let mut talk = Talk::open(&running, path, READS);
            talk.send(&framed("abc"));
            talk.half_close();
            assert!(unpacked(talk.next()).starts_with(b"abc"));
            assert!(talk.head().contains("grpc-encoding: gzip\r\n"));
            let mut talk = Talk::open(&running, path, "grpc-accept-encoding: br\r\n");
            talk.send(&framed("abc"));
            talk.half_close();
            assert!(matches!(talk.next(), Frame::Message(_)));
            assert!(!talk.head().contains("grpc-encoding"));
        }
    }

    #[test]
    fn a_call_decides_for_itself() {
        let service =
            Service::new("test.Test").unary("Ask", |request: Vec<u8>, call: &mut Call<'_>| {
                let was: &[u8] = if call.is_compressed() {
                    b"packed"
                } else {
                    b"plain"
                };
                call.set_compressed(request == b"compress");
                Ok(was.to_vec())
            });
        let running = Running::start(App::new().grpc(service));
        let mut talk = Talk::open(&running, "/test.Test/Ask", READS);
        talk.send(&framed("compress"));
        talk.half_close();
        assert_eq!(unpacked(talk.next()), b"plain");
        let fields = format!("{READS}grpc-encoding: gzip\r\n");
        let mut talk = Talk::open(&running, "/test.Test/Ask", &fields);
        talk.send(&flagged(1, &packed(b"do not")));
        talk.half_close();
        assert_eq!(talk.next(), message("packed"));
    }
}
