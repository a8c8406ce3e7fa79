//! Apps in memory: each kind of session, both versions of HTTP, and the clock.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use barewire::app::{
    App, CloseCode, Compression, DeferredResponse, EventStream, Events, Message, Reply, Request,
    Response, Route, Service, Socket, Spawner, Stream, Streaming, WebSocket, WebSocketRoute,
};
use barewire::client::{CallOptions, Message as Received};
use barewire::grpc::Code;
use barewire::http::{Fields, Method, Status, Version};
use barewire::link::{self, EndReason};
use barewire::sse::Event;
use barewire::test::{TestApp, TestError};
use barewire::{app::Done, websocket};

const SECOND: Duration = Duration::from_secs(1);

/// The app over both versions.
fn both(app: App) -> [TestApp; 2] {
    let app = app.test().unwrap();
    [app.clone(), app.http2()]
}

fn version_of(app: &TestApp) -> Version {
    app.get("/").send().unwrap().version()
}

fn told(request: &Request<'_>, reply: Reply<'_, '_>) -> Done {
    let peer = request.peer().and_then(|it| it.ip()).unwrap();
    reply
        .header("X-Method", request.method().as_str())
        .text(format!(
            "{} {:?} {} {:?} {peer}",
            request.path(),
            request.query(),
            request.content_type(),
            core::str::from_utf8(request.body()).unwrap(),
        ))
}

#[test]
fn requests_of_all_kinds_are_answered_over_both_versions() {
    for app in both(App::new().any("/{*rest}", told)) {
        assert_eq!(
            version_of(&app) == Version::Http2,
            format!("{app:?}").contains("Http2")
        );
        let request = app.get("/a").query("q", "x y").query("n", 7);
        let response = request.send().unwrap();
        assert_eq!(response.status(), Status::OK);
        let text = "/a Some(\"q=x+y&n=7\") application/octet-stream \"\" 192.0.2.1";
        assert_eq!(response.text(), text);
        assert_eq!(response.header("x-method"), Some("GET"));

        let form = app.post("/f").form([("a", "1&2"), ("b", "")]);
        let text = "/f None application/x-www-form-urlencoded \"a=1%262&b=\" 192.0.2.1";
        assert_eq!(form.send().unwrap().text(), text);
        let named = app.put("/f").header("Content-Type", "text/csv").body("1,2");
        let text = "/f None text/csv \"1,2\" 192.0.2.1";
        assert_eq!(named.send().unwrap().text(), text);

        let other = app.from_address([127, 0, 0, 9]);
        assert!(other.get("/").send().unwrap().text().ends_with("127.0.0.9"));
        let purged = app.request(Method::Extension("PURGE"), "/").send().unwrap();
        assert_eq!(purged.header("x-method"), Some("PURGE"));
        let head = app.head("/").send().unwrap();
        assert_eq!((head.body(), head.status()), (&b""[..], Status::OK));
        assert!(head.header("content-length").is_some());

        let injected = app.get("/").header("X-A", "a\r\nb").send();
        assert!(matches!(injected, Err(TestError::Field(_))));
        assert!(matches!(app.get("a b").send(), Err(TestError::Target(_))));
    }
}

#[cfg(feature = "json")]
#[test]
fn json_goes_both_ways() {
    let app = App::new().post("/echo", |request, reply| {
        reply.body(request.content_type(), request.body())
    });
    for app in both(app) {
        let response = app.post("/echo").json(&[1, 2, 3]).send().unwrap();
        assert_eq!(response.header("content-type"), Some("application/json"));
        assert_eq!(response.json::<Vec<u32>>().unwrap(), [1, 2, 3]);
    }
}

/// Tells each piece of a request, and its end.
struct Pieces;

impl Streaming for Pieces {
    fn chunk(&mut self, stream: &mut Stream<'_, '_>, data: &mut [u8]) {
        stream.write(&[b"<", &*data, b">"].concat());
    }

    fn end(&mut self, stream: &mut Stream<'_, '_>, _: Fields<'_>) {
        stream.finish();
    }
}

#[test]
fn bodies_come_and_go_in_pieces() {
    let route = Route::post("/pieces").stream(|_request, reply| reply.stream(Pieces));
    for app in both(App::new().route(route)) {
        let exchange = app.post("/pieces").stream().unwrap();
        assert_eq!(exchange.status(), Some(Status::OK));
        exchange.write("ab").unwrap();
        assert_eq!(exchange.take(), b"<ab>");
        exchange.write("c").unwrap();
        assert_eq!(exchange.read().unwrap().unwrap(), b"<c>");
        assert!(!exchange.is_complete());
        exchange.finish().unwrap();
        assert_eq!(exchange.read().unwrap(), None);
        assert_eq!(exchange.response().unwrap().text(), "");
    }
}

/// Writes without an end, and says when it was closed.
struct Endless(mpsc::Sender<EndReason>);

impl Streaming for Endless {
    fn writable(&mut self, stream: &mut Stream<'_, '_>) {
        while stream.write(&[b'x'; 4096]) == barewire::app::Flow::Go {}
    }

    fn closed(&mut self, why: EndReason) {
        self.0.send(why).unwrap();
    }
}

#[test]
fn a_writer_without_an_end_is_held_back_and_hears_that_its_client_left() {
    let (sender, closed) = mpsc::channel();
    let app = App::new().get("/", move |_request, reply| {
        reply.stream(Endless(sender.clone()))
    });
    for app in both(app) {
        let exchange = app.get("/").start().unwrap();
        let first = exchange.take().len();
        assert!((1..=1 << 20).contains(&first), "{first}");
        assert!(exchange.read().unwrap().is_some());
        assert!(matches!(exchange.response(), Err(TestError::TooLong)));
        assert!(closed.try_recv().is_err());
        exchange.cancel().unwrap();
        let why = closed.try_recv().unwrap();
        assert!(matches!(
            why,
            EndReason::Reset | EndReason::StreamReset { .. }
        ));
    }
}

#[test]
fn threads_that_answer_are_waited_for() {
    let app = App::new()
        .get("/blocking", |_request, reply| {
            reply.blocking(|| {
                thread::sleep(Duration::from_millis(20));
                Response::text("done")
            })
        })
        .get("/thread", |_request, reply| {
            reply.defer(|deferred| drop(thread::spawn(|| deferred.send(Response::text("late")))))
        });
    for app in both(app) {
        assert_eq!(app.get("/blocking").send().unwrap().text(), "done");
        assert_eq!(app.get("/thread").send().unwrap().text(), "late");
    }
}

#[test]
fn what_never_comes_is_not_waited_for_without_end() {
    let app = App::new().get("/never", |_request, reply| reply.defer(core::mem::forget));
    let app = app.test().unwrap();
    app.set_patience(Duration::from_millis(20));
    assert!(matches!(
        app.get("/never").send(),
        Err(TestError::Silent(_))
    ));
}

#[test]
fn futures_that_sleep_wake_when_the_clock_is_wound() {
    let app = App::new().get("/nap", |_request, reply| {
        reply.future(async {
            Spawner::current().unwrap().sleep(60 * SECOND).await;
            Response::text("awake")
        })
    });
    let limits = link::Limits::DEFAULT.with_reply(100 * SECOND);
    for app in both(app.protocol_limits(limits)) {
        let exchange = app.get("/nap").start().unwrap();
        app.advance(59 * SECOND).unwrap();
        assert_eq!(exchange.status(), None);
        app.advance(SECOND).unwrap();
        assert_eq!(exchange.response().unwrap().text(), "awake");
    }
}

#[test]
fn timeouts_and_the_end_of_idle_connections_come_with_the_clock() {
    let app = App::new().get("/late", |_request, reply| reply.defer(core::mem::forget));
    let app = app.test().unwrap();
    let exchange = app.get("/late").start().unwrap();
    app.advance(70 * SECOND).unwrap();
    let late = exchange.response().unwrap();
    assert_eq!(late.status(), Status::GATEWAY_TIMEOUT);
    let client = app.world().connect_client(0);
    app.world().send(client, b"GET / HTTP/1.1\r\n");
    app.advance(70 * SECOND).unwrap();
    assert!(app.world().output(client).starts_with(b"HTTP/1.1 408 "));
}

struct Echo;

impl WebSocket for Echo {
    fn open(&mut self, socket: &mut Socket<'_, '_>) {
        socket.join("room").unwrap();
    }

    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        match message.as_text() {
            Some("leave") => drop(socket.close(CloseCode::new(4001), "asked")),
            _ => drop(socket.send(message)),
        }
    }
}

#[test]
fn websockets_send_receive_and_close() {
    let route = WebSocketRoute::new(|_request| Ok(Echo)).protocols(["echo.v1"]);
    let app = App::new()
        .websocket_route("/echo", route)
        .get("/plain", |_request, reply| reply.text("no socket"));
    for app in both(app) {
        let socket = app.get("/echo").protocol("echo.v1").websocket().unwrap();
        assert_eq!(socket.protocol(), Some("echo.v1"));
        assert_eq!(socket.try_receive(), None);
        socket.send("text").unwrap();
        socket.send(&[1, 2, 3]).unwrap();
        assert_eq!(socket.receive().unwrap(), Received::from("text"));
        assert_eq!(socket.receive().unwrap(), Received::from(vec![1, 2, 3]));
        socket.ping(b"there?").unwrap();
        assert_eq!(socket.pong().as_deref(), Some(&b"there?"[..]));
        app.hub().publish("room", "for all");
        assert_eq!(socket.receive().unwrap().text(), Some("for all"));

        socket.send("leave").unwrap();
        let close = socket.closed().unwrap();
        assert_eq!((close.code.get(), &*close.reason), (4001, "asked"));
        assert!(socket.is_closed());
        assert!(matches!(socket.receive(), Err(TestError::Ended(_))));

        let socket = app.get("/echo").websocket().unwrap();
        socket.close(CloseCode::NORMAL, "bye").unwrap();
        assert_eq!(socket.closed().unwrap().code, CloseCode::NORMAL);

        let Err(TestError::Refused { response, .. }) = app.get("/plain").websocket() else {
            panic!("opened");
        };
        assert!(response.status() == Status::OK || response.status().is_error());
        let foreign = app.get("/echo").header("Origin", "https://evil.example");
        let Err(TestError::Refused { response, .. }) = foreign.websocket() else {
            panic!("opened");
        };
        assert_eq!(response.status(), Status::FORBIDDEN);
    }
}

#[test]
fn a_client_is_pinged_as_the_clock_is_wound_and_answers() {
    let sockets = websocket::Limits::DEFAULT;
    let limits = link::Limits::DEFAULT.with_websocket(sockets);
    let app = App::new()
        .websocket("/", |_request| Ok(Echo))
        .protocol_limits(limits);
    for app in both(app) {
        let socket = app.get("/").websocket().unwrap();
        app.advance(600 * SECOND).unwrap();
        assert!(!socket.is_closed());
        socket.send("still here").unwrap();
        assert_eq!(socket.receive().unwrap().text(), Some("still here"));
    }
}

struct Ticks(u32);

impl Events for Ticks {
    fn open(&mut self, stream: &mut EventStream<'_, '_>) {
        stream.send(&Event::EMPTY.retry(2 * SECOND));
        stream.after(SECOND, 0);
    }

    fn timer(&mut self, stream: &mut EventStream<'_, '_>, _: u32) {
        self.0 += 1;
        let number = self.0.to_string();
        stream.send(&Event::new("tick").event("tick").id(&number));
        match self.0 {
            3 => stream.finish(),
            _ => stream.after(SECOND, 0),
        }
    }
}

#[test]
fn events_come_as_they_are_published_and_as_the_clock_is_wound() {
    let app = App::new().events("/ticks", |_request| Ok(Ticks(0)));
    for app in both(app) {
        let mut events = app.get("/ticks").events().unwrap();
        assert_eq!(events.try_receive().unwrap(), None);
        assert_eq!(events.retry(), Some(2 * SECOND));
        app.advance(SECOND).unwrap();
        let tick = events.receive().unwrap().unwrap();
        let tick = (&*tick.event, &*tick.data, &*tick.last_event_id);
        assert_eq!(tick, ("tick", "tick", "1"));
        app.advance(2 * SECOND).unwrap();
        assert!(events.receive().unwrap().is_some() && events.receive().unwrap().is_some());
        assert_eq!(events.receive().unwrap(), None);
        assert_eq!(events.last_event_id(), "3");
        let Err(TestError::NoEvents(response)) = app.get("/none").events() else {
            panic!("opened");
        };
        assert_eq!(response.status(), Status::NOT_FOUND);
    }
}

#[test]
fn calls_of_all_kinds_are_made() {
    let service = Service::new("t.T")
        .unary("Echo", |request: Vec<u8>, call| {
            call.send_trailer("x-after", "1").unwrap();
            Ok(request)
        })
        .unary("Fail", |_: Vec<u8>, _call| {
            Err::<Vec<u8>, _>(barewire::grpc::Status::new(Code::NotFound, "no such thing").into())
        })
        .server_streaming("Count", |request: Vec<u8>, _call| {
            Ok((0..request[0]).map(|number| Ok(vec![number])))
        });
    let app = App::new().grpc(service).test().unwrap();
    let channel = app.grpc();
    let echo = channel.unary::<_, Vec<u8>>("/t.T/Echo", &vec![7], CallOptions::new());
    let echo = echo.unwrap();
    assert_eq!(echo.trailers().get_str("x-after"), Some("1"));
    assert_eq!(echo.into_message(), [7]);
    let failed = channel.unary::<_, Vec<u8>>("/t.T/Fail", &vec![], CallOptions::new());
    let failed = failed.unwrap_err();
    assert_eq!(
        (failed.code(), &*failed.status.message),
        (Code::NotFound, "no such thing")
    );
    let unknown = channel.unary::<_, Vec<u8>>("/t.T/Not", &vec![], CallOptions::new());
    assert_eq!(unknown.unwrap_err().code(), Code::Unimplemented);

    let count = channel.start::<Vec<u8>, Vec<u8>>("/t.T/Count", CallOptions::new());
    let count = count.unwrap();
    count.send(&vec![3]).unwrap();
    count.close_sending().unwrap();
    for number in 0..3 {
        assert_eq!(count.receive().unwrap(), Some(vec![number]));
    }
    assert_eq!(count.receive().unwrap(), None);
    assert_eq!(count.ending().unwrap().code(), Code::Ok);
}

#[test]
fn a_call_ends_at_its_deadline_on_the_clock() {
    let service = Service::new("t.T").unary_later(
        "Never",
        |_: Vec<u8>, _call, sender: DeferredResponse<Vec<u8>>| {
            core::mem::forget(sender);
        },
    );
    let app = App::new().grpc(service).test().unwrap();
    let options = CallOptions::new().timeout(5 * SECOND);
    let call = app
        .grpc()
        .start::<Vec<u8>, Vec<u8>>("/t.T/Never", options)
        .unwrap();
    call.send(&vec![]).unwrap();
    call.close_sending().unwrap();
    app.advance(4 * SECOND).unwrap();
    assert!(call.ending().is_none());
    app.advance(2 * SECOND).unwrap();
    assert_eq!(call.receive().unwrap_err().code(), Code::DeadlineExceeded);
}

#[test]
fn middleware_and_metrics_run_as_on_a_socket() {
    let app = App::new()
        .with(Compression::new())
        .get("/", |_request, reply| reply.text("x".repeat(10_000)));
    for app in both(app) {
        let before = app.metrics().snapshot().requests;
        let plain = app.get("/").send().unwrap();
        assert_eq!(plain.body().len(), 10_000);
        let coded = app
            .get("/")
            .header("Accept-Encoding", "gzip")
            .send()
            .unwrap();
        assert_eq!(coded.header("content-encoding"), Some("gzip"));
        assert!(coded.body().len() < 1000);
        assert!(app.metrics().snapshot().requests != before);
    }
}

#[test]
fn a_shutdown_finishes_what_runs() {
    let app = App::new()
        .websocket("/", |_request| Ok(Echo))
        .test()
        .unwrap();
    let socket = app.get("/").websocket().unwrap();
    app.shutdown(SECOND).unwrap();
    assert_eq!(socket.closed().unwrap().code, CloseCode::GOING_AWAY);
}

#[test]
fn an_app_that_cannot_start_says_so() {
    let app = App::new()
        .get("/a", |_request, reply| reply.empty())
        .get("/a", |_request, reply| reply.empty());
    assert!(app.test().is_err());
}
