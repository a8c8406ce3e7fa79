//! A call of Connect as its client sees it.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::{ContentType, EndStream, ErrorBody, Query, Shape, put_timeout};
use crate::grpc::frame::{Decoder, Kind};
use crate::grpc::lines::{put_known, put_metadata};
use crate::grpc::{CallStatus, Code, Compression, Detail, Encoding, Limits, Message};
use crate::grpc::{ProtocolError, Status, UsageError, metadata};
use crate::http::{self, FieldBuffer, Fields, ResponseHead};
use crate::wire::{Received, Step, ascii::Decimal};

/// A part of a streaming response's content.
#[derive(Debug)]
pub enum Event<'b> {
    /// A message.
    Message(Message<'b>),
    /// The last envelope has come: [`ClientCall::receive_eof`] says how the call ended.
    End,
}

/// How a call ended, as the server has told it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The status.
    pub status: CallStatus,
    /// What goes with an error.
    pub details: Vec<Detail>,
}

/// The client's side of one call: a filter between a caller and HTTP.
///
/// The content of a unary request is the message. Its response is collected: when all of it
/// has come, [`receive_whole`](Self::receive_whole) says whether it is a message. That of a
/// stream goes through [`receive`](Self::receive).
///
/// ```
/// use barewire::grpc::{Code, Limits, connect::{ClientCall, ContentType, Shape}};
/// use barewire::http::{Field, FieldBuffer, Fields, ResponseHead, Status};
///
/// let mut call = ClientCall::new(ContentType::new(Shape::Unary, "json").unwrap());
/// let mut head = FieldBuffer::new();
/// call.send_head(None, Fields::EMPTY, &mut head).unwrap();
/// assert_eq!(head.as_fields().get("content-type").unwrap(), b"application/json");
///
/// let fields = [Field::new("content-type", "application/json")];
/// call.receive_head(&ResponseHead::new(Status::NOT_FOUND, Fields::new(&fields))).unwrap();
/// let outcome = call.receive_whole(br#"{"code":"not_found"}"#, &Limits::DEFAULT).unwrap();
/// assert_eq!(outcome.status.code, Code::NotFound);
/// ```
#[derive(Debug)]
pub struct ClientCall {
    request: ContentType,
    body: Decoder,
    sent: Encoding,
    received: Encoding,
    /// The status of a response that is an error of a unary call.
    error: Option<http::Status>,
    end: Option<EndStream>,
    trailers: FieldBuffer,
}

impl ClientCall {
    /// A call with messages like these.
    pub const fn new(request: ContentType) -> Self {
        Self {
            request,
            body: Decoder::connect_response(Compression::Absent),
            sent: Encoding::Identity,
            received: Encoding::Identity,
            error: None,
            end: None,
            trailers: FieldBuffer::new(),
        }
    }

    /// The shape and the codec of the call.
    pub const fn content_type(&self) -> &ContentType {
        &self.request
    }

    /// Has the head announce an encoding: the content of a unary request is compressed so,
    /// and what a stream flags.
    pub const fn announce(&mut self, encoding: Encoding) {
        self.sent = encoding;
    }

    /// The encoding that the head of the request announces.
    pub const fn encoding(&self) -> Encoding {
        self.sent
    }

    /// The encoding of the response: of all of it, if the call is unary.
    pub const fn received_encoding(&self) -> Encoding {
        self.received
    }

    /// Puts the fields of the request's head into `head`; the method is POST and the path
    /// `/service/method`.
    ///
    /// # Errors
    /// [`UsageError`] for metadata that cannot be sent; nothing is written then.
    pub fn send_head(
        &self,
        timeout: Option<Duration>,
        metadata: Fields<'_>,
        head: &mut FieldBuffer,
    ) -> Result<(), UsageError> {
        metadata.iter().try_for_each(metadata::check)?;
        self.put_common(head)?;
        self.put_own(timeout, metadata, head)
    }

    /// Puts the fields that every call with such messages has, which a client may keep for
    /// its next one.
    pub(crate) fn put_common(&self, head: &mut FieldBuffer) -> Result<(), UsageError> {
        let mut memory = [0; 40];
        put_known("content-type", self.request.write(&mut memory), head)?;
        put_known("connect-protocol-version", "1", head)?;
        match self.request.shape() {
            // Without it, servers may compress as they like (RFC 9110 §12.5.3).
            Shape::Unary => put_known("accept-encoding", super::ACCEPTED, head),
            Shape::Streaming => put_known("connect-accept-encoding", super::ACCEPTED, head),
        }
    }

    /// Puts the fields of this call alone, after the [common](Self::put_common) ones.
    pub(crate) fn put_own(
        &self,
        timeout: Option<Duration>,
        metadata: Fields<'_>,
        head: &mut FieldBuffer,
    ) -> Result<(), UsageError> {
        if self.sent != Encoding::Identity {
            let name = match self.request.shape() {
                Shape::Unary => "content-encoding",
                Shape::Streaming => "connect-content-encoding",
            };
            put_known(name, self.sent.name(), head)?;
        }
        put_given(timeout, metadata, head)
    }

    /// Puts the fields of a unary request by GET into `head`, and returns the query that
    /// goes behind the path. For methods without side effects alone: whatever follows a
    /// link may send it, and caches may answer it. `message` is compressed as
    /// [announced](Self::announce).
    ///
    /// # Errors
    /// [`UsageError`] for metadata that cannot be sent; nothing is written then.
    ///
    /// ```
    /// use barewire::grpc::connect::{ClientCall, ContentType, Shape};
    /// use barewire::http::{FieldBuffer, Fields};
    ///
    /// let call = ClientCall::new(ContentType::new(Shape::Unary, "json").unwrap());
    /// let mut head = FieldBuffer::new();
    /// let query = call.send_get(b"{}", None, Fields::EMPTY, &mut head).unwrap();
    /// assert_eq!(query, "connect=v1&encoding=json&message=%7B%7D");
    /// ```
    pub fn send_get(
        &self,
        message: &[u8],
        timeout: Option<Duration>,
        metadata: Fields<'_>,
        head: &mut FieldBuffer,
    ) -> Result<String, UsageError> {
        metadata.iter().try_for_each(metadata::check)?;
        put_known("accept-encoding", super::ACCEPTED, head)?;
        put_given(timeout, metadata, head)?;
        let query = Query {
            codec: self.request.codec().into(),
            message: message.into(),
            encoding: Some(self.sent),
            is_versioned: true,
        };
        let mut text = String::new();
        query.write(&mut text);
        Ok(text)
    }

    /// Takes the head of the response.
    ///
    /// # Errors
    /// [`ProtocolError`] if it is not an answer of Connect: its code follows from the HTTP
    /// status where that is not 200.
    pub fn receive_head(&mut self, head: &ResponseHead<'_>) -> Result<(), ProtocolError> {
        let is_unary = self.request.shape() == Shape::Unary;
        let content_type = head.fields.get("content-type").unwrap_or_default();
        let content_type = ContentType::parse(content_type);
        if head.status != http::Status::OK {
            let is_json = |it: ContentType| it.shape() == Shape::Unary && it.codec() == "json";
            if !is_unary || !content_type.is_some_and(is_json) {
                return Err(ProtocolError::HttpStatus(head.status));
            }
            self.error = Some(head.status);
        } else {
            let response = content_type.filter(|it| it.shape() == self.request.shape());
            let response = response.ok_or(ProtocolError::ContentType)?;
            if response.codec() != self.request.codec() {
                return Err(ProtocolError::Codec);
            }
        }
        let encoding = match is_unary {
            true => head.fields.get("content-encoding"),
            false => head.fields.get("connect-content-encoding"),
        };
        let encoding = Encoding::parse(encoding.unwrap_or(b"identity"));
        self.received = encoding.ok_or(ProtocolError::UnknownEncoding)?;
        self.body = Decoder::connect_response(match self.received {
            Encoding::Identity => Compression::Absent,
            Encoding::Gzip => Compression::Announced,
        });
        if is_unary {
            for field in head.fields.iter() {
                if let Some(name) = trailing(field.name) {
                    let _ = self.trailers.push(&name, field.value); // it has been a field before
                }
            }
        }
        Ok(())
    }

    /// Whether the response to a unary call is an error, as its head says.
    pub const fn is_failing(&self) -> bool {
        self.error.is_some()
    }

    /// Whether a field of the head of a unary response is one of its trailers.
    pub fn is_trailer(&self, name: &[u8]) -> bool {
        self.request.shape() == Shape::Unary && trailing(name).is_some()
    }

    /// The metadata that the server sends last, as far as it has come.
    pub fn trailers(&self) -> Fields<'_> {
        match &self.end {
            Some(end) => end.metadata.as_fields(),
            None => self.trailers.as_fields(),
        }
    }

    /// Takes all of the content of a unary response: it is the message if the outcome is
    /// OK, compressed as [`received_encoding`](Self::received_encoding) says unless it is
    /// empty.
    ///
    /// # Errors
    /// [`ProtocolError`] for an error that cannot be inflated.
    pub fn receive_whole(
        &mut self,
        content: &[u8],
        limits: &Limits,
    ) -> Result<Outcome, ProtocolError> {
        let Some(http) = self.error else {
            return Ok(Outcome::ok());
        };
        let is_compressed = self.received != Encoding::Identity && !content.is_empty();
        let plain = plain(content, is_compressed, limits)?;
        let content = plain.as_deref().unwrap_or(content);
        let implied = Code::from_http(http);
        Ok(match ErrorBody::parse(content) {
            Some(error) => Outcome::of(error, implied),
            None => {
                let number = Decimal::new(http.code().into());
                let message = alloc::format!("HTTP status {}", number.as_str());
                Outcome {
                    status: Status::new(implied, message).into(),
                    details: Vec::new(),
                }
            }
        })
    }

    /// Takes at most one event from the front of `input`, the content of a streaming
    /// response. Bytes past `used` come again in front of what arrives next.
    ///
    /// # Errors
    /// [`ProtocolError`], whose code is the outcome of the call.
    pub fn receive<'b>(
        &mut self,
        input: &'b mut [u8],
        limits: &Limits,
    ) -> Result<Received<Event<'b>>, ProtocolError> {
        let found = self.body.locate(input, limits)?;
        if let Step::Event(place) = &found.step
            && let Kind::Trailers { compressed } = place.kind
        {
            let bytes = input.get(place.at.clone()).unwrap_or_default(); // it lies in the input
            let plain = plain(bytes, compressed, limits);
            let end = plain.map(|plain| EndStream::parse(plain.as_deref().unwrap_or(bytes)));
            let end = end.and_then(|end| end.ok_or(ProtocolError::MalformedEnd));
            self.end = Some(end.map_err(|violation| self.body.fail(violation))?);
            return Ok(Received::event(found.used, Event::End));
        }
        Ok(found.map(|place| Event::Message(place.message().borrow(input))))
    }

    /// Says that a streaming response has ended.
    ///
    /// # Errors
    /// [`ProtocolError`] if it ended inside of an envelope, or without the last one.
    pub fn receive_eof(&mut self) -> Result<Outcome, ProtocolError> {
        self.body.receive_eof()?;
        let end = self.end.as_mut().ok_or(ProtocolError::NoEndStream)?;
        Ok(match end.error.take() {
            Some(error) => Outcome::of(error, Code::Unknown),
            None => Outcome::ok(),
        })
    }
}

impl Outcome {
    fn ok() -> Self {
        Self {
            status: Status::OK.into(),
            details: Vec::new(),
        }
    }

    fn of(error: ErrorBody, implied: Code) -> Self {
        Self {
            status: Status::new(error.code.unwrap_or(implied), error.message).into(),
            details: error.details,
        }
    }
}

/// Puts what a caller gives, after the fields of the protocol.
fn put_given(
    timeout: Option<Duration>,
    metadata: Fields<'_>,
    head: &mut FieldBuffer,
) -> Result<(), UsageError> {
    if let Some(timeout) = timeout {
        let mut value = Vec::new();
        put_timeout(timeout, &mut value);
        let value = core::str::from_utf8(&value).unwrap_or("0"); // digits
        put_known("connect-timeout-ms", value, head)?;
    }
    put_metadata(metadata, head)
}

/// The name of a trailer in the name of a field.
fn trailing(name: &[u8]) -> Option<String> {
    let (front, name) = name.split_at_checked(8)?;
    let name = core::str::from_utf8(name).ok()?;
    front
        .eq_ignore_ascii_case(b"trailer-")
        .then(|| name.to_ascii_lowercase())
}

/// What is compressed, inflated within the limit of a message.
fn plain(
    bytes: &[u8],
    compressed: bool,
    limits: &Limits,
) -> Result<Option<Vec<u8>>, ProtocolError> {
    if !compressed {
        return Ok(None);
    }
    #[cfg(feature = "gzip")]
    {
        let mut plain = Vec::new();
        crate::grpc::Gzip::new().inflate(bytes, limits.message, &mut plain)?;
        Ok(Some(plain))
    }
    #[cfg(not(feature = "gzip"))]
    {
        let _ = (bytes, limits);
        Err(ProtocolError::UnknownEncoding)
    }
}
