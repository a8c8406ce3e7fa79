//! Where a server listens: one address, or a name with all of its addresses.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::io;
use std::net::ToSocketAddrs;

use crate::net::report::report;
use crate::net::system::address::split_name;
use crate::net::{
    Address, Error, ListenOptions, Loop, Owner, Poller, Profile, Speaks, TransportMaker,
};

/// How often another port is asked for, where one that the system chose for the
/// first address of a name is taken on another.
const PORTS: usize = 16;

/// A place to listen on, as it was given.
#[derive(Debug, Clone)]
pub(crate) struct ListenTarget {
    given: String,
    /// All of them, in the resolver's order; one, unless a name was given.
    addresses: Vec<Address>,
    /// What stands before the protocol on each connection.
    transport: Option<TransportMaker>,
}

impl From<Address> for ListenTarget {
    fn from(address: Address) -> Self {
        Self {
            given: format!("{address}"),
            addresses: Vec::from([address]),
            transport: None,
        }
    }
}

impl ListenTarget {
    /// Reads `IP:port`, `unix:path` or `name:port`, and resolves the name.
    /// `localhost` is both loopback addresses, whatever the system's files say
    /// (RFC 6761 §6.3).
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
        })
    }

    /// The place, with or without a transport.
    pub(crate) fn over(self, transport: Option<TransportMaker>) -> Self {
        Self { transport, ..self }
    }

    /// What stands before the protocol.
    pub(crate) const fn transport(&self) -> Option<&TransportMaker> {
        self.transport.as_ref()
    }

    pub(crate) fn is_unix(&self) -> bool {
        matches!(self.addresses.as_slice(), [Address::Unix(_)])
    }
}

impl<P: Poller> Loop<P> {
    /// Listens on all addresses of a place; with port 0, on one port that all
    /// of them share. It fails only if it can listen on none of them; any other
    /// address that cannot be listened on is named on the log.
    pub(crate) fn listen_at(
        &mut self,
        place: &ListenTarget,
        options: &ListenOptions,
        speaks: Speaks,
        owner: Owner,
        profile: Profile,
    ) -> Result<Vec<Address>, Error> {
        let mut left = PORTS;
        loop {
            let before = self.next_listener();
            let (mut bound, mut refused) = (Vec::new(), Vec::new());
            let mut chosen = None;
            for address in &place.addresses {
                let address = on_port(address, chosen);
                let listening = match &place.transport {
                    None => self.listen(&address, options, speaks, owner, profile),
                    Some(it) => self.listen_over(&address, options, it, speaks, owner, profile),
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
                !place.addresses.contains(address) && is_in_use(error)
            };
            left -= 1;
            if !bound.is_empty() && left > 0 && refused.iter().any(is_taken) {
                self.unlisten_from(before);
                continue;
            }
            if bound.is_empty() {
                return Err(none_of(place, refused));
            }
            for (_, error) in &refused {
                report!(Warn, "{}: {error}", place.given);
            }
            return Ok(bound);
        }
    }
}

/// The address with the port that was chosen, where it asks for any.
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

/// The one error of all addresses of a place.
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
mod tests {
    use super::*;
    use crate::link;
    use crate::net::{Handler, Limits, Mio};

    struct Nothing;

    impl Handler for Nothing {
        fn event(&mut self, _: &mut crate::net::Context<'_>, _: crate::link::Event<'_>) {}
    }

    fn listen(place: &ListenTarget) -> Result<Vec<Address>, Error> {
        let mut events: Loop<Mio> = Loop::new(Limits::DEFAULT)?;
        let owner = events.add(Nothing);
        let profile = events.profile(link::Limits::DEFAULT);
        events.listen_at(place, &ListenOptions::DEFAULT, Speaks::Http, owner, profile)
    }

    fn named(addresses: &[&str]) -> ListenTarget {
        let addresses = addresses.iter().map(|text| text.parse().unwrap());
        ListenTarget {
            given: "name:1".into(),
            addresses: addresses.collect(),
            transport: None,
        }
    }

    #[test]
    fn a_place_is_an_address_or_a_name() {
        let texts = |given| {
            let place = ListenTarget::resolve(given).unwrap();
            let texts = place.addresses.iter().map(|it| format!("{it}"));
            texts.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(texts("[::]:80"), "[::]:80");
        assert_eq!(texts("unix:a"), "unix:a");
        for name in ["localhost:8080", "LocalHost:8080", "localhost.:8080"] {
            assert_eq!(texts(name), "[::1]:8080 127.0.0.1:8080");
        }
        assert_eq!(texts("localhost:0"), "[::1]:0 127.0.0.1:0");
        for bad in [
            "",
            "8080",
            ":80",
            "localhost",
            "localhost:x",
            "a:65536",
            "a:+1",
            "http://a:1",
        ] {
            let error = ListenTarget::resolve(bad).unwrap_err();
            assert!(
                matches!(&error, Error::Address { given, .. } if given == bad),
                "{error}"
            );
        }
        let error = ListenTarget::resolve("name.invalid:80").unwrap_err();
        assert!(
            format!("{error}").starts_with("cannot resolve \"name.invalid\": "),
            "{error}"
        );
    }

    #[test]
    fn port_0_is_one_port_of_all_addresses() {
        let bound = listen(&named(&["127.0.0.1:0", "127.0.0.2:0"])).unwrap();
        assert_eq!(bound.len(), 2);
        assert!(port_of(&bound[0]) == port_of(&bound[1]) && port_of(&bound[0]) != Some(0));
    }

    #[test]
    fn what_cannot_be_listened_on_is_left_out_unless_it_is_everything() {
        let others =
            ["127.0.0.1:0", "127.0.0.2:0"].map(|it| std::net::TcpListener::bind(it).unwrap());
        let taken = others
            .each_ref()
            .map(|it| format!("{}", it.local_addr().unwrap()));
        let bound = listen(&named(&[&taken[0], "127.0.0.1:0"])).unwrap();
        assert!(bound.len() == 1 && port_of(&bound[0]) != Some(0));
        // The second is taken by the first, whatever its port.
        assert_eq!(listen(&named(&["127.0.0.1:0"; 2])).unwrap().len(), 1);

        let error = format!("{}", listen(&named(&[&taken[0], &taken[1]])).unwrap_err());
        let start = format!("cannot listen on name:1: {}: ", taken[0]);
        assert!(error.starts_with(&start), "{error}");
        assert!(error.contains(&format!("; {}: ", taken[1])), "{error}");
        let error = format!("{}", listen(&named(&[&taken[0]])).unwrap_err());
        assert!(
            error.starts_with(&format!("cannot listen on {}: ", taken[0])),
            "{error}"
        );
    }
}
