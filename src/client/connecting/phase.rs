//! How far a call of a client was.

use core::fmt;

/// How far a client was when something went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// The server's name, or its proxy's, was to be resolved.
    Resolve,
    /// A connection to the server or its proxy was to be had.
    Connect,
    /// The proxy was to reach the server.
    Proxy,
    /// The handshake of TLS was under way.
    Tls,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "resolving the name",
            Self::Connect => "connecting",
            Self::Proxy => "asking the proxy",
            Self::Tls => "the TLS handshake",
        })
    }
}
