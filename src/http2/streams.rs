//! The streams that are open, and what is remembered of the others.

use alloc::vec::Vec;

use super::state::State;
use super::window::{ReceiveWindow, SendWindow};
use crate::wire::Instant;

/// No length was announced.
pub(super) const UNKNOWN: u64 = u64::MAX;

/// One open stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stream {
    pub(super) id: u32, // odd; 0 in a free slot
    pub(super) state: State,
    pub(super) sending: Sending,
    /// The response to HEAD has no content.
    pub(super) head_only: bool,
    /// The peer waits for 100 Continue (RFC 9110 §10.1.1).
    pub(super) expects: bool,
    /// A final head has come (client) or gone (server).
    pub(super) answered: bool,
    /// Its caller has more to send than was taken.
    pub(super) waiting: bool,
    /// It stands in the queue of those that may send.
    pub(super) queued: bool,
    pub(super) send: SendWindow,
    pub(super) receive: ReceiveWindow,
    /// Bytes of content still to come, or [`UNKNOWN`].
    pub(super) remaining: u64,
    /// Bytes of content still to be sent, or [`UNKNOWN`].
    pub(super) owed: u64,
    /// Since when nothing could be sent for want of a window;
    /// [`Instant::NEVER`]: it is not so.
    pub(super) stalled: Instant,
}

/// What becomes of content that our side sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sending {
    /// It goes out.
    Content,
    /// It is taken and dropped: the response to HEAD.
    Swallowed,
}

impl Stream {
    pub(super) const fn new(id: u32, state: State, send: u32, receive: u32) -> Self {
        Self {
            id,
            state,
            sending: Sending::Content,
            head_only: false,
            expects: false,
            answered: false,
            waiting: false,
            queued: false,
            send: SendWindow::new(send),
            receive: ReceiveWindow::new(receive),
            remaining: UNKNOWN,
            owed: UNKNOWN,
            stalled: Instant::NEVER,
        }
    }
}

/// The open streams: an open-addressed table over the stream numbers, which
/// are dense enough that the first look nearly always hits. It allocates with
/// the first stream and doubles as more are open at once.
#[derive(Debug, Default)]
pub(super) struct Streams {
    slots: Vec<Stream>, // a power of two, at most half of them taken
    len: usize,
}

impl Streams {
    pub(super) const fn new() -> Self {
        Self {
            slots: Vec::new(),
            len: 0,
        }
    }

    #[inline]
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline]
    pub(super) fn get(&self, id: u32) -> Option<&Stream> {
        self.slots.get(self.find(id)?)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, id: u32) -> Option<&mut Stream> {
        let slot = self.find(id)?;
        self.slots.get_mut(slot)
    }

    /// Adds a stream that is not there yet.
    pub(super) fn insert(&mut self, stream: Stream) {
        if (self.len + 1) * 2 > self.slots.len() {
            self.grow();
        }
        let mut slot = self.home(stream.id);
        while self.slots.get(slot).is_some_and(|taken| taken.id != 0) {
            slot = self.next(slot);
        }
        if let Some(free) = self.slots.get_mut(slot) {
            *free = stream;
            self.len += 1;
        }
    }

    pub(super) fn remove(&mut self, id: u32) -> Option<Stream> {
        let mut hole = self.find(id)?;
        let removed = *self.slots.get(hole)?;
        // Close the gap: move back whoever was pushed beyond it.
        let mut slot = self.next(hole);
        while let Some(&stream) = self.slots.get(slot)
            && stream.id != 0
        {
            let mask = self.slots.len() - 1;
            let pushed = slot.wrapping_sub(self.home(stream.id)) & mask;
            if pushed >= slot.wrapping_sub(hole) & mask
                && let Some(to) = self.slots.get_mut(hole)
            {
                *to = stream;
                hole = slot;
            }
            slot = self.next(slot);
        }
        self.slots.get_mut(hole)?.id = 0;
        self.len -= 1;
        Some(removed)
    }

    /// Gives the memory back if no stream is open.
    pub(super) fn release(&mut self) {
        if self.len == 0 {
            self.slots = Vec::new();
        }
    }

    /// All streams, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Stream> {
        self.slots.iter().filter(|stream| stream.id != 0)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.slots.iter_mut().filter(|stream| stream.id != 0)
    }

    #[inline]
    fn find(&self, id: u32) -> Option<usize> {
        if id == 0 {
            return None;
        }
        let mut slot = self.home(id);
        loop {
            // Half the slots are free, so the search ends.
            match self.slots.get(slot)?.id {
                0 => return None,
                taken if taken == id => return Some(slot),
                _ => slot = self.next(slot),
            }
        }
    }

    #[inline]
    fn home(&self, id: u32) -> usize {
        (id >> 1) as usize & self.slots.len().wrapping_sub(1)
    }

    #[inline]
    const fn next(&self, slot: usize) -> usize {
        (slot + 1) & self.slots.len().wrapping_sub(1)
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(4);
        let free = Stream::new(0, State::Idle, 0, 0);
        let old = core::mem::replace(&mut self.slots, alloc::vec![free; size]);
        self.len = 0;
        for stream in old.into_iter().filter(|stream| stream.id != 0) {
            self.insert(stream);
        }
    }
}

/// How many closed streams are remembered.
const REMEMBERED: usize = 32;

/// The streams that were closed last, and by whom: frames that the peer sent
/// before it knew are its right, others are not.
#[derive(Debug)]
pub(super) struct Closed {
    ring: [u32; REMEMBERED], // number * 2 + whether we have reset it; 0: none
    next: u8,                // < REMEMBERED
    forgetful: bool,
}

/// What is known of a stream that is not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Past {
    /// We have reset it: the peer may not know yet.
    Reset,
    /// It came to its end, or the peer has reset it.
    Ended,
    /// Nothing; it was never opened, or so long ago that nobody remembers.
    Unknown,
}

impl Closed {
    pub(super) const fn new() -> Self {
        Self {
            ring: [0; REMEMBERED],
            next: 0,
            forgetful: false,
        }
    }

    pub(super) fn push(&mut self, id: u32, reset: bool) {
        if let Some(place) = self.ring.get_mut(self.next as usize) {
            self.forgetful |= *place & 1 != 0;
            *place = id << 1 | u32::from(reset);
        }
        self.next = (self.next + 1) % REMEMBERED as u8;
    }

    pub(super) fn find(&self, id: u32) -> Past {
        match self.ring.iter().find(|&&closed| closed >> 1 == id) {
            Some(closed) if closed & 1 != 0 => Past::Reset,
            Some(_) => Past::Ended,
            None => Past::Unknown,
        }
    }

    /// Whether a stream that we have reset may have been forgotten.
    pub(super) const fn is_forgetful(&self) -> bool {
        self.forgetful
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;
    use proptest::prelude::*;

    #[test]
    fn the_last_streams_closed_are_remembered() {
        let mut closed = Closed::new();
        for id in (1..=63).step_by(2) {
            closed.push(id, id % 4 == 1);
        }
        assert_eq!((closed.find(1), closed.find(3)), (Past::Reset, Past::Ended));
        assert!(!closed.is_forgetful());
        closed.push(65, false);
        assert_eq!(
            (closed.find(1), closed.find(65)),
            (Past::Unknown, Past::Ended)
        );
        assert!(closed.is_forgetful());
    }

    proptest! {
        #[test]
        fn the_table_agrees_with_a_set(steps in proptest::collection::vec((any::<bool>(), 0..200u32), 1..300)) {
            let (mut streams, mut set) = (Streams::new(), BTreeSet::new());
            for (add, n) in steps {
                let id = n * 2 + 1;
                if add && set.insert(id) {
                    streams.insert(Stream::new(id, State::Open, 0, 0));
                } else if !add {
                    prop_assert_eq!(streams.remove(id).map(|s| s.id), set.take(&id));
                }
                prop_assert_eq!(streams.len(), set.len());
                prop_assert!(set.iter().all(|&id| streams.get(id).is_some_and(|s| s.id == id)));
                prop_assert_eq!(streams.iter().count(), set.len());
            }
            prop_assert!(streams.get(0).is_none());
            prop_assert!(streams.get(999_999).is_none());
        }
    }
}
