//! What a handler reaches from its context: others, timers, mail, publishing.

use core::cell::Cell;
use core::time::Duration;
use std::rc::Rc;

use barewire::link::Event;
use barewire::net::{Exchange, Fate, Limits, Priority, Share};
use barewire::websocket::Kind;

use crate::scene::{Scene, Setting, UPGRADE, begin, get, ok, path, serve, text};

#[test]
fn an_answer_from_elsewhere_lets_the_pipelined_requests_go_on() {
    let mut scene = Scene::site();
    let (client, none) = scene.ask(&[get("/later"), get("/hello")].concat());
    assert_eq!(none, "");
    let exchange = scene.exchange_of("Request GET /later");
    scene.act(|context| context.with(exchange, |context| ok(context, b"at last")));
    let answer = scene.take(client);
    assert!(
        answer.contains("at last") && answer.ends_with("hello"),
        "{answer:?}"
    );
}

#[test]
fn an_answer_by_mail_lets_the_pipelined_requests_go_on() {
    let mut scene = Scene::site();
    let (client, _) = scene.ask(&[get("/later"), get("/hello")].concat());
    let exchange = scene.exchange_of("Request GET /later");
    let mail = Box::new(String::from("by mail"));
    scene
        .events
        .remote()
        .post(scene.owner, exchange, mail)
        .unwrap();
    scene.settle();
    let answer = scene.take(client);
    assert!(
        answer.contains("by mail") && answer.ends_with("hello"),
        "{answer:?}"
    );
}

#[test]
fn mail_for_an_exchange_that_is_over_reaches_nobody() {
    let mut scene = Scene::site();
    let (client, _) = scene.ask(&get("/hello"));
    let exchange = scene.exchange_of("Request");
    let remote = scene.events.remote();
    remote.post(scene.owner, exchange, Box::new(())).unwrap();
    scene.settle();
    assert!(!scene.has("Mail"), "answered in whole");
    scene.send(client, &get("/later"));
    remote.post(scene.owner, exchange, Box::new(())).unwrap();
    scene.settle();
    assert!(
        !scene.has("Mail"),
        "another exchange on the same connection"
    );
    let exchange = scene.exchange_of("Request");
    scene.reset(client);
    let other = scene.connect();
    scene.send(other, &get("/later"));
    remote.post(scene.owner, exchange, Box::new(())).unwrap();
    scene.settle();
    assert!(!scene.has("Mail"), "another connection in the same slot");
    assert_eq!(
        scene.exchange_of("Request").connection.slot(),
        exchange.connection.slot()
    );
}

#[test]
fn timers_fire_once_and_never_for_an_exchange_that_is_over() {
    let act = |context: &mut barewire::net::Context<'_>, event: Event<'_>| {
        if let Event::Request { head, .. } = &event {
            let token = if path(head) == "/later" { 1 } else { 2 };
            assert!(context.after(Duration::from_secs(5), token));
        }
        serve(context, event);
    };
    let mut scene = Scene::with(Setting::default(), act);
    let (_, _) = scene.ask(&get("/later"));
    let (_, _) = scene.ask(&get("/hello"));
    scene.pass(20);
    assert_eq!(scene.count("Timer 1"), 1);
    assert_eq!(scene.count("Timer 2"), 0, "its exchange was answered");
}

#[test]
fn a_timer_is_not_late_by_the_time_that_the_turn_took() {
    let world = Rc::new(Cell::new(None::<barewire::net::Scripted>));
    let slow = world.clone();
    let act = move |context: &mut barewire::net::Context<'_>, event: Event<'_>| {
        if matches!(event, Event::Request { .. }) {
            assert!(context.after(Duration::from_secs(5), 1));
            let system = slow.take().unwrap();
            system.advance(Duration::from_secs(3)); // a slow handler
        }
    };
    let mut scene = Scene::with(Setting::default(), act);
    world.set(Some(scene.world.clone()));
    scene.ask(&get("/later"));
    assert!(scene.world.last_timeout().unwrap() <= Duration::from_secs(2));
}

#[test]
fn a_timer_of_the_owner_needs_no_connection() {
    let mut scene = Scene::site();
    scene.act(|context| context.after(Duration::from_secs(1), 5));
    scene.pass(2);
    assert_eq!(scene.count("Timer 5"), 1);
    assert_eq!(
        scene.exchange_of("Timer").connection,
        barewire::net::Key::NONE
    );
}

#[test]
fn timers_end_at_their_cap() {
    let setting = Setting {
        limits: Limits::DEFAULT.with_timers(Share::unshared(10)),
        ..Setting::default()
    };
    let mut scene = Scene::site_with(setting);
    let set = scene.act(|context| {
        (0..20)
            .filter(|&n| context.after(Duration::from_secs(1), n))
            .count()
    });
    assert_eq!(set, 10);
    scene.pass(2);
    assert_eq!(scene.count("Timer"), 10);
    assert!(scene.act(|context| context.after(Duration::from_secs(1), 0)));
}

#[test]
fn timers_of_exchanges_that_are_over_do_not_count() {
    let setting = Setting {
        limits: Limits::DEFAULT.with_timers(Share::unshared(4)),
        ..Setting::default()
    };
    let refused = Rc::new(Cell::new(0));
    let count = refused.clone();
    let mut scene = Scene::with(setting, move |context, event| {
        if matches!(event, Event::Request { .. }) && !context.after(Duration::from_secs(9), 1) {
            count.set(count.get() + 1);
        }
        serve(context, event);
    });
    let client = scene.connect();
    for _ in 0..100 {
        scene.send(client, &get("/hello"));
    }
    assert_eq!(refused.get(), 0);
}

/// A scene whose requests for `/visit` do what `visit` says to the exchange
/// of the last request for `/wait`.
fn visiting(mut visit: impl FnMut(&mut barewire::net::Context<'_>, Exchange) + 'static) -> Scene {
    let mut first = None;
    Scene::with(Setting::default(), move |context, event| {
        if let Event::Request { head, .. } = &event {
            match path(head) {
                "/wait" => {
                    first = Some(context.exchange());
                    return begin(context, true);
                }
                "/visit" => return visit(context, first.unwrap()),
                _ => {}
            }
        }
        serve(context, event);
    })
}

#[test]
fn visits_nest_also_back_to_the_one_being_served() {
    let mut scene = visiting(|context, first| {
        let own = context.exchange();
        begin(context, false);
        context.write(b"1");
        context.with(first, |other| {
            other.write(b"a");
            other.with(own, |back| {
                back.write(b"2");
                back.with(first, |other| other.write(b"b"));
                back.write(b"3");
            });
            other.write(b"c");
        });
        context.write(b"4");
        assert!(context.with(own, |same| same.write(b"5")).is_some());
        context.finish(barewire::http::Fields::EMPTY).unwrap();
    });
    let (first, _) = scene.ask(&get("/wait"));
    let (_, answer) = scene.ask(&get("/visit"));
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    assert_eq!(
        body,
        "1\r\n1\r\n1\r\n2\r\n1\r\n3\r\n1\r\n4\r\n1\r\n5\r\n0\r\n\r\n"
    );
    assert_eq!(scene.take(first), "1\r\na\r\n1\r\nb\r\n1\r\nc\r\n");
}

#[test]
fn a_context_of_the_owner_keeps_the_order_of_an_exchange() {
    let mut scene = visiting(|_, _| {});
    let (client, _) = scene.ask(&get("/wait"));
    let exchange = scene.exchange_of("Request");
    scene.act(|context| {
        for byte in [b"1", b"2", b"3"] {
            context.with(exchange, |context| context.write(byte));
        }
    });
    assert_eq!(scene.take(client), "1\r\n1\r\n1\r\n2\r\n1\r\n3\r\n");
}

#[test]
fn nobody_reaches_the_connections_of_another_owner() {
    let mut scene = visiting(|_, _| {});
    let (client, _) = scene.ask(&get("/wait"));
    let exchange = scene.exchange_of("Request");
    struct Nobody;
    impl barewire::net::Handler for Nobody {
        fn event(&mut self, _: &mut barewire::net::Context<'_>, _: Event<'_>) {}
    }
    let other = scene.events.add(Nobody);
    let reached = scene
        .events
        .enter(other, |context| context.with(exchange, |_| ()));
    assert!(reached.is_none());
    scene
        .events
        .remote()
        .post(other, exchange, Box::new(()))
        .unwrap();
    scene.settle();
    assert!(!scene.has("Mail"));
    assert_eq!(scene.take(client), "");
}

#[test]
fn a_stale_exchange_is_never_reached_after_its_slot_is_used_again() {
    let mut scene = visiting(|_, _| {});
    let (client, _) = scene.ask(&get("/wait"));
    let stale = scene.exchange_of("Request");
    scene.reset(client);
    let (again, _) = scene.ask(&get("/wait"));
    let fresh = scene.exchange_of("Request");
    assert_eq!(stale.connection.slot(), fresh.connection.slot());
    let reached = scene.act(|context| {
        let written = context
            .with(stale, |context| context.write(b"wrong"))
            .is_some();
        let frame = bytes::Bytes::from_static(b"wrong");
        written || context.deliver(stale, &frame)
    });
    assert!(!reached);
    assert_eq!(scene.take(again), "");
}

#[test]
fn what_is_published_comes_in_order_with_what_is_sent() {
    let mut scene = Scene::with(Setting::default(), {
        let mut members = Vec::new();
        move |context, event| match event {
            Event::Message { kind, payload } => {
                context.send(kind, b"before");
                let taken = context.publish(members.iter().copied(), kind, payload);
                assert_eq!(taken, members.len());
                context.send(kind, b"after");
            }
            event => {
                let joins = matches!(event, Event::Request { .. });
                serve(context, event);
                if joins {
                    members.push(context.exchange());
                }
            }
        }
    });
    let clients: Vec<_> = (0..3).map(|_| scene.ask(UPGRADE).0).collect();
    for (number, &client) in clients.iter().enumerate() {
        scene.send(client, &text(&number.to_string()));
    }
    for (number, &client) in clients.iter().enumerate() {
        let out = scene.world.take_output(client);
        let mut expected = Vec::new();
        for turn in 0..3 {
            if turn == number {
                expected.extend(b"\x81\x06before");
            }
            expected.extend([0x81, 1, b'0' + turn as u8]);
            if turn == number {
                expected.extend(b"\x81\x05after");
            }
        }
        assert_eq!(out, expected, "{number}");
    }
}

#[test]
fn what_is_published_counts_as_a_sign_of_use() {
    let protocols = barewire::link::Limits::DEFAULT.with_websocket(
        barewire::websocket::Limits::DEFAULT.with_idle_timeout(Duration::from_secs(10)),
    );
    let setting = Setting {
        protocols,
        ..Setting::default()
    };
    let mut scene = Scene::site_with(setting);
    let (client, _) = scene.ask(UPGRADE);
    let member = scene.exchange_of("Request");
    for _ in 0..5 {
        scene.pass(7);
        assert_eq!(
            scene.act(|context| context.publish([member], Kind::Text, b"news")),
            1
        );
    }
    assert_eq!(scene.fate(client), Fate::Open);
    scene.pass(20);
    assert_ne!(scene.fate(client), Fate::Open);
}

#[test]
fn a_full_mailbox_refuses_and_counts_and_still_takes_the_order_to_drain() {
    let setting = Setting {
        limits: Limits::DEFAULT.with_mailbox(4),
        ..Setting::default()
    };
    let mut scene = Scene::site_with(setting);
    let remote = scene.events.remote();
    let post = |priority| remote.post_to_owner(scene.owner, priority, Box::new(()));
    for _ in 0..3 {
        post(Priority::Publish).unwrap();
    }
    for _ in 0..4 {
        post(Priority::Reply).unwrap(); // the publishes give way
    }
    post(Priority::Reply).unwrap_err();
    post(Priority::Publish).unwrap_err();
    remote.drain(Duration::from_secs(1)); // on the loop's own thread: must not wait
    scene.settle();
    assert_eq!(scene.count("Mail"), 4);
    assert!(scene.has("Draining"));
    let counters = scene.events.counters();
    assert_eq!((counters.lost_replies, counters.lost_publishes), (1, 4));
}
