//! Methods that take one message, run once it has been received.

use alloc::{boxed::Box, sync::Arc};

use super::call::Call;
use super::codec::CallStatus;
use super::guard::guarded;
use super::inbox::{Inbox, exhausted, inflated};
use super::methods::{Answer, OnMessage};
use super::sending::Sending;
use crate::app::exchange::record::SMALL;
use crate::app::exchange::session::SessionContext;
use crate::http::{FieldBuffer, Fields};
use crate::link::Charge;
use crate::wire::Instant;

/// A request whose body is arriving: its head, copied, and what has arrived.
pub(crate) struct Receiving {
    pub(super) run: Arc<OnMessage>,
    pub(super) fields: FieldBuffer,
    pub(super) inbox: Inbox,
    _charge: Charge, // for `fields`
}

impl Receiving {
    /// # Errors
    /// There is no memory for the head.
    pub(super) fn new(
        run: Arc<OnMessage>,
        fields: Fields<'_>,
        at: &mut SessionContext<'_, '_>,
    ) -> Result<Box<Self>, CallStatus> {
        let mut copied = FieldBuffer::new();
        // A head that a machine accepted is far below the 4 GiB where this
        // could fail.
        let _ = copied.extend(fields);
        let mut charge = Charge::NONE;
        if copied.memory() > SMALL {
            charge = at.context.charge();
            charge.try_grow(copied.memory()).map_err(|_| exhausted())?;
        }
        Ok(Box::new(Self {
            run,
            fields: copied,
            inbox: Inbox::default(),
            _charge: charge,
        }))
    }
}

/// Runs a method with the one message of its request. What it answers immediately
/// is sent; what sends the rest is given back.
pub(super) fn run(
    run: &OnMessage,
    (message, compressed): (&[u8], bool),
    (fields, deadline): (Fields<'_>, Option<Instant>),
    sending: &mut Sending,
    at: &mut SessionContext<'_, '_>,
) -> Option<Answer> {
    at.loop_state.metrics.received_message(message.len());
    if at.context.is_memory_full() {
        sending.finish(at, exhausted());
        return None;
    }
    let start = sending.begin_message();
    let Sending {
        rules,
        outgoing,
        frames,
        is_mapped,
        ..
    } = sending;
    let mapping = rules.mapping.as_ref().filter(|_| *is_mapped);
    outgoing.was_compressed = compressed;
    // The deadline counts from the head.
    let mut call = Call::new(rules.request(None, fields), outgoing, deadline, at);
    let answer = inflated(at, &rules.limits, (message, compressed), |at, message| {
        let mapped = mapping.map(|mapping| mapping.read(message)).transpose()?;
        let message = mapped.as_deref().unwrap_or(message);
        guarded(at.loop_state, rules, || run(message, &mut call, frames))
    });
    match answer.and_then(|answer| answer) {
        Ok(Answer::Message) => {
            if sending.end_message(at, start).is_taken() {
                sending.finish_ok(at);
            }
            None
        }
        Ok(answer @ (Answer::Later | Answer::Stream(_))) => {
            sending.frames.truncate(start);
            Some(answer)
        }
        Err(status) => {
            sending.frames.truncate(start);
            sending.finish(at, status);
            None
        }
    }
}
