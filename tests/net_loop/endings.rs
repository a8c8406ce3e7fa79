//! Deadlines, half-closes and resets in every state.

use barewire::link::Event;
use barewire::net::Fate;

use crate::scene::{Scene, Setting, UPGRADE, frame, get, ok, post, serve, text};

#[test]
fn a_silent_connection_is_closed_without_a_word() {
    let mut scene = Scene::site();
    let client = scene.connect();
    scene.pass(12);
    assert_eq!(
        (scene.fate(client), &*scene.take(client)),
        (Fate::Closed, "")
    );
}

#[test]
fn a_trickling_head_is_a_408() {
    let mut scene = Scene::site();
    let client = scene.connect();
    for byte in b"GET /hello HT".chunks(1) {
        scene.send(client, byte);
        scene.pass(1);
    }
    assert!(scene.take(client).starts_with("HTTP/1.1 408 "));
    assert_ne!(scene.fate(client), Fate::Open);
    scene.pass(6);
    assert_eq!(scene.active(), 0, "lingered and went");
    assert_eq!(scene.events.counters().violations, 1);
}

#[test]
fn an_idle_connection_is_closed_after_its_time() {
    let mut scene = Scene::site();
    let (client, _) = scene.ask(&get("/hello"));
    scene.pass(58);
    assert_eq!(scene.fate(client), Fate::Open);
    scene.pass(4);
    assert_eq!(
        (scene.fate(client), &*scene.take(client)),
        (Fate::Closed, "")
    );
}

#[test]
fn a_trickling_body_is_a_408() {
    let mut scene = Scene::site();
    let client = scene.connect();
    let request = post("/echo", &[b'x'; 1000]);
    scene.send(client, &request[..request.len() - 1000]);
    for _ in 0..14 {
        scene.send(client, b"x");
        scene.pass(1);
    }
    assert!(scene.take(client).starts_with("HTTP/1.1 408 "));
    scene.pass(6);
    assert!(scene.is_over(client));
    assert_eq!(scene.active(), 0);
}

#[test]
fn a_fin_after_the_request_still_gets_the_answer() {
    let mut scene = Scene::site();
    let client = scene.connect();
    scene.world.send(client, &get("/hello").repeat(3));
    scene.eof(client);
    assert_eq!(scene.take(client).matches("hello").count(), 3);
    assert_eq!(scene.fate(client), Fate::Closed);
}

#[test]
fn a_fin_before_a_deferred_answer_still_gets_it() {
    let mut scene = Scene::site();
    let client = scene.connect();
    scene
        .world
        .send(client, &[get("/later"), get("/hello")].concat());
    scene.eof(client);
    let exchange = scene.exchange_of("Request GET /later");
    scene.act(|context| context.with(exchange, |context| ok(context, b"late")));
    let answer = scene.take(client);
    assert!(
        answer.contains("late") && answer.ends_with("hello"),
        "{answer:?}"
    );
    assert_eq!(scene.fate(client), Fate::Closed);
}

#[test]
fn a_fin_lets_a_finite_stream_finish_and_ends_an_endless_one_at_once() {
    let mut scene = Scene::site();
    let (open, _) = scene.ask(&get("/open"));
    let exchange = scene.exchange_of("Request");
    let (feed, _) = scene.ask(&get("/feed"));
    scene.eof(open);
    scene.eof(feed);
    assert_eq!(scene.fate(feed), Fate::Closed);
    assert_eq!(scene.fate(open), Fate::Open);
    scene.act(|context| {
        context.with(exchange, |context| {
            context.write(b"on");
            context.finish(barewire::http::Fields::EMPTY).unwrap();
        })
    });
    assert_eq!(scene.take(open), "2\r\non\r\n0\r\n\r\n");
    assert_eq!(scene.fate(open), Fate::Closed);
}

#[test]
fn a_fin_ends_an_endless_stream_behind_which_a_request_waits() {
    let mut scene = Scene::site();
    let client = scene.connect();
    scene.send(client, &[get("/feed"), get("/hello")].concat());
    scene.send(client, &get("/hello"));
    scene.eof(client);
    assert!(scene.is_over(client), "{:?}", scene.log.borrow());
    assert!(scene.has("Gone Disconnected"));
}

#[test]
fn a_reset_is_noticed_though_the_input_is_held() {
    let mut scene = Scene::site();
    for path in ["/later", "/feed", "/open"] {
        let client = scene.connect();
        scene.send(client, &[get(path), get("/hello")].concat());
        scene.send(client, &get("/hello"));
        scene.reset(client);
        assert!(scene.is_over(client), "{path}");
    }
    let client = scene.connect();
    scene.send(client, &post("/hold", &[b'x'; 70_000]));
    scene.reset(client);
    assert!(scene.is_over(client), "/hold");
    assert_eq!(scene.count("Gone Reset"), 4, "{:?}", scene.log.borrow());
    assert_eq!(scene.active(), 0);
}

#[test]
fn a_fin_in_every_state_ends_the_connection_once() {
    let upgrade = [UPGRADE, &frame(0x01, b"open")].concat();
    let states: [(&[u8], usize); 8] = [
        (b"", 0),
        (b"GET /he", 0),
        (b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", 1),
        (
            b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc",
            0,
        ),
        (
            b"POST /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc",
            0,
        ),
        (
            b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab",
            0,
        ),
        (UPGRADE, 0),
        (&upgrade, 0),
    ];
    for (input, answers) in states {
        for at_once in [true, false] {
            let mut scene = Scene::site();
            let client = scene.connect();
            scene.world.send(client, input);
            if !at_once {
                scene.settle();
            }
            scene.eof(client);
            scene.pass(7);
            let shown = String::from_utf8_lossy(input);
            assert!(scene.is_over(client), "{shown}");
            assert_eq!(scene.count("Gone"), 1, "{shown}");
            assert_eq!(scene.active(), 0, "{shown}");
            assert!(scene.take(client).matches(" 200 OK\r\nDate").count() >= answers);
        }
    }
}

#[test]
fn a_reset_in_every_state_ends_the_connection_once() {
    let inputs = [
        get("/later"),
        b"GET /he".to_vec(),
        post("/stream", &[b'x'; 100])[..100].to_vec(),
        UPGRADE.to_vec(),
        [UPGRADE, &frame(0x01, b"open")].concat(),
        get("/feed"),
        get("/big/1000000"),
        b"nonsense\r\n\r\n".to_vec(),
    ];
    for input in inputs {
        let mut scene = Scene::site();
        let client = scene.connect();
        scene.world.allow_write(client, 1000);
        scene.send(client, &input);
        scene.reset(client);
        let shown = String::from_utf8_lossy(&input);
        assert!(scene.is_over(client), "{shown}");
        assert_eq!(scene.count("Gone"), 1, "{shown}");
        assert_eq!(scene.active(), 0, "{shown}");
    }
}

#[test]
fn the_last_answer_is_read_and_not_destroyed_by_a_reset() {
    let mut scene = Scene::site();
    let client = scene.connect();
    scene.send(client, b"nonsense\r\n\r\n");
    assert!(scene.take(client).starts_with("HTTP/1.1 400 "));
    assert_eq!(scene.fate(client), Fate::Finished);
    scene.send(client, &[b'x'; 100_000]);
    assert_eq!(scene.fate(client), Fate::Finished, "thrown away");
    assert_eq!(scene.world.unread(client), 0);
    scene.eof(client);
    assert_eq!(scene.fate(client), Fate::Closed);
}

#[test]
fn input_behind_the_last_request_does_not_destroy_its_answer() {
    let mut scene = Scene::site();
    let client = scene.connect();
    scene.world.send(
        client,
        b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    );
    scene.send(client, &get("/hello"));
    assert!(scene.take(client).ends_with("hello"));
    assert_ne!(scene.fate(client), Fate::Reset);
    scene.eof(client);
    assert_eq!(scene.fate(client), Fate::Closed);
}

#[test]
fn lingering_ends_after_its_time_and_its_bytes() {
    let mut scene = Scene::site();
    let (slow, _) = scene.ask(b"nonsense\r\n\r\n");
    scene.pass(7);
    assert!(scene.is_over(slow));
    let (fast, _) = scene.ask(b"nonsense\r\n\r\n");
    for _ in 0..20 {
        scene.send(fast, &[b'x'; 65_536]);
    }
    assert!(scene.is_over(fast), "more than a MiB after the end");
    assert_eq!(scene.active(), 0);
}

#[test]
fn a_peer_that_takes_nothing_is_reset_after_its_time() {
    let mut scene = Scene::site();
    let client = scene.connect();
    scene.world.allow_write(client, 1000);
    scene.send(client, &get("/big/100000"));
    for _ in 0..10 {
        scene.pass(20);
        scene.world.allow_write(client, 1); // a byte is progress
        scene.settle();
    }
    assert_eq!(scene.fate(client), Fate::Open);
    scene.pass(32);
    assert_eq!(scene.fate(client), Fate::Reset);
    assert!(scene.has("Gone Stalled"));
    assert_eq!(scene.events.counters().stalled, 1);
}

#[test]
fn a_websocket_closes_by_its_handshake() {
    let mut scene = Scene::site();
    let (client, _) = scene.ask(UPGRADE);
    scene.send(client, &text("bye"));
    assert_eq!(scene.world.take_output(client), b"\x88\x02\x03\xe8");
    scene.send(client, &frame(0x88, &[3, 232]));
    assert_eq!(scene.fate(client), Fate::Finished);
    scene.eof(client);
    assert_eq!(scene.fate(client), Fate::Closed);
    assert!(scene.has("Gone Finished"));
}

#[test]
fn a_websocket_that_never_answers_our_close_is_given_up() {
    let mut scene = Scene::site();
    let (client, _) = scene.ask(UPGRADE);
    scene.send(client, &text("bye"));
    scene.pass(15);
    assert!(scene.is_over(client));
    assert_eq!((scene.active(), scene.count("Gone")), (0, 1));
}

#[test]
fn a_silent_websocket_is_pinged_and_given_up() {
    let mut scene = Scene::site();
    let (client, _) = scene.ask(UPGRADE);
    scene.pass(32);
    assert_eq!(scene.world.take_output(client), b"\x89\x00");
    scene.send(client, &frame(0x8a, b""));
    scene.pass(32);
    assert_eq!(scene.world.take_output(client), b"\x89\x00");
    scene.pass(22);
    assert_eq!(&scene.world.take_output(client)[..1], b"\x88");
    scene.pass(6);
    assert!(scene.is_over(client));
}

#[test]
fn a_websocket_behind_a_request_is_pinged_as_soon_as_any() {
    let mut scene = Scene::site();
    let (client, _) = scene.ask(&get("/hello"));
    scene.pass(1);
    scene.send(client, UPGRADE);
    scene.world.take_output(client);
    scene.pass(32);
    assert_eq!(scene.world.take_output(client), b"\x89\x00");
}

#[test]
fn an_abort_resets_at_once() {
    let mut scene = Scene::with(Setting::default(), |context, event| match event {
        Event::Request { .. } => {
            ok(context, b"never seen");
            context.abort();
        }
        event => serve(context, event),
    });
    let (client, _) = scene.ask(&get("/hello"));
    assert_eq!(scene.fate(client), Fate::Reset);
    assert_eq!(scene.count("Gone"), 1);
}
