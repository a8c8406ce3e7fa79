use super::*;
use crate::link::{self, Link};
use crate::net::turns::connection::Phase;
use crate::net::{Owner, Peer};
use crate::websocket;
use crate::wire::{Instant, Role};
use core::net::{Ipv4Addr, Ipv6Addr};
use core::time::Duration;

fn at_rest(n: u32) -> Connection {
    let link = Link::rested(link::Resting::Http1([n, 1]), n + 1, 0);
    let peer = match n % 3 {
        0 => Peer::V4(Ipv4Addr::from_bits(n), 80),
        1 => Peer::V6(Ipv6Addr::from_bits(u128::from(n) << 64), 81, n),
        _ => Peer::Unix,
    };
    let mut connection = Connection::new(link, peer, Owner(3), 4, Phase::Open);
    connection.tag = n * 2;
    connection.rested = true;
    connection
}

/// How many are whole.
fn whole(connections: &Connections) -> usize {
    let keys = connections.keys().into_iter();
    keys.filter(|&key| connections.get(key).is_some()).count()
}

fn at_work() -> Connection {
    let link = Link::raw(Role::Server);
    Connection::new(link, Peer::Unix, Owner(0), 0, Phase::Open)
}

#[test]
fn what_is_packed_comes_back_as_it_was() {
    let mut connections = Connections::with_room(0);
    let keys: Vec<Key> = (0..30).map(|n| connections.insert(at_rest(n))).collect();
    end_turn(&mut connections, &keys, 0);
    assert_eq!(whole(&connections), 0);
    assert_eq!(connections.others.long.len(), 10);
    assert_eq!(connections.keys(), keys);
    for (&key, n) in keys.iter().zip(0..) {
        assert!(connections.get(key).is_none());
        let whole = match n % 2 {
            0 => connections.remove(key).map(|record| *record),
            _ => connections
                .get_mut(key)
                .map(|it| mem::replace(it, at_work())),
        };
        let (whole, before) = (whole.unwrap(), at_rest(n));
        let limits = link::Limits::DEFAULT;
        assert_eq!((whole.peer, whole.tag), (before.peer, before.tag));
        assert_eq!((whole.owner, whole.profile), (before.owner, before.profile));
        assert_eq!(whole.link.stream(), before.link.stream());
        assert_eq!(whole.deadline(&limits), before.deadline(&limits));
        assert!(whole.is_at_rest() && whole.rested);
    }
    assert_eq!(
        (connections.keys().len(), connections.others.long.len()),
        (15, 0)
    );
}

/// Ends a turn of each of them, and then the turn of the loop.
fn end_turn(connections: &mut Connections, keys: &[Key], most: usize) {
    for &key in keys {
        let connection = connections.get_mut(key);
        if connection.is_some_and(|it| it.warmth.turn_ended()) {
            connections.list(key);
        }
    }
    connections.pack_beyond(most, false);
}

#[test]
fn few_stay_whole_and_those_at_work_do_whatever_their_number() {
    let mut connections = Connections::with_room(0);
    let mut keys: Vec<Key> = (0..50).map(|n| connections.insert(at_rest(n))).collect();
    end_turn(&mut connections, &keys, 50);
    assert_eq!(whole(&connections), 50);
    keys.extend((0..50).map(|_| connections.insert(at_work())));
    end_turn(&mut connections, &keys, 20);
    assert_eq!(whole(&connections), 50);
    let busy = keys.split_off(50);
    assert!(busy.iter().all(|&key| connections.get(key).is_some()));
    for key in busy {
        connections.remove(key);
    }
    keys.extend((0..20).map(|n| connections.insert(at_rest(n))));
    end_turn(&mut connections, &keys[50..], 10);
    assert_eq!(whole(&connections), 10);
    assert_eq!(connections.others.whole(), 10);
    // Those that come and go meanwhile do not count.
    for n in 0..100 {
        let key = connections.insert(at_rest(n));
        connections.remove(key);
        end_turn(&mut connections, &[], 10);
        assert_eq!(whole(&connections), 10);
    }
}

#[test]
fn one_that_is_wanted_again_soon_stays_whole_until_it_has_rested_for_a_second() {
    let mut connections = Connections::with_room(0);
    let keys: Vec<Key> = (0..30).map(|n| connections.insert(at_rest(n))).collect();
    let mut now = Instant::START;
    connections.begin_turn(now);
    end_turn(&mut connections, &keys, 0);
    assert_eq!((whole(&connections), connections.next(0)), (0, None));
    // Ten of them are busy: they are expanded once, and then stay so.
    for turn in 0..100 {
        now += Duration::from_millis(50);
        connections.begin_turn(now);
        end_turn(&mut connections, &keys[..10], 0);
        assert_eq!(whole(&connections), 10, "turn {turn}");
    }
    assert!(connections.next(0).is_some() && connections.next(10).is_none());
    // They are not used any more, and nothing but time passes.
    let since = now;
    while let Some(next) = connections.next(0) {
        now = next;
        connections.begin_turn(now);
        connections.pack_beyond(0, false);
    }
    assert_eq!(whole(&connections), 0);
    let took = now.saturating_since(since);
    assert!((1..4).contains(&took.as_secs()), "{took:?}");
    // Nobody is kept while memory is short.
    for is_short in [false, true] {
        end_turn(&mut connections, &keys[..10], usize::MAX);
        connections.pack_beyond(0, is_short);
        assert_eq!(whole(&connections), if is_short { 0 } else { 10 });
    }
    // One that comes later is packed immediately.
    now += Duration::from_secs(10);
    connections.begin_turn(now);
    end_turn(&mut connections, &keys[..10], 0);
    assert_eq!(whole(&connections), 0);
}

#[test]
fn a_websocket_keeps_the_limits_of_its_route() {
    let mut connections = Connections::with_room(0);
    let at_rest = |websocket_limits| {
        let machine = websocket::Connection::new(Role::Server, Instant::START);
        let resting = link::Resting::WebSocket(machine.resting().unwrap());
        let link = Link::rested(resting, 7, websocket_limits);
        Connection::new(link, Peer::Unix, Owner(0), 0, Phase::Open)
    };
    let websocket_limits = [0, 1, 255, 256]; // the last ones are too many to be packed
    let keys =
        websocket_limits.map(|websocket_limits| connections.insert(at_rest(websocket_limits)));
    end_turn(&mut connections, &keys, 0);
    assert_eq!(whole(&connections), 1);
    let found = keys.map(|key| connections.get_mut(key).unwrap().link.websocket_limits());
    assert_eq!(found, websocket_limits);
}

#[test]
fn those_that_are_gone_are_forgotten_though_nothing_is_packed() {
    let mut connections = Connections::with_room(0);
    let stay: Vec<Key> = (0..20).map(|n| connections.insert(at_rest(n))).collect();
    end_turn(&mut connections, &stay, usize::MAX);
    for n in 0..10_000 {
        let key = connections.insert(at_rest(n));
        end_turn(&mut connections, &[key], usize::MAX);
        connections.remove(key);
    }
    assert!(connections.lists.listed.capacity() <= 100);
    assert!(
        stay.iter()
            .all(|key| connections.lists.listed.contains(key))
    );
}

#[test]
fn a_place_is_44_bytes() {
    assert_eq!(size_of::<Resting>(), 40);
    assert_eq!(Slab::<Slot>::ENTRY, 44);
}
