//! Who keeps the pace while memory is short, and who is excused from it.

use core::time::Duration;

use barewire::http2::PREFACE;
use barewire::link::Event;
use barewire::net::{Context, Fate, KernelQueue, Limits, ScriptedClient};

use crate::http2_support::*;
use crate::scene::{Scene, Setting, UPGRADE, frame as message, get, ok, post, upgrade};

const MIB: usize = 1 << 20;

/// Answers with as many bytes as a path names, later at `/later`; a WebSocket
/// does not read after its first message.
fn serve(context: &mut Context<'_>, event: Event<'_>) {
    match event {
        Event::Request { head, content } => match (head.target.path(), content) {
            ("/ws", _) => upgrade(context, &head),
            ("/later", _) => assert!(context.after(Duration::from_secs(20), 0)),
            ("/collect", barewire::http::Content::Whole(_)) => ok(context, b"all"),
            ("/collect", _) => context.collect(&head, 16 * MIB).unwrap(),
            (path, _) => ok(context, &vec![b'x'; path[1..].parse().unwrap()]),
        },
        Event::Message { .. } => context.set_reading(false),
        Event::Timer { .. } => ok(context, &[b'x'; 100_000]),
        _ => {}
    }
}

fn scene(memory: usize) -> Scene {
    let limits = Limits::DEFAULT.with_memory(memory);
    let setting = Setting {
        limits,
        ..Setting::default()
    };
    Scene::with(setting, serve)
}

/// Sends a body at 6 MiB a second, and asserts that it is answered.
fn collect(scene: &mut Scene, address: u32, len: usize) {
    let client = scene.connect_from(address);
    for piece in post("/collect", &vec![b'y'; len]).chunks(64 << 10) {
        scene.send(client, piece);
        scene.world.advance(Duration::from_millis(10));
    }
    for _ in 0..30 {
        scene.world.advance(Duration::from_millis(100));
        scene.settle();
    }
    let answer = scene.take(client);
    let memory = scene.events.memory();
    assert!(answer.ends_with("all"), "{answer:?} {memory:?}");
}

#[test]
fn who_waits_for_its_owner_is_excused() {
    let mut scene = scene(5 * MIB / 2);
    let memory = scene.events.memory();
    let mut waiting = Vec::new();
    for n in 0..8 {
        let client = scene.connect_from(n);
        if n % 2 == 0 {
            scene.send(client, UPGRADE);
            let first = message(0x81, b"x");
            scene.send(client, &[first, message(0x82, &[b'x'; 40_000])].concat());
        } else {
            scene.world.stop_reading(client);
            scene.send(client, &[get("/later"), get("/5").repeat(1200)].concat());
        }
        waiting.push(client);
    }
    let least = memory.held();
    assert!(least > 8 * 40_000, "they hold {least}");
    // Once while the answers are owed, once when they have been given just now.
    for (round, seconds) in [(20, 11), (40, 6)] {
        let stalled: Vec<ScriptedClient> = (1..20).map(|n| scene.connect_from(round + n)).collect();
        for &client in &stalled {
            scene.send(client, &post("/collect", &[b'x'; 200_000])[..60_000]);
        }
        scene.pass(seconds);
        collect(&mut scene, round, 600_000);
        assert!(stalled.iter().any(|&it| scene.is_over(it)));
        for &client in &waiting {
            assert_eq!(scene.fate(client), Fate::Open);
        }
    }
}

/// A peer that asks for so much over HTTP/2, and opens no windows.
fn ask_http2(scene: &mut Scene, address: u32, len: usize, _rate: usize) -> ScriptedClient {
    let client = scene.connect_from(address);
    let path = format!("/{len}");
    let fields = [
        (":method", "GET"),
        (":scheme", "http"),
        (":authority", "a"),
        (":path", path.as_str()),
    ];
    let head = frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(&fields));
    let settings = [frame(SETTINGS, 0, 0, &[]), frame(SETTINGS, ACK, 0, &[])].concat();
    scene.send(client, &[&PREFACE[..], &settings, &head].concat());
    client
}

/// A peer that asks for so much over HTTP/1.1, and takes `rate` bytes a second.
fn ask_http1(scene: &mut Scene, address: u32, len: usize, rate: usize) -> ScriptedClient {
    let client = scene.connect_from(address);
    let (size, step) = (64 << 10, 1);
    let queue = KernelQueue { size, rate, step };
    scene.world.set_kernel_queue(client, queue);
    scene.send(client, &get(&format!("/{len}")));
    client
}

/// Two peers ask for 1.5 MiB each. One takes a byte now and then, the other 32 KiB a
/// second.
fn a_drip_pays_first(
    (limit, upload): (usize, usize),
    ask: fn(&mut Scene, u32, usize, usize) -> ScriptedClient,
) {
    let mut scene = scene(limit);
    let memory = scene.events.memory();
    let (len, rate) = (3 * MIB / 2, 32 << 10);
    let dripping = ask(&mut scene, 1, len, 1);
    let steady = ask(&mut scene, 2, len, rate);
    for second in 0..24 {
        if second % 12 == 0 {
            credit(&mut scene, dripping, 1);
        }
        credit(&mut scene, steady, rate);
        scene.pass(1);
    }
    assert_eq!(memory.evicted(), 0, "there is enough");
    assert!(!scene.is_over(dripping) && !scene.is_over(steady));
    collect(&mut scene, 9, upload);
    assert!(
        scene.is_over(dripping) && !scene.is_over(steady),
        "{memory:?}"
    );
    assert_eq!((memory.evicted(), memory.refused()), (1, 0));
}

/// Opens windows by so much, where there are any.
fn credit(scene: &mut Scene, client: ScriptedClient, n: usize) {
    if scene.world.output(client).starts_with(b"HTTP/1.1") {
        return; // its queue has a rate
    }
    let [stream, all] = [1, 0].map(|id| number(WINDOW_UPDATE, id, n as u32));
    scene.send(client, &[stream, all].concat());
}

#[test]
fn a_drip_of_credit_holds_memory_only_while_there_is_enough() {
    a_drip_pays_first((4 * MIB, 15 * MIB / 8), ask_http2);
}

#[test]
fn a_drip_of_reads_holds_memory_only_while_there_is_enough() {
    a_drip_pays_first((7 * MIB, 15 * MIB / 4), ask_http1);
}
