//! The listener of a reconnecting WebSocket.

use core::time::Duration;

use super::{Closed, Receipt, ReconnectEvent, ReconnectSender};
use crate::client::Message;

/// A listener that is told what becomes of a [`Reconnecting`](super::Reconnecting)
/// WebSocket, on its thread; with [`LoopReconnecting`](super::LoopReconnecting) for `S`, of
/// one on a loop. While a method runs, nothing is read or written.
///
/// ```
/// use barewire::client::{Closed, Message, Receipt, ReconnectListener, ReconnectSender};
///
/// struct Print;
///
/// impl ReconnectListener for Print {
///     fn message(&mut self, _socket: &ReconnectSender, message: Message) {
///         println!("{:?}", message.text());
///     }
///
///     fn closed(&mut self, _socket: &ReconnectSender, closed: &Closed, unknown: &[Receipt]) {
///         println!("{closed:?}, {} messages may be lost", unknown.len());
///     }
/// }
/// ```
#[expect(unused_variables, reason = "the names are the documentation")]
pub trait ReconnectListener<S: ?Sized = ReconnectSender>: 'static {
    /// A connection is open, with this subprotocol.
    fn opened(&mut self, socket: &S, protocol: Option<&str>) {}

    /// The server has answered what was asked to resume: whether nothing is missing.
    fn resumed(&mut self, socket: &S, recovered: bool) {}

    /// A message has arrived.
    fn message(&mut self, socket: &S, message: Message);

    /// A connection has ended, or an attempt has failed. The messages in `unknown` were
    /// written and may have arrived or not; they are not sent again.
    fn closed(&mut self, socket: &S, closed: &Closed, unknown: &[Receipt]) {}

    /// The next attempt begins after this time: the nth in a row, if none of those before
    /// has succeeded.
    fn waiting(&mut self, socket: &S, delay: Duration, attempt: u32) {}

    /// No further attempt is made. Nothing has left of the messages in `unsent`. Nothing
    /// follows.
    fn gave_up(&mut self, socket: &S, closed: &Closed, unsent: &[Receipt]) {}

    /// It is over, as this side has asked for. Nothing has left of the messages in
    /// `unsent`. Nothing follows.
    fn finished(&mut self, socket: &S, unsent: &[Receipt]) {}
}

pub(super) fn tell<S: ?Sized>(
    listener: &mut (impl ReconnectListener<S> + ?Sized),
    socket: &S,
    event: ReconnectEvent,
) {
    match event {
        ReconnectEvent::Opened { protocol } => listener.opened(socket, protocol.as_deref()),
        ReconnectEvent::Resumed { recovered } => listener.resumed(socket, recovered),
        ReconnectEvent::Message(message) => listener.message(socket, message),
        ReconnectEvent::Closed {
            closed, unknown, ..
        } => listener.closed(socket, &closed, &unknown),
        ReconnectEvent::Waiting { delay, attempt } => listener.waiting(socket, delay, attempt),
        ReconnectEvent::GaveUp { closed, unsent, .. } => {
            listener.gave_up(socket, &closed, &unsent);
        }
        ReconnectEvent::Finished { unsent } => listener.finished(socket, &unsent),
    }
}
