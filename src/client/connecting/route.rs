//! Where a connection goes, and through what.

use alloc::string::String;
use core::fmt;
use std::path::PathBuf;

use crate::net::Speaks;
#[cfg(feature = "tls")]
use crate::tls;

/// Where a connection goes, and through what: two requests of the same route can share
/// one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::client) struct Route {
    pub(in crate::client) place: Place,
    /// TLS, if it is spoken.
    pub(in crate::client) secure: Option<Secure>,
    /// What is spoken, unless TLS agrees on something.
    pub(in crate::client) speaks: Speaks,
}

/// A server's place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::client) enum Place {
    /// A host and a TCP port.
    Host {
        /// A name, or an address, which needs no brackets.
        host: String,
        /// The port.
        port: u16,
    },
    /// The path of a Unix socket.
    Unix(PathBuf),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Host { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// TLS with a server.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::client) struct Secure {
    /// By whose settings: two that are not clones of each other are two identities.
    #[cfg(feature = "tls")]
    pub(in crate::client) client: tls::Client,
    /// What the certificate is to be for.
    pub(in crate::client) name: String,
    /// What is offered (ALPN), the preferred one first.
    pub(in crate::client) protocols: &'static [&'static str],
}
