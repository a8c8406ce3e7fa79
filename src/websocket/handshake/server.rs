//! The server's half of the handshake.

use super::{
    HandshakeFields, Origins,
    key::{accept_key, is_key},
};
use crate::http::{Field, Fields, List, Method, RequestHead, Status, Version};
use crate::websocket::{
    UsageError,
    deflate::{Agreement, Text},
    extension::{self, Extension},
};
use crate::wire::{Sink, ascii, simd};

const PROTOCOL: &str = "sec-websocket-protocol";

/// More subprotocols than this are refused: each is compared with all others.
const MOST_PROTOCOLS: usize = 32;

/// Whether a request wants to become a WebSocket: a GET over HTTP/1.1 that asks
/// for the upgrade, or an extended CONNECT for `websocket` (RFC 8441 §4).
/// Whether it does so correctly is [`check`]'s affair.
#[inline]
pub fn is_upgrade(head: &RequestHead<'_>) -> bool {
    is_extended_connect(head)
        || (head.method == Method::GET && head.version == Version::Http11 && asks_for_upgrade(head))
}

#[inline]
fn is_extended_connect(head: &RequestHead<'_>) -> bool {
    matches!(head.method, Method::CONNECT) && head.protocol == Some("websocket")
}

fn asks_for_upgrade(head: &RequestHead<'_>) -> bool {
    let fields = &head.fields;
    fields.list_contains("upgrade", "websocket") && fields.list_contains("connection", "upgrade")
}

/// A correct request to become a WebSocket, not answered yet.
#[derive(Debug, Clone, Copy)]
pub struct Opening<'b> {
    /// The client's key; empty in an extended CONNECT, which has none.
    pub key: &'b [u8],
    head: RequestHead<'b>,
}

impl<'b> Opening<'b> {
    /// The origin of the page that asks, where a browser does. [`check`] refuses
    /// a request with two.
    pub fn origin(&self) -> Option<&'b [u8]> {
        self.head.fields.get("origin")
    }

    /// The host and port that the request is meant for.
    pub fn authority(&self) -> Option<&'b str> {
        self.head.authority()
    }

    /// The subprotocols that the client offers, its favourite first.
    pub fn protocols(&self) -> impl Iterator<Item = &'b str> + use<'b> {
        protocols(&self.head.fields).filter_map(|member| simd::as_text(member))
    }

    /// The first of `ours` that the client offers.
    ///
    /// Names of subprotocols are compared in their case.
    pub fn choose<'a>(&self, ours: &[&'a str]) -> Option<&'a str> {
        ours.iter()
            .copied()
            .find(|name| self.protocols().any(|offer| offer == *name))
    }

    /// The extensions that the client offers, its favourite first.
    pub fn extensions(&self) -> impl Iterator<Item = Extension<'b>> + use<'b> {
        extension::list(&self.head.fields).filter_map(Result::ok) // checked by `check`
    }

    /// Judges the origin.
    ///
    /// # Errors
    /// [`Refusal::Origin`] for a page that the policy does not name.
    pub fn check_origin(&self, policy: &Origins<'_>) -> Result<(), Refusal> {
        match policy.allow(self.origin(), self.authority()) {
            true => Ok(()),
            false => Err(Refusal::Origin),
        }
    }
}

fn protocols<'b>(fields: &Fields<'b>) -> impl Iterator<Item = &'b [u8]> + use<'b> {
    all(fields)
        .filter(|field| field.is(PROTOCOL))
        .flat_map(|field| List::new(field.value))
}

/// All fields, in less code than `Fields::iter` takes.
fn all<'b>(fields: &Fields<'b>) -> impl Iterator<Item = Field<'b>> + use<'b> {
    let fields = *fields;
    (0..).map_while(move |index| fields.at(index))
}

/// Checks a request to become a WebSocket (RFC 6455 §4.2.1, RFC 8441 §5).
///
/// # Errors
/// The first rule it breaks, as the answer that goes with it.
pub fn check<'b>(head: &RequestHead<'b>) -> Result<Opening<'b>, Refusal> {
    let asked = UpgradeFields::by(&head.fields);
    let extended = is_extended_connect(head);
    if !extended {
        if head.version != Version::Http11 || !asked.upgrade || !asked.connection {
            return Err(Refusal::NotUpgrade);
        }
        if !matches!(head.method, Method::GET) {
            return Err(Refusal::Method);
        }
    }
    if !matches!(asked.version, Some(b"13")) {
        return Err(Refusal::Version);
    }
    let key = match asked.key {
        _ if extended => &[],
        Some(key) if is_key(key) => key,
        _ => return Err(Refusal::Key),
    };
    if asked.origins > 1 {
        return Err(Refusal::Origin);
    }
    if !asked.extensions {
        return Err(Refusal::Extensions);
    }
    if !asked.protocols {
        return Err(Refusal::Protocols);
    }
    Ok(Opening { key, head: *head })
}

/// The fields of a request that concern the handshake, read in one pass.
struct UpgradeFields<'b> {
    upgrade: bool,             // `websocket` is among what is asked for
    connection: bool,          // `upgrade` is among the options
    version: Option<&'b [u8]>, // empty if it is there more than once
    key: Option<&'b [u8]>,     // the same
    origins: usize,            // how many fields name one
    extensions: bool,          // all that is offered is within the grammar
    protocols: bool,           // tokens, and no two the same
}

impl<'b> UpgradeFields<'b> {
    fn by(fields: &Fields<'b>) -> Self {
        let mut asked = Self {
            upgrade: false,
            connection: false,
            version: None,
            key: None,
            origins: 0,
            extensions: true,
            protocols: true,
        };
        let mut offers = Offers {
            list: [&[]; MOST_PROTOCOLS],
            len: 0,
        };
        for Field { name, value } in all(fields) {
            let is = |known: &[u8]| ascii::eq_ignore_case(name, known);
            if is(b"upgrade") {
                asked.upgrade |= lists(value, b"websocket");
            } else if is(b"connection") {
                asked.connection |= lists(value, b"upgrade");
            } else if is(b"sec-websocket-version") {
                asked.version = Some(asked.version.map_or(value, |_| b""));
            } else if is(b"sec-websocket-key") {
                asked.key = Some(asked.key.map_or(value, |_| b""));
            } else if is(b"origin") {
                asked.origins += 1;
            } else if is(b"sec-websocket-extensions") {
                let valid = |member| Extension::parse(member).is_ok();
                asked.extensions &= List::new(value).all(valid);
            } else if is(PROTOCOL.as_bytes()) {
                let valid = |offer| ascii::is_token(offer) && offers.take(offer);
                asked.protocols &= List::new(value).all(valid);
            }
        }
        asked
    }
}

fn lists(value: &[u8], token: &[u8]) -> bool {
    List::new(value).any(|member| ascii::eq_ignore_case(member, token))
}

/// Subprotocols that are distinct, and not more of them than are compared with
/// each other.
struct Offers<'b> {
    list: [&'b [u8]; MOST_PROTOCOLS],
    len: usize, // <= MOST_PROTOCOLS
}

impl<'b> Offers<'b> {
    /// Takes one more; `false` if it is there already, or there are too many.
    fn take(&mut self, offer: &'b [u8]) -> bool {
        let earlier = self.list.get(..self.len).unwrap_or_default();
        if earlier.contains(&offer) {
            return false;
        }
        let Some(place) = self.list.get_mut(self.len) else {
            return false;
        };
        *place = offer;
        self.len += 1;
        true
    }
}

/// Why a request does not become a WebSocket, and the answer to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Not a request for this upgrade at all: 426.
    #[error("no upgrade to websocket is asked for (RFC 9110 §15.5.22)")]
    NotUpgrade,
    /// A method other than GET: 405.
    #[error("handshake with a method other than GET (RFC 6455 §4.1, item 2)")]
    Method,
    /// A version other than 13, none, or several: 426.
    #[error("version other than 13 (RFC 6455 §4.4)")]
    Version,
    /// A key that is not base64 of 16 bytes, none, or several: 400.
    #[error("missing or malformed Sec-WebSocket-Key (RFC 6455 §4.1, item 7)")]
    Key,
    /// A list of subprotocols that are not distinct tokens, or more than 32: 400.
    #[error("malformed Sec-WebSocket-Protocol (RFC 6455 §4.1, item 10)")]
    Protocols,
    /// A list of extensions outside its grammar: 400.
    #[error("malformed Sec-WebSocket-Extensions (RFC 6455 §9.1)")]
    Extensions,
    /// A page from elsewhere, or more than one Origin: 403.
    #[error("origin not allowed (RFC 6455 §10.2)")]
    Origin,
}

impl Refusal {
    /// The status of the answer.
    pub const fn status(self) -> Status {
        match self {
            Self::NotUpgrade | Self::Version => Status::UPGRADE_REQUIRED,
            Self::Method => Status::METHOD_NOT_ALLOWED,
            Self::Key | Self::Protocols | Self::Extensions => Status::BAD_REQUEST,
            Self::Origin => Status::FORBIDDEN,
        }
    }

    /// The fields that the answer must have (RFC 9110 §15.5.6, §15.5.22,
    /// RFC 6455 §4.4).
    pub const fn fields(self) -> Fields<'static> {
        const UPGRADE: &[Field<'static>] = &[
            Field::new("Upgrade", "websocket"),
            Field::new("Connection", "Upgrade"),
            Field::new("Sec-WebSocket-Version", "13"),
        ];
        const ALLOW: &[Field<'static>] = &[Field::new("Allow", "GET")];
        match self {
            Self::NotUpgrade | Self::Version => Fields::new(UPGRADE),
            Self::Method => Fields::new(ALLOW),
            Self::Key | Self::Protocols | Self::Extensions | Self::Origin => Fields::EMPTY,
        }
    }
}

/// The answer that makes a WebSocket of a connection or stream.
#[derive(Debug, Clone, Copy)]
pub struct Accepted<'a> {
    accept: Option<[u8; 28]>, // none in an extended CONNECT
    protocol: Option<&'a str>,
    extensions: Option<Text<MOST_EXTENSIONS>>,
}

const MOST_EXTENSIONS: usize = 160;

/// Accepts a handshake, with one of the offered subprotocols or none.
///
/// # Errors
/// [`UsageError::ProtocolNotOffered`].
///
/// ```
/// use barewire::http::{Field, Fields, Method, RequestHead, Target, Version};
/// use barewire::websocket::handshake;
///
/// let list = [
///     Field::new("Host", "server.example.com"),
///     Field::new("Upgrade", "websocket"),
///     Field::new("Connection", "Upgrade"),
///     Field::new("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
///     Field::new("Sec-WebSocket-Protocol", "chat, superchat"),
///     Field::new("Sec-WebSocket-Version", "13"),
/// ];
/// let head = RequestHead {
///     method: Method::GET,
///     target: Target::Origin { path: "/chat", query: None },
///     version: Version::Http11,
///     protocol: None,
///     fields: Fields::new(&list),
/// };
/// let opening = handshake::check(&head)?;
/// let accepted = handshake::accept(&opening, opening.choose(&["chat"]))?;
/// let fields = accepted.fields();
/// let fields = fields.as_fields();
/// assert_eq!(accepted.status().code(), 101);
/// assert_eq!(fields.get_str("Sec-WebSocket-Accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
/// assert_eq!(fields.get_str("Sec-WebSocket-Protocol"), Some("chat"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn accept<'a>(
    opening: &Opening<'_>,
    protocol: Option<&'a str>,
) -> Result<Accepted<'a>, UsageError> {
    if protocol.is_some_and(|chosen| opening.protocols().all(|offer| offer != chosen)) {
        return Err(UsageError::ProtocolNotOffered);
    }
    let accept = (!opening.key.is_empty()).then(|| accept_key(opening.key));
    Ok(Accepted {
        accept,
        protocol,
        extensions: None,
    })
}

impl Accepted<'_> {
    /// Agrees to compress messages, as [`Policy`](crate::websocket::deflate::Policy) has
    /// responded to an offer of the client's ([`Opening::extensions`]).
    #[must_use]
    pub fn with_deflate(mut self, agreement: Option<Agreement>) -> Self {
        self.extensions = agreement.map(Text::of);
        self
    }

    /// 101, or 200 for an extended CONNECT.
    pub const fn status(&self) -> Status {
        match self.accept {
            Some(_) => Status::SWITCHING_PROTOCOLS,
            None => Status::OK,
        }
    }

    /// The subprotocol that was chosen.
    pub const fn protocol(&self) -> Option<&str> {
        self.protocol
    }

    /// The fields of the answer (RFC 6455 §4.2.2, item 5).
    pub fn fields(&self) -> HandshakeFields<'_> {
        let mut fields = HandshakeFields::new();
        if let Some(accept) = &self.accept {
            fields.push("Upgrade", "websocket");
            fields.push("Connection", "Upgrade");
            // Base64 is ASCII, so the fallback is never taken.
            let accept = simd::as_text(accept).unwrap_or_default();
            fields.push("Sec-WebSocket-Accept", accept);
        }
        if let Some(protocol) = self.protocol {
            fields.push("Sec-WebSocket-Protocol", protocol);
        }
        if let Some(extensions) = &self.extensions {
            fields.push("Sec-WebSocket-Extensions", extensions.as_str());
        }
        fields
    }

    /// Writes the whole answer over HTTP/1.1, for programs that have no machine
    /// of HTTP/1.1 to send it with.
    ///
    /// # Errors
    /// [`UsageError::NoRoom`], and [`UsageError::ExtendedConnect`]: nothing is written
    /// then.
    ///
    /// ```
    /// # use barewire::http::{Field, Fields, Method, RequestHead, Target, Version};
    /// # use barewire::wire::Slice;
    /// # use barewire::websocket::handshake;
    /// # let list = [
    /// #     Field::new("Upgrade", "websocket"),
    /// #     Field::new("Connection", "Upgrade"),
    /// #     Field::new("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    /// #     Field::new("Sec-WebSocket-Version", "13"),
    /// # ];
    /// # let head = RequestHead {
    /// #     method: Method::GET,
    /// #     target: Target::Origin { path: "/chat", query: None },
    /// #     version: Version::Http11,
    /// #     protocol: None,
    /// #     fields: Fields::new(&list),
    /// # };
    /// let opening = handshake::check(&head)?;
    /// let mut memory = [0; 256];
    /// let mut out = Slice::new(&mut memory);
    /// handshake::accept(&opening, None)?.put_switching(&mut out)?;
    /// assert!(out.written().ends_with(b": s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn put_switching(&self, out: &mut impl Sink) -> Result<(), UsageError> {
        const LINES: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\n\
            Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ";
        const PROTOCOL: &[u8] = b"\r\nSec-WebSocket-Protocol: ";
        const EXTENSIONS: &[u8] = b"\r\nSec-WebSocket-Extensions: ";
        const END: &[u8] = b"\r\n\r\n";
        let accept = self.accept.as_ref().ok_or(UsageError::ExtendedConnect)?;
        let chosen = self.protocol.map_or(0, |name| PROTOCOL.len() + name.len());
        let extensions = self.extensions.as_ref().map_or("", Text::as_str);
        let agreed = match extensions.len() {
            0 => 0,
            len => EXTENSIONS.len() + len,
        };
        if out.room() < LINES.len() + accept.len() + chosen + agreed + END.len() {
            return Err(UsageError::NoRoom);
        }
        out.put(LINES);
        out.put(accept);
        if let Some(protocol) = self.protocol {
            out.put(PROTOCOL);
            out.put(protocol.as_bytes());
        }
        if !extensions.is_empty() {
            out.put(EXTENSIONS);
            out.put(extensions.as_bytes());
        }
        out.put(END);
        Ok(())
    }
}
