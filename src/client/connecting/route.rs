//! The way of a connection: where it goes, and through what.

use alloc::string::String;
use core::fmt;
use std::path::PathBuf;

use super::Proxy;
use super::proxy::Kind;
use crate::net::Speaks;
#[cfg(feature = "tls")]
use crate::tls;

/// Where a connection goes, and through what: two requests of the same route can share
/// one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Route {
    pub(crate) place: Place,
    pub(crate) secure: Option<Secure>,
    /// The protocol, unless TLS agrees on one.
    pub(crate) speaks: Speaks,
    pub(crate) proxy: Option<Proxy>,
    /// An HTTP proxy opens a tunnel even where it would forward: a WebSocket needs one (RFC
    /// 6455 §4.1).
    pub(crate) tunnel: bool,
}

impl Route {
    /// Whether requests go to a forwarding HTTP proxy: in absolute form (RFC 9112 §3.2.2), with
    /// [`Proxy-Authorization`](Proxy::authorization).
    pub(super) fn is_forwarded(&self) -> bool {
        let kind = self.proxy.as_ref().map(Proxy::kind);
        kind == Some(Kind::Http) && self.secure.is_none() && !self.tunnel
    }

    /// The host and port that a socket is to be connected to.
    pub(super) fn first_hop(&self) -> Option<(&str, u16)> {
        match (&self.place, &self.proxy) {
            (Place::Unix(_), _) => None,
            (Place::Host { .. }, Some(proxy)) => Some((proxy.host(), proxy.port())),
            (Place::Host { host, port }, None) => Some((host, *port)),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    Host {
        /// A name, or an address, which needs no brackets.
        host: String,
        port: u16,
    },
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

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Secure {
    /// Two settings that are not clones of each other are two identities.
    #[cfg(feature = "tls")]
    pub(crate) client: tls::Client,
    pub(crate) name: String,
    /// The protocols that are offered (ALPN), the preferred one first.
    pub(crate) protocols: &'static [&'static str],
}
