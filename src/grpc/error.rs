//! Faults of a call, by the side that is to blame.

use super::Code;
use crate::http;

/// The peer broke the framing. The call ends with [`code`](Self::code).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A prefix announces more than [`Limits::message`](super::Limits::message).
    #[error("message is larger than the limit (gRPC status codes, RESOURCE_EXHAUSTED)")]
    MessageTooLong,
    /// A prefix announces more than
    /// [`Limits::trailers`](super::Limits::trailers).
    #[error("trailers are larger than the limit (gRPC over HTTP2, Responses)")]
    TrailersTooLong,
    /// The flag of a frame is none that this form of gRPC knows.
    #[error("unknown frame flag (gRPC over HTTP2, Length-Prefixed-Message)")]
    UnknownFlag,
    /// A message is flagged as compressed, but no encoding was announced.
    #[error("compressed message without grpc-encoding (gRPC compression)")]
    NotAnnounced,
    /// A compressed message of no bytes: no encoding makes one.
    #[error("compressed message is empty (gRPC compression)")]
    EmptyCompressed,
    /// A compressed message is not what its encoding makes.
    #[error("compressed message is malformed (gRPC compression, RFC 1952)")]
    MalformedCompressed,
    /// A message is larger than
    /// [`Limits::message`](super::Limits::message) once it is inflated.
    #[error("inflated message is larger than the limit (gRPC compression)")]
    InflatedTooLong,
    /// A message has taken longer than
    /// [`Limits::message_time`](super::Limits::message_time).
    #[error("message is not complete within the time limit (gRPC over HTTP2)")]
    MessageTooSlow,
    /// The trailers are flagged as compressed, which this version does not
    /// read.
    #[error("compressed trailers (gRPC-Web, HTTP/1 trailers)")]
    CompressedTrailers,
    /// A request carries the last frame of a response.
    #[error("trailers in a request (gRPC-Web; Connect, Streaming-Request)")]
    UnexpectedTrailers,
    /// Something follows the last frame.
    #[error("data after the last frame (gRPC-Web; Connect, Streaming-Response)")]
    AfterTrailers,
    /// The trailers are not lines of `name: value`.
    #[error("malformed trailers (gRPC-Web, HTTP/1 trailers)")]
    MalformedTrailers,
    /// The body ends inside of a frame.
    #[error("body ends inside of a frame (gRPC over HTTP2, Length-Prefixed-Message)")]
    Truncated,
    /// The body of the text form is not base64.
    #[error("body is not base64 (gRPC-Web, application/grpc-web-text)")]
    InvalidBase64,
    /// The trailers, or the head that stands for them, carry no `grpc-status`,
    /// or one that is no number.
    #[error("no grpc-status (gRPC over HTTP2, Responses)")]
    NoStatus,
    /// The response has another HTTP status than 200: its code as in the
    /// table of gRPC.
    #[error("HTTP status {} (gRPC HTTP status mapping)", .0.code())]
    HttpStatus(http::Status),
    /// The content type of the response is not one of gRPC's, or not the form
    /// that was asked for.
    #[error("content type of the response is not gRPC's (gRPC over HTTP2, Responses)")]
    ContentType,
    /// The messages of the response are of another codec than those of the request.
    #[error("codec of the response is not the one of the request (Connect, Unary-Response)")]
    Codec,
    /// A stream of Connect has ended without its last envelope.
    #[error("stream ends without EndStreamResponse (Connect, Streaming-Response)")]
    NoEndStream,
    /// The last envelope of a stream of Connect is not its JSON.
    #[error("malformed EndStreamResponse (Connect, Error and EndStreamResponse)")]
    MalformedEnd,
    /// The response uses an encoding that was not offered.
    #[error("unknown encoding (gRPC compression)")]
    UnknownEncoding,
}

impl ProtocolError {
    /// The code that the call ends with.
    pub const fn code(self) -> Code {
        match self {
            Self::MessageTooLong | Self::InflatedTooLong | Self::TrailersTooLong => {
                Code::ResourceExhausted
            }
            Self::MessageTooSlow => Code::DeadlineExceeded,
            Self::UnknownFlag
            | Self::NotAnnounced
            | Self::EmptyCompressed
            | Self::MalformedCompressed
            | Self::CompressedTrailers
            | Self::UnexpectedTrailers
            | Self::AfterTrailers
            | Self::MalformedTrailers
            | Self::Truncated
            | Self::InvalidBase64
            | Self::Codec
            | Self::NoEndStream
            | Self::MalformedEnd
            | Self::UnknownEncoding => Code::Internal,
            Self::NoStatus | Self::ContentType => Code::Unknown,
            Self::HttpStatus(status) => Code::from_http(status),
        }
    }
}

/// The caller asked for what a call cannot do. Nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UsageError {
    /// A frame is longer than its prefix can say.
    #[error("message is longer than 4 GiB (gRPC over HTTP2, Length-Prefixed-Message)")]
    MessageTooLong,
    /// The name of a metadata entry is not made of `0-9 a-z _ - .`, or is kept
    /// for the protocol.
    #[error("metadata name is malformed or reserved (gRPC over HTTP2, Custom-Metadata)")]
    MetadataName,
    /// The value of a metadata entry is not printable ASCII, or not base64
    /// under a `-bin` name.
    #[error("metadata value is malformed (gRPC over HTTP2, Custom-Metadata)")]
    MetadataValue,
    /// The output has too little room for the whole frame.
    #[error("too little room in the output")]
    NoRoom,
    /// The head was sent already.
    #[error("the head was sent already (gRPC over HTTP2, Responses)")]
    HeadSent,
    /// The head must be sent first.
    #[error("the head was not sent yet (gRPC over HTTP2, Responses)")]
    HeadNotSent,
    /// A compressed message without an encoding in the head.
    #[error("no grpc-encoding was announced (gRPC compression)")]
    EncodingNotSent,
    /// The call's own direction has ended.
    #[error("the call has ended (gRPC over HTTP2, Responses)")]
    Ended,
}

/// A request that cannot become a call; the answer is plain HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The content type is not one of gRPC's: HTTP 415.
    #[error("content type is not gRPC's (gRPC over HTTP2, Requests)")]
    ContentType,
    /// The method is not POST: HTTP 405.
    #[error("method is not POST (gRPC over HTTP2, Requests)")]
    Method,
    /// Native gRPC over an HTTP version without trailers that clients read:
    /// HTTP 505.
    #[error("native gRPC needs HTTP/2 (gRPC over HTTP2)")]
    Version,
}

impl Refusal {
    /// The HTTP status of the answer. 405 goes with `Allow: POST`.
    pub const fn http_status(self) -> http::Status {
        match self {
            Self::ContentType => http::Status::UNSUPPORTED_MEDIA_TYPE,
            Self::Method => http::Status::METHOD_NOT_ALLOWED,
            Self::Version => http::Status::HTTP_VERSION_NOT_SUPPORTED,
        }
    }
}
