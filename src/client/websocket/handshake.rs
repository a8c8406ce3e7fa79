//! The opening handshake of a client, over HTTP/1.1 and HTTP/2.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use std::io;

use crate::client::connecting::Wire;
use crate::http::{
    Field, FieldBuffer, Fields, Method, RequestHead, ResponseHead, Target, Version,
    target::{InvalidTarget, is_authority},
};
use crate::link::{self, UsageError};
use crate::websocket::deflate::{Agreement, Offers, Session};
use crate::websocket::handshake::{Key, Offer, Refused};
use crate::wire::codec::Compression;
use crate::wire::{Role, ascii};

/// The request of a WebSocket's handshake.
///
/// ```
/// use barewire::client::WebSocketRequest;
/// use barewire::http::FieldBuffer;
///
/// let mut request = WebSocketRequest::new("example.org", "/chat");
/// request.fields.push("Authorization", "Bearer abc")?;
/// request.protocols = vec!["chat.v2".into(), "chat.v1".into()];
/// # Ok::<(), barewire::http::InvalidField>(())
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct WebSocketRequest {
    /// Host and port, as in a URL.
    pub authority: String,
    /// Path and query.
    pub target: String,
    /// Whether the connection is secure: HTTP/2 tells the server.
    pub secure: bool,
    /// Subprotocols, the favourite first.
    pub protocols: Vec<String>,
    /// Further fields: none of Host, Upgrade, Connection, Sec-WebSocket-*, and those that
    /// are about content.
    pub fields: FieldBuffer,
    /// Whether messages are to come in chunks
    /// ([`Event::Chunk`](crate::link::Event::Chunk)) rather than whole.
    pub streaming: bool,
    /// Offers to compress messages, none by default. They need the feature `deflate`.
    pub deflate: Offers,
    /// How messages are compressed, if the server agrees. On one connection it is the same
    /// for all.
    pub compression: Compression,
}

impl WebSocketRequest {
    /// A request with nothing but what it has to say.
    pub fn new(authority: &str, target: &str) -> Self {
        Self {
            authority: authority.into(),
            target: target.into(),
            ..Self::default()
        }
    }

    /// Looks at what the machines of HTTP do not look at.
    fn check(&self) -> Result<(), HandshakeError> {
        if !is_authority(&self.authority) {
            return Err(HandshakeError::Authority);
        }
        if cfg!(not(feature = "deflate")) && !self.deflate.as_slice().is_empty() {
            return Err(HandshakeError::Deflate);
        }
        for (at, protocol) in self.protocols.iter().enumerate() {
            let is_new = || !self.protocols.iter().take(at).any(|it| it == protocol);
            if !ascii::is_token(protocol.as_bytes()) || !is_new() {
                return Err(HandshakeError::Subprotocol(protocol.clone()));
            }
        }
        for field in self.fields.as_fields().iter() {
            if is_reserved(&field) {
                let name = String::from_utf8_lossy(field.name).into_owned();
                return Err(HandshakeError::Field(name));
            }
        }
        Ok(())
    }
}

/// Whether the handshake says it itself, or there is nothing that it could be about.
fn is_reserved(field: &Field<'_>) -> bool {
    const NAMES: [&str; 6] = [
        "host",
        "upgrade",
        "connection",
        "content-length",
        "transfer-encoding",
        "expect",
    ];
    let front = field.name.get(..14).unwrap_or_default();
    front.eq_ignore_ascii_case(b"sec-websocket-") || NAMES.iter().any(|name| field.is(name))
}

/// The opening handshake of a WebSocket on a [`Connection`](crate::client::Connection)
/// without I/O (RFC 6455 §4.1; over HTTP/2 RFC 8441).
///
/// ```
/// use barewire::client::{Connection, WebSocketHandshake, WebSocketRequest};
/// use barewire::link::{Event, Limits};
/// use barewire::wire::Instant;
///
/// let now = Instant::START;
/// let mut connection = Connection::http1(Limits::DEFAULT, now)
///     .with_entropy(|into| into.fill(7)); // what a test knows
/// let request = WebSocketRequest::new("example.org", "/chat");
/// let handshake = WebSocketHandshake::begin(connection.wire(), &request)?;
/// assert!(connection.output().starts_with(b"GET /chat HTTP/1.1\r\nHost: example.org\r\n"));
///
/// let mut answer = *b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
///     Connection: Upgrade\r\nSec-WebSocket-Accept: CdXSYUsvsaMthlEXWDNURGWA/1o=\r\n\r\n\
///     \x81\x05Hello";
/// let mut said = Vec::new();
/// connection.receive(&mut answer, now, |wire, _, event| match event {
///     Event::Response { head, .. } => assert_eq!(handshake.complete(wire, &head), Ok(None)),
///     Event::Message { payload, .. } => said.extend_from_slice(payload),
///     _ => {}
/// });
/// assert_eq!(said, b"Hello");
/// # Ok::<(), barewire::client::HandshakeError>(())
/// ```
#[derive(Debug, Clone)]
pub struct WebSocketHandshake {
    key: Key,
    protocols: String,
    stream: u32,
    extended: bool,
    streaming: bool,
    deflate: Offers,
    compression: Compression,
}

impl WebSocketHandshake {
    /// Sends the request.
    ///
    /// Over HTTP/2 that may be done once the server's SETTINGS have come
    /// ([`Event::Writable`](crate::link::Event::Writable) for stream 0).
    ///
    /// # Errors
    /// [`HandshakeError`]; nothing has been sent then.
    pub fn begin(wire: &mut Wire, request: &WebSocketRequest) -> Result<Self, HandshakeError> {
        let extended = wire.link.is_multiplexed();
        let key = wire.masks.key().map_err(HandshakeError::Entropy)?;
        Self::ask(request, key, extended, |head| match extended {
            true => wire.extended_connect(head),
            false => wire.request_upgrade(head),
        })
    }

    /// Has the request sent on some connection: by an extended CONNECT, or by an upgrade.
    pub(super) fn ask(
        request: &WebSocketRequest,
        key: [u8; 16],
        extended: bool,
        send: impl FnOnce(&RequestHead<'_>) -> Result<u32, UsageError>,
    ) -> Result<Self, HandshakeError> {
        request.check()?;
        let key = Key::new(key);
        let protocols = request.protocols.join(", ");
        let offer = Offer::new(key)
            .with_protocols(&protocols)
            .with_deflate(request.deflate);
        let offered = match extended {
            true => offer.extended_fields(),
            false => offer.fields(),
        };
        let mut fields = Vec::with_capacity(10);
        fields.push(Field::new("Host", &request.authority));
        fields.extend_from_slice(offered.as_slice());
        fields.extend(request.fields.as_fields().iter());
        let fields = Fields::new(&fields);
        let stream = match extended {
            true => send(&extended_head(request, fields)?)?,
            false => send(&upgrade_head(request, fields)?)?,
        };
        Ok(Self {
            key,
            protocols,
            stream,
            extended,
            streaming: request.streaming,
            deflate: request.deflate,
            compression: request.compression,
        })
    }

    /// The exchange that becomes the WebSocket.
    pub const fn stream(&self) -> u32 {
        self.stream
    }

    /// Takes the response, while its event is looked at: the exchange is a WebSocket from
    /// here on. The subprotocol that the server has chosen.
    ///
    /// # Errors
    /// [`Refused`], if the response establishes none: the connection is then to be closed,
    /// or over HTTP/2 the stream reset.
    pub fn complete(
        &self,
        wire: &mut Wire,
        head: &ResponseHead<'_>,
    ) -> Result<Option<String>, Refused> {
        let Agreed { protocol, session } = self.check(head)?;
        // Refused only where a connection has no such exchange.
        let switched = wire.switch_to_websocket(self.stream, self.streaming);
        switched.map_err(|_| Refused::Status(head.status))?;
        if let Some(session) = session {
            let compressed = wire.compress(self.stream, session, self.compression);
            compressed.map_err(|_| Refused::Status(head.status))?;
        }
        Ok(protocol)
    }
}

pub(super) struct Agreed {
    /// The subprotocol that the server has chosen.
    pub(super) protocol: Option<String>,
    pub(super) session: Option<Session>,
}

impl WebSocketHandshake {
    pub(super) fn check(&self, head: &ResponseHead<'_>) -> Result<Agreed, Refused> {
        let offer = Offer::new(self.key)
            .with_protocols(&self.protocols)
            .with_deflate(self.deflate);
        let established = match self.extended {
            true => offer.check_extended_response(head)?,
            false => offer.check_response(head)?,
        };
        let session = established.deflate.map(|it| self.session(&it));
        Ok(Agreed {
            protocol: established.protocol.map(ToString::to_string),
            session,
        })
    }

    /// The terms that this side keeps to: those agreed on, and its own.
    fn session(&self, agreement: &Agreement) -> Session {
        let session = Session::new(agreement, Role::Client);
        let offers = self.deflate.as_slice().iter();
        let answered = offers.filter(|offer| agreement.answers(offer));
        // Which of them was answered the response does not say.
        answered.fold(session, |session, offer| session.as_offered(offer))
    }
}

fn upgrade_head<'a>(
    request: &'a WebSocketRequest,
    fields: Fields<'a>,
) -> Result<RequestHead<'a>, HandshakeError> {
    let target = Target::parse(request.target.as_bytes(), Method::GET)?;
    match target {
        Target::Origin { .. } => Ok(RequestHead {
            method: Method::GET,
            target,
            version: Version::Http11,
            protocol: None,
            fields,
        }),
        Target::Absolute { .. } | Target::Authority(_) | Target::Asterisk => {
            Err(InvalidTarget.into())
        }
    }
}

fn extended_head<'a>(
    request: &'a WebSocketRequest,
    fields: Fields<'a>,
) -> Result<RequestHead<'a>, HandshakeError> {
    let RequestHead { target, .. } = upgrade_head(request, fields)?;
    let Target::Origin { path, query } = target else {
        return Err(InvalidTarget.into());
    };
    Ok(RequestHead {
        method: Method::CONNECT,
        target: Target::Absolute {
            scheme: if request.secure { "https" } else { "http" },
            authority: &request.authority,
            path,
            query,
        },
        version: Version::Http2,
        protocol: Some("websocket"),
        fields,
    })
}

/// Why no handshake was begun. Nothing has been sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The request is not valid, or cannot be sent on this connection: over HTTP/2,
    /// because its server knows no WebSockets (RFC 8441 §3).
    #[error("the request cannot be sent: {0}")]
    Request(#[from] UsageError),
    /// The authority is no host, with or without a port.
    #[error("the authority is no host with a port")]
    Authority,
    /// The target is no path and query.
    #[error("the target is no path and query")]
    Target(#[from] InvalidTarget),
    /// A field that the handshake itself sends, or that has no place in it.
    #[error("field {0} is not for the caller to send in a handshake")]
    Field(String),
    /// A subprotocol that is no token, or comes twice.
    #[error("subprotocol {0:?} is no token, or comes twice")]
    Subprotocol(String),
    /// Compression is offered, and this build cannot inflate (feature `deflate`).
    #[error("this build cannot inflate what the server may compress (feature deflate)")]
    Deflate,
    /// The system has no unpredictable bytes.
    #[error("the system has no unpredictable bytes")]
    Entropy(#[source] io::Error),
}

impl HandshakeError {
    /// Whether the server has said that it knows no WebSockets over HTTP/2: another
    /// connection, over HTTP/1.1, may do.
    pub const fn is_unknown_over_http2(&self) -> bool {
        use crate::http2::UsageError::NoExtendedConnect;
        matches!(
            self,
            Self::Request(link::UsageError::Http2(NoExtendedConnect))
        )
    }
}

#[cfg(test)]
mod tests;
