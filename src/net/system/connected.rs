//! Connected sockets as mio has them.

use std::io::{self, IoSlice, Read as _, Write as _};
#[cfg(unix)]
use std::os::fd::{AsFd, BorrowedFd};
#[cfg(windows)]
use std::os::windows::io::{AsSocket, BorrowedSocket};

use mio::event::Source;
use mio::net::TcpStream;
#[cfg(unix)]
use mio::net::UnixStream;
use mio::{Interest, Registry, Token};

use super::retry::uninterrupted;

#[derive(Debug)]
pub(super) enum Connected {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

/// Runs `$body` with the socket, whatever its family.
macro_rules! each {
    ($connected:expr, $socket:ident => $body:expr) => {
        match $connected {
            Connected::Tcp($socket) => $body,
            #[cfg(unix)]
            Connected::Unix($socket) => $body,
        }
    };
}

impl From<TcpStream> for Connected {
    fn from(socket: TcpStream) -> Self {
        Self::Tcp(socket)
    }
}

#[cfg(unix)]
impl From<UnixStream> for Connected {
    fn from(socket: UnixStream) -> Self {
        Self::Unix(socket)
    }
}

#[cfg(unix)]
impl AsFd for Connected {
    fn as_fd(&self) -> BorrowedFd<'_> {
        each!(self, socket => socket.as_fd())
    }
}

#[cfg(windows)]
impl AsSocket for Connected {
    fn as_socket(&self) -> BorrowedSocket<'_> {
        each!(self, socket => socket.as_socket())
    }
}

impl Connected {
    pub(super) fn register(
        &mut self,
        registry: &Registry,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        each!(self, socket => socket.register(registry, token, interest))
    }

    /// Registers it again, so that what there is now is announced.
    pub(super) fn reregister(
        &mut self,
        registry: &Registry,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        each!(self, socket => socket.reregister(registry, token, interest))
    }

    /// Reads what has been received, up to what `into` holds; `None` if nothing has.
    pub(super) fn read(&mut self, into: &mut [u8]) -> io::Result<Option<usize>> {
        each!(self, socket => uninterrupted(|| socket.read(into)))
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<Option<usize>> {
        each!(self, socket => uninterrupted(|| socket.write(bytes)))
    }

    pub(super) fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<Option<usize>> {
        each!(self, socket => uninterrupted(|| socket.write_vectored(parts)))
    }
}
