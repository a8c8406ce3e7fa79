//! Addresses to listen on and to dial, and peers.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use core::str::FromStr;
use std::path::PathBuf;

use crate::net::{Error, Network};
use crate::wire::builder;

/// The address of a socket.
///
/// Its text is `127.0.0.1:8080`, `[::]:80`, or `unix:` and a path.
///
/// ```
/// use barewire::net::Address;
///
/// let address: Address = "[::1]:8080".parse()?;
/// assert_eq!(address.to_string(), "[::1]:8080");
/// let address: Address = "unix:/run/app.sock".parse()?;
/// assert_eq!(address.to_string(), "unix:/run/app.sock");
/// assert!("localhost:80".parse::<Address>().is_err()); // a name, not an address
/// # Ok::<(), barewire::net::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Address {
    /// An IP address and a TCP port. Port 0, when listening, lets the system
    /// choose.
    Tcp(SocketAddr),
    /// The path of a Unix domain socket.
    Unix(PathBuf),
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.strip_prefix("unix:") {
            Some(path) if !path.is_empty() => Ok(Self::Unix(PathBuf::from(path))),
            Some(_) => Err(not_an_address(text, "IP:port or unix:path")),
            None => match text.parse() {
                Ok(address) => Ok(Self::Tcp(address)),
                Err(_) => Err(not_an_address(text, "IP:port or unix:path")),
            },
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address)
    }
}

impl<I: Into<IpAddr>> From<(I, u16)> for Address {
    fn from(address: (I, u16)) -> Self {
        Self::Tcp(SocketAddr::from(address))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Where a dial goes: an [`Address`], or a name that is resolved first.
///
/// ```
/// use barewire::net::{Address, Destination};
///
/// assert!(matches!("example.com:80".parse()?, Destination::Name { port: 80, .. }));
/// assert!(matches!("127.0.0.1:80".parse()?, Destination::Address(Address::Tcp(_))));
/// # Ok::<(), barewire::net::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Destination {
    /// An address that needs no resolving.
    Address(Address),
    /// A host's name and a TCP port.
    Name {
        /// The name, as the system's resolver takes it.
        host: String,
        /// The port, not 0.
        port: u16,
    },
}

impl FromStr for Destination {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(address));
        }
        match split_name(text) {
            Some((host, port)) if port != 0 => Ok(Self::Name {
                host: String::from(host),
                port,
            }),
            _ => Err(not_an_address(text, "IP:port, name:port or unix:path")),
        }
    }
}

fn not_an_address(given: &str, expected: &'static str) -> Error {
    Error::Address {
        given: String::from(given),
        expected,
    }
}

/// The parts of `name:port`.
pub(crate) fn split_name(text: &str) -> Option<(&str, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let fits = !host.is_empty()
        && host.len() <= 253 // RFC 1035 §2.3.4
        && host.bytes().all(|b| b.is_ascii_graphic() && !b"[]:/@".contains(&b))
        && port.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| port.parse().ok().map(|port| (host, port)))?
}

impl From<Address> for Destination {
    fn from(address: Address) -> Self {
        Self::Address(address)
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Name { host, port } => write!(f, "{host}:{port}"),
        }
    }
}

/// The peer at the other end: 24 bytes, kept by every connection.
///
/// An IPv4 peer of a socket that listens on IPv6 (`::ffff:192.0.2.1`,
/// RFC 4291 §2.5.5.2) is an IPv4 peer here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Peer {
    /// An IPv4 address and a port.
    V4(Ipv4Addr, u16),
    /// An IPv6 address, a port and the scope (0 except for link-local
    /// addresses).
    V6(Ipv6Addr, u16, u32),
    /// A process of the same machine.
    Unix,
}

impl Peer {
    /// The peer's IP address.
    pub const fn ip(self) -> Option<IpAddr> {
        match self {
            Self::V4(ip, _) => Some(IpAddr::V4(ip)),
            Self::V6(ip, _, _) => Some(IpAddr::V6(ip)),
            Self::Unix => None,
        }
    }

    /// The peer's IP address and port.
    pub fn socket_address(self) -> Option<SocketAddr> {
        match self {
            Self::V4(ip, port) => Some(SocketAddr::from((ip, port))),
            Self::V6(ip, port, scope) => {
                Some(SocketAddr::V6(SocketAddrV6::new(ip, port, 0, scope)))
            }
            Self::Unix => None,
        }
    }
}

impl From<SocketAddr> for Peer {
    fn from(address: SocketAddr) -> Self {
        match address {
            SocketAddr::V4(v4) => Self::V4(*v4.ip(), v4.port()),
            SocketAddr::V6(v6) => match v6.ip().to_ipv4_mapped() {
                Some(ip) => Self::V4(ip, v6.port()),
                None => Self::V6(*v6.ip(), v6.port(), v6.scope_id()),
            },
        }
    }
}

impl From<&Address> for Peer {
    fn from(address: &Address) -> Self {
        match address {
            Address::Tcp(address) => Self::from(*address),
            Address::Unix(_) => Self::Unix,
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.socket_address() {
            Some(address) => address.fmt(f),
            None => f.write_str("unix:"),
        }
    }
}

/// How a socket listens.
///
/// After a load balancer that speaks the PROXY protocol, for example, the peer is
/// the client that the balancer names:
///
/// ```
/// use barewire::app::App;
/// use barewire::net::ListenOptions;
///
/// let balancers = ["10.0.0.0/24".parse()?, "fd00::/64".parse()?];
/// let options = ListenOptions::DEFAULT
///     .with_proxies(balancers)
///     .with_proxy_protocol(true);
/// let app = App::new()
///     .listen_options(options)
///     .get("/", |request, reply| match request.peer() {
///         Some(peer) => reply.text(&peer.to_string()),
///         None => reply.text("gone"),
///     })
///     .listen("127.0.0.1:0")?;
/// # Ok::<(), barewire::net::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListenOptions {
    /// Connections that may wait in the kernel to be accepted. The system cuts
    /// it to its own bound (`net.core.somaxconn` on Linux). Default 1024.
    pub backlog: i32,
    /// Whether other sockets may listen on the same address, so that each loop
    /// has its own and the kernel spreads connections over them
    /// (`SO_REUSEPORT`; unknown to Windows and Unix domain sockets, where it
    /// is an error). Default false.
    pub reuse_port: bool,
    /// Whether a socket that others may join has to be the first: an address
    /// that somebody listens on already is in use, also for
    /// [`reuse_port`](Self::reuse_port), which alone says nothing to a program
    /// that is started twice. Default false.
    pub claim: bool,
    /// Whether `[::]` leaves IPv4 to others (`IPV6_V6ONLY`, RFC 3493 §5.3).
    /// Default false: one socket serves both.
    pub only_v6: bool,
    /// Whether accepted connections send small writes immediately (`TCP_NODELAY`).
    /// The loop writes once per batch, so that waiting never pays. Default
    /// true.
    pub nodelay: bool,
    /// Addresses of proxies, from which many clients come: no share of one address
    /// holds for them on this loop. Default none.
    pub proxies: Vec<Network>,
    /// Whether connections from those proxies, and on Unix domain sockets, begin
    /// with a header of the PROXY protocol, version 1 or 2, that names the client:
    /// the client is then the [`Peer`], and has its own share. A connection
    /// that does not is closed. From any other address nothing of the kind is
    /// believed: its bytes are a request. Default false.
    pub proxy_protocol: bool,
    /// Proxies that name clients in fields of HTTP: no share of one address holds for them,
    /// and nothing else is known of them here.
    pub(crate) forwarders: Vec<Network>,
}

impl ListenOptions {
    /// The defaults that [`ListenOptions`]' fields name.
    pub const DEFAULT: Self = Self {
        backlog: 1024,
        reuse_port: false,
        claim: false,
        only_v6: false,
        nodelay: true,
        proxies: Vec::new(),
        proxy_protocol: false,
        forwarders: Vec::new(),
    };

    /// Sets [`backlog`](Self::backlog).
    pub const fn with_backlog(mut self, backlog: i32) -> Self {
        self.backlog = backlog;
        self
    }

    /// Sets [`reuse_port`](Self::reuse_port).
    pub const fn with_reuse_port(mut self, reuse_port: bool) -> Self {
        self.reuse_port = reuse_port;
        self
    }

    /// Sets [`claim`](Self::claim).
    pub const fn with_claim(mut self, claim: bool) -> Self {
        self.claim = claim;
        self
    }

    /// Sets [`only_v6`](Self::only_v6).
    pub const fn with_only_v6(mut self, only_v6: bool) -> Self {
        self.only_v6 = only_v6;
        self
    }

    builder! {
        /// Sets [`proxies`](Self::proxies).
        fn with_proxies(proxies: impl IntoIterator<Item = Network>) =>
            proxies = proxies.into_iter().collect();

        /// Sets [`proxy_protocol`](Self::proxy_protocol).
        const fn with_proxy_protocol(proxy_protocol: bool) => proxy_protocol = proxy_protocol;
    }

    /// Sets [`nodelay`](Self::nodelay).
    pub const fn with_nodelay(mut self, nodelay: bool) -> Self {
        self.nodelay = nodelay;
        self
    }
}

impl Default for ListenOptions {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests;
