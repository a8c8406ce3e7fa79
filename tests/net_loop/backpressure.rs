//! Peers that take their answers slowly, or not at all.

use barewire::link::Event;
use barewire::net::{Fate, Flow, Limits};
use bytes::Bytes;

use crate::scene::{Scene, Setting, UPGRADE, begin, get, post, serve, text};

fn small() -> Limits {
    Limits::DEFAULT
        .with_backlog_high(1000)
        .with_backlog_low(100)
        .with_backlog_cap(2000)
}

fn site(limits: Limits) -> Scene {
    Scene::site_with(Setting {
        limits,
        ..Setting::default()
    })
}

#[test]
fn a_short_write_goes_on_when_there_is_room() {
    let mut scene = Scene::site();
    let client = scene.connect();
    scene.world.allow_write(client, 10);
    scene.send(client, &get("/big/5000"));
    let mut out = scene.take(client);
    assert_eq!(out.len(), 10);
    while scene.fate(client) == Fate::Open && out.len() < 5000 {
        scene.world.allow_write(client, 333);
        scene.settle();
        let more = scene.take(client);
        assert!(!more.is_empty());
        out += &more;
    }
    scene.world.allow_all(client);
    scene.settle();
    out += &scene.take(client);
    assert!(out.ends_with(&"x".repeat(5000)));
    assert_eq!(scene.fate(client), Fate::Open);
}

#[test]
fn large_answers_are_whole_and_in_order_however_much_the_kernel_takes() {
    let requests = [
        get("/hello"),
        get("/big/50000"),
        get("/hello"),
        get("/big/40000"),
    ]
    .concat();
    let mut scene = Scene::site();
    let (_, expected) = scene.ask(&requests);
    assert_eq!(expected.matches("HTTP/1.1 200 OK").count(), 4);
    for room in [0, 1, 100, 130, 300, 49_999, 50_200, 50_400, 70_000, 90_400] {
        let client = scene.connect();
        scene.world.allow_write(client, room);
        scene.send(client, &requests);
        let mut out = scene.take(client);
        assert_eq!(out.len(), room.min(expected.len()));
        scene.world.allow_all(client);
        scene.settle();
        out += &scene.take(client);
        assert!(out == expected, "{room}: {} bytes", out.len());
    }
}

#[test]
fn a_large_message_comes_back_whole() {
    let mut scene = Scene::site();
    let (client, _) = scene.ask(UPGRADE);
    let payload = "y".repeat(60_000);
    for room in [0, 3, 10_000, 100_000] {
        scene.world.allow_write(client, room);
        scene.send(client, &text(&payload));
        let mut out = scene.world.take_output(client);
        scene.world.allow_all(client);
        scene.settle();
        out.extend(scene.world.take_output(client));
        assert_eq!(out.len(), 60_004, "{room}");
        assert!(out.ends_with(payload.as_bytes()), "{room}");
    }
}

#[test]
fn over_the_high_mark_nothing_more_is_read() {
    let mut scene = site(small());
    let client = scene.connect();
    scene.world.stop_reading(client);
    for _ in 0..50 {
        scene.send(client, &get("/big/900"));
    }
    let served = scene.count("Request");
    assert!((1..=3).contains(&served), "{served}");
    scene.world.allow_all(client);
    scene.settle();
    assert_eq!(scene.count("Request"), 50);
    assert!(scene.take(client).len() > 50 * 900);
}

#[test]
fn a_response_larger_than_the_cap_is_sent_in_whole() {
    let mut scene = site(small());
    let client = scene.connect();
    scene.world.stop_reading(client);
    scene.send(client, &get("/big/100000"));
    let mut out = 0;
    // The kernel's room is larger than the cap: no event comes for the rest.
    scene.world.allow_write(client, 50_000);
    scene.settle();
    out += scene.take(client).len();
    assert_eq!(out, 50_000);
    scene.world.allow_all(client);
    scene.settle();
    out += scene.take(client).len();
    assert!(out > 100_000, "{out}");
    assert_eq!(scene.fate(client), Fate::Open);
    scene.send(client, &get("/hello"));
    assert!(scene.take(client).ends_with("hello"));
}

#[test]
fn a_body_ends_once_the_answer_to_its_last_piece_is_taken() {
    let mut scene = site(small());
    let client = scene.connect();
    let request = post("/stream", &[b'x'; 3000]);
    let (head, body) = request.split_at(request.len() - 3000);
    scene.send(client, head);
    scene.world.stop_reading(client);
    scene.send(client, body);
    assert!(scene.has("Body 3000") && !scene.has("End"));
    scene.world.allow_all(client);
    scene.settle();
    assert!(scene.has("End"));
    assert!(scene.take(client).ends_with("0\r\n\r\n"));
}

#[test]
fn writers_are_told_to_wait_and_to_go_on() {
    let mut scene = Scene::with(
        Setting {
            limits: small(),
            ..Setting::default()
        },
        |context, event| match event {
            Event::Request { .. } => {
                begin(context, true);
                assert_eq!(context.write(&[b'a'; 500]), Flow::Go);
                assert_eq!(context.write(&[b'b'; 800]), Flow::Wait);
            }
            Event::Writable => assert_eq!(context.write(b"on"), Flow::Go),
            _ => {}
        },
    );
    let client = scene.connect();
    scene.world.stop_reading(client);
    scene.send(client, &get("/feed"));
    assert!(!scene.has("Writable"));
    scene.world.allow_write(client, 1000);
    scene.settle();
    assert!(!scene.has("Writable"), "still above the low mark");
    scene.world.allow_all(client);
    scene.settle();
    assert_eq!(scene.count("Writable"), 1);
    assert!(scene.take(client).ends_with("2\r\non\r\n"));
}

#[test]
fn who_writes_on_over_the_cap_loses_the_connection_and_others_do_not_notice() {
    let mut scene = site(small());
    let (slow, _) = scene.ask(&get("/feed"));
    let exchange = scene.exchange_of("Request");
    let (other, _) = scene.ask(&get("/feed"));
    let good = scene.exchange_of("Request");
    scene.world.stop_reading(slow);
    for _ in 0..10 {
        scene.act(|context| {
            context.with(exchange, |context| context.write(&[b'x'; 600]));
            context.with(good, |context| context.write(b"fine"));
        });
    }
    assert_eq!(scene.fate(slow), Fate::Reset);
    assert!(scene.has("Gone Stalled"));
    assert_eq!(scene.take(other).matches("fine").count(), 10);
    assert_eq!(scene.events.counters().stalled, 1);
}

#[test]
fn a_subscriber_that_reads_nothing_is_cut_and_the_others_get_everything() {
    let mut scene = site(small());
    let clients: Vec<_> = (0..4).map(|_| scene.ask(UPGRADE).0).collect();
    let members = scene
        .seen
        .borrow()
        .iter()
        .filter(|it| it.stream == 1)
        .copied()
        .collect::<Vec<_>>();
    scene.world.stop_reading(clients[1]);
    let frame = Bytes::from(vec![b'f'; 300]);
    for _ in 0..20 {
        scene.act(|context| {
            for &member in &members {
                context.deliver(member, &frame);
            }
        });
    }
    assert_eq!(scene.fate(clients[1]), Fate::Reset);
    for at in [0, 2, 3] {
        assert_eq!(scene.world.take_output(clients[at]).len(), 20 * 300);
    }
}

#[test]
fn a_websocket_over_the_mark_is_read_again_when_relieved() {
    let mut scene = site(small());
    let (client, _) = scene.ask(UPGRADE);
    scene.world.stop_reading(client);
    for _ in 0..20 {
        scene.send(client, &text(&"e".repeat(200)));
    }
    assert!(scene.count("Message") < 10);
    scene.pass(20);
    scene.world.allow_all(client);
    scene.settle();
    assert_eq!(scene.count("Message"), 20);
    assert_eq!(scene.world.take_output(client).len(), 20 * 204);
}

#[test]
fn a_pipelined_request_behind_a_long_download_is_still_answered() {
    let mut scene = Scene::with(
        Setting {
            limits: small(),
            ..Setting::default()
        },
        serve,
    );
    let client = scene.connect();
    scene.world.stop_reading(client);
    scene.send(client, &[get("/big/10000"), get("/hello")].concat());
    for _ in 0..8 {
        scene.pass(20);
        scene.world.allow_write(client, 1000);
        scene.settle();
    }
    scene.world.allow_all(client);
    scene.settle();
    assert!(scene.take(client).ends_with("hello"));
    assert_eq!(scene.fate(client), Fate::Open);
    scene.pass(30);
    assert_eq!(scene.fate(client), Fate::Open, "idle counts from here");
}

#[test]
fn an_owner_that_bounds_its_own_output_may_go_on_reading() {
    for (duplex, seen) in [(true, 10), (false, 1)] {
        let mut writes = true;
        let mut scene = Scene::raw(small(), move |context, event| {
            if let Event::Data(_) = event
                && core::mem::take(&mut writes)
            {
                if duplex {
                    context.read_while_waiting();
                }
                assert_eq!(context.write(&[b'x'; 1500]), Flow::Wait);
            }
        });
        let client = scene.connect();
        scene.world.stop_reading(client);
        for _ in 0..10 {
            scene.send(client, b"x");
        }
        assert_eq!(scene.count("Data"), seen);
        scene.world.allow_all(client);
        scene.settle();
        assert_eq!(scene.take(client).len(), 1500);
    }
}
