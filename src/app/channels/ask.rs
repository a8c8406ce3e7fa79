//! The rules that an app decides by who may join a channel, and publish to it.

use alloc::sync::Arc;
use core::cell::Cell;

use super::backplane::Later;
use super::channel_limits::ChannelError;
use crate::net::Peer;
use crate::wire::partly_shown;

#[derive(Clone)]
pub(crate) struct Rule(Arc<dyn Fn(&Ask<'_>) -> Verdict + Send + Sync>);

impl Rule {
    pub(crate) fn new(rule: impl Fn(&Ask<'_>) -> Verdict + Send + Sync + 'static) -> Self {
        Self(Arc::new(rule))
    }
}

partly_shown!(Rule);

/// A session that wants to join a channel, or to publish to it.
pub struct Ask<'a> {
    /// The channel.
    pub channel: &'a str,
    /// The session's number.
    pub session: u64,
    /// The peer's address.
    pub peer: Option<Peer>,
    /// The session's user: that it joins as ([`Join::user`](crate::app::Join::user)), or has
    /// been [identified](crate::app::Socket::identify) as. Empty without one.
    pub user: &'a str,
    /// The payload that is to be published; empty for a session that joins.
    pub payload: &'a [u8],
    is_later: Cell<bool>,
    decide: &'a dyn Fn() -> Later<()>,
}

partly_shown!(it: Ask<'_> { channel, session });

/// The answer of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Allow,
    /// It may not: [`ChannelError::Refused`].
    Refuse,
    /// A [`Decision`] says so later.
    Later,
}

impl<'a> Ask<'a> {
    pub(crate) const fn new(
        (channel, session, peer): (&'a str, u64, Option<Peer>),
        (user, payload): (&'a str, &'a [u8]),
        decide: &'a dyn Fn() -> Later<()>,
    ) -> Self {
        Self {
            channel,
            session,
            peer,
            user,
            payload,
            is_later: Cell::new(false),
            decide,
        }
    }

    /// Has it decided later, from any thread. The rule's own answer does not count then.
    pub fn decide_later(&self) -> Decision {
        self.is_later.set(true);
        Decision((self.decide)())
    }

    pub(crate) fn of(&self, rule: &Rule) -> Verdict {
        let verdict = (rule.0)(self);
        match self.is_later.get() {
            true => Verdict::Later,
            false if verdict == Verdict::Later => Verdict::Refuse, // nobody would decide it
            false => verdict,
        }
    }
}

/// The decision to come on what a session asked for. Dropped undecided, it has the session told
/// [`ChannelError::Unavailable`].
#[derive(Debug)]
pub struct Decision(Later<()>);

impl Decision {
    /// The session may; if it is still there.
    pub fn allow(self) {
        self.0.give(Ok(()));
    }

    /// It may not.
    pub fn refuse(self) {
        self.0.give(Err(ChannelError::Refused));
    }
}
