//! The sockets of a loop, beside its connections.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::opened::{Fault, Opened};
use super::seam::Transport;
use super::secured::Secured;
use crate::net::stores::slab::grow;
use crate::net::turns::connection::Connection;
use crate::net::{Key, Limits, Poller, Speaks};
use crate::wire::Instant;

/// A loop's sockets by slot, and the transports of those that have one: apart, so that others
/// pay nothing.
#[derive(Debug)]
pub(crate) struct Sockets<S> {
    streams: Vec<Option<S>>,
    secured: Vec<Option<Box<Secured>>>, // as long as the last one needs
    said: Vec<u8>,
    /// Memory that records are sealed in, filled with what it was used for last.
    records: Vec<u8>,
}

pub(super) type SecuredWith<'s> = (&'s mut Secured, &'s mut Vec<u8>);

impl<S> Sockets<S> {
    pub(crate) fn with_room(slots: usize) -> Self {
        Self {
            streams: Vec::with_capacity(slots),
            secured: Vec::new(),
            said: Vec::new(),
            records: Vec::new(),
        }
    }

    /// Puts a socket beside its connection.
    pub(crate) fn seat(&mut self, key: Key, stream: S) {
        *place(&mut self.streams, key) = Some(stream);
    }

    /// Puts a transport before a socket, and what is spoken over it unless its
    /// handshake says otherwise.
    pub(crate) fn secure(&mut self, key: Key, transport: Box<dyn Transport>, speaks: Speaks) {
        *place(&mut self.secured, key) = Some(Box::new(Secured::new(transport, speaks)));
    }

    /// Takes the socket of a connection, and ends its transport.
    pub(crate) fn unseat(&mut self, key: Key) -> Option<S> {
        if let Some(secured) = self.secured.get_mut(key.slot() as usize) {
            *secured = None;
        }
        self.streams.get_mut(key.slot() as usize)?.take()
    }

    #[inline(always)]
    pub(crate) fn get(&self, key: Key) -> Option<&S> {
        self.streams.get(key.slot() as usize)?.as_ref()
    }

    /// The socket of a connection, to be read or written past its transport.
    #[inline(always)]
    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut S> {
        self.streams.get_mut(key.slot() as usize)?.as_mut()
    }

    #[inline(always)]
    pub(crate) fn is_secured(&self, key: Key) -> bool {
        matches!(self.secured.get(key.slot() as usize), Some(Some(_)))
    }

    #[inline(always)]
    pub(crate) fn secured(&mut self, key: Key) -> Option<&mut Secured> {
        self.secured.get_mut(key.slot() as usize)?.as_deref_mut()
    }

    #[cold]
    pub(crate) fn record_deadline(
        &mut self,
        key: Key,
        connection: &Connection,
        now: Instant,
        limits: &Limits,
    ) -> Option<Instant> {
        let secured = self.secured(key)?;
        secured.record_deadline(connection.may_be_fed(), now + limits.record_time)
    }

    pub(super) fn speaking(&mut self, key: Key) -> Option<SecuredWith<'_>> {
        let secured = self.secured.get_mut(key.slot() as usize)?.as_deref_mut()?;
        Some((secured, &mut self.said))
    }

    /// The output of the transport that was used last, to be taken.
    pub(super) const fn said(&mut self) -> &mut Vec<u8> {
        &mut self.said
    }

    /// The socket of a connection that is written to; and its transport, if it has one,
    /// with memory to seal in.
    #[inline(always)]
    pub(crate) fn writing(&mut self, key: Key) -> Option<(&mut S, Option<SecuredWith<'_>>)> {
        let slot = key.slot() as usize;
        let secured = self.secured.get_mut(slot).and_then(Option::as_deref_mut);
        let sealing = secured.map(|secured| (secured, &mut self.records));
        Some((self.streams.get_mut(slot)?.as_mut()?, sealing))
    }

    /// Reads once into `room`, and keeps what the transport has to say to the peer.
    #[inline(always)]
    pub(crate) fn read<P: Poller<Stream = S>>(
        &mut self,
        poller: &mut P,
        key: Key,
        room: &mut [u8],
    ) -> Result<Opened, Fault> {
        let slot = key.slot() as usize;
        let secured = self.secured.get_mut(slot).and_then(Option::as_deref_mut);
        match (self.streams.get_mut(slot).and_then(Option::as_mut), secured) {
            (Some(stream), None) => match poller.read(stream, room) {
                Ok(read) => Ok(Opened {
                    bytes: read.bytes,
                    raw: read.bytes,
                    drained: read.drained,
                    end: read.end,
                }),
                Err(_) => Err(Fault::Socket),
            },
            (Some(stream), Some(secured)) => secured.read(poller, stream, room, &mut self.said),
            (None, _) => Err(Fault::Socket), // it has ended
        }
    }
}

pub(super) fn place<T>(table: &mut Vec<Option<T>>, key: Key) -> &mut Option<T> {
    let slot = key.slot() as usize;
    while table.len() <= slot {
        grow(table);
        table.push(None);
    }
    &mut table[slot] // made long enough just now
}
