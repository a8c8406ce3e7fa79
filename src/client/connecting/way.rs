//! The transport between a socket and the protocol of a route: none, TLS, a proxy's tunnel,
//! or both.

use alloc::boxed::Box;
use core::net::{IpAddr, SocketAddr};

use super::proxied::{Asking, Proxied};
use super::route::{Place, Route};
use super::{DialError, Phase, ProxyError};
use crate::net::{Address, Destination, Transport, TransportDetails, TransportMaker};

type Made = Option<Box<dyn Transport + Send>>;

/// The transport of one connection. A proxy is told of the server as `server`.
pub(super) fn transport(route: &Route, server: &str) -> Result<Made, DialError> {
    let inner = secure(route)?;
    match (&route.place, &route.proxy) {
        (Place::Host { port, .. }, Some(proxy)) if !route.is_forwarded() => {
            let way = Proxied::new(proxy, server, *port, inner);
            let way = way.map_err(|error| DialError::failed(Phase::Proxy, error))?;
            Ok(Some(Box::new(way)))
        }
        _ => Ok(inner),
    }
}

/// TLS with the server, if it is spoken.
#[cfg(feature = "tls")]
fn secure(route: &Route) -> Result<Made, DialError> {
    let Some(secure) = &route.secure else {
        return Ok(None);
    };
    let session = secure.client.session(&secure.name, secure.protocols);
    let session = session.map_err(|error| DialError::failed(Phase::Tls, error))?;
    Ok(Some(session))
}

#[cfg(not(feature = "tls"))]
fn secure(route: &Route) -> Result<Made, DialError> {
    use std::io::{Error, ErrorKind};
    match &route.secure {
        Some(_) => {
            let text = "this build has no TLS (feature `tls`)";
            let error = Error::new(ErrorKind::Unsupported, text);
            Err(DialError::failed(Phase::Tls, error))
        }
        None => Ok(None),
    }
}

/// Where a loop dials for a route, and over what. SOCKS proxies are told names: a loop does not
/// resolve for them.
pub(crate) fn on_a_loop(route: &Route) -> Result<(Destination, Option<TransportMaker>), DialError> {
    let destination = match (&route.place, route.first_hop()) {
        (Place::Unix(path), _) => Destination::Address(Address::Unix(path.clone())),
        (_, hop) => {
            let (host, port) = hop.unwrap_or_default(); // a host has one
            match host.parse::<IpAddr>() {
                Ok(address) => Destination::Address(SocketAddr::new(address, port).into()),
                Err(_) => Destination::Name {
                    host: host.into(),
                    port,
                },
            }
        }
    };
    let server = match &route.place {
        Place::Host { host, .. } => host.as_str(),
        Place::Unix(_) => "",
    };
    if transport(route, server)?.is_none() {
        return Ok((destination, None));
    }
    let (route, server) = (route.clone(), alloc::string::String::from(server));
    let maker = TransportMaker::new(move || match transport(&route, &server) {
        Ok(Some(made)) => made,
        // It was made before of the same.
        Ok(None) | Err(_) => Box::new(Proxied::closed()),
    });
    Ok((destination, Some(maker)))
}

/// The proxy's part in the end of a handshake, if it has one.
pub(crate) fn proxy_fault(details: &TransportDetails, timed_out: bool) -> Option<DialError> {
    let fault = match details.downcast_ref::<ProxyError>() {
        Some(error) => *error,
        None if !details.is::<Asking>() => return None,
        None if timed_out => return Some(DialError::timed_out(Phase::Proxy)),
        None => ProxyError::Closed,
    };
    Some(DialError::failed(Phase::Proxy, fault))
}

#[cfg(test)]
mod tests;
