//! The state of a connection's socket, as the system and reads have told it.

use crate::net::Readiness;

/// How far the peer's FIN has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fin {
    None,
    Announced,
    Read,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SocketState {
    pub(crate) readable: bool,
    /// The kernel may take more without a further event.
    pub(crate) writable: bool,
    fin: Fin,
    broken: bool,
    /// Nothing more can be written; what the peer has sent before is still read.
    muted: bool,
}

impl SocketState {
    /// The state before anything was told.
    pub(crate) const NEW: Self = Self {
        readable: false,
        writable: true,
        fin: Fin::None,
        broken: false,
        muted: false,
    };

    #[inline]
    pub(super) const fn note(&mut self, readiness: Readiness) {
        let is_fin = readiness.read_closed || readiness.closed;
        self.readable |= readiness.readable || is_fin;
        self.writable |= readiness.writable && !self.muted;
        if is_fin && matches!(self.fin, Fin::None) {
            self.fin = Fin::Announced;
        }
        self.broken |= readiness.closed;
    }

    /// Notes a read that found the `end` or not, and whether it `drained` the socket.
    #[inline]
    pub(crate) const fn note_read(&mut self, end: bool, drained: bool) {
        if end {
            self.end();
        }
        self.readable = self.reads_on(end, drained);
    }

    /// Whether there may be more after such a read without an event.
    #[inline]
    pub(crate) const fn reads_on(&self, end: bool, drained: bool) -> bool {
        !end && (!drained || self.awaits_end())
    }

    #[inline]
    pub(super) const fn awaits_end(&self) -> bool {
        !matches!(self.fin, Fin::None)
    }

    /// The peer's FIN counts as read.
    pub(super) const fn end(&mut self) {
        self.fin = Fin::Read;
    }

    #[inline]
    pub(crate) const fn has_ended(&self) -> bool {
        matches!(self.fin, Fin::Read)
    }

    /// Notes that a write has failed: only reading is left. `false` if that is known.
    pub(super) const fn mute(&mut self) -> bool {
        let is_news = !self.muted;
        (self.muted, self.broken) = (true, true);
        (self.writable, self.readable) = (false, true);
        is_news
    }

    #[inline]
    pub(super) const fn is_muted(&self) -> bool {
        self.muted
    }

    #[inline]
    pub(super) const fn is_broken(&self) -> bool {
        self.broken
    }
}
