//! The part of a backplane that all threads share: its inbox and its counters.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::counts::Counts;
use super::options::WhileRedisAway;
use super::redis_limits::RedisLimits;
use crate::app::channels::backplane::{Inlet, Later, Past};
use crate::app::channels::history::History;
use crate::app::channels::position::Position;
use crate::app::channels::presence::Present;
use crate::app::channels::publication::Publication;

/// What a channel's line asks of the thread that has the connections.
pub(crate) enum Command {
    Open(u64, String, Option<History>, Inlet),
    FirstMember(u64),
    LastMember(u64),
    Close(u64),
    /// The broker is to tell who comes and goes; by this name.
    Announce(u64, Box<str>),
    Publish(u64, Publication, Later<Option<Position>>, Claimed),
    History(u64, Vec<Position>, Later<Past>, Claimed),
    Enter(u64, Present),
    Leave(u64, u64),
    Present(u64, usize, Later<Vec<Present>>, Claimed),
}

/// A place among what waits, given back when it is dropped.
pub(crate) struct Claimed {
    shared: Arc<Shared>,
    bytes: usize,
}

impl Drop for Claimed {
    fn drop(&mut self) {
        let counts = &self.shared.counts;
        counts.waiting.fetch_sub(1, Ordering::Relaxed);
        counts
            .waiting_bytes
            .fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl fmt::Debug for Claimed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Claimed").field(&self.bytes).finish()
    }
}

/// Wakes the thread.
type Wake = Box<dyn Fn() + Send + Sync>;

/// What all threads share.
pub(crate) struct Shared {
    pub(crate) counts: Counts,
    pub(crate) limits: RedisLimits,
    away: WhileRedisAway,
    inbox: Mutex<Vec<Command>>,
    wake: OnceLock<Wake>,
    next_channel: AtomicU64,
}

impl Shared {
    pub(crate) fn new(limits: RedisLimits, away: WhileRedisAway) -> Self {
        Self {
            counts: Counts::default(),
            limits,
            away,
            inbox: Mutex::new(Vec::new()),
            wake: OnceLock::new(),
            next_channel: AtomicU64::new(1),
        }
    }

    /// How the thread is woken from now on.
    pub(crate) fn set_wake(&self, wake: Wake) {
        let _ = self.wake.set(wake); // of one thread
    }

    /// The number of a further channel.
    pub(crate) fn next_channel(&self) -> u64 {
        self.next_channel.fetch_add(1, Ordering::Relaxed)
    }

    /// Whether publications are to be refused.
    pub(crate) fn is_refusing(&self) -> bool {
        let is_connected = self.counts.is_connected.load(Ordering::Relaxed);
        self.away == WhileRedisAway::Refuse && !is_connected
    }

    /// Takes a place for something of so many bytes; `None` if there is no room.
    pub(crate) fn claim(self: &Arc<Self>, bytes: usize) -> Option<Claimed> {
        let Counts {
            waiting,
            waiting_bytes,
            ..
        } = &self.counts;
        let many = waiting.fetch_add(1, Ordering::Relaxed);
        let much = waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        let claimed = Claimed {
            shared: self.clone(),
            bytes,
        };
        let has_room =
            many < self.limits.queue && (much == 0 || much + bytes <= self.limits.queue_bytes);
        has_room.then_some(claimed)
    }

    /// Gives the thread something to do.
    pub(crate) fn send(&self, command: Command) {
        let mut inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = inbox.is_empty();
        inbox.push(command);
        drop(inbox);
        if is_first && let Some(wake) = self.wake.get() {
            wake();
        }
    }

    /// All there is to do.
    pub(crate) fn take(&self) -> Vec<Command> {
        let mut inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        core::mem::take(&mut *inbox)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}
