//! Replies on behalf of an owner that fails.

use alloc::boxed::Box;
use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use super::connection::Reported;
use super::feeding::Call;
use super::state::State;
use crate::http::{ResponseHead, Status};
use crate::link::{EndReason, Snapshot};
use crate::net::report::report;
use crate::net::{Context, Exchange, Handler, Key};

/// The owner panicked: its exchange ends with 500 if nothing has left, 1011 on a WebSocket,
/// else by reset or cut.
#[cold]
pub(super) fn panicked(
    handlers: &mut [Box<dyn Handler>],
    state: &mut State,
    call: Call,
    mut unanswered: Option<Snapshot>,
) {
    let Call {
        exchange,
        owner,
        mark,
        past,
        depth,
        is_last,
    } = call;
    debug_assert_eq!(state.stash.len(), depth, "a visit left its cork behind");
    state.counters.panics += 1;
    if let Some(handler) = handlers.get_mut(usize::from(owner.0)) {
        let mut context = Context::new(state, owner, exchange);
        let clear = || handler.panicked(&mut context, is_last);
        // A second panic is counted, and ends nothing more than the first.
        if catch_unwind(AssertUnwindSafe(clear)).is_err() {
            state.counters.panics += 1;
        }
    }
    if is_last {
        return; // nobody is there to be answered, and the cork may be another's
    }
    if state.past != past {
        unanswered = None; // some of the response may have left
    }
    if unanswered.is_some() {
        state.cork.truncate(mark);
    }
    if let Some(connection) = state.connections.get_mut(exchange.connection)
        && !connection.link.is_multiplexed()
    {
        connection.reported = Reported::End;
        connection.gone = Some(EndReason::Panicked);
    }
    cut(state, exchange, Status::INTERNAL_SERVER_ERROR, unanswered);
}

impl State {
    #[cold]
    pub(crate) fn note_limit(&self, key: Key, limit: &str) {
        if let Some(connection) = self.connections.get(key) {
            let peer = connection.peer;
            report!(Warn, "{peer}: connection ended at `{limit}`");
        }
    }

    /// Notes on the log what a peer has done for a connection to end, or a stream
    /// of one that stays open.
    #[cold]
    pub(super) fn note_end(&self, exchange: Exchange, reason: EndReason) {
        let Exchange { connection, stream } = exchange;
        let Some(connection) = self.connections.get(connection) else {
            return;
        };
        let peer = connection.peer;
        match reason {
            EndReason::ProtocolError(error) => {
                report!(Info, "{peer}: connection ended: {error}");
            }
            EndReason::Stalled if stream > 0 && connection.link.is_multiplexed() => {
                report!(
                    Warn,
                    "{peer}: stream {stream} ended, as its peer has stalled it"
                );
            }
            EndReason::StreamError(error) => {
                report!(
                    Info,
                    "{peer}: stream {stream} reset for an error of its peer: {error}"
                );
            }
            _ => {}
        }
    }
}

pub(super) fn fail(state: &mut State, exchange: Exchange, status: Status) {
    if let Some(connection) = state.connections.get(exchange.connection)
        && connection.link.owes_response(exchange.stream)
    {
        let unanswered = connection.link.snapshot();
        cut(state, exchange, status, unanswered);
    }
}

fn cut(state: &mut State, exchange: Exchange, status: Status, unanswered: Option<Snapshot>) {
    let mask_key = state.entropy.take();
    let State {
        connections,
        cork,
        date,
        now,
        last_fields,
        ..
    } = state;
    if last_fields.as_fields().is_empty() {
        // Refused for faulty fields alone.
        let _ = last_fields.push("Content-Type", "application/json");
    }
    if let Some(connection) = connections.get_mut(exchange.connection) {
        let stream = exchange.stream;
        let head = ResponseHead::new(status, last_fields.as_fields());
        let link = &mut connection.link;
        link.fail(stream, &head, unanswered, Some(date), mask_key, *now, cork);
    }
    last_fields.clear();
}
