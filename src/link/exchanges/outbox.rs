//! Output that a stream's window, or the socket, does not take yet.

use alloc::vec::Vec;
use core::mem;

use bytes::Bytes;

use crate::http::{FieldBuffer, Fields};
use crate::link::Account;
use crate::link::segments::{Nothing, Reference, SHARED_FROM, Segment, Segments};
use crate::wire::Sink;

const KEPT: usize = 16 * 1024;

/// One stream's content in order, copied or shared, and its end. Small pieces leave as one.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    content: Segments,
    spare: Vec<u8>, // empty
    ended: bool,
    trailers: FieldBuffer,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum NextBytes<'a> {
    Copied(&'a [u8]),
    Shared(&'a Bytes),
}

impl NextBytes<'_> {
    pub(crate) const fn len(&self) -> usize {
        match self {
            Self::Copied(bytes) => bytes.len(),
            Self::Shared(bytes) => bytes.len(),
        }
    }
}

impl Outbox {
    #[inline]
    pub(crate) const fn len(&self) -> usize {
        self.content.len()
    }

    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn charge_to(&mut self, account: Option<&Account>) {
        self.content.charge_to(account);
        self.book();
    }

    /// Charges the content for what is held with it.
    #[inline]
    fn book(&mut self) {
        let beside = size_of::<Self>() + self.spare.capacity() + self.trailers.memory();
        self.content.set_beside(beside);
    }

    /// Appends bytes, by reference where that is worth it.
    pub(crate) fn share(&mut self, bytes: Bytes) {
        self.refer(bytes, Reference::Shared);
    }

    /// Appends bytes that many are to get, and that are charged elsewhere.
    pub(crate) fn publish(&mut self, bytes: Bytes) {
        self.refer(bytes, Reference::Published);
    }

    fn refer(&mut self, bytes: Bytes, reference: fn(Bytes) -> Reference<Nothing>) {
        if bytes.len() < SHARED_FROM {
            return self.put(&bytes);
        }
        self.content.put_reference(reference(bytes));
        self.book();
    }

    /// Appends what is left of `content` after its first `n` bytes.
    pub(crate) fn keep(&mut self, content: NextBytes<'_>, n: usize) {
        match content {
            NextBytes::Copied(bytes) => self.put(bytes.get(n..).unwrap_or_default()),
            NextBytes::Shared(bytes) => self.share(bytes.slice(n.min(bytes.len())..)),
        }
    }

    /// Nothing follows but these fields, if there are any.
    pub(crate) fn end(&mut self, trailers: Fields<'_>) {
        self.ended = true;
        // What a machine is to send is far below the 4 GiB where this fails.
        let _ = self.trailers.extend(trailers);
        self.book();
    }

    pub(crate) const fn is_ended(&self) -> bool {
        self.ended
    }

    pub(crate) fn trailers(&self) -> Fields<'_> {
        self.trailers.as_fields()
    }

    pub(crate) fn front(&self) -> Option<(NextBytes<'_>, bool)> {
        let last = self.ended && self.content.count() == 1 && self.trailers().is_empty();
        let front = match self.content.get(0)? {
            Segment::Reference(Reference::Shared(bytes) | Reference::Published(bytes)) => {
                NextBytes::Shared(bytes)
            }
            copied => NextBytes::Copied(copied.as_slice().unwrap_or_default()),
        };
        Some((front, last))
    }

    /// Drops the first `n` bytes, which have been sent.
    pub(crate) fn advance(&mut self, n: usize) {
        let spare = &mut self.spare;
        self.content.advance(n, |bytes| keep(spare, bytes));
        self.book();
    }

    pub(crate) fn clear(&mut self) {
        let spare = &mut self.spare;
        self.content.clear(|bytes| keep(spare, bytes));
        self.ended = false;
        self.trailers.clear();
        self.book();
    }
}

fn keep(spare: &mut Vec<u8>, mut bytes: Vec<u8>) {
    if bytes.capacity() <= KEPT && spare.capacity() == 0 {
        bytes.clear();
        *spare = bytes;
    }
}

impl Sink for Outbox {
    fn put(&mut self, bytes: &[u8]) {
        let spare = &mut self.spare;
        self.content.put(bytes, || mem::take(spare));
        self.book();
    }

    fn space(&mut self, n: usize) -> &mut [u8] {
        let spare = &mut self.spare;
        self.content.extend(n, || mem::take(spare));
        self.book();
        self.content.tail(n)
    }

    fn put_shared(&mut self, bytes: Bytes) {
        self.share(bytes);
    }
}

/// A sink that ends where the room does that content may take.
#[derive(Debug)]
pub(crate) struct Bounded<'a, S> {
    pub(crate) out: &'a mut S,
    pub(crate) room: usize,
}

impl<S: Sink> Sink for Bounded<'_, S> {
    fn room(&self) -> usize {
        self.room
    }

    fn put(&mut self, bytes: &[u8]) {
        self.room -= bytes.len().min(self.room);
        self.out.put(bytes);
    }

    fn space(&mut self, n: usize) -> &mut [u8] {
        self.room -= n.min(self.room);
        self.out.space(n)
    }

    fn put_shared(&mut self, bytes: Bytes) {
        self.room -= bytes.len().min(self.room);
        self.out.put_shared(bytes);
    }
}

#[cfg(test)]
mod tests;
