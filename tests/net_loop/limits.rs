//! Every number of `net::Limits` does what it says.

use core::time::Duration;

use barewire::net::{Fate, Limits};

use crate::scene::{Scene, Setting, get};

fn site(limits: Limits) -> Scene {
    Scene::site_with(Setting {
        limits,
        ..Setting::default()
    })
}

#[test]
fn connections_beyond_the_cap_are_closed_and_counted() {
    let mut scene = site(Limits::DEFAULT.with_connections(3));
    let clients: Vec<_> = (0..5)
        .map(|host| scene.connect_from([192, 0, 2, host]))
        .collect();
    let open = |scene: &Scene, client| scene.fate(client) == Fate::Open;
    assert_eq!(clients.iter().filter(|&&it| open(&scene, it)).count(), 3);
    assert_eq!(scene.events.counters().refused, 2);
    scene.eof(clients[0]);
    let next = scene.connect_from([192, 0, 2, 9]);
    assert!(open(&scene, next));
}

#[test]
fn one_address_cannot_take_all_places() {
    let mut scene = site(Limits::DEFAULT.with_per_address(2));
    let greedy: Vec<_> = (0..4).map(|_| scene.connect_from([192, 0, 2, 1])).collect();
    let other = scene.connect_from([192, 0, 2, 2]);
    assert_eq!(scene.fate(other), Fate::Open);
    assert_eq!(scene.active(), 3);
    scene.reset(greedy[0]);
    let again = scene.connect_from([192, 0, 2, 1]);
    assert_eq!(scene.fate(again), Fate::Open);
}

#[test]
fn out_of_descriptors_the_loop_pauses_and_recovers_without_spinning() {
    let mut scene = Scene::site();
    scene.world.fail_accept(0, 24, 5);
    let client = scene.world.connect_client(0);
    let mut turns = 0;
    while scene.fate(client) == Fate::Waiting {
        scene.turn();
        turns += 1;
        let wait = scene.world.last_timeout().unwrap_or_default();
        scene.world.advance(wait);
        assert!(turns < 20, "a busy loop");
    }
    scene.settle();
    assert_eq!(scene.fate(client), Fate::Open);
    assert_eq!(scene.events.counters().accept_pauses, 5);
    scene.send(client, &get("/hello"));
    assert!(scene.take(client).ends_with("hello"));
}

#[test]
fn accepting_takes_turns_with_serving() {
    let mut scene = site(Limits::DEFAULT.with_accepts(4));
    let client = scene.connect();
    for _ in 0..20 {
        scene.world.connect_client(0);
    }
    scene.world.send(client, &get("/hello"));
    scene.turn();
    assert_eq!(scene.active(), 5);
    assert!(scene.take(client).ends_with("hello"));
    scene.settle();
    assert_eq!(scene.active(), 21);
}

#[test]
fn a_paused_connection_holds_one_read_at_most() {
    let mut scene = site(Limits::DEFAULT.with_read_size(1024));
    let client = scene.connect();
    scene.send(client, &get("/later"));
    scene.send(client, &get("/hello").repeat(1000));
    let left = scene.world.unread(client);
    let all = get("/hello").len() * 1000;
    assert!(all - left <= 1024, "{}", all - left);
}

#[test]
fn names_that_wait_to_be_resolved_are_capped() {
    let mut scene = site(Limits::DEFAULT.with_resolving(0));
    let destination: barewire::net::Destination = "localhost:80".parse().unwrap();
    let profile = scene.profile;
    let speaks = barewire::net::Speaks::Http;
    scene.act(|context| context.dial(destination, speaks, profile, 0));
    assert!(scene.has("Gone Unreachable(TooManyNames)"));
    assert_eq!(scene.active(), 0);
}

#[test]
fn a_whole_dial_has_its_time() {
    let limits = Limits::DEFAULT
        .with_dial_time(Duration::from_secs(3))
        .with_connect_time(Duration::from_secs(60));
    let mut scene = site(limits);
    let destination: barewire::net::Destination = "192.0.2.1:80".parse().unwrap();
    let profile = scene.profile;
    let speaks = barewire::net::Speaks::Http;
    scene.act(|context| context.dial(destination, speaks, profile, 0));
    scene.pass(2);
    assert_eq!(scene.active(), 1);
    scene.pass(2);
    assert_eq!(scene.active(), 0);
}

/// Whether a connection of this host is still there after it has said so much.
fn bears(scene: &mut Scene, host: u8, bytes: &[u8]) -> bool {
    let client = scene.connect_from([192, 0, 2, host]);
    scene.send(client, bytes);
    let is_there = scene.fate(client) == Fate::Open;
    scene.world.reset(client);
    scene.settle();
    is_there
}

#[test]
fn a_rate_does_not_begin_anew_with_a_new_connection() {
    use crate::http2_support::{SETTINGS, frame, opening};

    let settings = [opening(), frame(SETTINGS, 0, 0, b"").repeat(60)].concat();
    let pings = [crate::scene::UPGRADE, &b"\x89\x80\0\0\0\0".repeat(160)].concat();
    for (bytes, flows_back) in [(settings, 10), (pings, 8)] {
        let mut scene = site(Limits::DEFAULT);
        assert!(bears(&mut scene, 1, &bytes), "within the burst");
        assert!(!bears(&mut scene, 1, &bytes), "who reconnects has spent it");
        assert!(bears(&mut scene, 2, &bytes), "others have not");
        scene.pass(flows_back);
        assert!(bears(&mut scene, 1, &bytes), "it has flowed back");
    }
}
