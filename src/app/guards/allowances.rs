//! How much each key has used of what it may: GCRA, in memory of a fixed size.
//!
//! The generic cell rate algorithm (ITU-T I.371, "virtual scheduling") keeps one time for a key:
//! when all that it has used will have come back. A request moves that time on by one interval,
//! and is refused if it lies further ahead than the burst reaches.
//!
//! ```text
//!           key ── SipHash, keyed ──► 64 bits: which shard, which set, and who in it
//!
//!  shard (locked)   set: [ key, due │ key, due │ ... ]    8 places, 128 bytes
//! ```
//!
//! Keys themselves are not kept. Where all places of a set are taken, the one whose time is
//! first gives way: one whose time has passed tells nothing that a new key would not, and of
//! the others it has used the least.

use alloc::boxed::Box;
use alloc::vec;
use core::hash::{BuildHasher, Hash};
use core::time::Duration;
use std::hash::RandomState;
use std::sync::{Mutex, PoisonError};

use crate::wire::Instant;

const PLACES: usize = 8;
const SHARDS: usize = 16;

/// A place: a key's hash, 0 where it is free, and when all that it has used is back.
type Place = [u64; 2];

type Sets = Box<[[Place; PLACES]]>;

/// What one key may do: times in nanoseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quota {
    /// From one request to the next.
    pub(super) interval: u64,
    /// Requests in one moment.
    pub(super) burst: u32,
}

impl Quota {
    /// The time in which everything that was used comes back.
    pub(super) const fn window(self) -> u64 {
        self.interval.saturating_mul(self.burst as u64)
    }

    /// Takes one of what is due at `due`: when all is due then, or the time to wait.
    const fn take(self, due: u64, now: u64) -> Result<u64, u64> {
        let start = if due > now { due } else { now };
        let end = start.saturating_add(self.interval);
        let latest = now.saturating_add(self.window());
        if end > latest {
            return Err(end - latest);
        }
        Ok(end)
    }
}

/// What a key may still do after a request that it was allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Further requests that would be allowed in this moment.
    pub remaining: u32,
    /// The time after which everything that was used has come back.
    pub reset: Duration,
}

#[derive(Debug)]
pub(super) struct Allowances {
    shards: Box<[Mutex<Sets>]>,
    hasher: RandomState,
}

impl Allowances {
    /// Room for at least so many keys.
    pub(super) fn new(keys: usize) -> Self {
        let sets = keys.div_ceil(SHARDS * PLACES).max(1);
        let shard = |_| Mutex::new(vec![[[0; 2]; PLACES]; sets].into());
        Self {
            shards: (0..SHARDS).map(shard).collect(),
            hasher: RandomState::new(),
        }
    }

    /// Takes one for a key, or says after which time there is one.
    pub(super) fn take(
        &self,
        key: impl Hash,
        quota: Quota,
        now: Instant,
    ) -> Result<Allowance, Duration> {
        self.take_hashed(self.hasher.hash_one(key), quota, now)
    }

    pub(super) const fn hasher(&self) -> &RandomState {
        &self.hasher
    }

    pub(super) fn take_hashed(
        &self,
        hash: u64,
        quota: Quota,
        now: Instant,
    ) -> Result<Allowance, Duration> {
        let (hash, now) = (hash.max(1), now.as_nanos());
        let shard = &self.shards[(hash >> 60) as usize % SHARDS];
        let mut sets = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let nth = ((hash & 0xffff_ffff) * sets.len() as u64) >> 32;
        let set = &mut sets[nth as usize]; // less than their number
        let mut first = 0;
        let mut own = None;
        for (at, [key, due]) in set.iter().enumerate() {
            if *key == hash {
                own = Some(at);
                break;
            }
            if *due < set[first][1] {
                first = at;
            }
        }
        let due = own.map_or(0, |at| set[at][1]);
        let end = quota.take(due, now).map_err(Duration::from_nanos)?;
        set[own.unwrap_or(first)] = [hash, end];
        let used = end - now;
        let remaining = (quota.window() - used).checked_div(quota.interval);
        Ok(Allowance {
            remaining: remaining.unwrap_or(0) as u32, // at most the burst
            reset: Duration::from_nanos(used),
        })
    }
}

#[cfg(test)]
mod tests;
