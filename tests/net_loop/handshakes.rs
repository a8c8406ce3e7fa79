//! Handshakes that nobody has asked for: many, slow, long, or never finished.

use core::time::Duration;

use barewire::net::{Fate, Limits, ListenOptions, ScriptedClient, Speaks};
use barewire::wire::Role;

use crate::scene::{Scene, get};
use crate::toy::{HELLO, PAD, Toy};
use crate::toy_peer::{Peer, alert, site};

/// What a client says first.
fn hello() -> Vec<u8> {
    let mut out = Vec::new();
    Toy::new(Role::Client, Speaks::Http).put(HELLO, &[1], &mut out);
    out
}

/// One turn, in which each handshake that is ready may take its time.
fn one_step_a_turn() -> Limits {
    Limits::DEFAULT.with_handshake_part(Duration::ZERO)
}

fn answered(scene: &Scene, clients: &[ScriptedClient]) -> usize {
    let answers = clients.iter().map(|it| scene.world.output(*it));
    answers.filter(|it| !it.is_empty()).count()
}

#[test]
fn a_handshake_is_charged_from_its_beginning() {
    let mut scene = site(Limits::DEFAULT);
    let base = scene.events.memory().held();
    let clients: Vec<_> = (0..10).map(|_| scene.world.connect_client(1)).collect();
    scene.settle();
    let held = scene.events.memory().held() - base;
    assert!((10_000..20_000).contains(&held), "{held}");
    clients.iter().for_each(|it| scene.reset(*it));
    assert_eq!(scene.events.memory().held(), base);
}

#[test]
fn a_storm_of_handshakes_keeps_nobody_waiting_who_is_connected() {
    let mut scene = site(one_step_a_turn());
    let mut honest = Peer::connect(&mut scene, Speaks::Http);
    let plain = scene.connect();
    let storm: Vec<_> = (0..60).map(|_| scene.world.connect_client(1)).collect();
    scene.settle();
    storm.iter().for_each(|it| scene.world.send(*it, &hello()));
    scene.world.send(plain, &get("/hello"));
    let sealed = honest.seal(&get("/hello"));
    scene.world.send(honest.client, &sealed);
    scene.turn();
    assert!(scene.take(plain).ends_with("hello"));
    assert!(honest.open(&mut scene).ends_with(b"hello"));
    assert_eq!(answered(&scene, &storm), 1, "one is a part of a turn");
    // The others follow.
    scene.settle();
    assert_eq!(answered(&scene, &storm), 60);
}

#[test]
fn addresses_take_turns_in_shaking_hands() {
    let mut scene = site(one_step_a_turn());
    let from = |last| barewire::net::Peer::V4([192, 0, 2, last].into(), 1000);
    let storm: Vec<_> = (0..60)
        .map(|_| scene.world.connect_client_from(1, from(1)))
        .collect();
    let honest = scene.world.connect_client_from(1, from(2));
    scene.settle();
    for client in storm.iter().chain([&honest]) {
        scene.world.send(*client, &hello());
    }
    for _ in 0..3 {
        scene.turn();
    }
    assert_eq!(answered(&scene, &[honest]), 1);
    assert!(answered(&scene, &storm) <= 2);
}

#[test]
fn only_so_many_handshakes_are_in_flight() {
    let mut scene = site(Limits::DEFAULT.with_handshakes(4));
    let counts = scene.events.handshakes();
    let silent: Vec<_> = (0..4).map(|_| scene.world.connect_client(1)).collect();
    scene.settle();
    let client = scene.world.connect_client(1);
    for _ in 0..3 {
        scene.turn();
    }
    assert_eq!((counts.started(), counts.in_flight()), (4, 4));
    assert_eq!(
        scene.events.counters().accepted,
        4,
        "it waits in the kernel"
    );
    // Nor does it keep the loop busy; and plain connections are let in.
    assert_ne!(scene.world.last_timeout(), Some(Duration::ZERO));
    assert!(scene.ask(&get("/hello")).1.ends_with("hello"));
    // Who has said nothing for a second makes room, the oldest first.
    scene.pass(2);
    let mut peer = Peer::new(client, Role::Client, Speaks::Http);
    peer.talk(&mut scene);
    assert!(peer.ask(&mut scene, &get("/hello")).ends_with(b"hello"));
    assert_eq!((counts.completed(), counts.refused()), (1, 1));
    let open = |it: &&ScriptedClient| scene.fate(**it) == Fate::Open;
    assert_eq!(silent.iter().filter(open).count(), 3);
    assert!(scene.is_over(silent[0]));
    // The others have all of their time.
    scene.pass(12);
    assert_eq!((counts.failed(), counts.in_flight()), (3, 0));
}

#[test]
fn a_newcomer_waits_a_second_for_each_cap_full_in_front_of_it() {
    let mut scene = site(Limits::DEFAULT.with_handshakes(16));
    let before = Peer::connect(&mut scene, Speaks::Http);
    let storm: Vec<_> = (0..48).map(|_| scene.world.connect_client(1)).collect();
    let mut newcomer = Peer::new(scene.world.connect_client(1), Role::Client, Speaks::Http);
    let mut steps = 0;
    while !newcomer.toy.agreed {
        newcomer.talk(&mut scene);
        scene.world.advance(Duration::from_millis(100));
        scene.settle();
        steps += 1;
        assert!(steps < 40, "it is kept out");
    }
    assert!((30..40).contains(&steps), "{steps} tenths of a second");
    assert!(newcomer.ask(&mut scene, &get("/hello")).ends_with(b"hello"));
    // Nobody ended whose place was not needed, nor who is connected.
    let open = |it: &&ScriptedClient| scene.fate(**it) == Fate::Open;
    assert!(storm.iter().filter(open).count() >= 15);
    assert_eq!(scene.fate(before.client), Fate::Open);
}

#[test]
fn a_handshake_that_waits_for_us_makes_no_room() {
    let limits = one_step_a_turn().with_handshakes(3);
    let mut scene = site(limits);
    let first: Vec<_> = (0..3).map(|_| scene.world.connect_client(1)).collect();
    scene.settle();
    first.iter().for_each(|it| scene.world.send(*it, &hello()));
    scene.world.connect_client(1);
    scene.world.advance(Duration::from_secs(2));
    scene.turn();
    // Of the two that wait for their turn, none was ended.
    let open = |it: &&ScriptedClient| scene.fate(**it) == Fate::Open;
    assert!(first.iter().filter(open).count() >= 2);
    scene.settle();
    assert!(answered(&scene, &first) >= 2);
}

#[test]
fn no_handshake_begins_while_memory_is_short() {
    let mut scene = site(Limits::DEFAULT.with_memory(1 << 20));
    let base = scene.events.memory().held();
    let room = ((1 << 20) / 8 * 7 - base) / 1000;
    for _ in 0..room + 100 {
        scene.world.connect_client(1);
    }
    scene.settle();
    let counts = scene.events.handshakes();
    assert!(counts.started() <= room as u64, "{}", counts.started());
    assert!(scene.events.memory().held() < 1 << 20);
    scene.pass(2);
    assert!(counts.refused() > 0);
    assert_eq!(scene.events.memory().evicted(), 0);
}

#[test]
fn a_handshake_has_only_so_many_bytes() {
    let mut scene = site(Limits::DEFAULT.with_handshake_bytes(1000));
    let client = scene.world.connect_client(1);
    let mut toy = Toy::new(Role::Client, Speaks::Http);
    let mut pad = || {
        let mut out = Vec::new();
        toy.put(PAD, &[0; 96], &mut out);
        out
    };
    for _ in 0..10 {
        scene.send(client, &pad());
    }
    assert_eq!(scene.fate(client), Fate::Open);
    scene.send(client, &pad());
    assert_ne!(scene.fate(client), Fate::Open);
    assert_eq!(scene.events.handshakes().failed(), 1);
    assert_eq!(alert(&mut scene, client), "Handshake");
    // Behind the handshake nothing is counted.
    let mut peer = Peer::connect(&mut scene, Speaks::Http);
    for _ in 0..20 {
        let mut out = Vec::new();
        peer.toy.put(PAD, &[0; 96], &mut out);
        scene.send(peer.client, &out);
    }
    assert!(peer.ask(&mut scene, &get("/hello")).ends_with(b"hello"));
}

#[test]
fn a_client_of_a_proxy_has_no_handshake_where_there_is_no_room() {
    let mut scene = Scene::site_with(crate::scene::Setting {
        limits: Limits::DEFAULT.with_handshakes(1),
        ..crate::scene::Setting::default()
    });
    let options = ListenOptions::DEFAULT
        .with_proxies(["10.0.0.0/8".parse().unwrap()])
        .with_proxy_protocol(true);
    let maker = Toy::maker(Role::Server, Speaks::Http);
    let address = "127.0.0.1:0".parse().unwrap();
    let (owner, profile) = (scene.owner, scene.profile);
    scene
        .events
        .listen_over(&address, &options, &maker, Speaks::Http, owner, profile)
        .unwrap();
    let from = barewire::net::Peer::V4([10, 0, 0, 1].into(), 1000);
    let clients = [0, 1].map(|_| scene.world.connect_client_from(1, from));
    scene.settle();
    for client in clients {
        let header = b"PROXY TCP4 203.0.113.9 198.51.100.1 56324 443\r\n";
        scene.send(client, header);
    }
    let counts = scene.events.handshakes();
    assert_eq!((counts.in_flight(), counts.refused()), (1, 1));
    assert_eq!(scene.fate(clients[0]), Fate::Open);
    assert!(scene.is_over(clients[1]));
}
