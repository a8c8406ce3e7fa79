//! Fair turns, and no turn for nothing.

use core::cell::{Cell, RefCell};
use core::time::Duration;
use std::rc::Rc;

use barewire::link::Event;
use barewire::net::{Context, Exchange, Limits};
use barewire::websocket::Kind;

use crate::scene::{Scene, Setting, UPGRADE, get, ok, path, text};

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

/// A peer that publishes to thousands with every few bytes.
#[test]
fn what_one_peer_has_done_for_many_leaves_others_their_turn() {
    let members: Rc<RefCell<Vec<Exchange>>> = Rc::default();
    let published = Rc::new(Cell::new(0));
    let (list, count) = (members.clone(), published.clone());
    let act = move |context: &mut Context<'_>, event: Event<'_>| {
        let Event::Request { head, .. } = &event else {
            return;
        };
        if path(head) == "/publish" {
            let list = list.borrow();
            context.publish(list.iter().copied(), Kind::Text, b"hello");
            count.set(count.get() + 1);
        }
        ok(context, b"done");
    };
    let mut scene = Scene::with(Setting::default(), act);
    let (noisy, honest) = (scene.connect(), scene.connect());
    // Those that are gone cost a look as well.
    let gone = Exchange {
        connection: barewire::net::Key::NONE,
        stream: 0,
    };
    members.borrow_mut().resize(3000, gone);
    let ask = get("/publish").repeat(40);
    scene.world.send(noisy, &ask);
    scene.world.send(honest, &get("/hello"));
    scene.turn();
    assert!((1..=4).contains(&published.get()), "{}", published.get());
    assert!(
        scene.take(honest).contains("done"),
        "it has been served meanwhile"
    );
    scene.settle();
    assert_eq!(published.get(), 40, "nothing is lost");
    assert_eq!(scene.take(noisy).matches("done").count(), 40);
}
