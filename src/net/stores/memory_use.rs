//! A loop's use of memory, to be read from any thread.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use crate::link::Account;

/// How much memory a loop holds for its peers, and what became of those that
/// there was too little for. Any thread may look.
///
/// ```
/// use barewire::net::{Limits, Loop};
///
/// # fn main() -> Result<(), barewire::net::Error> {
/// let events = Loop::new(Limits::DEFAULT)?;
/// let memory = events.memory();
/// assert!(memory.held() <= memory.limit());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct MemoryUse {
    account: Account,
    seen: Arc<Seen>,
}

#[derive(Debug, Default)]
pub(crate) struct Seen {
    of_connection: AtomicUsize,
    of_address: AtomicUsize,
    evicted: AtomicU64,
    starved: AtomicU64,
    refused: AtomicU64,
}

impl Seen {
    pub(crate) fn note(&self, of_connection: usize, of_address: usize) {
        self.of_connection.store(of_connection, Relaxed);
        self.of_address.store(of_address, Relaxed);
    }

    pub(crate) fn evicted(&self) {
        self.evicted.fetch_add(1, Relaxed);
    }

    pub(crate) fn starved(&self) {
        self.starved.fetch_add(1, Relaxed);
    }

    pub(crate) fn refused(&self) {
        self.refused.fetch_add(1, Relaxed);
    }
}

impl MemoryUse {
    pub(in crate::net) const fn new(account: Account, seen: Arc<Seen>) -> Self {
        Self { account, seen }
    }

    /// Bytes held now, for peers and for the next user of a buffer.
    pub fn held(&self) -> usize {
        self.account.held()
    }

    /// The most bytes that were held at one time.
    pub fn peak(&self) -> usize {
        self.account.peak()
    }

    /// How many there may be:
    /// [`Limits::memory`](crate::net::Limits::memory).
    pub fn limit(&self) -> usize {
        self.account.limit()
    }

    /// Bytes that peers may send without asking: the windows of their HTTP/2
    /// connections.
    pub fn promised(&self) -> usize {
        self.account.promised()
    }

    /// The most bytes that one connection held when the loop looked last: while
    /// memory is short it does so ten times a second.
    pub fn of_connection(&self) -> usize {
        self.seen.of_connection.load(Relaxed)
    }

    /// The most that one peer's address held then: an IPv4 address, or an IPv6
    /// /64.
    pub fn of_address(&self) -> usize {
        self.seen.of_address.load(Relaxed)
    }

    /// Connections that were ended to make room, since they moved too little of
    /// what was held for them.
    pub fn evicted(&self) -> u64 {
        self.seen.evicted.load(Relaxed)
    }

    /// How often a connection or its streams had to wait for memory.
    pub fn starved(&self) -> u64 {
        self.seen.starved.load(Relaxed)
    }

    /// Requests, streams and connections that were refused because there was
    /// no memory in time.
    pub fn refused(&self) -> u64 {
        self.seen.refused.load(Relaxed)
    }
}
