//! Who holds memory, who waits for it, and who makes room.

use core::time::Duration;

use barewire::http::{Content, Fields, ResponseHead, Status};
use barewire::link::{self, Body, Event};
use barewire::net::{Context, Fate, Limits, ScriptedClient};
use barewire::websocket;

use crate::scene::{Scene, Setting, UPGRADE, frame, get, ok, post, upgrade};

const MIB: usize = 1 << 20;

/// Echoes bodies of up to 16 MiB and messages, and answers with as many bytes
/// as a path names.
fn serve(context: &mut Context<'_>, event: Event<'_>) {
    match event {
        Event::Request { head, content } => match (head.target.path(), content) {
            ("/ws", _) => upgrade(context, &head),
            ("/echo", Content::Whole(body)) => ok(context, body),
            ("/echo", Content::Follows { .. }) => context.collect(&head, 16 * MIB).unwrap(),
            (path, _) => ok(context, &vec![b'x'; path[1..].parse().unwrap_or(5)]),
        },
        Event::Message { kind, payload } => drop(context.send(kind, payload)),
        Event::TooLarge => {
            let head = ResponseHead::new(Status::CONTENT_TOO_LARGE, Fields::EMPTY);
            context.respond(&head, Body::Whole(b"")).unwrap();
        }
        _ => {}
    }
}

fn scene(limits: Limits) -> Scene {
    let large = websocket::Limits::DEFAULT
        .with_message(4 << 20)
        .with_frame(4 << 20);
    let setting = Setting {
        limits: limits.with_per_address(4000),
        protocols: link::Limits::DEFAULT.with_websocket(large),
        ..Setting::default()
    };
    Scene::with(setting, serve)
}

/// Sends at 6 MiB a second.
fn send_slowly(scene: &mut Scene, client: ScriptedClient, bytes: &[u8]) {
    for piece in bytes.chunks(64 << 10) {
        scene.send(client, piece);
        scene.world.advance(Duration::from_millis(10));
    }
}

/// Waits for an answer that ends with so many bytes `y`.
fn answer(scene: &mut Scene, client: ScriptedClient, len: usize) {
    let mut got = Vec::new();
    for _ in 0..100 {
        got.extend(scene.world.take_output(client));
        if got.len() >= len {
            break;
        }
        scene.world.advance(Duration::from_millis(100));
        scene.settle();
    }
    let fate = scene.fate(client);
    assert!(got.len() >= len, "{} of {len} bytes: {fate:?}", got.len());
    assert!(got.ends_with(&vec![b'y'; len]));
}

/// 1,000 peers that stall with half as much again as there may be, and honest
/// ones beside them.
fn honest_ones_are_served_beside_stalled_ones(addresses: u32) {
    let limits = Limits::DEFAULT.with_memory(48 * MIB);
    let mut scene = scene(limits);
    let memory = scene.events.memory();
    let junk = &post("/echo", &vec![b'x'; 2 * MIB])[..72 << 10];
    let stalled: Vec<ScriptedClient> = (0..1000)
        .map(|n| {
            let client = scene.connect_from(0x7f00_0001 + n % addresses);
            scene.send(client, junk);
            client
        })
        .collect();
    assert!(memory.held() > 30 * MIB, "{}", memory.held());
    let home = 0xc000_0201;
    for len in [MIB, 4 * MIB, 15 * MIB] {
        let client = scene.connect_from(home);
        send_slowly(&mut scene, client, &post("/echo", &vec![b'y'; len]));
        answer(&mut scene, client, len);
        assert_eq!(scene.fate(client), Fate::Open);
    }
    let client = scene.connect_from(home);
    scene.send(client, UPGRADE);
    scene.world.take_output(client);
    send_slowly(&mut scene, client, &frame(0x82, &vec![b'y'; 2 * MIB]));
    answer(&mut scene, client, 2 * MIB);
    assert_eq!(scene.fate(client), Fate::Open);
    assert!(memory.evicted() > 0);
    assert!(memory.peak() <= 48 * MIB, "{}", memory.peak());
    // Not more than had to: what fits stays.
    let left = stalled.iter().filter(|&&it| !scene.is_over(it)).count();
    assert!(left > 100, "{left}");
}

#[test]
fn one_address_that_stalls_makes_room_for_honest_ones() {
    honest_ones_are_served_beside_stalled_ones(1);
}

#[test]
fn a_thousand_addresses_that_stall_make_room_for_honest_ones() {
    honest_ones_are_served_beside_stalled_ones(1000);
}

#[test]
fn who_keeps_the_pace_stays_while_one_who_does_not_is_left() {
    let mut scene = scene(Limits::DEFAULT.with_memory(8 * MIB));
    let memory = scene.events.memory();
    let body = post("/echo", &vec![b'y'; 2 * MIB]);
    let steady = scene.connect_from(1);
    scene.send(steady, &body[..MIB]);
    let stalled: Vec<ScriptedClient> = (2..5).map(|n| scene.connect_from(n)).collect();
    for &client in &stalled {
        scene.send(client, &body[..MIB / 2 - 1000]);
    }
    // 8 KiB a second: the pace of what is held for it.
    let mut sent = MIB;
    for _ in 0..4 {
        scene.send(steady, &body[sent..sent + (8 << 10)]);
        sent += 8 << 10;
        scene.world.advance(Duration::from_secs(1));
    }
    let late = scene.connect_from(9);
    send_slowly(&mut scene, late, &post("/echo", &vec![b'y'; 7 * MIB / 2]));
    answer(&mut scene, late, 7 * MIB / 2);
    assert_eq!(scene.fate(steady), Fate::Open);
    assert!(stalled.iter().any(|&it| scene.is_over(it)));
    assert!(memory.evicted() > 0);
    scene.send(steady, &body[sent..]);
    answer(&mut scene, steady, 2 * MIB);
}

#[test]
fn what_finds_no_memory_in_time_is_refused_by_its_own_status() {
    // All that are there keep the pace.
    let limits = Limits::DEFAULT
        .with_memory(4 * MIB)
        .with_memory_grace(Duration::from_secs(3600));
    let mut scene = scene(limits);
    let memory = scene.events.memory();
    let body = post("/echo", &vec![b'y'; 4 * MIB]);
    let first: Vec<ScriptedClient> = (0..3).map(|n| scene.connect_from(n)).collect();
    for &client in &first {
        scene.send(client, &body[..MIB]);
    }
    let http = scene.connect_from(10);
    scene.send(http, &body[..MIB]);
    let socket = scene.connect_from(11);
    scene.send(socket, UPGRADE);
    scene.world.take_output(socket);
    scene.send(socket, &frame(0x82, &vec![b'y'; 2 * MIB])[..MIB]);
    assert!(memory.starved() > 0);
    for _ in 0..60 {
        scene.world.advance(Duration::from_millis(100));
        scene.settle();
    }
    let (http, socket) = (scene.take(http), scene.world.take_output(socket));
    assert!(http.starts_with("HTTP/1.1 503 "), "{http:?}");
    assert!(socket.starts_with(&[0x88, 2, 3, 0xf5]), "{socket:?}"); // 1013
    assert!(memory.refused() >= 2 && memory.evicted() == 0);
    // What needs none is served all the while.
    let client = scene.connect_from(12);
    scene.send(client, &get("/5"));
    assert!(scene.take(client).ends_with("xxxxx"));
}

#[test]
fn requests_of_one_turn_stop_between_two_answers() {
    let mut scene = scene(Limits::DEFAULT.with_memory(8 * MIB));
    let memory = scene.events.memory();
    let client = scene.connect_from(1);
    scene.world.stop_reading(client);
    // A megabyte each, all in one segment.
    scene.send(client, &get("/1000000").repeat(100));
    assert!(scene.count("Request") <= 10, "{}", scene.count("Request"));
    assert!(memory.peak() <= 10 * MIB, "{}", memory.peak());
}

#[test]
fn what_a_connection_held_is_given_back_with_it() {
    let mut scene = scene(Limits::DEFAULT);
    let memory = scene.events.memory();
    let before = memory.held();
    let body = post("/echo", &vec![b'y'; 2 * MIB]);
    let clients: Vec<ScriptedClient> = (0..9).map(|n| scene.connect_from(n % 2)).collect();
    for (n, &client) in clients.iter().enumerate() {
        match n % 3 {
            0 => scene.send(client, &body[..MIB]),
            1 => {
                scene.world.stop_reading(client);
                scene.send(client, &get("/900000"));
            }
            _ => {
                scene.send(client, UPGRADE);
                scene.send(client, &frame(0x82, &vec![b'y'; 2 * MIB])[..MIB]);
            }
        }
    }
    assert!(memory.held() > before + 8 * MIB, "{}", memory.held());
    for client in clients {
        scene.reset(client);
    }
    // What is kept for the next user is freed when nobody comes.
    scene.pass(30);
    let cork = 256 << 10; // keeps so much for every turn
    assert!(memory.held() <= before + cork + 4096, "{}", memory.held());
}

/// What is held while a response of 500 kB waits, with a parcel behind it.
fn held_behind(bytes: usize) -> usize {
    let mut scene = Scene::with(Setting::default(), move |context, event| {
        if let Event::Request { .. } = event {
            crate::scene::ok(context, &[b'x'; 500_000]);
            context.on_departure_sized(Box::new(()), bytes);
        }
    });
    let client = scene.connect();
    scene.world.stop_reading(client);
    scene.send(client, &get("/"));
    let held = scene.events.memory().held();
    scene.reset(client);
    assert!(scene.events.memory().held() < held.saturating_sub(bytes));
    held
}

#[test]
fn what_a_parcel_refers_to_is_charged_while_it_waits() {
    assert_eq!(held_behind(100_000), held_behind(0) + 100_000);
}
