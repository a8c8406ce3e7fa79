//! Flow control of the connection (RFC 9113 §6.9): its own two windows, and
//! the updates of all windows that are due to the peer.

use super::ProtocolError;
use super::payload::{self, CONTROL_ROOM};
use super::settings::{DEFAULT_WINDOW, Own};
use super::streams::Streams;
use super::window::{ReceiveWindow, SendWindow};
use crate::wire::{Instant, Sink};

/// The windows of the connection, and what the peer is to hear about windows.
#[derive(Debug)]
pub(super) struct Flow {
    send: SendWindow,
    /// The value of `send` once the peer has used all that we have sent.
    full: u32,
    receive: ReceiveWindow,
    /// The peer has had to stop since [this was asked](Self::was_withheld).
    withheld: bool,
    /// When the input was withheld last, by a window or altogether.
    shut: Instant,
    /// The connection's window may be due for an update.
    is_due: bool,
    /// So may the windows of streams, for want of room in the output.
    streams_are_due: bool,
}

/// The change that an update of the connection's window has made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grown {
    /// Bytes of ours that the peer has used.
    pub(super) used: u32,
    /// Nothing could be sent before.
    pub(super) was_shut: bool,
}

impl Flow {
    pub(super) const fn new() -> Self {
        Self {
            send: SendWindow::new(DEFAULT_WINDOW),
            full: DEFAULT_WINDOW,
            receive: ReceiveWindow::new(DEFAULT_WINDOW),
            withheld: false,
            shut: Instant::START,
            is_due: false,
            streams_are_due: false,
        }
    }

    /// Bytes that may be sent now, on all streams together.
    pub(super) const fn open(&self) -> usize {
        self.send.open()
    }

    pub(super) const fn sent(&mut self, n: usize) {
        self.send.take(n);
    }

    /// Takes a WINDOW_UPDATE of the connection.
    pub(super) fn grow(&mut self, increment: u32) -> Result<Grown, ProtocolError> {
        if increment == 0 {
            return Err(ProtocolError::WindowIncrement);
        }
        let was_shut = self.send.open() == 0;
        // An update beyond what was sent is a larger window, and tells of no use.
        let unused = self.full.saturating_sub(self.send.open() as u32); // < 2^31
        let grown = self.send.grow(i64::from(increment));
        grown.ok_or(ProtocolError::WindowOverflow)?;
        self.full = self.full.max(self.send.open() as u32);
        Ok(Grown {
            used: increment.min(unused),
            was_shut,
        })
    }

    /// Brings the peer's window to `size` as the connection opens.
    pub(super) fn enlarge(&mut self, size: u32, out: &mut impl Sink) {
        let more = size - DEFAULT_WINDOW; // `Own` has no less
        if more > 0 {
            payload::put_window_update(0, more, out);
            self.receive.resize(i64::from(more));
        }
    }

    /// Counts `n` bytes that the peer sends; `None` if it may not.
    pub(super) const fn take(&mut self, n: u32) -> Option<()> {
        self.receive.take(n)
    }

    /// Takes back what was [counted](Self::take) last: it is counted again later.
    pub(super) const fn put_back(&mut self, n: u32) {
        self.receive.put_back(n);
    }

    /// Frees `n` bytes that the peer has sent: they are to be given back.
    #[inline]
    pub(super) const fn free(&mut self, n: u32) {
        self.receive.free(n);
        self.is_due = true;
    }

    /// Notes whether the peer can send nothing more at `now` because our side
    /// holds what it has sent.
    #[inline]
    pub(super) const fn note_shut(&mut self, now: Instant) {
        if self.receive.is_shut() {
            (self.withheld, self.shut) = (true, now);
        }
    }

    /// Says that our side withheld all input until `now`.
    pub(super) const fn restart(&mut self, now: Instant) {
        self.shut = now;
    }

    /// Whether the peer could send nothing, now or since this was asked last.
    pub(super) const fn was_withheld(&mut self) -> bool {
        core::mem::replace(&mut self.withheld, self.receive.is_shut())
    }

    /// When the peer could last send nothing; `NEVER` if it is so now.
    pub(super) const fn shut(&self) -> Instant {
        match self.receive.is_shut() {
            true => Instant::NEVER,
            false => self.shut,
        }
    }

    /// Whether [`put_updates`](Self::put_updates) may have something to say.
    pub(super) const fn is_due(&self) -> bool {
        self.is_due
    }

    /// Has the streams looked through with the next update, too.
    pub(super) const fn owe_streams(&mut self) {
        self.streams_are_due = true;
    }

    /// Frees `bytes` of a stream, and of the connection with it. The peer does not
    /// hear of it yet.
    pub(super) fn consume(&mut self, streams: &mut Streams, id: u32, bytes: u32) {
        if let Some(stream) = streams.get_mut(id) {
            let freed = stream.receive.free(bytes);
            self.free(freed);
        }
    }

    /// Sends the window updates that are due, as far as there is room.
    pub(super) fn put_updates(&mut self, streams: &mut Streams, own: &Own, out: &mut impl Sink) {
        self.is_due = false;
        let back = self.receive.give_back(own.connection_window);
        if back > 0 {
            payload::put_window_update(0, back, out);
        }
        if !self.streams_are_due {
            return;
        }
        self.streams_are_due = false;
        for stream in streams.iter_mut() {
            if !stream.state.receives() {
                continue;
            }
            if out.room() < CONTROL_ROOM {
                (self.is_due, self.streams_are_due) = (true, true);
                return;
            }
            let back = stream.receive.give_back(own.window);
            if back > 0 {
                payload::put_window_update(stream.id, back, out);
            }
        }
    }
}

#[cfg(test)]
mod tests;
