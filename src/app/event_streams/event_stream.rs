//! What an event stream can do.

use alloc::{string::String, vec::Vec};
use core::fmt;
use core::time::Duration;

use crate::app::exchange::client::Client;
use crate::app::exchange::session::At;
use crate::app::publishing::broadcast_limits::BroadcastError;
use crate::app::publishing::broadcaster::Broadcaster;
use crate::app::publishing::handle::Handle;
use crate::app::publishing::message::{Post, encode_event};
use crate::app::publishing::room_limits::RoomError;
use crate::http::Fields;
use crate::link::{Charge, Misuse};
use crate::net::{Flow, Peer};
use crate::sse::{self, Event};
use crate::wire::Instant;

/// The token of the timer that the heartbeat is set with: no `u32` of an
/// application's.
const HEARTBEAT: u64 = u64::MAX;

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

/// An event stream, and the rooms around it. Lent for one call.
pub struct EventStream<'a, 'c> {
    at: At<'a, 'c>,
    client: &'a mut Client,
    pulse: &'a mut Pulse,
}

impl fmt::Debug for EventStream<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

impl<'a, 'c> EventStream<'a, 'c> {
    pub(crate) const fn new(at: At<'a, 'c>, client: &'a mut Client, pulse: &'a mut Pulse) -> Self {
        Self { at, client, pulse }
    }

    // The stream.

    /// Sends an event.
    ///
    /// It never waits and drops nothing. [`Flow::Wait`] asks for silence until
    /// [`writable`](crate::app::Events::writable); whoever goes on regardless is
    /// closed when the backlog reaches its cap. [`Flow::Over`] says that
    /// nothing was sent: the stream is over, or the event's type or id holds
    /// CR, LF or NUL.
    pub fn send(&mut self, event: &Event<'_>) -> Flow {
        match encode_event(event) {
            Ok(block) => {
                let bytes = block.len();
                let flow = self.at.context.write_shared(block);
                if flow.is_taken() {
                    self.heard(bytes);
                }
                flow
            }
            Err(misuse) => Flow::Over(Misuse::Sse(misuse)),
        }
    }

    /// Sends a comment, which no client shows. Heartbeats need none of one's
    /// own.
    pub fn comment(&mut self, text: &str) -> Flow {
        let mut block = Vec::new();
        // A vector has room.
        let _ = sse::encode_comment(text, &mut block);
        self.pulse.last = Some(self.at.context.now());
        let flow = self.at.context.write(&block);
        if flow.is_taken() {
            self.pulse.comments += block.len() as u64;
        }
        flow
    }

    /// Ends the stream, after what has been sent. A client comes again after
    /// its reconnection time, unless it is told not to by 204.
    pub fn finish(&mut self) {
        // Refused only if it is over already.
        let _ = self.at.context.finish(Fields::EMPTY);
        self.pulse.finished = true;
    }

    /// Bytes that wait for the peer to take them.
    pub fn backlog(&self) -> usize {
        self.at.context.backlog()
    }

    /// The peer's address.
    pub fn peer(&self) -> Option<Peer> {
        self.client.membership.activity().peer()
    }

    // The session.

    /// The session's number: unique as long as the app runs, and below 2⁵³, so
    /// that a JSON number holds it.
    pub fn id(&self) -> u64 {
        self.client.id()
    }

    /// The session as any thread can reach it.
    pub fn handle(&self) -> Handle {
        self.client.handle(self.at.context)
    }

    /// Has [`timer`](crate::app::Events::timer) called with `token` after this time,
    /// once, unless the stream is over by then. Where there may be no further
    /// timer ([`Limits::timers`](crate::net::Limits::timers)), the stream ends, and
    /// its client comes again.
    pub fn after(&mut self, time: Duration, token: u32) {
        if !self.at.context.after(time, u64::from(token)) {
            self.finish();
        }
    }

    /// A charge for what the handler keeps for this client: see
    /// [`Stream::charge`](crate::app::Stream::charge).
    pub fn charge(&mut self) -> Charge {
        self.at.context.charge()
    }

    /// The time now, on a clock that only goes forward.
    pub fn now(&self) -> Instant {
        self.at.context.now()
    }

    /// Seconds since 1970-01-01 00:00:00 UTC.
    pub fn unix_seconds(&self) -> u64 {
        self.at.context.unix_seconds()
    }

    /// How many streams this route has, on all loops.
    pub fn client_count(&self) -> usize {
        self.client.route.get()
    }

    // Others.

    /// Has the stream get what a broadcaster sends from now on, under a name
    /// that it may be singled out by; several streams may have the same. False
    /// if it gets that already.
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

    /// Joins a room: what is published there is sent as events. False if the
    /// stream is in it already.
    ///
    /// # Errors
    /// [`RoomError`] if a limit on rooms forbids it.
    pub fn join(&mut self, room: &str) -> Result<bool, RoomError> {
        self.client.membership.join(self.at.context, room)
    }

    /// Leaves a room; false if the stream was not in it. At its end a stream
    /// leaves all its rooms by itself.
    pub fn leave(&mut self, room: &str) -> bool {
        self.client.membership.leave(room)
    }

    /// The rooms that the stream is in, in no order.
    pub fn rooms(&self) -> Vec<String> {
        self.client.membership.rooms()
    }

    /// Publishes to all members of a room, on all loops. Returns how many
    /// there are.
    pub fn publish<'p>(&mut self, room: &str, post: impl Into<Post<'p>>) -> usize {
        self.at
            .site
            .rooms
            .publish(self.at.context, room, &post.into(), None)
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
            let _ = self.comment("");
        }
        let next = silence
            .saturating_sub(quiet(self.pulse))
            .max(SHORTEST.min(silence));
        if !self.at.context.after(next, HEARTBEAT) {
            self.finish(); // a client that comes again is better off than one that hears nothing
        }
    }

    /// An event has been sent.
    fn heard(&mut self, bytes: usize) {
        self.pulse.last = Some(self.at.context.now());
        let now = self.at.context.unix_seconds();
        self.client.membership.activity().sent(bytes, now);
        self.at.site.metrics.sent_messages(1, bytes);
    }
}
