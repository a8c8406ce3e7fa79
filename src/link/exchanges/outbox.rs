//! What a stream's window, or the socket, does not take yet.

use alloc::{collections::VecDeque, vec::Vec};

use bytes::{Buf, Bytes};

use crate::http::{FieldBuffer, Fields};
use crate::link::{Account, Charge};
use crate::wire::Sink;

/// A copied segment takes appended bytes up to this size.
const SEGMENT: usize = 64 * 1024;
/// From this size on, shared bytes are kept by reference.
const SHARED_FROM: usize = 16 * 1024;
/// Memory of copied bytes that an empty outbox keeps.
const KEPT: usize = 16 * 1024;

/// Content of one stream in its order, copied or shared, and whether it ends
/// behind that. Small pieces are copied together and leave as one.
#[derive(Debug, Default)]
pub(in crate::link) struct Outbox {
    segments: VecDeque<Segment>, // none is empty
    sent: usize,                 // of the first one, if that is copied
    len: usize,                  // bytes of all that are to be sent
    held: usize,                 // bytes of memory that they hold
    spare: Vec<u8>,              // empty
    ended: bool,
    trailers: FieldBuffer,
    charge: Charge,
}

#[derive(Debug)]
enum Segment {
    Copied(Vec<u8>),
    Shared(Bytes),
    /// Charged once for all peers that get it.
    Published(Bytes),
}

/// What is to be sent next.
#[derive(Debug, Clone, Copy)]
pub(in crate::link) enum NextBytes<'a> {
    Copied(&'a [u8]),
    Shared(&'a Bytes),
}

impl NextBytes<'_> {
    pub(in crate::link) const fn len(&self) -> usize {
        match self {
            Self::Copied(bytes) => bytes.len(),
            Self::Shared(bytes) => bytes.len(),
        }
    }
}

impl Outbox {
    /// Bytes that wait.
    #[inline]
    pub(in crate::link) const fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(in crate::link) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Charges it to another account from here on.
    pub(in crate::link) fn charge_to(&mut self, account: Option<&Account>) {
        self.charge.move_to(account);
        self.book();
    }

    #[inline]
    fn book(&mut self) {
        self.charge.set(self.memory());
    }

    /// Bytes of memory held.
    fn memory(&self) -> usize {
        size_of::<Self>()
            + self.held
            + self.spare.capacity()
            + self.segments.capacity() * size_of::<Segment>()
            + self.trailers.memory()
    }

    /// Appends bytes, by reference where that is worth it.
    pub(in crate::link) fn share(&mut self, bytes: Bytes) {
        if bytes.len() < SHARED_FROM {
            return self.put(&bytes);
        }
        self.len += bytes.len();
        self.held += bytes.len();
        self.segments.push_back(Segment::Shared(bytes));
        self.book();
    }

    /// Appends bytes that many are to get, and that are charged elsewhere.
    pub(in crate::link) fn publish(&mut self, bytes: Bytes) {
        if bytes.len() < SHARED_FROM {
            return self.put(&bytes);
        }
        self.len += bytes.len();
        self.charge.refer(self.charge.referred() + bytes.len());
        self.segments.push_back(Segment::Published(bytes));
        self.book();
    }

    /// Appends what is left of `content` behind its first `n` bytes.
    pub(in crate::link) fn keep(&mut self, content: NextBytes<'_>, n: usize) {
        match content {
            NextBytes::Copied(bytes) => self.put(bytes.get(n..).unwrap_or_default()),
            NextBytes::Shared(bytes) => self.share(bytes.slice(n.min(bytes.len())..)),
        }
    }

    /// Nothing follows but these fields, if there are any.
    pub(in crate::link) fn end(&mut self, trailers: Fields<'_>) {
        self.ended = true;
        // What a machine is to send is far below the 4 GiB where this fails.
        let _ = self.trailers.extend(trailers);
        self.book();
    }

    /// Whether the content ends with what waits.
    pub(in crate::link) const fn is_ended(&self) -> bool {
        self.ended
    }

    /// The fields behind the content.
    pub(in crate::link) fn trailers(&self) -> Fields<'_> {
        self.trailers.as_fields()
    }

    /// What is to be sent next, and whether the stream ends with it.
    pub(in crate::link) fn front(&self) -> Option<(NextBytes<'_>, bool)> {
        let last = self.ended && self.segments.len() == 1 && self.trailers().is_empty();
        let front = match self.segments.front()? {
            Segment::Copied(bytes) => NextBytes::Copied(bytes.get(self.sent..).unwrap_or_default()),
            Segment::Shared(bytes) | Segment::Published(bytes) => NextBytes::Shared(bytes),
        };
        Some((front, last))
    }

    /// Drops the first `n` bytes of the front, which have been sent.
    pub(in crate::link) fn advance(&mut self, n: usize) {
        self.len -= n.min(self.len);
        match self.segments.front_mut() {
            Some(Segment::Copied(bytes)) if self.sent + n < bytes.len() => self.sent += n,
            Some(Segment::Shared(bytes)) if n < bytes.len() => {
                bytes.advance(n);
                self.held -= n;
            }
            Some(Segment::Published(bytes)) if n < bytes.len() => {
                bytes.advance(n);
                self.charge.refer(self.charge.referred().saturating_sub(n));
            }
            Some(_) => self.drop_front(),
            None => {}
        }
        self.book();
    }

    fn drop_front(&mut self) {
        self.sent = 0;
        match self.segments.pop_front() {
            Some(Segment::Copied(mut bytes)) => {
                self.held -= bytes.capacity();
                if bytes.capacity() <= KEPT && self.spare.capacity() == 0 {
                    bytes.clear();
                    self.spare = bytes;
                }
            }
            Some(Segment::Shared(bytes)) => self.held -= bytes.len(),
            Some(Segment::Published(bytes)) => {
                let referred = self.charge.referred().saturating_sub(bytes.len());
                self.charge.refer(referred);
            }
            None => {}
        }
    }

    /// Drops everything; a little memory is kept for the next use.
    pub(in crate::link) fn clear(&mut self) {
        while !self.segments.is_empty() {
            self.drop_front();
        }
        self.len = 0;
        self.ended = false;
        self.trailers.clear();
        self.book();
    }
}

impl Sink for Outbox {
    fn put(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let n = rest.len().min(SEGMENT);
            let (piece, more) = rest.split_at(n);
            self.space(n).copy_from_slice(piece);
            rest = more;
        }
    }

    fn space(&mut self, n: usize) -> &mut [u8] {
        let fits = match self.segments.back() {
            Some(Segment::Copied(tail)) => tail.len() + n <= SEGMENT,
            _ => false,
        };
        if !fits {
            let fresh = core::mem::take(&mut self.spare);
            self.held += fresh.capacity();
            self.segments.push_back(Segment::Copied(fresh));
        }
        self.len += n;
        let mut from = 0;
        if let Some(Segment::Copied(tail)) = self.segments.back_mut() {
            let before = tail.capacity();
            from = tail.len();
            tail.resize(from + n, 0);
            self.held += tail.capacity() - before;
        }
        self.book();
        match self.segments.back_mut() {
            Some(Segment::Copied(tail)) => tail.get_mut(from..).unwrap_or_default(),
            // A copied segment has just been made sure of.
            Some(Segment::Shared(_) | Segment::Published(_)) | None => &mut [],
        }
    }

    fn put_shared(&mut self, bytes: Bytes) {
        self.share(bytes);
    }
}

/// A sink that ends where the room does that content may take.
#[derive(Debug)]
pub(in crate::link) struct Bounded<'a, S> {
    pub(in crate::link) out: &'a mut S,
    pub(in crate::link) room: usize,
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
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_outbox_behaves_like_a_vector(
            steps in prop::collection::vec((0..4u8, 0..70_000usize), 0..40),
        ) {
            let (mut outbox, mut model) = (Outbox::default(), Vec::new());
            for (n, (step, size)) in steps.into_iter().enumerate() {
                let bytes = vec![n as u8; size];
                match step {
                    0 => outbox.put(&bytes),
                    1 => outbox.share(bytes.clone().into()),
                    _ => {
                        let len = outbox.front().map_or(0, |(front, _)| front.len());
                        let n = size.min(len);
                        outbox.advance(n);
                        model.drain(..n);
                    }
                }
                if step < 2 {
                    model.extend(bytes);
                }
                prop_assert_eq!(outbox.len(), model.len());
                if let Some((front, last)) = outbox.front() {
                    prop_assert!(!last, "it was not ended");
                    let front = match front {
                        NextBytes::Copied(front) => front,
                        NextBytes::Shared(front) => front,
                    };
                    prop_assert!(model.starts_with(front));
                }
            }
            outbox.clear();
            prop_assert_eq!((outbox.len(), outbox.held), (0, 0));
        }
    }

    #[test]
    fn the_end_stands_behind_the_last_piece() {
        let mut outbox = Outbox::default();
        outbox.put(b"a");
        outbox.share(Bytes::from_static(&[0; SHARED_FROM]));
        outbox.end(Fields::EMPTY);
        assert!(matches!(
            outbox.front(),
            Some((NextBytes::Copied(b"a"), false))
        ));
        outbox.advance(1);
        assert!(matches!(outbox.front(), Some((NextBytes::Shared(_), true))));
    }
}
