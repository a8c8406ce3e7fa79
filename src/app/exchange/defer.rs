//! Replies that come from elsewhere, later.

use alloc::{boxed::Box, sync::Arc};
use core::any::Any;
use core::sync::atomic::{AtomicBool, Ordering};

use super::refusal::Refusal;
use super::response::Response;
use super::session::{After, Session, SessionContext};
use crate::http::Status;
use crate::net::report::report;
use crate::net::{Claim, Context, Exchange, Owner, Remote};
use crate::wire::partly_shown;

/// The reply to one request, owed by the holder of this value, on any thread.
///
/// If it is dropped without a reply, the client gets 500. Without a reply within
/// [`Limits::reply`](crate::link::Limits::reply), the client gets 504, and a later reply
/// is discarded.
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

    /// Sends the reply. It is encoded on the exchange's own loop. Returns false if the
    /// client has gone, or if the loop's mailbox is full of replies: then nothing is
    /// sent.
    pub fn send(self, response: Response) -> bool {
        self.post(Late::Response(response))
    }

    /// Refuses the request, in the same way: a status, and a JSON body that says
    /// why.
    pub fn refuse(self, refusal: impl Into<Refusal>) -> bool {
        self.post(Late::Refusal(refusal.into()))
    }

    /// Answers after a panic of the code that was to answer.
    pub(crate) fn fail(self) -> bool {
        self.post(Late::Panicked)
    }

    /// Whether the client still waits, as long as anyone wants to know.
    pub(crate) fn wanted(&self) -> Arc<AtomicBool> {
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

partly_shown!(it: Deferred { exchange, wanted: it.is_wanted() });

/// A message of a [`Deferred`] to its session.
enum Late {
    Response(Response),
    Refusal(Refusal),
    Panicked,
    Dropped,
}

/// The exchange of a [`Deferred`], on its loop.
pub(crate) struct Deferring {
    wanted: Arc<AtomicBool>,
    _claim: Claim,
}

impl Deferring {
    pub(crate) fn new(context: &Context<'_>, claim: Claim) -> (Self, Deferred) {
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
