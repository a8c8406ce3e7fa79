//! The law of splits for a whole loop: however the input is cut and however
//! little the kernel takes, the same bytes come out.

use barewire::net::Fate;
use proptest::prelude::*;

use crate::scene::{Scene, UPGRADE, frame, get, post, text};

/// A conversation with everything in it.
fn http() -> Vec<u8> {
    [
        get("/hello"),
        post("/echo", b"a body"),
        b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
          3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-T: 1\r\n\r\n"
            .to_vec(),
        b"HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(),
        b"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok"
            .to_vec(),
        get("/refuse"),
        get("/big/3000"),
        b"\r\n".to_vec(),
        get("/hello"),
    ]
    .concat()
}

fn websocket() -> Vec<u8> {
    [
        UPGRADE.to_vec(),
        text("one"),
        frame(0x01, "fragm\u{e9}".as_bytes()),
        frame(0x89, b"ping"),
        frame(0x80, b"ented"),
        frame(0x82, &[0xff; 300]),
        frame(0x88, &[3, 232]),
    ]
    .concat()
}

fn violation() -> Vec<u8> {
    [
        UPGRADE.to_vec(),
        text("one"),
        frame(0x81, b"\xff"),
        text("two"),
    ]
    .concat()
}

/// What comes out when the input is cut by `cuts` and the kernel takes
/// `takes` bytes at a time (0: all).
fn run(input: &[u8], cuts: &[usize], takes: &[usize]) -> (Vec<u8>, bool) {
    let mut scene = Scene::site();
    let client = scene.connect();
    let mut takes = takes.iter().copied().cycle();
    if takes.clone().next().is_some() {
        scene.world.stop_reading(client);
    }
    let (mut at, mut cuts) = (0, cuts.iter().copied().cycle());
    while at < input.len() {
        let n = cuts
            .next()
            .unwrap_or(input.len())
            .clamp(1, input.len() - at);
        scene.send(client, &input[at..at + n]);
        at += n;
        if let Some(n) = takes.next() {
            scene.world.allow_write(client, n);
            scene.settle();
        }
    }
    for n in takes.take(20) {
        scene.world.allow_write(client, n);
        scene.settle();
    }
    scene.world.allow_all(client);
    scene.settle();
    let fate = scene.fate(client);
    (scene.world.output(client), matches!(fate, Fate::Open))
}

#[test]
fn one_byte_at_a_time_in_both_directions() {
    for input in [http(), websocket(), violation()] {
        let whole = run(&input, &[], &[]);
        assert!(whole.0.len() > 100);
        assert_eq!(run(&input, &[1], &[]), whole);
        assert_eq!(run(&input, &[], &[1]), whole);
        assert_eq!(run(&input, &[1], &[1]), whole);
    }
}

#[test]
fn every_single_cut() {
    for input in [http(), websocket(), violation()] {
        let whole = run(&input, &[], &[]);
        for at in 1..input.len() {
            assert_eq!(run(&input, &[at, input.len()], &[]), whole, "cut at {at}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn any_cuts_and_any_short_writes(
        which in 0..3_usize,
        cuts in prop::collection::vec(1..400_usize, 1..8),
        takes in prop::collection::vec(1..700_usize, 0..6),
    ) {
        let input = [http(), websocket(), violation()][which].clone();
        prop_assert_eq!(run(&input, &cuts, &takes), run(&input, &[], &[]));
    }
}
