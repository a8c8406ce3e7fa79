//! Deadlines, cancelling, pausing, and calls that wait for a connection.

use std::time::Duration;

use barewire::client::{Body, Canceller, ClientLimits, ErrorKind, Phase};
use barewire::net::Flow;

use super::SHORT;
use super::script::{Act, Server, answer, send};
use super::support::Scene;

const PART: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx";

#[test]
fn each_phase_has_its_own_time_and_error() {
    let limits = ClientLimits::DEFAULT;
    for (limits, script, phase, limit) in [
        (
            limits.with_response_time(SHORT),
            vec![Act::Read, Act::Stall],
            Phase::Response,
            "response_time",
        ),
        (
            limits.with_silence_time(SHORT),
            vec![Act::Read, send(PART), Act::Stall],
            Phase::Body,
            "silence_time",
        ),
        (
            limits.with_total_time(SHORT),
            vec![Act::Read, Act::Stall],
            Phase::Response,
            "total_time",
        ),
        (
            limits.with_total_time(SHORT),
            vec![Act::Read, send(PART), Act::Stall],
            Phase::Body,
            "total_time",
        ),
    ] {
        let server = Server::once(script);
        let mut scene = Scene::limited(limits);
        let error = scene.get(&server.url("/")).error();
        assert_eq!(
            (error.phase(), error.is_timeout()),
            (phase, true),
            "{error}"
        );
        assert!(
            matches!(error.kind(), ErrorKind::TimedOut(it) if *it == limit),
            "{error}"
        );
        scene.pass(SHORT / 10);
        assert_eq!(server.wait(), 0, "{limit}: it was left open");
    }
}

#[test]
fn a_name_that_is_not_resolved_and_a_host_that_does_not_answer_have_their_times() {
    use barewire::client::ClientOptions;
    let (go, gate) = std::sync::mpsc::channel::<()>();
    let gate = std::sync::Mutex::new(gate);
    let slow = move |host: &str, _: u16| match host {
        "slow.invalid" => {
            let _ = gate.lock().unwrap().recv();
            Err(std::io::Error::other("too late"))
        }
        _ => Err(std::io::Error::other("no such service")),
    };
    let limits = ClientLimits::DEFAULT.with_resolve_time(SHORT);
    let mut scene = Scene::with(ClientOptions::new().limits(limits).resolver(slow));
    let error = scene.get("http://slow.invalid/").error();
    assert_eq!((error.phase(), error.is_timeout()), (Phase::Resolve, true));
    drop(go);
    let error = scene.get("http://other.invalid/").error();
    assert_eq!((error.phase(), error.is_timeout()), (Phase::Resolve, false));
    assert!(error.to_string().contains("no such service"), "{error}");
    assert!(!error.may_have_been_processed());
}

#[test]
fn a_proxy_that_says_nothing_and_goes_is_named_as_the_one_at_fault() {
    use barewire::client::ClientOptions;
    for scheme in ["socks5", "socks5h"] {
        let server = Server::once(vec![Act::Read, Act::Fin]);
        let proxy = format!("{scheme}://{}", server.address).parse().unwrap();
        let mut scene = Scene::through(ClientOptions::new().proxy(proxy));
        let error = scene.get("http://a.invalid/").error();
        assert_eq!(error.phase(), Phase::Proxy, "{error}");
        assert!(!error.may_have_been_processed());
    }
}

#[test]
fn names_are_resolved_by_the_clients_resolver_and_kept() {
    use barewire::client::ClientOptions;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    let script = || vec![Act::Read, answer("x"), Act::Fin];
    let server = Server::start([script(), script()]);
    let (port, count) = (server.address.port(), Arc::new(AtomicUsize::new(0)));
    let counts = count.clone();
    let resolver = move |_: &str, _: u16| {
        counts.fetch_add(1, Ordering::SeqCst);
        Ok(vec![std::net::SocketAddr::from(([127, 0, 0, 1], port))])
    };
    let mut scene = Scene::with(ClientOptions::new().resolver(resolver));
    for _ in 0..2 {
        assert_eq!(scene.get("http://backend:1/").log.body(), "x");
        server.wait();
        let client = scene.client.clone();
        scene.until(|| client.metrics().connections() == 0);
    }
    assert_eq!(count.load(Ordering::SeqCst), 1);
    assert_eq!(server.seen()[1].field("host"), Some("backend:1"));
}

#[test]
fn a_call_is_cancelled_in_each_phase_and_its_listener_told() {
    for (script, lines) in [
        (vec![Act::Read, Act::Stall], 0),
        (vec![Act::Read, send(PART), Act::Stall], 2),
    ] {
        let server = Server::once(script);
        let mut scene = Scene::new();
        let call = scene.open(scene.client.get(server.url("/")));
        scene.until(|| server.seen().len() == 1 && call.log.lines().len() == lines);
        call.call.cancel();
        scene.finish(&call);
        assert!(call.error().is_cancelled() && call.call.is_over());
        scene.pass(SHORT / 10);
        assert_eq!(server.wait(), 0);
        call.call.cancel(); // it is over
        scene.pass(SHORT / 10);
        assert_eq!(call.log.lines().len(), lines + 1);
    }
    // Before anything was done, and while it waits for a connection.
    let server = Server::once(vec![Act::Read, Act::Stall]);
    let mut scene = Scene::limited(ClientLimits::DEFAULT.with_connections_per_origin(1));
    let call = scene.open(scene.client.get(server.url("/")));
    call.call.cancel();
    scene.finish(&call);
    assert!(!call.error().may_have_been_processed());
    let (first, second) = (
        scene.open(scene.client.get(server.url("/"))),
        scene.open(scene.client.get(server.url("/"))),
    );
    scene.until(|| server.seen().len() == 1);
    second.call.cancel();
    scene.finish(&second);
    assert!(second.error().is_cancelled() && !first.log.is_over());
}

#[test]
fn a_canceller_ends_calls_from_any_thread() {
    let server = Server::once(vec![Act::Read, Act::Stall]);
    let mut scene = Scene::new();
    let canceller = Canceller::new();
    let request = scene.client.get(server.url("/")).canceller(&canceller);
    let call = scene.open(request);
    scene.until(|| server.seen().len() == 1);
    let canceling = std::thread::spawn(move || canceller.cancel());
    scene.finish(&call);
    canceling.join().unwrap();
    assert!(call.error().is_cancelled());
}

#[test]
fn a_paused_call_holds_its_server_back_and_its_time_does_not_count() {
    const MUCH: usize = 30 << 20;
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {MUCH}\r\n\r\n");
    let server = Server::once(vec![Act::Read, send(head), send(vec![b'x'; MUCH])]);
    let mut scene = Scene::limited(ClientLimits::DEFAULT.with_silence_time(SHORT * 10));
    let call = scene.open(scene.client.get(server.url("/")));
    scene.until(|| !call.log.body().is_empty());
    call.call.pause();
    scene.pass(SHORT / 10); // what is under way
    let (had, memory) = (call.log.body().len(), scene.events.memory());
    scene.pass(SHORT * 12);
    assert_eq!(call.log.body().len(), had, "nothing more is told");
    assert!(call.call.held() <= 512 << 10, "{}", call.call.held());
    assert!(memory.held() >= call.call.held(), "it is charged");
    call.call.resume();
    scene.finish(&call);
    assert_eq!(call.log.body().len(), MUCH);
    assert_eq!(call.call.held(), 0);
}

#[test]
fn who_writes_a_body_is_told_to_wait_and_when_to_go_on() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (go, gate) = std::sync::mpsc::channel::<()>();
    let serving = std::thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        gate.recv().unwrap();
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    let mut scene = Scene::new();
    let call = scene.open(scene.client.post(url).body(Body::pieces()));
    let piece = vec![b'y'; 16 << 10];
    let told = || call.log.lines().len();
    let mut written = 0;
    loop {
        let before = told();
        written += piece.len();
        if call.call.write(&piece) == Flow::Wait {
            scene.pass(SHORT / 10);
            if told() == before {
                break; // the server takes no more
            }
        }
        assert!(written < 64 << 20, "somebody keeps all of it");
    }
    assert!(call.call.held() > 0 && call.call.held() < 256 << 10);
    assert!(scene.events.memory().held() >= call.call.held());
    let before = told();
    go.send(()).unwrap();
    scene.until(|| told() > before);
    assert!(call.log.lines().iter().all(|it| it == "writable"));
    call.call.cancel();
    scene.finish(&call);
    scene.pass(SHORT / 10);
    serving.join().unwrap();
}

#[test]
fn a_body_that_is_not_wanted_any_more_is_said_to_be() {
    let server = Server::once(vec![
        Act::ReadHead,
        send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nno!"),
        Act::ReadAll,
    ]);
    let mut scene = Scene::new();
    let call = scene.open(scene.client.post(server.url("/")).body(Body::pieces()));
    call.call.write(b"some");
    scene.finish(&call);
    assert!(matches!(call.call.write(b"more"), Flow::Over(_)));
    assert_eq!(call.log.body(), "no!");
}

#[test]
fn the_time_that_a_writer_takes_is_not_the_servers() {
    let server = Server::once(vec![Act::Read, answer("thanks")]);
    let limits = ClientLimits::DEFAULT
        .with_send_time(SHORT)
        .with_response_time(SHORT * 20);
    let mut scene = Scene::limited(limits);
    let call = scene.open(scene.client.post(server.url("/")).body(Body::pieces()));
    call.call.write(b"a");
    scene.pass(SHORT * 3);
    call.call.write(b"b");
    call.call.finish();
    scene.finish(&call);
    assert_eq!(call.log.body(), "thanks");
}

#[test]
fn calls_wait_for_a_connection_in_their_order() {
    let turns = (0..20).flat_map(|nth| [Act::Read, answer(&nth.to_string())]);
    let server = Server::once(turns.collect());
    let mut scene = Scene::limited(ClientLimits::DEFAULT.with_connections_per_origin(1));
    let calls: Vec<_> = (0..20)
        .map(|nth| scene.open(scene.client.get(server.url(&format!("/{nth}")))))
        .collect();
    for (nth, call) in calls.iter().enumerate() {
        scene.finish(call);
        assert_eq!(call.log.body(), nth.to_string());
    }
    assert_eq!(scene.client.metrics().connections_opened(), 1);
    let late = Scene::limited(
        ClientLimits::DEFAULT
            .with_connections_per_origin(1)
            .with_total_time(SHORT),
    );
    let server = Server::once(vec![Act::Read, Act::Stall]);
    let mut scene = late;
    let _first = scene.open(scene.client.get(server.url("/")));
    let second = scene.open(scene.client.get(server.url("/")));
    scene.finish(&second);
    let error = second.error();
    assert_eq!((error.phase(), error.is_timeout()), (Phase::Pool, true));
}

#[test]
fn the_cap_of_all_connections_makes_room_from_other_origins() {
    let servers = [0, 1, 2].map(|_| Server::start([vec![Act::Read, answer("x"), Act::Stall]]));
    let mut scene = Scene::limited(ClientLimits::DEFAULT.with_connections(2));
    for server in &servers {
        scene.get(&server.url("/"));
    }
    assert_eq!(scene.client.metrics().connections(), 2);
    scene.pass(SHORT / 10);
    assert_eq!(
        servers[0].wait(),
        0,
        "the one that rested longest is closed"
    );
}

#[test]
fn connections_at_rest_go_when_they_are_old_or_too_many() {
    let slow = || [Act::Read, Act::Sleep(SHORT), answer("x")];
    let script = || [slow(), slow()].concat();
    let server = Server::start((0..8).map(|_| script()));
    let limits = ClientLimits::DEFAULT.with_idle(2).with_idle_time(SHORT * 3);
    let mut scene = Scene::limited(limits);
    let calls: Vec<_> = (0..4)
        .map(|_| scene.open(scene.client.get(server.url("/"))))
        .collect();
    for call in &calls {
        scene.finish(call);
    }
    let client = scene.client.clone();
    let counts = move || {
        (
            client.metrics().connections(),
            client.metrics().connections_idle(),
        )
    };
    assert_eq!(counts(), (2, 2));
    scene.pass(SHORT * 5);
    assert_eq!(counts(), (0, 0), "they were too old");
    scene.get(&server.url("/"));
    assert_eq!(counts(), (1, 1));
    scene.client.close_idle();
    scene.pass(Duration::from_millis(5));
    assert_eq!(counts(), (0, 0));
}

#[test]
fn a_client_that_nobody_has_closes_its_connections() {
    let server = Server::once(vec![Act::Read, answer("x"), Act::Stall]);
    let mut scene = Scene::new();
    scene.get(&server.url("/"));
    let Scene { mut events, client } = scene;
    drop(client);
    for _ in 0..10 {
        events.turn(Some(Duration::from_millis(5))).unwrap();
    }
    assert_eq!(server.wait(), 0);
}

#[test]
fn the_end_of_the_loop_is_the_end_of_its_calls() {
    let server = Server::once(vec![Act::Read, Act::Stall]);
    let mut scene = Scene::new();
    let call = scene.open(scene.client.get(server.url("/")));
    scene.until(|| server.seen().len() == 1);
    let Scene { events, client } = scene;
    drop(events);
    assert!(matches!(call.error().kind(), ErrorKind::LoopEnded));
    let refused = client.send_then(client.get(server.url("/")), |answer| {
        assert!(matches!(answer.unwrap_err().kind(), ErrorKind::LoopEnded));
    });
    assert!(refused.is_none());
}

#[test]
fn a_listener_that_panics_loses_its_call_and_nobody_else_notices() {
    use barewire::client::{Error, LoopCall, ResponseListener, ResponseView};
    use barewire::http::Fields;
    struct Panicking;
    impl ResponseListener for Panicking {
        fn head(&mut self, _: &ResponseView<'_>, _: &LoopCall) {
            panic!("a listener that panics");
        }
        fn chunk(&mut self, _: &[u8], _: &LoopCall) {}
        fn end(self, _: Fields<'_>) {}
        fn failed(self, _: Error) {}
    }
    let script = || vec![Act::Read, answer("x"), Act::Stall];
    let server = Server::start([script(), script()]);
    let mut scene = Scene::new();
    let call = scene
        .client
        .open(scene.client.get(server.url("/")), Panicking);
    let call = call.unwrap();
    scene.until(|| call.is_over());
    assert_eq!(scene.get(&server.url("/")).log.body(), "x");
    let metrics = scene.client.metrics();
    assert_eq!((metrics.in_flight(), metrics.connections()), (0, 1));
}
