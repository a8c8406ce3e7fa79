//! Flow control (RFC 9113 §5.2, §6.9).
//!
//! ```text
//!   sending:    window = granted by the peer - sent
//!   receiving:  available + held + freed = the size we have granted
//!                   |         |      '--- used by us, not given back yet
//!                   |         '--- with our caller
//!                   '--- what the peer may send
//! ```

use super::frame::MAX_31;

/// The window for sending. A change of the initial window can push it below zero (RFC
/// 9113 §6.9.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SendWindow(i64);

impl SendWindow {
    pub(super) const fn new(size: u32) -> Self {
        Self(size as i64)
    }

    #[inline]
    pub(super) const fn open(self) -> usize {
        if self.0 > 0 { self.0 as usize } else { 0 }
    }

    /// Takes `n` bytes, which are no more than are open.
    #[inline]
    pub(super) const fn take(&mut self, n: usize) {
        self.0 -= n as i64;
    }

    /// Grows by an update or a change of the initial window; `None`, unchanged, beyond 2^31-1.
    #[must_use]
    pub(super) const fn grow(&mut self, by: i64) -> Option<()> {
        if self.0 + by > MAX_31 as i64 {
            return None;
        }
        self.0 += by;
        Some(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ReceiveWindow {
    available: i64,
    held: u32,
    freed: u32,
}

impl ReceiveWindow {
    pub(super) const fn new(size: u32) -> Self {
        Self {
            available: size as i64,
            held: 0,
            freed: 0,
        }
    }

    /// Takes a frame of `n` bytes; `None` if the peer may not send that many.
    #[inline]
    #[must_use]
    pub(super) const fn take(&mut self, n: u32) -> Option<()> {
        if n as i64 > self.available {
            return None;
        }
        self.available -= n as i64;
        self.held += n;
        Some(())
    }

    pub(super) const fn put_back(&mut self, n: u32) {
        self.available += n as i64;
        self.held -= n;
    }

    pub(super) const fn held(&self) -> u32 {
        self.held
    }

    /// Whether the peer may send nothing, and our caller holds what it has sent.
    pub(super) const fn is_shut(&self) -> bool {
        self.available <= 0 && self.held > 0
    }

    /// Frees at most `n` of the bytes that are held; returns how many.
    #[inline]
    pub(super) const fn free(&mut self, n: u32) -> u32 {
        let n = if n < self.held { n } else { self.held };
        self.held -= n;
        self.freed += n;
        n
    }

    /// The credit to return now: whole units of half the window's `size`, so that cuts do not
    /// matter. Zero if too little.
    #[inline]
    pub(super) const fn give_back(&mut self, size: u32) -> u32 {
        // Fewer frames than bytes, and the peer never waits while half the window is free.
        let unit = if size < 2 { 1 } else { size / 2 };
        if self.freed < unit {
            return 0;
        }
        let back = self.freed - self.freed % unit;
        self.freed -= back;
        self.available += back as i64;
        back
    }

    /// Follows a change of the window that we have granted.
    pub(super) const fn resize(&mut self, by: i64) {
        self.available += by;
    }
}

#[cfg(test)]
mod tests;
