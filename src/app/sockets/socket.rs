//! The handle of a WebSocket session.

use alloc::boxed::Box;
use core::future::Future;
use core::task::{Context, Poll};
use core::time::Duration;

use crate::app::exchange::client::Client;
use crate::app::exchange::session::SessionContext;
use crate::app::futures::jobs::{FutureId, Jobs, Progress, future_methods};
use crate::app::futures::kept::FutureError;
use crate::app::futures::spawner::Spawner;
use crate::app::publishing::join::Standing;
use crate::app::publishing::member::member_methods;
use crate::app::publishing::message::Message;
use crate::link::UsageError;
use crate::net::Flow;
use crate::websocket::CloseCode;
use crate::wire::partly_shown;

/// A WebSocket session's own connection, and the channels around it. Lent for one
/// call.
///
/// ```
/// use barewire::app::{CloseCode, Message, Socket, WebSocket};
/// use std::time::Duration;
///
/// struct Session;
///
/// impl WebSocket for Session {
///     fn open(&mut self, socket: &mut Socket<'_, '_>) {
///         socket.after(Duration::from_secs(60), 1); // `timer` is told
///     }
///
///     fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
///         match message.as_text() {
///             Some("bye") => drop(socket.close(CloseCode::NORMAL, "bye")),
///             Some(text) => drop(socket.send(&text.to_uppercase())),
///             None => socket.abort(),
///         }
///     }
/// }
/// ```
pub struct Socket<'a, 'c> {
    at: SessionContext<'a, 'c>,
    client: &'a mut Client,
    jobs: &'a mut Jobs<Run>,
}

/// A future of a socket's, and what is done with what it gives.
pub(super) type Run = Box<dyn FnMut(&mut Context<'_>, &mut Socket<'_, '_>) -> Progress>;

partly_shown!(it: Socket<'_, '_> { client });

impl<'a, 'c> Socket<'a, 'c> {
    pub(super) const fn new(
        at: SessionContext<'a, 'c>,
        client: &'a mut Client,
        jobs: &'a mut Jobs<Run>,
    ) -> Self {
        Self { at, client, jobs }
    }

    // The connection.

    /// Sends a message: `&str` as text, `&[u8]` as binary, or a [`Message`].
    ///
    /// It never waits and drops nothing. [`Flow::Wait`] asks for silence until
    /// [`writable`](crate::app::WebSocket::writable); a writer that does not stop is
    /// closed when the backlog reaches its cap. Answering what arrives needs no
    /// look at it: nothing more is received meanwhile.
    pub fn send<'m>(&mut self, message: impl Into<Message<'m>>) -> Flow {
        let message = message.into();
        let bytes = message.payload().len();
        let flow = self.at.context.send(message.kind(), message.payload());
        if flow.is_taken() {
            let now = self.at.context.unix_seconds();
            self.client.membership.activity().sent(bytes, now);
            self.at.loop_state.metrics.sent_messages(1, bytes);
        }
        flow
    }

    /// Sends a ping of at most 125 bytes; the answer comes to
    /// [`pong`](crate::app::WebSocket::pong). Keep-alive needs no pings of one's
    /// own.
    ///
    /// # Errors
    /// [`UsageError`] if the payload is too long or the socket is closing.
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), UsageError> {
        self.at.context.ping(payload)
    }

    /// Starts the closing handshake: what has been sent arrives before it, and
    /// nothing can be sent after it (RFC 6455 §7.1.2). The reason is at most
    /// 123 bytes long.
    ///
    /// # Errors
    /// [`UsageError`] if the code may not be sent, the reason is too long, or the
    /// socket is closing already.
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), UsageError> {
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

    /// The subprotocol that was agreed on.
    pub fn protocol(&self) -> Option<&str> {
        self.client.route.protocol()
    }

    /// Calls [`timer`](crate::app::WebSocket::timer) with `token` after this time, once,
    /// unless the session is over by then. If no further timer is allowed
    /// ([`Limits::timers`](crate::net::Limits::timers)), the socket is closed with 1013.
    pub fn after(&mut self, time: Duration, token: u32) {
        if !self.at.context.after(time, u64::from(token)) {
            // Refused only if it is closing already.
            let _ = self.close(CloseCode::TRY_AGAIN_LATER, "no more timers");
        }
    }

    member_methods! {}
    future_methods! {Socket}

    /// A message has no place for where the session is: that is its object's to tell.
    #[expect(clippy::unused_self, reason = "an event stream tells it")]
    const fn stands(&self, _: &Standing) {}

    // What calls the session's object.

    /// Counts a part of a message, and the message with its last part.
    pub(crate) fn received(&mut self, bytes: usize, last: bool) {
        let now = self.at.context.unix_seconds();
        self.client.membership.activity().received(bytes, last, now);
        match last {
            true => self.at.loop_state.metrics.received_message(bytes),
            false => self.at.loop_state.metrics.received_body(bytes),
        }
    }
}
