//! Replies that come from elsewhere, later.

use alloc::{boxed::Box, sync::Arc};
use core::any::Any;
use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};

use super::refusal::Refusal;
use super::response::Response;
use super::session::{After, Session, SessionContext};
use crate::http::Status;
use crate::net::report::report;
use crate::net::{Claim, Context, Exchange, Owner, Remote};

/// The reply to one request, owed by the holder of this value, on any thread.
///
/// Dropped without a reply, it has 500 sent. Where nobody replies within
/// [`Limits::reply`](crate::link::Limits::reply), 504 is sent and what comes
/// later goes nowhere.
pub struct Deferred {
    remote: Remote,
    owner: Owner,
    exchange: Exchange,
    wanted: Arc<AtomicBool>,
}

impl Deferred {
    /// Whether the client still waits: it has not gone, and the time is not up.
    pub fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Acquire)
    }

    /// Sends the reply. It is encoded on the exchange's own loop; where nobody
    /// wants it any more, nothing happens. Returns whether it is on its way:
    /// not so if nobody wants it, or the loop's mailbox is full of replies.
    pub fn send(self, response: Response) -> bool {
        self.post(Late::Response(response))
    }

    /// Refuses the request, in the same way: a status, and a JSON body that says
    /// why.
    pub fn refuse(self, refusal: impl Into<Refusal>) -> bool {
        self.post(Late::Refusal(refusal.into()))
    }

    /// What was to answer has panicked.
    pub(in crate::app) fn fail(self) -> bool {
        self.post(Late::Panicked)
    }

    /// Whether the client still waits, as long as anyone wants to know.
    pub(in crate::app) fn wanted(&self) -> Arc<AtomicBool> {
        self.wanted.clone()
    }

    fn post(&self, late: Late) -> bool {
        if !self.wanted.swap(false, Ordering::AcqRel) {
            return false;
        }
        let bytes = match &late {
            Late::Response(response) => response.memory(),
            _ => 0,
        };
        let answer = Box::new(late);
        let posted = self
            .remote
            .post_sized(self.owner, self.exchange, answer, bytes);
        posted.is_ok()
    }
}

impl Drop for Deferred {
    fn drop(&mut self) {
        self.post(Late::Dropped); // nothing happens after `send`
    }
}

impl fmt::Debug for Deferred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deferred")
            .field("exchange", &self.exchange)
            .field("wanted", &self.is_wanted())
            .finish_non_exhaustive()
    }
}

/// What a [`Deferred`] sends to its session.
enum Late {
    Response(Response),
    Refusal(Refusal),
    Panicked,
    Dropped,
}

/// The exchange of a [`Deferred`], on its loop.
pub(in crate::app) struct Deferring {
    wanted: Arc<AtomicBool>,
    _claim: Claim,
}

impl Deferring {
    /// The two ends of a deferred reply.
    pub(in crate::app) fn new(context: &Context<'_>, claim: Claim) -> (Self, Deferred) {
        let wanted = Arc::new(AtomicBool::new(true));
        let deferred = Deferred {
            remote: context.remote(),
            owner: context.owner(),
            exchange: context.exchange(),
            wanted: wanted.clone(),
        };
        let deferring = Self {
            wanted,
            _claim: claim,
        };
        (deferring, deferred)
    }
}

impl Session for Deferring {
    fn mail(&mut self, at: &mut SessionContext<'_, '_>, mail: Box<dyn Any + Send>) -> After {
        let Ok(late) = mail.downcast::<Late>() else {
            return After::Keep;
        };
        match *late {
            Late::Response(response) => response.answer(at),
            Late::Refusal(refusal) => at.refuse(&refusal),
            Late::Panicked => {
                at.loop_state.metrics.panicked();
                let subject = at.subject();
                report!(Error, "{subject}: 500, as its blocking work has panicked");
                at.refuse(&Status::INTERNAL_SERVER_ERROR.into())
            }
            Late::Dropped => {
                let subject = at.subject();
                report!(
                    Error,
                    "{subject}: 500, as its `Deferred` was dropped without a reply"
                );
                at.refuse(&Status::INTERNAL_SERVER_ERROR.into())
            }
        };
        After::End
    }
}

impl Drop for Deferring {
    fn drop(&mut self) {
        self.wanted.store(false, Ordering::Release);
    }
}
