//! Clients that are accepted later.

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use core::time::Duration;
use std::net::TcpStream;
use std::sync::Arc;

use barewire::app::{App, GraphQlConnection};
use barewire::graphql::Limits;

use super::scene::{INIT, User, hear, open, route, say, subscribe};
use crate::app_support::{Running, wait_until};

/// Counts what is dropped.
struct Dropped(Arc<AtomicUsize>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// A server that finds out who a client is.
struct Asking {
    running: Running,
    /// It knows.
    knows: Arc<AtomicBool>,
    /// Questions that are over.
    over: Arc<AtomicUsize>,
}

impl Asking {
    fn start(limits: Limits) -> Self {
        let knows = Arc::new(AtomicBool::new(false));
        let over = Arc::new(AtomicUsize::new(0));
        let (known, counter) = (knows.clone(), over.clone());
        let accept = async move |client: &mut GraphQlConnection| {
            let _asked = Dropped(counter.clone());
            while !known.load(Relaxed) {
                client.spawner.sleep(Duration::from_millis(1)).await;
            }
            match client.payload.as_deref() {
                None => Err("who are you?".into()),
                Some(r#"{"panic":true}"#) => panic!("on purpose"),
                Some(payload) => {
                    client.insert(User(payload.into()));
                    Ok(Some(r#"{"welcome":true}"#.into()))
                }
            }
        };
        let route = route().on_connect(accept).limits(limits);
        Self {
            running: Running::start(App::new().graphql("/graphql", route)),
            knows,
            over,
        }
    }

    fn over(&self) -> usize {
        self.over.load(Relaxed)
    }

    fn learn(&self) {
        self.knows.store(true, Relaxed);
    }
}

const NEW: &str = "graphql-transport-ws";
const ANN: &str = r#"{"type":"connection_init","payload":{"name":"Ann"}}"#;
const WELCOME: &str = r#"{"type":"connection_ack","payload":{"welcome":true}}"#;

fn closed(stream: &mut TcpStream) -> (u16, String) {
    loop {
        if let Err(closed) = hear(stream) {
            return closed;
        }
    }
}

#[test]
fn a_client_is_accepted_when_it_is_known() {
    let asking = Asking::start(Limits::DEFAULT);
    let mut stream = open(&asking.running, NEW);
    say(&mut stream, ANN);
    say(&mut stream, r#"{"type":"ping"}"#);
    assert_eq!(hear(&mut stream).unwrap(), r#"{"type":"pong"}"#);
    asking.learn();
    assert_eq!(hear(&mut stream).unwrap(), WELCOME);
    say(&mut stream, &subscribe("1", "{ who }"));
    let who = r#"{"id":"1","type":"next","payload":{"data":{"who":"{\"name\":\"Ann\"}"}}}"#;
    assert_eq!(hear(&mut stream).unwrap(), who);
    assert_eq!(asking.over(), 1);
    let mut stream = open(&asking.running, NEW);
    say(&mut stream, INIT);
    assert_eq!(closed(&mut stream), (4403, "who are you?".into()));
    let mut stream = open(&asking.running, NEW);
    say(
        &mut stream,
        r#"{"type":"connection_init","payload":{"panic":true}}"#,
    );
    assert_eq!(closed(&mut stream), (4500, "Internal server error".into()));
}

#[test]
fn what_comes_before_it_is_known_is_judged_by_the_protocol() {
    let asking = Asking::start(Limits::DEFAULT);
    let early = subscribe("1", "{ hello }");
    for (messages, code) in [
        ([ANN, &early], 4401),
        ([ANN, ANN], 4429),
        ([ANN, "nonsense"], 4400),
    ] {
        let before = asking.over();
        let mut stream = open(&asking.running, NEW);
        for message in messages {
            say(&mut stream, message);
        }
        assert_eq!(closed(&mut stream).0, code);
        assert_eq!(asking.over(), before + 1, "the question is dropped");
    }
}

#[test]
fn a_client_that_goes_is_not_asked_for_any_more() {
    let asking = Asking::start(Limits::DEFAULT);
    let mut stream = open(&asking.running, NEW);
    say(&mut stream, ANN);
    say(&mut stream, r#"{"type":"ping"}"#);
    hear(&mut stream).unwrap();
    assert_eq!(asking.over(), 0);
    drop(stream);
    wait_until("it is dropped", || asking.over() == 1);
}

#[test]
fn an_answer_that_does_not_come_is_the_end() {
    let time = Duration::from_millis(20);
    let asking = Asking::start(Limits::DEFAULT.with_init_time(time));
    for protocol in [NEW, "graphql-ws"] {
        let mut stream = open(&asking.running, protocol);
        say(&mut stream, ANN);
        let words = "Connection initialisation timeout";
        assert_eq!(closed(&mut stream), (4408, words.into()), "{protocol}");
    }
    assert_eq!(asking.over(), 2);
}

#[test]
fn operations_of_the_legacy_protocol_wait_with_their_client() {
    let asking = Asking::start(Limits::DEFAULT.with_operations(3));
    let mut stream = open(&asking.running, "graphql-ws");
    let start = |id: &str, query: &str| subscribe(id, query).replace("subscribe", "start");
    say(&mut stream, ANN);
    for (id, query) in [("1", "{ who }"), ("2", "{ hello }"), ("3", "{ hello }")] {
        say(&mut stream, &start(id, query));
    }
    let full = |stream: &mut TcpStream, id: &str| {
        say(stream, &start(id, "{ hello }"));
        let refused = hear(stream).unwrap();
        let error = format!(r#"{{"id":"{id}","type":"error""#);
        assert!(refused.starts_with(&error), "{refused}");
    };
    full(&mut stream, "4");
    say(&mut stream, r#"{"id":"2","type":"stop"}"#);
    say(&mut stream, &start("3", "{ init }"));
    say(&mut stream, &start("5", "{ none }"));
    full(&mut stream, "6");
    asking.learn();
    let said = r#""{\"name\":\"Ann\"}""#;
    for expected in [
        WELCOME,
        &format!(r#"{{"id":"1","type":"data","payload":{{"data":{{"who":{said}}}}}}}"#),
        r#"{"id":"1","type":"complete"}"#,
        &format!(r#"{{"id":"3","type":"data","payload":{{"data":{{"init":{said}}}}}}}"#),
        r#"{"id":"3","type":"complete"}"#,
    ] {
        assert_eq!(hear(&mut stream).unwrap(), expected);
    }
    let error = hear(&mut stream).unwrap();
    assert!(error.starts_with(r#"{"id":"5","type":"error""#), "{error}");
}
