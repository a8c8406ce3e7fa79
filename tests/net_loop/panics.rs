//! Handlers that panic: their exchange ends, nobody else notices.

use core::time::Duration;

use barewire::net::Fate;

use crate::scene::{Scene, Setting, UPGRADE, begin, get, ok, post, serve, text};

fn failed(answer: &str) {
    assert!(answer.starts_with("HTTP/1.1 500 "), "{answer:?}");
    assert!(answer.contains("\r\nConnection: close\r\n"), "{answer:?}");
    assert!(answer.contains("\r\nDate: "), "{answer:?}");
}

#[test]
fn a_panic_before_the_answer_is_a_500_and_the_next_connection_lives() {
    let mut scene = Scene::site();
    for path in ["/panic", "/answer-panic"] {
        let (client, answer) = scene.ask(&get(path));
        failed(&answer);
        assert!(!answer.contains("never"), "{answer:?}");
        assert_ne!(scene.fate(client), Fate::Reset, "{path}");
        let (_, answer) = scene.ask(&get("/hello"));
        assert!(answer.ends_with("\r\n\r\nhello"), "{answer:?}");
    }
    assert_eq!(scene.events.counters().panics, 2);
}

#[test]
fn a_panic_behind_an_answer_that_has_left_says_nothing_more() {
    let mut scene = Scene::site();
    let (client, answer) = scene.ask(&get("/large-panic"));
    assert!(answer.starts_with("HTTP/1.1 200 "), "it left at once");
    assert!(answer.ends_with("xxx"), "nothing stands behind it");
    assert_eq!(scene.fate(client), Fate::Reset);
    assert_eq!(scene.active(), 0);
}

#[test]
fn a_panic_after_the_upgrade_was_written_is_a_500_in_http() {
    let mut scene = Scene::site();
    let request = String::from_utf8_lossy(UPGRADE).replace("/ws", "/upgrade-panic");
    let (_, answer) = scene.ask(request.as_bytes());
    failed(&answer);
    assert!(!answer.contains("101"), "{answer:?}");
}

#[test]
fn the_500_of_a_head_request_has_no_content() {
    let mut scene = Scene::site();
    let (_, answer) = scene.ask(b"HEAD /panic HTTP/1.1\r\nHost: a\r\n\r\n");
    failed(&answer);
    assert!(answer.ends_with("\r\n\r\n"), "{answer:?}");
}

#[test]
fn a_panic_in_the_midst_of_an_answer_cuts_it() {
    let mut scene = Scene::site();
    let old = "GET /cut HTTP/1.0\r\n\r\n";
    for request in ["GET /cut HTTP/1.1\r\nHost: a\r\n\r\n", old] {
        let (client, answer) = scene.ask(request.as_bytes());
        assert!(answer.contains("half"), "{answer:?}");
        scene.world.advance(Duration::from_millis(2));
        scene.settle();
        let rest = scene.take(client);
        assert!(
            !rest.contains("0\r\n\r\n") && !rest.contains("500"),
            "{rest:?}"
        );
        // A body that ends with the connection must not look complete.
        assert_eq!(scene.fate(client), Fate::Reset, "{request}");
    }
    assert_eq!(scene.events.counters().panics, 2);
    assert_eq!(scene.active(), 0);
}

#[test]
fn a_panic_on_a_websocket_closes_it_with_1011() {
    let mut scene = Scene::site();
    let (client, _) = scene.ask(UPGRADE);
    scene.send(client, &text("panic"));
    let out = scene.world.take_output(client);
    assert_eq!(out, b"\x88\x02\x03\xf3");
    assert_eq!(scene.fate(client), Fate::Finished);
    scene.pass(6);
    assert!(scene.is_over(client));
    assert_eq!(scene.active(), 0);
}

#[test]
fn a_panic_in_the_last_event_reaches_no_other_connection() {
    let act = |context: &mut barewire::net::Context<'_>, event: barewire::link::Event<'_>| {
        assert!(
            !matches!(event, barewire::link::Event::Ended(_)),
            "as asked"
        );
        serve(context, event);
    };
    let mut scene = Scene::with(Setting::default(), act);
    let other = scene.connect();
    let (late, _) = scene.ask(&get("/later"));
    let (ws, _) = scene.ask(UPGRADE);
    // Each ends in another place: a failed read, a failed write, a deadline.
    scene.reset(late);
    scene.reset(ws);
    let (again, _) = scene.ask(&get("/later"));
    scene
        .world
        .break_with(again, std::io::ErrorKind::ConnectionReset);
    let exchange = scene.exchange_of("Request");
    scene.act(|context| {
        context.with(exchange, |context| ok(context, b"late"));
    });
    scene.send(other, &get("/hello"));
    let answer = scene.take(other);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer:?}");
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer:?}");
    assert_eq!(scene.events.counters().panics, 3);
}

#[test]
fn a_panic_in_the_last_event_of_a_stalled_connection_reaches_no_other() {
    let act = |context: &mut barewire::net::Context<'_>, event: barewire::link::Event<'_>| {
        assert!(
            !matches!(event, barewire::link::Event::Ended(_)),
            "as asked"
        );
        serve(context, event);
    };
    let mut scene = Scene::with(Setting::default(), act);
    let client = scene.connect();
    scene.world.stop_reading(client);
    scene.world.send(client, &get("/big/1000"));
    scene.send(client, &get("/later"));
    let other = scene.connect();
    scene.pass(32);
    assert!(scene.is_over(client));
    let third = scene.connect();
    for client in [other, third] {
        assert!(!scene.take(client).contains("500"));
    }
    scene.send(third, &get("/hello"));
    assert!(scene.take(third).starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_panic_inside_a_visit_ends_the_visitor_and_keeps_both_outputs_apart() {
    let mut scene = Scene::with(Setting::default(), {
        let mut first = None;
        move |context, event| {
            if let barewire::link::Event::Request { head, .. } = &event {
                match crate::scene::path(head) {
                    "/wait" => {
                        begin(context, true);
                        first = Some(context.exchange());
                        return;
                    }
                    "/visit" => {
                        context.with(first.unwrap(), |context| {
                            context.write(b"visited");
                            panic!("as asked");
                        });
                    }
                    _ => {}
                }
            }
            serve(context, event);
        }
    });
    let (first, head) = scene.ask(&get("/wait"));
    assert!(head.starts_with("HTTP/1.1 200 "));
    let (_, answer) = scene.ask(&get("/visit"));
    failed(&answer);
    assert!(!answer.contains("visited"));
    assert_eq!(scene.take(first), "7\r\nvisited\r\n");
    assert_eq!(scene.fate(first), Fate::Open);
}

#[test]
fn a_panic_over_a_body_on_offer_answers_and_lingers() {
    let mut scene = Scene::site();
    let client = scene.connect();
    let head = b"POST /panic HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nabc";
    scene.send(client, head);
    failed(&scene.take(client));
    assert_eq!(scene.fate(client), Fate::Finished);
    scene.send(client, &[b'x'; 1000]);
    assert_eq!(scene.world.unread(client), 0);
    scene.eof(client);
    assert_eq!(scene.fate(client), Fate::Closed);
    let (_, answer) = scene.ask(&post("/echo", b"abc"));
    assert!(answer.ends_with("abc"));
}
