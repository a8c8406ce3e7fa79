//! The outcome of one read from a socket, with or without a transport.

use std::io;

use super::seam::TransportError;

/// The result of a read, as the protocol sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opened {
    /// Plain bytes, at the front of the buffer.
    pub(crate) bytes: usize,
    /// Bytes that came from the socket.
    pub(crate) raw: usize,
    /// There is no more until the next event
    /// ([`Read::drained`](crate::net::Read::drained)).
    pub(crate) drained: bool,
    /// Nothing will ever come again.
    pub(crate) end: bool,
}

/// Why nothing can be read.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The socket has failed.
    Socket,
    /// The peer's FIN has come, and no end of the transport.
    Cut,
    /// The records that came cannot be opened.
    Transport(TransportError),
}

impl From<io::Error> for Fault {
    fn from(_: io::Error) -> Self {
        Self::Socket
    }
}

impl From<TransportError> for Fault {
    fn from(error: TransportError) -> Self {
        Self::Transport(error)
    }
}
