//! The metrics of an app.
//!
//! Every loop has a block of counters of its own that no other thread writes,
//! so that counting is a plain load and store in the loop's own cache. Readers
//! sum the blocks.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::sync::atomic::Ordering::Relaxed;
use core::time::Duration;
use std::sync::{Mutex, PoisonError};

use super::channel_totals::{ChannelReader, ChannelTotals};
use super::codings::{Codec, CodingCount, Codings, Direction, ways};
use super::histogram::Counter;
use super::histogram::Histogram;
pub use super::kind::Kind;
use crate::app::blocking::pool::{Counts, Pool};
use crate::http::{Method, Status};
use crate::net::{CompressionCounts, HandshakeCounts, MemoryUse, ResourceCounts};
use crate::wire::durations::Durations;

/// The methods told apart; others, and heads that could not be read, are counted together.
const METHODS: [&str; UNKNOWN + 1] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "other",
    "unknown",
];
const UNKNOWN: usize = Method::NAMED + 1;
/// Status codes from 100 to 599.
const CODES: usize = 500;

/// The counters of one loop. Aligned to two cache lines, so that no other
/// loop's lie beside them (processors fetch lines in pairs).
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Block {
    replies: Box<[Counter]>, // METHODS x CODES
    durations: Histogram,
    sessions: [Counter; Kind::ALL.len()],
    sessions_opened: [Counter; Kind::ALL.len()],
    pub(crate) counters: Counters,
    codings: Box<Codings>,
}

impl Block {
    fn new() -> Self {
        Self {
            replies: (0..METHODS.len() * CODES)
                .map(|_| Counter::default())
                .collect(),
            durations: Histogram::default(),
            sessions: Default::default(),
            sessions_opened: Default::default(),
            counters: Counters::default(),
            codings: Box::default(),
        }
    }

    /// A reply's head has left. The method is empty where the request's head
    /// could not be read.
    #[inline]
    pub(crate) fn answered(&self, method: Method<'_>, status: Status) {
        let row = match method {
            Method::Extension("") => UNKNOWN,
            method => method.index(),
        };
        let code = usize::from(status.code()).saturating_sub(100);
        if let Some(counter) = self.replies.get(row * CODES + code) {
            counter.add(1);
        }
    }

    pub(crate) fn took(&self, time: Duration, requests: u64) {
        self.durations.add(time, requests);
    }

    /// Counts requests that each took `nanos` nanoseconds to answer.
    pub(crate) fn took_nanos(&self, nanos: u64, requests: u64) {
        self.durations.add_nanos(nanos, requests);
    }

    pub(crate) fn connection_opened(&self) {
        self.counters.connections_total.add(1);
        self.counters.connections_active.add(1);
    }

    pub(crate) fn connection_closed(&self) {
        self.counters.connections_active.sub(1);
    }

    pub(crate) fn session_opened(&self, kind: Kind) {
        let at = kind.index();
        for counters in [&self.sessions_opened, &self.sessions] {
            if let Some(counter) = counters.get(at) {
                counter.add(1);
            }
        }
    }

    pub(crate) fn session_closed(&self, kind: Kind) {
        if let Some(counter) = self.sessions.get(kind.index()) {
            counter.sub(1);
        }
    }

    /// A message of a WebSocket, an event stream or a call has been received completely.
    pub(crate) fn received_message(&self, bytes: usize) {
        self.counters.messages_in.add(1);
        self.counters.bytes_in.add(bytes as u64);
    }

    pub(crate) fn sent_messages(&self, messages: usize, bytes: usize) {
        self.counters.messages_out.add(messages as u64);
        self.counters.bytes_out.add(bytes as u64);
    }

    pub(crate) fn received_body(&self, bytes: usize) {
        self.counters.bytes_in.add(bytes as u64);
    }

    pub(crate) fn sent_body(&self, bytes: usize) {
        self.counters.bytes_out.add(bytes as u64);
    }

    /// Something has been coded and sent, or received and decoded: so many `plain`
    /// bytes, which are or were so many `coded` ones.
    pub(crate) fn coded(&self, way: (Kind, Codec, Direction), plain: usize, coded: usize) {
        self.codings.add(way, plain, coded);
    }

    pub(crate) fn held(&self) {
        self.counters.held.add(1);
    }

    pub(crate) fn dropped_trailers(&self, fields: u16) {
        if fields > 0 {
            self.counters.trailers_dropped.add(u64::from(fields));
        }
    }

    pub(crate) fn panicked(&self) {
        self.counters.panics.add(1);
    }
}

/// The counters of all loops of an app. Clones reach the same counters.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    blocks: Arc<Mutex<Vec<Arc<Block>>>>,
    pool: Pool, // counts for itself
    memory: Arc<Mutex<Vec<MemoryUse>>>,
    handshakes: Arc<Mutex<Vec<HandshakeCounts>>>,
    compression: Arc<Mutex<Vec<CompressionCounts>>>,
    resources: Arc<Mutex<Vec<ResourceCounts>>>,
    channels: Arc<ChannelReader>,
}

impl Metrics {
    pub(crate) fn join(&self) -> Arc<Block> {
        let block = Arc::new(Block::new());
        self.blocks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(block.clone());
        block
    }

    pub(crate) const fn pool(&self) -> &Pool {
        &self.pool
    }

    pub(crate) fn join_memory(&self, memory: MemoryUse) {
        self.memory
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(memory);
    }

    pub(crate) fn join_handshakes(&self, handshakes: HandshakeCounts) {
        self.handshakes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(handshakes);
    }

    pub(in crate::app) fn join_compression(&self, compression: CompressionCounts) {
        self.compression
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(compression);
    }

    pub(in crate::app) fn join_resources(&self, resources: ResourceCounts) {
        self.resources
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(resources);
    }

    pub(in crate::app) fn read_channels(
        &self,
        read: impl Fn() -> ChannelTotals + Send + Sync + 'static,
    ) {
        self.channels.set(read);
    }

    /// The sums over all loops. Each number is right for itself; numbers that
    /// are counted one after the other may be one apart.
    pub fn snapshot(&self) -> MetricsSnapshot {
        let mut snapshot = MetricsSnapshot::default();
        snapshot.read_pool(self.pool.counts());
        snapshot.channels = self.channels.read();
        let mut replies = alloc::vec![0; METHODS.len() * CODES];
        snapshot.codings = ways();
        for block in &*self.blocks.lock().unwrap_or_else(PoisonError::into_inner) {
            for (sum, counter) in replies.iter_mut().zip(&block.replies) {
                *sum += counter.get();
            }
            snapshot.add(block);
        }
        snapshot.codings.retain(|it| it.plain > 0);
        let memory = self.memory.lock();
        snapshot.memory = memory.unwrap_or_else(PoisonError::into_inner).clone();
        let handshakes = self.handshakes.lock();
        snapshot.handshakes = handshakes.unwrap_or_else(PoisonError::into_inner).clone();
        let compression = self.compression.lock();
        snapshot.compression = compression.unwrap_or_else(PoisonError::into_inner).clone();
        let resources = self.resources.lock();
        snapshot.resources = resources.unwrap_or_else(PoisonError::into_inner).clone();
        for (at, count) in replies
            .into_iter()
            .enumerate()
            .filter(|&(_, count)| count > 0)
        {
            let method = METHODS.get(at / CODES).copied().unwrap_or("other");
            let Some(status) = Status::new((at % CODES) as u16 + 100) else {
                continue;
            };
            snapshot.requests.push(RequestCount {
                method,
                status,
                count,
            });
        }
        snapshot
    }
}

/// The replies with one status to requests of one method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestCount {
    /// The method; `other` for all that RFC 9110 and RFC 5789 do not name,
    /// `unknown` where the head could not be read.
    pub method: &'static str,
    /// The status.
    pub status: Status,
    /// How many.
    pub count: u64,
}

/// Declares the numbers without labels in one place: name, exposition and help.
macro_rules! numbers {
    (
        loops: {$($(#[$doc:meta])* $field:ident: $name:literal $help:literal,)*}
        pool: {$($(#[$pool_doc:meta])* $pool_field:ident $count:ident: $pool_name:literal $pool_help:literal,)*}
    ) => {
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $(pub(crate) $field: Counter,)*
        }

        /// The sums of an app's counters at one moment.
        #[derive(Debug, Clone, Default)]
        #[non_exhaustive]
        pub struct MetricsSnapshot {
            /// Requests by method and status; none that is zero.
            pub requests: Vec<RequestCount>,
            /// From the turn of the loop in which the head of a request was read to the
            /// head of its reply; to the end of its batch for one that was given
            /// immediately, where no middleware looks at the head.
            pub durations: Durations,
            /// Content codings, by kind, coding and direction; none that is nothing.
            pub codings: Vec<CodingCount>,
            /// The channels.
            pub channels: ChannelTotals,
            $($(#[$doc])* pub $field: u64,)*
            $($(#[$pool_doc])* pub $pool_field: u64,)*
            /// Memory that each loop holds for its peers, in no order. Each value is
            /// the current one whenever it is read.
            pub memory: Vec<MemoryUse>,
            /// Handshakes of each loop's transports, in the same order, read likewise.
            pub handshakes: Vec<HandshakeCounts>,
            /// Compression of WebSocket messages on each loop, in the same order, read
            /// likewise.
            pub compression: Vec<CompressionCounts>,
            /// Timers, sessions, futures and so on of each loop, in the same order, read
            /// likewise.
            pub resources: Vec<ResourceCounts>,
            sessions: [u64; Kind::ALL.len()],
            sessions_total: [u64; Kind::ALL.len()],
        }

        impl MetricsSnapshot {
            fn add_counters(&mut self, counters: &Counters) {
                $(self.$field += counters.$field.get();)*
            }

            fn read_pool(&mut self, counts: &Counts) {
                $(self.$pool_field = counts.$count.load(Relaxed);)*
            }

            /// The numbers without labels, and how each is exposed.
            pub(super) fn numbers(&self) -> impl Iterator<Item = Number> {
                let of_loops = [$(Number {
                    name: $name,
                    help: $help,
                    value: self.$field,
                },)*];
                let of_pool = [$(Number {
                    name: $pool_name,
                    help: $pool_help,
                    value: self.$pool_field,
                },)*];
                of_loops.into_iter().chain(of_pool)
            }
        }
    };
}

/// A number without labels, as it is exposed.
pub(super) struct Number {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) value: u64,
}

numbers! {
    loops: {
        /// Connections since the start.
        connections_total: "connections_total" "Connections accepted.",
        /// Connections open now.
        connections_active: "connections_active" "Connections open now.",
        /// Messages received by WebSockets and calls.
        messages_in: "messages_received_total" "Messages received.",
        /// Messages and events sent.
        messages_out: "messages_sent_total" "Messages and events sent.",
        /// Bytes of bodies and messages received.
        bytes_in: "received_bytes_total" "Bytes of bodies and messages received.",
        /// Bytes of bodies and messages sent.
        bytes_out: "sent_bytes_total" "Bytes of bodies and messages sent.",
        /// Fields of trailer sections that may not stand there and were left out
        /// (RFC 9110 §6.5.1).
        trailers_dropped: "trailers_dropped_total"
            "Trailers left out because they may not stand there.",
        /// Panics of closures and objects of the app.
        panics: "panics_total" "Panics of the application.",
        /// Futures that a reply or a call waited for in vain
        /// ([`Limits::reply`](crate::link::Limits::reply), deadlines).
        futures_timed_out: "futures_timed_out_total"
            "Futures that a reply or a call waited for in vain.",
        /// Times that a closure or an object of the app held its loop up, and with it
        /// everybody there, for more than 100 ms: work that belongs into
        /// [`Reply::blocking`](crate::app::Reply::blocking).
        held: "loop_held_total" "Handlers that held their loop up for more than 100 ms.",
        /// Sessions that came back to a channel and got all that they had missed.
        channel_recoveries: "channel_recoveries_total"
            "Sessions that came back to a channel and got all that they had missed.",
        /// Sessions that came back to a channel and were told that something is missing.
        channel_recoveries_failed: "channel_recoveries_failed_total"
            "Sessions that came back to a channel and were told that something is missing.",
        /// Slow members of channels that were sent away
        /// ([`SlowMembers::Close`](crate::app::SlowMembers::Close)).
        slow_members_closed: "slow_members_closed_total"
            "Slow members of channels that were sent away.",
        /// Slow members of channels that got nothing for a time.
        slow_members_left_out: "slow_members_left_out_total"
            "Slow members of channels that got nothing for a time.",
        /// Publications that slow members were not given.
        publications_left_out: "publications_left_out_total"
            "Publications that slow members were not given.",
        /// Members of channels that were sent away because publications were lost on the way
        /// to them and could not be looked up.
        members_lost: "channel_members_lost_total"
            "Members of channels that were sent away because publications were lost.",
    }
    pool: {
        /// Jobs of blocking work that run now.
        blocking_running running: "blocking_jobs_running"
            "Jobs of blocking work that run now.",
        /// Jobs of blocking work that wait for a thread now.
        blocking_waiting waiting: "blocking_jobs_waiting"
            "Jobs of blocking work that wait for a thread now.",
        /// Jobs of blocking work that have run since the start.
        blocking_total done: "blocking_jobs_total" "Jobs of blocking work that have run.",
        /// Jobs of blocking work that were refused for want of room.
        blocking_refused refused: "blocking_jobs_refused_total"
            "Jobs of blocking work that there was no room for.",
    }
}

impl MetricsSnapshot {
    fn add(&mut self, block: &Block) {
        block.durations.read(&mut self.durations);
        block.codings.read(&mut self.codings);
        self.add_counters(&block.counters);
        let sessions = self.sessions.iter_mut().zip(&block.sessions);
        let total = self.sessions_total.iter_mut().zip(&block.sessions_opened);
        for (sum, counter) in sessions.chain(total) {
            *sum += counter.get();
        }
    }

    /// Requests answered with a status below 400.
    pub fn successful(&self) -> u64 {
        self.count_where(|status| !status.is_error())
    }

    /// Requests answered with a status of 400 or above.
    pub fn failed(&self) -> u64 {
        self.count_where(Status::is_error)
    }

    /// All requests answered.
    pub fn total(&self) -> u64 {
        self.count_where(|_| true)
    }

    fn count_where(&self, is: impl Fn(Status) -> bool) -> u64 {
        self.requests
            .iter()
            .filter(|it| is(it.status))
            .map(|it| it.count)
            .sum()
    }

    /// Sessions of this kind that are open now.
    pub fn sessions_active(&self, kind: Kind) -> u64 {
        self.sessions.get(kind.index()).copied().unwrap_or(0)
    }

    /// Sessions of this kind since the start.
    pub fn sessions_total(&self, kind: Kind) -> u64 {
        self.sessions_total.get(kind.index()).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
