//! However the server's bytes are cut, a call tells the same; over a scripted system, whose
//! clock stands still unless a test moves it.

use std::time::Duration;

use barewire::client::{ClientLimits, ClientOptions, ErrorKind, LoopClient};
use barewire::net::{Limits, Loop, Scripted};

use super::support::{Log, Noted, open_on};

struct Scene {
    world: Scripted,
    events: Loop<Scripted>,
    client: LoopClient,
}

impl Scene {
    fn new(limits: ClientLimits) -> Self {
        let world = Scripted::new();
        let mut events = Loop::with_poller(world.clone(), Limits::DEFAULT).unwrap();
        let options = ClientOptions::new().no_proxy().limits(limits);
        let client = LoopClient::on(&mut events, options).unwrap();
        Self {
            world,
            events,
            client,
        }
    }

    fn turn(&mut self) {
        for _ in 0..4 {
            self.events.turn(Some(Duration::ZERO)).unwrap();
        }
    }

    fn open(&mut self) -> Noted {
        let call = open_on(&self.client, self.client.get("http://192.0.2.1/"));
        self.turn();
        call
    }

    /// The connection of this number, which is made.
    fn accept(&mut self, nth: usize) -> barewire::net::ScriptedClient {
        let client = self.world.dials()[nth].0;
        self.world.complete(client);
        self.turn();
        client
    }
}

/// What is told, with the pieces joined.
fn told(log: &Log) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    for line in log.lines() {
        match (told.last_mut(), line.strip_prefix("chunk ")) {
            (Some(last), Some(piece)) if last.starts_with("chunk ") => last.push_str(piece),
            _ => told.push(line),
        }
    }
    told
}

/// What a call tells to which the server says this in these pieces, and then ends.
fn tell(pieces: &[&[u8]]) -> Vec<String> {
    let mut scene = Scene::new(ClientLimits::DEFAULT);
    let call = scene.open();
    let server = scene.accept(0);
    for piece in pieces {
        scene.world.send(server, piece);
        scene.turn();
    }
    scene.world.eof(server);
    scene.turn();
    assert!(call.log.is_over(), "{:?}", call.log.lines());
    told(&call.log)
}

#[test]
fn what_is_told_does_not_depend_on_how_it_comes() {
    let responses = [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 103 Early\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Sum: 7\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\nuntil the end",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ntoo short",
        "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\ntoo short",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n",
        "HTTP/1.1 302 Found\r\nContent-Length: 3\r\n\r\nyes",
        "nonsense\r\n\r\n",
        "HTTP/1.1 2",
    ];
    for response in responses {
        let bytes = response.as_bytes();
        let whole = tell(&[bytes]);
        for cut in 1..bytes.len() {
            let (front, back) = bytes.split_at(cut);
            assert_eq!(tell(&[front, back]), whole, "{response:?} cut at {cut}");
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(tell(&single), whole, "{response:?} byte by byte");
    }
}

#[test]
fn deadlines_come_when_they_are_due_and_not_before() {
    let second = Duration::from_secs(1);
    let limits = ClientLimits::DEFAULT
        .with_response_time(second * 10)
        .with_silence_time(second * 3);
    let mut scene = Scene::new(limits);
    let (first, second_call) = (scene.open(), scene.open());
    let server = scene.accept(0);
    scene.accept(1);
    scene.world.advance(second * 9);
    scene.turn();
    assert!(first.log.lines().is_empty());
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";
    scene.world.send(server, head);
    scene.turn();
    // The time of its own phase counts from here; the other one's is over soon.
    scene.world.advance(second + Duration::from_millis(5));
    scene.turn();
    assert!(!first.log.is_over());
    let error = second_call.error();
    assert!(
        matches!(error.kind(), ErrorKind::TimedOut("response_time")),
        "{error}"
    );
    first.call.pause();
    scene.turn();
    scene.world.advance(second * 100);
    scene.turn();
    assert!(!first.log.is_over(), "nobody waits for the server");
    first.call.resume();
    scene.turn();
    scene.world.advance(second * 3 + Duration::from_millis(5));
    scene.turn();
    let error = first.error();
    assert!(
        matches!(error.kind(), ErrorKind::TimedOut("silence_time")),
        "{error}"
    );
}

#[test]
fn a_black_hole_costs_the_delay_of_the_clients_own() {
    use std::net::SocketAddr;
    let world = Scripted::new();
    let mut events = Loop::with_poller(world.clone(), Limits::DEFAULT).unwrap();
    let limits = ClientLimits::DEFAULT.with_attempt_delay(Duration::from_millis(40));
    let both = |_: &str, port: u16| {
        let six: SocketAddr = format!("[2001:db8::1]:{port}").parse().unwrap();
        Ok(vec![six, SocketAddr::from(([192, 0, 2, 1], port))])
    };
    let options = ClientOptions::new()
        .no_proxy()
        .limits(limits)
        .resolver(both);
    let client = LoopClient::on(&mut events, options).unwrap();
    let call = open_on(&client, client.get("http://name.invalid/"));
    // The resolver has a thread of its own.
    while world.dials().is_empty() {
        events.turn(Some(Duration::ZERO)).unwrap();
        std::thread::yield_now();
    }
    world.advance(Duration::from_millis(39));
    events.turn(Some(Duration::ZERO)).unwrap();
    assert_eq!(world.dials().len(), 1);
    world.advance(Duration::from_millis(2));
    events.turn(Some(Duration::ZERO)).unwrap();
    let dials = world.dials();
    assert_eq!(dials.len(), 2);
    world.complete(dials[1].0);
    for _ in 0..4 {
        events.turn(Some(Duration::ZERO)).unwrap();
    }
    world.send(
        dials[1].0,
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    );
    for _ in 0..4 {
        events.turn(Some(Duration::ZERO)).unwrap();
    }
    assert_eq!(call.log.body(), "ok");
}

#[test]
fn a_post_goes_on_no_connection_that_its_server_has_just_closed() {
    const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let mut scene = Scene::new(ClientLimits::DEFAULT);
    let resting = scene.open();
    let server = scene.accept(0);
    scene.world.send(server, OK);
    scene.turn();
    assert!(resting.log.is_over());
    scene.world.advance(Duration::from_millis(1));
    // The server closes after the system was asked what has happened, and before the request.
    let (world, client) = (scene.world.clone(), scene.client.clone());
    let waker = scene.client.get("http://192.0.2.2/");
    let posted = std::rc::Rc::new(std::cell::RefCell::new(None));
    let into = posted.clone();
    scene.client.send_then(waker, move |_| {
        world.eof(server);
        let post = client.post("http://192.0.2.1/").body("x");
        client.send_then(post, move |answer| *into.borrow_mut() = Some(answer));
    });
    scene.turn();
    let other = scene.accept(1);
    scene.world.send(other, OK);
    scene.turn();
    assert_eq!(scene.world.dials().len(), 3, "a connection of its own");
    let fresh = scene.accept(2);
    scene.world.send(fresh, OK);
    scene.turn();
    let answer = posted.borrow_mut().take().unwrap();
    assert_eq!(answer.unwrap().text().unwrap(), "ok");
    let written = String::from_utf8(scene.world.output(server)).unwrap();
    assert!(!written.contains("POST"), "{written}");
}

#[test]
fn a_post_goes_on_a_connection_at_rest_once_it_was_looked_at() {
    const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let mut scene = Scene::new(ClientLimits::DEFAULT);
    let first = scene.open();
    let server = scene.accept(0);
    scene.world.send(server, OK);
    scene.turn();
    assert!(first.log.is_over());
    scene.world.advance(Duration::from_secs(1));
    let reads = scene.world.calls(server).0;
    let post = scene.client.post("http://192.0.2.1/").body("x");
    let call = open_on(&scene.client, post);
    scene.turn();
    assert!(scene.world.calls(server).0 > reads, "it was looked at");
    scene.world.send(server, OK);
    scene.turn();
    assert_eq!(call.log.body(), "ok");
    assert_eq!(scene.world.dials().len(), 1);
    // A call that is cancelled while its connection is looked at leaves it to the next one.
    scene.world.advance(Duration::from_secs(1));
    let post = scene.client.post("http://192.0.2.1/").body("x");
    let cancelled = open_on(&scene.client, post);
    scene.events.turn(Some(Duration::ZERO)).unwrap();
    cancelled.call.cancel();
    scene.turn();
    assert!(matches!(cancelled.error().kind(), ErrorKind::Cancelled));
}

#[test]
fn a_cancelled_calls_dial_is_given_up() {
    let mut scene = Scene::new(ClientLimits::DEFAULT);
    let call = scene.open();
    let server = scene.world.dials()[0].0;
    assert_eq!(scene.world.fate(server), barewire::net::Fate::Open);
    call.call.cancel();
    scene.turn();
    assert!(matches!(call.error().kind(), ErrorKind::Cancelled));
    assert_ne!(scene.world.fate(server), barewire::net::Fate::Open);
    assert_eq!(scene.client.metrics().connections(), 0);
    let next = scene.open();
    let server = scene.accept(1);
    let ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    scene.world.send(server, ok);
    scene.turn();
    assert_eq!(next.log.body(), "ok");
}
