//! The response of a call on its way.
//!
//! ```text
//!          the first message        what is framed is flushed
//!  Owing ───────────────────► Made ─────────────────────────► Open
//!    │                          │                               │
//!    └─► a head alone           └─► a complete response        └─► trailers
//! ```
//!
//! Messages are framed one after the other and leave together: when they are many, or
//! when the turn is over.

use alloc::{sync::Arc, vec::Vec};
use core::mem;

use super::codec::CallStatus;
use super::guard::guarded;
#[cfg(feature = "gzip")]
use super::inbox::count;
use super::interceptor::CallEnd;
use super::machine::Machine;
use super::mapping::Mapping;
use super::outgoing::Outgoing;
use super::rules::{Codec, Rules};
use crate::app::exchange::client::Client;
use crate::app::exchange::session::SessionContext;
#[cfg(feature = "gzip")]
use crate::app::telemetry::codings::Direction;
use crate::grpc::frame::PREFIX;
use crate::grpc::{self, Code, Ending, Status, UsageError};
use crate::http::{self, ContentTypeLine, FieldBuffer, Fields};
use crate::link::{self, Body, Charge};
use crate::net::Flow;
use crate::wire::Instant;

/// Bytes of frames that are put together before they leave: the most that one
/// frame of HTTP/2 carries by default.
const TOGETHER: usize = 16 << 10;

/// How far a response is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing has been sent.
    Owing,
    /// Its head is known, but has not left.
    Made,
    /// Its head has left.
    Open,
    /// Its status has been sent, or it is over without one.
    Ended,
}

/// The response of one call.
pub(crate) struct Sending {
    pub(super) machine: Machine,
    pub(super) rules: Arc<Rules>,
    pub(super) outgoing: Outgoing,
    /// The session as other threads reach it, if they may.
    pub(super) client: Option<Client>,
    /// The client is to take some before more is sent.
    pub(crate) waiting: bool,
    /// The method wants no more messages for now.
    pub(crate) held: bool,
    started: Instant,
    stage: Stage,
    sent: usize, // messages
    /// Bytes of content that have been written after the head.
    pub(super) written: u64,
    /// The content type of a head that has no other fields.
    content_type: Option<&'static ContentTypeLine>,
    compresses: bool,
    /// Messages are JSON of Protocol Buffers.
    pub(super) is_mapped: bool,
    /// Framed bytes that have not been written.
    pub(crate) frames: Vec<u8>,
    charge: Charge, // for `frames` and `outgoing`, from one event to the next
}

impl Sending {
    pub(super) fn new(machine: Machine, rules: Arc<Rules>, at: &SessionContext<'_, '_>) -> Self {
        let mut outgoing = Outgoing::new(machine.protocol(), machine.is_get());
        outgoing.compress = rules.compress;
        let is_mapped = rules.mapping.is_some() && machine.codec(&rules) == Codec::Mapped;
        Self {
            machine,
            rules,
            outgoing,
            client: None,
            waiting: false,
            held: false,
            started: at.context.now(),
            stage: Stage::Owing,
            sent: 0,
            written: 0,
            content_type: None,
            compresses: false,
            is_mapped,
            frames: Vec::new(),
            charge: Charge::NONE,
        }
    }

    /// Charges what is held until the next event.
    pub(super) fn book(&mut self, at: &mut SessionContext<'_, '_>) {
        let held = self.frames.capacity() + self.outgoing.memory();
        if held == self.charge.bytes() {
            return;
        }
        if self.charge.account().is_none() {
            self.charge.move_to(at.context.account().as_ref());
        }
        self.charge.set(held);
    }

    /// Whether nothing more is sent.
    pub(super) fn is_ended(&self) -> bool {
        self.stage == Stage::Ended
    }

    /// Sends one message, which `encode` appends.
    pub(super) fn send(
        &mut self,
        at: &mut SessionContext<'_, '_>,
        encode: impl FnOnce(&mut Vec<u8>),
    ) -> Flow {
        if self.is_ended() {
            return Flow::Over(link::UsageError::Over);
        }
        let start = self.begin_message();
        encode(&mut self.frames);
        self.end_message(at, start)
    }

    /// Makes room for the prefix of a message, which is to be appended to
    /// `frames`; where it starts.
    pub(super) fn begin_message(&mut self) -> usize {
        let start = self.frames.len();
        self.frames.extend_from_slice(&[0; PREFIX]);
        start
    }

    /// The JSON of messages, if this call has them in that.
    pub(super) fn mapping(&self) -> Option<&Mapping> {
        self.rules.mapping.as_ref().filter(|_| self.is_mapped)
    }

    /// Sends the message that was begun at `start`.
    pub(super) fn end_message(&mut self, at: &mut SessionContext<'_, '_>, start: usize) -> Flow {
        if self.is_mapped
            && let Some(mapping) = &self.rules.mapping
            && let Err(status) = mapping.write(&mut self.frames, start + PREFIX)
        {
            self.frames.truncate(start);
            self.finish(at, status);
            return Flow::Over(link::UsageError::Over);
        }
        let len = self.frames.len().saturating_sub(start + PREFIX);
        if !self.make_head(at) {
            return Flow::Over(link::UsageError::Over);
        }
        if self.frame(at, start).is_err() {
            // Only a message of more than 4 GiB cannot be framed.
            let status = Status::new(Code::Internal, "message is too long");
            self.finish(at, status.into());
            return Flow::Over(link::UsageError::Over);
        }
        self.sent += 1;
        if self.rules.single && self.sent > 1 {
            self.finish(at, miscounted());
            return Flow::Over(link::UsageError::Over);
        }
        at.loop_state.metrics.sent_messages(1, len);
        if let Some(client) = &self.client {
            let now = at.context.unix_seconds();
            client.membership.activity().sent(len, now);
        }
        if self.frames.len() >= TOGETHER {
            return self.flush(at);
        }
        match self.waiting {
            true => Flow::Wait,
            false => Flow::Go,
        }
    }

    /// Frames the message after `start`.
    fn frame(&mut self, at: &mut SessionContext<'_, '_>, start: usize) -> Result<(), UsageError> {
        #[cfg(feature = "gzip")]
        if self.compresses && self.outgoing.compress {
            let scratch = &mut at.loop_state.scratch;
            let message = self.frames.get(start + PREFIX..).unwrap_or_default();
            scratch.gzip.compress(message, &mut scratch.packed);
            let (plain, coded) = (message.len(), scratch.packed.len());
            self.frames.truncate(start);
            let packed = &scratch.packed;
            let framed = match self.machine.is_bare() {
                false => self.machine.send_compressed(packed, &mut self.frames),
                true => {
                    self.frames.extend_from_slice(&[0; PREFIX]);
                    self.frames.extend_from_slice(packed);
                    Ok(())
                }
            };
            scratch.shrink();
            count(at, Direction::Sent, plain, coded);
            return framed;
        }
        let _ = at;
        if self.machine.is_bare() {
            return Ok(());
        }
        self.machine
            .send_in_place(&mut self.frames, start)
            .map(drop)
    }

    /// Makes the head, once; whether messages may follow.
    #[inline(always)]
    fn make_head(&mut self, at: &mut SessionContext<'_, '_>) -> bool {
        match self.stage {
            Stage::Owing => self.put_head(at),
            Stage::Made | Stage::Open => true,
            Stage::Ended => false,
        }
    }

    /// Puts the fields of the head into the record, where they say more than the
    /// content type.
    fn put_head(&mut self, at: &mut SessionContext<'_, '_>) -> bool {
        let Some(record) = at.record.as_deref_mut() else {
            self.stage = Stage::Ended;
            return false;
        };
        if cfg!(feature = "gzip") && self.outgoing.compress {
            self.compresses = self.machine.announce(grpc::Encoding::Gzip);
        }
        if self.outgoing.head.is_empty() {
            self.content_type = self.machine.send_plain_head();
        }
        // The head of a bare message says how the call ended.
        if self.content_type.is_none() && !self.machine.is_bare() {
            let metadata = self.outgoing.head.as_fields();
            let made = self.machine.send_head(metadata, &mut record.fields);
            record.faulty |= made.is_err(); // metadata has been checked
        }
        self.outgoing.is_head_made = true;
        self.stage = Stage::Made;
        true
    }

    /// Sends the head, if it has not left.
    pub(super) fn open(&mut self, at: &mut SessionContext<'_, '_>) -> bool {
        if !self.make_head(at) {
            return false;
        }
        if self.stage == Stage::Made && !self.machine.is_bare() {
            // What may wait for something else than its client ends when that is gone.
            let endless = self.client.is_some();
            let body = Body::Streamed {
                length: None,
                endless,
            };
            let is_sent = at.respond(http::Status::OK, self.content_type, body);
            self.stage = if is_sent { Stage::Open } else { Stage::Ended };
        }
        self.stage == Stage::Open
    }

    /// Sends what has been framed.
    pub(super) fn flush(&mut self, at: &mut SessionContext<'_, '_>) -> Flow {
        if self.frames.is_empty() || self.machine.is_bare() {
            return Flow::Go;
        }
        if !self.open(at) {
            self.frames.clear();
            return Flow::Over(link::UsageError::Over);
        }
        let flow = at.context.write(&self.frames);
        if flow.is_taken() {
            self.written += self.frames.len() as u64;
        }
        self.frames.clear();
        self.frames.shrink_to(2 * TOGETHER);
        match flow {
            Flow::Go => {}
            Flow::Wait => self.waiting = true,
            Flow::Over(_) => self.stage = Stage::Ended,
        }
        flow
    }

    /// Ends the call with the status OK, as nearly all end.
    pub(super) fn finish_ok(&mut self, at: &mut SessionContext<'_, '_>) {
        let is_plain = self.stage == Stage::Made
            && (self.sent > 0 || !self.rules.single)
            && self.rules.interceptors.is_empty()
            && self.outgoing.trailers.is_empty();
        if is_plain
            && self.outgoing.head.is_empty()
            && let Machine::Connect(call) = &mut self.machine
            && let Some(content_type) = call.send_plain_whole()
        {
            self.stage = Stage::Ended;
            let content = self.frames.get(PREFIX..).unwrap_or_default();
            at.respond(http::Status::OK, Some(content_type), Body::Whole(content));
        } else if is_plain && let Some(trailers) = self.machine.send_ok() {
            self.stage = Stage::Ended;
            let bytes = &self.frames[..];
            let body = Body::Trailed { bytes, trailers };
            at.respond(http::Status::OK, self.content_type, body);
        } else {
            self.finish(at, Status::OK.into());
        }
    }

    pub(super) fn finish(&mut self, at: &mut SessionContext<'_, '_>, status: CallStatus) {
        if self.stage == Stage::Ended {
            return;
        }
        let is_short = self.rules.single && self.sent == 0 && status.code == Code::Ok;
        let status = if is_short { miscounted() } else { status };
        let status = self.tell(at, status);
        if self.machine.is_bare() {
            self.end_bare(at, &status);
            self.stage = Stage::Ended;
            return;
        }
        // Trailers-Only is for errors alone (gRPC over HTTP2, Responses).
        if self.stage == Stage::Owing && status.code == Code::Ok {
            self.make_head(at);
        }
        let mut fields = mem::take(&mut at.loop_state.scratch.trailers);
        fields.clear();
        self.end(at, &status, &mut fields);
        self.stage = Stage::Ended;
        at.loop_state.scratch.trailers = fields;
    }

    fn end(
        &mut self,
        at: &mut SessionContext<'_, '_>,
        status: &CallStatus,
        fields: &mut FieldBuffer,
    ) {
        let Self {
            machine,
            outgoing,
            frames,
            content_type,
            ..
        } = self;
        let status = (status.as_ref(), &outgoing.details[..]);
        let metadata = outgoing.trailers.as_fields();
        if self.stage == Stage::Owing {
            // One head, which may be all that there is.
            if let Some(record) = at.record.as_deref_mut() {
                let made = put_head_metadata(&outgoing.head, &mut record.fields);
                let sent = machine.send_status(status, metadata, &mut record.fields, frames);
                record.faulty |= made.is_err() || sent.is_err();
                let body = match &frames[..] {
                    [] => BARE,
                    frames => Body::Whole(frames),
                };
                at.respond(http::Status::OK, None, body);
            }
            return;
        }
        // Trailers have been checked, and a vector has room.
        let ending = machine.send_status(status, metadata, fields, frames);
        if self.stage == Stage::Made {
            if ending == Ok(Ending::Body) {
                at.respond(http::Status::OK, *content_type, Body::Whole(frames));
                return;
            }
            let (bytes, trailers) = (&frames[..], fields.as_fields());
            let body = Body::Trailed { bytes, trailers };
            at.respond(http::Status::OK, *content_type, body);
            return;
        }
        if !frames.is_empty() && at.context.write(frames).is_taken() {
            self.written += frames.len() as u64;
        }
        // Refused only if the exchange is over.
        let _ = at.context.finish(fields.as_fields());
    }

    /// The client has gone: nothing can be sent any more.
    pub(super) fn lose(&mut self, at: &SessionContext<'_, '_>) {
        if self.stage != Stage::Ended {
            self.stage = Stage::Ended;
            let status = Status::new(Code::Cancelled, "the client has gone");
            self.tell(at, status.into());
        }
    }

    /// Shows the interceptors how the call ended.
    fn tell(&mut self, at: &SessionContext<'_, '_>, mut status: CallStatus) -> CallStatus {
        let rules = &*self.rules;
        let Rules {
            service,
            method,
            interceptors,
            ..
        } = rules;
        if interceptors.is_empty() {
            return status;
        }
        let mut ended = CallEnd {
            service,
            method,
            peer: self.outgoing.peer.or_else(|| at.peer()),
            elapsed: at.context.measure().saturating_since(self.started),
            status: &mut status,
            outgoing: &mut self.outgoing,
        };
        let told = guarded(at.loop_state, rules, || {
            interceptors.after(&mut ended);
            Ok(())
        });
        told.err().unwrap_or(status)
    }
}

/// A single response that is none, or several.
fn miscounted() -> CallStatus {
    Status::new(Code::Internal, "the method did not give one response").into()
}

/// Nothing after the head, not even a word of that.
const BARE: Body<'static> = Body::Trailed {
    bytes: &[],
    trailers: Fields::EMPTY,
};

/// Metadata of the head where there is no head of its own: it goes with the
/// status.
fn put_head_metadata(head: &FieldBuffer, fields: &mut FieldBuffer) -> Result<(), UsageError> {
    let metadata: Fields<'_> = head.as_fields();
    fields
        .extend(metadata)
        .map_err(|_| UsageError::MetadataValue)
}
