//! The share of one address, and of one connection, in a loop's timers, sessions
//! and other resources.
//!
//! ```text
//!   loop:        connections  timers  sessions  memberships     each with a cap
//!   address ──► [     3          7       3           12      ]  one line of a table
//!   connection ──────► [         2                    4      ]  one line, while not 0
//!                                ▲
//!                                └─ a Claim: dropped, it gives back what it took
//! ```
//!
//! A line is there as long as something is counted in it, so that the table has
//! at most as many lines as there are connections and claims, and some thousands
//! for what was spent of the protocols' rates and has not flowed back.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::resource::{Exhausted, RESOURCES, Resource};
use crate::link::{self, Spent};
use crate::net::{Key, Limits, ListenOptions, Network, Peer, Slab};
use crate::wire::Instant;

/// The unit that counts as one address: an IPv6 host commonly owns a /64 (RFC 6177 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Origin {
    V4(u32),
    V6(u64),
}

/// Which cap a connection met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Refused {
    /// There are [`connections`](Limits::connections).
    Total,
    /// There are [`per_address`](Limits::per_address) of its address.
    Address,
}

impl Refused {
    /// The limit's name, for the log.
    pub(crate) const fn limit(self) -> &'static str {
        match self {
            Self::Total => "Limits::connections",
            Self::Address => "Limits::per_address",
        }
    }
}

/// Counts what is taken of a loop: connections, and what they hold of each
/// [`Resource`]. A handle; clones count in the same place. Only the loop takes
/// connections in; claims are taken and given back by threads for blocking work, too.
#[derive(Debug, Clone, Default)]
pub(crate) struct Caps(Arc<Mutex<Books>>);

#[derive(Debug, Default)]
struct Books {
    total: u32,
    taken: [u32; RESOURCES],
    /// Claims that were refused.
    refused: [u64; RESOURCES],
    lines: Slab<Line>,
    /// The line of each address. Keyed at random, so that peers cannot make it
    /// slow.
    addresses: HashMap<Origin, Key>,
    connections: HashMap<Key, [u32; RESOURCES]>,
    proxies: Vec<Network>,
    /// Proxies that say nothing by the PROXY protocol.
    forwarders: Vec<Network>,
    /// The lines with something spent, and until when it is kept, in that order.
    spenders: VecDeque<(Key, Instant)>,
}

/// The record of one address.
#[derive(Debug)]
struct Line {
    origin: Origin,
    connections: u32,
    taken: [u32; RESOURCES],
    /// The amounts that its connections have spent of the protocols' rates.
    spent: Option<Box<Spent>>,
}

/// For how long it is kept what an address has spent: longer than it takes to
/// flow back, with the rates that are the default.
const KEPT: Duration = Duration::from_secs(60);
/// Addresses that it is kept of.
const SPENDERS: usize = 4_096;

/// A part of a [`Resource`] that is taken. Dropped, on whatever thread, it is given
/// back.
#[derive(Debug)]
pub struct Claim {
    caps: Caps,
    line: u32, // the slot of the address's line, which stays as long as this
    connection: Key,
    resource: Resource,
}

/// The line of a claim that counts for no address.
const NO_LINE: u32 = u32::MAX;

impl Caps {
    /// A table without addresses.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// No code of others runs under the lock, so that a poisoned one guards sound
    /// books.
    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Connections that are there.
    #[inline]
    pub(crate) fn total(&self) -> u32 {
        self.books().total
    }

    /// Connections of a peer's address; none is counted for Unix domain
    /// sockets and for proxies.
    #[cfg(test)]
    pub(crate) fn of(&self, peer: Peer) -> u32 {
        let books = self.books();
        books.line(peer).map_or(0, |line| line.connections)
    }

    #[cfg(test)]
    pub(crate) fn taken(&self, resource: Resource) -> u32 {
        self.books().taken[resource.at()]
    }

    /// Addresses that something is counted for.
    #[cfg(test)]
    pub(crate) fn addresses(&self) -> usize {
        self.books().addresses.len()
    }

    /// Counts nothing for these addresses from here on: many clients come from
    /// each of them.
    pub(crate) fn exempt(&self, options: &ListenOptions) {
        let mut books = self.books();
        books.proxies.extend_from_slice(&options.proxies);
        books.forwarders.extend_from_slice(&options.forwarders);
    }

    /// The origin that a peer counts for; none for Unix domain sockets and proxies.
    pub(in crate::net) fn origin(&self, peer: Peer) -> Option<Origin> {
        self.books().origin(peer)
    }

    /// Whether a peer may speak the PROXY protocol: a proxy, or a Unix domain socket.
    pub(crate) fn is_proxy(&self, peer: Peer) -> bool {
        let books = self.books();
        peer.ip()
            .is_none_or(|ip| books.proxies.iter().any(|it| it.contains(ip)))
    }

    /// Lets a connection in, or says which cap it met.
    pub(crate) fn admit(&self, peer: Peer, limits: &Limits) -> Result<(), Refused> {
        if self.total() >= limits.connections {
            return Err(Refused::Total);
        }
        self.admit_address(peer, limits)?;
        self.books().total += 1;
        Ok(())
    }

    /// Counts a connection for its address alone.
    pub(in crate::net) fn admit_address(&self, peer: Peer, limits: &Limits) -> Result<(), Refused> {
        let mut books = self.books();
        let Some(origin) = books.origin(peer) else {
            return Ok(());
        };
        let line = books.open(origin);
        match books.lines.get_mut(line) {
            Some(line) if line.connections >= limits.per_address => Err(Refused::Address),
            Some(line) => {
                line.connections += 1;
                Ok(())
            }
            None => Ok(()), // it has been opened
        }
    }

    /// Notes that a connection which was let in has ended.
    pub(crate) fn release(&self, peer: Peer) {
        let mut books = self.books();
        books.total = books.total.saturating_sub(1);
        let Some(origin) = books.origin(peer) else {
            return;
        };
        let Some(&key) = books.addresses.get(&origin) else {
            return;
        };
        if let Some(line) = books.lines.get_mut(key) {
            line.connections = line.connections.saturating_sub(1);
        }
        books.close_if_empty(key);
    }

    /// Keeps what a connection has spent of its rates for those that come next
    /// from its address.
    pub(in crate::net) fn keep_spent(
        &self,
        peer: Peer,
        spent: Spent,
        limits: &link::Limits,
        now: Instant,
    ) {
        let mut books = self.books();
        books.forget_spent(now);
        let Some(origin) = books.origin(peer) else {
            return;
        };
        let key = books.open(origin);
        let Some(line) = books.lines.get_mut(key) else {
            return;
        };
        let is_new = line.spent.is_none();
        let kept = line.spent.get_or_insert_default();
        kept.settle(limits, now);
        **kept = kept.or_more(spent);
        if is_new {
            books.spenders.push_back((key, now + KEPT));
        }
    }

    /// The amounts that connections of this address have spent.
    #[inline]
    pub(in crate::net) fn spent(
        &self,
        peer: Peer,
        limits: &link::Limits,
        now: Instant,
    ) -> Option<Spent> {
        let books = self.books();
        if books.spenders.is_empty() {
            return None;
        }
        let mut spent = **books.line(peer)?.spent.as_ref()?;
        spent.settle(limits, now).then_some(spent)
    }

    /// Takes one of a resource for an exchange of a connection. `peer` is who is at
    /// its other end; [`Key::NONE`]: it is the application's own.
    ///
    /// # Errors
    /// [`Exhausted`] says whose share is used up.
    pub(crate) fn claim(
        &self,
        resource: Resource,
        peer: Option<Peer>,
        connection: Key,
        limits: &Limits,
    ) -> Result<Claim, Exhausted> {
        let (mut books, share, at) = (self.books(), resource.share(limits), resource.at());
        if books.taken[at] >= share.all {
            return Err(Exhausted::Loop(resource));
        }
        let counted = share.connection < share.address && connection != Key::NONE;
        if counted {
            let taken = books.connections.get(&connection);
            if taken.map_or(0, |taken| taken[at]) >= share.connection {
                return Err(Exhausted::Connection(resource));
            }
        }
        let mut line = NO_LINE;
        if let Some(origin) = peer.and_then(|peer| books.origin(peer)) {
            let key = books.open(origin);
            line = key.slot();
            if let Some(found) = books.lines.get_mut(key) {
                if found.taken[at] >= share.address {
                    books.close_if_empty(key);
                    return Err(Exhausted::Address(resource));
                }
                found.taken[at] += 1;
            }
        }
        books.taken[at] += 1;
        let connection = if counted { connection } else { Key::NONE };
        if counted {
            books.connections.entry(connection).or_default()[at] += 1;
        }
        Ok(Claim {
            caps: self.clone(),
            line,
            connection,
            resource,
        })
    }

    /// Notes that one of a resource was refused.
    pub(in crate::net) fn refuse(&self, resource: Resource) {
        self.books().refused[resource.at()] += 1;
    }

    /// Those of a resource that are taken, and how many were refused.
    pub(super) fn counts(&self, resource: Resource) -> (u32, u64) {
        let (books, at) = (self.books(), resource.at());
        (books.taken[at], books.refused[at])
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let (mut books, at) = (self.caps.books(), self.resource.at());
        books.taken[at] -= 1; // as many as there are claims
        if let Some(key) = books.lines.key_at(self.line)
            && let Some(line) = books.lines.get_mut(key)
        {
            line.taken[at] -= 1;
            books.close_if_empty(key);
        }
        if self.connection != Key::NONE
            && let Some(taken) = books.connections.get_mut(&self.connection)
        {
            taken[at] -= 1;
            if *taken == [0; RESOURCES] {
                books.connections.remove(&self.connection);
            }
        }
    }
}

impl Books {
    /// The address that a peer counts for.
    fn origin(&self, peer: Peer) -> Option<Origin> {
        let ip = peer.ip()?;
        let mut exempt = self.proxies.iter().chain(&self.forwarders);
        if exempt.any(|proxies| proxies.contains(ip)) {
            return None;
        }
        Some(match ip {
            IpAddr::V4(ip) => Origin::V4(ip.to_bits()),
            IpAddr::V6(ip) => Origin::V6((ip.to_bits() >> 64) as u64),
        })
    }

    fn line(&self, peer: Peer) -> Option<&Line> {
        let origin = self.origin(peer)?;
        self.lines.get(*self.addresses.get(&origin)?)
    }

    /// The line of an address, a new one if there is none.
    fn open(&mut self, origin: Origin) -> Key {
        let lines = &mut self.lines;
        *self.addresses.entry(origin).or_insert_with(|| {
            lines.insert(Line {
                origin,
                connections: 0,
                taken: [0; RESOURCES],
                spent: None,
            })
        })
    }

    /// Forgets what has been kept for long enough, or of too many.
    fn forget_spent(&mut self, now: Instant) {
        while let Some(&(key, until)) = self.spenders.front()
            && (until <= now || self.spenders.len() >= SPENDERS)
        {
            self.spenders.pop_front();
            if let Some(line) = self.lines.get_mut(key) {
                line.spent = None;
            }
            self.close_if_empty(key);
        }
    }

    fn close_if_empty(&mut self, key: Key) {
        let empty = |line: &&Line| {
            line.connections == 0 && line.taken == [0; RESOURCES] && line.spent.is_none()
        };
        if let Some(line) = self.lines.get(key).filter(empty) {
            self.addresses.remove(&line.origin);
            self.lines.remove(key);
        }
    }
}

#[cfg(test)]
mod tests;
