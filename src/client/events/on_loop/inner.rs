//! The state of a source on a loop, and the front of what it has received.

use core::time::Duration;

use crate::client::connecting::clock;
use crate::client::events::error::Left;
use crate::client::events::receiving::Inlet;
use crate::client::events::source::note_failure;
use crate::client::events::{EventSourceCore, MessageEvent};
use crate::client::http::{Error, LoopCall, Repeated};
use crate::sse::Decoded;
use crate::wire::Step;

pub(super) struct Inner {
    pub(super) core: EventSourceCore,
    pub(super) request: Repeated,
    pub(super) silence: Duration,
    pub(super) inlet: Inlet,
    pub(super) cause: Option<Error>,
    pub(super) left: Left,
    pub(super) call: Option<LoopCall>,
    /// Tells the responses of one attempt from those of another.
    pub(super) attempt: u64,
    pub(super) has_told: bool,
    pub(super) is_shown: bool,
}

/// The item at the front of the input.
pub(super) enum Found {
    Event(MessageEvent),
    Other,
    Nothing,
}

impl Inner {
    pub(super) fn next_event(&mut self, has_ended: bool) -> Found {
        let dice = self.request.roll();
        let unread = self.inlet.unread();
        let received = match has_ended {
            false => self.core.receive(unread),
            true => self.core.receive_end(unread, clock::now(), dice),
        };
        let Ok(received) = received else {
            return Found::Nothing;
        };
        let used = received.used;
        let found = match received.step {
            Step::Event(Decoded::Message(message)) => {
                let id = self.core.last_event_id();
                Found::Event(MessageEvent::new(&message, id))
            }
            Step::Event(Decoded::Cut { message, .. }) => {
                self.left.partial = Some(message.data.decode().into_owned());
                Found::Other
            }
            Step::Event(Decoded::LastEventId(_) | Decoded::ReconnectionTime(_)) => Found::Other,
            Step::Need(_) | Step::Paused | Step::Full | Step::Done => Found::Nothing,
        };
        self.inlet.take(used);
        found
    }

    pub(super) fn fail_by(&mut self, error: Error) {
        let dice = self.request.roll();
        note_failure(&mut self.core, &error, clock::now(), dice);
        self.cause = Some(error);
    }

    /// Wants nothing more of the present response.
    pub(super) fn give_up(&mut self) {
        self.attempt += 1;
        self.is_shown = false;
        if let Some(call) = self.call.take() {
            call.cancel();
        }
    }
}
