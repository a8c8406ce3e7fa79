//! The outcome of one read from a socket, with or without a transport.

use std::io;

use super::seam::TransportError;

/// What a read has brought, as the protocol sees it.
#[derive(Debug, Clone, Copy)]
pub(in crate::net) struct Opened {
    /// Plain bytes, at the front of the buffer.
    pub(in crate::net) bytes: usize,
    /// Bytes that came from the socket.
    pub(in crate::net) raw: usize,
    /// There is no more until the next event
    /// ([`Read::drained`](crate::net::Read::drained)).
    pub(in crate::net) drained: bool,
    /// Nothing will ever come again.
    pub(in crate::net) end: bool,
}

/// Why nothing can be read.
#[derive(Debug)]
pub(in crate::net) enum Fault {
    /// The socket has failed.
    Socket,
    /// The peer's FIN has come, and no end of the transport.
    Cut,
    /// What came cannot be opened.
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
