//! The received part of a request's body.

use alloc::string::ToString;

use super::codec::CallStatus;
use super::machine::Machine;
use crate::app::exchange::session::SessionContext;
#[cfg(feature = "gzip")]
use crate::app::telemetry::{
    codings::{Codec, Direction},
    metrics::Kind,
};
use crate::grpc::{Code, Limits, MessagePlace, ProtocolError, Status};
use crate::link::DrainBuffer;
use crate::net::Context;
use crate::wire::Step;

pub(super) fn broken(violation: ProtocolError) -> CallStatus {
    Status::new(violation.code(), violation.to_string()).into()
}

/// The received part of a one-message body. Grows with what arrives, up to the message limit.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    body: DrainBuffer,
    looked: usize,                 // <= body.len(): what the machine has used
    message: Option<MessagePlace>, // within `body`
}

impl Inbox {
    pub(super) fn charge_to(&mut self, context: &mut Context<'_>) {
        charge(&mut self.body, context);
    }

    pub(super) fn push(
        &mut self,
        piece: &[u8],
        machine: &mut Machine,
        limits: &Limits,
    ) -> Result<(), CallStatus> {
        self.body.try_push(piece).map_err(|_| exhausted())?;
        loop {
            let all = self.body.unused_mut();
            let rest = all.get_mut(self.looked..).unwrap_or_default();
            let left = rest.len();
            let received = machine.locate(rest, limits).map_err(broken)?;
            let from = self.looked;
            self.looked += received.used; // at most what was given
            match received.step {
                Step::Event(_) if self.message.is_some() => {
                    return Err(miscounted(
                        "a unary request has one message, and this has more",
                    ));
                }
                Step::Event(message) => self.message = Some(message.behind(from)),
                Step::Need(_) if (1..left).contains(&received.used) => {}
                Step::Need(_) | Step::Paused | Step::Full | Step::Done => return Ok(()),
            }
        }
    }

    /// Whether part of a message has been received, and not all of it.
    pub(super) const fn is_part(&self) -> bool {
        self.looked < self.body.len()
    }

    /// The message, now that the body has ended, and whether it is compressed.
    pub(super) fn end(&self, machine: &mut Machine) -> Result<(&[u8], bool), CallStatus> {
        machine.receive_eof().map_err(broken)?;
        if machine.is_bare() {
            let all = self.body.unused();
            return Ok((all, machine.is_bare_compressed() && !all.is_empty()));
        }
        let message = self.message.as_ref().and_then(|message| {
            let bytes = self.body.unused().get(message.at.clone())?;
            Some((bytes, message.compressed))
        });
        message.ok_or_else(|| miscounted("a unary request has one message, and this has none"))
    }
}

/// The wrong number of messages: UNIMPLEMENTED (gRPC status codes).
fn miscounted(message: &'static str) -> CallStatus {
    Status::new(Code::Unimplemented, message).into()
}

pub(crate) fn charge(kept: &mut DrainBuffer, context: &mut Context<'_>) {
    if !kept.is_charged() {
        kept.charge_to(context.account().as_ref());
    }
}

pub(super) fn exhausted() -> CallStatus {
    let message = "the server has no memory for this at the moment";
    Status::new(Code::ResourceExhausted, message).into()
}

/// Counts a message that came or goes compressed.
#[cfg(feature = "gzip")]
pub(super) fn count(at: &SessionContext<'_, '_>, way: Direction, plain: usize, coded: usize) {
    let way = (Kind::Grpc, Codec::Gzip, way);
    at.loop_state.metrics.coded(way, plain, coded);
}

pub(super) fn inflated<'c, R>(
    at: &mut SessionContext<'_, 'c>,
    limits: &Limits,
    (message, compressed): (&[u8], bool),
    look: impl FnOnce(&mut SessionContext<'_, 'c>, &[u8]) -> R,
) -> Result<R, CallStatus> {
    #[cfg(feature = "gzip")]
    if compressed {
        let scratch = &mut at.loop_state.scratch;
        let mut memory = core::mem::take(&mut scratch.message);
        memory.clear();
        let done = scratch.gzip.inflate(message, limits.message, &mut memory);
        if done.is_ok() {
            count(at, Direction::Received, memory.len(), message.len());
        }
        let looked = done.map(|()| look(at, &memory)).map_err(broken);
        at.loop_state.scratch.message = memory;
        at.loop_state.scratch.shrink();
        return looked;
    }
    // Without an encoding the machine refuses what says that it is compressed.
    let _ = (limits, compressed);
    Ok(look(at, message))
}

#[cfg(test)]
mod tests;
