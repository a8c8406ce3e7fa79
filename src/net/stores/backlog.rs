//! Output that the kernel has not taken yet.

use alloc::boxed::Box;
use alloc::vec::Vec;
use bytes::Bytes;
use std::io::{self, IoSlice};

use super::cork::{Cork, Piece};
use super::pool::Pool;
use crate::link::{
    Account, DrainBuffer, Reference, SEGMENT, SHARED_FROM, Segment, Segments, clamp,
};
use crate::net::FilePart;
use crate::net::system::poller::MAX_PARTS;

/// One connection's output queue: copied, shared or in a file. 8 bytes while empty; memory is
/// lent by [`Queues`].
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    queue: Option<Box<Queue>>, // None: empty
}

#[derive(Debug, Default)]
struct Queue {
    sealed: DrainBuffer,
    /// How many of those it has added to the content: at most all.
    added: usize,
    plain: Segments<FilePart>,
}

impl Queue {
    fn is_empty(&self) -> bool {
        self.plain.is_empty() && self.sealed.is_empty()
    }

    fn charge_to(&mut self, account: Option<&Account>) {
        self.plain.charge_to(account);
        self.sealed.charge_to(account);
    }
}

/// The output that a [`Backlog`] has to write next.
#[derive(Debug)]
pub(crate) enum Output<'a> {
    /// These parts, in one vectored write.
    Bytes(&'a [IoSlice<'a>]),
    File(&'a [IoSlice<'a>], FilePart),
}

/// A loop's unused backlog memory: empty queues and buffers.
#[derive(Debug)]
pub(crate) struct Queues {
    // Boxed where they are used: a backlog keeps a pointer, and no move copies
    // the queue.
    #[allow(clippy::vec_box)]
    spare: Vec<Box<Queue>>,
    buffers: Pool,
}

/// Empty queues that are kept: about 300 bytes each.
const SPARE_QUEUES: usize = 1024;
/// Segments that the ring of a kept queue may have room for.
const SPARE_RING: usize = 32;

impl Queues {
    /// Keeps at most `memory` bytes of buffers, and 1,024 queues.
    pub(crate) const fn new(memory: usize) -> Self {
        Self {
            spare: Vec::new(),
            buffers: Pool::new(SEGMENT, memory),
        }
    }

    pub(crate) fn charge_to(&mut self, account: &Account) {
        self.buffers.charge_to(account);
    }

    /// Frees what was not needed since the last call, or all that is kept.
    pub(crate) fn age(&mut self, all: bool) {
        self.buffers.age(all);
        self.spare = Vec::new();
    }

    pub(crate) const fn is_bare(&self) -> bool {
        self.buffers.kept() == 0
    }

    fn give(&mut self, mut queue: Box<Queue>) {
        queue.sealed.release(0);
        queue.charge_to(None);
        if self.spare.len() < SPARE_QUEUES && queue.plain.room() <= SPARE_RING {
            self.spare.push(queue);
        }
    }
}

impl Backlog {
    pub(crate) const fn new() -> Self {
        Self { queue: None }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        let queue = self.queue.as_ref();
        queue.map_or(0, |queue| {
            queue.sealed.len() + queue.plain.len() + clamp(queue.plain.stored())
        })
    }

    /// Bytes of content that wait, without those a transport has added.
    #[inline]
    pub(crate) fn content(&self) -> usize {
        let added = self.queue.as_ref().map_or(0, |queue| queue.added);
        self.len() - added // at most what is sealed
    }

    #[inline]
    pub(crate) fn held(&self) -> usize {
        let queue = self.queue.as_ref();
        queue.map_or(0, |queue| queue.sealed.len() + queue.plain.len())
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        let queue = self.queue.as_ref();
        queue.is_none_or(|queue| queue.is_empty())
    }

    /// Bytes of memory held: shared bytes count in each backlog, files not at all.
    #[inline]
    pub(crate) fn memory(&self) -> usize {
        let queue = self.queue.as_ref();
        queue.map_or(0, |queue| queue.sealed.memory() + queue.plain.memory())
    }

    fn queue(&mut self, queues: &mut Queues) -> &mut Queue {
        self.queue.get_or_insert_with(|| {
            let mut queue: Box<Queue> = queues.spare.pop().unwrap_or_default();
            queue.plain.set_beside(size_of::<Queue>());
            queue
        })
    }

    /// Sets the account; to be called before something is appended.
    pub(crate) fn charge_to(&mut self, account: Option<&Account>, queues: &mut Queues) {
        self.queue(queues).charge_to(account);
    }

    pub(crate) fn put(&mut self, bytes: &[u8], queues: &mut Queues) {
        if bytes.is_empty() {
            return;
        }
        self.queue(queues);
        if let Some(queue) = &mut self.queue {
            queue.plain.put(bytes, || queues.buffers.take());
        }
    }

    /// Appends `bytes` by reference from 16 KiB on, or where nothing waits (a published
    /// message). Behind others small ones are copied: a reference would hold more than it
    /// shares.
    pub(crate) fn put_shared(&mut self, bytes: Bytes, queues: &mut Queues) {
        if bytes.is_empty() {
            return;
        }
        if bytes.len() < SHARED_FROM && !self.is_empty() {
            return self.put(&bytes, queues);
        }
        let reference = Reference::Shared(bytes);
        self.queue(queues).plain.put_reference(reference);
    }

    pub(crate) fn put_published(&mut self, bytes: Bytes, queues: &mut Queues) {
        if bytes.len() < SHARED_FROM {
            return self.put_shared(bytes, queues);
        }
        let reference = Reference::Published(bytes);
        self.queue(queues).plain.put_reference(reference);
    }

    pub(crate) fn put_file(&mut self, part: FilePart, queues: &mut Queues) {
        if !part.is_empty() {
            let reference = Reference::Stored(part);
            self.queue(queues).plain.put_reference(reference);
        }
    }

    /// Appends what a cork holds, less the first `from` bytes: those that the
    /// kernel took.
    pub(crate) fn extend_from(&mut self, cork: &Cork, from: usize, queues: &mut Queues) {
        cork.pieces(from, |piece| match piece {
            Piece::Copied(bytes) => self.put(bytes, queues),
            Piece::Reference(reference, from) => match reference {
                Reference::Shared(bytes) => {
                    self.put_shared(bytes.slice(from as usize..), queues);
                }
                Reference::Published(bytes) => {
                    self.put_published(bytes.slice(from as usize..), queues);
                }
                Reference::Stored(part) => self.put_file(part.slice(from, u64::MAX), queues),
            },
        });
    }

    /// Puts sealed bytes behind the sealed, in front of all others; `added` of them are not
    /// content.
    pub(crate) fn put_sealed(&mut self, bytes: &[u8], added: usize, queues: &mut Queues) {
        if !bytes.is_empty() {
            let queue = self.queue(queues);
            queue.sealed.push(bytes);
            queue.added += added.min(bytes.len());
        }
    }

    pub(crate) fn sealed(&self) -> &[u8] {
        let queue = self.queue.as_ref();
        queue.map_or(&[], |queue| queue.sealed.unused())
    }

    /// Drops `n` sealed bytes; returns how many are content. Added ones count first.
    pub(crate) fn advance_sealed(&mut self, n: usize, queues: &mut Queues) -> usize {
        let mut content = n;
        if let Some(queue) = &mut self.queue {
            let added = queue.added.min(n);
            queue.added -= added;
            content -= added;
            queue.sealed.advance(n);
            queue.sealed.release(0);
        }
        self.rest(queues);
        content
    }

    /// Calls `f` with the parts of one vectored write: at most [`MAX_PARTS`] and about `max`
    /// bytes, none behind a file.
    #[inline]
    pub(crate) fn parts<R>(&self, max: usize, f: impl FnOnce(&[IoSlice<'_>]) -> R) -> R {
        let segments = self.queue.as_ref().map_or(0, |queue| queue.plain.count());
        if segments <= 4 {
            self.gather::<4, R>(max, f)
        } else {
            self.gather::<MAX_PARTS, R>(max, f)
        }
    }

    fn gather<const N: usize, R>(&self, max: usize, f: impl FnOnce(&[IoSlice<'_>]) -> R) -> R {
        let mut parts = [IoSlice::new(&[]); N];
        let (mut n, mut bytes) = (0, 0);
        let segments = self.queue.iter().flat_map(|queue| queue.plain.iter());
        for (part, segment) in parts.iter_mut().zip(segments) {
            let (true, Some(slice)) = (bytes < max, segment.as_slice()) else {
                break;
            };
            let slice = &slice[..slice.len().min(max - bytes)];
            *part = IoSlice::new(slice);
            bytes += slice.len();
            n += 1;
        }
        f(&parts[..n]) // n counts the parts that were filled
    }

    fn offer<R>(&self, max: usize, write: impl FnOnce(Output<'_>) -> R) -> (usize, R) {
        self.parts(max, |parts| {
            let offered: usize = parts.iter().map(|part| part.len()).sum();
            let queue = self.queue.as_ref();
            match queue.and_then(|queue| queue.plain.get(parts.len())) {
                Some(Segment::Reference(Reference::Stored(part))) if offered < max => {
                    // What stands in front of it does not cut it short.
                    let part = part.slice(0, max as u64);
                    let all = offered + clamp(part.len());
                    (all, write(Output::File(parts, part)))
                }
                _ => (offered, write(Output::Bytes(parts))),
            }
        })
    }

    /// Drops the first `n` bytes, which the kernel took; at most all.
    pub(crate) fn advance(&mut self, n: usize, queues: &mut Queues) {
        if let Some(queue) = &mut self.queue {
            queue.plain.advance(n, |bytes| queues.buffers.give(bytes));
        }
        self.rest(queues);
    }

    /// Gives the memory back if there is nothing to remember.
    fn rest(&mut self, queues: &mut Queues) {
        let idle = |queue: &mut Box<Queue>| queue.is_empty();
        if let Some(queue) = self.queue.take_if(idle) {
            queues.give(queue);
        }
    }

    pub(crate) fn clear(&mut self, queues: &mut Queues) {
        if let Some(queue) = &mut self.queue {
            queue.plain.clear(|bytes| queues.buffers.give(bytes));
            queue.sealed.clear();
            queue.added = 0;
        }
        self.rest(queues);
    }

    pub(crate) fn clear_unsealed(&mut self, queues: &mut Queues) {
        if let Some(queue) = &mut self.queue {
            queue.plain.clear(|bytes| queues.buffers.give(bytes));
        }
        self.rest(queues);
    }

    /// Writes at most `max` bytes, or so many of a file with what precedes it, until the kernel
    /// is full. Returns how many were taken; fewer mean that it is full.
    pub(crate) fn write(
        &mut self,
        max: usize,
        queues: &mut Queues,
        mut write: impl FnMut(Output<'_>) -> io::Result<usize>,
    ) -> io::Result<usize> {
        let mut taken = 0;
        while taken < max && !self.is_empty() {
            let (offered, n) = self.offer(max - taken, &mut write);
            let n = n?;
            taken += n;
            self.advance(n, queues);
            if n < offered {
                break;
            }
        }
        Ok(taken)
    }
}

#[cfg(test)]
mod tests;
