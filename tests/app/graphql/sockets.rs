//! Operations on a WebSocket.

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use core::time::Duration;
use std::io::Write as _;
use std::sync::Arc;
use std::thread;

use barewire::app::{App, GraphQl};
use barewire::graphql::Limits;

use super::scene::{Doorman, INIT, Watch, begun, hear, open, route_watched_by};
use super::scene::{running, running_with, say, subscribe, websocket};
use crate::app_support::{Running, read_until};

#[test]
fn operations_run_on_a_websocket() {
    let running = running();
    let mut stream = open(&running, "graphql-transport-ws");
    say(
        &mut stream,
        r#"{"type":"connection_init","payload":{"token":"7"}}"#,
    );
    assert_eq!(hear(&mut stream).unwrap(), r#"{"type":"connection_ack"}"#);
    say(&mut stream, &subscribe("1", "{ init }"));
    let init = r#"{"id":"1","type":"next","payload":{"data":{"init":"{\"token\":\"7\"}"}}}"#;
    assert_eq!(hear(&mut stream).unwrap(), init);
    assert_eq!(
        hear(&mut stream).unwrap(),
        r#"{"id":"1","type":"complete"}"#
    );
    say(
        &mut stream,
        &subscribe("1", "subscription { countdown(from: 3) }"),
    );
    for left in (0..3).rev() {
        let next = hear(&mut stream).unwrap();
        assert!(next.contains(&format!(r#""countdown":{left}"#)), "{next}");
    }
    assert_eq!(
        hear(&mut stream).unwrap(),
        r#"{"id":"1","type":"complete"}"#
    );
    say(&mut stream, &subscribe("2", "subscription { silence }"));
    say(&mut stream, &subscribe("3", "{ none }"));
    let error = hear(&mut stream).unwrap();
    let begin = r#"{"id":"3","type":"error","payload":[{"message":"Unknown field"#;
    assert!(error.starts_with(begin), "{error}");
    say(&mut stream, r#"{"id":"2","type":"complete"}"#);
    say(&mut stream, &subscribe("2", "{ panics }"));
    let error = hear(&mut stream).unwrap();
    assert!(error.contains("INTERNAL_SERVER_ERROR"), "{error}");
    say(&mut stream, &subscribe("4", "{ never }"));
    let error = hear(&mut stream).unwrap();
    assert!(error.contains("TIMEOUT"), "{error}");
    say(&mut stream, &subscribe("5", "subscription { silence }"));
    say(&mut stream, &subscribe("5", "{ hello }"));
    let (code, reason) = hear(&mut stream).unwrap_err();
    assert_eq!((code, &*reason), (4409, "Subscriber for 5 already exists"));
}

#[test]
fn the_legacy_protocol_is_spoken_where_it_is_asked_for() {
    let running = running();
    let mut stream = open(&running, "graphql-ws");
    say(&mut stream, r#"{"type":"connection_init"}"#);
    assert_eq!(hear(&mut stream).unwrap(), r#"{"type":"connection_ack"}"#);
    say(
        &mut stream,
        r#"{"id":"1","type":"start","payload":{"query":"{ hello }"}}"#,
    );
    let data = r#"{"id":"1","type":"data","payload":{"data":{"hello":"world"}}}"#;
    assert_eq!(hear(&mut stream).unwrap(), data);
    assert_eq!(
        hear(&mut stream).unwrap(),
        r#"{"id":"1","type":"complete"}"#
    );
}

/// What a server says as it closes, after it was told this.
fn close(running: &Running, protocol: &str, messages: &[&str]) -> (u16, String) {
    let mut stream = open(running, protocol);
    for message in messages {
        say(&mut stream, message);
    }
    loop {
        if let Err(closed) = hear(&mut stream) {
            return closed;
        }
    }
}

#[test]
fn each_close_code_has_its_cause() {
    let limits = Limits::DEFAULT.with_init_time(Duration::from_millis(20));
    let impatient = running_with(limits);
    let doorman = Running::start(App::new().graphql("/graphql", GraphQl::new(Doorman)));
    let new = "graphql-transport-ws";
    let early = subscribe("1", "{ hello }");
    let listen = subscribe("1", "subscription { silence }");
    let no = r#"{"type":"connection_init","payload":{"who":"me"}}"#;
    let panic = r#"{"type":"connection_init","payload":{"panic":true}}"#;
    let running = running();
    let cases: &[(&Running, &str, &[&str], u16, &str)] = &[
        (&running, new, &["{"], 4400, "Invalid message"),
        (
            &running,
            new,
            &[INIT, r#"{"type":"nonsense"}"#],
            4400,
            "Invalid message",
        ),
        (&running, new, &[&early], 4401, "Unauthorized"),
        (&doorman, new, &[no], 4403, "go away"),
        (&doorman, "graphql-ws", &[no], 1011, "go away"),
        (&running, "mqtt", &[], 4406, "Subprotocol not acceptable"),
        (
            &impatient,
            new,
            &[],
            4408,
            "Connection initialisation timeout",
        ),
        (
            &running,
            new,
            &[INIT, &listen, &listen],
            4409,
            "Subscriber for 1 already exists",
        ),
        (
            &running,
            new,
            &[INIT, INIT],
            4429,
            "Too many initialisation requests",
        ),
        (&doorman, new, &[panic], 4500, "Internal server error"),
    ];
    for (running, protocol, messages, code, reason) in cases {
        let (seen, words) = close(running, protocol, messages);
        assert_eq!((seen, &*words), (*code, *reason), "{protocol} {messages:?}");
    }
    let mut stream = open(&doorman, new);
    say(&mut stream, INIT);
    let welcome = r#"{"type":"connection_ack","payload":{"welcome":true}}"#;
    assert_eq!(hear(&mut stream).unwrap(), welcome);
}

#[test]
fn pages_of_other_origins_open_none() {
    let running = running();
    let foreign = "Origin: https://evil.example\r\n";
    let mut stream = websocket(&running, "graphql-transport-ws", foreign);
    assert!(read_until(&mut stream, "\r\n\r\n").starts_with("HTTP/1.1 403"));
}

/// Waits until a counter has passed a number.
fn wait_for(counter: &AtomicUsize, more_than: usize) {
    while counter.load(Relaxed) <= more_than {
        thread::yield_now();
    }
}

#[test]
fn what_a_client_leaves_is_dropped() {
    let watch = Arc::new(Watch::default());
    let running = Running::start(App::new().graphql("/graphql", route_watched_by(&watch)));
    let silence = "subscription { silence }";
    let mut stream = begun(&running);
    for id in ["1", "2", "3"] {
        say(&mut stream, &subscribe(id, silence));
    }
    say(&mut stream, r#"{"id":"2","type":"complete"}"#);
    wait_for(&watch.dropped, 0);
    drop(stream);
    wait_for(&watch.dropped, 2);
    // Of event streams, too.
    let request = "GET /graphql?query=subscription%7Bsilence%7D HTTP/1.1\r\nHost: a\r\n\
                   Accept: text/event-stream\r\n\r\n";
    let mut stream = running.connect();
    stream.write_all(request.as_bytes()).unwrap();
    read_until(&mut stream, "\r\n\r\n");
    drop(stream);
    wait_for(&watch.dropped, 3);
}

#[test]
fn a_subscription_is_not_polled_while_its_client_does_not_read() {
    let watch = Arc::new(Watch::default());
    let running = Running::start(App::new().graphql("/graphql", route_watched_by(&watch)));
    let mut stream = begun(&running);
    say(&mut stream, &subscribe("1", "subscription { flood }"));
    let mut seen = 0;
    loop {
        // The loop has its turns.
        for _ in 0..20 {
            assert_eq!(running.get("/graphql?query=%7Bhello%7D").status, 200);
        }
        let asked = watch.asked.load(Relaxed);
        if asked > 0 && asked == seen {
            break;
        }
        seen = asked;
    }
    for _ in 0..=seen {
        assert!(hear(&mut stream).unwrap().contains("xxx"));
    }
    wait_for(&watch.asked, seen);
}
