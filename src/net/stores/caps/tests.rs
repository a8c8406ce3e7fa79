use super::*;
use crate::net::Share;
use core::net::SocketAddr;
use proptest::prelude::*;

fn peer(text: &str) -> Peer {
    Peer::from(text.parse::<SocketAddr>().unwrap())
}

#[test]
fn an_ipv6_network_is_one_address() {
    let caps = Caps::new();
    let limits = Limits::DEFAULT.with_per_address(1);
    assert_eq!(caps.admit(peer("[2001:db8::1]:1"), &limits), Ok(()));
    assert_eq!(
        caps.admit(peer("[2001:db8::2:0:0:1]:2"), &limits),
        Err(Refused::Address)
    );
    assert_eq!(caps.admit(peer("[2001:db8:0:1::1]:1"), &limits), Ok(()));
    assert_eq!(caps.admit(peer("192.0.2.1:1"), &limits), Ok(()));
    assert_eq!(
        caps.admit(peer("[::ffff:192.0.2.1]:1"), &limits),
        Err(Refused::Address)
    );
    assert_eq!(caps.admit(Peer::Unix, &limits), Ok(()));
    assert_eq!(caps.admit(Peer::Unix, &limits), Ok(()));
    assert_eq!((caps.total(), caps.of(peer("192.0.2.1:9"))), (5, 1));
    for text in ["[2001:db8::1]:1", "[2001:db8:0:1::1]:1", "192.0.2.1:1"] {
        caps.release(peer(text));
    }
    assert_eq!((caps.total(), caps.addresses()), (2, 0));
}

#[test]
fn one_address_takes_no_more_than_its_share_and_a_proxy_has_none() {
    let share = Share {
        all: 6,
        address: 3,
        connection: 2,
    };
    let limits = Limits::DEFAULT.with_timers(share);
    let caps = Caps::new();
    caps.exempt(&ListenOptions::DEFAULT.with_proxies(["10.0.0.0/8".parse().unwrap()]));
    let mut keys = Slab::new();
    let [one, two, three] = [(); 3].map(|()| keys.insert(()));
    let claim =
        |who: &str, connection| caps.claim(Resource::Timers, Some(peer(who)), connection, &limits);
    let mut held: Vec<Claim> = (0..2).map(|_| claim("192.0.2.1:1", one).unwrap()).collect();
    let connection = Exhausted::Connection(Resource::Timers);
    assert_eq!(claim("192.0.2.1:1", one).unwrap_err(), connection);
    held.push(claim("192.0.2.1:2", two).unwrap());
    let address = Exhausted::Address(Resource::Timers);
    assert_eq!(claim("192.0.2.1:3", three).unwrap_err(), address);
    held.push(claim("192.0.2.2:1", three).unwrap());
    held.push(claim("10.1.2.3:1", three).unwrap());
    assert_eq!(caps.addresses(), 2, "a proxy has no line");
    held.push(claim("10.9.9.9:1", one).err().map_or_else(
        || unreachable!(),
        |error| {
            assert_eq!(error, connection, "a connection's share holds for all");
            claim("10.9.9.9:1", two).unwrap()
        },
    ));
    let all = Exhausted::Loop(Resource::Timers);
    assert_eq!(claim("198.51.100.1:1", three).unwrap_err(), all);
    drop(held);
    assert_eq!((caps.taken(Resource::Timers), caps.addresses()), (0, 0));
    assert!(caps.books().connections.is_empty());
}

proptest! {
    #[test]
    fn the_table_counts_what_is_there_and_forgets_what_is_gone(
        steps in prop::collection::vec((0..4u8, 0..4u8, 0..3usize), 0..200),
    ) {
        let caps = Caps::new();
        let share = Share { all: 20, address: 6, connection: 3 };
        let limits = Limits::DEFAULT
            .with_per_address(4)
            .with_timers(share)
            .with_sessions(share)
            .with_memberships(share);
        let mut keys = Slab::new();
        let mut connections: Vec<(u8, Key)> = Vec::new();
        let mut claims: Vec<(u8, Key, usize, Claim)> = Vec::new();
        let who = |n: u8| peer(&alloc::format!("192.0.2.{n}:1"));
        let kinds = [Resource::Timers, Resource::Sessions, Resource::Memberships];
        for (step, n, at) in steps {
            match step {
                0 => {
                    let there = connections.iter().filter(|it| it.0 == n).count();
                    let admitted = caps.admit(who(n), &limits);
                    prop_assert_eq!(admitted.is_ok(), there < 4);
                    if admitted.is_ok() {
                        connections.push((n, keys.insert(())));
                    }
                }
                1 if !connections.is_empty() => {
                    let (n, key) = connections.swap_remove(at % connections.len());
                    keys.remove(key);
                    caps.release(who(n));
                }
                2 if !connections.is_empty() => {
                    let (n, key) = connections[usize::from(n) % connections.len()];
                    let taken = || claims.iter().filter(|it| it.2 == at);
                    let (all, address) = (taken().count(), taken().filter(|it| it.0 == n).count());
                    let own = taken().filter(|it| it.1 == key).count();
                    match caps.claim(kinds[at], Some(who(n)), key, &limits) {
                        Ok(claim) => {
                            prop_assert!(all < 20 && address < 6 && own < 3);
                            claims.push((n, key, at, claim));
                        }
                        Err(Exhausted::Loop(_)) => prop_assert_eq!(all, 20),
                        Err(Exhausted::Connection(_)) => prop_assert_eq!(own, 3),
                        Err(Exhausted::Address(_)) => prop_assert_eq!(address, 6),
                    }
                }
                _ if !claims.is_empty() => {
                    claims.swap_remove(usize::from(n) % claims.len());
                }
                _ => {}
            }
            for n in 0..4 {
                let there = connections.iter().filter(|it| it.0 == n).count();
                prop_assert_eq!(caps.of(who(n)) as usize, there);
            }
        }
        claims.clear();
        for (n, _) in connections {
            caps.release(who(n));
        }
        let books = caps.books();
        prop_assert_eq!((books.total, books.taken), (0, [0; RESOURCES]));
        prop_assert!(books.addresses.is_empty() && books.connections.is_empty());
        prop_assert!(books.lines.is_empty());
    }
}
