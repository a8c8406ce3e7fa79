//! Connections from proxies that say whose they are.

use core::time::Duration;
use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;

use barewire::http::{Fields, ResponseHead, Status};
use barewire::link::{self, Body, Event};
use barewire::net::{
    Context, Fate, Handler, Limits, ListenOptions, Loop, Peer, Resource, Scripted, ScriptedClient,
    Share, Speaks,
};

const PROXY: &str = "10.0.0.1:1000";
const STRANGER: &str = "192.0.2.66:1000";
const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const ONE: &[u8] = b"PROXY TCP4 203.0.113.9 198.51.100.1 56324 443\r\n";
const TWO: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xcb\0\x71\x09\x0a\0\0\x01\xdc\x04\x01\xbb";

/// Answers with who asks, and writes down what it hears.
struct Who(Rc<RefCell<Vec<String>>>);

impl Handler for Who {
    fn event(&mut self, context: &mut Context<'_>, event: Event<'_>) {
        let peer = context.peer().unwrap().to_string();
        match event {
            Event::Opened => self.0.borrow_mut().push(format!("opened {peer}")),
            Event::Ended(_) => self.0.borrow_mut().push(format!("gone {peer}")),
            Event::Request { .. } => {
                core::mem::forget(context.claim(Resource::Sessions));
                let head = ResponseHead::new(Status::OK, Fields::EMPTY);
                context
                    .respond(&head, Body::Whole(peer.as_bytes()))
                    .unwrap();
            }
            _ => {}
        }
    }
}

struct Scene {
    world: Scripted,
    events: Loop<Scripted>,
    heard: Rc<RefCell<Vec<String>>>,
}

impl Scene {
    fn new(limits: Limits) -> Self {
        let (world, heard) = (Scripted::new(), Rc::default());
        let mut events = Loop::with_poller(world.clone(), limits).unwrap();
        let owner = events.add(Who(Rc::clone(&heard)));
        let profile = events.profile(link::Limits::DEFAULT);
        let options = ListenOptions::DEFAULT
            .with_proxies(["10.0.0.0/8".parse().unwrap()])
            .with_proxy_protocol(true);
        let address = "127.0.0.1:0".parse().unwrap();
        let listening = events.listen(&address, &options, Speaks::Http, owner, profile);
        listening.unwrap();
        Self {
            world,
            events,
            heard,
        }
    }

    fn from(&mut self, peer: &str) -> ScriptedClient {
        let peer = Peer::from(peer.parse::<SocketAddr>().unwrap());
        let client = self.world.connect_client_from(0, peer);
        self.turns();
        client
    }

    fn turns(&mut self) {
        for _ in 0..6 {
            self.events.turn(Some(Duration::ZERO)).unwrap();
        }
    }

    fn say(&mut self, client: ScriptedClient, bytes: &[u8]) -> String {
        self.world.send(client, bytes);
        self.turns();
        String::from_utf8(self.world.take_output(client)).unwrap()
    }

    fn is_over(&self, client: ScriptedClient) -> bool {
        matches!(self.world.fate(client), Fate::Closed | Fate::Reset)
    }
}

#[test]
fn the_client_of_a_proxy_is_the_peer_however_its_header_is_cut() {
    for header in [ONE, TWO] {
        let all = [header, GET].concat();
        for at in 0..=all.len() {
            let mut scene = Scene::new(Limits::DEFAULT);
            let client = scene.from(PROXY);
            let mut answer = scene.say(client, &all[..at]);
            answer += &scene.say(client, &all[at..]);
            assert!(answer.ends_with("203.0.113.9:56324"), "{at}: {answer}");
            assert_eq!(*scene.heard.borrow(), ["opened 203.0.113.9:56324"]);
        }
        let mut scene = Scene::new(Limits::DEFAULT);
        let client = scene.from(PROXY);
        let said: Vec<String> = all.iter().map(|&byte| scene.say(client, &[byte])).collect();
        assert!(said.concat().ends_with("203.0.113.9:56324"));
    }
}

#[test]
fn a_header_of_somebody_else_is_not_believed() {
    let mut scene = Scene::new(Limits::DEFAULT);
    let client = scene.from(STRANGER);
    let answer = scene.say(client, &[ONE, GET].concat());
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    let client = scene.from(STRANGER);
    let answer = scene.say(client, GET);
    assert!(answer.ends_with(STRANGER), "{answer}");
}

#[test]
fn a_proxy_without_a_header_is_not_served() {
    let mut scene = Scene::new(Limits::DEFAULT);
    let long = [&b"PROXY UNKNOWN "[..], &[b'x'; 100]].concat();
    for bytes in [GET, b"PROXY TCP4 a b 1 2\r\n", &long] {
        let client = scene.from(PROXY);
        assert_eq!(scene.say(client, bytes), "");
        assert!(scene.is_over(client));
    }
    // Cut off in the middle, or silent.
    let client = scene.from(PROXY);
    scene.say(client, &ONE[..9]);
    scene.world.eof(client);
    scene.turns();
    assert!(scene.is_over(client));
    assert_eq!(scene.events.counters().proxy_faults, 4);
    let client = scene.from(PROXY);
    scene.say(client, &ONE[..9]);
    scene.world.advance(Duration::from_secs(4));
    scene.turns();
    assert!(!scene.is_over(client));
    scene.world.advance(Duration::from_secs(3));
    scene.turns();
    assert!(scene.is_over(client));
    assert_eq!(scene.events.counters().proxy_faults, 5);
    assert!(scene.heard.borrow().is_empty(), "no handler has seen them");
    assert_eq!(scene.events.counters().active, 0);
}

#[test]
fn a_proxy_itself_may_ask() {
    let mut scene = Scene::new(Limits::DEFAULT);
    let local = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";
    for header in [&b"PROXY UNKNOWN\r\n"[..], local] {
        let client = scene.from(PROXY);
        let answer = scene.say(client, &[header, GET].concat());
        assert!(answer.ends_with(PROXY), "{answer}");
    }
}

#[test]
fn the_clients_of_a_proxy_have_shares_and_the_proxy_has_none() {
    let share = Share {
        all: 100,
        address: 2,
        connection: 100,
    };
    let limits = Limits::DEFAULT.with_per_address(3).with_sessions(share);
    let mut scene = Scene::new(limits);
    let greedy: Vec<ScriptedClient> = (0..4)
        .map(|_| {
            let client = scene.from(PROXY);
            scene.say(client, &[ONE, GET].concat());
            client
        })
        .collect();
    let over: Vec<bool> = greedy.iter().map(|&client| scene.is_over(client)).collect();
    assert_eq!(over, [false, false, false, true], "per_address");
    assert_eq!(scene.events.counters().exhausted, 1, "the third session");
    let other = b"PROXY TCP4 203.0.113.10 198.51.100.1 56324 443\r\n";
    let client = scene.from(PROXY);
    let answer = scene.say(client, &[&other[..], GET].concat());
    assert!(answer.ends_with("203.0.113.10:56324"), "{answer}");
    // Who leaves makes room.
    scene.world.eof(greedy[0]);
    scene.turns();
    let client = scene.from(PROXY);
    let answer = scene.say(client, &[ONE, GET].concat());
    assert!(answer.ends_with("203.0.113.9:56324"), "{answer}");
}

#[test]
fn a_drain_does_not_wait_for_a_proxy_that_says_nothing() {
    let mut scene = Scene::new(Limits::DEFAULT);
    let client = scene.from(PROXY);
    scene.events.drain(None);
    scene.turns();
    assert!(scene.is_over(client) && scene.events.is_drained());
}
