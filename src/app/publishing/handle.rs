//! A session as other threads reach it.

use alloc::{boxed::Box, string::String, sync::Arc};
use core::any::Any;
use core::time::Duration;

use bytes::Bytes;

use super::join::Join;
use super::loop_address::LoopAddress;
use super::message::Message;
use crate::app::channels::backplane::Past;
use crate::app::channels::channel_limits::ChannelError;
use crate::app::channels::position::Position;
use crate::app::channels::publication::Publication;
use crate::net::Exchange;
use crate::websocket::{CloseCode, Kind};

/// One session, from any thread: a WebSocket or an event stream.
///
/// Its messages go through the mailbox of the session's loop, in order. The session may
/// end at any time: messages that come too late are dropped.
///
/// ```
/// use barewire::app::{Message, Socket, WebSocket};
/// use std::any::Any;
///
/// struct Session;
///
/// impl WebSocket for Session {
///     fn message(&mut self, socket: &mut Socket<'_, '_>, _message: Message<'_>) {
///         let handle = socket.handle();
///         std::thread::spawn(move || {
///             let _ = handle.send("working"); // refused if the session is over
///             let _ = handle.mail(6 * 7); // to its object, any type
///         });
///     }
///
///     fn mail(&mut self, socket: &mut Socket<'_, '_>, mail: Box<dyn Any + Send>) {
///         if let Ok(number) = mail.downcast::<i32>() {
///             socket.send(&number.to_string());
///         }
///     }
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Handle {
    id: u64,
    loop_address: LoopAddress,
    exchange: Exchange,
}

/// The loop's mailbox has no room, or the loop has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the loop's mailbox is full, or the loop has ended")]
pub struct HandleError;

#[derive(Debug)]
pub(crate) enum HandleMessage {
    Send(Kind, Bytes),
    Close(CloseCode, String),
    /// Something for the session's object.
    Mail(Box<dyn Any + Send>),
    /// The end, and the time after which the client is to come again.
    SendAway(Duration),
    /// The outcome of a session's request to a channel, under a token.
    Answered(Arc<str>, u32, Answered),
}

#[derive(Debug)]
pub(crate) enum Answered {
    Published(Result<Option<Position>, ChannelError>),
    History(Result<Past, ChannelError>),
    MayJoin(Result<(), ChannelError>, Join),
    /// Whether it may publish this, to itself as well or not.
    MayPublish(Result<(), ChannelError>, Publication, bool),
}

impl Answered {
    pub(super) const fn published(result: Result<Option<Position>, ChannelError>) -> Self {
        Self::Published(result)
    }

    pub(super) const fn history(result: Result<Past, ChannelError>) -> Self {
        Self::History(result)
    }
}

impl Handle {
    pub(crate) const fn new(id: u64, loop_address: LoopAddress, exchange: Exchange) -> Self {
        Self {
            id,
            loop_address,
            exchange,
        }
    }

    /// The session's number.
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// Sends a message to the peer: on an event stream, a text as the data of
    /// an event.
    ///
    /// # Errors
    /// [`HandleError`] if the mailbox did not take it.
    pub fn send<'m>(&self, message: impl Into<Message<'m>>) -> Result<(), HandleError> {
        let message = message.into();
        self.post(HandleMessage::Send(
            message.kind(),
            Bytes::copy_from_slice(message.payload()),
        ))
    }

    /// Closes the session: a WebSocket with this code and reason; an event stream just
    /// ends. If the reason is longer than 123 bytes, or the code may not be sent, it
    /// closes with 1000 and no reason.
    ///
    /// # Errors
    /// [`HandleError`] if the mailbox did not take it.
    pub fn close(&self, code: CloseCode, reason: &str) -> Result<(), HandleError> {
        let fits = code.is_sendable() && reason.len() <= 123; // RFC 6455 §5.5
        let (code, reason) = if fits {
            (code, reason)
        } else {
            (CloseCode::NORMAL, "")
        };
        self.post(HandleMessage::Close(code, String::from(reason)))
    }

    /// Sends `mail` to the session's object: its `mail` method is called with it.
    ///
    /// # Errors
    /// [`HandleError`] if the mailbox did not take it.
    pub fn mail(&self, mail: impl Any + Send) -> Result<(), HandleError> {
        self.post(HandleMessage::Mail(Box::new(mail)))
    }

    fn post(&self, handle_message: HandleMessage) -> Result<(), HandleError> {
        let bytes = match &handle_message {
            HandleMessage::Send(_, payload) => payload.len(),
            HandleMessage::Close(_, reason) => reason.len(),
            HandleMessage::Mail(mail) => size_of_val(&**mail),
            HandleMessage::SendAway(_) => 0,
            HandleMessage::Answered(..) => 0, // what it has asked for was bounded
        };
        match self
            .loop_address
            .post(self.exchange, Box::new(handle_message), bytes)
        {
            true => Ok(()),
            false => Err(HandleError),
        }
    }
}
