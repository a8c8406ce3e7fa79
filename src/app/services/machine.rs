//! The protocol that a call is made in: gRPC, gRPC-Web or Connect.

use alloc::vec::Vec;
use core::time::Duration;

use super::codec::CallStatus;
use super::rules::{Codec, Rules};
use crate::app::exchange::refusal::Refusal;
use crate::grpc::connect;
use crate::grpc::{self, Code, Detail, Encoding, Ending, Limits, MessagePlace, Mode, Protocol};
use crate::grpc::{Message, ProtocolError, RequestFields, Status, UsageError};
use crate::http::{ContentTypeLine, FieldBuffer, Fields, RequestHead};
use crate::wire::Received;

pub(super) enum Machine {
    Grpc(grpc::Call),
    Connect(connect::Call),
}

impl Machine {
    /// Opens a call by POST of the protocol that the content type names.
    ///
    /// # Errors
    /// The refusal to be sent.
    #[inline]
    pub(super) fn open(head: &RequestHead<'_>, rules: &Rules) -> Result<Self, Refusal> {
        let asked = RequestFields::new(head.fields);
        match grpc::Call::of(head, &asked) {
            Ok(call) => Ok(Self::Grpc(call)),
            Err(grpc::Refusal::ContentType) => Self::open_connect(head, &asked, rules),
            Err(refusal) => Err(refusal.into()),
        }
    }

    fn open_connect(
        head: &RequestHead<'_>,
        asked: &RequestFields<'_>,
        rules: &Rules,
    ) -> Result<Self, Refusal> {
        match connect::Call::of(head, rules.shape, asked) {
            Ok(call) if rules.codec(call.content_type().codec(), true) == Codec::Unknown => {
                Err(rules.refusal(connect::Refusal::ContentType))
            }
            Ok(_) if rules.needs_http2 && !connect::Call::flows_both_ways(head.version) => {
                Err(rules.refusal(connect::Refusal::Version))
            }
            Ok(call) => Ok(Self::Connect(call)),
            Err(refusal) => Err(rules.refusal(refusal)),
        }
    }

    /// Opens a call by GET, whose message it gives, too.
    ///
    /// # Errors
    /// The refusal to be sent.
    pub(super) fn open_get(
        head: &RequestHead<'_>,
        rules: &Rules,
    ) -> Result<(Self, Vec<u8>), Refusal> {
        match connect::Call::open_get(head) {
            Ok((call, _)) if rules.codec(call.content_type().codec(), true) == Codec::Unknown => {
                Err(rules.refusal(connect::Refusal::ContentType))
            }
            Ok((call, message)) => Ok((Self::Connect(call), message)),
            Err(refusal) => Err(rules.refusal(refusal)),
        }
    }

    pub(super) const fn protocol(&self) -> Protocol {
        match self {
            Self::Connect(_) => Protocol::Connect,
            Self::Grpc(call) => match call.content_type().mode() {
                Mode::Native => Protocol::Grpc,
                Mode::Web | Mode::WebText => Protocol::GrpcWeb,
            },
        }
    }

    pub(super) const fn is_get(&self) -> bool {
        match self {
            Self::Grpc(_) => false,
            Self::Connect(call) => call.is_get(),
        }
    }

    /// How long the client will wait.
    ///
    /// # Errors
    /// The status that the call ends with, as its head is at fault.
    #[inline]
    pub(super) fn timeout(&self) -> Result<Option<Duration>, Status> {
        match self {
            Self::Grpc(call) => call.timeout(),
            Self::Connect(call) => call.timeout(),
        }
    }

    #[inline]
    pub(super) fn codec(&self, rules: &Rules) -> Codec {
        match self {
            Self::Grpc(call) => rules.codec(call.content_type().codec(), false),
            Self::Connect(call) => rules.codec(call.content_type().codec(), true),
        }
    }

    /// The status of a message that its codec cannot read; Connect has a code for bad
    /// arguments.
    pub(super) fn unreadable(&self, status: CallStatus) -> CallStatus {
        match (self, status.code) {
            (Self::Connect(_), Code::Internal) => {
                CallStatus::new(Code::InvalidArgument, status.message)
            }
            _ => status,
        }
    }

    /// Whether a message is the content itself, and the head of the response says how the
    /// call ended.
    #[inline]
    pub(super) fn is_bare(&self) -> bool {
        matches!(self, Self::Connect(call) if call.is_unary())
    }

    pub(super) fn is_bare_compressed(&self) -> bool {
        matches!(self, Self::Connect(call) if call.encoding() != Encoding::Identity)
    }

    #[inline]
    pub(super) fn whole_message<'b>(&self, body: &'b [u8], limits: &Limits) -> Option<&'b [u8]> {
        match self {
            Self::Grpc(call) => call.whole_message(body, limits),
            Self::Connect(call) => call.whole_message(body, limits),
        }
    }

    pub(super) fn receive<'b>(
        &mut self,
        input: &'b mut [u8],
        limits: &Limits,
    ) -> Result<Received<Message<'b>>, ProtocolError> {
        match self {
            Self::Grpc(call) => call.receive(input, limits),
            Self::Connect(call) => call.receive(input, limits),
        }
    }

    pub(super) fn locate(
        &mut self,
        input: &mut [u8],
        limits: &Limits,
    ) -> Result<Received<MessagePlace>, ProtocolError> {
        match self {
            Self::Grpc(call) => call.locate(input, limits),
            Self::Connect(call) => call.locate(input, limits),
        }
    }

    pub(super) fn receive_eof(&mut self) -> Result<(), ProtocolError> {
        match self {
            Self::Grpc(call) => call.receive_eof(),
            Self::Connect(call) => call.receive_eof(),
        }
    }

    pub(super) fn announce(&mut self, encoding: Encoding) -> bool {
        match self {
            Self::Grpc(call) => call.announce(encoding),
            Self::Connect(call) => call.announce(encoding),
        }
    }

    #[inline]
    pub(super) fn send_plain_head(&mut self) -> Option<&'static ContentTypeLine> {
        match self {
            Self::Grpc(call) => call.send_plain_head(),
            Self::Connect(_) => None,
        }
    }

    pub(super) fn send_head(
        &mut self,
        metadata: Fields<'_>,
        head: &mut FieldBuffer,
    ) -> Result<(), UsageError> {
        match self {
            Self::Grpc(call) => call.send_head(metadata, head),
            Self::Connect(call) => call.send_head(metadata, head),
        }
    }

    #[inline]
    pub(super) fn send_in_place(
        &mut self,
        out: &mut Vec<u8>,
        start: usize,
    ) -> Result<usize, UsageError> {
        match self {
            Self::Grpc(call) => call.send_in_place(out, start),
            Self::Connect(call) => call.send_in_place(out, start),
        }
    }

    /// Frames a compressed message behind what `out` has.
    #[cfg(feature = "gzip")]
    pub(super) fn send_compressed(
        &mut self,
        packed: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), UsageError> {
        match self {
            Self::Grpc(call) => call.send_compressed(packed, out),
            Self::Connect(call) => {
                let start = out.len();
                out.extend_from_slice(&[0; grpc::frame::PREFIX]);
                out.extend_from_slice(packed);
                call.send_compressed_in_place(out, start).map(drop)
            }
        }
    }

    pub(super) fn send_status(
        &mut self,
        (status, details): (Status<&str>, &[Detail]),
        metadata: Fields<'_>,
        fields: &mut FieldBuffer,
        out: &mut Vec<u8>,
    ) -> Result<Ending, UsageError> {
        match self {
            Self::Grpc(call) => call.send_detailed(status, details, metadata, fields, out),
            Self::Connect(call) => call.send_end(status, details, metadata, fields, out),
        }
    }

    #[inline]
    pub(super) fn send_ok(&mut self) -> Option<Fields<'static>> {
        match self {
            Self::Grpc(call) => call.send_ok(),
            Self::Connect(_) => None,
        }
    }
}
