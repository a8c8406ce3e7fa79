//! A call of a client on its loop.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::sync::Arc;

use super::LoopCall;
use super::listener::Listening;
use super::ticket::Ticket;
use crate::client::connecting::Watch;
use crate::client::http::builder::Hook;
use crate::client::http::call::Call;
use crate::client::http::policy::Policy;
use crate::client::http::request::Request;
use crate::link::Charge;
use crate::net::{Key, Progress, TransportDetails};
use crate::wire::Instant;
use crate::wire::partly_shown;

pub(super) struct Running {
    pub(super) call: Call,
    /// `None` once it is told the end.
    pub(super) listener: Option<Box<dyn Listening>>,
    pub(super) handle: LoopCall,
    pub(super) hook: Option<Hook>,
    pub(super) place: Place,
    /// When the present attempt began.
    pub(super) since: Instant,
    pub(super) watch: Option<Watch>,
    /// For what is held of its response, and of its body.
    pub(super) charge: Charge,
    pub(super) begins_at: u64,
    /// Where that ends, once all was written.
    pub(super) ends_at: Option<u64>,
    /// Something of an answer has come.
    pub(super) has_received: bool,
    pub(super) is_shared: bool,
    /// It is among those whose request is not out.
    pub(super) is_leaving: bool,
    /// Its connection is not read for it.
    pub(super) is_held: bool,
    pub(super) is_answered: bool,
    pub(super) is_touched: bool,
    pub(super) details: Option<TransportDetails>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Nowhere,
    /// It waits for the time of its next attempt.
    Pausing(Instant),
    Waiting {
        fresh: bool,
    },
    Dialling(Key),
    /// It waits until this resting connection was looked at: its request must not go twice.
    Looking(Key),
    /// It waits until the server of this connection allows one more stream.
    Applying(Key, Instant),
    On(Key),
}

/// The longest request, with what waits before it, sent with the turn: an empty system buffer
/// takes it.
const SHORT: u64 = 16 << 10;

impl Running {
    /// One that begins once the driver sees it.
    pub(super) fn new(
        request: Request,
        policy: Arc<Policy>,
        listener: Box<dyn Listening>,
        ticket: Rc<Ticket>,
        hook: Option<Hook>,
    ) -> Self {
        Self {
            call: Call::new(request, policy, Instant::START),
            listener: Some(listener),
            handle: LoopCall { ticket },
            hook,
            place: Place::Nowhere,
            since: Instant::START,
            watch: None,
            charge: Charge::NONE,
            begins_at: 0,
            ends_at: None,
            has_received: false,
            is_held: false,
            is_shared: false,
            is_leaving: false,
            is_answered: false,
            is_touched: false,
            details: None,
        }
    }

    pub(super) fn ticket(&self) -> &Rc<Ticket> {
        &self.handle.ticket
    }

    /// When it has to be seen to, if nothing happens before.
    pub(super) fn deadline(&self) -> Instant {
        let until = self.call.until();
        match self.place {
            Place::Nowhere => Instant::NEVER,
            Place::Pausing(at) => at.min(until),
            Place::Waiting { .. } | Place::Dialling(_) | Place::Looking(_) => until,
            Place::Applying(_, since) => (since + self.call.limits().response_time).min(until),
            // The time that the application takes is not the server's.
            Place::On(_) if self.ticket().is_paused.get() => until,
            Place::On(_) => self.call.deadline(),
        }
    }

    pub(super) fn moved(&mut self, progress: Progress, now: Instant) {
        if self.ends_at.is_none() && !self.call.is_giving() && progress.queued == 0 {
            self.ends_at = Some(progress.written);
        }
        let is_out = self.ends_at.is_some_and(|end| end <= progress.sent);
        let handed_over = progress.sent.saturating_sub(self.begins_at);
        // Over HTTP/2 what has come may be for others.
        let has_begun = !self.is_shared && progress.has_heard;
        let received = u64::from(self.has_received || has_begun);
        self.call.moved(handed_over, is_out, received, now);
        if self.ends_at.is_some() && !is_out {
            match progress.refused == 0 && progress.written - progress.sent <= SHORT {
                // With this turn. Should the system not take it after all, that is seen when
                // its time is over.
                true => self.call.leaves(),
                false => self.call.stays(),
            }
        }
    }

    pub(super) fn awaits_departure(&self) -> bool {
        self.ends_at.is_some() && self.call.is_sending()
    }

    pub(super) fn held(&self) -> usize {
        let feed = self.ticket().feed.as_ref().map_or(0, |it| it.bytes());
        self.call.held() + feed
    }
}

partly_shown!(it: Running { call, place });
