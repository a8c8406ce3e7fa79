//! The outcome of one read from a socket, with or without a transport.

use std::io;

use super::seam::TransportError;

/// The result of a read, as the protocol sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opened {
    pub(crate) bytes: usize,
    pub(crate) raw: usize,
    pub(crate) drained: bool,
    pub(crate) end: bool,
}

/// Why nothing can be read.
#[derive(Debug)]
pub(crate) enum Fault {
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
