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
use crate::websocket::handshake::{Key, Offer, Refused};
use crate::wire::ascii;

/// What a WebSocket is asked for with.
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
        request.check()?;
        let key = Key::new(wire.masks.key().map_err(HandshakeError::Entropy)?);
        let protocols = request.protocols.join(", ");
        let offer = Offer::new(key).with_protocols(&protocols);
        let extended = wire.link.is_multiplexed();
        let offered = match extended {
            true => offer.extended_fields(),
            false => offer.fields(),
        };
        let mut fields = Vec::with_capacity(9);
        fields.push(Field::new("Host", &request.authority));
        fields.extend_from_slice(offered.as_slice());
        fields.extend(request.fields.as_fields().iter());
        let fields = Fields::new(&fields);
        let stream = match extended {
            true => wire.extended_connect(&extended_head(request, fields)?)?,
            false => wire.request_upgrade(&upgrade_head(request, fields)?)?,
        };
        Ok(Self {
            key,
            protocols,
            stream,
            extended,
            streaming: request.streaming,
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
        let offer = Offer::new(self.key).with_protocols(&self.protocols);
        let established = match self.extended {
            true => offer.check_extended_response(head)?,
            false => offer.check_response(head)?,
        };
        // Refused only where a connection has no such exchange.
        let switched = wire.switch_to_websocket(self.stream, self.streaming);
        switched.map_err(|_| Refused::Status(head.status))?;
        Ok(established.protocol.map(ToString::to_string))
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
    /// The request is none, or cannot be sent on this connection: over HTTP/2, because its
    /// server knows no WebSockets (RFC 8441 §3).
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
mod tests {
    use super::*;
    use crate::client::connecting::Connection;
    use crate::link::{EndReason, Event, Limits};
    use crate::wire::Instant;

    const ACCEPT: &str = "CdXSYUsvsaMthlEXWDNURGWA/1o=";

    /// Begins a handshake with a key that is known.
    fn begin(request: &WebSocketRequest) -> (Connection, WebSocketHandshake) {
        let mut connection = Connection::http1(Limits::DEFAULT, Instant::START)
            .with_entropy(|into: &mut [u8]| into.fill(7));
        let handshake = WebSocketHandshake::begin(connection.wire(), request).unwrap();
        (connection, handshake)
    }

    /// What becomes of an answer: the subprotocol, what came, and how it ended.
    type Told = (
        Option<Result<Option<String>, Refused>>,
        Vec<u8>,
        Option<EndReason>,
    );

    fn answer(
        connection: &mut Connection,
        handshake: &WebSocketHandshake,
        pieces: &[&[u8]],
    ) -> Told {
        let mut told: Told = (None, Vec::new(), None);
        for piece in pieces {
            let mut piece = piece.to_vec();
            connection.receive(
                &mut piece,
                Instant::START,
                |wire, stream, event| match event {
                    Event::Response { head, .. } => {
                        assert_eq!(stream, handshake.stream());
                        told.0 = Some(handshake.complete(wire, &head));
                    }
                    Event::Message { payload, .. } => told.1.extend_from_slice(payload),
                    Event::Ended(why) => told.2 = Some(why),
                    _ => {}
                },
            );
        }
        told
    }

    #[test]
    fn the_request_says_what_was_asked_for() {
        let mut request = WebSocketRequest::new("a.example:8080", "/x?y=1");
        request.protocols = alloc::vec!["v2".into(), "v1".into()];
        request.fields.push("Authorization", "Bearer t").unwrap();
        let (mut connection, _) = begin(&request);
        let text = String::from_utf8(connection.output().clone()).unwrap();
        assert_eq!(
            text,
            "GET /x?y=1 HTTP/1.1\r\nHost: a.example:8080\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: BwcHBwcHBwcHBwcHBwcHBw==\r\n\
             Sec-WebSocket-Protocol: v2, v1\r\nAuthorization: Bearer t\r\n\
             Connection: upgrade\r\n\r\n"
        );
    }

    #[test]
    fn however_the_answer_is_cut_what_follows_it_is_the_first_frame() {
        let whole = alloc::format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {ACCEPT}\r\nSec-WebSocket-Protocol: v1\r\n\r\n\x01\x03Hel"
        );
        let whole = [whole.as_bytes(), b"\x80\x02lo\x89\x00"].concat();
        let mut request = WebSocketRequest::new("a", "/");
        request.protocols = alloc::vec!["v2".into(), "v1".into()];
        for cut in 0..whole.len() {
            let (mut connection, handshake) = begin(&request);
            connection.output().clear();
            let (front, back) = whole.split_at(cut);
            let told = answer(&mut connection, &handshake, &[front, back]);
            assert_eq!(told.0, Some(Ok(Some("v1".into()))));
            assert_eq!((told.1, told.2), (b"Hello".to_vec(), None), "{cut}");
            // The pong is masked, with a mask from the source.
            assert_eq!(&**connection.output(), b"\x8a\x80\x07\x07\x07\x07");
            connection.output().clear();
            let wire = connection.wire();
            let sent = wire.send_message(handshake.stream(), crate::websocket::Kind::Text, b"a");
            assert!(sent.is_taken());
            assert_eq!(&**connection.output(), b"\x81\x81\x07\x07\x07\x07f");
        }
    }

    #[test]
    fn an_answer_to_another_question_switches_nothing() {
        let request = WebSocketRequest::new("a", "/");
        for (lines, expected) in [
            (
                "101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAA",
                Refused::Accept,
            ),
            (
                "101 S\r\nUpgrade: websocket\r\nConnection: Upgrade",
                Refused::Accept,
            ),
            (
                "101 S\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: A",
                Refused::Upgrade,
            ),
            (
                "401 U\r\nContent-Length: 0",
                Refused::Status(crate::http::Status::UNAUTHORIZED),
            ),
        ] {
            let (mut connection, handshake) = begin(&request);
            let text = alloc::format!("HTTP/1.1 {lines}\r\n\r\n");
            let told = answer(&mut connection, &handshake, &[text.as_bytes()]);
            assert_eq!(told.0, Some(Err(expected)));
            connection.output().clear();
            let wire = connection.wire();
            let sent = wire.send_message(handshake.stream(), crate::websocket::Kind::Text, b"a");
            assert!(!sent.is_taken());
            assert!(connection.output().is_empty());
        }
    }

    #[test]
    fn what_is_wrong_is_said_before_anything_is_sent() {
        let mut reserved = WebSocketRequest::new("a", "/");
        reserved.fields.push("sec-webSocket-key", "x").unwrap();
        let mut twice = WebSocketRequest::new("a", "/");
        twice.protocols = alloc::vec!["v1".into(), "v1".into()];
        let mut blank = WebSocketRequest::new("a", "/");
        blank.protocols = alloc::vec!["v 1".into()];
        let requests = [
            reserved,
            twice,
            blank,
            WebSocketRequest::new("a", "x"),
            WebSocketRequest::new("a", "*"),
            WebSocketRequest::new("a", "/ b"),
            WebSocketRequest::new("a b", "/"),
        ];
        for request in requests {
            let mut connection = Connection::http1(Limits::DEFAULT, Instant::START);
            let begun = WebSocketHandshake::begin(connection.wire(), &request);
            assert!(begun.is_err(), "{request:?}");
            assert!(connection.output().is_empty(), "{request:?}");
        }
    }

    #[test]
    fn over_http2_it_is_an_extended_connect_where_the_server_takes_it() {
        let now = Instant::START;
        let request = WebSocketRequest::new("a", "/chat");
        let mut connection = Connection::http2(Limits::DEFAULT, now);
        connection.receive(&mut b"\0\0\0\x04\0\0\0\0\0".to_vec(), now, |_, _, _| {});
        let refused = WebSocketHandshake::begin(connection.wire(), &request).unwrap_err();
        assert!(refused.is_unknown_over_http2());
        let mut connection = Connection::http2(Limits::DEFAULT, now);
        let settings = b"\0\0\x06\x04\0\0\0\0\0\0\x08\0\0\0\x01";
        connection.receive(&mut settings.to_vec(), now, |_, _, _| {});
        let handshake = WebSocketHandshake::begin(connection.wire(), &request).unwrap();
        let answer = b"\0\0\x01\x01\x04\0\0\0\x01\x88\0\0\x04\0\0\0\0\0\x01\x81\x02hi";
        let mut told = Vec::new();
        connection.receive(&mut answer.to_vec(), now, |wire, _, event| match event {
            Event::Response { head, .. } => {
                assert_eq!(handshake.complete(wire, &head), Ok(None));
            }
            Event::Message { payload, .. } => told.extend_from_slice(payload),
            _ => {}
        });
        assert_eq!(told, b"hi");
        connection.output().clear();
        let wire = connection.wire();
        let sent = wire.send_message(handshake.stream(), crate::websocket::Kind::Text, b"a");
        assert!(sent.is_taken());
        let out = connection.output();
        assert_eq!(&out[..9], b"\0\0\x07\0\0\0\0\0\x01");
        assert_eq!(&out[9..11], b"\x81\x81");
    }
}
