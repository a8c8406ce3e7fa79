//! The streams of a connection: those that are open, what is remembered of the
//! others, and whose turn it is to send.

use super::closed::{Closed, Past};
use super::goaway::GoAway;
use super::schedule::Schedule;
use super::state::{By, Frame, State};
use super::stream::Stream;
use super::table::Table;
use super::{ProtocolError, StreamError, UsageError};
use crate::wire::{Instant, Role};

/// All streams of a connection.
#[derive(Debug)]
pub(super) struct Streams {
    role: Role,
    open: Table<Stream>,
    closed: Closed,
    schedule: Schedule,
    last_peer: u32,
    next_own: u32,
}

/// A frame for a stream that is closed, where that may be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Late {
    /// It crossed our reset on its way.
    Crossed,
    /// It may have: the stream is not remembered any more.
    Perhaps,
}

impl Streams {
    pub(super) const fn new(role: Role) -> Self {
        Self {
            role,
            open: Table::new(),
            closed: Closed::new(),
            schedule: Schedule::new(),
            last_peer: 0,
            next_own: 1,
        }
    }

    pub(super) fn get(&self, id: u32) -> Option<&Stream> {
        self.open.get(id)
    }

    pub(super) fn get_mut(&mut self, id: u32) -> Option<&mut Stream> {
        self.open.get_mut(id)
    }

    pub(super) const fn len(&self) -> usize {
        self.open.len()
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Stream> {
        self.open.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.open.iter_mut()
    }

    pub(super) const fn last_peer(&self) -> u32 {
        self.last_peer
    }

    pub(super) const fn next_own(&self) -> u32 {
        self.next_own
    }

    // ---- opening and closing ----

    /// Whether a client may open this stream now: it is odd and above all others.
    pub(super) const fn is_next_of_peer(&self, id: u32) -> bool {
        matches!(self.role, Role::Server) && id > self.last_peer && !id.is_multiple_of(2)
    }

    /// Notes that the peer has opened a stream, whatever becomes of it.
    pub(super) const fn note_opened(&mut self, id: u32) {
        self.last_peer = id;
    }

    pub(super) fn insert(&mut self, stream: Stream) {
        self.open.insert(stream);
    }

    pub(super) fn insert_own(&mut self, stream: Stream) {
        self.next_own = stream.id + 2;
        self.open.insert(stream);
    }

    pub(super) fn refuse(&mut self, id: u32) {
        self.closed.push(id, true);
    }

    /// Forgets a stream; `reset` says that we reset it. Returns its unconsumed bytes; `None` if
    /// it is not open.
    #[inline]
    pub(super) fn remove(&mut self, id: u32, reset: bool) -> Option<u32> {
        let (mut held, mut queued) = (0, false);
        let removed = self.open.remove_if(id, |stream| {
            (held, queued) = (stream.receive.held(), stream.queued);
            true
        });
        if !removed {
            return None;
        }
        if queued {
            self.schedule.remove(id);
        }
        self.closed.push(id, reset);
        Some(held)
    }

    /// Ends one side of a stream, which the caller has checked. Returns whether both have
    /// ended; the caller then [removes](Self::remove) it.
    #[inline]
    pub(super) fn end(&mut self, id: u32, by: By) -> bool {
        let Some(stream) = self.open.get_mut(id) else {
            return false;
        };
        match stream.state.after(by, Frame::Data { end: true }) {
            Ok(State::Closed) => true,
            Ok(state) => {
                stream.state = state;
                false
            }
            Err(_) => {
                debug_assert!(false, "this side has ended before");
                false
            }
        }
    }

    // ---- what may be sent and received ----

    pub(super) const fn is_idle(&self, id: u32, goaway: &GoAway) -> bool {
        if id.is_multiple_of(2) {
            return true;
        }
        match self.role {
            // Later ones may have been opened in vain.
            Role::Server => goaway.last().is_none() && id > self.last_peer,
            Role::Client => id >= self.next_own,
        }
    }

    pub(super) fn state(&self, id: u32, goaway: &GoAway) -> State {
        match self.open.get(id) {
            Some(stream) => stream.state,
            None if self.is_idle(id, goaway) => State::Idle,
            None => State::Closed,
        }
    }

    /// Judges a frame for a stream that is not open: right if we reset it, wrong if the peer
    /// ended it or it was never opened (RFC 9113 §5.1).
    pub(super) fn late(&self, id: u32, goaway: &GoAway) -> Result<Late, ProtocolError> {
        if self.is_idle(id, goaway) {
            return Err(ProtocolError::IdleStream);
        }
        if self.role == Role::Server && goaway.last().is_some_and(|last| id > last) {
            return Ok(Late::Crossed);
        }
        // A peer that has ended a stream itself, or seen it end, knows that it is over.
        match self.closed.find(id) {
            Past::Reset => Ok(Late::Crossed),
            Past::Unknown if self.closed.is_forgetful() => Ok(Late::Perhaps),
            Past::Ended | Past::Unknown => Err(ProtocolError::ClosedStream),
        }
    }

    /// Judges HEADERS of a client for a stream that is not open and not
    /// [new](Self::is_next_of_peer).
    pub(super) fn late_request(&self, id: u32, goaway: &GoAway) -> Result<Late, ProtocolError> {
        if id.is_multiple_of(2) {
            return Err(ProtocolError::StreamOrder);
        }
        match self.closed.find(id) {
            Past::Unknown if !self.closed.is_forgetful() => Err(ProtocolError::StreamOrder),
            Past::Unknown | Past::Reset | Past::Ended => self.late(id, goaway),
        }
    }

    /// The lowest stream of ours above `above`: an order that does not depend on the table.
    pub(super) fn first_own_above(&self, above: u32) -> Option<u32> {
        if above >= self.next_own {
            return None;
        }
        let ours = self.open.iter().map(|stream| stream.id);
        ours.filter(|&id| id > above && id % 2 == 1).min()
    }

    #[inline]
    pub(super) fn may_respond(&self, id: u32) -> Result<&Stream, UsageError> {
        let stream = self.open.get(id).ok_or(UsageError::NoStream)?;
        if self.role == Role::Client || stream.answered || !stream.state.sends() {
            return Err(UsageError::State);
        }
        Ok(stream)
    }

    /// A stream whose head is out and whose content is not.
    #[inline]
    pub(super) fn may_send_data(&self, id: u32) -> Result<&Stream, UsageError> {
        let stream = self.open.get(id).ok_or(UsageError::NoStream)?;
        let is_headed = self.role == Role::Client || stream.answered;
        if !is_headed || !stream.state.sends() {
            return Err(UsageError::State);
        }
        Ok(stream)
    }

    // ---- turns to send, and windows ----

    pub(super) fn has_queue(&self) -> bool {
        !self.schedule.is_empty()
    }

    pub(super) fn share(&self) -> usize {
        self.schedule.share()
    }

    /// The stream whose turn it is, with a window of its own.
    pub(super) fn next_turn(&mut self) -> Option<u32> {
        while let Some(id) = self.schedule.pop() {
            if let Some(stream) = self.open.get_mut(id) {
                stream.queued = false;
                if stream.send.open() > 0 {
                    return Some(id);
                }
            }
        }
        None
    }

    /// Notes that `n` of `len` offered bytes are sent. Returns whether the stream begins to
    /// wait for a window; the connection's has `open` bytes.
    #[inline]
    pub(super) fn sent(
        &mut self,
        id: u32,
        (n, len): (usize, usize),
        open: usize,
        now: Instant,
    ) -> bool {
        let Some(stream) = self.open.get_mut(id) else {
            return false;
        };
        if n > 0 {
            stream.stalled = Instant::NEVER;
            stream.send.take(n);
            stream.pay(n as u64);
        }
        stream.waiting = n < len;
        if !stream.waiting {
            return false;
        }
        let own = stream.send.open();
        // Without a window only the peer can let it continue, within a time of its own. For its
        // turn or for room in the output it waits on us.
        let stalls = own.min(open) == 0 && stream.stalled == Instant::NEVER;
        if stalls {
            stream.stalled = now;
        }
        // Without a window of its own it would take turns for nothing: `grow` queues it.
        if !stream.queued && own > 0 {
            stream.queued = true;
            self.schedule.push(id);
        }
        stalls
    }

    /// Takes a WINDOW_UPDATE of a stream; `is_open` says that the connection's window
    /// is.
    pub(super) fn grow(
        &mut self,
        id: u32,
        increment: u32,
        is_open: bool,
    ) -> Result<(), StreamError> {
        let Some(stream) = self.open.get_mut(id) else {
            return Ok(());
        };
        if increment == 0 {
            return Err(StreamError::WindowIncrement);
        }
        let grown = stream.send.grow(i64::from(increment));
        grown.ok_or(StreamError::WindowOverflow)?;
        if stream.waiting && !stream.queued && stream.send.open() > 0 {
            stream.queued = true;
            if is_open {
                stream.stalled = Instant::NEVER;
            }
            self.schedule.push(id);
        }
        Ok(())
    }

    /// Follows a change of the peer's initial window (RFC 9113 §6.9.2).
    pub(super) fn grow_all(&mut self, by: i64) -> Result<(), ProtocolError> {
        if by != 0 {
            for stream in self.open.iter_mut() {
                stream.send.grow(by).ok_or(ProtocolError::SettingWindow)?;
            }
        }
        if by > 0 {
            self.wake();
        }
        Ok(())
    }

    /// Follows a change of our initial window.
    pub(super) fn resize_all(&mut self, by: i64) {
        for stream in self.open.iter_mut() {
            stream.receive.resize(by);
        }
    }

    pub(super) fn wake(&mut self) {
        for stream in self.open.iter_mut() {
            if stream.waiting && stream.send.open() > 0 {
                stream.stalled = Instant::NEVER;
                if !stream.queued {
                    stream.queued = true;
                    self.schedule.push(stream.id);
                }
            }
        }
    }

    /// Counts the time that streams wait for a window from `at`.
    pub(super) fn restart(&mut self, at: Instant) {
        for stream in self.open.iter_mut() {
            if stream.stalled != Instant::NEVER {
                stream.stalled = at;
            }
        }
    }

    // ---- memory ----

    pub(super) fn memory(&self) -> usize {
        self.open.memory() + self.schedule.memory()
    }

    /// Gives back what was grown, if no stream is open.
    pub(super) fn release(&mut self) {
        self.open.release();
    }

    /// Gives back the queue, too, in which no stream is.
    pub(super) fn compact(&mut self) {
        self.open.release();
        self.schedule = Schedule::new();
    }
}

#[cfg(test)]
mod tests;
