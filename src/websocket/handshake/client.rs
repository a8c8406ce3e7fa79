//! The client's half of the handshake.

use super::{HandshakeFields, Key};
use crate::http::{Fields, List, ResponseHead, Status};
use crate::websocket::deflate::{self, Agreement, Offers};
use crate::websocket::extension;
use crate::wire::builder;
use crate::wire::simd;

/// The request of a client's handshake.
///
/// ```
/// use barewire::http::{Field, Fields, ResponseHead, Status};
/// use barewire::websocket::handshake::{Key, Offer};
///
/// let offer = Offer::new(Key::new(*b"the sample nonce")).with_protocols("chat, superchat");
/// let fields = offer.fields();
/// let fields = fields.as_fields();
/// assert_eq!(fields.get_str("Sec-WebSocket-Key"), Some("dGhlIHNhbXBsZSBub25jZQ=="));
///
/// let answer = [
///     Field::new("Upgrade", "websocket"),
///     Field::new("Connection", "Upgrade"),
///     Field::new("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
///     Field::new("Sec-WebSocket-Protocol", "chat"),
/// ];
/// let head = ResponseHead::new(Status::SWITCHING_PROTOCOLS, Fields::new(&answer));
/// assert_eq!(offer.check_response(&head).unwrap().protocol, Some("chat"));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Offer<'a> {
    key: Key,
    protocols: &'a str,
    origin: Option<&'a str>,
    deflate: Offers,
}

impl<'a> Offer<'a> {
    /// An offer without subprotocols and extensions.
    pub const fn new(key: Key) -> Self {
        Self {
            key,
            protocols: "",
            origin: None,
            deflate: Offers::NONE,
        }
    }

    builder! {
        /// Offers these subprotocols: a comma-separated list of distinct tokens, the
        /// favourite first.
        const fn with_protocols(protocols: &'a str) => protocols = protocols;

        /// Names an origin, such as `https://example.com`, to servers that want one.
        const fn with_origin(origin: &'a str) => origin = Some(origin);

        /// Offers to compress messages (RFC 7692).
        const fn with_deflate(offers: Offers) => deflate = offers;
    }

    /// The fields of the request besides Host (RFC 6455 §4.1).
    pub fn fields(&self) -> HandshakeFields<'_> {
        let mut fields = HandshakeFields::new();
        fields.push("Upgrade", "websocket");
        fields.push("Connection", "Upgrade");
        fields.push("Sec-WebSocket-Version", "13");
        fields.push("Sec-WebSocket-Key", self.key.as_str());
        self.push_common(&mut fields);
        fields
    }

    /// The fields of an extended CONNECT, with `websocket` as its protocol, besides the
    /// pseudo-fields (RFC 8441 §5).
    pub fn extended_fields(&self) -> HandshakeFields<'_> {
        let mut fields = HandshakeFields::new();
        fields.push("Sec-WebSocket-Version", "13");
        self.push_common(&mut fields);
        fields
    }

    fn push_common<'f>(&'f self, fields: &mut HandshakeFields<'f>) {
        if !self.protocols.is_empty() {
            fields.push("Sec-WebSocket-Protocol", self.protocols);
        }
        if let Some(origin) = self.origin {
            fields.push("Origin", origin);
        }
        if !self.deflate.as_slice().is_empty() {
            fields.push("Sec-WebSocket-Extensions", self.deflate.as_str());
        }
    }

    /// Checks the server's answer to an extended CONNECT (RFC 8441 §5).
    ///
    /// # Errors
    /// [`Refused`]; the stream must then be reset.
    pub fn check_extended_response<'b>(
        &self,
        head: &ResponseHead<'b>,
    ) -> Result<Established<'b>, Refused> {
        match head.status.code() {
            200..=299 => self.check_common(head),
            _ => Err(Refused::Status(head.status)),
        }
    }

    /// Checks the server's answer (RFC 6455 §4.1, second list).
    ///
    /// # Errors
    /// [`Refused`]; the transport must then be closed.
    pub fn check_response<'b>(&self, head: &ResponseHead<'b>) -> Result<Established<'b>, Refused> {
        let fields = &head.fields;
        if head.status != Status::SWITCHING_PROTOCOLS {
            return Err(Refused::Status(head.status));
        }
        let mut upgrades = fields.list("upgrade");
        let websocket = upgrades
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case(b"websocket"));
        if !websocket || upgrades.next().is_some() {
            return Err(Refused::Upgrade);
        }
        if !fields.list_contains("connection", "upgrade") {
            return Err(Refused::Connection);
        }
        let mut accepts = fields.get_all("sec-websocket-accept");
        if accepts.next() != Some(&self.key.accept()[..]) || accepts.next().is_some() {
            return Err(Refused::Accept);
        }
        self.check_common(head)
    }

    fn check_common<'b>(&self, head: &ResponseHead<'b>) -> Result<Established<'b>, Refused> {
        let fields = &head.fields;
        let deflate = self.check_extensions(fields)?;
        let mut protocols = fields.get_all("sec-websocket-protocol");
        let protocol = match (protocols.next(), protocols.next()) {
            (None, _) => None,
            (Some(chosen), None) if List::new(self.protocols.as_bytes()).any(|p| p == chosen) => {
                Some(simd::as_text(chosen).ok_or(Refused::Protocol)?)
            }
            (Some(_), _) => return Err(Refused::Protocol),
        };
        Ok(Established { protocol, deflate })
    }

    /// The compression that the server has agreed to. Nothing else was offered.
    fn check_extensions(&self, fields: &Fields<'_>) -> Result<Option<Agreement>, Refused> {
        let mut agreed = None;
        for extension in extension::list(fields) {
            let extension = extension.map_err(|_| Refused::Extension)?;
            let offers = self.deflate.as_slice();
            if extension.name() != deflate::NAME || offers.is_empty() || agreed.is_some() {
                return Err(Refused::Extension);
            }
            agreed = Agreement::parse(&extension)
                .ok()
                .filter(|agreement| offers.iter().any(|offer| agreement.answers(offer)));
            if agreed.is_none() {
                return Err(Refused::ExtensionParameters);
            }
        }
        Ok(agreed)
    }
}

/// The agreement of client and server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Established<'b> {
    /// The subprotocol that the server chose.
    pub protocol: Option<&'b str>,
    /// The compression of messages, if the server has agreed to one that was offered.
    pub deflate: Option<Agreement>,
}

/// Why an answer does not establish a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// Another status than 101, such as a redirection or 401; to an extended CONNECT,
    /// other than 2xx.
    #[error("handshake answered with status {0} (RFC 6455 §4.1, item 1)")]
    Status(Status),
    /// No Upgrade field that names `websocket` and nothing else.
    #[error("answer without Upgrade: websocket (RFC 6455 §4.1, item 2)")]
    Upgrade,
    /// No Connection field with `upgrade`.
    #[error("answer without Connection: Upgrade (RFC 6455 §4.1, item 3)")]
    Connection,
    /// A wrong answer to the key, none, or several.
    #[error("wrong Sec-WebSocket-Accept (RFC 6455 §4.1, item 4)")]
    Accept,
    /// An extension that was not offered, or one twice.
    #[error("extension that was not offered (RFC 6455 §4.1, item 5)")]
    Extension,
    /// An extension whose parameters are invalid, or do not answer what was offered.
    #[error("extension with parameters that were not offered (RFC 7692 §7.1)")]
    ExtensionParameters,
    /// A subprotocol that was not offered, or several.
    #[error("subprotocol that was not offered (RFC 6455 §4.1, item 6)")]
    Protocol,
}
