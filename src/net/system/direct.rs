//! Connected sockets as their descriptors, read and written without the C
//! library. Its functions can be cancelled together with their thread, and the
//! care for that costs 65 instructions a call.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use mio::event::Source;
use mio::net::{TcpStream, UnixStream};
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::io::writev;
use rustix::net::{RecvFlags, SendFlags, recv, send};

use super::retry::uninterrupted;

/// A connected socket, of whatever family: 4 bytes, and as many with `Option`.
#[derive(Debug)]
pub(super) struct Connected(OwnedFd);

impl From<TcpStream> for Connected {
    fn from(socket: TcpStream) -> Self {
        Self(socket.into())
    }
}

impl From<UnixStream> for Connected {
    fn from(socket: UnixStream) -> Self {
        Self(socket.into())
    }
}

impl AsFd for Connected {
    #[inline]
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Connected {
    pub(super) fn register(
        &mut self,
        registry: &Registry,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        SourceFd(&self.0.as_raw_fd()).register(registry, token, interest)
    }

    /// Registers it again, so that what there is now is announced.
    pub(super) fn reregister(
        &mut self,
        registry: &Registry,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        SourceFd(&self.0.as_raw_fd()).reregister(registry, token, interest)
    }

    /// Reads what has been received, up to what `into` holds; `None` if nothing has.
    #[inline]
    pub(super) fn read(&mut self, into: &mut [u8]) -> io::Result<Option<usize>> {
        uninterrupted(|| recv(&self.0, &mut *into, RecvFlags::empty()).map(|(_, bytes)| bytes))
    }

    #[inline]
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<Option<usize>> {
        uninterrupted(|| send(&self.0, bytes, SendFlags::NOSIGNAL))
    }

    #[inline]
    pub(super) fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<Option<usize>> {
        uninterrupted(|| writev(&self.0, parts))
    }
}

#[cfg(test)]
mod tests;
