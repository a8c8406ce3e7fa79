//! A loop that is asked to stop: nothing is lost that it has taken on.

use core::time::Duration;

use barewire::link::EndReason;
use barewire::net::Fate;

use crate::scene::{Scene, UPGRADE, frame, get, ok, post};

#[test]
fn draining_stops_listening_and_finishes_what_runs() {
    let mut scene = Scene::site();
    let (idle, _) = scene.ask(&get("/hello"));
    let (later, _) = scene.ask(&get("/later"));
    let exchange = scene.exchange_of("Request");
    let (open, _) = scene.ask(&get("/open"));
    let streamed = scene.exchange_of("Request");
    scene.events.drain(Duration::from_secs(30));
    scene.settle();
    assert_eq!(scene.world.listening(), 0);
    assert_eq!(scene.fate(idle), Fate::Closed);
    assert!(!scene.events.is_drained());
    scene.act(|context| {
        context.with(exchange, |context| ok(context, b"late"));
        context.with(streamed, |context| {
            context.write(b"end");
            context.finish(barewire::http::Fields::EMPTY).unwrap();
        });
    });
    let answer = scene.take(later);
    assert!(answer.contains("\r\nConnection: close\r\n") && answer.ends_with("late"));
    assert!(scene.take(open).ends_with("3\r\nend\r\n0\r\n\r\n"));
    assert_eq!(
        (scene.fate(later), scene.fate(open)),
        (Fate::Closed, Fate::Closed)
    );
    assert!(scene.events.is_drained());
    assert_eq!(scene.events.run().unwrap(), 0, "nothing was cut");
}

#[test]
fn draining_closes_websockets_with_1001() {
    let mut scene = Scene::site();
    let (client, _) = scene.ask(UPGRADE);
    scene.events.drain(Duration::from_secs(30));
    scene.settle();
    assert_eq!(scene.world.take_output(client), b"\x88\x02\x03\xe9");
    scene.send(client, &frame(0x88, &[3, 233]));
    scene.eof(client);
    assert_eq!(scene.fate(client), Fate::Closed);
    assert!(scene.events.is_drained());
}

#[test]
fn draining_cuts_what_is_left_and_counts_it() {
    let mut scene = Scene::site();
    let (later, _) = scene.ask(&get("/later"));
    let (feed, _) = scene.ask(&get("/feed"));
    let (lingers, _) = scene.ask(b"nonsense\r\n\r\n");
    let silent = scene.connect();
    scene.events.drain(Duration::from_secs(3));
    scene.settle();
    scene.pass(5);
    for client in [later, feed] {
        assert_eq!(scene.fate(client), Fate::Reset);
    }
    assert!(scene.is_over(lingers) && scene.is_over(silent));
    assert!(scene.events.is_drained());
    assert_eq!(
        scene.events.run().unwrap(),
        2,
        "the silent one had begun nothing"
    );
    assert_eq!(scene.count(&format!("Gone {:?}", EndReason::Drained)), 3);
    // A program that goes on turning does not spin.
    scene.turn();
    assert_eq!(scene.world.last_timeout(), None);
}

#[test]
fn asked_again_draining_ends_sooner_but_never_later() {
    let mut scene = Scene::site();
    let (later, _) = scene.ask(&get("/later"));
    scene.events.drain(Duration::from_secs(30));
    scene.settle();
    scene.events.drain(Duration::from_secs(3));
    scene.events.drain(Duration::from_secs(60));
    scene.pass(2);
    assert!(!scene.events.is_drained());
    scene.pass(2);
    assert_eq!(scene.fate(later), Fate::Reset);
    assert!(scene.events.is_drained());
}

#[test]
fn asked_again_for_no_time_at_all_draining_ends_at_once() {
    let mut scene = Scene::site();
    let (later, _) = scene.ask(&get("/later"));
    let remote = scene.events.remote();
    remote.drain(Duration::from_secs(30));
    scene.settle();
    assert!(!scene.events.is_drained());
    remote.drain(Duration::ZERO);
    scene.settle();
    assert_eq!(scene.fate(later), Fate::Reset);
    assert_eq!(scene.events.run().unwrap(), 1);
}

#[test]
fn a_request_that_has_arrived_is_answered_while_draining() {
    let mut scene = Scene::site();
    let (kept, _) = scene.ask(&get("/hello"));
    let fresh = scene.connect();
    let waiting = scene.world.connect_client(0);
    for client in [kept, fresh, waiting] {
        scene.world.send(client, &get("/hello"));
    }
    scene.events.drain(Duration::from_secs(3));
    scene.settle();
    for client in [kept, fresh, waiting] {
        let answer = scene.take(client);
        assert!(answer.ends_with("hello"), "{answer:?}");
        assert_eq!(scene.fate(client), Fate::Closed);
    }
    assert_eq!(scene.events.run().unwrap(), 0);
}

#[test]
fn a_connection_just_accepted_may_still_ask_once() {
    let mut scene = Scene::site();
    let client = scene.world.connect_client(0);
    scene.events.drain(Duration::from_secs(30));
    scene.settle();
    assert_eq!(scene.fate(client), Fate::Open);
    scene.send(client, &get("/hello").repeat(2));
    let answer = scene.take(client);
    assert_eq!(answer.matches("hello").count(), 1, "{answer:?}");
    assert!(answer.contains("\r\nConnection: close\r\n"));
    scene.eof(client);
    assert_eq!(scene.fate(client), Fate::Closed);
    assert_eq!(scene.events.run().unwrap(), 0);
}

#[test]
fn a_body_that_is_arriving_is_finished_while_draining() {
    let mut scene = Scene::site();
    let client = scene.connect();
    let request = post("/echo", &[b'x'; 300]);
    scene.send(client, &request[..200]);
    scene.events.drain(Duration::from_secs(30));
    scene.send(client, &request[200..]);
    assert!(scene.take(client).ends_with(&"x".repeat(300)));
    assert_eq!(scene.fate(client), Fate::Closed);
}

#[test]
fn without_a_time_draining_takes_the_one_of_the_limits() {
    let mut scene = Scene::site_with(crate::scene::Setting {
        limits: barewire::net::Limits::DEFAULT.with_drain_time(Duration::from_secs(7)),
        ..crate::scene::Setting::default()
    });
    let (later, _) = scene.ask(&get("/later"));
    scene.events.remote().drain(None);
    scene.pass(5);
    assert_eq!(scene.fate(later), Fate::Open);
    scene.pass(3);
    assert_eq!(scene.fate(later), Fate::Reset);
}

#[test]
fn every_owner_is_told_of_draining_once() {
    let mut scene = Scene::site();
    scene.events.drain(Duration::ZERO);
    scene.events.drain(Duration::ZERO);
    scene.settle();
    assert_eq!(scene.count("Draining"), 1);
}
