//! The loop over a transport.

use core::time::Duration;
use std::io::Write;
use std::sync::Arc;

use barewire::http::{Fields, ResponseHead, Status};
use barewire::http2;
use barewire::link::{Body, Event};
use barewire::net::{
    Context, Destination, Fate, FilePart, KernelQueue, Limits, ListenOptions, Speaks, Transport,
};
use barewire::wire::Role;
use proptest::prelude::*;

use crate::http2_support::Side;
use crate::scene::{Scene, Setting, UPGRADE, get, ok, path, post, serve, text};
use crate::toy::{CLOSE, DATA, HELLO, Told, Toy};
use crate::toy_peer::{Peer, alert, over, site};

/// Notes in a log what the transport tells in each event.
fn telling(
    told: std::rc::Rc<std::cell::RefCell<Vec<Option<u8>>>>,
) -> impl FnMut(&mut Context<'_>, Event<'_>) {
    move |context, event| {
        let details = context.transport_details();
        told.borrow_mut()
            .push(details.map(|it| it.downcast_ref::<Told>().unwrap().0));
        serve(context, event);
    }
}

#[test]
fn owners_are_told_of_the_transport() {
    let told = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let take = || core::mem::take(&mut *told.borrow_mut());
    let mut scene = over(Scene::with(Setting::default(), telling(told.clone())));
    // A plain connection at this slot before.
    let plain = scene.ask(&get("/hello")).0;
    scene.reset(plain);
    assert_eq!(take(), [None; 3]);
    let mut peer = Peer::connect(&mut scene, Speaks::Http);
    for _ in 0..2 {
        peer.ask(&mut scene, &get("/hello"));
        scene.pass(3); // it is packed, and expanded again
    }
    peer.ask(&mut scene, &[UPGRADE, &text("hi")].concat());
    let seen = take();
    assert!(seen.len() >= 5, "{seen:?}");
    assert!(seen.iter().all(|it| *it == Some(1)), "{seen:?}");
    // To the end, and not for the next connection at the slot.
    scene.reset(peer.client);
    assert_eq!(take(), [Some(1)]);
    scene.ask(&get("/hello"));
    assert_eq!(take(), [None; 2]);
    // For each stream of a connection.
    let mut peer = Peer::connect(&mut scene, Speaks::Http2);
    let mut side = Side::new(Role::Client, http2::Limits::DEFAULT);
    for path in ["/hello", "/big/3"] {
        let head = super::http2::request_of(path);
        side.machine
            .send_request(&head, None, &mut side.out)
            .unwrap();
    }
    let out = core::mem::take(&mut side.out);
    peer.ask(&mut scene, &out);
    assert_eq!(take(), [Some(1); 3]);
    // A dial whose handshake fails is told of that.
    let maker = Toy::maker(Role::Client, Speaks::Http);
    let to = Destination::Address("192.0.2.9:443".parse().unwrap());
    let profile = scene.profile;
    scene.act(|context| context.dial_over(to, &maker, Speaks::Http, profile, 1));
    let (client, _) = scene.world.dials()[0].clone();
    scene.world.complete(client);
    scene.settle();
    take();
    scene.send(client, &[CLOSE, 0, 0, 99]);
    assert!(scene.has("Gone Unreachable(Handshake)"));
    assert_eq!(take(), [Some(0)]);
}

fn ends_with(all: &[u8], end: &str) -> bool {
    all.ends_with(end.as_bytes())
}

#[test]
fn requests_are_answered_over_a_transport() {
    let mut scene = site(Limits::DEFAULT);
    let mut peer = Peer::connect(&mut scene, Speaks::Http);
    assert_eq!(*scene.log.borrow(), ["Opened"]);
    for _ in 0..3 {
        let answer = peer.ask(&mut scene, &get("/hello"));
        assert!(ends_with(&answer, "\r\n\r\nhello"), "{answer:?}");
    }
    let pipelined = [get("/hello"), get("/big/50000"), get("/hello")].concat();
    let answer = peer.ask(&mut scene, &pipelined);
    assert!(answer.len() > 50_000 && ends_with(&answer, "hello"));
    // Others are served as they are, on the same loop.
    assert!(scene.ask(&get("/hello")).1.ends_with("hello"));
    assert_eq!(scene.events.counters().transport_faults, 0);
}

/// What a client sends for these plain bytes from its first byte on, and what it is
/// answered, if it comes in pieces of these sizes.
fn in_pieces(plain: &[u8], sizes: &[usize], limits: Limits) -> Vec<u8> {
    let mut scene = site(limits);
    let client = scene.world.connect_client(1);
    let mut peer = Peer::new(client, Role::Client, Speaks::Http);
    let mut sizes = sizes.iter().cycle();
    let mut send = |scene: &mut Scene, bytes: &[u8]| {
        let mut rest = bytes;
        while !rest.is_empty() {
            let n = rest.len().min((*sizes.next().unwrap()).max(1));
            scene.send(client, &rest[..n]);
            rest = &rest[n..];
        }
    };
    let mut out = Vec::new();
    peer.toy.open(&mut [], &mut out).unwrap();
    send(&mut scene, &out);
    out.clear();
    peer.sealed.extend(scene.world.take_output(client));
    let answer = peer.toy.open(&mut peer.sealed, &mut out).unwrap();
    peer.sealed.drain(..answer.used);
    // The end of the handshake, with all that follows.
    out.extend(peer.seal(plain));
    send(&mut scene, &out);
    peer.talk(&mut scene)
}

#[test]
fn every_cut_of_a_handshake_and_a_request_gives_the_same() {
    let plain = [post("/echo", b"body"), get("/hello")].concat();
    let all = 4 + 301 + 4 + plain.len() + 4;
    let expected = in_pieces(&plain, &[usize::MAX], Limits::DEFAULT);
    assert!(ends_with(&expected, "hello"));
    for cut in 1..all {
        let answer = in_pieces(&plain, &[cut, usize::MAX], Limits::DEFAULT);
        assert_eq!(answer, expected, "{cut}");
    }
    assert_eq!(in_pieces(&plain, &[1], Limits::DEFAULT), expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn any_split_of_long_bodies_gives_the_same(
        sizes in prop::collection::vec(1..5000usize, 1..6),
        long in 0..60_000usize,
    ) {
        let body: Vec<u8> = (0..long).map(|at| (at % 251) as u8).collect();
        let plain = [post("/echo", &body), get("/hello")].concat();
        let limits = Limits::DEFAULT.with_read_size(20 << 10);
        let answer = in_pieces(&plain, &sizes, limits);
        prop_assert!(ends_with(&answer, "hello"));
        let echoed = answer.windows(4).position(|at| at == b"\r\n\r\n").unwrap() + 4;
        prop_assert_eq!(&answer[echoed..echoed + long], &body[..]);
    }
}

#[test]
fn the_handshake_chooses_http2() {
    let mut scene = site(Limits::DEFAULT);
    let mut peer = Peer::connect(&mut scene, Speaks::Http2);
    let mut side = Side::new(Role::Client, http2::Limits::DEFAULT);
    let mut seen = side.feed(&peer.early);
    let head = super::http2::request_of("/big/30000");
    side.machine
        .send_request(&head, None, &mut side.out)
        .unwrap();
    loop {
        let out = core::mem::take(&mut side.out);
        let answer = match out.is_empty() {
            true => peer.talk(&mut scene),
            false => peer.ask(&mut scene, &out),
        };
        if answer.is_empty() && side.out.is_empty() {
            break;
        }
        seen.extend(side.feed(&answer));
    }
    let got = format!("{seen:?}");
    assert!(got.contains("200"), "{got}");
    assert!(scene.has("Request GET /big/30000"));
}

#[test]
fn a_websocket_sends_long_messages_both_ways() {
    let mut scene = site(Limits::DEFAULT);
    let mut peer = Peer::connect(&mut scene, Speaks::Http);
    let answer = peer.ask(&mut scene, UPGRADE);
    assert!(answer.starts_with(b"HTTP/1.1 101"));
    assert_eq!(peer.ask(&mut scene, &text("hi")), b"\x81\x02hi");
    // Longer than the read buffer, so that it is read on to where it lies.
    let long = "x".repeat(400_000);
    let sealed = peer.seal(&text(&long));
    for piece in sealed.chunks(30_001) {
        scene.send(peer.client, piece);
    }
    let answer = peer.talk(&mut scene);
    assert_eq!(answer.len(), 10 + long.len());
    assert!(ends_with(&answer, &long[..1000]));
    // Sixteen messages make one read, one batch of records, and one write.
    let many = text("0123456789abcdef").repeat(16);
    let before = scene.world.calls(peer.client);
    let answer = peer.ask(&mut scene, &many);
    assert_eq!(answer.len(), 16 * 18);
    assert_eq!(scene.world.calls(peer.client).0 - before.0, 1);
}

#[test]
fn a_slow_reader_gets_every_byte_in_its_order() {
    for room in [1, 3, 7, 1000, 4099, 70_001] {
        let mut scene = site(
            Limits::DEFAULT
                .with_backlog_high(10_000)
                .with_backlog_low(2_000),
        );
        let mut peer = Peer::connect(&mut scene, Speaks::Http);
        scene.world.stop_reading(peer.client);
        let size = 100 * room.min(2000);
        let asked = [get(&format!("/big/{size}")), get("/hello")].concat();
        let mut answer = peer.ask(&mut scene, &asked);
        let mut turns = 0;
        while !ends_with(&answer, "hello") {
            scene.world.allow_write(peer.client, room);
            scene.settle();
            answer.extend(peer.open(&mut scene));
            turns += 1;
            assert!(turns < 100_000, "it does not end");
        }
        assert!(answer.len() > size && turns >= size / room);
        // Nothing waits any more.
        let memory = scene.events.memory();
        scene.world.allow_all(peer.client);
        assert!(ends_with(&peer.ask(&mut scene, &get("/hello")), "hello"));
        assert!(!peer.failed && memory.held() < 500_000);
    }
}

#[test]
fn what_the_kernel_holds_is_progress_and_a_peer_that_takes_nothing_is_given_up() {
    let mut scene = site(Limits::DEFAULT);
    let mut peer = Peer::connect(&mut scene, Speaks::Http);
    let queue = |rate| KernelQueue {
        size: 30_000,
        rate,
        step: 1,
    };
    scene.world.set_kernel_queue(peer.client, queue(1000));
    let mut answer = peer.ask(&mut scene, &get("/big/150000"));
    for _ in 0..40 {
        scene.pass(4);
        answer.extend(peer.open(&mut scene));
    }
    assert!(answer.len() > 150_000, "it was slow, and not stalled");
    scene.world.set_kernel_queue(peer.client, queue(0));
    peer.ask(&mut scene, &get("/big/150000"));
    scene.pass(40);
    assert!(scene.is_over(peer.client));
    assert!(scene.has("Gone Stalled"));
}

#[test]
fn the_end_is_said_behind_the_last_byte_and_the_peer_says_it_too() {
    // We end it.
    let mut scene = site(Limits::DEFAULT);
    let mut peer = Peer::connect(&mut scene, Speaks::Http);
    let close = b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    assert!(ends_with(&peer.ask(&mut scene, close), "hello"));
    assert!(peer.closed);
    assert_ne!(scene.fate(peer.client), Fate::Open);
    // The peer ends it, in front of its FIN.
    let mut peer = Peer::connect(&mut scene, Speaks::Http);
    let mut out = peer.seal(&get("/hello"));
    peer.toy.close(&mut out);
    scene.send(peer.client, &out);
    assert!(ends_with(&peer.talk(&mut scene), "hello"));
    scene.eof(peer.client);
    assert!(peer.talk(&mut scene).is_empty() && peer.closed);
    assert!(scene.is_over(peer.client));
    // With the room for it gone, it waits its turn.
    let mut peer = Peer::connect(&mut scene, Speaks::Http);
    scene.world.stop_reading(peer.client);
    assert!(peer.ask(&mut scene, close).is_empty());
    assert_eq!(scene.fate(peer.client), Fate::Open);
    while !peer.closed {
        scene.world.allow_write(peer.client, 1);
        scene.settle();
        peer.open(&mut scene);
    }
    assert_ne!(scene.fate(peer.client), Fate::Open);
}

#[test]
fn what_cannot_be_opened_ends_with_a_word_of_the_transport() {
    let mut scene = site(Limits::DEFAULT);
    // In the handshake: the owner never hears of it.
    let client = scene.world.connect_client(1);
    scene.send(client, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    scene.send(client, &[b'x'; 20_000]);
    let mut peer = Peer::new(client, Role::Client, Speaks::Http);
    peer.talk(&mut scene);
    assert!(peer.failed && scene.log.borrow().is_empty());
    // Behind it.
    let mut peer = Peer::connect(&mut scene, Speaks::Http);
    let mut bad = peer.seal(&get("/hello"));
    bad[5] ^= 1;
    scene.send(peer.client, &bad);
    peer.talk(&mut scene);
    assert!(peer.failed);
    assert_eq!(*scene.log.borrow(), ["Opened", "Gone Transport"]);
    assert_eq!(scene.events.counters().transport_faults, 2);
    scene.eof(peer.client);
    scene.eof(client);
    assert!(scene.is_over(peer.client) && scene.is_over(client));
}

#[test]
fn what_stands_in_front_of_a_fault_is_served_whether_or_not_it_came_with_it() {
    for read_size in [20 << 10, 65 << 10] {
        for together in [false, true] {
            let mut scene = site(Limits::DEFAULT.with_read_size(read_size));
            let mut peer = Peer::connect(&mut scene, Speaks::Http);
            let mut pieces = vec![peer.seal(&get("/hello")), vec![DATA, 0, 0, 99]];
            if together {
                pieces = vec![pieces.concat()];
            }
            for piece in pieces {
                scene.send(peer.client, &piece);
            }
            let expected = ["Opened", "Request GET /hello", "Gone Transport"];
            assert_eq!(*scene.log.borrow(), expected, "{together}");
        }
    }
}

#[test]
fn what_stands_behind_the_end_of_the_transport_is_ignored() {
    let mut scene = site(Limits::DEFAULT);
    let mut peer = Peer::connect(&mut scene, Speaks::Http);
    let mut out = peer.seal(&get("/later"));
    peer.toy.close(&mut out);
    scene.send(peer.client, &out);
    scene.send(peer.client, &[DATA, 0, 0, 99]);
    assert_eq!(scene.events.counters().transport_faults, 0);
    let exchange = scene.exchange_of("Request");
    scene.act(|context| context.with(exchange, |context| ok(context, b"hello")));
    assert!(ends_with(&peer.talk(&mut scene), "hello"));
    assert!(peer.closed && !peer.failed);
}

#[test]
fn what_came_with_the_end_of_a_handshake_is_no_long_record() {
    let plain = [post("/echo", &[b'x'; 60_000]), get("/hello")].concat();
    let limits = Limits::DEFAULT.with_unopened(20 << 10);
    for size in [5000, usize::MAX] {
        assert!(ends_with(
            &in_pieces(&plain, &[size], limits.clone()),
            "hello"
        ));
    }
}

#[test]
fn a_handshake_has_its_time_and_a_record_its_size() {
    let mut scene = site(Limits::DEFAULT.with_handshake_time(Duration::from_secs(3)));
    let silent = scene.world.connect_client(1);
    scene.settle();
    let slow = scene.world.connect_client(1);
    for _ in 0..3 {
        scene.send(slow, &[HELLO]);
        scene.pass(1);
    }
    scene.pass(3);
    assert_eq!(scene.events.counters().transport_faults, 2);
    for client in [silent, slow] {
        assert_eq!(alert(&mut scene, client), "Time");
        // What was said would be lost with a reset.
        assert_eq!(scene.fate(client), Fate::Closed);
    }

    let mut scene = site(Limits::DEFAULT.with_unopened(1000));
    let client = scene.world.connect_client(1);
    scene.send(client, &[&[HELLO, 0xff, 0xff][..], &[0; 900]].concat());
    assert_eq!(scene.fate(client), Fate::Open);
    scene.send(client, &[0; 200]);
    assert_ne!(scene.fate(client), Fate::Open);
    assert_eq!(alert(&mut scene, client), "Record");
    // The transport is over already, and its record still lingers.
    assert!(scene.events.memory().held() < idle() + 300);
    scene.reset(client);
    assert_eq!(scene.events.memory().held(), idle());
}

/// What a loop holds that serves nobody.
fn idle() -> usize {
    site(Limits::DEFAULT).events.memory().held()
}

#[test]
fn what_cannot_be_opened_yet_is_charged_and_given_back() {
    let mut scene = site(Limits::DEFAULT);
    let base = scene.events.memory().held();
    let mut peer = Peer::connect(&mut scene, Speaks::Http);
    let rested = scene.events.memory().held();
    assert!(
        (base + 1000..base + 2000).contains(&rested),
        "the transport's own"
    );
    peer.toy.most = 40_000;
    let sealed = peer.seal(&[get("/hello"), vec![b'\n'; 30_000]].concat()[..30_000]);
    scene.send(peer.client, &sealed[..20_000]);
    assert!(scene.events.memory().held() >= rested + 20_000);
    assert!(!scene.has("Request"));
    scene.reset(peer.client);
    assert_eq!(scene.events.memory().held(), base);
}

#[test]
fn a_file_is_read_and_sealed() {
    let bytes: Vec<u8> = (0..200_000).map(|at| (at / 7 % 251) as u8).collect();
    let name = format!("barewire-transport-{}", std::process::id());
    let place = std::env::temp_dir().join(name);
    std::fs::File::create(&place)
        .unwrap()
        .write_all(&bytes)
        .unwrap();
    let file = Arc::new(std::fs::File::open(&place).unwrap());
    std::fs::remove_file(&place).unwrap();
    let act = move |context: &mut barewire::net::Context<'_>, event: Event<'_>| match event {
        Event::Request { head, .. } if path(&head) == "/file" => {
            let head = ResponseHead::new(Status::OK, Fields::EMPTY);
            let body = Body::Streamed {
                length: Some(200_000),
                endless: false,
            };
            context.respond(&head, body).unwrap();
            context.write_file(FilePart::new(file.clone(), 0, 200_000));
            context.finish(Fields::EMPTY).unwrap();
        }
        event => serve(context, event),
    };
    let mut scene = over(Scene::with(Setting::default(), act));
    let mut peer = Peer::connect(&mut scene, Speaks::Http);
    let answer = peer.ask(&mut scene, &[get("/file"), get("/hello")].concat());
    assert!(ends_with(&answer, "hello"));
    let at = answer.windows(4).position(|at| at == b"\r\n\r\n").unwrap() + 4;
    assert!(answer[at..].starts_with(&bytes));
    // And to a peer that takes little.
    scene.world.stop_reading(peer.client);
    let mut answer = peer.ask(&mut scene, &[get("/file"), get("/hello")].concat());
    while !ends_with(&answer, "hello") {
        scene.world.allow_write(peer.client, 777);
        scene.settle();
        answer.extend(peer.open(&mut scene));
    }
    assert!(answer[at..].starts_with(&bytes));
}

#[test]
fn a_dial_speaks_what_its_handshake_has_agreed_on() {
    let mut scene = site(Limits::DEFAULT);
    let maker = Toy::maker(Role::Client, Speaks::Raw);
    let to = || Destination::Address("192.0.2.9:443".parse().unwrap());
    let profile = scene.profile;
    let exchange = scene.act(|context| context.dial_over(to(), &maker, Speaks::Http, profile, 1));
    let (client, _) = scene.world.dials()[0].clone();
    scene.world.complete(client);
    scene.settle();
    assert!(!scene.has("Opened"));
    let mut peer = Peer::new(client, Role::Server, Speaks::Http);
    peer.talk(&mut scene);
    assert!(peer.toy.agreed && peer.toy.speaks == Speaks::Raw);
    assert!(scene.has("Opened"));
    scene.act(|context| {
        context.with(exchange, |context| {
            assert!(context.write(b"hello").is_taken())
        })
    });
    assert_eq!(peer.talk(&mut scene), b"hello");
    peer.ask(&mut scene, b"back");
    assert!(scene.has("Data 4"));
    // One whose handshake fails was never there.
    scene.act(|context| context.dial_over(to(), &maker, Speaks::Http, profile, 2));
    let (client, _) = scene.world.dials()[1].clone();
    scene.world.complete(client);
    scene.settle();
    scene.send(client, b"HTTP/1.1 400 Bad Request\r\n\r\n");
    scene.send(client, &[0; 30_000]);
    assert!(scene.has("Gone Unreachable(Handshake)"));
    // Nor one whose peer says nothing.
    scene.act(|context| context.dial_over(to(), &maker, Speaks::Http, profile, 3));
    let (client, _) = scene.world.dials()[2].clone();
    scene.world.complete(client);
    scene.pass(13);
    assert!(scene.has("Gone Unreachable(HandshakeTimedOut)"));
    assert!(scene.is_over(client));
}

#[test]
fn a_proxy_says_whose_a_connection_is_in_front_of_the_handshake() {
    let mut scene = Scene::site();
    let options = ListenOptions::DEFAULT
        .with_proxies(["10.0.0.0/8".parse().unwrap()])
        .with_proxy_protocol(true);
    let (owner, profile) = (scene.owner, scene.profile);
    let maker = Toy::maker(Role::Server, Speaks::Http);
    let address = "127.0.0.1:0".parse().unwrap();
    scene
        .events
        .listen_over(&address, &options, &maker, Speaks::Http, owner, profile)
        .unwrap();
    let from = barewire::net::Peer::V4([10, 0, 0, 1].into(), 1000);
    for cut in [1, 20, 47, 60, 1000] {
        let client = scene.world.connect_client_from(1, from);
        scene.settle();
        let mut peer = Peer::new(client, Role::Client, Speaks::Http);
        let mut out = b"PROXY TCP4 203.0.113.9 198.51.100.1 56324 443\r\n".to_vec();
        peer.toy.open(&mut [], &mut out).unwrap();
        let (first, second) = out.split_at(cut.min(out.len()));
        scene.send(client, first);
        scene.send(client, second);
        peer.talk(&mut scene);
        assert!(
            ends_with(&peer.ask(&mut scene, &get("/hello")), "hello"),
            "{cut}"
        );
    }
}

#[test]
fn a_read_buffer_has_to_have_room_for_a_record() {
    let mut scene = Scene::site_with(Setting {
        limits: Limits::DEFAULT.with_read_size(10 << 10),
        ..Setting::default()
    });
    let maker = Toy::maker(Role::Server, Speaks::Http);
    let (owner, profile) = (scene.owner, scene.profile);
    let address = "127.0.0.1:0".parse().unwrap();
    let options = ListenOptions::DEFAULT;
    let listening =
        scene
            .events
            .listen_over(&address, &options, &maker, Speaks::Http, owner, profile);
    assert!(listening.unwrap_err().to_string().contains("read_size"));
    let to = Destination::Address("192.0.2.9:443".parse().unwrap());
    scene.act(|context| context.dial_over(to, &maker, Speaks::Http, profile, 1));
    assert!(scene.has("Gone Unreachable(Handshake)") && scene.world.dials().is_empty());
}

#[test]
fn a_parcel_comes_back_when_the_socket_has_all_of_its_records() {
    use std::cell::RefCell;
    use std::rc::Rc;

    struct Parcels(Rc<RefCell<Vec<u64>>>);
    impl barewire::net::Handler for Parcels {
        fn event(&mut self, context: &mut barewire::net::Context<'_>, event: Event<'_>) {
            if matches!(event, Event::Request { .. }) {
                serve(context, event);
                context.on_departure(Box::new(()));
            }
        }

        fn departed(
            &mut self,
            _: &mut barewire::net::Context<'_>,
            _: Box<dyn core::any::Any>,
            unsent: u64,
        ) {
            self.0.borrow_mut().push(unsent);
        }
    }

    let mut scene = Scene::site();
    let given = Rc::new(RefCell::new(Vec::new()));
    let owner = scene.events.add(Parcels(given.clone()));
    let (maker, profile) = (Toy::maker(Role::Server, Speaks::Http), scene.profile);
    let (address, options) = ("127.0.0.1:0".parse().unwrap(), ListenOptions::DEFAULT);
    scene
        .events
        .listen_over(&address, &options, &maker, Speaks::Http, owner, profile)
        .unwrap();
    let mut peer = Peer::connect(&mut scene, Speaks::Http);
    scene.world.stop_reading(peer.client);
    let asked = [get("/big/40000"), get("/hello")].concat();
    let mut answer = peer.ask(&mut scene, &asked);
    while given.borrow().is_empty() {
        scene.world.allow_write(peer.client, 100);
        scene.settle();
        answer.extend(peer.open(&mut scene));
    }
    assert!(answer.len() >= 40_000, "{}", answer.len());
    scene.world.allow_all(peer.client);
    scene.settle();
    assert_eq!(*given.borrow(), [0, 0]);
}
