//! A call as its server sees it, over any HTTP.
//!
//! ```text
//!  request head ─ open ─ request ─┐            ┌─ send_head ─► response head
//!  body bytes ─── receive ────────┤  a method  ├─ send_message ► body bytes
//!  end of body ── receive_eof ────┘            └─ send_status ─► trailers, or the
//!                                                 last frame, or a head alone
//! ```

use alloc::vec::Vec;
use core::time::Duration;

use super::frame::{self, FramePlace, MessagePlace, PREFIX};
use super::lines::{Ending, put_known, put_line, put_metadata, put_status};
use super::request_head::{Request, RequestFields};
use super::{Body, Compression, ContentType, Encoding, Limits, Message, Mode, Refusal};
use super::{Code, Detail, details, timeout};
use super::{ProtocolError, Status};
use super::{UsageError, metadata, web};
use crate::http::FieldBuffer;
use crate::http::{ContentTypeLine, FieldRange};
use crate::http::{Fields, Method, RequestHead, Special, Version};
use crate::wire::Sink;
use crate::wire::shortcut;
use crate::wire::{Received, Role, Step};

/// The server's side of one call: a filter between HTTP and a method.
///
/// ```
/// use barewire::grpc::{Call, Ending, Limits, Status};
/// use barewire::http::{Field, FieldBuffer, Fields, Method, RequestHead, Target, Version};
/// use barewire::wire::Step;
///
/// let fields = [Field::new("content-type", "application/grpc-web+proto")];
/// let head = RequestHead {
///     method: Method::POST,
///     target: Target::Origin { path: "/greeter.Greeter/Hello", query: None },
///     version: Version::Http11,
///     protocol: None,
///     fields: Fields::new(&fields),
/// };
/// let mut call = Call::open(&head).unwrap();
/// let request = call.request(&head).unwrap();
/// assert_eq!((request.service, request.method), ("greeter.Greeter", "Hello"));
///
/// let mut body = *b"\0\0\0\0\x02hi";
/// let received = call.receive(&mut body, &Limits::DEFAULT).unwrap();
/// let Step::Event(message) = received.step else { panic!() };
///
/// let (mut head, mut out) = (FieldBuffer::new(), Vec::new());
/// call.send_head(Fields::EMPTY, &mut head).unwrap();
/// call.send_message(message.bytes, &mut out).unwrap();
/// let ending = call.send_status(Status::OK, Fields::EMPTY, &mut FieldBuffer::new(), &mut out);
/// assert_eq!(ending, Ok(Ending::Body));
/// assert_eq!(head.as_fields().get("content-type").unwrap(), b"application/grpc-web+proto");
/// assert_eq!(out, b"\0\0\0\0\x02hi\x80\0\0\0\x10grpc-status: 0\r\n");
/// ```
#[derive(Debug, Clone)]
pub struct Call {
    body: Body,
    response: ContentType,
    sending: Sending,
    received: Option<Encoding>, // of the request's messages; none if unknown
    sent: Encoding,             // of the response's messages
    accepts_gzip: bool,
    timeout: Option<Option<Duration>>, // none in it: it is malformed
    is_readable: bool,                 // all binary metadata is base64
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sending {
    Head,
    Messages,
    Ended,
}

impl Call {
    /// Opens a call if the request is one of gRPC at all.
    ///
    /// # Errors
    /// [`Refusal`]: the answer is its HTTP status.
    pub fn open(head: &RequestHead<'_>) -> Result<Self, Refusal> {
        Self::of(head, &RequestFields::new(head.fields))
    }

    /// Opens a call whose fields were looked at.
    #[inline]
    pub(crate) fn of(head: &RequestHead<'_>, asked: &RequestFields<'_>) -> Result<Self, Refusal> {
        let request = asked.content_type.and_then(ContentType::parse);
        let request = request.ok_or(Refusal::ContentType)?;
        if head.method != Method::POST {
            return Err(Refusal::Method);
        }
        if request.mode() == Mode::Native && head.version != Version::Http2 {
            return Err(Refusal::Version);
        }
        let received = match asked.encoding {
            Some(name) => Encoding::parse(name),
            None => Some(Encoding::Identity),
        };
        let compression = match received {
            Some(Encoding::Gzip) => Compression::Announced,
            Some(Encoding::Identity) | None => Compression::Absent,
        };
        Ok(Self {
            body: Body::new(request.mode(), Role::Server, compression),
            response: match asked.negotiates {
                true => request.negotiate(head.fields),
                false => request,
            },
            sending: Sending::Head,
            received,
            sent: Encoding::Identity,
            accepts_gzip: asked.accepts_gzip,
            timeout: asked.timeout.map(timeout::parse),
            is_readable: !asked.is_unreadable,
        })
    }

    /// Reads the fields of the request's head that gRPC defines.
    ///
    /// # Errors
    /// The status to end the call with by [`send_status`](Self::send_status):
    /// UNIMPLEMENTED for a path that is not `/service/method` and for an
    /// unknown `grpc-encoding`, INTERNAL for a malformed `grpc-timeout` and for
    /// binary metadata that is not base64.
    pub fn request<'b>(&self, head: &RequestHead<'b>) -> Result<Request<'b>, Status> {
        let path = head.target.path().strip_prefix('/');
        let (service, method) = path
            .and_then(|path| path.rsplit_once('/'))
            .filter(|(service, method)| !service.is_empty() && !method.is_empty())
            .ok_or(Status::new(
                Code::Unimplemented,
                "path is not /service/method",
            ))?;
        Ok(Request {
            service,
            method,
            timeout: self.timeout()?,
            fields: head.fields,
        })
    }

    /// How long the client will wait, as [`request`](Self::request) has it, where the
    /// method is known already.
    ///
    /// # Errors
    /// Those of [`request`](Self::request) that do not lie in the path.
    #[inline]
    pub const fn timeout(&self) -> Result<Option<Duration>, Status> {
        if self.received.is_none() {
            return Err(Status::new(Code::Unimplemented, "unknown grpc-encoding"));
        }
        if !self.is_readable {
            return Err(Status::new(Code::Internal, "malformed binary metadata"));
        }
        match self.timeout {
            Some(None) => Err(Status::new(Code::Internal, "malformed grpc-timeout")),
            Some(timeout) => Ok(timeout),
            None => Ok(None),
        }
    }

    /// The content type of the response: its form, and the codec that the
    /// request named.
    #[inline]
    pub const fn content_type(&self) -> &ContentType {
        &self.response
    }

    /// The encoding of the request's compressed messages.
    #[inline]
    pub const fn encoding(&self) -> Encoding {
        match self.received {
            Some(encoding) => encoding,
            None => Encoding::Identity,
        }
    }

    /// Has the head announce an encoding, which
    /// [`send_compressed`](Self::send_compressed) then uses; whether it does:
    /// not if the client has not said that it reads it, nor after the head.
    pub fn announce(&mut self, encoding: Encoding) -> bool {
        let is_accepted = encoding == Encoding::Identity || self.accepts_gzip;
        if is_accepted && self.sending == Sending::Head {
            self.sent = encoding;
        }
        self.sent == encoding
    }

    /// The message, if the body is nothing but one message as it is, in a binary form:
    /// what [`receive`](Self::receive) would give, without a state. `None` for everything else.
    #[inline]
    pub fn whole_message<'b>(&self, body: &'b [u8], limits: &Limits) -> Option<&'b [u8]> {
        let (&[flag, a, b, c, d], message) = body.split_first_chunk()?;
        let len = u32::from_be_bytes([a, b, c, d]) as usize;
        let is_whole = flag == 0 && len == message.len() && len <= limits.message;
        (is_whole && self.body.is_fresh_binary()).then_some(message)
    }

    /// Takes at most one message from the front of `input`, the bytes of the
    /// request's body. Bytes past `used` come again as this call left them, in
    /// front of what arrives next.
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
    ///
    /// # Errors
    /// Those of [`receive`](Self::receive).
    pub(crate) fn locate(
        &mut self,
        input: &mut [u8],
        limits: &Limits,
    ) -> Result<Received<MessagePlace>, ProtocolError> {
        let received = self.body.locate(input, limits)?;
        match received.step {
            // The decoder of a request refuses trailers by their prefix.
            Step::Event(ref place) if place.is_trailers() => Err(ProtocolError::UnexpectedTrailers),
            _ => Ok(received.map(FramePlace::message)),
        }
    }

    /// Says that the request's body has ended: the client half-closed.
    ///
    /// # Errors
    /// [`ProtocolError`] if it ended inside of a message.
    pub fn receive_eof(&mut self) -> Result<(), ProtocolError> {
        self.body.receive_eof()
    }

    /// Puts the fields of the response's head, status 200, into `head`: the
    /// content type and `metadata`.
    ///
    /// # Errors
    /// [`UsageError`] for metadata that cannot be sent, or a second head; nothing
    /// is written then.
    pub fn send_head(
        &mut self,
        metadata: Fields<'_>,
        head: &mut FieldBuffer,
    ) -> Result<(), UsageError> {
        match self.sending {
            Sending::Head => {}
            Sending::Messages => return Err(UsageError::HeadSent),
            Sending::Ended => return Err(UsageError::Ended),
        }
        if !metadata.is_empty() {
            metadata.iter().try_for_each(metadata::check)?;
        }
        self.put_head(head)?;
        if !metadata.is_empty() {
            put_metadata(metadata, head)?;
        }
        self.sending = Sending::Messages;
        Ok(())
    }

    /// The content type of a native gRPC head that says nothing else; `None`, with nothing
    /// done, for any other.
    #[inline]
    pub(crate) fn send_plain_head(&mut self) -> Option<&'static ContentTypeLine> {
        static LINE: ContentTypeLine = ContentTypeLine::new("content-type: application/grpc\r\n");
        let is_plain = shortcut!("grpc_fields")
            && self.sending == Sending::Head
            && self.response.is_plain_native()
            && self.received == Some(Encoding::Identity)
            && self.sent == Encoding::Identity;
        if !is_plain {
            return None;
        }
        self.sending = Sending::Messages;
        Some(&LINE)
    }

    /// Appends `message` to the body of the response.
    ///
    /// # Errors
    /// [`UsageError`] before the head, after the status, or for want of room;
    /// nothing is written then.
    pub fn send_message(&mut self, message: &[u8], out: &mut impl Sink) -> Result<(), UsageError> {
        match self.sending {
            Sending::Head => Err(UsageError::HeadNotSent),
            Sending::Messages => web::encode_message(self.response.mode(), message, out),
            Sending::Ended => Err(UsageError::Ended),
        }
    }

    /// Frames the message that stands in `out` after `start` and a gap of
    /// [`PREFIX`](super::frame::PREFIX) bytes, in place where the form is
    /// binary. Returns the message's length.
    ///
    /// # Errors
    /// Those of [`send_message`](Self::send_message); `out` then ends at `start`.
    pub fn send_in_place(&mut self, out: &mut Vec<u8>, start: usize) -> Result<usize, UsageError> {
        let message = start.saturating_add(PREFIX);
        let len = out.len().saturating_sub(message);
        let prefix = match self.sending {
            Sending::Head => Err(UsageError::HeadNotSent),
            Sending::Messages => frame::encode_prefix(len, false),
            Sending::Ended => Err(UsageError::Ended),
        };
        let mode = self.response.mode();
        match (prefix, out.get_mut(start..message)) {
            (Ok(prefix), Some(gap)) if mode != Mode::WebText => {
                gap.copy_from_slice(&prefix);
                return Ok(len);
            }
            (Ok(_), _) => {
                let text = out.split_off(message.min(out.len()));
                out.truncate(start);
                web::encode_message(mode, &text, out)?;
            }
            (Err(misuse), _) => {
                out.truncate(start);
                return Err(misuse);
            }
        }
        Ok(len)
    }

    /// Appends a message that the caller has compressed as
    /// [announced](Self::announce).
    ///
    /// # Errors
    /// Those of [`send_message`](Self::send_message), and
    /// [`UsageError::EncodingNotSent`] if no encoding was announced.
    pub fn send_compressed(&mut self, bytes: &[u8], out: &mut impl Sink) -> Result<(), UsageError> {
        match self.sending {
            Sending::Head => Err(UsageError::HeadNotSent),
            Sending::Ended => Err(UsageError::Ended),
            Sending::Messages if self.sent == Encoding::Identity => {
                Err(UsageError::EncodingNotSent)
            }
            Sending::Messages => web::encode_compressed(self.response.mode(), bytes, out),
        }
    }

    /// Ends the call with a status. A call that has sent no head yet sends it
    /// along. `metadata` goes into the trailers, in whichever form.
    ///
    /// # Errors
    /// [`UsageError`] for metadata that cannot be sent, a second status, or want of
    /// room; nothing is sent then.
    pub fn send_status(
        &mut self,
        status: Status<impl AsRef<str>>,
        metadata: Fields<'_>,
        fields: &mut FieldBuffer,
        out: &mut impl Sink,
    ) -> Result<Ending, UsageError> {
        self.send_detailed(status, &[], metadata, fields, out)
    }

    /// Ends the call with a status and its details, like
    /// [`send_status`](Self::send_status).
    ///
    /// # Errors
    /// Those of [`send_status`](Self::send_status).
    pub fn send_detailed(
        &mut self,
        status: Status<impl AsRef<str>>,
        details: &[Detail],
        metadata: Fields<'_>,
        fields: &mut FieldBuffer,
        out: &mut impl Sink,
    ) -> Result<Ending, UsageError> {
        let ending = match (self.sending, self.response.mode()) {
            (Sending::Ended, _) => return Err(UsageError::Ended),
            (Sending::Head, _) => Ending::Head,
            (Sending::Messages, Mode::Native) => Ending::Trailers,
            (Sending::Messages, Mode::Web | Mode::WebText) => Ending::Body,
        };
        metadata.iter().try_for_each(metadata::check_trailing)?;
        let details = details::to_field(status.as_ref(), details);
        let details = details.as_deref();
        match self.response.mode() {
            Mode::Native => {
                if ending == Ending::Head {
                    self.put_head(fields)?;
                }
                put_status(status.as_ref(), fields)?;
                if let Some(details) = details {
                    put_known(details::FIELD, details, fields)?;
                }
                put_metadata(metadata, fields)?;
            }
            mode @ (Mode::Web | Mode::WebText) => {
                web::encode_ending(mode, (status.as_ref(), details), metadata, out)?;
                if ending == Ending::Head {
                    self.put_head(fields)?;
                }
            }
        }
        self.sending = Sending::Ended;
        Ok(ending)
    }

    /// The trailers of a native gRPC call that ends with OK and nothing else; `None`, with
    /// nothing done, for any other.
    #[inline]
    pub(crate) fn send_ok(&mut self) -> Option<Fields<'static>> {
        const LINE: &[u8] = b"grpc-status: 0\r\n";
        const RANGES: &[FieldRange] = &[FieldRange {
            name: 0,
            name_end: 11,
            value: 13,
            value_end: 14,
        }];
        let is_plain = self.sending == Sending::Messages && self.response.mode() == Mode::Native;
        if !shortcut!("grpc_fields") || !is_plain {
            return None;
        }
        self.sending = Sending::Ended;
        Some(Fields::checked(LINE, RANGES, Special::Nothing))
    }

    fn put_head(&self, head: &mut FieldBuffer) -> Result<(), UsageError> {
        if self.response.is_plain_native() {
            // It nearly always is.
            put_line("content-type: application/grpc\r\n", head)?;
        } else {
            let mut memory = [0; 40];
            let content_type = self.response.write(&mut memory);
            put_known("content-type", content_type, head)?; // its codec is a token
        }
        if self.received != Some(Encoding::Identity) {
            // Refused, or understood: either way what else would be.
            put_known("grpc-accept-encoding", Encoding::ACCEPTED, head)?;
        }
        if self.sent != Encoding::Identity {
            put_known("grpc-encoding", self.sent.name(), head)?;
        }
        Ok(())
    }
}
