//! What a WebSocket session can do.

use alloc::{string::String, vec::Vec};
use core::fmt;
use core::time::Duration;

use crate::app::exchange::client::Client;
use crate::app::exchange::session::At;
use crate::app::publishing::handle::Handle;
use crate::app::publishing::message::{Message, Post};
use crate::app::publishing::room_limits::RoomError;
use crate::link::{Charge, Misuse};
use crate::net::{Flow, Peer};
use crate::websocket::CloseCode;
use crate::wire::Instant;

/// A WebSocket session's own connection, and the rooms around it. Lent for one
/// call.
pub struct Socket<'a, 'c> {
    at: At<'a, 'c>,
    client: &'a mut Client,
    protocol: Option<&'a str>,
}

impl fmt::Debug for Socket<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

impl<'a, 'c> Socket<'a, 'c> {
    pub(crate) const fn new(
        at: At<'a, 'c>,
        client: &'a mut Client,
        protocol: Option<&'a str>,
    ) -> Self {
        Self {
            at,
            client,
            protocol,
        }
    }

    // The connection.

    /// Sends a message: `&str` as text, `&[u8]` as binary, or a [`Message`].
    ///
    /// It never waits and drops nothing. [`Flow::Wait`] asks for silence until
    /// [`writable`](crate::app::WebSocket::writable); whoever goes on regardless is
    /// closed when the backlog reaches its cap. Answering what arrives needs no
    /// look at it: nothing more is received meanwhile.
    pub fn send<'m>(&mut self, message: impl Into<Message<'m>>) -> Flow {
        let message = message.into();
        let bytes = message.payload().len();
        let flow = self.at.context.send(message.kind(), message.payload());
        if flow.is_taken() {
            let now = self.at.context.unix_seconds();
            self.client.membership.activity().sent(bytes, now);
            self.at.site.metrics.sent_messages(1, bytes);
        }
        flow
    }

    /// Sends a ping of at most 125 bytes; the answer comes to
    /// [`pong`](crate::app::WebSocket::pong). Keep-alive needs no pings of one's
    /// own.
    ///
    /// # Errors
    /// [`Misuse`] if the payload is too long or the socket is closing.
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), Misuse> {
        self.at.context.ping(payload)
    }

    /// Starts the closing handshake: what has been sent arrives before it, and
    /// nothing can be sent after it (RFC 6455 §7.1.2). The reason is at most
    /// 123 bytes long.
    ///
    /// # Errors
    /// [`Misuse`] if the code may not be sent, the reason is too long, or the
    /// socket is closing already.
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Misuse> {
        self.at.context.close(code, reason)
    }

    /// Ends the connection without a word.
    pub fn abort(&mut self) {
        self.at.context.abort();
    }

    /// Stops or resumes receiving, so that the peer is held back by its own
    /// flow control.
    pub fn set_reading(&mut self, reading: bool) {
        self.at.context.set_reading(reading);
    }

    /// Bytes that wait for the peer to take them.
    pub fn backlog(&self) -> usize {
        self.at.context.backlog()
    }

    /// The peer's address.
    pub fn peer(&self) -> Option<Peer> {
        self.client.membership.activity().peer()
    }

    /// The subprotocol that was agreed on.
    pub const fn protocol(&self) -> Option<&str> {
        self.protocol
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

    /// Has [`timer`](crate::app::WebSocket::timer) called with `token` after this
    /// time, once, unless the session is over by then. Where there may be no
    /// further timer ([`Limits::timers`](crate::net::Limits::timers)), the socket
    /// is closed with 1013.
    pub fn after(&mut self, time: Duration, token: u32) {
        if !self.at.context.after(time, u64::from(token)) {
            // Refused only if it is closing already.
            let _ = self.close(CloseCode::TRY_AGAIN_LATER, "no more timers");
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

    /// How many sessions this route has, on all loops.
    pub fn client_count(&self) -> usize {
        self.client.route.get()
    }

    // Rooms.

    /// Joins a room, which comes to be with its first member and goes with its
    /// last. False if the session is in it already.
    ///
    /// # Errors
    /// [`RoomError`] if a limit on rooms forbids it.
    pub fn join(&mut self, room: &str) -> Result<bool, RoomError> {
        self.client.membership.join(self.at.context, room)
    }

    /// Leaves a room; false if the session was not in it. At its end a session
    /// leaves all its rooms by itself.
    pub fn leave(&mut self, room: &str) -> bool {
        self.client.membership.leave(room)
    }

    /// Whether the session is in a room.
    pub fn is_in(&self, room: &str) -> bool {
        self.client.membership.is_in(room)
    }

    /// The rooms that the session is in, in no order.
    pub fn rooms(&self) -> Vec<String> {
        self.client.membership.rooms()
    }

    /// Publishes to all members of a room, on all loops, whether or not the
    /// session is one of them. Returns how many there are.
    ///
    /// The message is encoded once, and each member's backlog holds a
    /// reference. What one session publishes to one room arrives in order.
    pub fn publish<'p>(&mut self, room: &str, post: impl Into<Post<'p>>) -> usize {
        self.at
            .site
            .rooms
            .publish(self.at.context, room, &post.into(), None)
    }

    /// As [`publish`](Self::publish), to all but the session itself.
    pub fn publish_to_others<'p>(&mut self, room: &str, post: impl Into<Post<'p>>) -> usize {
        let me = self.client.membership.activity().exchange();
        self.at
            .site
            .rooms
            .publish(self.at.context, room, &post.into(), Some(me))
    }

    /// Members of a room, on all loops.
    pub fn room_size(&self, room: &str) -> usize {
        let presence = self.at.site.rooms.directory().presence(room);
        presence.map_or(0, |presence| presence.total())
    }

    /// A page of the rooms and their sizes: at most `most` of them, in the order of
    /// their names, behind the name `after` or from the beginning. With the last
    /// name of a page as `after` comes the next one.
    pub fn room_sizes(&self, after: Option<&str>, most: usize) -> Vec<(String, usize)> {
        self.at.site.rooms.directory().room_sizes(after, most)
    }

    /// How many rooms have members.
    pub fn room_count(&self) -> usize {
        self.at.site.rooms.directory().room_count()
    }

    // What calls the session's object.

    /// Counts a part of a message, and the message with its last part.
    pub(crate) fn received(&mut self, bytes: usize, last: bool) {
        let now = self.at.context.unix_seconds();
        self.client.membership.activity().received(bytes, last, now);
        match last {
            true => self.at.site.metrics.received_message(bytes),
            false => self.at.site.metrics.received_body(bytes),
        }
    }
}
