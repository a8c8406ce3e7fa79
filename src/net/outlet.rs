//! The way past the cork, for what is too large to be copied into it.

use core::fmt;
use std::io::{self, ErrorKind, IoSlice};

use super::transport::sockets::Sockets;
use super::{Cork, Key, Poller};
use crate::wire::Sink;

use bytes::Bytes;

/// From this size on, output is offered to the kernel where it lies: copying costs more than a
/// write.
pub(super) const LARGE: usize = 32 * 1024;

/// The sockets of a loop, whatever its system.
pub(super) trait Outlet {
    /// Writes parts to a connection's socket, and answers how many bytes were
    /// taken.
    fn write(&mut self, key: Key, parts: &[IoSlice<'_>]) -> io::Result<usize>;
}

/// The sockets of a loop over one system.
pub(super) struct Past<'a, P: Poller> {
    pub(super) poller: &'a mut P,
    pub(super) sockets: &'a mut Sockets<P::Stream>,
}

impl<P: Poller> Outlet for Past<'_, P> {
    fn write(&mut self, key: Key, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        match self.sockets.writing(key) {
            Some((stream, None)) => self.poller.write(stream, parts),
            // Sealing is a copy anyway, and waits for all that the turn writes.
            Some((_, Some(_))) => Err(ErrorKind::Unsupported.into()),
            None => Ok(0),
        }
    }
}

impl fmt::Debug for dyn Outlet + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outlet")
    }
}

/// A cork that offers large pieces to the kernel immediately, after what it holds, and copies
/// only the rest.
pub(super) struct Direct<'s> {
    pub(super) cork: &'s mut Cork,
    pub(super) key: Key,
    /// Where to write; `None` where something waits in front.
    pub(super) outlet: Option<&'s mut dyn Outlet>,
    pub(super) taken: usize,
    /// The kernel has taken less than it was offered.
    pub(super) is_full: bool,
}

impl Sink for Direct<'_> {
    #[inline]
    fn room(&self) -> usize {
        self.cork.room()
    }

    fn put(&mut self, bytes: &[u8]) {
        if bytes.len() < LARGE {
            return self.cork.put(bytes);
        }
        let (Some(copied), Some(outlet)) = (self.cork.plain(), self.outlet.take()) else {
            return self.cork.put(bytes);
        };
        let parts = [IoSlice::new(copied), IoSlice::new(bytes)];
        let offered = copied.len() + bytes.len();
        // An error is found again when the cork is written.
        let Ok(taken) = outlet.write(self.key, &parts) else {
            return self.cork.put(bytes);
        };
        self.cork.advance(taken, bytes);
        self.taken += taken;
        self.is_full = taken < offered;
        if !self.is_full {
            self.outlet = Some(outlet);
        }
    }

    #[inline]
    fn space(&mut self, n: usize) -> &mut [u8] {
        self.cork.space(n)
    }

    #[inline]
    fn put_shared(&mut self, bytes: Bytes) {
        self.cork.put_shared(bytes);
    }
}
