//! Memory that peers hold and wait for.
//!
//! ```text
//!   0 ............... 7/8 ............. limit
//!     everybody takes   |  what can wait waits; who lags is closed
//!                       '-- "short"      |
//!                                        '-- no further answer is begun;
//!                                            the newest taking is refused
//! ```

use alloc::{sync::Arc, vec::Vec};
use core::time::Duration;
use std::collections::HashMap;

use bytes::Bytes;

use super::input_buffer::InputBuffer;
use crate::link::{Account, Charge, Link, Pace, SHARED_FROM};
use crate::net::stores::caps::Origin;
use crate::net::stores::memory_use::Seen;
use crate::net::{Caps, Key, Limits, Peer};
use crate::wire::Instant;

/// A read while memory is short and nothing is held: enough for a request's head.
const SHORT_READ: usize = 2 << 10;
/// Between two looks at connections that wait, or lag.
pub(super) const TICK: Duration = Duration::from_millis(100);
/// How long memory for the next user may lie unused.
pub(super) const AGE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) all: Account,
    pub(crate) short: usize,
    pub(super) pace: Pace,
    pub(super) caps: Caps,
    addresses: HashMap<Origin, Account>,
    /// When so many addresses are known, those without memory are forgotten.
    sweep_at: usize,
    pub(super) starved: Vec<Starved>,
    /// The next look at connections that lag is not before this.
    pub(super) next_look: Instant,
    /// The next look at waiting connections and pools; `NEVER` without any.
    pub(super) next: Instant,
    pub(super) next_age: Instant,
    pub(crate) seen: Arc<Seen>,
}

/// A connection that waits for memory.
#[derive(Debug)]
pub(super) struct Starved {
    pub(super) key: Key,
    pub(super) needs: usize,
    pub(super) since: Instant,
}

impl Memory {
    pub(crate) fn new(limits: &Limits, caps: Caps) -> Self {
        Self {
            all: Account::new(limits.memory),
            short: limits.memory - limits.memory / 8,
            pace: Pace {
                rate: limits.memory_pace,
                grace: limits.memory_grace,
            },
            caps,
            addresses: HashMap::new(),
            sweep_at: 64,
            starved: Vec::new(),
            next_look: Instant::START,
            next: Instant::NEVER,
            next_age: Instant::NEVER,
            seen: Arc::default(),
        }
    }

    /// Whether all the memory is taken: nothing further should be begun.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        // Mostly it is not even short.
        self.all.held() >= self.short && self.all.is_full()
    }

    pub(crate) fn open(&mut self, peer: Peer) -> Account {
        self.address(peer).child()
    }

    pub(crate) fn address(&mut self, peer: Peer) -> Account {
        let Some(origin) = self.caps.origin(peer) else {
            return self.all.clone();
        };
        if self.addresses.len() >= self.sweep_at {
            self.addresses.retain(|_, account| !account.is_unused());
            self.sweep_at = 2 * self.addresses.len() + 64;
        }
        let all = &self.all;
        let address = self.addresses.entry(origin).or_insert_with(|| all.child());
        address.clone()
    }

    /// How much to read of at most `size`: a head while memory is short and nothing is held.
    ///
    /// # Errors
    /// The bytes of a further read, if there is no room.
    #[inline]
    pub(super) fn read_size(
        &self,
        link: &Link,
        input_buffer: Option<&InputBuffer>,
        size: usize,
    ) -> Result<usize, usize> {
        let needs =
            input_buffer.map_or(0, |input_buffer| input_buffer.growth(size)) + link.growth(size);
        if self.all.held() + needs <= self.short {
            return Ok(size);
        }
        match (needs, link.account()) {
            (0, None) => Ok(size.min(SHORT_READ)),
            (0, Some(_)) => Ok(size),
            _ => Err(needs),
        }
    }

    /// Bytes that are charged to the loop until the last reference to them is dropped.
    pub(crate) fn shared(&self, bytes: Bytes) -> Bytes {
        struct Shared {
            bytes: Bytes,
            _charge: Charge,
        }
        impl AsRef<[u8]> for Shared {
            fn as_ref(&self) -> &[u8] {
                &self.bytes
            }
        }
        if bytes.len() < SHARED_FROM {
            return bytes; // each copies its own
        }
        let charge = self.all.charge(bytes.len());
        Bytes::from_owner(Shared {
            bytes,
            _charge: charge,
        })
    }

    /// When `Loop::attend_memory` has something to do next.
    #[inline]
    pub(super) fn next(&self) -> Option<Instant> {
        (self.next != Instant::NEVER).then_some(self.next)
    }

    /// Notes that something is kept for the next user, which may never come.
    #[inline]
    pub(super) fn note_pooled(&mut self, now: Instant) {
        if self.next_age == Instant::NEVER {
            self.next_age = now + AGE;
            self.next = self.next.min(self.next_age);
        }
    }
}
