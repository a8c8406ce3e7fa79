//! Channels of several processes through a real server of Redis.

#![cfg(feature = "redis")]

mod apps;
mod faults;
mod many;
mod member;
mod presence;
mod refusals;
mod server;
mod states;
mod still;

use barewire::app::{Epoch, History, Position};
use barewire::redis::Names;

use member::{Process, Told, got};
use server::Server;

const KEEP: Option<History> = Some(History::DEFAULT);

#[test]
fn all_processes_see_one_order_and_who_comes_back_gets_what_was_missed() {
    if !server::is_there() {
        return;
    }
    let server = Server::start();
    let (one, two) = (
        Process::at(&server.address()),
        Process::at(&server.address()),
    );
    let (here, there) = (one.member("tea", KEEP), two.member("tea", KEEP));
    let (began, _) = here.since(&[]);
    assert_eq!(began.offset, 0);
    for nth in 1..=50 {
        let from = if nth % 2 == 0 { &here } else { &there };
        let place = from.publish(&format!("{nth}")).unwrap().unwrap();
        assert_eq!(place, Position::new(began.epoch, nth));
    }
    let all: Vec<Told> = (1..=50).map(|it| got(&it.to_string(), it)).collect();
    assert_eq!(here.told(50), all);
    assert_eq!(there.told(50), all);
    // Who was away.
    let (head, missed) = there.since(&[
        Position::new(Epoch::new(1), 7),
        Position::new(began.epoch, 47),
    ]);
    assert_eq!(head.offset, 50);
    assert_eq!(missed.unwrap(), ["48", "49", "50"]);
    for foreign in [
        Position::new(Epoch::new(1), 47),
        Position::new(began.epoch, 51),
        Position::new(began.epoch, u64::MAX),
    ] {
        assert_eq!(there.since(&[foreign]), (head, None));
    }
    // On a process that is new.
    let three = Process::at(&server.address());
    let late = three.member("tea", KEEP);
    let (_, missed) = late.since(&[Position::new(began.epoch, 0)]);
    assert_eq!(missed.unwrap().len(), 50);
    late.publish("51").unwrap();
    assert_eq!(here.told(51)[50], got("51", 51));
    assert_eq!(late.told(1), [got("51", 51)]);
}

#[test]
fn without_history_others_get_it_once_and_who_has_published_it_does_not() {
    if !server::is_there() {
        return;
    }
    let server = Server::start();
    let (one, two) = (
        Process::at(&server.address()),
        Process::at(&server.address()),
    );
    let (here, there) = (one.member("tea", None), two.member("tea", None));
    // Until both are subscribed nobody knows.
    let names = Names::new("barewire", "tea");
    let channel = std::str::from_utf8(names.channel()).unwrap();
    while !server
        .ask(&["PUBSUB", "SHARDNUMSUB", channel])
        .ends_with(":2")
    {}
    for text in ["a", "b", "c"] {
        assert_eq!(here.publish(text), Ok(None));
    }
    there.publish("d").unwrap();
    assert_eq!(here.told(1), [got("d", 0)]);
    assert_eq!(there.told(3), ["a", "b", "c"].map(|it| got(it, 0)));
    // What other programs publish; and what is not of the form.
    for text in [
        "hello",
        "text\n\u{fffd}",
        "text x=9\nshort",
        "binary t=1\nfrom elsewhere",
    ] {
        server.ask(&["SPUBLISH", channel, text]);
    }
    let expected = [got("d", 0), got("\u{fffd}", 0), got("from elsewhere", 0)];
    assert_eq!(here.told(3), expected);
    assert_eq!(one.0.metrics().dropped, 2);
}

#[test]
fn a_channel_that_is_freed_and_made_again_is_subscribed_to() {
    if !server::is_there() {
        return;
    }
    let server = Server::start();
    let (one, two) = (
        Process::at(&server.address()),
        Process::at(&server.address()),
    );
    let there = two.publisher("tea", KEEP);
    for nth in 1..200 {
        let here = one.member("tea", KEEP);
        there.publish(&nth.to_string()).unwrap();
        assert_eq!(here.told(1), [got(&nth.to_string(), nth)]);
        here.line.unsubscribe();
    }
    let metrics = one.0.metrics();
    assert_eq!((metrics.malformed, metrics.failed), (0, 0));
}
