//! A call of Connect as its server sees it.
//!
//! ```text
//!               unary                              streaming
//!  request ──► open, receive_eof: all of it        open, receive, receive_eof
//!  answer  ◄── send_whole: a head and its content  send_head, send_message, send_end
//! ```

mod answering;

use alloc::vec::Vec;
use core::time::Duration;

use super::{ContentType, InvalidQuery, Query, Shape, parse_timeout};
use crate::grpc::frame::{Decoder, FramePlace, MessagePlace};
use crate::grpc::request_head::{CodingFields, RequestFields};
use crate::grpc::{Code, Compression, Encoding, Limits, Message, ProtocolError, Status};
use crate::http::{self, Method, RequestHead, Version};
use crate::wire::{Received, Step};

/// A request that cannot become a call; the answer is plain HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The content type is none of Connect's, not the shape of the method, or of a codec
    /// that the method does not speak: HTTP 415, with `Accept-Post`.
    #[error("content type is not one of the method's (Connect, Unary-Content-Type)")]
    ContentType,
    /// The method is neither POST, nor GET for what has no side effects: HTTP 405.
    #[error("method is not POST (Connect, Method-Post)")]
    Method,
    /// Messages that flow both ways at one time, over HTTP/1.1: HTTP 505.
    #[error("streams both ways need HTTP/2 (Connect, Summary)")]
    Version,
}

impl Refusal {
    /// The HTTP status of the answer. 405 goes with `Allow`.
    pub const fn http_status(self) -> http::Status {
        match self {
            Self::ContentType => http::Status::UNSUPPORTED_MEDIA_TYPE,
            Self::Method => http::Status::METHOD_NOT_ALLOWED,
            Self::Version => http::Status::HTTP_VERSION_NOT_SUPPORTED,
        }
    }
}

/// The server's side of one call: a filter between HTTP and a method.
///
/// A unary call is answered in one piece by [`send_whole`](Self::send_whole), for its head
/// says how it ended. A streaming one is answered like a call of gRPC.
///
/// ```
/// use barewire::grpc::{Code, Status, connect::{Call, Shape}};
/// use barewire::http::{Field, FieldBuffer, Fields, Method, RequestHead, Target, Version};
///
/// let fields = [Field::new("content-type", "application/json")];
/// let head = RequestHead {
///     method: Method::POST,
///     target: Target::Origin { path: "/greeter.Greeter/Hello", query: None },
///     version: Version::Http11,
///     protocol: None,
///     fields: Fields::new(&fields),
/// };
/// let mut call = Call::open(&head, Shape::Unary).unwrap();
/// assert_eq!(call.content_type().codec(), "json");
///
/// let (mut head, mut content) = (FieldBuffer::new(), Vec::new());
/// let status = Status::new(Code::NotFound, "no such user");
/// let none = Fields::EMPTY;
/// let sent = call.send_whole(status, &[], (none, none), &mut head, &mut content).unwrap();
/// assert_eq!(sent.code(), 404);
/// assert_eq!(content, br#"{"code":"not_found","message":"no such user"}"#);
/// ```
#[derive(Debug, Clone)]
pub struct Call {
    content_type: ContentType,
    body: Decoder,
    received: Option<Encoding>, // of the request; none if unknown
    sent: Encoding,             // of the response
    accepts_gzip: bool,
    timeout: Option<Option<Duration>>, // none in it: it is malformed
    version: ProtocolVersion,
    query: Option<InvalidQuery>,
    is_readable: bool, // all binary metadata is base64
    is_get: bool,
    sending: Sending,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ProtocolVersion {
    Absent,
    One,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sending {
    Head,
    Messages,
    Ended,
}

impl Call {
    /// Opens a call of a method of this shape by POST, if the request is one of Connect at
    /// all.
    ///
    /// # Errors
    /// [`Refusal`]: the answer is its HTTP status.
    pub fn open(head: &RequestHead<'_>, shape: Shape) -> Result<Self, Refusal> {
        Self::of(head, shape, &RequestFields::new(head.fields))
    }

    /// Opens a call by POST whose fields were looked at.
    pub(crate) fn of(
        head: &RequestHead<'_>,
        shape: Shape,
        asked: &RequestFields<'_>,
    ) -> Result<Self, Refusal> {
        let content_type = asked.content_type.and_then(ContentType::parse);
        let content_type = content_type.filter(|it| it.shape() == shape);
        let content_type = content_type.ok_or(Refusal::ContentType)?;
        if head.method != Method::POST {
            return Err(Refusal::Method);
        }
        let coding = match shape {
            Shape::Unary => asked.content,
            Shape::Streaming => asked.envelopes,
        };
        let encoding = match coding.encoding {
            Some(name) => Encoding::parse(name),
            None => Some(Encoding::Identity),
        };
        let version = match asked.connect_version {
            None => ProtocolVersion::Absent,
            Some(b"1") => ProtocolVersion::One,
            Some(_) => ProtocolVersion::Other,
        };
        Ok(Self::with(content_type, asked, (coding, encoding), version))
    }

    /// Opens a unary call by GET, whose message the query has; gives that, as it is encoded
    /// and compressed.
    ///
    /// # Errors
    /// [`Refusal::Method`] for another method, [`Refusal::ContentType`] for a query that
    /// names a codec which cannot be one. What else is wrong with it ends the call by
    /// [`timeout`](Self::timeout).
    pub fn open_get(head: &RequestHead<'_>) -> Result<(Self, Vec<u8>), Refusal> {
        if !matches!(head.method, Method::GET | Method::HEAD) {
            return Err(Refusal::Method);
        }
        let asked = RequestFields::new(head.fields);
        let query = Query::parse(head.target.query().unwrap_or_default());
        let (query, fault) = match query {
            Ok(query) => (query, None),
            Err(InvalidQuery::NoEncoding) => return Err(Refusal::ContentType),
            // The codec of an error is JSON in any case.
            Err(fault) => (
                Query {
                    codec: "json".into(),
                    message: Vec::new(),
                    encoding: Some(Encoding::Identity),
                    is_versioned: false,
                },
                Some(fault),
            ),
        };
        let content_type = ContentType::new(Shape::Unary, &query.codec);
        let content_type = content_type.ok_or(Refusal::ContentType)?;
        let version = match query.is_versioned {
            true => ProtocolVersion::One,
            false => ProtocolVersion::Absent,
        };
        let coding = (asked.content, query.encoding);
        let mut call = Self::with(content_type, &asked, coding, version);
        call.is_get = true;
        call.query = fault;
        Ok((call, query.message))
    }

    fn with(
        content_type: ContentType,
        asked: &RequestFields<'_>,
        (coding, received): (CodingFields<'_>, Option<Encoding>),
        version: ProtocolVersion,
    ) -> Self {
        let compression = match received {
            Some(Encoding::Gzip) => Compression::Announced,
            Some(Encoding::Identity) | None => Compression::Absent,
        };
        Self {
            content_type,
            body: Decoder::connect_request(compression),
            received,
            sent: Encoding::Identity,
            // Who says nothing reads what it sends.
            accepts_gzip: coding
                .accepts_gzip
                .unwrap_or(received == Some(Encoding::Gzip)),
            timeout: asked.connect_timeout.map(parse_timeout),
            version,
            query: None,
            is_readable: !asked.is_unreadable,
            is_get: false,
            sending: Sending::Head,
        }
    }

    /// How long the client will wait.
    ///
    /// # Errors
    /// The status to end the call with: INVALID_ARGUMENT for a malformed timeout or query,
    /// for another version than 1 and for binary metadata that is not base64, UNIMPLEMENTED
    /// for an unknown encoding.
    #[inline]
    pub fn timeout(&self) -> Result<Option<Duration>, Status> {
        const UNKNOWN: &str = if cfg!(feature = "gzip") {
            "unknown encoding: identity and gzip are supported"
        } else {
            "unknown encoding: identity is supported"
        };
        let invalid = |message| Err(Status::new(Code::InvalidArgument, message));
        if self.version == ProtocolVersion::Other {
            return invalid("connect-protocol-version is not 1");
        }
        match self.query {
            None => {}
            Some(InvalidQuery::NoMessage) => return invalid("no message in the query"),
            Some(InvalidQuery::Version) => return invalid("connect is not v1 in the query"),
            Some(InvalidQuery::InvalidBase64) => {
                return invalid("message in the query is not base64");
            }
            Some(_) => return invalid("query is not percent-encoded UTF-8"),
        }
        if self.received.is_none() {
            return Err(Status::new(Code::Unimplemented, UNKNOWN));
        }
        if !self.is_readable {
            return invalid("malformed binary metadata");
        }
        match self.timeout {
            Some(None) => invalid("malformed connect-timeout-ms"),
            Some(timeout) => Ok(timeout),
            None => Ok(None),
        }
    }

    /// Whether the request names the version of the protocol.
    pub const fn is_versioned(&self) -> bool {
        !matches!(self.version, ProtocolVersion::Absent)
    }

    /// Whether the request came by GET, so that its answer may be cached.
    pub const fn is_get(&self) -> bool {
        self.is_get
    }

    /// The content type of the request, and of the response unless that is an error of a
    /// unary call.
    #[inline]
    pub const fn content_type(&self) -> &ContentType {
        &self.content_type
    }

    /// The encoding of the request: of its content if the call is unary, of its compressed
    /// envelopes otherwise.
    #[inline]
    pub const fn encoding(&self) -> Encoding {
        match self.received {
            Some(encoding) => encoding,
            None => Encoding::Identity,
        }
    }

    /// Whether a message is the content itself.
    #[inline]
    pub fn is_unary(&self) -> bool {
        self.content_type.shape() == Shape::Unary
    }

    /// Has the head announce an encoding; whether it does: not if the client has not said
    /// that it reads it, nor after the head.
    pub fn announce(&mut self, encoding: Encoding) -> bool {
        let is_accepted = encoding == Encoding::Identity || self.accepts_gzip;
        if is_accepted && self.sending == Sending::Head {
            self.sent = encoding;
        }
        self.sent == encoding
    }

    /// The message, if the content is one uncompressed message; else `None`.
    #[inline]
    pub(crate) fn whole_message<'b>(&self, body: &'b [u8], limits: &Limits) -> Option<&'b [u8]> {
        if self.is_unary() {
            let is_plain = self.received == Some(Encoding::Identity) || body.is_empty();
            return (is_plain && body.len() <= limits.message).then_some(body);
        }
        let (&[flag, a, b, c, d], message) = body.split_first_chunk()?;
        let len = u32::from_be_bytes([a, b, c, d]) as usize;
        let is_whole = flag == 0 && len == message.len() && len <= limits.message;
        (is_whole && self.body.is_between_frames()).then_some(message)
    }

    /// Takes at most one message from the front of `input`. Of a unary call, all that has
    /// arrived so far is to be given each time; its message is all of it, once it
    /// [has ended](Self::receive_eof), and compressed if [`encoding`](Self::encoding) says so
    /// and it is not empty.
    ///
    /// # Errors
    /// [`ProtocolError`], whose code ends the call; every later call answers the
    /// same.
    pub fn receive<'b>(
        &mut self,
        input: &'b mut [u8],
        limits: &Limits,
    ) -> Result<Received<Message<'b>>, ProtocolError> {
        let found = self.locate(input, limits)?;
        Ok(found.map(|place| place.borrow(input)))
    }

    /// Takes at most one message, and says where in the input it lies.
    pub(crate) fn locate(
        &mut self,
        input: &mut [u8],
        limits: &Limits,
    ) -> Result<Received<MessagePlace>, ProtocolError> {
        if self.is_unary() {
            if input.len() > limits.message {
                return Err(self.body.fail(ProtocolError::MessageTooLong));
            }
            return Ok(Received::need(0, 1));
        }
        let received = self.body.locate(input, limits)?;
        match received.step {
            // The decoder of a request refuses it by its prefix.
            Step::Event(ref place) if place.is_trailers() => Err(ProtocolError::UnexpectedTrailers),
            _ => Ok(received.map(FramePlace::message)),
        }
    }

    /// Says that the request's content has ended.
    ///
    /// # Errors
    /// [`ProtocolError`] if it ended inside of an envelope.
    pub fn receive_eof(&mut self) -> Result<(), ProtocolError> {
        self.body.receive_eof()
    }

    /// Whether both sides may send at one time over this version of HTTP.
    pub fn flows_both_ways(version: Version) -> bool {
        version == Version::Http2
    }
}
