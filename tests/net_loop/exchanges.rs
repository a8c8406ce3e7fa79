//! Requests, bodies, upgrades and raw bytes as they should go.

use core::time::Duration;

use barewire::http::Fields;
use barewire::link::{self, Event};
use barewire::net::{Fate, Limits};

use crate::scene::{Scene, Setting, UPGRADE, begin, frame, get, ok, path, post, serve, text};

#[test]
fn raw_bytes_are_echoed_and_a_half_close_is_the_owners_to_answer() {
    let mut scene = Scene::raw(Limits::DEFAULT, |context, event| match event {
        Event::Data(data) => drop(context.write(data)),
        Event::HalfClosed => assert!(context.after(Duration::from_secs(1), 1)),
        Event::Timer { .. } => {
            context.write(b"bye");
            context.finish(Fields::EMPTY).unwrap();
        }
        _ => {}
    });
    let (client, echo) = scene.ask(b"hello");
    assert_eq!(echo, "hello");
    scene.world.send(client, b"last");
    scene.eof(client);
    assert_eq!(scene.take(client), "last");
    assert_eq!(
        (scene.count("HalfClosed"), scene.fate(client)),
        (1, Fate::Open)
    );
    scene.pass(2);
    assert_eq!(scene.take(client), "bye");
    assert_eq!(scene.fate(client), Fate::Closed);
    assert_eq!(*scene.log.borrow().last().unwrap(), "Gone Disconnected");
}

#[test]
fn sixteen_pipelined_requests_are_one_write() {
    let mut scene = Scene::site();
    let client = scene.connect();
    let (writes, _) = scene.world.calls(client);
    scene.send(client, &get("/hello").repeat(16));
    assert_eq!(scene.take(client).matches("hello").count(), 16);
    assert_eq!(scene.world.calls(client).0 - writes, 1);
}

#[test]
fn a_body_is_collected_whatever_its_pieces() {
    let mut scene = Scene::site();
    let body = vec![b'b'; 3000];
    let client = scene.connect();
    for piece in post("/echo", &body).chunks(100) {
        scene.send(client, piece);
    }
    let answer = scene.take(client);
    assert!(answer.ends_with(core::str::from_utf8(&body).unwrap()));
    assert!(scene.has("Request POST /echo whole 3000"));
}

#[test]
fn a_body_announced_over_its_limit_is_refused_before_any_of_it() {
    let mut scene = Scene::site();
    let head = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n";
    let (client, answer) = scene.ask(head.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer:?}");
    assert!(answer.contains("\r\nConnection: close\r\n"), "{answer:?}");
    assert_eq!(
        (scene.count("TooLarge"), scene.fate(client)),
        (0, Fate::Finished)
    );
}

#[test]
fn a_body_that_grows_over_its_limit_is_answered_alike_however_it_is_cut() {
    let head = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = ["10000\r\n", &"b".repeat(0x10000), "\r\n"].concat();
    let next = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
    // One byte more than the limit, with much, little or nothing behind it.
    for more in [1, 100, 65_536, 200_000] {
        let rest = format!("{more:x}\r\n{}\r\n0\r\n\r\n", "c".repeat(more));
        let whole = [head.as_bytes(), chunk.as_bytes(), rest.as_bytes(), next].concat();
        let ask = |cuts: &[usize]| {
            let mut scene = Scene::site();
            let client = scene.connect();
            let mut at = 0;
            for &cut in cuts.iter().chain([&whole.len()]) {
                scene.world.send(client, &whole[at..cut]);
                scene.settle();
                at = cut;
            }
            let answer = scene.take(client);
            assert!(answer.starts_with("HTTP/1.1 413 "), "{answer:?}");
            assert!(answer.contains("\r\nConnection: close\r\n"), "{answer:?}");
            let counts = (scene.count("TooLarge"), scene.count("Request"));
            assert_eq!(counts, (1, 1), "{:?}", scene.log.borrow());
            scene.eof(client);
            (answer, scene.fate(client))
        };
        let at_once = ask(&[]);
        let limit = head.len() + chunk.len();
        for behind in [1, 3, 4, 5, 6, 7, 8, 9] {
            let cut = (limit + behind).min(whole.len());
            assert_eq!(ask(&[cut]), at_once, "{more} at {behind}");
        }
        assert_eq!(ask(&[100, 65_000, limit]), at_once, "{more}");
    }
}

#[test]
fn an_answer_owed_for_too_long_is_a_504() {
    let setting = Setting {
        protocols: link::Limits::DEFAULT.with_reply(Duration::from_secs(5)),
        ..Setting::default()
    };
    let mut scene = Scene::site_with(setting);
    let (client, none) = scene.ask(&get("/later"));
    assert_eq!(none, "");
    scene.pass(4);
    assert!(!scene.has("Overdue"));
    scene.pass(3);
    let answer = scene.take(client);
    assert!(answer.starts_with("HTTP/1.1 504 "), "{answer:?}");
    assert!(answer.contains("\r\nConnection: close\r\n"));
    assert_eq!(scene.count("Overdue"), 1);
    scene.pass(6);
    assert!(scene.is_over(client));
}

#[test]
fn an_owner_may_answer_an_overdue_exchange_itself() {
    let setting = Setting {
        protocols: link::Limits::DEFAULT.with_reply(Duration::from_secs(5)),
        ..Setting::default()
    };
    let mut scene = Scene::with(setting, |context, event| {
        if matches!(event, Event::Overdue) {
            ok(context, b"sorry");
        }
    });
    let (client, _) = scene.ask(&get("/later"));
    scene.pass(7);
    assert!(scene.take(client).ends_with("sorry"));
    assert_eq!(scene.fate(client), Fate::Open);
}

#[test]
fn websocket_frames_in_the_segment_of_the_upgrade_are_not_lost() {
    let mut scene = Scene::site();
    let client = scene.connect();
    scene.send(client, &[UPGRADE, &text("one"), &text("two")].concat());
    let out = scene.world.take_output(client);
    assert!(out.starts_with(b"HTTP/1.1 101 "));
    assert!(out.ends_with(b"\x81\x03one\x81\x03two"));
}

#[test]
fn a_deferred_upgrade_keeps_the_frames_that_came_early() {
    let mut scene = Scene::with(Setting::default(), |context, event| {
        if let Event::Message { kind, payload } = event {
            context.send(kind, payload);
        }
    });
    let client = scene.connect();
    scene.send(client, &[UPGRADE, &text("early")].concat());
    scene.send(client, &text("more"));
    let exchange = scene.exchange_of("Request");
    scene.act(|context| {
        context.with(exchange, |context| {
            let fields = [
                barewire::http::Field::new("Upgrade", "websocket"),
                barewire::http::Field::new("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            ];
            context
                .upgrade_websocket(Fields::new(&fields), false)
                .unwrap();
        });
    });
    let out = scene.world.take_output(client);
    assert!(out.starts_with(b"HTTP/1.1 101 ") && out.ends_with(b"\x81\x05early\x81\x04more"));
}

#[test]
fn paused_input_is_kept_and_the_socket_is_not_read_meanwhile() {
    let mut scene = Scene::site();
    let client = scene.connect();
    scene.send(client, &get("/later"));
    for _ in 0..100 {
        scene.send(client, &get("/hello").repeat(1000));
    }
    assert!(scene.world.unread(client) > 1_000_000, "read on in vain");
    let exchange = scene.exchange_of("Request GET /later");
    scene.act(|context| context.with(exchange, |context| ok(context, b"first")));
    let answer = scene.take(client);
    assert_eq!(answer.matches("\r\n\r\nhello").count(), 100_000);
    assert!(answer.contains("first"));
    assert_eq!(scene.world.unread(client), 0);
}

#[test]
fn an_interleaved_ping_is_answered_and_the_message_whole() {
    let mut scene = Scene::site();
    let (client, _) = scene.ask(UPGRADE);
    for piece in [frame(0x01, b"one "), frame(0x89, b"?"), frame(0x80, b"two")] {
        scene.send(client, &piece);
    }
    assert_eq!(scene.world.take_output(client), b"\x8a\x01?\x81\x07one two");
}

#[test]
fn a_streamed_body_is_held_back_and_goes_on() {
    let mut scene = Scene::site();
    let client = scene.connect();
    scene.send(client, &post("/hold", &vec![b'h'; 500_000]));
    let before = scene.count("Body");
    assert!(before <= 1 && scene.world.unread(client) > 400_000);
    // Our own slowness is not held against the peer.
    scene.pass(60);
    assert_eq!(scene.fate(client), Fate::Open, "{:?}", scene.log.borrow());
    let exchange = scene.exchange_of("Request");
    scene.act(|context| context.with(exchange, |context| context.set_reading(true)));
    assert!(scene.has("End"));
    assert!(scene.take(client).ends_with("0\r\n\r\n"));
}

/// Sends a request with a body to be streamed, and the body once that is asked for.
fn stream(scene: &mut Scene, body: &[u8]) -> barewire::net::ScriptedClient {
    let client = scene.connect();
    let request = post("/stream", body);
    let (head, body) = request.split_at(request.len() - body.len());
    scene.send(client, head);
    scene.send(client, body);
    client
}

#[test]
fn a_body_ends_that_was_held_back_with_its_last_piece() {
    let mut scene = Scene::with(Setting::default(), |context, event| {
        if let Event::Body(_) = &event {
            context.set_reading(false);
        }
        serve(context, event);
    });
    let client = stream(&mut scene, b"all of it");
    assert!(scene.has("Body 9") && !scene.has("End"));
    let exchange = scene.exchange_of("Request");
    scene.act(|context| context.with(exchange, |context| context.set_reading(true)));
    assert!(scene.has("End"));
    assert!(scene.take(client).ends_with("0\r\n\r\n"));
}

#[test]
fn a_body_ends_though_a_turn_has_done_much_with_its_last_piece() {
    let mut other = None;
    let mut scene = Scene::with(Setting::default(), move |context, event| {
        match &event {
            Event::Request { head, .. } if path(head) == "/later" => {
                other = Some(context.exchange());
            }
            Event::Body(_) => {
                for _ in 0..9000 {
                    context.with(other.unwrap(), |_| {});
                }
            }
            _ => {}
        }
        serve(context, event);
    });
    scene.ask(&get("/later"));
    let client = stream(&mut scene, b"all of it");
    assert!(scene.has("End"));
    assert!(scene.take(client).ends_with("0\r\n\r\n"));
}

#[test]
fn a_held_websocket_is_not_given_up_for_our_own_silence() {
    let mut scene = Scene::with(Setting::default(), |context, event| match event {
        Event::Message { kind, payload } => {
            context.send(kind, payload);
            context.set_reading(payload != b"hold");
        }
        event => crate::scene::serve(context, event),
    });
    let (client, _) = scene.ask(UPGRADE);
    scene.send(client, &text("hold"));
    scene.send(client, &text("meanwhile"));
    scene.pass(100);
    assert_eq!(scene.fate(client), Fate::Open, "{:?}", scene.log.borrow());
    scene.world.take_output(client);
    let exchange = scene.exchange_of("Message");
    scene.act(|context| context.with(exchange, |context| context.set_reading(true)));
    assert_eq!(scene.world.take_output(client), b"\x81\x09meanwhile");
    // From here on silence counts again.
    scene.pass(60);
    assert_ne!(scene.fate(client), Fate::Open);
}

#[test]
fn a_request_after_a_streamed_answer_is_a_new_exchange() {
    let mut scene = Scene::with(Setting::default(), |context, event| {
        if let Event::Request { .. } = event {
            begin(context, false);
            context.write(b"a");
            context.finish(Fields::EMPTY).unwrap();
            assert!(!context.is_open());
        }
    });
    let client = scene.connect();
    scene.send(client, &get("/a").repeat(2));
    let seen = scene.seen.borrow();
    assert_eq!((seen[1].stream, seen[2].stream), (1, 2));
    drop(seen);
    assert_eq!(scene.take(client).matches("1\r\na\r\n0\r\n").count(), 2);
}

/// HAProxy 2.6 hangs when `100` and `200` stand in one read.
#[test]
fn an_interim_response_leaves_by_itself() {
    let mut scene = Scene::with(Setting::default(), |context, event| match event {
        Event::Request { .. } => {
            context.accept_body().unwrap();
            begin(context, false);
        }
        Event::Body(piece) => drop(context.write(piece)),
        Event::End { .. } => context.finish(Fields::EMPTY).unwrap(),
        _ => {}
    });
    let head = b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    let interim = "HTTP/1.1 100 Continue\r\n\r\n";
    // The final response waits for the body to begin.
    let (client, sent) = scene.ask(head);
    assert_eq!(sent, interim);
    scene.send(client, b"o");
    let sent = scene.take(client);
    assert!(sent.starts_with("HTTP/1.1 200 OK\r\n"), "{sent}");
    assert!(sent.ends_with("\r\n\r\n1\r\no\r\n"), "{sent}");
    scene.send(client, b"k");
    assert_eq!(scene.take(client), "1\r\nk\r\n0\r\n\r\n");
    // The connection lives on, and the next one is answered likewise.
    scene.send(client, head);
    assert_eq!(scene.take(client), interim);
    // But not for ever: a peer may want to see the response first.
    scene.pass(3);
    assert!(scene.take(client).starts_with("HTTP/1.1 200 OK\r\n"));
    scene.send(client, b"ok");
    assert!(scene.take(client).ends_with("2\r\nok\r\n0\r\n\r\n"));
    // Who does not wait for it gets all in one.
    scene.send(client, &[head, &b"ok"[..]].concat());
    let sent = scene.take(client);
    assert!(
        sent.starts_with(&format!("{interim}HTTP/1.1 200 OK\r\n")),
        "{sent}"
    );
}
