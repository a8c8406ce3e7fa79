//! Work that blocks runs on threads of its own, over both versions.
#![cfg(feature = "net")]

use core::time::Duration;
use std::io::Write;
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use crate::app_support::{self, Answer, PATIENCE, Running, read_until, wait_until};
use crate::http2_support::{content, ended, status};
use crate::peer::Peer;
use barewire::app::{
    App, BlockingLimits, Incoming, Method, Metrics, Middleware, Next, Refusal, Reply, Response,
    Route, Status,
};
use barewire::http2::ErrorCode;

/// Holds jobs until the test lets them go.
#[derive(Clone)]
struct Gate {
    begun: Sender<()>,
    go: Arc<Mutex<Receiver<()>>>,
}

/// The test's end of a gate.
struct Keeper {
    begun: Receiver<()>,
    go: Sender<()>,
}

fn gate() -> (Gate, Keeper) {
    let (begun, is_begun) = channel();
    let (go, may_go) = channel();
    let go_on = Arc::new(Mutex::new(may_go));
    let keeper = Keeper {
        begun: is_begun,
        go,
    };
    (Gate { begun, go: go_on }, keeper)
}

impl Gate {
    fn pass(&self) {
        self.begun.send(()).unwrap();
        let _ = self.go.lock().unwrap().recv_timeout(PATIENCE);
    }
}

impl Keeper {
    fn wait(&self) {
        self.begun.recv_timeout(PATIENCE).unwrap();
    }

    fn open(&self) {
        self.go.send(()).unwrap();
    }
}

/// Ends a connection so that its server knows immediately: after a FIN alone a client
/// may still read.
fn reset(stream: TcpStream) {
    let socket = socket2::SockRef::from(&stream);
    socket.set_linger(Some(Duration::ZERO)).unwrap();
}

fn app(gate: &Gate, limits: BlockingLimits) -> (App, Metrics) {
    let (slow, counted) = (gate.clone(), gate.clone());
    let app = App::new()
        .blocking_limits(limits)
        .get("/fast", |_request, reply| reply.text("fast"))
        .get("/slow", move |_request, reply| {
            let gate = slow.clone();
            reply.header("X-Before", "kept").blocking(move || {
                gate.pass();
                Response::text("slow").header("X-After", "added")
            })
        })
        .get("/watching", move |_request, reply| {
            let gate = counted.clone();
            reply.blocking_job(move |job| {
                gate.begun.send(()).unwrap();
                while job.is_wanted() {
                    std::thread::sleep(Duration::from_millis(1));
                }
                gate.begun.send(()).unwrap();
                Response::text("for nobody")
            })
        })
        .get("/refused", |_request, reply| {
            reply.blocking(|| Err::<Response, _>(Refusal::new(Status::CONFLICT).because("late")))
        })
        .get("/panic", |_request, reply| {
            reply.blocking(|| -> Response { panic!("on purpose") })
        });
    let metrics = app.metrics();
    (app, metrics)
}

#[test]
fn others_are_served_while_a_job_runs_on_http1() {
    let (gate, keeper) = gate();
    let (app, metrics) = app(&gate, BlockingLimits::DEFAULT);
    let running = Running::start(app);
    let mut slow = running.connect();
    slow.write_all(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    keeper.wait();
    assert_eq!(running.get("/fast").body, "fast");
    assert_eq!(metrics.snapshot().blocking_running, 1);
    keeper.open();
    let answer = Answer::new(read_until(&mut slow, "slow").as_bytes());
    assert_eq!(answer.status, 200);
    assert_eq!(
        (&*answer.header("x-before"), &*answer.header("x-after")),
        ("kept", "added")
    );
    let answer = running.get("/refused");
    assert_eq!(
        (answer.status, &*answer.body),
        (409, "{\"error\":\"late\"}")
    );
    assert_eq!(running.get("/panic").status, 500);
    wait_until("all are done", || metrics.snapshot().blocking_total == 3);
    let snapshot = metrics.snapshot();
    assert_eq!((snapshot.blocking_running, snapshot.panics), (0, 1));
    let text = snapshot.to_prometheus();
    assert!(
        text.contains("\nbarewire_blocking_jobs_total 3\n"),
        "{text}"
    );
}

#[test]
fn others_are_served_while_a_job_runs_on_http2() {
    let (gate, keeper) = gate();
    let (app, _) = app(&gate, BlockingLimits::DEFAULT);
    let running = Running::start(app);
    let mut peer = Peer::connect(&running);
    let slow = peer.get("/slow");
    peer.flush();
    keeper.wait();
    assert_eq!(peer.fetch("GET", "/fast", b""), (200, b"fast".to_vec()));
    assert_eq!(peer.fetch("GET", "/refused", b"").0, 409);
    assert_eq!(peer.fetch("GET", "/panic", b"").0, 500);
    assert!(!ended(&peer.seen, slow));
    keeper.open();
    peer.until(|seen| ended(seen, slow));
    assert_eq!(status(&peer.seen, slow), 200);
    assert_eq!(content(&peer.seen, slow), b"slow");
}

#[test]
fn what_has_no_room_is_refused_and_what_waits_goes_with_its_client() {
    let (gate, keeper) = gate();
    let limits = BlockingLimits::DEFAULT.with_threads(1).with_queue(1);
    let (app, metrics) = app(&gate, limits);
    let running = Running::start(app);
    let mut first = running.connect();
    first
        .write_all(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    keeper.wait();
    let mut second = running.connect();
    second
        .write_all(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    let waiting = || metrics.snapshot().blocking_waiting;
    wait_until("the second waits", || waiting() == 1);
    let answer = running.get("/slow");
    assert_eq!((answer.status, &*answer.header("retry-after")), (503, "1"));
    assert_eq!(metrics.snapshot().blocking_refused, 1);
    reset(second);
    wait_until("the second is dropped", || waiting() == 0);
    let mut peer = Peer::connect(&running);
    let third = peer.get("/slow");
    peer.flush();
    wait_until("the third waits", || waiting() == 1);
    let out = &mut peer.side.out;
    peer.side
        .machine
        .send_reset(third, ErrorCode::CANCEL, barewire::app::Instant::START, out)
        .unwrap();
    peer.flush();
    wait_until("the third is dropped", || waiting() == 0);
    keeper.open();
    read_until(&mut first, "slow");
    wait_until("one alone has run", || {
        metrics.snapshot().blocking_total == 1
    });
}

#[test]
fn a_job_that_runs_sees_that_its_client_has_gone() {
    let (gate, keeper) = gate();
    let (app, _) = app(&gate, BlockingLimits::DEFAULT);
    let running = Running::start(app);
    let mut client = running.connect();
    client
        .write_all(b"GET /watching HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    keeper.wait();
    reset(client);
    keeper.wait(); // it has seen it
}

#[test]
fn a_shutdown_waits_for_what_runs() {
    let (gate, keeper) = gate();
    let (app, metrics) = app(&gate, BlockingLimits::DEFAULT);
    let server = app.listen("127.0.0.1:0").unwrap().spawn().unwrap();
    let [barewire::net::Address::Tcp(address)] = server.local_addresses() else {
        panic!()
    };
    let address = *address;
    let mut client = TcpStream::connect(address).unwrap();
    client
        .write_all(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    keeper.wait();
    // Another whose client goes, so that no connection holds the server up.
    let mut gone = TcpStream::connect(address).unwrap();
    gone.write_all(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    keeper.wait();
    reset(gone);
    server.handle().shutdown(PATIENCE);
    app_support::wait_until_drained(address);
    keeper.open();
    keeper.open();
    assert_eq!(server.join().unwrap(), 0);
    assert!(read_until(&mut client, "slow").starts_with("HTTP/1.1 200"));
    assert_eq!(metrics.snapshot().blocking_total, 2);
}

/// Puts a number to each request, and rewrites one path.
struct Numbers;

impl Middleware for Numbers {
    fn before(&self, request: &mut Incoming<'_, '_>, _reply: Reply<'_, '_>) -> Next {
        request.insert(7_u8);
        request.remove_header("x-user");
        Next::Continue
    }
}

fn described() -> App {
    let route = Route::on(Method::Extension("REPORT"), "/{a}/{*b}");
    App::new().with(Numbers).route(route.blocking(|request| {
        let thread = std::thread::current().name().unwrap_or_default().to_owned();
        if !thread.starts_with("barewire-blocking-") {
            return Err(Status::NOT_IMPLEMENTED);
        }
        let (method, version) = (request.method().as_str(), request.version());
        let (a, b, q) = (
            request.param("a"),
            request.param("b"),
            request.query_value("q"),
        );
        let (x, user) = (request.header("x"), request.header("x-user"));
        let (body, number) = (request.body(), request.extensions().get::<u8>());
        Ok(Response::text(format!(
            "{method} {version:?} {a} {b} {q:?} {x:?} {user:?} {} {number:?} {}",
            String::from_utf8_lossy(body),
            request.peer().is_some(),
        )))
    }))
}

#[test]
fn a_blocking_route_sees_the_whole_request() {
    let running = Running::start(described());
    let rest = r#"u%20 v/w Some("1 2") Some("y") None body Some(7) true"#.replace("u%20", "u ");
    for target in ["/u%20/v/w?q=1+2", "http://a/u%20/v/w?q=1+2"] {
        let answer = running.exchange(&format!(
            "REPORT {target} HTTP/1.1\r\nHost: a\r\nX: y\r\nX-User: z\r\nContent-Length: 4\r\n\r\nbody"
        ));
        assert_eq!(answer.body, format!("REPORT Http11 {rest}"), "{target}");
    }
    let mut peer = Peer::connect(&running);
    let length = Some(barewire::http2::BodyLength::Known(4));
    let fields = [("x", "y"), ("x-user", "z")];
    let id = peer
        .side
        .ask("REPORT", "/u%20/v/w?q=1+2", None, &fields, length);
    peer.send(id, b"body", true);
    peer.until(|seen| ended(seen, id));
    let body = content(&peer.seen, id);
    assert_eq!(
        String::from_utf8_lossy(&body),
        format!("REPORT Http2 {rest}")
    );
}

#[test]
fn calls_have_blocking_work_done() {
    use barewire::app::Service;
    let app = App::new();
    let threads = app.blocking_threads();
    let service =
        Service::new("a.Service").unary_later("Do", move |request: Vec<u8>, _call, later| {
            threads.call(later, move |job| {
                assert!(job.is_wanted() && request != b"panic", "on purpose");
                let name = std::thread::current().name().unwrap_or_default().to_owned();
                Ok(name.into_bytes())
            });
        });
    let none = BlockingLimits::DEFAULT.with_threads(0);
    for (app, request, code) in [
        (app.grpc(service), &b"work"[..], "0"),
        (full().blocking_limits(none), b"work", "8"),
    ] {
        let running = Running::start(app);
        let mut peer = Peer::connect(&running);
        let cases: &[(&[u8], &str)] = match code {
            "0" => &[(request, code), (b"panic", "13")],
            _ => &[(request, code)],
        };
        for (request, code) in cases {
            let fields = [("content-type", "application/grpc"), ("te", "trailers")];
            let length = Some(barewire::http2::BodyLength::Unknown);
            let id = peer
                .side
                .ask("POST", "/a.Service/Do", None, &fields, length);
            let mut message = vec![0, 0, 0, 0, request.len() as u8];
            message.extend_from_slice(request);
            peer.send(id, &message, true);
            peer.until(|seen| ended(seen, id));
            let shown = format!("{:?}", peer.seen);
            assert!(
                shown.contains(&format!("(\"grpc-status\", \"{code}\")")),
                "{shown}"
            );
            if *code == "0" {
                let body = content(&peer.seen, id);
                assert!(body[5..].starts_with(b"barewire-blocking-"));
            }
        }
    }
}

/// An app whose calls are to block.
fn full() -> App {
    let app = App::new();
    let threads = app.blocking_threads();
    let service = barewire::app::Service::new("a.Service");
    app.grpc(
        service.unary_later("Do", move |request: Vec<u8>, _call, later| {
            threads.call(later, move |_job| Ok(request));
        }),
    )
}
