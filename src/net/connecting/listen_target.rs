//! A place to listen: one address, or a name with all of its addresses.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::io;
use std::net::ToSocketAddrs;

use crate::net::report::report;
use crate::net::system::address::split_name;
use crate::net::{
    Address, Error, ListenOptions, Listener, Loop, Owner, Poller, Profile, Speaks, TransportMaker,
};

/// How often another port is tried, where the system's choice for a name's first address is
/// taken on another.
const PORTS: usize = 16;

#[derive(Debug, Clone)]
pub(crate) struct ListenTarget {
    given: String,
    /// All of them, in the resolver's order; one, unless a name was given.
    addresses: Vec<Address>,
    transport: Option<TransportMaker>,
    /// The socket that listens already, which all loops accept from.
    socket: Option<Arc<Listener>>,
}

impl From<Address> for ListenTarget {
    fn from(address: Address) -> Self {
        Self {
            given: format!("{address}"),
            addresses: Vec::from([address]),
            transport: None,
            socket: None,
        }
    }
}

impl From<Arc<Listener>> for ListenTarget {
    fn from(socket: Arc<Listener>) -> Self {
        Self {
            given: String::new(),
            addresses: Vec::new(),
            transport: None,
            socket: Some(socket),
        }
    }
}

impl ListenTarget {
    /// Reads `IP:port`, `unix:path` or `name:port`. `localhost` is both loopback addresses (RFC
    /// 6761 §6.3).
    pub(crate) fn resolve(given: &str) -> Result<Self, Error> {
        if let Ok(address) = given.parse::<Address>() {
            return Ok(address.into());
        }
        let (host, port) = split_name(given).ok_or_else(|| Error::Address {
            given: given.into(),
            expected: "IP:port, name:port or unix:path",
        })?;
        let name = host.strip_suffix('.').unwrap_or(host);
        let mut addresses: Vec<Address> = Vec::new();
        if name.eq_ignore_ascii_case("localhost") {
            addresses.push(SocketAddr::from((Ipv6Addr::LOCALHOST, port)).into());
            addresses.push(SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into());
        } else {
            let refused = |error| Error::Resolve {
                name: host.into(),
                error,
            };
            for address in (host, port).to_socket_addrs().map_err(refused)? {
                let address = Address::from(address);
                if !addresses.contains(&address) {
                    addresses.push(address);
                }
            }
            if addresses.is_empty() {
                return Err(refused(io::Error::other("it has no address")));
            }
        }
        Ok(Self {
            given: given.into(),
            addresses,
            transport: None,
            socket: None,
        })
    }

    pub(crate) fn over(self, transport: Option<TransportMaker>) -> Self {
        Self { transport, ..self }
    }

    pub(crate) const fn transport(&self) -> Option<&TransportMaker> {
        self.transport.as_ref()
    }

    pub(crate) const fn socket(&self) -> Option<&Arc<Listener>> {
        self.socket.as_ref()
    }

    /// The addresses that it stands for, each by itself.
    #[cfg(unix)]
    pub(crate) fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    pub(crate) fn is_unix(&self) -> bool {
        matches!(self.addresses.as_slice(), [Address::Unix(_)])
    }
}

impl ListenTarget {
    /// Listens on all addresses of a place; port 0 is one shared port. Fails only if none
    /// works; others are named on the log.
    pub(crate) fn listen<P: Poller>(
        &self,
        events: &mut Loop<P>,
        options: &ListenOptions,
        speaks: Speaks,
        owner: Owner,
        profile: Profile,
    ) -> Result<Vec<Address>, Error> {
        if let Some(socket) = &self.socket {
            let (socket, transport) = (socket.try_clone()?, self.transport.as_ref());
            let bound = events.adopt(socket, options, transport, speaks, owner, profile)?;
            return Ok(Vec::from([bound]));
        }
        let mut left = PORTS;
        loop {
            let before = events.next_listener();
            let (mut bound, mut refused) = (Vec::new(), Vec::new());
            let mut chosen = None;
            for address in &self.addresses {
                let address = on_port(address, chosen);
                let listening = match &self.transport {
                    None => events.listen(&address, options, speaks, owner, profile),
                    Some(it) => events.listen_over(&address, options, it, speaks, owner, profile),
                };
                match listening {
                    Ok(local) => {
                        chosen = chosen.or_else(|| port_of(&local));
                        bound.push(local);
                    }
                    Err(error) => refused.push((address, error)),
                }
            }
            let is_taken = |(address, error): &(Address, Error)| {
                !self.addresses.contains(address) && is_in_use(error)
            };
            left -= 1;
            if !bound.is_empty() && left > 0 && refused.iter().any(is_taken) {
                events.unlisten_from(before);
                continue;
            }
            if bound.is_empty() {
                return Err(none_of(self, refused));
            }
            for (_, error) in &refused {
                report!(Warn, "{}: {error}", self.given);
            }
            return Ok(bound);
        }
    }
}

fn on_port(address: &Address, chosen: Option<u16>) -> Address {
    match (address, chosen) {
        (Address::Tcp(address), Some(port)) if address.port() == 0 => {
            SocketAddr::new(address.ip(), port).into()
        }
        _ => address.clone(),
    }
}

fn port_of(address: &Address) -> Option<u16> {
    match address {
        Address::Tcp(address) => Some(address.port()),
        Address::Unix(_) => None,
    }
}

fn is_in_use(error: &Error) -> bool {
    matches!(error, Error::Listen { error, .. } if error.kind() == io::ErrorKind::AddrInUse)
}

fn none_of(place: &ListenTarget, mut refused: Vec<(Address, Error)>) -> Error {
    if refused.len() == 1
        && let Some((_, error)) = refused.pop()
    {
        return error;
    }
    let mut kind = io::ErrorKind::Other;
    let mut text = String::new();
    for (address, error) in refused {
        if let Error::Listen { error, .. } = error {
            let between = if text.is_empty() { "" } else { "; " };
            text.push_str(&format!("{between}{address}: {error}"));
            kind = error.kind();
        }
    }
    Error::Listen {
        address: place.given.clone(),
        error: io::Error::new(kind, text),
    }
}

#[cfg(test)]
mod tests;
