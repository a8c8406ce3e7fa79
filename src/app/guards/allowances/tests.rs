use alloc::vec::Vec;
use core::time::Duration;

use super::{Allowances, PLACES, Quota, SHARDS};
use crate::wire::Instant;

const SECOND: u64 = 1_000_000_000;
const QUOTA: Quota = Quota {
    interval: SECOND,
    burst: 3,
};

fn at(nanos: u64) -> Instant {
    Instant::from_nanos(nanos)
}

/// Against a list of when each request was allowed: of any burst + n requests the last is at
/// least n intervals after the first.
#[test]
fn no_window_has_more_than_burst_and_rate_allow() {
    let allowances = Allowances::new(1);
    let mut allowed: Vec<u64> = Vec::new();
    let (mut now, mut chance) = (5 * SECOND, 1u64);
    for _ in 0..20_000 {
        chance = chance.wrapping_mul(6364136223846793005).wrapping_add(1);
        now += (chance >> 33) % (2 * SECOND / 3);
        match allowances.take("a", QUOTA, at(now)) {
            Ok(_) => allowed.push(now),
            Err(wait) => {
                assert!(wait > Duration::ZERO && wait <= Duration::from_nanos(SECOND));
                let then = now + wait.as_nanos() as u64;
                // What it was told to wait is enough, and a nanosecond less is not.
                let of = |now| QUOTA.take(allowances_due(&allowances), now).is_ok();
                assert!(of(then) && !of(then - 1));
            }
        }
    }
    for (n, first) in allowed.iter().enumerate() {
        for (ahead, last) in allowed[n..].iter().enumerate().skip(3).take(8) {
            assert!(
                last - first >= (ahead as u64 + 1 - 3) * SECOND,
                "{n} {ahead}"
            );
        }
    }
    assert!(allowed.len() > 2_000, "{}", allowed.len());
}

/// The time of the only key.
fn allowances_due(allowances: &Allowances) -> u64 {
    let shards = allowances.shards.iter().map(|it| it.lock().unwrap());
    shards
        .flat_map(|sets| sets.iter().flatten().map(|it| it[1]).collect::<Vec<_>>())
        .max()
        .unwrap()
}

#[test]
fn what_is_left_and_when_all_is_back_is_told() {
    let allowances = Allowances::new(1);
    let told = |now| {
        let taken = allowances.take("a", QUOTA, at(now));
        taken.map(|it| (it.remaining, it.reset.as_millis()))
    };
    assert_eq!(told(10 * SECOND), Ok((2, 1000)));
    assert_eq!(told(10 * SECOND), Ok((1, 2000)));
    assert_eq!(told(10 * SECOND), Ok((0, 3000)));
    assert_eq!(told(10 * SECOND), Err(Duration::from_secs(1)));
    assert_eq!(
        told(10 * SECOND + SECOND / 2),
        Err(Duration::from_millis(500))
    );
    assert_eq!(told(11 * SECOND), Ok((0, 3000)));
    assert_eq!(told(100 * SECOND), Ok((2, 1000)));
}

/// An attacker with ever new keys takes no more memory, and cannot shed what it has used up.
#[test]
fn ever_new_keys_do_not_push_out_those_that_have_used_the_most() {
    let allowances = Allowances::new(SHARDS * PLACES);
    let now = at(SECOND);
    for _ in 0..3 {
        allowances.take("spent", QUOTA, now).unwrap();
    }
    for key in 0..100_000u32 {
        allowances.take(key, QUOTA, now).unwrap();
    }
    assert!(allowances.take("spent", QUOTA, now).is_err());
    let sets: usize = allowances
        .shards
        .iter()
        .map(|it| it.lock().unwrap().len())
        .sum();
    assert_eq!(sets, SHARDS);
}

/// As many keys as there is room for are kept apart.
#[test]
fn keys_that_fit_are_kept_apart() {
    let allowances = Allowances::new(8 * 1000);
    let now = at(SECOND);
    for _ in 0..2 {
        for key in 0..1000u32 {
            allowances.take(key, QUOTA, now).unwrap();
        }
    }
    let spent = |key: &u32| allowances.take(key, QUOTA, now).unwrap().remaining == 0;
    assert_eq!((0..1000u32).filter(spent).count(), 1000);
}
