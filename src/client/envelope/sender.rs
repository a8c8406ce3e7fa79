//! The side of a conversation that asks.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use self::sealed::Socket;
use super::incoming::EnvelopeMessage;
use super::options::WhileAway;
use super::talk::{Talk, written};
use crate::client::{LoopReconnecting, Position, Receipt, ReconnectError, ReconnectSender};
use crate::envelope::Ask;

mod sealed {
    use super::{Receipt, ReconnectError, String};

    /// The methods of a WebSocket that reconnects, on a thread or on a loop.
    pub trait Socket: Clone {
        type Handler: ?Sized;
        fn put(&self, text: String) -> Result<Receipt, ReconnectError>;
        fn withdraw(&self, receipt: &Receipt);
        fn is_there(&self) -> bool;
        fn leave(&self);
        fn call(
            handler: &mut Self::Handler,
            client: &super::EnvelopeSender<Self>,
            message: &super::EnvelopeMessage,
        ) where
            Self: super::EnvelopeSocket;
    }
}

/// A WebSocket that reconnects: [`ReconnectSender`] or [`LoopReconnecting`].
pub trait EnvelopeSocket: Socket {}

macro_rules! socket {
    ($socket:ty, $handler:ty) => {
        impl Socket for $socket {
            type Handler = $handler;

            fn put(&self, text: String) -> Result<Receipt, ReconnectError> {
                self.send(text)
            }

            fn withdraw(&self, receipt: &Receipt) {
                self.confirm(receipt);
            }

            fn is_there(&self) -> bool {
                self.is_open()
            }

            fn leave(&self) {
                self.close();
            }

            fn call(
                handler: &mut Self::Handler,
                client: &EnvelopeSender<Self>,
                message: &EnvelopeMessage,
            ) {
                handler(client, message);
            }
        }

        impl EnvelopeSocket for $socket {}
    };
}

socket!(
    ReconnectSender,
    dyn FnMut(&EnvelopeSender, &EnvelopeMessage) + Send
);
socket!(
    LoopReconnecting,
    dyn FnMut(&EnvelopeSender<LoopReconnecting>, &EnvelopeMessage)
);

/// A conversation, shared by its hook, its listener and its senders.
#[derive(Debug, Default)]
pub(super) struct TalkCell(Mutex<Talk>);

impl TalkCell {
    /// No code of the application runs under it.
    pub(super) fn lock(&self) -> MutexGuard<'_, Talk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Handlers<S> = BTreeMap<String, Option<Box<<S as Socket>::Handler>>>;

pub(super) struct Shared<S: EnvelopeSocket> {
    pub(super) talk: Arc<TalkCell>,
    /// One that runs is taken out meanwhile.
    handlers: Mutex<Handlers<S>>,
    while_away: WhileAway,
}

impl<S: EnvelopeSocket> Shared<S> {
    pub(super) fn new(while_away: WhileAway) -> Arc<Self> {
        Arc::new(Self {
            talk: Arc::default(),
            handlers: Mutex::default(),
            while_away,
        })
    }

    fn handlers(&self) -> MutexGuard<'_, Handlers<S>> {
        self.handlers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The side of a conversation that subscribes and sends. Clones are the same; those of an
/// [`EnvelopeClient`](super::EnvelopeClient) are for other threads.
#[derive(Clone)]
pub struct EnvelopeSender<S: EnvelopeSocket = ReconnectSender> {
    pub(super) shared: Arc<Shared<S>>,
    pub(super) socket: S,
}

/// A message that was taken to be sent.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EnvelopeSent {
    /// The subject of its answer.
    pub message_id: String,
    /// Its fate.
    pub receipt: Receipt,
}

/// Counts of a client so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct EnvelopeCounts {
    /// Messages that were taken to be sent, the subscribes of reconnections among them.
    pub messages_sent: u64,
    /// Messages that have come.
    pub messages_received: u64,
    /// Attempts to connect.
    pub connection_attempts: u64,
    /// Connections that were opened after the first one.
    pub reconnects: u64,
}

impl<S: EnvelopeSocket> EnvelopeSender<S> {
    /// Subscribes to a channel, now and on each connection to come: the listener is told
    /// when it [is](super::EnvelopeListener::subscribed). Without a connection it is
    /// remembered. Nothing happens if it is subscribed to already.
    ///
    /// # Errors
    /// [`EnvelopeError::Full`], [`EnvelopeError::Over`]: it is not subscribed to.
    pub fn subscribe(&self, channel: &str) -> Result<(), EnvelopeError> {
        self.subscribe_since(channel, None)
    }

    /// Like [`subscribe`](Self::subscribe), and recovers what came after a position that was
    /// kept.
    ///
    /// # Errors
    /// Those of [`subscribe`](Self::subscribe).
    pub fn subscribe_since(
        &self,
        channel: &str,
        since: Option<Position>,
    ) -> Result<(), EnvelopeError> {
        let mut talk = self.shared.talk.lock();
        let Some(text) = talk.subscribe(channel, since) else {
            return Ok(());
        };
        let said = self.say(&mut talk, text);
        if said.is_err() {
            talk.unsubscribe(channel);
        }
        said
    }

    /// Unsubscribes from a channel: nothing of it comes from here on. Nothing happens if it
    /// was not subscribed to.
    ///
    /// # Errors
    /// [`EnvelopeError::Full`]: the server was not told so.
    /// [`EnvelopeError::Over`].
    pub fn unsubscribe(&self, channel: &str) -> Result<(), EnvelopeError> {
        let mut talk = self.shared.talk.lock();
        match talk.unsubscribe(channel) {
            Some(text) => self.say(&mut talk, text),
            None => Ok(()),
        }
    }

    fn say(&self, talk: &mut Talk, text: String) -> Result<(), EnvelopeError> {
        if talk.is_open {
            let receipt = self.socket.put(text)?;
            talk.control.retain(|it| !it.state().is_final());
            talk.control.push(receipt);
            talk.sent += 1;
        }
        Ok(())
    }

    /// Broadcasts to all others of a channel. The listener is told when it
    /// [is on its way](super::EnvelopeListener::published).
    ///
    /// # Errors
    /// [`EnvelopeError`]: it was not taken.
    pub fn broadcast(
        &self,
        channel: &str,
        data: &(impl serde::Serialize + ?Sized),
    ) -> Result<EnvelopeSent, EnvelopeError> {
        let data = &serde_json::to_string(data)?;
        self.send(&Ask::Broadcast { channel, data })
    }

    /// Sends a message to the server's own handler of this `type`.
    ///
    /// # Errors
    /// [`EnvelopeError`]: it was not taken.
    pub fn send_message(
        &self,
        kind: &str,
        data: &(impl serde::Serialize + ?Sized),
    ) -> Result<EnvelopeSent, EnvelopeError> {
        let data = &serde_json::to_string(data)?;
        self.send(&Ask::Message { kind, data })
    }

    /// Sends bytes to the server's own handler of such.
    ///
    /// # Errors
    /// [`EnvelopeError`]: they were not taken.
    pub fn send_binary(&self, bytes: &[u8]) -> Result<EnvelopeSent, EnvelopeError> {
        self.send(&Ask::Binary(bytes))
    }

    /// Asks for a pong of the server's application. What keeps the connection alive needs
    /// none.
    ///
    /// # Errors
    /// [`EnvelopeError`]: it was not taken.
    pub fn ping(&self) -> Result<EnvelopeSent, EnvelopeError> {
        self.send(&Ask::Ping)
    }

    fn send(&self, ask: &Ask<'_>) -> Result<EnvelopeSent, EnvelopeError> {
        if self.shared.while_away == WhileAway::Refuse && !self.socket.is_there() {
            return Err(EnvelopeError::NotConnected);
        }
        let (message_id, text) = written(ask);
        let receipt = self.socket.put(text)?;
        self.shared.talk.lock().sent += 1;
        Ok(EnvelopeSent {
            message_id,
            receipt,
        })
    }

    /// Closes it for good: what was sent is written before, where there is a connection.
    pub fn disconnect(&self) {
        self.socket.leave();
    }

    /// The WebSocket underneath.
    pub const fn socket(&self) -> &S {
        &self.socket
    }

    /// The channels that are subscribed to, or will be on the next connection.
    pub fn channels(&self) -> Vec<String> {
        self.shared.talk.lock().channels()
    }

    /// The place in a channel up to which everything has come, if that keeps history: to be
    /// kept for [`subscribe_since`](Self::subscribe_since).
    pub fn position(&self, channel: &str) -> Option<Position> {
        self.shared.talk.lock().position(channel)
    }

    /// The `sender_id` of this connection to others; `None` until a channel is
    /// subscribed to.
    pub fn connection_id(&self) -> Option<String> {
        self.shared.talk.lock().connection_id().map(String::from)
    }

    /// Its counts so far.
    pub fn counts(&self) -> EnvelopeCounts {
        let talk = self.shared.talk.lock();
        EnvelopeCounts {
            messages_sent: talk.sent,
            messages_received: talk.received,
            connection_attempts: talk.attempts,
            reconnects: talk.opened.saturating_sub(1),
        }
    }

    /// Stops handling messages of this `type` by [`on`](Self::on): they go to the listener.
    pub fn off(&self, kind: &str) {
        let handler = self.shared.handlers().remove(kind);
        drop(handler); // without the lock
    }

    fn set_handler(&self, kind: &str, handler: Box<S::Handler>) {
        let before = self.shared.handlers().insert(kind.into(), Some(handler));
        drop(before); // without the lock
    }

    pub(super) fn handle(&self, message: &EnvelopeMessage) -> bool {
        let Some(kind) = message.kind() else {
            return false;
        };
        let handler = self.shared.handlers().get_mut(kind).and_then(Option::take);
        let Some(mut handler) = handler else {
            return false;
        };
        S::call(&mut handler, self, message);
        let mut handlers = self.shared.handlers();
        // It may have removed or replaced itself.
        if let Some(place) = handlers.get_mut(kind)
            && place.is_none()
        {
            *place = Some(handler);
        }
        true
    }
}

impl EnvelopeSender {
    /// Handles the messages whose payload has this `type`, instead of the listener: of
    /// channels and for this client alone. There is one handler for a `type`.
    pub fn on(&self, kind: &str, handler: impl FnMut(&Self, &EnvelopeMessage) + Send + 'static) {
        self.set_handler(kind, Box::new(handler));
    }
}

impl EnvelopeSender<LoopReconnecting> {
    /// Handles the messages whose payload has this `type`, instead of the listener: of
    /// channels and for this client alone. There is one handler for a `type`.
    pub fn on(&self, kind: &str, handler: impl FnMut(&Self, &EnvelopeMessage) + 'static) {
        self.set_handler(kind, Box::new(handler));
    }
}

impl<S: EnvelopeSocket> fmt::Debug for EnvelopeSender<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvelopeSender")
            .field("channels", &self.channels())
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

/// Why a message of an [`EnvelopeSender`](super::EnvelopeSender) was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// There is no connection, and messages are not [queued](super::WhileAway::Queue)
    /// meanwhile.
    #[error("there is no connection")]
    NotConnected,
    /// The queue has no room for it.
    #[error("too many messages, or bytes of them, wait to be sent or confirmed")]
    Full,
    /// There is no memory left for it.
    #[error("there is no memory left for it")]
    NoMemory,
    /// The client is closed for good.
    #[error("the client is closed for good")]
    Over,
    /// The data is no JSON.
    #[error("the data is no JSON: {0}")]
    Data(#[from] serde_json::Error),
}

impl From<ReconnectError> for EnvelopeError {
    fn from(error: ReconnectError) -> Self {
        match error {
            ReconnectError::Full(_) => Self::Full,
            ReconnectError::NoMemory(_) => Self::NoMemory,
            ReconnectError::Over(_) => Self::Over,
        }
    }
}
