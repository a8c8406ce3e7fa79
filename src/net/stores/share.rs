//! Caps on a resource: for a loop, an address and a connection.

/// How many of something there may be: in all, and of them for one address and
/// for one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// On the loop.
    pub all: u32,
    /// For one IPv4 address or one IPv6 /64. Unix domain sockets and proxies
    /// ([`ListenOptions::proxies`](crate::net::ListenOptions::proxies)) have no
    /// such share.
    pub address: u32,
    /// For one connection. Not counted if it is not lower than `address`.
    pub connection: u32,
}

impl Share {
    /// This many for the loop; one address or connection may take all of them.
    pub const fn unshared(all: u32) -> Self {
        Self {
            all,
            address: all,
            connection: all,
        }
    }
}
