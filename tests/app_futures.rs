//! Futures that are polled on their loop: replies, calls, parts of sessions, tasks.
#![cfg(feature = "net")]

mod app_support;
mod counting;
mod http2_support;
#[path = "app_support/http2.rs"]
mod peer;

use core::future::Future;
use core::pin::Pin;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};

use app_support::grpc::{Frame, Talk, call, failed, framed, message, status as grpc_status};
use app_support::{Answer, PATIENCE, Running, read_until, wait_until};
use barewire::app::{
    App, CallStatus, Code, FutureError, FutureId, Message, Refusal, Response, Service, Socket,
    Spawner, Status, WebSocket,
};
use barewire::http1;
use barewire::http2::ErrorCode;
use barewire::link;
use barewire::net::{Limits, Share};
use counting::{ALLOCATIONS, COUNTS};
use http2_support::{ended, status};
use peer::Peer;

/// A value that somebody gives later, and what becomes of the future that waits for it.
#[derive(Clone, Default)]
struct Promise(Arc<Mutex<Promised>>);

#[derive(Default)]
struct Promised {
    value: Option<&'static str>,
    waker: Option<Waker>,
    polls: usize,
    is_dropped: bool,
}

/// Waits for a promise.
struct Kept(Promise);

impl Promise {
    fn wait(&self) -> Kept {
        Kept(self.clone())
    }

    fn is_polled(&self) -> bool {
        self.0.lock().unwrap().waker.is_some()
    }

    fn is_dropped(&self) -> bool {
        self.0.lock().unwrap().is_dropped
    }

    /// Gives the value from a thread of its own, once the future waits.
    fn give(&self, value: &'static str) {
        wait_until("the future is polled", || self.is_polled());
        let promised = self.0.clone();
        let given = std::thread::spawn(move || {
            let mut promised = promised.lock().unwrap();
            promised.value = Some(value);
            promised.waker.take().unwrap().wake();
        });
        given.join().unwrap();
    }
}

impl Future for Kept {
    type Output = &'static str;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<&'static str> {
        let mut promised = self.0.0.lock().unwrap();
        promised.polls += 1;
        match promised.value.take() {
            Some("panic") => {
                drop(promised);
                panic!("on purpose")
            }
            Some(value) => Poll::Ready(value),
            None => {
                promised.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.0.0.lock().unwrap().is_dropped = true;
    }
}

/// Is ready when it was polled so often, and wakes itself.
struct Yields(usize);

impl Future for Yields {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.0 == 0 {
            return Poll::Ready(());
        }
        self.0 -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

fn panic_on_purpose() -> Response {
    panic!("on purpose")
}

fn app(promise: &Promise) -> App {
    let (later, tasks) = (promise.clone(), promise.clone());
    App::new()
        .get("/fast", |_request, reply| reply.text("fast"))
        .get("/ready", |_request, reply| {
            reply
                .header("X-Before", "kept")
                .future(async { Response::text("ready").header("X-After", "added") })
        })
        .get("/refused", |_request, reply| {
            reply.future(async {
                Yields(3).await;
                Err::<Response, _>(Refusal::new(Status::CONFLICT).because("late"))
            })
        })
        .get("/panic", |_request, reply| {
            reply.future(async { panic_on_purpose() })
        })
        .get("/later", move |_request, reply| {
            let kept = later.wait();
            reply
                .header("X-Before", "kept")
                .future(async move { Response::text(kept.await).header("X-After", "added") })
        })
        .get("/tasks", move |_request, reply| {
            let kept = tasks.wait();
            reply.future_with(|spawner| async move {
                let task = async move {
                    kept.await;
                };
                spawner.spawn(task).unwrap();
                core::future::pending::<Response>().await
            })
        })
}

fn ask(running: &Running, path: &str) -> TcpStream {
    let mut stream = running.connect();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    stream
}

/// Ends a connection so that its server knows immediately.
fn reset(stream: TcpStream) {
    let socket = socket2::SockRef::from(&stream);
    socket.set_linger(Some(Duration::ZERO)).unwrap();
}

#[test]
fn a_future_answers_when_it_is_ready() {
    let promise = Promise::default();
    let running = Running::start(app(&promise));
    let answer = running.get("/ready");
    let added = |answer: &Answer| (answer.header("x-before"), answer.header("x-after"));
    let both = (String::from("kept"), String::from("added"));
    assert_eq!((&*answer.body, added(&answer)), ("ready", both.clone()));
    let answer = running.get("/refused");
    assert_eq!(
        (answer.status, &*answer.body),
        (409, "{\"error\":\"late\"}")
    );
    let mut later = ask(&running, "/later");
    promise.give("at last");
    let answer = Answer::new(read_until(&mut later, "at last").as_bytes());
    assert_eq!((answer.status, added(&answer)), (200, both));
    assert_eq!(promise.0.lock().unwrap().polls, 2);
    wait_until("it is dropped", || promise.is_dropped());
}

#[test]
fn a_panic_ends_its_exchange_only() {
    let promise = Promise::default();
    let running = Running::start(app(&promise));
    let mut peer = Peer::connect(&running);
    let later = peer.get("/later");
    peer.flush();
    wait_until("it waits", || promise.is_polled());
    assert_eq!(peer.fetch("GET", "/panic", b"").0, 500);
    assert_eq!(peer.fetch("GET", "/refused", b"").0, 409);
    assert!(!ended(&peer.seen, later));
    promise.give("panic");
    peer.until(|seen| ended(seen, later));
    assert_eq!(status(&peer.seen, later), 500);
    assert_eq!(peer.fetch("GET", "/fast", b""), (200, b"fast".to_vec()));
    assert_eq!(running.get("/panic").status, 500);
}

#[test]
fn a_future_that_is_not_ready_in_time_is_dropped() {
    let promise = Promise::default();
    let limits = link::Limits::DEFAULT.with_reply(Duration::from_millis(1));
    let running = Running::start(app(&promise).protocol_limits(limits));
    let mut client = ask(&running, "/later");
    let head = read_until(&mut client, "\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 504"), "{head}");
    wait_until("it is dropped", || promise.is_dropped());
    if let Some(waker) = promise.0.lock().unwrap().waker.take() {
        waker.wake(); // does nothing
    }
    assert_eq!(running.get("/fast").body, "fast");
}

/// One that has sent its last byte, or its next request, with the request that is overdue.
#[test]
fn what_came_behind_an_overdue_request_goes_on() {
    let promise = Promise::default();
    let limits = link::Limits::DEFAULT
        .with_reply(Duration::from_millis(1))
        .with_http1(http1::Limits::DEFAULT.with_idle_timeout(Duration::from_secs(3600)));
    let running = Running::start(app(&promise).protocol_limits(limits));
    let mut client = ask(&running, "/later");
    client.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap(); // before long, as the connection ends
    assert!(answer.starts_with("HTTP/1.1 504"), "{answer}");
    let mut client = running.connect();
    let request = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
    let both = [request("/later"), request("/fast")].concat();
    client.write_all(both.as_bytes()).unwrap();
    let answers = read_until(&mut client, "fast");
    assert!(answers.starts_with("HTTP/1.1 504"), "{answers}");
}

#[test]
fn a_future_and_its_tasks_go_with_their_client() {
    for path in ["/later", "/tasks"] {
        let promise = Promise::default();
        let running = Running::start(app(&promise));
        let client = ask(&running, path);
        wait_until("it waits", || promise.is_polled());
        reset(client);
        wait_until("it is dropped", || promise.is_dropped());
        let promise = Promise::default();
        let running = Running::start(app(&promise));
        let mut peer = Peer::connect(&running);
        let stream = peer.get(path);
        peer.flush();
        wait_until("it waits", || promise.is_polled());
        let out = &mut peer.side.out;
        peer.side
            .machine
            .send_reset(
                stream,
                ErrorCode::CANCEL,
                barewire::app::Instant::START,
                out,
            )
            .unwrap();
        peer.flush();
        wait_until("it is dropped", || promise.is_dropped());
        assert_eq!(peer.fetch("GET", "/fast", b""), (200, b"fast".to_vec()));
    }
}

#[test]
fn one_that_wakes_itself_for_ever_holds_nobody_up() {
    let polls = Arc::new(AtomicUsize::new(0));
    let counted = polls.clone();
    let app = app(&Promise::default()).get("/spin", move |_request, reply| {
        let polls = counted.clone();
        reply.future(async move {
            loop {
                polls.fetch_add(1, Relaxed);
                Yields(1).await;
            }
            #[expect(unreachable_code, reason = "it says what the future would give")]
            Response::text("never")
        })
    });
    let running = Running::start(app);
    let spinning = ask(&running, "/spin");
    for _ in 0..20 {
        let before = polls.load(Relaxed);
        assert_eq!(running.get("/fast").body, "fast");
        wait_until("it goes on", || polls.load(Relaxed) > before);
    }
    reset(spinning);
    assert_eq!(running.get("/fast").body, "fast");
}

#[test]
fn an_address_has_a_share_of_the_futures() {
    let promise = Promise::default();
    let share = Share {
        all: 10,
        address: 1,
        connection: 1,
    };
    let service = Service::new("a.A").unary_async("Wait", |_: Vec<u8>, _call| {
        core::future::pending::<Result<Vec<u8>, _>>()
    });
    let app = app(&promise)
        .grpc(service)
        .limits(Limits::DEFAULT.with_futures(share));
    let running = Running::start(app);
    let mut first = ask(&running, "/later");
    wait_until("it waits", || promise.is_polled());
    let answer = running.get("/refused");
    assert_eq!((answer.status, &*answer.header("retry-after")), (503, "1"));
    assert_eq!(running.get("/ready").status, 200, "it is never kept");
    let busy = failed("8", "the server is busy");
    assert_eq!(call(&running, "/a.A/Wait", "", &[""]), [busy]);
    promise.give("done");
    read_until(&mut first, "done");
    wait_until("there is room", || running.get("/refused").status == 409);
}

#[test]
fn tasks_begin_from_any_thread_and_are_polled_on_their_loop() {
    let (told, tell) = channel::<(&'static str, Option<String>)>();
    let name = || std::thread::current().name().map(String::from);
    let (spawners, spawner) = channel::<Spawner>();
    let app = App::new().get("/", move |_request, mut reply| {
        spawners.send(reply.spawner()).unwrap();
        let told: Sender<_> = told.clone();
        reply.future(async move {
            let spawner = Spawner::current().unwrap();
            let local = std::rc::Rc::new(told.clone());
            let task = async move {
                Yields(3).await;
                local.send(("local", name())).unwrap();
            };
            spawner.spawn_local(task).unwrap();
            let told = told.clone();
            let timed = spawner.sleep(Duration::from_millis(2));
            let task = async move {
                timed.await;
                told.send(("timed", name())).unwrap();
            };
            spawner.spawn(task).unwrap();
            spawner.spawn(async { panic!("on purpose") }).unwrap();
            Response::text("begun")
        })
    });
    let metrics = app.metrics();
    let running = Running::start(app);
    assert_eq!(running.get("/").body, "begun");
    assert!(Spawner::current().is_none());
    let spawner = spawner.recv_timeout(PATIENCE).unwrap();
    let refused = spawner.spawn_local(async {});
    assert_eq!(refused, Err(FutureError::OtherThread));
    let (sent, from) = channel();
    let task = async move { sent.send(("sent", name())).unwrap() };
    spawner.spawn(task).unwrap();
    let mut seen: Vec<_> = (0..2)
        .map(|_| tell.recv_timeout(PATIENCE).unwrap())
        .collect();
    seen.push(from.recv_timeout(PATIENCE).unwrap());
    seen.sort_unstable();
    let names: Vec<_> = seen.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["local", "sent", "timed"]);
    let (on, here) = (&seen[0].1, name());
    assert!(
        seen.iter()
            .all(|(_, thread)| thread == on && *thread != here)
    );
    wait_until("the panic is counted", || metrics.snapshot().panics == 1);
    drop(running);
    assert_eq!(spawner.spawn(async {}), Err(FutureError::Over));
}

#[test]
fn calls_answer_by_futures() {
    let promise = Promise::default();
    let later = promise.clone();
    let service = Service::new("a.A")
        .unary_async("Say", |request: Vec<u8>, _call| async move {
            match &*request {
                b"panic" => panic!("on purpose"),
                b"no" => Err(barewire::grpc::Status::new(Code::NotFound, "none").into()),
                _ => Ok(request),
            }
        })
        .unary_async("Later", move |_: Vec<u8>, _call| {
            let kept = later.wait();
            async move { Ok::<_, CallStatus>(kept.await.as_bytes().to_vec()) }
        });
    let running = Running::start(App::new().grpc(service));
    let said = |text| call(&running, "/a.A/Say", "", &[text]);
    assert_eq!(said("yes"), [message("yes"), grpc_status("0")]);
    assert_eq!(said("no"), [failed("5", "none")]);
    assert_eq!(said("panic"), [failed("13", "the method failed")]);
    let mut talk = Talk::open(&running, "/a.A/Later", "");
    talk.send(&framed(""));
    talk.half_close();
    promise.give("at last");
    assert_eq!(talk.rest(), [message("at last"), grpc_status("0")]);
    let frames = call(&running, "/a.A/Later", "grpc-timeout: 1m\r\n", &[""]);
    assert!(
        matches!(&frames[..], [Frame::Trailers(fields)] if fields[0].1 == "4"),
        "{frames:?}"
    );
    wait_until("it is dropped", || promise.is_dropped());
}

#[test]
fn an_overdue_call_ends_with_deadline_exceeded() {
    let service = Service::new("a.A").unary_async("Wait", |_: Vec<u8>, _call| {
        core::future::pending::<Result<Vec<u8>, _>>()
    });
    let limits = link::Limits::DEFAULT.with_reply(Duration::from_millis(1));
    let running = Running::start(App::new().grpc(service).protocol_limits(limits));
    let overdue = failed("4", "the method gave no answer");
    assert_eq!(call(&running, "/a.A/Wait", "", &[""]), [overdue]);
}

/// Answers each message by a future, and counts those that were begun.
struct Slow(Promise, Option<FutureId>);

impl WebSocket for Slow {
    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        let text = String::from(message.as_text().unwrap());
        match &*text {
            "wait" => {
                let then = |value: &'static str, socket: &mut Socket<'_, '_>| {
                    socket.send(value);
                };
                self.1 = Some(socket.future(self.0.wait(), then).unwrap());
            }
            "cancel" => {
                let was_there = socket.cancel(self.1.unwrap());
                socket.send(if was_there { "yes" } else { "no" });
            }
            _ => {
                let future = async move {
                    Yields(text.len() - 1).await;
                    text
                };
                let then = |text: String, socket: &mut Socket<'_, '_>| {
                    socket.send(&*text);
                };
                socket.future(future, then).unwrap();
            }
        }
    }
}

fn websocket(running: &Running) -> TcpStream {
    let mut stream = running.connect();
    stream
        .write_all(
            b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
              Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        )
        .unwrap();
    read_until(&mut stream, "\r\n\r\n");
    stream
}

fn say(stream: &mut TcpStream, text: &str) {
    let mut frame = vec![0x81, 0x80 | text.len() as u8, 0, 0, 0, 0];
    frame.extend_from_slice(text.as_bytes());
    stream.write_all(&frame).unwrap();
}

fn hear(stream: &mut TcpStream) -> String {
    let mut head = [0; 2];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(head[0], 0x81);
    let mut text = vec![0; head[1].into()];
    stream.read_exact(&mut text).unwrap();
    String::from_utf8(text).unwrap()
}

#[test]
fn futures_send_on_sockets_and_go_with_them() {
    let promise = Promise::default();
    let of_app = promise.clone();
    let app = App::new().websocket("/ws", move |_| Ok(Slow(of_app.clone(), None)));
    let running = Running::start(app);
    let mut stream = websocket(&running);
    for text in ["slower", "x"] {
        say(&mut stream, text);
    }
    let mut heard = [hear(&mut stream), hear(&mut stream)];
    heard.sort_unstable();
    assert_eq!(heard, ["slower", "x"]);
    say(&mut stream, "wait");
    promise.give("at last");
    assert_eq!(hear(&mut stream), "at last");
    say(&mut stream, "cancel");
    assert_eq!(hear(&mut stream), "no");
    say(&mut stream, "wait");
    say(&mut stream, "cancel");
    assert_eq!(hear(&mut stream), "yes");
    promise.0.lock().unwrap().is_dropped = false;
    say(&mut stream, "wait");
    wait_until("it waits", || promise.0.lock().unwrap().polls == 4);
    reset(stream);
    wait_until("it is dropped", || promise.is_dropped());
}

#[test]
fn a_wake_and_a_ready_future_allocate_nothing_more() {
    let app = App::new().get("/", |_request, reply| {
        reply.future(async {
            COUNTS.set(true);
            Yields(10).await;
            let before = ALLOCATIONS.load(Relaxed);
            Yields(1_000).await;
            let allocated = ALLOCATIONS.load(Relaxed) - before;
            COUNTS.set(false);
            Response::text(format!("{allocated} times"))
        })
    });
    let running = Running::start(app.get("/ready", |_request, reply| {
        COUNTS.set(true);
        let before = ALLOCATIONS.load(Relaxed);
        let done = reply.future(async move {
            let allocated = ALLOCATIONS.load(Relaxed) - before;
            COUNTS.set(false);
            Response::text(format!("{allocated} times"))
        });
        COUNTS.set(false);
        done
    }));
    assert_eq!(running.get("/").body, "0 times");
    running.get("/ready");
    assert_eq!(running.get("/ready").body, "1 times", "its box");
}

/// A stream that always has an item of 1 KiB, and counts them.
#[cfg(feature = "futures")]
struct Endless(Arc<AtomicUsize>);

#[cfg(feature = "futures")]
impl futures_core::Stream for Endless {
    type Item = Result<Vec<u8>, CallStatus>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.fetch_add(1, Relaxed);
        Poll::Ready(Some(Ok(b"x".repeat(1 << 10))))
    }
}

#[cfg(feature = "futures")]
struct Flood(Endless);

#[cfg(feature = "futures")]
impl WebSocket for Flood {
    fn open(&mut self, socket: &mut Socket<'_, '_>) {
        let stream = Endless(self.0.0.clone());
        let send = |item: Option<Result<Vec<u8>, _>>, socket: &mut Socket<'_, '_>| {
            socket.send(&item.unwrap().unwrap()[..]);
        };
        socket.stream(stream, send).unwrap();
    }

    fn message(&mut self, _: &mut Socket<'_, '_>, _: Message<'_>) {}
}

#[cfg(feature = "futures")]
#[test]
fn a_stream_is_not_polled_while_its_window_over_http2_is_shut() {
    use barewire::app::EventsFrom;
    use barewire::http2::BodyLength;
    use barewire::sse::Event;

    for kind in ["/events", "/t.T/Flow", "/ws"] {
        let polls = Arc::new(AtomicUsize::new(0));
        let [events, calls, sockets] = [0; 3].map(|_| polls.clone());
        let flow = Service::new("t.T")
            .server_streaming_async("Flow", move |_: Vec<u8>, _call| Ok(Endless(calls.clone())));
        let app = App::new()
            .get("/fast", |_request, reply| reply.text("fast"))
            .events("/events", move |_| {
                Ok(EventsFrom::new(Endless(events.clone()), |item, stream| {
                    let item = item.unwrap();
                    stream.send(&Event::new(core::str::from_utf8(&item).unwrap()));
                }))
            })
            .websocket("/ws", move |_| Ok(Flood(Endless(sockets.clone()))))
            .grpc(flow);
        let running = Running::start(app);
        let mut peer = Peer::connect(&running);
        let stream = match kind {
            "/events" => peer.get(kind),
            "/ws" => {
                let fields = [("sec-websocket-version", "13")];
                let length = Some(BodyLength::Unknown);
                peer.side
                    .ask("CONNECT", kind, Some("websocket"), &fields, length)
            }
            _ => {
                let fields = [("content-type", "application/grpc"), ("te", "trailers")];
                let length = Some(BodyLength::Known(5));
                let id = peer.side.ask("POST", kind, None, &fields, length);
                peer.send(id, &[0; 5], true);
                id
            }
        };
        peer.flush();
        wait_until("it begins", || polls.load(Relaxed) > 0);
        let settled = |()| {
            for _ in 0..20 {
                assert_eq!(running.get("/fast").body, "fast");
            }
            polls.load(Relaxed)
        };
        let mut waiting = settled(());
        wait_until("it rests", || {
            let before = core::mem::replace(&mut waiting, settled(()));
            before == waiting
        });
        assert!((60..300).contains(&waiting), "{kind}: {waiting}");
        peer.until(|_| polls.load(Relaxed) > 10 * waiting);
        let (now, out) = (barewire::app::Instant::START, &mut peer.side.out);
        let machine = &mut peer.side.machine;
        machine
            .send_reset(stream, ErrorCode::CANCEL, now, out)
            .unwrap();
        peer.flush();
        wait_until("it is dropped", || Arc::strong_count(&polls) == 4);
        assert_eq!(peer.fetch("GET", "/fast", b""), (200, b"fast".to_vec()));
    }
}
