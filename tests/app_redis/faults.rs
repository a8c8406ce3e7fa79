//! Servers that restart, forget and cut connections.

use std::time::Duration;

use barewire::app::{ChannelError, History, Position, RedisOptions, WhileRedisAway};
use barewire::redis::{Names, Purpose};

use crate::member::{Process, got, quick};
use crate::server::{Server, is_there};

const KEEP: Option<History> = Some(History::DEFAULT);

fn key(channel: &str, purpose: Purpose) -> String {
    String::from_utf8(Names::new("barewire", channel).key(purpose)).unwrap()
}

/// What became of a channel of three publications, of which the server knows `known` after it
/// was killed and has started again.
fn restarted(
    arguments: &[&str],
    save_after: Option<usize>,
    durable: bool,
) -> (bool, Position, Option<usize>) {
    let mut server = Server::with(arguments);
    let mut options = quick(RedisOptions::at(&server.address()).unwrap());
    if durable {
        options = options.durable();
    }
    let (one, two) = (Process::with(options.clone()), Process::with(options));
    let (here, there) = (one.member("tea", KEEP), two.publisher("tea", KEEP));
    let mut last = None;
    for nth in 0..3 {
        if Some(nth) == save_after {
            server.ask(&["SAVE"]);
        }
        last = there.publish(&nth.to_string()).unwrap();
    }
    let last = last.unwrap();
    here.told(3);
    server.kill();
    server.run();
    let place = there.publish("after").unwrap().unwrap();
    let (_, missed) = there.since(&[last]);
    let is_same = place.epoch == last.epoch;
    // It is told the next one, or that it has lost something.
    let told = here.told(4);
    match is_same {
        true => assert_eq!(told[3], got("after", 4)),
        false => {
            here.lost();
        }
    }
    (is_same, place, missed.map(|it| it.len()))
}

#[test]
fn a_server_that_was_restarted_begins_a_new_epoch_unless_it_is_durable() {
    if !is_there() {
        return;
    }
    // Without data, with an older snapshot, and with all.
    let nothing: &[&str] = &["--save", "", "--appendonly", "no"];
    let all: &[&str] = &[
        "--save",
        "",
        "--appendonly",
        "yes",
        "--appendfsync",
        "always",
    ];
    for (arguments, saved) in [(nothing, None), (nothing, Some(2)), (all, None)] {
        let (is_same, place, missed) = restarted(arguments, saved, false);
        assert_eq!(
            (is_same, place.offset, missed),
            (false, 1, None),
            "{arguments:?} {saved:?}"
        );
    }
    let (is_same, place, missed) = restarted(all, None, true);
    assert_eq!((is_same, place.offset, missed), (true, 4, Some(1)));
}

#[test]
fn a_server_that_was_declared_durable_and_is_not_is_found_out() {
    if !is_there() {
        return;
    }
    let mut server = Server::start();
    let options = quick(RedisOptions::at(&server.address()).unwrap());
    let process = Process::with(options.durable());
    let here = process.member("tea", KEEP);
    here.publish("1").unwrap();
    server.ask(&["SAVE"]);
    let last = here.publish("2").unwrap().unwrap();
    here.told(2);
    server.kill();
    server.run();
    // What goes back behind what was seen is a new epoch.
    here.lost();
    assert_ne!(here.since(&[last]).0.epoch, last.epoch);
    assert_eq!(here.since(&[last]).1, None);
}

#[test]
fn a_stream_that_is_gone_while_its_record_lives_is_said() {
    if !is_there() {
        return;
    }
    let server = Server::start();
    let process = Process::at(&server.address());
    let here = process.member("tea", KEEP);
    let first = here.publish("1").unwrap().unwrap();
    here.publish("2").unwrap();
    server.ask(&["DEL", &key("tea", Purpose::Stream)]);
    let (head, missed) = here.since(&[first]);
    assert_eq!((head.offset, missed), (2, None));
    assert_eq!(here.since(&[head]).1, Some(Vec::new()));
    here.publish("3").unwrap();
    assert_eq!(here.since(&[head]).1, Some(vec!["3".to_owned()]));
    assert_eq!(here.since(&[first]).1, None);
    // The record is gone while the stream lives.
    server.ask(&["DEL", &key("tea", Purpose::Head)]);
    let place = here.publish("4").unwrap().unwrap();
    assert_ne!(place.epoch, head.epoch);
    assert_eq!(place.offset, 1);
    assert_eq!(
        here.since(&[Position::new(place.epoch, 0)]).1,
        Some(vec!["4".to_owned()])
    );
    here.lost();
    // All of it is.
    server.ask(&["FLUSHALL"]);
    assert_eq!(here.since(&[place]).1, None);
}

#[test]
fn a_connection_that_was_cut_is_a_gap_that_is_filled() {
    if !is_there() {
        return;
    }
    let server = Server::start();
    let (one, two) = (
        Process::at(&server.address()),
        Process::at(&server.address()),
    );
    let (here, there) = (one.member("tea", KEEP), two.member("tea", KEEP));
    let mut expected = Vec::new();
    for nth in 1..=300 {
        there.publish(&nth.to_string()).unwrap();
        expected.push(got(&nth.to_string(), nth));
        if nth % 50 == 0 {
            server.ask(&["CLIENT", "KILL", "TYPE", "pubsub"]);
        }
        if nth % 70 == 0 {
            server.ask(&["SCRIPT", "FLUSH"]);
        }
    }
    for member in [&here, &there] {
        assert_eq!(member.told(300), expected);
    }
    assert_eq!(one.0.metrics().lost, 0);
}

#[test]
fn what_is_published_while_the_server_is_away_waits_or_is_refused() {
    if !is_there() {
        return;
    }
    let mut server = Server::start();
    let options = quick(RedisOptions::at(&server.address()).unwrap());
    let patient = Process::with(options.clone());
    let hasty = Process::with(options.while_away(WhileRedisAway::Refuse));
    let (here, there) = (patient.member("tea", KEEP), hasty.member("tea", KEEP));
    here.publish("1").unwrap();
    there.told(1);
    server.kill();
    while hasty.0.metrics().is_connected {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(there.publish("no"), Err(ChannelError::Unavailable));
    let later: Vec<_> = ["2", "3"].map(|it| here.begin(it)).into();
    server.run();
    let places: Vec<_> = later
        .iter()
        .map(|it| it.recv().unwrap().unwrap().unwrap())
        .collect();
    assert_eq!(places[0].offset + 1, places[1].offset);
}

#[test]
fn histories_are_bounded_by_number_bytes_and_age() {
    if !is_there() {
        return;
    }
    let server = Server::start();
    let process = Process::at(&server.address());
    let few = Some(History::DEFAULT.with_publications(20));
    let channel = process.publisher("few", few);
    let stream = key("few", Purpose::Stream);
    let mut heads = Vec::new();
    for nth in 1..=100 {
        heads.push(channel.publish(&nth.to_string()).unwrap().unwrap());
        let length: usize = server.ask(&["XLEN", &stream])[1..].parse().unwrap();
        assert!((nth.min(20)..=22).contains(&length), "{nth}: {length}");
    }
    let missed = channel.since(&[heads[79]]).1.unwrap();
    assert_eq!((missed.len(), &*missed[0]), (20, "81"));
    assert_eq!(channel.since(&[heads[70]]).1, None);

    let small = Some(History::DEFAULT.with_bytes(2_000));
    let channel = process.publisher("small", small);
    let stream = key("small", Purpose::Stream);
    for nth in 0..50 {
        channel
            .publish(&format!("{nth} {}", "x".repeat(nth * 5)))
            .unwrap();
        let answer = server.ask(&["EVAL", "local n = 0 for _, e in ipairs(redis.call('XRANGE', KEYS[1], '-', '+')) do n = n + #e[2][4] end return n", "1", &stream]);
        let bytes: usize = answer[1..].parse().unwrap();
        assert!(bytes <= 2_200, "{nth}: {bytes}");
        let counted = server.ask(&["HGET", &key("small", Purpose::Head), "b"]);
        assert!(counted.ends_with(&bytes.to_string()), "{counted} {bytes}");
    }
    let head = channel.publish(&"x".repeat(3_000)).unwrap().unwrap();
    assert_eq!(server.ask(&["EXISTS", &stream]), ":0");
    assert_eq!(channel.since(&[head]).1, Some(Vec::new()));

    let short = Some(History::DEFAULT.with_age(Duration::from_millis(400)));
    let channel = process.publisher("short", short);
    let head = channel.publish("1").unwrap().unwrap();
    let before = Position::new(head.epoch, head.offset - 1);
    while channel.since(&[before]).1.is_some() {
        std::thread::sleep(Duration::from_millis(10));
    }
    channel.publish("2").unwrap();
    assert_eq!(channel.since(&[head]).1, Some(vec!["2".to_owned()]));
}

#[test]
fn the_same_id_is_published_once() {
    if !is_there() {
        return;
    }
    let server = Server::start();
    let process = Process::at(&server.address());
    let here = process.member("tea", KEEP);
    let text = barewire::redis::Script::Publish.text();
    let names = Names::new("barewire", "tea");
    let channel = std::str::from_utf8(names.channel()).unwrap().to_owned();
    let id = key("tea", Purpose::Id) + ":mine";
    let publish = |body: &str| {
        let (head, stream) = (key("tea", Purpose::Head), key("tea", Purpose::Stream));
        server.ask(&[
            "EVAL",
            text,
            "3",
            &head,
            &stream,
            &id,
            "",
            "00000000000000aa",
            "100",
            "100000",
            "60000",
            "3600",
            "60000",
            &channel,
            "text i=mine",
            body,
        ])
    };
    let (first, again) = (publish("once"), publish("twice"));
    assert_eq!(first.split("\r\n").nth(4), again.split("\r\n").nth(4));
    assert_eq!(here.told(1), [got("once", 1)]);
    assert_eq!(here.since(&[]).0.offset, 1);
}
