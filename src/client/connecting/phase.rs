//! How far a call of a client was.

use core::fmt;

/// How far a client was when something went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// The request was made: nothing was sent, and nobody asked for a connection.
    Request,
    /// The client's connections were all in use.
    Pool,
    /// The server's name, or its proxy's, was to be resolved.
    Resolve,
    /// A connection to the server or its proxy was to be had.
    Connect,
    /// The proxy was to reach the server.
    Proxy,
    /// The handshake of TLS was under way.
    Tls,
    /// The request, with its body, was being sent.
    Send,
    /// The request was sent, and the head of the response had not come.
    Response,
    /// The body of the response was being received.
    Body,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request => "making the request",
            Self::Pool => "waiting for a connection to be free",
            Self::Resolve => "resolving the name",
            Self::Connect => "connecting",
            Self::Proxy => "asking the proxy",
            Self::Tls => "the TLS handshake",
            Self::Send => "sending the request",
            Self::Response => "waiting for the response",
            Self::Body => "receiving the response's body",
        })
    }
}
