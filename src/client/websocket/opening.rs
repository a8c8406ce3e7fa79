//! From a URL to an open WebSocket.

use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::string::{String, ToString as _};
use core::time::Duration;

use super::inbox::Inbox;
use super::{
    HandshakeError, WebSocketError, WebSocketHandshake, WebSocketOptions, WebSocketRequest,
};
use crate::client::connecting::{
    DialOptions, Driven, DuplexOwner as _, Place, Route, Secure, Waited, basic, clock, dial,
};
use crate::client::{Canceller, Url};
use crate::http::{Fields, date};
use crate::link::{EndReason, Event, Limits};
use crate::net::Speaks;
use crate::websocket::handshake::Refused;
use crate::wire::Instant;

/// Interim responses that a server may send.
pub(super) const INFORMATIONAL: usize = 16;

/// An open WebSocket that no thread drives yet.
pub(super) struct Opened {
    pub(super) driven: Driven,
    pub(super) inbox: Inbox,
    pub(super) stream: u32,
    pub(super) protocol: Option<String>,
    pub(super) send_time: Duration,
}

/// The subprotocol of an answer, or why it is refused and when to come back.
type Answer = Result<Option<String>, (Refused, Option<Duration>)>;

/// Connects, and does the handshake.
pub(super) fn open(
    url: &Url,
    options: &WebSocketOptions,
    cancel: &Canceller,
) -> Result<Opened, WebSocketError> {
    let until = clock::now() + options.connect_time;
    match attempt(url, options, begins_with_http2(url, options), until, cancel) {
        // The server speaks HTTP/2 and knows no WebSockets in it.
        Err(WebSocketError::Handshake(error)) if error.is_unknown_over_http2() => {
            attempt(url, options, false, until, cancel)
        }
        opened => opened,
    }
}

pub(super) fn begins_with_http2(url: &Url, options: &WebSocketOptions) -> bool {
    match url.is_secure() {
        true => options.http2,
        false => options.http2_prior_knowledge,
    }
}

fn attempt(
    url: &Url,
    options: &WebSocketOptions,
    http2: bool,
    until: Instant,
    cancel: &Canceller,
) -> Result<Opened, WebSocketError> {
    let request = request(url, options)?;
    let route = route(url, options, http2)?;
    let how = DialOptions {
        until,
        ..DialOptions::new(options.names.clone())
    };
    let limits = Limits::DEFAULT.with_websocket(options.limits);
    let mut driven = dial(&route, &how, limits, cancel).map_err(|error| WebSocketError::Dial {
        url: url.shown().to_string(),
        error,
    })?;
    if driven.connection().is_multiplexed() {
        await_settings(&mut driven, until)?;
    }
    let handshake = WebSocketHandshake::begin(driven.connection().wire(), &request)?;
    let mut inbox = Inbox::new(handshake.stream());
    let mut answer: Option<Answer> = None;
    let mut informational = 0;
    while answer.is_none() {
        let waited = driven.drive(until, &mut |wire, stream, event| match event {
            Event::Response { head, .. } if stream == handshake.stream() => {
                options.keep_cookies(url, head.fields);
                let completed = handshake.complete(wire, &head);
                answer = Some(completed.map_err(|why| (why, retry_after(head.fields))));
            }
            Event::Informational { .. } => informational += 1,
            event => inbox.event(wire, stream, event),
        });
        match waited {
            _ if informational > INFORMATIONAL => return Err(WebSocketError::Informational),
            Waited::Moved if answer.is_none() => check_time(until)?,
            Waited::Moved => {}
            Waited::Over if answer.is_some() => {}
            Waited::Over => {
                let reason = inbox.ended.unwrap_or(EndReason::Disconnected);
                return Err(WebSocketError::ended(reason));
            }
            Waited::TimedOut | Waited::Cancelled => return Err(WebSocketError::waited(waited)),
        }
    }
    match answer {
        Some(Err((reason, retry_after))) => Err(WebSocketError::Refused {
            url: url.shown().to_string(),
            reason,
            retry_after,
        }),
        Some(Ok(protocol)) => Ok(Opened {
            driven,
            inbox,
            stream: handshake.stream(),
            protocol,
            send_time: options.send_time,
        }),
        None => Err(WebSocketError::Closed), // the loop ends with an answer
    }
}

/// A server says in its SETTINGS whether it takes extended CONNECT.
fn await_settings(driven: &mut Driven, until: Instant) -> Result<(), WebSocketError> {
    let (mut has_come, mut ended) = (false, None);
    while !has_come {
        let waited = driven.drive(until, &mut |_, stream, event| match (stream, event) {
            (0, Event::Writable) => has_come = true,
            (0, Event::Ended(reason)) => ended = Some(reason),
            _ => {}
        });
        match waited {
            Waited::Moved if !has_come => check_time(until)?,
            Waited::Moved => {}
            Waited::Over => {
                let reason = ended.unwrap_or(EndReason::Disconnected);
                return Err(WebSocketError::ended(reason));
            }
            Waited::TimedOut | Waited::Cancelled => return Err(WebSocketError::waited(waited)),
        }
    }
    Ok(())
}

/// Bounds a server that keeps talking.
fn check_time(until: Instant) -> Result<(), WebSocketError> {
    match clock::now() >= until {
        true => Err(WebSocketError::TimedOut),
        false => Ok(()),
    }
}

pub(super) fn request(
    url: &Url,
    options: &WebSocketOptions,
) -> Result<WebSocketRequest, HandshakeError> {
    let mut request = WebSocketRequest::new(url.authority(), url.target());
    request.secure = url.is_secure();
    request.protocols.clone_from(&options.protocols);
    request.fields = options.fields.clone();
    options.put_cookies(url, &mut request.fields);
    (request.deflate, request.compression) = (options.deflate, options.compression);
    if let Some(user) = url.username()
        && !request.fields.as_fields().contains("authorization")
    {
        let value = basic(user, url.password().unwrap_or_default());
        // Base64 can stand in a field.
        let _ = request.fields.push("Authorization", value);
    }
    Ok(request)
}

pub(super) fn route(
    url: &Url,
    options: &WebSocketOptions,
    http2: bool,
) -> Result<Route, WebSocketError> {
    let host = url.host();
    let literal = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    let host = literal.unwrap_or(host);
    let proxies = options.proxies.rules();
    let proxies = proxies.map_err(|error| WebSocketError::Options(Box::new(error)))?;
    Ok(Route {
        place: Place::Host {
            host: host.to_owned(),
            port: url.port(),
        },
        secure: match url.is_secure() {
            true => Some(secure(
                host.strip_suffix('.').unwrap_or(host),
                options,
                http2,
            )?),
            false => None,
        },
        speaks: match http2 && !url.is_secure() {
            true => Speaks::Http2,
            false => Speaks::Http1,
        },
        proxy: proxies.find(url.is_secure(), host, url.port()).cloned(),
        tunnel: true,
    })
}

#[cfg(feature = "tls")]
fn secure(name: &str, options: &WebSocketOptions, http2: bool) -> Result<Secure, WebSocketError> {
    use crate::tls::{Client, ClientOptions};
    let client = match &options.tls {
        Some(client) => client.clone(),
        None => Client::new(ClientOptions::new())
            .map_err(|error| WebSocketError::Options(Box::new(error)))?,
    };
    Ok(Secure {
        client,
        name: name.to_owned(),
        protocols: match http2 {
            true => &["h2", "http/1.1"],
            false => &["http/1.1"],
        },
    })
}

#[cfg(not(feature = "tls"))]
fn secure(_: &str, _: &WebSocketOptions, _: bool) -> Result<Secure, WebSocketError> {
    let text = "this build has no TLS, which wss needs (feature `tls`)";
    Err(WebSocketError::Options(Box::from(text)))
}

/// How long the server asks to wait (RFC 9110 §10.2.3).
pub(super) fn retry_after(fields: Fields<'_>) -> Option<Duration> {
    let value = fields.get("retry-after")?;
    if let Some(seconds) = crate::wire::ascii::parse_decimal(value) {
        return Some(Duration::from_secs(seconds));
    }
    let sent = date::parse(fields.get("date")?, 0)?;
    let at = date::parse(value, sent)?;
    Some(Duration::from_secs(at.saturating_sub(sent)))
}
