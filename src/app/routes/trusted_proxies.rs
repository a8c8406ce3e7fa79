//! The client behind a proxy, as trusted proxies name it in fields.

use alloc::vec::Vec;

use super::middleware::{Incoming, Middleware, Next};
use crate::app::exchange::provenance::Provenance;
use crate::app::exchange::reply::Reply;
use crate::http::Fields;
use crate::http::forwarded::{Hop, host, members_from_end, node, scheme};
use crate::net::{Error, Network, Peer};

/// The proxies whose word on the client is taken, and the fields that they give it in:
/// for [`App::trust_proxies`](crate::app::App::trust_proxies).
///
/// ```
/// use barewire::app::{App, TrustedProxies};
///
/// # fn main() -> Result<(), barewire::net::Error> {
/// let proxies = TrustedProxies::new(["10.0.0.0/24".parse()?, "::1".parse()?])
///     .x_forwarded_for()
///     .x_forwarded_proto();
/// App::new().trust_proxies(proxies).get("/", |request, reply| {
///     // The client's address, and the scheme that it used.
///     let peer = request.peer().map_or(String::new(), |it| it.to_string());
///     reply.text(&format!("{peer} by {}", request.scheme()))
/// });
/// # Ok(())
/// # }
/// ```
///
/// # What to believe
/// A proxy hands on what a client sends, unless it replaces or drops it. So name the fields
/// that **every** one of your proxies sets or drops on each request, and no others: with
/// nginx, `X-Forwarded-For $proxy_add_x_forwarded_for` and `X-Forwarded-Proto $scheme`; with
/// HAProxy, `option forwardfor` or `option forwarded`. Name the proxies' own addresses, not a
/// network that clients are in as well.
///
/// # The rule
/// 1. A request from any other address is that peer's own, and its fields are no more than
///    text.
/// 2. X-Forwarded-For and Forwarded are read from their end, as each proxy adds there. The
///    first address that is no trusted proxy's is the client; if all are, the one farthest
///    away.
/// 3. Reading stops before an element that is malformed, or that names no address
///    (`unknown`, `_hidden`): what named it is the client, as far as anybody can say. So a
///    malformed element never refuses a request, and no address is made up.
/// 4. Of Forwarded, scheme and host are those of the elements read, the farthest that has
///    them; of X-Forwarded-Proto and X-Forwarded-Host the last value, which is that of the
///    nearest proxy. What is no `http`, `https`, `ws` or `wss`, and what is no host, is
///    ignored.
///
/// The client's port is 0 where the proxy does not tell it.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies {
    networks: Vec<Network>,
    unix: bool,
    forwarded: bool,
    x_for: bool,
    x_proto: bool,
    x_host: bool,
}

/// What trusted proxies say of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Forwarded<'b> {
    /// The client; the proxy that sent the request if none of them named another.
    pub client: Peer,
    /// The scheme that the client used: `http` or `https`.
    pub scheme: Option<&'static str>,
    /// The host, and port, that the client asked for.
    pub host: Option<&'b str>,
}

impl TrustedProxies {
    /// Trusts the proxies in these networks. Which fields they write is said by the other
    /// methods; an app does not start without any.
    pub fn new(networks: impl IntoIterator<Item = Network>) -> Self {
        Self {
            networks: networks.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Trusts a proxy that connects by a Unix domain socket, too.
    #[must_use]
    pub const fn unix_sockets(mut self) -> Self {
        self.unix = true;
        self
    }

    /// Believes `Forwarded` (RFC 7239): address, scheme and host. Not beside the other
    /// three, since a proxy that writes those hands this on as the client sent it.
    #[must_use]
    pub const fn forwarded(mut self) -> Self {
        self.forwarded = true;
        self
    }

    /// Believes the addresses in `X-Forwarded-For`.
    #[must_use]
    pub const fn x_forwarded_for(mut self) -> Self {
        self.x_for = true;
        self
    }

    /// Believes the scheme in `X-Forwarded-Proto`.
    #[must_use]
    pub const fn x_forwarded_proto(mut self) -> Self {
        self.x_proto = true;
        self
    }

    /// Believes the host in `X-Forwarded-Host`. Leave it out where the proxy keeps Host, as
    /// HAProxy does and nginx does with `proxy_set_header Host $host`.
    #[must_use]
    pub const fn x_forwarded_host(mut self) -> Self {
        self.x_host = true;
        self
    }

    /// What a request from this peer says of its client; `None` unless the peer is trusted.
    ///
    /// ```
    /// use barewire::app::{Peer, TrustedProxies};
    /// use barewire::http::{Field, Fields};
    ///
    /// let proxies = TrustedProxies::new(["10.0.0.0/8".parse()?]).x_forwarded_for();
    /// // The client wrote the first address, our proxies the other two.
    /// let list = [Field::new("X-Forwarded-For", "8.8.8.8, 192.0.2.7, 10.0.0.2")];
    /// let proxy = Peer::V4([10, 0, 0, 1].into(), 40000);
    /// let told = proxies.read(proxy, &Fields::new(&list)).unwrap();
    /// assert_eq!(told.client, Peer::V4([192, 0, 2, 7].into(), 0));
    /// # Ok::<(), barewire::net::Error>(())
    /// ```
    pub fn read<'b>(&self, peer: Peer, fields: &Fields<'b>) -> Option<Forwarded<'b>> {
        if !self.trusts(peer) {
            return None;
        }
        let mut told = Forwarded {
            client: peer,
            scheme: None,
            host: None,
        };
        if self.forwarded {
            for element in members_from_end(fields, "forwarded") {
                let Some(hop) = Hop::parse(element) else {
                    break;
                };
                told.scheme = hop.scheme.or(told.scheme);
                told.host = hop.host.or(told.host);
                let Some(node) = hop.node else { break };
                told.client = node.into();
                if !self.trusts(told.client) {
                    break;
                }
            }
        }
        if self.x_for {
            for member in members_from_end(fields, "x-forwarded-for") {
                let Some(node) = text(member).and_then(node) else {
                    break;
                };
                told.client = node.into();
                if !self.trusts(told.client) {
                    break;
                }
            }
        }
        let last = |name| members_from_end(fields, name).next().and_then(text);
        if self.x_proto {
            told.scheme = last("x-forwarded-proto").and_then(scheme);
        }
        if self.x_host {
            told.host = last("x-forwarded-host").and_then(host);
        }
        Some(told)
    }

    fn trusts(&self, peer: Peer) -> bool {
        match peer.ip() {
            Some(ip) => self.networks.iter().any(|it| it.contains(ip)),
            None => self.unix,
        }
    }

    /// Why no app can start with them, if none can.
    pub(crate) fn fault(&self) -> Option<Error> {
        let is_listed = self.x_for || self.x_proto || self.x_host;
        let fault = match (self.forwarded, is_listed) {
            (false, false) => {
                "trusted proxies write Forwarded or X-Forwarded-For: say which is believed"
            }
            (true, true) => {
                "who writes X-Forwarded-For passes on the client's own Forwarded: believe one"
            }
            _ => return None,
        };
        Some(Error::Config(fault))
    }

    /// The networks that many clients come from.
    pub(crate) fn networks(&self) -> &[Network] {
        &self.networks
    }
}

fn text(member: &[u8]) -> Option<&str> {
    core::str::from_utf8(member).ok()
}

impl Incoming<'_, '_> {
    /// Takes over what trusted proxies say of the client.
    fn forward(&mut self, proxy: Peer, told: &Forwarded<'_>) {
        self.peer = Some(told.client);
        self.changes.scheme = told.scheme;
        if let Some(host) = told.host {
            self.changes.host.push_str(host);
            // It has been checked.
            let _ = self.set_header("Host", host);
        }
        self.insert(Provenance {
            proxy,
            client: told.client,
            scheme: told.scheme,
            names_host: told.host.is_some(),
        });
    }
}

/// What stands in front of all other middleware.
pub(crate) struct Trusting(pub(crate) TrustedProxies);

impl Middleware for Trusting {
    fn before(&self, request: &mut Incoming<'_, '_>, _: Reply<'_, '_>) -> Next {
        let fields = request.head.fields;
        if let Some(proxy) = request.peer()
            && let Some(told) = self.0.read(proxy, &fields)
        {
            request.forward(proxy, &told);
        }
        Next::Continue
    }
}

#[cfg(test)]
mod tests;
