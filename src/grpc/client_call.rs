//! A call as its client sees it, over any HTTP.

use super::frame::Frame;
use super::{Body, Code, Compression, ContentType, Encoding, Limits, Message, Mode, UsageError};
use super::{ProtocolError, web};
use super::{lines::put_metadata, metadata, timeout::Timeout};
use crate::http::FieldBuffer;
use crate::http::{Field, Fields, ResponseHead, Status as HttpStatus};
use crate::wire::{Received, Role, Sink, Step};
use core::time::Duration;

/// A part of a response's body.
#[derive(Debug)]
pub enum Event<'b> {
    /// A message.
    Message(Message<'b>),
    /// The end of the call, from the body of a gRPC-Web response.
    Trailers(Trailers<'b>),
}

/// How the server ended a call, borrowed from wherever it told it.
#[derive(Debug, Clone, Copy)]
pub struct Trailers<'b> {
    /// The code.
    pub code: Code,
    /// The message, still percent-encoded:
    /// [`percent_decode`](super::percent_decode) reads it.
    pub message: &'b [u8],
    fields: Fields<'b>,
    block: &'b [u8],
}

impl<'b> Trailers<'b> {
    /// All fields, those of the protocol among them, in order.
    pub fn iter(&self) -> impl Iterator<Item = Field<'b>> + use<'b> {
        // The block was parsed when it arrived.
        self.fields.iter().chain(web::fields(self.block).flatten())
    }

    fn of_fields(fields: Fields<'b>) -> Result<Self, ProtocolError> {
        Self::parse(fields, b"")
    }

    fn of_block(block: &'b [u8]) -> Result<Self, ProtocolError> {
        web::fields(block).try_for_each(|field| field.map(drop))?;
        Self::parse(Fields::EMPTY, block)
    }

    fn parse(fields: Fields<'b>, block: &'b [u8]) -> Result<Self, ProtocolError> {
        let mut trailers = Self {
            code: Code::Unknown,
            message: b"",
            fields,
            block,
        };
        let value = |name| {
            trailers
                .iter()
                .find(|field| field.is(name))
                .map(|f| f.value)
        };
        let (code, message) = (value("grpc-status"), value("grpc-message"));
        trailers.code = code.and_then(Code::parse).ok_or(ProtocolError::NoStatus)?;
        trailers.message = message.unwrap_or_default();
        Ok(trailers)
    }
}

/// The client's side of one call: a filter between a caller and HTTP.
///
/// ```
/// use barewire::grpc::{ClientCall, Code, ContentType, Event, Limits, Mode};
/// use barewire::http::{Field, FieldBuffer, Fields, ResponseHead, Status};
/// use barewire::wire::Step;
///
/// let mut call = ClientCall::new(ContentType::new(Mode::Web));
/// let (mut head, mut out) = (FieldBuffer::new(), Vec::new());
/// call.send_head(None, Fields::EMPTY, &mut head).unwrap();
/// call.send_message(b"hi", &mut out).unwrap();
///
/// let fields = [Field::new("content-type", "application/grpc-web")];
/// let response = ResponseHead::new(Status::OK, Fields::new(&fields));
/// assert!(call.receive_head(&response).unwrap().is_none());
/// let mut body = *b"\x80\0\0\0\x10grpc-status: 5\r\n";
/// let received = call.receive(&mut body, &Limits::DEFAULT).unwrap();
/// let Step::Event(Event::Trailers(trailers)) = received.step else { panic!() };
/// assert_eq!(trailers.code, Code::NotFound);
/// call.receive_eof().unwrap();
/// ```
#[derive(Debug, Clone)]
pub struct ClientCall {
    request: ContentType,
    body: Body,
    sent: Encoding,       // of the request's messages
    status: Option<Code>, // once it was received
}

impl ClientCall {
    /// A call in this form.
    pub const fn new(request: ContentType) -> Self {
        Self {
            request,
            body: Body::new(request.mode(), Role::Client, Compression::Absent),
            sent: Encoding::Identity,
            status: None,
        }
    }

    /// Has the head announce an encoding, which
    /// [`send_compressed`](Self::send_compressed) then uses. A server that does
    /// not read it ends the call with UNIMPLEMENTED.
    ///
    /// ```
    /// use barewire::grpc::{ClientCall, ContentType, Encoding, UsageError, Mode};
    /// use barewire::http::{FieldBuffer, Fields};
    ///
    /// let mut call = ClientCall::new(ContentType::new(Mode::Native));
    /// let (mut head, mut out) = (FieldBuffer::new(), Vec::new());
    /// assert_eq!(call.send_compressed(b"zip", &mut out), Err(UsageError::EncodingNotSent));
    /// call.announce(Encoding::Gzip);
    /// call.send_head(None, Fields::EMPTY, &mut head).unwrap();
    /// call.send_compressed(b"zip", &mut out).unwrap();
    /// assert_eq!(head.as_fields().get("grpc-encoding").unwrap(), b"gzip");
    /// assert_eq!(out, b"\x01\0\0\0\x03zip");
    /// ```
    pub const fn announce(&mut self, encoding: Encoding) {
        self.sent = encoding;
    }

    /// The encoding that the head of the response announces.
    pub const fn encoding(&self) -> Encoding {
        self.sent
    }

    /// Puts the fields of the request's head into `head`; the method is POST
    /// and the path `/service/method`.
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

    /// Puts the fields that every call of this form has, which a client may keep for
    /// its next one.
    pub(crate) fn put_common(&self, head: &mut FieldBuffer) -> Result<(), UsageError> {
        let mut memory = [0; 40];
        let content_type = self.request.write(&mut memory);
        let of_mode: &[(&str, &str)] = match self.request.mode() {
            Mode::Native => &[("te", "trailers")],
            Mode::Web | Mode::WebText => &[("accept", content_type), ("x-grpc-web", "1")],
        };
        let first = [("content-type", content_type)].into_iter();
        let last = [("grpc-accept-encoding", Encoding::ACCEPTED)];
        put(first.chain(of_mode.iter().copied()).chain(last), head)
    }

    /// Puts the fields of this call alone, after the [common](Self::put_common) ones.
    pub(crate) fn put_own(
        &self,
        timeout: Option<Duration>,
        metadata: Fields<'_>,
        head: &mut FieldBuffer,
    ) -> Result<(), UsageError> {
        let timeout = timeout.map(Timeout::new);
        let timeout = timeout
            .as_ref()
            .map(|value| ("grpc-timeout", value.as_str()));
        let encoding =
            (self.sent != Encoding::Identity).then_some(("grpc-encoding", self.sent.name()));
        put(encoding.into_iter().chain(timeout), head)?;
        put_metadata(metadata, head)
    }

    /// Appends `message` to the body of the request.
    ///
    /// # Errors
    /// [`UsageError`] if it is too long or the output has too little room; nothing
    /// is written then.
    pub fn send_message(&self, message: &[u8], out: &mut impl Sink) -> Result<(), UsageError> {
        web::encode_message(self.request.mode(), message, out)
    }

    /// Appends a message that the caller has compressed as
    /// [announced](Self::announce).
    ///
    /// # Errors
    /// Those of [`send_message`](Self::send_message), and
    /// [`UsageError::EncodingNotSent`] if no encoding was announced.
    pub fn send_compressed(&self, bytes: &[u8], out: &mut impl Sink) -> Result<(), UsageError> {
        if self.sent == Encoding::Identity {
            return Err(UsageError::EncodingNotSent);
        }
        web::encode_compressed(self.request.mode(), bytes, out)
    }

    /// Takes the head of the response. `Some` if the call has ended with it
    /// (Trailers-Only).
    ///
    /// # Errors
    /// [`ProtocolError`] if it is not an answer of gRPC: its code follows from the
    /// HTTP status where that is not 200.
    pub fn receive_head<'b>(
        &mut self,
        head: &ResponseHead<'b>,
    ) -> Result<Option<Trailers<'b>>, ProtocolError> {
        let has_status = head.fields.contains("grpc-status");
        let content_type = head.fields.get("content-type").unwrap_or_default();
        let mode = ContentType::parse(content_type).map(|response| response.mode());
        let native = self.request.mode() == Mode::Native;
        let mode = mode.filter(|&mode| (mode == Mode::Native) == native);
        if head.status != HttpStatus::OK && (mode.is_none() || !has_status) {
            return Err(ProtocolError::HttpStatus(head.status));
        }
        let mode = mode.ok_or(ProtocolError::ContentType)?;
        let encoding = head.fields.get("grpc-encoding").unwrap_or(b"identity");
        let compression = match Encoding::parse(encoding) {
            Some(Encoding::Identity) => Compression::Absent,
            Some(Encoding::Gzip) => Compression::Announced,
            None => return Err(ProtocolError::UnknownEncoding),
        };
        self.body = Body::new(mode, Role::Client, compression);
        if !has_status {
            return Ok(None);
        }
        let trailers = Trailers::of_fields(head.fields)?;
        self.status = Some(trailers.code);
        Ok(Some(trailers))
    }

    /// Takes at most one event from the front of `input`, the bytes of the
    /// response's body. Bytes past `used` come again as this call left them,
    /// in front of what arrives next.
    ///
    /// # Errors
    /// [`ProtocolError`], whose code is the outcome of the call.
    pub fn receive<'b>(
        &mut self,
        input: &'b mut [u8],
        limits: &Limits,
    ) -> Result<Received<Event<'b>>, ProtocolError> {
        let Received { used, step } = self.body.receive(input, limits)?;
        let step = match step {
            Step::Event(Frame::Message(message)) => Step::Event(Event::Message(message)),
            Step::Event(Frame::Trailers(block)) => {
                let trailers = Trailers::of_block(block);
                let trailers = trailers.map_err(|violation| self.body.fail(violation))?;
                self.status = Some(trailers.code);
                Step::Event(Event::Trailers(trailers))
            }
            Step::Need(more) => Step::Need(more),
            Step::Paused => Step::Paused,
            Step::Full => Step::Full,
            Step::Done => Step::Done,
        };
        Ok(Received { used, step })
    }

    /// Takes the trailers of HTTP, with which a native response ends.
    ///
    /// A body that ends inside of a message takes away nothing but success: a
    /// status other than OK, which the server has told, is the outcome of the
    /// call. A fault that [`receive`](Self::receive) has found came before the
    /// status and stays the outcome.
    ///
    /// # Errors
    /// The fault that [`receive`](Self::receive) has found; [`ProtocolError::Truncated`] if the
    /// body ended inside of a message and the status is OK or missing;
    /// [`ProtocolError::NoStatus`] without a readable `grpc-status`.
    pub fn receive_trailers<'b>(
        &mut self,
        fields: Fields<'b>,
    ) -> Result<Trailers<'b>, ProtocolError> {
        let trailers = Trailers::of_fields(fields);
        self.status = trailers.as_ref().ok().map(|trailers| trailers.code);
        self.receive_eof()?;
        trailers
    }

    /// Says that the response has ended.
    ///
    /// # Errors
    /// [`ProtocolError`] if it ended without a status, or inside of a frame unless
    /// the status says already that the call has failed.
    pub fn receive_eof(&mut self) -> Result<(), ProtocolError> {
        match (self.body.receive_eof(), self.status) {
            (Err(ProtocolError::Truncated), Some(code)) if !matches!(code, Code::Ok) => Ok(()),
            (Err(violation), _) => Err(violation),
            (Ok(()), status) => status.map(drop).ok_or(ProtocolError::NoStatus),
        }
    }
}
fn put<'a>(
    all: impl Iterator<Item = (&'static str, &'a str)>,
    head: &mut FieldBuffer,
) -> Result<(), UsageError> {
    let mut all = all;
    all.try_for_each(|(name, value)| head.push(name, value))
        .map_err(|_| UsageError::MetadataValue)
}
