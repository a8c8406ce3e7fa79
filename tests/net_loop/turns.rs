//! Fair turns, and no turn for nothing.

use core::time::Duration;

use barewire::link::Event;
use barewire::net::Limits;

use crate::scene::{Scene, UPGRADE, get, text};

#[test]
fn one_fast_sender_does_not_starve_the_others() {
    let limits = Limits::DEFAULT.with_read_size(1024).with_rounds(2);
    let mut scene = Scene::raw(limits, |context, event| {
        if let Event::Data(data) = event {
            context.write(data);
        }
    });
    let fast = scene.connect();
    let slow = scene.connect();
    for _ in 0..100 {
        scene.world.send(fast, &[b'f'; 1024]);
    }
    scene.world.send(slow, b"s");
    let (_, reads) = scene.world.calls(fast);
    scene.turn();
    assert_eq!(scene.take(slow), "s", "served in the first turn");
    for _ in 0..10 {
        let (_, before) = scene.world.calls(fast);
        scene.turn();
        assert!(
            scene.world.calls(fast).1 - before <= 2,
            "more than its rounds"
        );
    }
    assert!(scene.world.calls(fast).1 - reads <= 22);
    scene.settle();
    assert_eq!(scene.world.take_output(fast).len(), 102_400);
}

#[test]
fn a_loop_with_nothing_to_do_sleeps() {
    let mut scene = Scene::site();
    scene.turn();
    assert_eq!(scene.world.last_timeout(), None);
    let (client, _) = scene.ask(&get("/hello"));
    assert!(scene.world.last_timeout().unwrap() > Duration::from_secs(5));
    let (_, reads) = scene.world.calls(client);
    for _ in 0..5 {
        scene.world.spurious(client);
        scene.settle();
    }
    assert_eq!(scene.world.calls(client).1 - reads, 5);
    let (_, _) = scene.ask(UPGRADE);
    assert!(scene.world.last_timeout().unwrap() > Duration::ZERO);
}

#[test]
fn nothing_that_is_due_makes_the_loop_spin() {
    // Every kind of connection, a quarter of a second at a time: `settle`
    // fails if the loop does not come to rest at any of these moments.
    let mut scene = Scene::site();
    let inputs: [&[u8]; 7] = [
        b"",
        b"GET /he",
        b"GET /later HTTP/1.1\r\nHost: a\r\n\r\nGET",
        b"GET /feed HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc",
        b"nonsense\r\n\r\n",
        UPGRADE,
    ];
    for input in inputs {
        scene.ask(input);
    }
    let (open, _) = scene.ask(UPGRADE);
    scene.send(open, &text("open")[..3]);
    let stuck = scene.connect();
    scene.world.stop_reading(stuck);
    scene.send(stuck, &get("/big/200000"));
    for _ in 0..300 {
        scene.world.advance(Duration::from_millis(250));
        scene.settle();
    }
    assert_eq!(scene.active(), 1, "{:?}", scene.log.borrow()); // the event stream
}

#[test]
fn mail_in_a_flood_is_handled_in_turns() {
    let mut scene = Scene::site();
    let remote = scene.events.remote();
    for _ in 0..3000 {
        let priority = barewire::net::Priority::Publish;
        remote
            .post_to_owner(scene.owner, priority, Box::new(()))
            .unwrap();
    }
    scene.turn();
    assert_eq!(scene.count("Mail"), 1024);
    scene.settle();
    assert_eq!(scene.count("Mail"), 3000);
}
