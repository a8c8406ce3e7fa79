use super::*;
use crate::link::Unreachable;

const REFUSED: EndReason = EndReason::Unreachable(Unreachable::Refused);
const WHOSE: Key = Key::NONE;

fn pool(most: usize) -> Pool {
    let mut pool = Pool::new("a", Duration::from_secs(100), 1);
    pool.set_unshared(most);
    pool
}

/// A connection that carries an exchange.
fn busy(pool: &mut Pool, now: Instant) -> LinkId {
    let link = pool.dial(now);
    pool.opened(link);
    pool.find(link).unwrap().add(1, WHOSE);
    link
}

#[test]
fn the_first_connection_shows_that_the_server_is_there() {
    let (mut pool, now) = (pool(3), Instant::START);
    assert_eq!(pool.next_dial(5), Some(now));
    let first = pool.dial(now);
    assert_eq!(pool.next_dial(5), None);
    pool.opened(first);
    assert_eq!(pool.next_dial(1), None); // it is at rest
    pool.find(first).unwrap().add(1, WHOSE);
    assert_eq!(pool.next_dial(2), Some(now));
    pool.dial(now);
    assert_eq!(pool.next_dial(1), None);
    assert_eq!(pool.next_dial(2), Some(now));
    pool.dial(now);
    assert_eq!(pool.next_dial(9), None); // three are all
}

#[test]
fn a_server_that_takes_no_further_connection_is_not_down() {
    let (mut pool, now) = (pool(9), Instant::START);
    busy(&mut pool, now);
    let further = pool.dial(now);
    assert!(pool.lost(further, REFUSED).is_none());
    assert!(pool.is_down(now).is_none());
    // It is asked again later, whatever it answers meanwhile.
    pool.answered();
    assert!(pool.next_dial(1).unwrap() > now);
    let later = pool.next_dial(1).unwrap();
    busy(&mut pool, later);
    assert_eq!(pool.next_dial(1), Some(Instant::START));
}

#[test]
fn a_server_without_any_connection_is_down() {
    let (mut pool, now) = (pool(9), Instant::START);
    let link = pool.dial(now);
    assert!(pool.lost(link, REFUSED).is_some());
    assert!(pool.is_down(now).is_some());
    assert!(pool.next_dial(1).unwrap() > now);
}

#[test]
fn one_connection_is_enough_where_exchanges_share_it() {
    let mut pool = Pool::new("a", Duration::from_secs(100), 1);
    let link = pool.dial(Instant::START);
    pool.opened(link);
    pool.greeted(link);
    pool.find(link).unwrap().add(1, WHOSE);
    assert_eq!(pool.next_dial(100), None);
}
