//! Bytes on their way out, in order: copied, by reference, or still in a file.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use bytes::{Buf, Bytes};

use super::{Account, Charge};

/// A copied segment takes bytes up to this size; then a new one begins, so that sent ones can
/// be freed.
pub(crate) const SEGMENT: usize = 64 * 1024;
/// From this size on, shared bytes are kept by reference: below, copying them
/// costs less than a further part of the write.
pub(crate) const SHARED_FROM: usize = 16 * 1024;

/// Bytes that are in no memory of ours until they are sent.
pub(crate) trait Stored {
    fn len(&self) -> u64;
    /// Drops the first `n` bytes, of which it has more.
    fn advance(&mut self, n: u64);
}

#[derive(Debug)]
pub(crate) enum Nothing {}

impl Stored for Nothing {
    fn len(&self) -> u64 {
        match *self {}
    }

    fn advance(&mut self, _: u64) {
        match *self {}
    }
}

/// Bytes that are not copied.
#[derive(Debug)]
pub(crate) enum Reference<S> {
    /// Charged to who holds the reference.
    Shared(Bytes),
    /// That many are to get: charged elsewhere, once.
    Published(Bytes),
    Stored(S),
}

impl<S: Stored> Reference<S> {
    #[inline]
    pub(crate) fn as_slice(&self) -> Option<&[u8]> {
        match self {
            Self::Shared(bytes) | Self::Published(bytes) => Some(bytes),
            Self::Stored(_) => None,
        }
    }

    #[inline]
    pub(crate) fn held(&self) -> usize {
        match self {
            Self::Shared(bytes) => bytes.len(),
            Self::Published(_) | Self::Stored(_) => 0,
        }
    }

    /// Bytes of memory that others are charged for.
    #[inline]
    fn referred(&self) -> usize {
        match self {
            Self::Published(bytes) => bytes.len(),
            Self::Shared(_) | Self::Stored(_) => 0,
        }
    }

    /// Bytes in memory, and in a file.
    #[inline]
    pub(crate) fn lens(&self) -> (usize, u64) {
        match self {
            Self::Shared(bytes) | Self::Published(bytes) => (bytes.len(), 0),
            Self::Stored(part) => (0, part.len()),
        }
    }

    /// Drops the first `n` bytes, of which it has more.
    fn advance(&mut self, n: usize) {
        match self {
            Self::Shared(bytes) | Self::Published(bytes) => bytes.advance(n),
            Self::Stored(part) => part.advance(n as u64),
        }
    }
}

/// One piece of a [`Segments`].
#[derive(Debug)]
pub(crate) enum Segment<S> {
    /// Bytes of its own, of which the first have been sent.
    Copied {
        bytes: Vec<u8>,
        sent: usize,
    }, // sent < bytes.len()
    Reference(Reference<S>),
}

impl<S: Stored> Segment<S> {
    #[inline]
    pub(crate) fn as_slice(&self) -> Option<&[u8]> {
        match self {
            Self::Copied { bytes, sent } => Some(&bytes[*sent..]),
            Self::Reference(reference) => reference.as_slice(),
        }
    }

    /// Bytes in memory, and in a file.
    fn lens(&self) -> (usize, u64) {
        match self {
            Self::Copied { bytes, sent } => (bytes.len() - sent, 0),
            Self::Reference(reference) => reference.lens(),
        }
    }

    fn memory(&self) -> (usize, usize) {
        match self {
            Self::Copied { bytes, .. } => (bytes.capacity(), 0),
            Self::Reference(reference) => (reference.held(), reference.referred()),
        }
    }
}

/// A queue of output. Small pieces are copied together, large ones kept by reference.
///
/// Copies use and return their owner's memory. Charged for all it holds and what its owner
/// holds beside it.
#[derive(Debug)]
pub(crate) struct Segments<S = Nothing> {
    segments: VecDeque<Segment<S>>, // none is empty
    len: usize,                     // bytes of all segments that are in memory
    stored: u64,                    // bytes of all segments that are not
    held: usize,                    // bytes of memory that they hold
    beside: usize,                  // bytes of memory of the owner
    charge: Charge,
}

impl<S> Default for Segments<S> {
    fn default() -> Self {
        Self {
            segments: VecDeque::new(),
            len: 0,
            stored: 0,
            held: 0,
            beside: 0,
            charge: Charge::NONE,
        }
    }
}

impl<S: Stored> Segments<S> {
    #[inline]
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) const fn stored(&self) -> u64 {
        self.stored
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    #[inline]
    pub(crate) fn count(&self) -> usize {
        self.segments.len()
    }

    pub(crate) fn room(&self) -> usize {
        self.segments.capacity()
    }

    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<&Segment<S>> {
        self.segments.get(index)
    }

    #[inline]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Segment<S>> {
        self.segments.iter()
    }

    pub(crate) fn charge_to(&mut self, account: Option<&Account>) {
        self.charge.move_to(account);
        self.book();
    }

    #[inline]
    pub(crate) fn set_beside(&mut self, bytes: usize) {
        self.beside = bytes;
        self.book();
    }

    #[inline]
    pub(crate) fn memory(&self) -> usize {
        self.beside + self.segments.capacity() * size_of::<Segment<S>>() + self.held
    }

    #[inline]
    fn book(&mut self) {
        self.charge.set(self.memory());
    }

    /// Appends a copy of `bytes`, in buffers that `fresh` makes.
    pub(crate) fn put(&mut self, bytes: &[u8], mut fresh: impl FnMut() -> Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        self.len += bytes.len();
        let mut rest = bytes;
        if let Some(Segment::Copied { bytes: tail, .. }) = self.segments.back_mut() {
            let n = rest.len().min(SEGMENT.saturating_sub(tail.len()));
            let before = tail.capacity();
            tail.extend_from_slice(&rest[..n]);
            self.held += tail.capacity() - before;
            rest = &rest[n..];
        }
        for chunk in rest.chunks(SEGMENT) {
            let mut bytes = fresh();
            bytes.extend_from_slice(chunk);
            self.push(Segment::Copied { bytes, sent: 0 });
        }
        self.book();
    }

    /// Appends `n` zeroed bytes in one piece: [`tail`](Self::tail) lends them for
    /// writing.
    pub(crate) fn extend(&mut self, n: usize, fresh: impl FnOnce() -> Vec<u8>) {
        if n == 0 {
            return;
        }
        let fits = match self.segments.back() {
            Some(Segment::Copied { bytes, .. }) => bytes.len() + n <= SEGMENT,
            Some(Segment::Reference(_)) | None => false,
        };
        if !fits {
            let bytes = fresh();
            self.push(Segment::Copied { bytes, sent: 0 });
        }
        if let Some(Segment::Copied { bytes, .. }) = self.segments.back_mut() {
            let before = bytes.capacity();
            bytes.resize(bytes.len() + n, 0);
            self.held += bytes.capacity() - before;
        }
        self.len += n;
        self.book();
    }

    pub(crate) fn tail(&mut self, n: usize) -> &mut [u8] {
        match self.segments.back_mut() {
            Some(Segment::Copied { bytes, .. }) => {
                let from = bytes.len().saturating_sub(n);
                bytes.get_mut(from..).unwrap_or_default()
            }
            Some(Segment::Reference(_)) | None => &mut [],
        }
    }

    pub(crate) fn put_reference(&mut self, reference: Reference<S>) {
        let (len, stored) = reference.lens();
        if len == 0 && stored == 0 {
            return;
        }
        self.len += len;
        self.stored = self.stored.saturating_add(stored);
        let referred = reference.referred();
        self.push(Segment::Reference(reference));
        if referred > 0 {
            self.charge.refer(self.charge.referred() + referred);
        }
        self.book();
    }

    fn push(&mut self, segment: Segment<S>) {
        self.held += segment.memory().0;
        self.segments.push_back(segment);
    }

    /// Drops the first `n` bytes, which were sent; at most all. Buffers of copies go
    /// to `give`.
    pub(crate) fn advance(&mut self, n: usize, mut give: impl FnMut(Vec<u8>)) {
        let mut n = n;
        while n > 0
            && let Some(front) = self.segments.front_mut()
        {
            let (len, stored) = front.lens();
            if n as u64 >= len as u64 + stored {
                n -= self.drop_first(&mut give).min(n);
                continue;
            }
            match front {
                Segment::Copied { sent, .. } => *sent += n,
                Segment::Reference(reference) => {
                    let before = reference.held();
                    let referred = reference.referred();
                    reference.advance(n);
                    self.held -= before - reference.held(); // it has become shorter
                    let less = referred - reference.referred();
                    self.charge
                        .refer(self.charge.referred().saturating_sub(less));
                }
            }
            match stored {
                0 => self.len -= n,
                _ => self.stored = self.stored.saturating_sub(n as u64),
            }
            break;
        }
        self.book();
    }

    /// Drops the first segment, and answers how many bytes it had.
    fn drop_first(&mut self, give: &mut impl FnMut(Vec<u8>)) -> usize {
        let Some(first) = self.segments.pop_front() else {
            return 0;
        };
        let ((len, stored), (held, referred)) = (first.lens(), first.memory());
        self.len -= len;
        self.stored = self.stored.saturating_sub(stored);
        self.held -= held;
        if referred > 0 {
            self.charge
                .refer(self.charge.referred().saturating_sub(referred));
        }
        if let Segment::Copied { bytes, .. } = first {
            give(bytes);
        }
        len + clamp(stored)
    }

    /// Drops everything. Buffers of copies go to `give`.
    pub(crate) fn clear(&mut self, mut give: impl FnMut(Vec<u8>)) {
        while !self.segments.is_empty() {
            self.drop_first(&mut give);
        }
        self.book();
    }
}

/// Clamps bytes of files, so that sums do not overflow.
#[inline]
pub(crate) const fn clamp(stored: u64) -> usize {
    const MOST: usize = usize::MAX / 4;
    if stored > MOST as u64 {
        MOST
    } else {
        stored as usize
    }
}

#[cfg(test)]
mod tests;
