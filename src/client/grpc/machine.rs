//! The protocol that a call is made in, and the form of its messages.

use alloc::boxed::Box;
use alloc::string::String;
use core::time::Duration;

use super::Ending;
use crate::grpc::connect::{self, Shape};
use crate::grpc::{ClientCall, ContentType, Encoding, Event, Limits, Mode};
use crate::grpc::{Code, Payload, Protocol, ProtocolError, UsageError};
use crate::http::{FieldBuffer, Fields, ResponseHead};
use crate::wire::Step;

/// The form of a call's messages, which decides on the fields that are the same for all
/// such calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) shape: Shape,
    /// The codec; empty for Protocol Buffers.
    pub(super) codec: &'static str,
}

impl Form {
    /// Messages of this type.
    pub(super) fn of<M: Payload>(shape: Shape) -> Self {
        let codec = M::CODECS.first().copied().unwrap_or_default();
        let codec = if codec == "proto" { "" } else { codec };
        Self { shape, codec }
    }
}

/// The machine of one call.
#[derive(Debug)]
pub(super) enum Machine {
    Grpc(ClientCall),
    // Apart, so that calls of gRPC are no larger for them.
    Web(Box<WebCall>),
    Connect(Box<ConnectCall>),
}

/// A call of gRPC-Web, and how the content of its response says that it ended.
#[derive(Debug)]
pub(super) struct WebCall {
    machine: ClientCall,
    told: Option<Ending>,
}

#[derive(Debug)]
pub(super) struct ConnectCall {
    machine: connect::ClientCall,
    /// It is sent by GET.
    pub(super) is_get: bool,
    /// The fields of a response that is an error of a unary call.
    error: Option<FieldBuffer>,
}

/// The effect of a response's head.
pub(super) enum Begun {
    /// Messages may follow.
    Open,
    /// Content follows that is an error of a unary call.
    Failing,
    /// The call has ended with it.
    Over(Ending),
}

/// The next thing in the content of a response.
pub(super) enum Part {
    /// A message.
    Message,
    /// The last frame: no message follows.
    Last,
    /// Nothing yet.
    Need,
}

impl Machine {
    /// A call with messages of this form; `None` for a codec that cannot be named.
    pub(super) fn new(protocol: Protocol, form: Form, is_get: bool) -> Option<Self> {
        let grpc = |mode| match form.codec {
            "" => Some(ClientCall::new(ContentType::new(mode))),
            codec => ContentType::new(mode)
                .with_codec(codec.as_bytes())
                .map(ClientCall::new),
        };
        Some(match protocol {
            Protocol::Grpc => Self::Grpc(grpc(Mode::Native)?),
            Protocol::GrpcWeb => Self::Web(Box::new(WebCall {
                machine: grpc(Mode::Web)?,
                told: None,
            })),
            Protocol::Connect => {
                let codec = if form.codec.is_empty() {
                    "proto"
                } else {
                    form.codec
                };
                let form = connect::ContentType::new(form.shape, codec)?;
                Self::Connect(Box::new(ConnectCall {
                    machine: connect::ClientCall::new(form),
                    is_get: is_get && form.shape() == Shape::Unary,
                    error: None,
                }))
            }
        })
    }

    /// Whether a message is the content itself.
    pub(super) fn is_bare(&self) -> bool {
        match self {
            Self::Grpc(_) | Self::Web(_) => false,
            Self::Connect(it) => it.machine.content_type().shape() == Shape::Unary,
        }
    }

    /// Whether it is sent by GET.
    pub(super) const fn is_get(&self) -> bool {
        matches!(self, Self::Connect(it) if it.is_get)
    }

    pub(super) fn announce(&mut self, encoding: Encoding) {
        match self {
            Self::Grpc(it) => it.announce(encoding),
            Self::Web(it) => it.machine.announce(encoding),
            Self::Connect(it) => it.machine.announce(encoding),
        }
    }

    #[cfg(feature = "gzip")]
    pub(super) const fn encoding(&self) -> Encoding {
        match self {
            Self::Grpc(it) => it.encoding(),
            Self::Web(it) => it.machine.encoding(),
            Self::Connect(it) => it.machine.encoding(),
        }
    }

    pub(super) fn put_common(&self, head: &mut FieldBuffer) -> Result<(), UsageError> {
        match self {
            Self::Grpc(it) => it.put_common(head),
            Self::Web(it) => it.machine.put_common(head),
            Self::Connect(it) => it.machine.put_common(head),
        }
    }

    pub(super) fn put_own(
        &self,
        timeout: Option<Duration>,
        metadata: Fields<'_>,
        head: &mut FieldBuffer,
    ) -> Result<(), UsageError> {
        match self {
            Self::Grpc(it) => it.put_own(timeout, metadata, head),
            Self::Web(it) => it.machine.put_own(timeout, metadata, head),
            Self::Connect(it) => it.machine.put_own(timeout, metadata, head),
        }
    }

    /// Puts the fields of a request by GET, and gives its query. `None` for a call by POST,
    /// which one becomes whose target would be longer than servers have to take (RFC 9110
    /// §4.1): nothing is put then.
    pub(super) fn send_get(
        &mut self,
        (path, message): (&str, &[u8]),
        timeout: Option<Duration>,
        metadata: Fields<'_>,
        head: &mut FieldBuffer,
    ) -> Result<Option<String>, UsageError> {
        let Self::Connect(it) = self else {
            return Ok(None);
        };
        if !it.is_get {
            return Ok(None);
        }
        let before = head.as_fields().len();
        let query = it.machine.send_get(message, timeout, metadata, head)?;
        it.is_get = path.len() + 1 + query.len() <= LONGEST_TARGET;
        if !it.is_get {
            head.truncate(before);
        }
        Ok(it.is_get.then_some(query))
    }

    pub(super) fn receive_head(&mut self, head: &ResponseHead<'_>) -> Result<Begun, ProtocolError> {
        let machine = match self {
            Self::Grpc(machine) => machine,
            Self::Web(it) => &mut it.machine,
            Self::Connect(it) => {
                it.machine.receive_head(head)?;
                if !it.machine.is_failing() {
                    return Ok(Begun::Open);
                }
                let mut fields = FieldBuffer::new();
                // It is far shorter than 4 GiB.
                let _ = fields.extend_checked(head.fields);
                it.error = Some(fields);
                return Ok(Begun::Failing);
            }
        };
        Ok(match machine.receive_head(head)? {
            None => Begun::Open,
            Some(trailers) => Begun::Over(Ending::of_trailers(&trailers)),
        })
    }

    /// Takes one thing from the front of content that is not bare; how long it is.
    pub(super) fn receive(
        &mut self,
        input: &mut [u8],
        limits: &Limits,
    ) -> Result<(usize, Part), ProtocolError> {
        let (received, told) = match self {
            Self::Grpc(machine) => (machine.receive(input, limits)?, None),
            Self::Web(it) => (it.machine.receive(input, limits)?, Some(&mut it.told)),
            Self::Connect(it) => {
                let received = it.machine.receive(input, limits)?;
                let part = match received.step {
                    Step::Event(connect::Event::Message(_)) => Part::Message,
                    Step::Event(connect::Event::End) => Part::Last,
                    _ => Part::Need,
                };
                return Ok((received.used, part));
            }
        };
        let part = match received.step {
            Step::Event(Event::Message(_)) => Part::Message,
            Step::Event(Event::Trailers(trailers)) => {
                if let Some(told) = told {
                    *told = Some(Ending::of_trailers(&trailers));
                }
                Part::Last
            }
            _ => Part::Need,
        };
        Ok((received.used, part))
    }

    /// Takes the end of a response; `content` is all of it if that is bare. How the call
    /// has ended, and whether the content is a compressed message.
    pub(super) fn receive_end(
        &mut self,
        content: &[u8],
        trailers: Fields<'_>,
        limits: &Limits,
    ) -> Result<(Ending, bool), ProtocolError> {
        match self {
            Self::Grpc(it) => {
                let trailers = it.receive_trailers(trailers)?;
                Ok((Ending::of_trailers(&trailers), false))
            }
            Self::Web(it) => {
                it.machine.receive_eof()?;
                let told = it.told.take().ok_or(ProtocolError::NoStatus)?;
                Ok((told, false))
            }
            Self::Connect(it) => {
                let machine = &mut it.machine;
                let outcome = match machine.content_type().shape() {
                    Shape::Unary => machine.receive_whole(content, limits)?,
                    Shape::Streaming => machine.receive_eof()?,
                };
                let is_ok = outcome.status.code == Code::Ok;
                let is_compressed = is_ok
                    && machine.received_encoding() != Encoding::Identity
                    && !content.is_empty();
                let mut ending = Ending::of_outcome(outcome);
                let head = it.error.as_ref().map(|it| it.as_fields());
                let head = head.unwrap_or(Fields::EMPTY).iter();
                ending.add_trailers(head.filter(|it| !machine.is_trailer(it.name)));
                ending.add_trailers(machine.trailers().iter());
                Ok((ending, is_compressed))
            }
        }
    }

    /// Whether a field of a response's head is one of its trailers.
    pub(super) fn is_trailer(&self, name: &[u8]) -> bool {
        match self {
            Self::Grpc(_) | Self::Web(_) => false,
            Self::Connect(it) => it.machine.is_trailer(name),
        }
    }
}

/// The longest target of a GET. Servers should take 8,000 octets, and many take no more
/// than 8 KiB.
const LONGEST_TARGET: usize = 8000;
