//! Errors by whose fault they are: the peer's ([`ProtocolError`]) or our caller's
//! ([`UsageError`]).

use crate::http::{InvalidField, Status};

/// A fault of the peer. It ends the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A CR that no LF follows.
    #[error("bare CR (RFC 9112 §2.2)")]
    BareCr,
    /// An LF that no CR precedes.
    #[error("bare LF (RFC 9112 §2.2)")]
    BareLf,
    /// A control character in a head.
    #[error("control character in a head (RFC 9110 §5.5)")]
    Control,
    /// More empty lines before a head than are ignored.
    #[error("too many empty lines before a head (RFC 9112 §2.2)")]
    EmptyLines,
    /// A request line that is not `method SP target SP version`.
    #[error("malformed request line (RFC 9112 §3)")]
    RequestLine,
    /// A method that is not a token.
    #[error("method is not a token (RFC 9110 §9.1)")]
    Method,
    /// A method longer than any that exists.
    #[error("method too long (RFC 9112 §3)")]
    MethodTooLong,
    /// A target that fits none of the four forms, or not its method.
    #[error("malformed request target (RFC 9112 §3.2)")]
    Target,
    /// A target beyond [`Limits::target`](super::Limits::target).
    #[error("request target too long (RFC 9112 §3)")]
    TargetTooLong,
    /// A version that is not `HTTP/` and two digits.
    #[error("malformed version (RFC 9112 §2.3)")]
    Version,
    /// A major version that is not 1.
    #[error("unsupported major version (RFC 9110 §2.5)")]
    UnsupportedVersion,
    /// A status line that is not `version SP status SP reason`.
    #[error("malformed status line (RFC 9112 §4)")]
    StatusLine,
    /// A field name that is not a token, or white space before the colon.
    #[error("malformed field name (RFC 9112 §5.1)")]
    FieldName,
    /// A field line without a colon.
    #[error("field line without a colon (RFC 9112 §5)")]
    FieldLine,
    /// A field line that begins with white space.
    #[error("obsolete line folding (RFC 9112 §5.2)")]
    Folding,
    /// A head beyond [`Limits::head`](super::Limits::head).
    #[error("head too large (RFC 6585 §5)")]
    HeadTooLarge,
    /// More fields than [`Limits::fields`](super::Limits::fields).
    #[error("too many fields (RFC 6585 §5)")]
    TooManyFields,
    /// A request of version 1.1 without Host.
    #[error("Host is missing (RFC 9112 §3.2)")]
    HostMissing,
    /// More than one Host.
    #[error("Host is repeated (RFC 9112 §3.2)")]
    HostRepeated,
    /// A Host that is not `uri-host [ ":" port ]`.
    #[error("Host is invalid (RFC 9112 §3.2)")]
    HostInvalid,
    /// A Content-Length that is not one decimal number.
    #[error("invalid Content-Length (RFC 9110 §8.6)")]
    ContentLength,
    /// More than one Content-Length.
    #[error("repeated Content-Length (RFC 9112 §6.3)")]
    RepeatedContentLength,
    /// Content-Length beside Transfer-Encoding.
    #[error("Content-Length beside Transfer-Encoding (RFC 9112 §6.1)")]
    LengthAndCoding,
    /// Transfer codings in an order or number that frames nothing.
    #[error("faulty transfer codings (RFC 9112 §6.1)")]
    TransferEncoding,
    /// A transfer coding other than chunked.
    #[error("unknown transfer coding (RFC 9112 §6.1)")]
    UnknownCoding,
    /// Transfer-Encoding in a message of version 1.0.
    #[error("Transfer-Encoding in HTTP/1.0 (RFC 9112 §6.1)")]
    CodingVersion,
    /// An expectation other than `100-continue`.
    #[error("unknown expectation (RFC 9110 §10.1.1)")]
    Expectation,
    /// A chunk size that is not 1 to 15 hexadecimal digits.
    #[error("malformed chunk size (RFC 9112 §7.1)")]
    ChunkSize,
    /// A chunk extension that is not a name, perhaps with a value.
    #[error("malformed chunk extension (RFC 9112 §7.1.1)")]
    ChunkExtension,
    /// More than [`Limits::chunk_extensions`](super::Limits::chunk_extensions).
    #[error("chunk extensions too large (RFC 9112 §7.1.1)")]
    ChunkExtensionsTooLarge,
    /// Chunk data that no CRLF follows.
    #[error("chunk data without its end (RFC 9112 §7.1)")]
    ChunkEnd,
    /// Trailers beyond [`Limits::trailers`](super::Limits::trailers).
    #[error("trailers too large (RFC 9112 §7.1.2)")]
    TrailersTooLarge,
    /// A trailer that frames or routes the message, or names its sender.
    #[error("field not allowed in trailers (RFC 9110 §6.5.1)")]
    Trailer,
    /// The input ended in the middle of a message.
    #[error("incomplete message (RFC 9112 §8)")]
    Incomplete,
    /// A head took longer than [`Limits::head_timeout`](super::Limits::head_timeout).
    #[error("head took too long (RFC 9110 §15.5.9)")]
    HeadTimeout,
    /// A body fell behind [`Limits::body_rate`](super::Limits::body_rate).
    #[error("body came too slowly (RFC 9110 §15.5.9)")]
    BodyTimeout,
    /// No response came within
    /// [`Limits::response_timeout`](super::Limits::response_timeout).
    #[error("response took too long (RFC 9110 §15.6.5)")]
    ResponseTimeout,
}

impl ProtocolError {
    /// The status that a server answers with; `None` for what only a server
    /// can do wrong.
    pub const fn status(self) -> Option<Status> {
        Some(match self {
            Self::BareCr
            | Self::BareLf
            | Self::Control
            | Self::EmptyLines
            | Self::RequestLine
            | Self::Method
            | Self::Target
            | Self::Version
            | Self::FieldName
            | Self::FieldLine
            | Self::Folding
            | Self::HostMissing
            | Self::HostRepeated
            | Self::HostInvalid
            | Self::ContentLength
            | Self::RepeatedContentLength
            | Self::LengthAndCoding
            | Self::TransferEncoding
            | Self::CodingVersion
            | Self::ChunkSize
            | Self::ChunkExtension
            | Self::ChunkExtensionsTooLarge
            | Self::ChunkEnd
            | Self::Trailer
            | Self::Incomplete => Status::BAD_REQUEST,
            Self::HeadTimeout | Self::BodyTimeout => Status::REQUEST_TIMEOUT,
            Self::TargetTooLong => Status::URI_TOO_LONG,
            Self::Expectation => Status::EXPECTATION_FAILED,
            Self::HeadTooLarge | Self::TooManyFields | Self::TrailersTooLarge => {
                Status::REQUEST_HEADER_FIELDS_TOO_LARGE
            }
            Self::MethodTooLong | Self::UnknownCoding => Status::NOT_IMPLEMENTED,
            Self::UnsupportedVersion => Status::HTTP_VERSION_NOT_SUPPORTED,
            Self::StatusLine | Self::ResponseTimeout => return None,
        })
    }
}

/// A mistake of our own side. The call that answers it has changed nothing and written
/// nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UsageError {
    /// The output has too little room.
    #[error("too little room in the output")]
    NoRoom,
    /// The call does not fit the state of the exchange: nothing is owed, the
    /// head is out already, the other role would send this.
    #[error("not at this point of the exchange (RFC 9112 §9)")]
    State,
    /// A status that this call cannot send: 1xx as a final response, a final
    /// one as informational, 2xx to CONNECT other than by switching.
    #[error("status cannot be sent by this call (RFC 9110 §15)")]
    Status,
    /// A field that cannot stand on the wire.
    #[error("invalid field: {0}")]
    InvalidField(InvalidField),
    /// A field that the machine itself is in charge of: Content-Length,
    /// Transfer-Encoding, Connection (but for `close` in a request), Keep-Alive, Upgrade,
    /// and in trailers all that may not stand there.
    #[error("field belongs to the machine (RFC 9112 §6)")]
    ForbiddenField,
    /// More content than was announced or than the status may have.
    #[error("more content than announced (RFC 9110 §8.6)")]
    BodyTooLong,
    /// The end of a body that is shorter than announced.
    #[error("less content than announced (RFC 9110 §8.6)")]
    BodyTooShort,
    /// The peer did not offer to switch, or nothing says to what.
    #[error("no switch was offered (RFC 9110 §7.8)")]
    NoUpgrade,
    /// A request whose method is not a token or whose target cannot stand on
    /// the wire.
    #[error("invalid method or target (RFC 9112 §3)")]
    RequestLine,
    /// A request without exactly one Host.
    #[error("a request has exactly one Host (RFC 9112 §3.2)")]
    Host,
}

impl From<InvalidField> for UsageError {
    fn from(error: InvalidField) -> Self {
        Self::InvalidField(error)
    }
}
