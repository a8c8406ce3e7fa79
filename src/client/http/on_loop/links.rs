//! The connections of a client on its loop.

use alloc::collections::VecDeque;
use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::Cell;

use crate::client::connecting::LoopDial;
use crate::client::http::pool::Seats;
use crate::net::{Exchange, Key, Slab};
use crate::wire::Instant;

#[derive(Debug)]
pub(super) struct Link {
    /// The connection's own exchange: over HTTP/1.1 the present one.
    pub(super) exchange: Exchange,
    pub(super) origin: Arc<str>,
    pub(super) born: Instant,
    pub(super) state: LinkState,
}

#[derive(Debug)]
pub(super) enum LinkState {
    Dialling {
        dial: LoopDial,
        /// The call that it is dialled for, if that still waits.
        call: Option<Key>,
        is_awaited: bool,
    },
    Own {
        call: Option<Key>,
    },
    Shared {
        seats: Rc<SharedLink>,
        streams: Vec<(u32, Key)>,
        /// Calls that have a place, and wait until the server allows a stream.
        applying: VecDeque<Key>,
    },
}

/// The pool's record of a connection that calls share.
#[derive(Debug)]
pub(super) struct SharedLink {
    pub(super) link: Cell<Key>,
    pub(super) is_usable: Cell<bool>,
    pub(super) capacity: Cell<usize>,
}

impl Seats for Rc<SharedLink> {
    fn is_usable(&self) -> bool {
        self.is_usable.get()
    }

    fn capacity(&self) -> usize {
        self.capacity.get()
    }

    fn is(&self, other: &Self) -> bool {
        Self::ptr_eq(self, other)
    }
}

impl Link {
    pub(super) fn call_of(&self, stream: u32) -> Option<Key> {
        match &self.state {
            LinkState::Dialling { .. } => None,
            LinkState::Own { call } => *call,
            LinkState::Shared { streams, .. } => {
                let at = streams.binary_search_by_key(&stream, |it| it.0).ok()?;
                streams.get(at).map(|it| it.1)
            }
        }
    }

    pub(super) fn calls(&self) -> Vec<Key> {
        match &self.state {
            LinkState::Dialling { call, .. } | LinkState::Own { call } => {
                call.iter().copied().collect()
            }
            LinkState::Shared {
                streams, applying, ..
            } => {
                let streams = streams.iter().map(|it| it.1);
                streams.chain(applying.iter().copied()).collect()
            }
        }
    }
}

#[derive(Debug)]
pub(super) struct Links(Slab<Link>);

impl Links {
    pub(super) const fn new() -> Self {
        Self(Slab::new())
    }

    /// Adds one, whose exchange is not known yet.
    pub(super) fn insert(&mut self, link: Link) -> Key {
        self.0.insert(link)
    }

    pub(super) const fn tag(key: Key) -> u32 {
        key.slot() + 1
    }

    /// Which connection has this tag on the loop, if it is the same one still.
    pub(super) fn find(&self, tag: u32, exchange: Exchange) -> Option<Key> {
        let key = self.0.key_at(tag.checked_sub(1)?)?;
        let link = self.0.get(key)?;
        (link.exchange.connection == exchange.connection).then_some(key)
    }

    pub(super) fn get(&self, key: Key) -> Option<&Link> {
        self.0.get(key)
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut Link> {
        self.0.get_mut(key)
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<Link> {
        self.0.remove(key)
    }
}
