//! The example of a gateway, between clients that do as they like and an upstream that does
//! what a script says.
#![cfg(feature = "client")]

#[path = "../../examples/upstream/relay.rs"]
mod relay;

use std::collections::HashSet;
use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::thread;
use std::time::{Duration, Instant};

use crate::app_support::{Answer, PATIENCE, Running, read_until};
use crate::http::script::{Act, Server, answer, send};
use barewire::app::App;
use barewire::client::{Client, ClientLimits, ClientOptions, LoopClient, RedirectPolicy};

const MUCH: usize = 40 << 20;

/// A gateway to this upstream, on so many loops.
fn gateway(upstream: &str, threads: usize, limits: ClientLimits) -> (Running, Client) {
    let options = ClientOptions::new()
        .base_url(upstream)
        .redirects(RedirectPolicy::none())
        .no_proxy()
        .limits(limits);
    let client = Client::with(options).unwrap();
    let shared = client.clone();
    let app = App::new()
        .threads(threads)
        .on_each_loop(move |events| Ok(shared.on(events)))
        .route(relay::route("/{*path}"));
    (Running::start(app), client)
}

fn to(upstream: &Server) -> (Running, Client) {
    gateway(&upstream.url("/"), 1, ClientLimits::DEFAULT)
}

/// What all loops of a gateway hold for their peers.
fn held(metrics: &barewire::app::Metrics) -> usize {
    metrics.snapshot().memory.iter().map(|it| it.held()).sum()
}

fn wait_for(mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "it never came");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn requests_and_responses_are_handed_on() {
    let upstream = Server::once(vec![
        Act::Read,
        send(
            "HTTP/1.1 201 Created\r\nX-A: b\r\nConnection: X-Hop\r\nX-Hop: c\r\nContent-Length: 5\r\n\r\nhello",
        ),
        Act::Read,
        send(
            "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\nX-Sum: 7\r\n\r\n",
        ),
        Act::Read,
        send("HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n"),
    ]);
    let (running, _client) = to(&upstream);
    let first = running.exchange(
        "POST /a/b?c=d HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nX-Own: 1\r\nConnection: X-Not\r\nX-Not: 2\r\n\r\nbody",
    );
    assert!(
        first.head.starts_with("HTTP/1.1 201 Created"),
        "{}",
        first.head
    );
    assert!(first.head.contains("X-A: b") && !first.head.contains("X-Hop: c"));
    assert_eq!(first.body, "hello");
    let second = running.get("/missing");
    assert!(second.head.starts_with("HTTP/1.1 404"), "{}", second.head);
    let third = running.get("/moved");
    assert!(
        third.head.contains("Location: /there"),
        "it is the client's to follow"
    );
    let seen = upstream.seen();
    assert_eq!(seen[0].line(), "POST /a/b?c=d HTTP/1.1");
    assert_eq!(
        (seen[0].body(), seen[0].field("x-own")),
        ("body", Some("1"))
    );
    assert_eq!(
        (seen[0].field("x-not"), seen[0].field("via")),
        (None, Some("1.1 upstream"))
    );
    assert_eq!(
        seen.iter()
            .map(|it| it.connection)
            .collect::<HashSet<_>>()
            .len(),
        1
    );
}

#[test]
fn a_slow_reader_holds_the_upstream_back() {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {MUCH}\r\n\r\n");
    let upstream = Server::once(vec![
        Act::Read,
        send(head),
        send(vec![b'x'; MUCH]),
        Act::Stall,
    ]);
    let metrics;
    let (running, client) = {
        let options = ClientOptions::new().base_url(&upstream.url("/")).no_proxy();
        let client = Client::with(options).unwrap();
        let shared = client.clone();
        let app = App::new()
            .on_each_loop(move |events| Ok(shared.on(events)))
            .route(relay::route("/{*path}"));
        metrics = app.metrics();
        (Running::start(app), client)
    };
    let mut slow = running.connect();
    slow.write_all(b"GET /much HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    read_until(&mut slow, "\r\n\r\n");
    // Until nothing moves any more, it never holds more than a little.
    let (mut most, mut before, mut still) = (0, 0, 0);
    while still < 50 {
        let sent = metrics.snapshot().bytes_out;
        still = if sent == before { still + 1 } else { 0 };
        (before, most) = (sent, most.max(held(&metrics)));
        thread::sleep(Duration::from_millis(2));
    }
    assert!(most > 0 && most < 2 << 20, "{most} bytes were held");
    let mut rest = vec![0; 1 << 20];
    let mut got = 0;
    while got < MUCH - (1 << 20) {
        got += slow.read(&mut rest).unwrap();
        assert!(held(&metrics) < 2 << 20);
    }
    drop(slow);
    wait_for(|| client.metrics().in_flight() == 0);
}

#[test]
fn a_client_that_goes_takes_its_request_with_it() {
    let part = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx";
    for script in [
        vec![Act::Read, Act::Stall],
        vec![Act::Read, send(part), Act::Stall],
    ] {
        let upstream = Server::once(script);
        let (running, client) = to(&upstream);
        let mut stream = running.connect();
        stream
            .write_all(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
            .unwrap();
        wait_for(|| upstream.seen().len() == 1);
        // A FIN alone is none: it may still read.
        let socket = socket2::SockRef::from(&stream);
        socket.set_linger(Some(Duration::ZERO)).unwrap();
        drop(stream);
        assert_eq!(upstream.wait(), 0, "the upstream's connection was ended");
        wait_for(|| client.metrics().in_flight() == 0);
    }
}

#[test]
fn an_upload_is_streamed_and_not_collected() {
    let upstream = Server::once(vec![Act::ReadHead, Act::ReadAll]);
    let (running, _client) = to(&upstream);
    let mut stream = running.connect();
    stream
        .write_all(
            b"POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n",
        )
        .unwrap();
    wait_for(|| upstream.seen().len() == 1);
    assert_eq!(
        upstream.seen()[0].field("transfer-encoding"),
        Some("chunked"),
        "it went on before it was complete"
    );
    drop(stream);
    upstream.wait();
    assert!(upstream.seen()[1].text.contains("part"));
    assert!(
        !upstream.seen()[1].text.ends_with("0\r\n\r\n"),
        "unfinished"
    );
}

#[test]
fn an_upstream_that_takes_nothing_holds_the_uploader_back() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (go, gate) = std::sync::mpsc::channel::<()>();
    let serving = thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        gate.recv().unwrap();
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    let (running, _client) = gateway(&url, 1, ClientLimits::DEFAULT);
    let mut stream = running.connect();
    let head = format!("PUT /up HTTP/1.1\r\nHost: a\r\nContent-Length: {MUCH}\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    stream.set_nonblocking(true).unwrap();
    let piece = vec![b'y'; 64 << 10];
    let (mut sent, mut still) = (0, 0);
    while still < 50 {
        match stream.write(&piece) {
            Ok(bytes) => (sent, still) = (sent + bytes, 0),
            Err(_) => {
                still += 1;
                thread::sleep(Duration::from_millis(1));
            }
        }
        assert!(sent < MUCH, "somebody keeps all of it");
    }
    stream.set_nonblocking(false).unwrap();
    go.send(()).unwrap();
    // And when it takes some, the rest goes on.
    stream.write_all(&vec![b'y'; 4 << 20]).unwrap();
    drop(stream);
    drop(running);
    serving.join().unwrap();
}

#[test]
fn a_failure_of_the_upstream_is_said_to_be_one() {
    let limits = ClientLimits::DEFAULT.with_response_time(Duration::from_millis(100));
    let silent = Server::once(vec![Act::Read, Act::Stall]);
    let (running, _client) = gateway(&silent.url("/"), 1, limits);
    assert!(running.get("/x").head.starts_with("HTTP/1.1 504"));
    let broken = Server::once(vec![Act::Read, send("nonsense\r\n\r\n")]);
    let (running, _client) = gateway(&broken.url("/"), 1, limits);
    assert!(running.get("/x").head.starts_with("HTTP/1.1 502"));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let (running, _client) = gateway(&gone, 1, limits);
    let answer = running.post("/x", "a body that goes nowhere");
    assert!(answer.head.starts_with("HTTP/1.1 502"), "{}", answer.head);
    // What has begun is cut off, so that nobody takes it for the whole.
    let part = Server::once(vec![
        Act::Read,
        send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"),
        Act::Fin,
    ]);
    let (running, _client) = gateway(&part.url("/"), 1, limits);
    let mut stream = running.connect();
    stream
        .write_all(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    let all = String::from_utf8_lossy(&all).into_owned();
    assert!(all.contains("abc") && !all.ends_with("0\r\n\r\n"), "{all}");
}

#[test]
fn both_ways_at_once_neither_waits_for_the_other() {
    // The upstream is a barewire app that writes back what comes.
    struct Echo;
    impl barewire::app::Streaming for Echo {
        fn chunk(&mut self, stream: &mut barewire::app::Stream<'_, '_>, data: &mut [u8]) {
            let _ = stream.write(data);
        }
        fn end(
            &mut self,
            stream: &mut barewire::app::Stream<'_, '_>,
            _: barewire::http::Fields<'_>,
        ) {
            stream.finish();
        }
    }
    let echo =
        Running::start(App::new().route(
            barewire::app::Route::post("/echo").stream(|_request, reply| reply.stream(Echo)),
        ));
    let barewire::net::Address::Tcp(address) = echo.server().local_addresses()[0].clone() else {
        panic!()
    };
    let (running, _client) = gateway(&format!("http://{address}/"), 1, ClientLimits::DEFAULT);
    let mut stream = running.connect();
    let mut writes = stream.try_clone().unwrap();
    let writing = thread::spawn(move || {
        let head = format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {MUCH}\r\n\r\n");
        writes.write_all(head.as_bytes()).unwrap();
        writes.write_all(&vec![b'z'; MUCH]).unwrap();
        writes.shutdown(Shutdown::Write).unwrap();
    });
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    writing.join().unwrap();
    let count = all.iter().filter(|it| **it == b'z').count();
    assert_eq!(count, MUCH);
}

#[test]
fn each_loop_calls_with_a_client_of_its_own() {
    use std::sync::{Arc, Mutex};
    let upstream = Server::start((0..8).map(|_| {
        let turn = || [Act::Read, answer("ok")];
        (0..40).flat_map(|_| turn()).collect()
    }));
    let made = Arc::new(Mutex::new(Vec::new()));
    let threads = Arc::new(Mutex::new(HashSet::new()));
    let (makes, seen) = (made.clone(), threads.clone());
    let options = ClientOptions::new().base_url(&upstream.url("/")).no_proxy();
    let client = Client::with(options).unwrap();
    let shared = client.clone();
    let app = App::new()
        .threads(2)
        .on_each_loop(move |events| {
            makes.lock().unwrap().push(thread::current().id());
            Ok(shared.on(events))
        })
        .on_each_loop(|_| Ok(String::from("another type")))
        .get("/", move |request, reply| {
            seen.lock().unwrap().insert(thread::current().id());
            assert_eq!(request.local::<String>().unwrap(), "another type");
            assert!(request.local::<u8>().is_none());
            let client = request.local::<LoopClient>().unwrap();
            reply.defer(|deferred| {
                client.send_then(client.get("x"), move |answer| {
                    let text = answer.and_then(|it| it.text()).unwrap();
                    deferred.send(barewire::app::Response::text(&text));
                });
            })
        });
    let running = Running::start(app);
    for _ in 0..40 {
        let Answer { body, .. } = running.get("/");
        assert_eq!(body, "ok");
    }
    let made = made.lock().unwrap();
    assert_eq!(made.len(), 2);
    assert_ne!(made[0], made[1]);
    let threads = threads.lock().unwrap();
    assert!(threads.iter().all(|it| made.contains(it)));
    let metrics = client.metrics();
    assert_eq!((metrics.requests(), metrics.in_flight()), (40, 0));
    assert!(metrics.connections_opened() <= 2, "one for each loop");
}

#[test]
fn what_cannot_be_made_on_a_loop_keeps_the_app_from_starting() {
    let app = App::new()
        .on_each_loop(|_| Err::<(), _>(barewire::net::Error::Config("there is no upstream")));
    let error = app.listen("127.0.0.1:0").unwrap().spawn().unwrap_err();
    assert!(
        error.to_string().contains("there is no upstream"),
        "{error}"
    );
}
