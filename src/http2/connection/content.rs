//! Content that is sent, in fair shares under two windows.

use core::ops::Range;

use bytes::Bytes;

use super::{Connection, Phase};
use crate::http2::UsageError;
use crate::http2::frame::HEAD;
use crate::http2::payload::{self, CONTROL_ROOM};
use crate::http2::state::By;
use crate::http2::stream::Stream;
use crate::wire::{Instant, Sink};

impl Connection {
    /// Sends as much of `data` as the windows, the room and a fair share
    /// allow, and says how much that was; `end` says that nothing follows it.
    /// If less than all was taken, the stream waits for its turn: offer the
    /// rest when [`ready`](Self::ready) names it.
    ///
    /// # Errors
    /// [`UsageError::NoStream`], [`UsageError::State`] before the head or after the
    /// end, [`UsageError::BodyTooLong`], [`UsageError::BodyTooShort`],
    /// [`UsageError::NotOpen`], [`UsageError::NoRoom`] only for an end without data.
    pub fn send_data(
        &mut self,
        stream: u32,
        data: &[u8],
        end: bool,
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<usize, UsageError> {
        self.send_data_by((stream, data.len(), end), now, out, |piece, out| {
            out.put(data.get(piece).unwrap_or_default());
        })
    }

    /// [Sends](Self::send_data) data that is handed over by reference, so that the
    /// output may take it without a copy.
    ///
    /// # Errors
    /// Those of [`send_data`](Self::send_data).
    pub fn send_data_shared(
        &mut self,
        stream: u32,
        data: &Bytes,
        end: bool,
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<usize, UsageError> {
        self.send_data_by((stream, data.len(), end), now, out, |piece, out| {
            out.put_shared(data.slice(piece));
        })
    }

    /// Sends as much as it may of `len` bytes, which `put` appends piece by piece.
    #[inline]
    fn send_data_by<S: Sink>(
        &mut self,
        (stream, len, end): (u32, usize, bool),
        now: Instant,
        out: &mut S,
        put: impl Fn(Range<usize>, &mut S),
    ) -> Result<usize, UsageError> {
        let n = self.share(stream, len, end, now, out)?;
        let most = self.settings.peer().data_frame();
        let mut at = if self.is_swallowed(stream) { n } else { 0 };
        while at < n {
            let next = n.min(at + most); // at < next <= len
            payload::put_data_head(stream, next - at, end && next == len, out);
            put(at..next, out);
            at = next;
        }
        self.finish_data(stream, n, len, end, out);
        Ok(n)
    }

    /// The stream whose turn it is to send: it has offered more than was
    /// taken, and now has a window. Its rest is to be offered immediately: it
    /// is not named again before. `None` if there is none; any call that takes
    /// `&mut self` may change that.
    pub fn ready(&mut self) -> Option<u32> {
        match self.flow.open() {
            0 => None,
            _ => self.streams.next_turn(),
        }
    }

    fn share(
        &mut self,
        id: u32,
        len: usize,
        end: bool,
        now: Instant,
        out: &impl Sink,
    ) -> Result<usize, UsageError> {
        let stream = self.streams.may_send_data(id)?;
        if self.phase != Phase::Open {
            return Err(UsageError::NotOpen);
        }
        stream.check_length(len as u64, end)?;
        if stream.is_swallowed() {
            return Ok(len);
        }
        let windows = stream.send.open().min(self.flow.open());
        let most = self.settings.peer().data_frame();
        let frames = out.room() / (most + HEAD);
        let tail = (out.room() % (most + HEAD)).saturating_sub(HEAD);
        let room = frames.saturating_mul(most).saturating_add(tail);
        if len == 0 && end && out.room() < HEAD {
            return Err(UsageError::NoRoom);
        }
        // While others wait a turn is short, so that none of them starves.
        let n = len.min(windows).min(room).min(self.streams.share());
        let frames = n.div_ceil(most).max(1);
        debug_assert!(n == 0 || n + frames * HEAD <= out.room());
        if n > 0 {
            self.flow.sent(n);
            self.flood.sent();
        }
        if self.streams.sent(id, (n, len), self.flow.open(), now) {
            self.clock.wake_by(now);
        }
        Ok(n)
    }

    /// Takes what is swallowed, and ends the stream if all was taken.
    fn finish_data(&mut self, id: u32, n: usize, len: usize, end: bool, out: &mut impl Sink) {
        let Some(stream) = self.streams.get_mut(id) else {
            return;
        };
        let is_swallowed = stream.is_swallowed();
        if is_swallowed {
            stream.pay(n as u64);
        }
        if !end || n < len {
            return;
        }
        if len == 0 && !is_swallowed {
            payload::put_data_head(id, 0, true, out);
        }
        self.end_ours(id);
    }

    /// Ends our side of a stream. The response to HEAD ended with its head, and its
    /// content was swallowed.
    #[inline]
    pub(super) fn end_ours(&mut self, id: u32) {
        if self.streams.end(id, By::Us) {
            self.remove(id, false, self.clock.heard());
        }
    }

    /// Gives the peer back `bytes` of the windows of `stream` and of the
    /// connection: our side has used them, and holds them no longer. What
    /// was not given back when a stream ends is then, by itself.
    pub fn consume(&mut self, stream: u32, bytes: usize, out: &mut impl Sink) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.flow.consume(&mut self.streams, stream, bytes);
        if out.room() < CONTROL_ROOM {
            return self.flow.owe_streams();
        }
        let window = self.settings.own().window;
        if let Some(stream) = self.streams.get_mut(stream)
            && stream.state.receives()
        {
            let back = stream.receive.give_back(window);
            if back > 0 {
                payload::put_window_update(stream.id, back, out);
            }
        }
        self.put_updates(out);
    }

    /// [Consumes](Self::consume), but the peer hears of it with the next call only.
    pub(crate) fn consume_later(&mut self, stream: u32, bytes: u32) {
        self.flow.consume(&mut self.streams, stream, bytes);
        self.flow.owe_streams();
    }

    pub(crate) fn is_swallowed(&self, id: u32) -> bool {
        let stream = self.streams.get(id);
        stream.is_some_and(Stream::is_swallowed)
    }
}
