//! The handle of an event stream.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::future::Future;
use core::task::{Context, Poll};
use core::time::Duration;

use bytes::Bytes;

use super::own_state::OwnState;
use crate::app::exchange::client::Client;
use crate::app::exchange::session::SessionContext;
use crate::app::exchange::timer_token;
use crate::app::futures::jobs::{FutureId, Jobs, Progress, future_methods};
use crate::app::futures::kept::FutureError;
use crate::app::futures::spawner::Spawner;
use crate::app::publishing::broadcast_limits::BroadcastError;
use crate::app::publishing::broadcaster::Broadcaster;
use crate::app::publishing::join::Standing;
use crate::app::publishing::member::member_methods;
use crate::app::publishing::message::encode_event;
use crate::http::Fields;
use crate::link::UsageError;
use crate::net::Flow;
use crate::sse::{self, Event};
use crate::wire::Instant;
use crate::wire::partly_shown;

/// A stream is not looked at more often than this.
const SHORTEST: Duration = Duration::from_secs(1);

/// When a stream was last heard, and when it must be heard again.
#[derive(Debug)]
pub(crate) struct Pulse {
    silence: Duration,
    last: Option<Instant>,
    finished: bool,
    /// Bytes of comments.
    pub(crate) comments: u64,
}

impl Pulse {
    pub(crate) const fn new(silence: Duration) -> Self {
        Self {
            silence,
            last: None,
            finished: false,
            comments: 0,
        }
    }
}

/// An event stream, and the channels around it. Lent for one call.
pub struct EventStream<'a, 'c> {
    at: SessionContext<'a, 'c>,
    client: &'a mut Client,
    pulse: &'a mut Pulse,
    own: &'a mut OwnState,
    jobs: &'a mut Jobs<Run>,
}

/// A future of an event stream's, and what is done with what it gives.
pub(super) type Run = Box<dyn FnMut(&mut Context<'_>, &mut EventStream<'_, '_>) -> Progress>;

partly_shown!(it: EventStream<'_, '_> { client });

impl<'a, 'c> EventStream<'a, 'c> {
    pub(super) const fn new(
        at: SessionContext<'a, 'c>,
        client: &'a mut Client,
        pulse: &'a mut Pulse,
        (own, jobs): (&'a mut OwnState, &'a mut Jobs<Run>),
    ) -> Self {
        Self {
            at,
            client,
            pulse,
            own,
            jobs,
        }
    }

    // The stream.

    /// Sends an event.
    ///
    /// It never waits and drops nothing. [`Flow::Wait`] asks for silence until
    /// [`writable`](crate::app::Events::writable); a writer that does not stop is
    /// closed when the backlog reaches its cap. [`Flow::Over`] says that
    /// nothing was sent: the stream is over, or the event's type or id holds
    /// CR, LF or NUL.
    pub fn send(&mut self, event: &Event<'_>) -> Flow {
        match encode_event(event) {
            Ok(block) => self.put(block),
            Err(misuse) => Flow::Over(UsageError::Sse(misuse)),
        }
    }

    /// Sends a comment, which no client shows. Heartbeats need none of one's
    /// own.
    pub fn comment(&mut self, text: &str) -> Flow {
        let mut block = Vec::new();
        // A vector has room.
        let _ = sse::encode_comment(text, &mut block);
        self.pulse.last = Some(self.at.context.now());
        let flow = match self.client.membership.activity().position() {
            None => self.at.context.write(&block),
            Some(position) => self.own.write(&mut self.at, position, &block),
        };
        if flow.is_taken() {
            self.pulse.comments += block.len() as u64;
        }
        flow
    }

    /// Ends the stream, after what has been sent. A client comes again after
    /// its reconnection time, unless it is told not to by 204.
    pub fn finish(&mut self) {
        if let Some(position) = self.client.membership.activity().position()
            && !self.pulse.finished
        {
            self.own.end(&mut self.at, position);
        }
        // Refused only if it is over already.
        let _ = self.at.context.finish(Fields::EMPTY);
        self.pulse.finished = true;
    }

    /// Calls [`timer`](crate::app::Events::timer) with `token` after this time, once,
    /// unless the stream is over by then. If no further timer is allowed
    /// ([`Limits::timers`](crate::net::Limits::timers)), the stream ends, and its client
    /// comes again.
    pub fn after(&mut self, time: Duration, token: u32) {
        if !self.at.context.after(time, u64::from(token)) {
            self.finish();
        }
    }

    // Others.

    /// Subscribes the stream to what a broadcaster sends from now on, under a name by
    /// which it may be addressed alone; several streams may share a name. False if it is
    /// subscribed already.
    ///
    /// # Errors
    /// [`BroadcastError::NameTooLong`] beyond
    /// [`BroadcastLimits::name`](crate::app::BroadcastLimits::name).
    pub fn subscribe(
        &mut self,
        broadcaster: &Broadcaster,
        id: &str,
    ) -> Result<bool, BroadcastError> {
        broadcaster.roster().check(id)?;
        let membership = &mut self.client.membership;
        Ok(membership.subscribe(self.at.context, broadcaster.roster(), id)?)
    }

    member_methods! {}
    future_methods! {EventStream}

    /// Tells the client where the stream is now, so that it can come back to there before
    /// the first event.
    fn stands(&mut self, standing: &Standing) {
        if standing.position.is_some()
            && let Some(mut block) = self.client.membership.id_line()
        {
            block.push('\n');
            self.put(block.into_bytes().into());
        }
    }

    /// Writes a block; whether it was taken.
    fn put(&mut self, block: Bytes) -> Flow {
        let bytes = block.len();
        let flow = match self.client.membership.activity().position() {
            None => self.at.context.write_shared(block),
            Some(position) => self.own.write(&mut self.at, position, &block),
        };
        if flow.is_taken() {
            self.heard(bytes);
        }
        flow
    }

    // What calls the stream's object.

    /// Whether the stream has been ended.
    pub(crate) const fn is_finished(&self) -> bool {
        self.pulse.finished
    }

    /// Sends a comment if the stream has been silent for long, and sets the
    /// timer for the next.
    pub(crate) fn beat(&mut self) {
        let (silence, now) = (self.pulse.silence, self.at.context.now());
        let quiet = |pulse: &mut Pulse| now.saturating_since(*pulse.last.get_or_insert(now));
        // What waits in a backlog is a sign of life to come.
        if quiet(self.pulse) >= silence && self.at.context.backlog() == 0 {
            self.own.rest();
            let _ = self.comment("");
        }
        let next = silence
            .saturating_sub(quiet(self.pulse))
            .max(SHORTEST.min(silence));
        if !self.at.context.after(next, timer_token::HEARTBEAT) {
            self.finish(); // a client that comes again is better off than one that hears nothing
        }
    }

    /// An event has been sent.
    fn heard(&mut self, bytes: usize) {
        self.pulse.last = Some(self.at.context.now());
        let now = self.at.context.unix_seconds();
        self.client.membership.activity().sent(bytes, now);
        self.at.loop_state.metrics.sent_messages(1, bytes);
    }
}
