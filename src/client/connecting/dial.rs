//! Dialling for the thread that waits: from a route to a connection that speaks.
//!
//! ```text
//!  Route ──resolve──► addresses ──connect──► Socket ──handshakes──► Driven
//! ```
//!
//! Each phase has its own time, and the whole has one; a canceller ends each of them.

use alloc::borrow::Cow;
use alloc::string::ToString as _;
use alloc::sync::Arc;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::io::{self, ErrorKind};

use super::connect::connect;
use super::driven::{Driven, Waited};
use super::proxied::Asking;
use super::proxy::Kind;
use super::route::{Place, Route};
use super::socket::Socket;
use super::way::{proxy_fault, transport};
use super::{Canceller, Connection, DialError, Names, Phase, clock};
use crate::link::{EndReason, Event, Limits, Unreachable};
use crate::net::{Address, Attempts, Speaks, in_turns, is_loop_thread};
#[cfg(feature = "tls")]
use crate::tls::ConnectionError;
use crate::wire::Instant;

#[derive(Debug, Clone)]
pub(crate) struct DialOptions {
    pub(crate) resolve_time: Duration,
    pub(crate) connect_time: Duration,
    pub(crate) handshake_time: Duration,
    /// How long an attempt has before the next address is tried beside it.
    pub(crate) attempt_delay: Duration,
    pub(crate) until: Instant,
    pub(crate) names: Arc<Names>,
}

impl DialOptions {
    /// 10 s for each phase, and no further bound.
    pub(crate) const fn new(names: Arc<Names>) -> Self {
        Self {
            resolve_time: Duration::from_secs(10),
            connect_time: Duration::from_secs(10),
            handshake_time: Duration::from_secs(10),
            attempt_delay: Duration::from_millis(250), // RFC 8305 §8
            until: Instant::NEVER,
            names,
        }
    }

    /// When a phase that begins now has to be over.
    fn until(&self, time: Duration) -> Instant {
        (clock::now() + time).min(self.until)
    }
}

/// Connects. [`watch`](Driven::watch) is set to `cancel` in what is returned.
pub(crate) fn dial(
    route: &Route,
    options: &DialOptions,
    limits: impl Into<Arc<Limits>>,
    cancel: &Canceller,
) -> Result<Driven, DialError> {
    if is_loop_thread() {
        return Err(DialError::on_loop());
    }
    if cancel.is_cancelled() {
        return Err(DialError::cancelled(Phase::Resolve));
    }
    let attempts = attempts(route, options, cancel)?;
    let until = options.until(options.connect_time);
    let socket = match connect(attempts, until, cancel) {
        Ok(socket) => socket,
        Err(error) => {
            if let Some((host, port)) = route.first_hop() {
                options.names.forget(host, port);
            }
            return Err(error);
        }
    };
    open(route, options, limits.into(), socket, cancel)
}

fn attempts(
    route: &Route,
    options: &DialOptions,
    cancel: &Canceller,
) -> Result<Attempts<Address>, DialError> {
    let delay = options.attempt_delay;
    let (host, port) = match (&route.place, route.first_hop()) {
        (Place::Unix(path), _) => {
            return Ok(Attempts::new([Address::Unix(path.clone())], delay));
        }
        (_, hop) => hop.unwrap_or_default(), // a host has one
    };
    if let Ok(address) = host.parse::<IpAddr>() {
        let address = Address::Tcp(SocketAddr::new(address, port));
        return Ok(Attempts::new([address], delay));
    }
    let until = options.until(options.resolve_time);
    let found = options.names.resolve(host, port, until, cancel)?;
    Ok(Attempts::new(in_turns(&found).map(Address::Tcp), delay))
}

/// Speaks first what is to be agreed on.
fn open(
    route: &Route,
    options: &DialOptions,
    limits: Arc<Limits>,
    socket: Socket,
    cancel: &Canceller,
) -> Result<Driven, DialError> {
    let server = server(route, options, cancel)?;
    let until = options.until(options.handshake_time);
    let connection = begin(route, &server, until, limits)?;
    let mut driven = Driven::new(connection, socket);
    driven.watch(cancel);
    let mut gone = None;
    while driven.connection().is_handshaking() {
        let waited = driven.drive(until, &mut |_, _, event| {
            if let Event::Ended(why) = event {
                gone = Some(why);
            }
        });
        match waited {
            Waited::Moved => {}
            Waited::TimedOut => return Err(DialError::timed_out(phase(driven.connection()))),
            Waited::Cancelled => return Err(DialError::cancelled(phase(driven.connection()))),
            Waited::Over => return Err(why_no_handshake(driven.connection(), gone)),
        }
    }
    Ok(driven)
}

/// The server as a proxy is told of it: by its address where the proxy resolves no names.
fn server<'r>(
    route: &'r Route,
    options: &DialOptions,
    cancel: &Canceller,
) -> Result<Cow<'r, str>, DialError> {
    let (Place::Host { host, port }, Some(proxy)) = (&route.place, &route.proxy) else {
        return Ok(Cow::Borrowed(""));
    };
    if proxy.kind() != Kind::Socks5 || host.parse::<IpAddr>().is_ok() {
        return Ok(Cow::Borrowed(host));
    }
    let until = options.until(options.resolve_time);
    let found = options.names.resolve(host, *port, until, cancel)?;
    let first = found.first().map(|it| it.ip().to_string());
    Ok(Cow::Owned(first.unwrap_or_default())) // there is at least one
}

/// The connection that is to speak, on its way to this server.
fn begin(
    route: &Route,
    server: &str,
    until: Instant,
    limits: Arc<Limits>,
) -> Result<Connection, DialError> {
    let now = clock::now();
    let transport = transport(route, server)?;
    Ok(match (transport, route.speaks) {
        (Some(over), speaks) => Connection::over_until(over, speaks, until, limits, now),
        (None, Speaks::Http2) => Connection::http2(limits, now),
        (None, _) => Connection::http1(limits, now),
    })
}

fn phase(connection: &Connection) -> Phase {
    let details = connection.transport_details();
    match details.is_some_and(|it| it.is::<Asking>()) {
        true => Phase::Proxy,
        false => Phase::Tls,
    }
}

pub(crate) fn why_no_handshake(connection: &Connection, gone: Option<EndReason>) -> DialError {
    let timed_out = gone == Some(EndReason::Unreachable(Unreachable::HandshakeTimedOut));
    let details = connection.transport_details();
    if let Some(error) = details.as_ref().and_then(|it| proxy_fault(it, timed_out)) {
        return error;
    }
    if timed_out {
        return DialError::timed_out(Phase::Tls);
    }
    #[cfg(feature = "tls")]
    if let Some(error) = details
        .as_ref()
        .and_then(|it| it.downcast_ref::<ConnectionError>())
    {
        return DialError::failed(Phase::Tls, error.clone());
    }
    let text = "the server closed the connection during the TLS handshake";
    DialError::failed(Phase::Tls, io::Error::new(ErrorKind::UnexpectedEof, text))
}

#[cfg(test)]
mod tests;

/// Servers over TLS and not, straight and through proxies.
#[cfg(test)]
mod socket_tests;
