//! The activity of each session, readable from any thread.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::borrow::Borrow;
use core::hash::{Hash, Hasher};
use core::sync::atomic::{AtomicU32, Ordering};
use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::histogram::Counter;
use super::metrics::Kind;
use crate::app::channels::format::Delivery;
use crate::coding::stream::Position;
use crate::net::{Exchange, Peer};

/// The counts of one session, written by its loop; a reader may see them at different times.
#[derive(Debug)]
pub(crate) struct Activity {
    id: u64,
    kind: Kind,
    peer: Option<Peer>,
    exchange: Exchange,
    opened: u32, // seconds since 1970-01-01, as below: until 2106
    received: Counter,
    bytes_received: Counter,
    sent: Counter,
    bytes_sent: Counter,
    last: AtomicU32,
    special: Option<Box<Special>>,
}

#[derive(Debug, Default)]
struct Special {
    /// How far the stream has come, if it is coded.
    coded: Option<Position>,
    delivery: Delivery,
}

impl Activity {
    /// The counts of a session that opens at `now`, in seconds since
    /// 1970-01-01.
    pub(crate) fn new(
        id: u64,
        kind: Kind,
        peer: Option<Peer>,
        exchange: Exchange,
        now: u64,
    ) -> Self {
        Self {
            id,
            kind,
            peer,
            exchange,
            opened: seconds(now),
            received: Counter::default(),
            bytes_received: Counter::default(),
            sent: Counter::default(),
            bytes_sent: Counter::default(),
            last: AtomicU32::new(seconds(now)),
            special: None,
        }
    }

    pub(crate) fn coded(mut self, position: Option<Position>) -> Self {
        if position.is_some() {
            self.special.get_or_insert_default().coded = position;
        }
        self
    }

    pub(crate) fn delivered_by(mut self, delivery: Delivery) -> Self {
        if !matches!(delivery, Delivery::Direct) {
            self.special.get_or_insert_default().delivery = delivery;
        }
        self
    }

    pub(crate) fn position(&self) -> Option<&Position> {
        self.special.as_ref()?.coded.as_ref()
    }

    #[inline]
    pub(crate) fn delivery(&self) -> &Delivery {
        match &self.special {
            None => &Delivery::Direct,
            Some(special) => &special.delivery,
        }
    }

    pub(crate) fn is_object(&self) -> bool {
        matches!(self.delivery(), Delivery::Object)
    }

    pub(crate) const fn id(&self) -> u64 {
        self.id
    }

    pub(crate) const fn is_stream(&self) -> bool {
        matches!(self.kind, Kind::Events)
    }

    pub(crate) const fn exchange(&self) -> Exchange {
        self.exchange
    }

    pub(crate) const fn peer(&self) -> Option<Peer> {
        self.peer
    }

    /// A part of a message arrived: `bytes` bytes, and the whole with its
    /// `last`.
    pub(crate) fn received(&self, bytes: usize, last: bool, now: u64) {
        self.received.add(u64::from(last));
        self.bytes_received.add(bytes as u64);
        self.last.store(seconds(now), Ordering::Relaxed);
    }

    /// A message of `bytes` bytes was sent.
    pub(crate) fn sent(&self, bytes: usize, now: u64) {
        self.sent.add(1);
        self.bytes_sent.add(bytes as u64);
        self.last.store(seconds(now), Ordering::Relaxed);
    }

    pub(crate) fn bytes_sent(&self) -> u64 {
        self.bytes_sent.get()
    }

    pub(crate) fn snapshot(&self) -> SessionSnapshot {
        SessionSnapshot {
            id: self.id,
            kind: self.kind,
            peer: self.peer,
            opened: u64::from(self.opened),
            messages_received: self.received.get(),
            bytes_received: self.bytes_received.get(),
            messages_sent: self.sent.get(),
            bytes_sent: self.bytes_sent.get(),
            last_activity: u64::from(self.last.load(Ordering::Relaxed)),
        }
    }
}

fn seconds(now: u64) -> u32 {
    u32::try_from(now).unwrap_or(u32::MAX)
}

/// One open session, as [`Hub::sessions`](crate::app::Hub::sessions) found it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionSnapshot {
    /// Its number, unique as long as the app runs and below 2⁵³, so that a
    /// JSON number holds it.
    pub id: u64,
    /// The kind of session.
    pub kind: Kind,
    /// The peer's address.
    pub peer: Option<Peer>,
    /// When it was opened, in seconds since 1970-01-01 00:00:00 UTC.
    pub opened: u64,
    /// Messages that the peer sent.
    pub messages_received: u64,
    /// Bytes of their payloads.
    pub bytes_received: u64,
    /// Messages or events that were sent to the peer.
    pub messages_sent: u64,
    /// Bytes of their payloads; of published ones, bytes as encoded.
    pub bytes_sent: u64,
    /// When the last message passed, in either direction, in seconds since
    /// 1970-01-01 00:00:00 UTC.
    pub last_activity: u64,
}

/// The open sessions of one loop. Locked for opening, ending and reading, never for a message.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    sessions: Mutex<HashSet<Listed>>,
}

/// A session by its number, which it holds itself: half of what a map takes.
#[derive(Debug)]
struct Listed(Arc<Activity>);

impl Borrow<u64> for Listed {
    fn borrow(&self) -> &u64 {
        &self.0.id
    }
}

impl Hash for Listed {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.id.hash(state);
    }
}

impl PartialEq for Listed {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for Listed {}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, HashSet<Listed>> {
        // Every change is one call of the set: a panic leaves it whole.
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, activity: Arc<Activity>) {
        self.lock().insert(Listed(activity));
    }

    pub(crate) fn remove(&self, id: u64) {
        self.lock().remove(&id);
    }

    pub(crate) fn find(&self, id: u64) -> Option<Exchange> {
        self.lock().get(&id).map(|listed| listed.0.exchange)
    }

    pub(crate) fn read(&self, into: &mut Vec<SessionSnapshot>) {
        into.extend(self.lock().iter().map(|listed| listed.0.snapshot()));
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }
}
