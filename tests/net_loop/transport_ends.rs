//! How connections over a transport end, and what is left of what was under way.

use core::ops::Range;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use core::time::Duration;
use std::cell::RefCell;
use std::io::IoSlice;
use std::rc::Rc;
use std::sync::Arc;

use barewire::http::Method;
use barewire::link::Event;
use barewire::net::{
    Agreed, Context, Destination, Exchange, Fate, Handler, Limits, ListenOptions, ScriptedClient,
    Speaks, Transport, TransportError, TransportMaker,
};
use barewire::wire::{Received, Role};

use crate::dialling::{HOST, head};
use crate::scene::{Scene, get, ok, post, serve};
use crate::toy::{DATA, Toy};
use crate::toy_peer::{Peer, over, site};

fn bad_record() -> Vec<u8> {
    vec![DATA, 0, 0, 99]
}

#[test]
fn nothing_stands_behind_the_last_word_of_a_transport() {
    // Output waits when what came cannot be opened.
    let mut scene = site(Limits::DEFAULT);
    let mut peer = Peer::connect(&mut scene, Speaks::Http);
    scene.world.stop_reading(peer.client);
    peer.ask(&mut scene, &get("/big/200000"));
    scene.send(peer.client, &bad_record());
    scene.world.allow_all(peer.client);
    scene.settle();
    peer.open(&mut scene);
    assert!(peer.failed);
    assert_eq!(peer.sealed.len(), 4, "the alert");
    assert!(scene.has("Gone Transport"));
    // It is made while that is looked at.
    let mut peer = Peer::connect(&mut scene, Speaks::Http);
    let both = [peer.seal(&get("/hello")), bad_record()].concat();
    scene.send(peer.client, &both);
    peer.open(&mut scene);
    assert!(peer.failed);
    assert_eq!(peer.sealed.len(), 4);
    // There is more of it than waits for the end of the turn.
    for asked in [
        get("/big/200000"),
        [get("/big/200000"), get("/hello")].concat(),
    ] {
        let mut peer = Peer::connect(&mut scene, Speaks::Http);
        let both = [peer.seal(&asked), bad_record()].concat();
        scene.send(peer.client, &both);
        peer.open(&mut scene);
        assert!(peer.failed);
        assert_eq!(peer.sealed.len(), 4);
        assert!(!scene.is_over(peer.client), "it lingers");
        scene.eof(peer.client);
        assert!(scene.is_over(peer.client));
    }
}

#[test]
fn a_transport_is_freed_when_it_has_said_its_last() {
    let mut scene = site(Limits::DEFAULT);
    let mut peer = Peer::connect(&mut scene, Speaks::Http);
    let refused = peer.ask(&mut scene, b"no request\r\n\r\n");
    assert!(refused.starts_with(b"HTTP/1.1 400") && peer.closed);
    // The connection lingers, and holds 1,000 bytes less.
    assert!(!scene.is_over(peer.client));
    let lingering = scene.events.memory().held();
    scene.reset(peer.client);
    assert!(lingering < scene.events.memory().held() + 1000);
}

#[test]
fn a_record_that_trickles_in_has_its_time() {
    let limits = Limits::DEFAULT.with_record_time(Duration::from_secs(5));
    let mut scene = site(limits);
    let mut peer = Peer::connect(&mut scene, Speaks::Http);
    assert!(peer.ask(&mut scene, &get("/hello")).ends_with(b"hello"));
    // From its first byte, however it goes on.
    let sealed = peer.seal(&get("/hello"));
    for byte in &sealed[..8] {
        scene.send(peer.client, &[*byte]);
        scene.pass(1);
    }
    assert!(scene.is_over(peer.client) && scene.has("Gone Stalled"));
    assert!(peer.open(&mut scene).is_empty());
    assert_eq!(peer.toy.alert, "Time");
    assert_eq!(scene.fate(peer.client), Fate::Closed, "and not reset");
    // Each record has its own; between them there is none.
    let mut peer = Peer::connect(&mut scene, Speaks::Http);
    for _ in 0..5 {
        let sealed = peer.seal(&get("/hello"));
        scene.send(peer.client, &sealed[..10]);
        scene.pass(4);
        let next = peer.seal(&get("/hello"));
        scene.send(peer.client, &[&sealed[10..], &next[..10]].concat());
        scene.pass(4);
        scene.send(peer.client, &next[10..]);
        assert!(peer.talk(&mut scene).ends_with(b"hello"));
        scene.pass(7);
    }
    assert!(!scene.is_over(peer.client));
}

#[test]
fn the_time_of_a_record_stands_still_while_nobody_reads_it() {
    let limits = Limits::DEFAULT
        .with_record_time(Duration::from_secs(5))
        .with_backlog_high(1000)
        .with_backlog_low(500);
    let mut scene = site(limits);
    let mut peer = Peer::connect(&mut scene, Speaks::Http);
    scene.world.stop_reading(peer.client);
    // Its output waits, so that nothing is read of it.
    let first = peer.seal(&get("/big/100000"));
    let second = peer.seal(&get("/hello"));
    scene.send(peer.client, &[&first, &second[..10]].concat());
    scene.pass(8);
    assert!(!scene.is_over(peer.client));
    scene.send(peer.client, &second[10..]);
    scene.world.allow_all(peer.client);
    scene.settle();
    assert!(peer.talk(&mut scene).ends_with(b"hello"));
    // It begins anew when it is read on.
    scene.world.stop_reading(peer.client);
    let first = peer.seal(&get("/big/100000"));
    let second = peer.seal(&get("/hello"));
    scene.send(peer.client, &[&first, &second[..10]].concat());
    scene.pass(8);
    scene.world.allow_all(peer.client);
    scene.pass(4);
    assert!(!scene.is_over(peer.client));
    scene.pass(4);
    assert!(scene.is_over(peer.client));
}

#[test]
fn a_fin_without_an_end_of_the_transport_cuts_a_body_off() {
    let mut scene = site(Limits::DEFAULT);
    let mut peer = Peer::connect(&mut scene, Speaks::Http);
    peer.ask(&mut scene, &post("/stream", b"half of it")[..60]);
    scene.eof(peer.client);
    assert!(scene.has("Gone"), "{:?}", scene.log.borrow());
    assert!(!scene.has("End") && scene.is_over(peer.client));
}

#[test]
fn what_was_asked_in_front_of_a_fin_is_answered() {
    for behind in [&b""[..], &[DATA, 0]] {
        let mut scene = site(Limits::DEFAULT);
        let mut peer = Peer::connect(&mut scene, Speaks::Http);
        // In one turn, with the front of a record that does not come.
        let asked = peer.seal(&[get("/hello"), get("/big/100000")].concat());
        scene.world.send(peer.client, &[&asked, behind].concat());
        scene.eof(peer.client);
        let answer = peer.talk(&mut scene);
        assert_eq!(answer.windows(8).filter(|it| it == b"HTTP/1.1").count(), 2);
        assert!(answer.ends_with(&[b'x'; 100_000]) && peer.closed);
        assert_eq!(scene.fate(peer.client), Fate::Closed);
        // The answer is made later, behind the front of another request.
        let mut peer = Peer::connect(&mut scene, Speaks::Http);
        let asked = peer.seal(&[&get("/later")[..], b"GET / HT"].concat());
        scene.send(peer.client, &[&asked, behind].concat());
        scene.eof(peer.client);
        assert!(!scene.is_over(peer.client));
        let exchange = scene.exchange_of("Request GET /later");
        scene.act(|context| context.with(exchange, |context| ok(context, b"hello")));
        let answer = String::from_utf8(peer.talk(&mut scene)).unwrap();
        assert!(answer.contains("\r\n\r\nhello") && peer.closed, "{answer}");
        assert_eq!(scene.fate(peer.client), Fate::Closed);
    }
}

#[test]
fn raw_bytes_that_were_cut_off_are_not_complete() {
    let mut scene = over(Scene::raw(Limits::DEFAULT, |_, _| {}));
    let mut peer = Peer::connect(&mut scene, Speaks::Raw);
    let sealed = peer.seal(b"half");
    scene.world.send(peer.client, &sealed);
    scene.eof(peer.client);
    assert!(scene.has("Data 4") && scene.has("Gone Reset"));
    assert!(!scene.has("HalfClosed"));
}

#[test]
fn what_stands_behind_the_end_of_the_transport_resets_no_answer() {
    for more in [0, 1000, 100_000] {
        let mut scene = site(Limits::DEFAULT);
        let mut peer = Peer::connect(&mut scene, Speaks::Http);
        scene.world.stop_reading(peer.client);
        let mut out = peer.seal(&get("/big/50000"));
        peer.toy.close(&mut out);
        scene.send(peer.client, &[&out[..], &vec![0; more]].concat());
        scene.send(peer.client, &vec![0; more]);
        scene.world.allow_all(peer.client);
        scene.settle();
        assert!(peer.talk(&mut scene).ends_with(&[b'x'; 50_000]) && peer.closed);
        scene.send(peer.client, &vec![0; more]);
        scene.eof(peer.client);
        assert_eq!(scene.fate(peer.client), Fate::Closed, "{more}");
    }
    // The end of both in one.
    let mut scene = site(Limits::DEFAULT);
    let mut peer = Peer::connect(&mut scene, Speaks::Http);
    let mut out = peer.seal(&get("/hello"));
    peer.toy.close(&mut out);
    scene.world.send(peer.client, &out);
    scene.eof(peer.client);
    assert!(peer.talk(&mut scene).ends_with(b"hello") && peer.closed);
    assert_eq!(scene.fate(peer.client), Fate::Closed);
}

/// Keeps how much of each response did not leave.
struct Parcels(Rc<RefCell<Vec<u64>>>);

impl Handler for Parcels {
    fn event(&mut self, context: &mut Context<'_>, event: Event<'_>) {
        if matches!(event, Event::Request { .. }) {
            serve(context, event);
            context.on_departure(Box::new(()));
        }
    }

    fn departed(&mut self, _: &mut Context<'_>, _: Box<dyn core::any::Any>, unsent: u64) {
        self.0.borrow_mut().push(unsent);
    }
}

/// A scene whose second listener has these over the toy.
fn with_parcels() -> (Scene, Rc<RefCell<Vec<u64>>>) {
    let mut scene = Scene::site();
    let given = Rc::new(RefCell::new(Vec::new()));
    let owner = scene.events.add(Parcels(given.clone()));
    let (maker, profile) = (Toy::maker(Role::Server, Speaks::Http), scene.profile);
    let (address, options) = ("127.0.0.1:0".parse().unwrap(), ListenOptions::DEFAULT);
    scene
        .events
        .listen_over(&address, &options, &maker, Speaks::Http, owner, profile)
        .unwrap();
    (scene, given)
}

#[test]
fn what_did_not_leave_is_content_and_no_records() {
    let (mut scene, given) = with_parcels();
    let mut peer = Peer::connect(&mut scene, Speaks::Http);
    let all = peer.ask(&mut scene, &get("/big/40000")).len() as u64;
    assert_eq!(given.borrow_mut().pop(), Some(0));
    for end in [Scene::reset, |scene: &mut Scene, client: ScriptedClient| {
        scene.send(client, &bad_record());
    }] {
        let mut peer = Peer::connect(&mut scene, Speaks::Http);
        scene.world.stop_reading(peer.client);
        let asked = [get("/big/40000"), get("/big/40000")].concat();
        peer.ask(&mut scene, &asked);
        end(&mut scene, peer.client);
        scene.reset(peer.client);
        let unsent = core::mem::take(&mut *given.borrow_mut());
        assert_eq!(unsent, [all, 2 * all]);
    }
}

#[test]
fn a_parcel_waits_for_its_own_bytes_and_not_for_those_behind_them() {
    let (mut scene, given) = with_parcels();
    let mut peer = Peer::connect(&mut scene, Speaks::Http);
    scene.world.stop_reading(peer.client);
    let asked = [get("/hello"), get("/big/300000")].concat();
    peer.ask(&mut scene, &asked);
    let mut allowed = 0;
    while given.borrow().is_empty() {
        scene.world.allow_write(peer.client, 100);
        allowed += 100;
        scene.settle();
    }
    // What records add to a write may count for its front, and no more than that.
    assert!((100..=1000).contains(&allowed), "{allowed}");
    assert_eq!(*given.borrow(), [0]);
}

/// Dials over the toy; the exchange, and the peer before its handshake.
fn dial(scene: &mut Scene, tag: u32) -> (Exchange, ScriptedClient) {
    let maker = Toy::maker(Role::Client, Speaks::Http);
    let to = Destination::Address("192.0.2.9:443".parse().unwrap());
    let profile = scene.profile;
    let exchange = scene.act(|context| context.dial_over(to, &maker, Speaks::Http, profile, tag));
    let (client, _) = scene.world.dials().last().unwrap().clone();
    (exchange, client)
}

#[test]
fn a_dial_whose_peer_takes_nothing_of_its_hello_was_never_there() {
    let mut scene = site(Limits::DEFAULT.with_write_progress(Duration::from_secs(2)));
    let (_, client) = dial(&mut scene, 1);
    scene.world.stop_reading(client);
    scene.world.complete(client);
    scene.pass(6);
    assert!(scene.is_over(client));
    assert!(scene.has("Gone Unreachable(HandshakeTimedOut)"));
}

#[test]
fn a_body_without_a_length_is_whole_only_if_the_transport_was_closed() {
    let response = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: half\n";
    for closes in [true, false] {
        let mut scene = site(Limits::DEFAULT);
        let (exchange, client) = dial(&mut scene, 1);
        scene.world.complete(client);
        scene.settle();
        let mut peer = Peer::new(client, Role::Server, Speaks::Http);
        peer.talk(&mut scene);
        scene.act(|context| {
            context.with(exchange, |context| {
                let head = head(Method::GET, "/events", HOST);
                context.request(&head, None).unwrap();
            })
        });
        peer.ask(&mut scene, response);
        assert!(scene.has("Response 200") && scene.has("Body 11"));
        if closes {
            let mut out = Vec::new();
            peer.toy.close(&mut out);
            scene.send(client, &out);
        }
        scene.eof(client);
        assert_eq!(scene.has("End"), closes);
        assert_eq!(scene.has("Gone Reset"), !closes, "{:?}", scene.log.borrow());
    }
}

/// A toy that counts what it has sealed.
struct Counting(Toy, Arc<AtomicUsize>);

impl Transport for Counting {
    fn open(
        &mut self,
        input: &mut [u8],
        out: &mut Vec<u8>,
    ) -> Result<Received<Range<usize>>, TransportError> {
        self.0.open(input, out)
    }

    fn agreed(&self) -> Option<Agreed> {
        self.0.agreed()
    }

    fn seal(&mut self, plain: &[IoSlice<'_>], out: &mut Vec<u8>) -> Result<(), TransportError> {
        let before = out.len();
        self.0.seal(plain, out)?;
        self.1.fetch_add(out.len() - before, Relaxed);
        Ok(())
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        self.0.close(out);
    }

    fn memory(&self) -> usize {
        self.0.memory()
    }
}

#[test]
fn no_more_is_sealed_than_the_socket_is_likely_to_take() {
    let mut scene = Scene::site();
    let sealed = Arc::new(AtomicUsize::new(0));
    let count = sealed.clone();
    let maker = TransportMaker::new(move || {
        let toy = Toy::new(Role::Server, Speaks::Http);
        Box::new(Counting(toy, count.clone()))
    });
    let (address, options) = ("127.0.0.1:0".parse().unwrap(), ListenOptions::DEFAULT);
    let (owner, profile) = (scene.owner, scene.profile);
    scene
        .events
        .listen_over(&address, &options, &maker, Speaks::Http, owner, profile)
        .unwrap();
    for room in [1_000, 20_000, 100_000] {
        sealed.store(0, Relaxed);
        let mut peer = Peer::connect(&mut scene, Speaks::Http);
        scene.world.stop_reading(peer.client);
        peer.ask(&mut scene, &get("/big/900000"));
        let mut taken = 0;
        while taken + room < 900_000 {
            scene.world.allow_write(peer.client, room);
            scene.settle();
            taken += scene.world.take_output(peer.client).len();
            // Behind the first, which is as large as it may be.
            if taken > 2 * 64 * 1024 {
                let kept = sealed.load(Relaxed) - taken;
                assert!(kept < 17_000, "{kept} of {room}");
            }
        }
        scene.reset(peer.client);
    }
    // And where it takes all, that is one write.
    let mut peer = Peer::connect(&mut scene, Speaks::Http);
    let before = scene.world.calls(peer.client).1;
    peer.ask(&mut scene, &get("/big/60000"));
    assert_eq!(scene.world.calls(peer.client).1 - before, 1);
}
