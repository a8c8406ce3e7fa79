//! The seam behind channels: who gives offsets, keeps history and reaches other processes.
//!
//! ```text
//!   publish ──► Line::publish ──► in its place: `deliver`, and Ready
//!                    └──────────► Pending: later, `Inlet::deliver` and the `Later`
//! ```
//!
//! Nothing here waits: what a backplane cannot say now it says by an [`Later`], from any
//! thread.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::task::Poll;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::channel_limits::ChannelError;
use super::clock::Clock;
use super::history::{History, Log};
use super::position::{Epoch, Position};
use super::presence::Present;
use super::publication::Publication;
use crate::link::Account;
use crate::wire::partly_shown;

/// The connection of the channels of several processes, which keeps their histories.
///
/// An app has one ([`App::backplane`](crate::app::App::backplane)). Without, its channels
/// are its process's own, and remember in its memory.
pub trait Backplane: Send + Sync + 'static {
    /// Opens a channel that this process has a use for: it is about to have its first member
    /// here ([`Line::first_member`] follows), or is published to. From its first member on,
    /// `inlet` is given what is published to it, in the order of its offsets where it keeps
    /// history.
    fn subscribe(&self, channel: &str, keep: Option<History>, inlet: Inlet) -> Box<dyn Line>;
}

/// One channel of a [`Backplane`], as long as this process has a use for it. Dropping it is
/// the last that is heard of it.
pub trait Line: Send + Sync {
    /// Publishes. Ready with the place that it was given, after `deliver` was called with
    /// it: no other publication of the channel may be delivered between a place and its
    /// `deliver`. Or pending: it comes by the [`Inlet`], and `later` is answered.
    ///
    /// Without history there are no places. This process has delivered it already then: it
    /// must not come back by the [`Inlet`], and `deliver` is not to be called. The answer is
    /// `None`.
    ///
    /// # Errors
    /// [`ChannelError::Unavailable`] if it was not published.
    fn publish(
        &self,
        publication: Publication,
        deliver: &mut dyn FnMut(&Publication),
        later: &dyn Fn() -> Later<Option<Position>>,
    ) -> Poll<Result<Option<Position>, ChannelError>>;

    /// Where a channel with history is, and what came behind `since`: of these positions, of
    /// several channels maybe, the one of this channel's epoch counts. They are none if
    /// nothing was asked for.
    ///
    /// # Errors
    /// [`ChannelError::Unavailable`] if that cannot be said.
    fn history(
        &self,
        since: &[Position],
        later: &dyn Fn() -> Later<Past>,
    ) -> Poll<Result<Past, ChannelError>>;

    /// The channel is about to have its first member in this process.
    fn first_member(&self) {}

    /// The channel tells its members who comes and goes
    /// ([`ChannelOptions::notices`](crate::app::ChannelOptions::notices)): whether the backplane
    /// does that in all processes, for what [`enter`](Self::enter) and [`leave`](Self::leave)
    /// say. If not, each process tells its members of its own.
    fn announce(&self) -> bool {
        false
    }

    /// A session of this process has joined, if the channel knows who is there.
    fn enter(&self, who: &Present) {
        let _ = who;
    }

    /// It has left, or is gone. A process that dies says nothing of its sessions: a
    /// backplane finds that by a heartbeat of its own.
    fn leave(&self, session: u64) {
        let _ = session;
    }

    /// At most so many of those that are there in other processes.
    ///
    /// # Errors
    /// [`ChannelError::Unavailable`] if that cannot be said.
    fn present(
        &self,
        most: usize,
        later: &dyn Fn() -> Later<Vec<Present>>,
    ) -> Poll<Result<Vec<Present>, ChannelError>> {
        let _ = (most, later);
        Poll::Ready(Ok(Vec::new()))
    }

    /// The last member in this process has left.
    fn unsubscribe(&self);

    /// Whether nothing would be lost if the channel were freed, now that it has no members
    /// in this process.
    fn is_needless(&self) -> bool;

    /// Publications that are kept in this process, and their bytes.
    fn held(&self) -> (usize, usize) {
        (0, 0)
    }
}

/// Where a channel is, and what came before.
#[derive(Debug, Clone)]
pub struct Past {
    /// The position of the last publication.
    pub head: Position,
    /// All publications after the position that was asked for, in their order. `None` if it
    /// was none of this channel's, some of them are gone, or none was asked for.
    pub missed: Option<Vec<Publication>>,
}

/// The place where a later answer is given. Dropped without one, it says
/// [`Unavailable`](ChannelError::Unavailable).
pub struct Later<T>(Option<Give<T>>);

type Give<T> = Box<dyn FnOnce(Result<T, ChannelError>) + Send>;

impl<T> Later<T> {
    /// An answer that this is called with.
    pub fn new(give: impl FnOnce(Result<T, ChannelError>) + Send + 'static) -> Self {
        Self(Some(Box::new(give)))
    }

    /// Answers, from any thread.
    pub fn give(mut self, result: Result<T, ChannelError>) {
        if let Some(give) = self.0.take() {
            give(result);
        }
    }
}

impl<T> Drop for Later<T> {
    fn drop(&mut self) {
        if let Some(give) = self.0.take() {
            give(Err(ChannelError::Unavailable));
        }
    }
}

partly_shown!([T] Later<T>);

/// Where a channel of this process takes what a [`Backplane`] brings.
#[derive(Clone)]
pub struct Inlet(Arc<dyn Fn(Brought) + Send + Sync>);

/// What an [`Inlet`] is given.
#[derive(Debug)]
pub(crate) enum Brought {
    /// What was published.
    Publication(Publication),
    /// What members have not been given up to here, they will not be given.
    Lost(Position),
}

impl Inlet {
    /// One that calls these functions, with what [`deliver`](Self::deliver) and
    /// [`lost`](Self::lost) are given: to try a backplane without an app.
    pub fn new(
        deliver: impl Fn(Publication) + Send + Sync + 'static,
        lost: impl Fn(Position) + Send + Sync + 'static,
    ) -> Self {
        Self::bringing(move |brought| match brought {
            Brought::Publication(publication) => deliver(publication),
            Brought::Lost(position) => lost(position),
        })
    }

    pub(crate) fn bringing(bring: impl Fn(Brought) + Send + Sync + 'static) -> Self {
        Self(Arc::new(bring))
    }

    /// Delivers a publication to all members in this process. One call must have returned
    /// before the next one of the same channel: their order is the order that members see.
    pub fn deliver(&self, publication: Publication) {
        (self.0)(Brought::Publication(publication));
    }

    /// Says that publications up to this position are gone, or that the channel has begun a
    /// new epoch: members in this process that have not got as far are sent away (1013, or
    /// the end of their stream), so that they come back and know. What is delivered from now
    /// on comes after this position.
    pub fn lost(&self, position: Position) {
        (self.0)(Brought::Lost(position));
    }
}

partly_shown!(Inlet);

/// A channel that remembers in the memory of its process.
#[derive(Debug)]
pub(crate) struct LocalLine {
    keep: History,
    clock: Clock,
    log: Mutex<Log>,
}

impl LocalLine {
    pub(crate) fn new(keep: History, epoch: Epoch, account: &Account, clock: Clock) -> Self {
        let log = Log::new(epoch, Some(account), clock.now());
        Self {
            keep,
            clock,
            log: Mutex::new(log),
        }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        // A panic within would leave at most a publication too few.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line for LocalLine {
    fn publish(
        &self,
        publication: Publication,
        deliver: &mut dyn FnMut(&Publication),
        _later: &dyn Fn() -> Later<Option<Position>>,
    ) -> Poll<Result<Option<Position>, ChannelError>> {
        let now = self.clock.now();
        let mut log = self.log();
        let placed = log.place(publication, now, &self.keep);
        // Within the lock, so that every loop is posted them in their order.
        deliver(&placed);
        Poll::Ready(Ok(placed.position()))
    }

    fn history(
        &self,
        since: &[Position],
        _later: &dyn Fn() -> Later<Past>,
    ) -> Poll<Result<Past, ChannelError>> {
        let now = self.clock.now();
        let mut log = self.log();
        let epoch = log.head().epoch;
        let since = since.iter().find(|it| it.epoch == epoch);
        let missed = since.and_then(|since| log.since(*since, now, &self.keep));
        Poll::Ready(Ok(Past {
            head: log.head(),
            missed,
        }))
    }

    fn unsubscribe(&self) {
        let now = self.clock.now();
        self.log().touch(now);
    }

    fn is_needless(&self) -> bool {
        let now = self.clock.now();
        self.log().is_over(now, &self.keep)
    }

    fn held(&self) -> (usize, usize) {
        self.log().held()
    }
}
