//! The listener of a conversation.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use super::incoming::{EnvelopeMessage, EnvelopePublished, EnvelopeRefusal};
use super::sender::{EnvelopeSender, EnvelopeSocket, Shared};
use super::talk::News;
use crate::client::{Closed, Message, Receipt, ReconnectListener, ReconnectSender};

/// A listener of an [`EnvelopeClient`](super::EnvelopeClient), on its thread; with
/// [`LoopReconnecting`](crate::client::LoopReconnecting) for `S`, of a
/// [`LoopEnvelopeClient`](super::LoopEnvelopeClient). While a method runs, nothing is read
/// or written.
///
/// ```
/// use barewire::client::{EnvelopeListener, EnvelopeMessage, EnvelopeSender};
///
/// struct Print;
///
/// impl EnvelopeListener for Print {
///     fn message(&mut self, _client: &EnvelopeSender, message: &EnvelopeMessage) {
///         println!("{:?}: {}", message.channel, message.json());
///     }
///
///     fn subscribed(&mut self, _: &EnvelopeSender, channel: &str, recovered: Option<bool>) {
///         if recovered == Some(false) {
///             println!("{channel}: something is missing");
///         }
///     }
/// }
/// ```
#[expect(unused_variables, reason = "the names are the documentation")]
pub trait EnvelopeListener<S: EnvelopeSocket = ReconnectSender>: 'static {
    /// A connection is open. Its channels are not subscribed to yet.
    fn opened(&mut self, client: &EnvelopeSender<S>) {}

    /// After a connection was lost, all channels have been subscribed to again: whether
    /// nothing is missing in any of them.
    fn resumed(&mut self, client: &EnvelopeSender<S>, recovered: bool) {}

    /// A channel is subscribed to. `recovered` is whether nothing of it is missing since it
    /// was before; `None` if it was not.
    fn subscribed(&mut self, client: &EnvelopeSender<S>, channel: &str, recovered: Option<bool>) {}

    /// A channel is not subscribed to any more.
    fn unsubscribed(&mut self, client: &EnvelopeSender<S>, channel: &str) {}

    /// A message has come that no [handler](EnvelopeSender::on) is for.
    fn message(&mut self, client: &EnvelopeSender<S>, message: &EnvelopeMessage);

    /// A broadcast of this client is on its way to the others.
    fn published(&mut self, client: &EnvelopeSender<S>, published: &EnvelopePublished) {}

    /// Something was not done.
    fn refused(&mut self, client: &EnvelopeSender<S>, refusal: &EnvelopeRefusal) {}

    /// The answer to a [ping](EnvelopeSender::ping).
    fn pong(&mut self, client: &EnvelopeSender<S>, in_reply_to: Option<&str>) {}

    /// A message has come that is no envelope.
    fn foreign(&mut self, client: &EnvelopeSender<S>, message: Message) {}

    /// A connection has ended, or an attempt has failed. The messages in `unknown` were
    /// written and may have arrived or not; they are not sent again.
    fn closed(&mut self, client: &EnvelopeSender<S>, closed: &Closed, unknown: &[Receipt]) {}

    /// The next attempt begins after this time: the nth in a row.
    fn waiting(&mut self, client: &EnvelopeSender<S>, delay: Duration, attempt: u32) {}

    /// No further attempt is made. Nothing has left of the messages in `unsent`. Nothing
    /// follows.
    fn gave_up(&mut self, client: &EnvelopeSender<S>, closed: &Closed, unsent: &[Receipt]) {}

    /// It is over, as this side has asked for. Nothing has left of the messages in
    /// `unsent`. Nothing follows.
    fn finished(&mut self, client: &EnvelopeSender<S>, unsent: &[Receipt]) {}
}

/// Tells the application's listener and handlers what the WebSocket's is told.
pub(super) struct Translate<S: EnvelopeSocket, L> {
    pub(super) shared: Arc<Shared<S>>,
    pub(super) listener: L,
}

impl<S: EnvelopeSocket + 'static, L: EnvelopeListener<S>> Translate<S, L> {
    fn sender(&self, socket: &S) -> EnvelopeSender<S> {
        EnvelopeSender {
            shared: self.shared.clone(),
            socket: socket.clone(),
        }
    }

    fn tell(&mut self, socket: &S, news: News) {
        let client = &self.sender(socket);
        let listener = &mut self.listener;
        match news {
            News::Message(message) => {
                if !client.handle(&message) {
                    listener.message(client, &message);
                }
            }
            News::Subscribed { channel, recovered } => {
                listener.subscribed(client, &channel, recovered);
            }
            News::Unsubscribed { channel } => listener.unsubscribed(client, &channel),
            News::Published(published) => listener.published(client, &published),
            News::Refused(refusal) => listener.refused(client, &refusal),
            News::Pong { in_reply_to } => listener.pong(client, in_reply_to.as_deref()),
        }
    }
}

impl<S: EnvelopeSocket + 'static, L: EnvelopeListener<S>> ReconnectListener<S> for Translate<S, L> {
    fn opened(&mut self, socket: &S, _protocol: Option<&str>) {
        self.shared.talk.lock().opened += 1;
        let client = self.sender(socket);
        self.listener.opened(&client);
    }

    fn resumed(&mut self, socket: &S, recovered: bool) {
        let (news, is_back) = {
            let mut talk = self.shared.talk.lock();
            (talk.take_resumed(), talk.opened > 1)
        };
        if let Some(news) = news {
            self.tell(socket, news);
        }
        if is_back {
            let client = self.sender(socket);
            self.listener.resumed(&client, recovered);
        }
    }

    fn message(&mut self, socket: &S, message: Message) {
        let taken = message
            .text()
            .map(|text| self.shared.talk.lock().take(text));
        match taken {
            Some(Ok(Some(news))) => self.tell(socket, news),
            Some(Ok(None)) => {}
            None | Some(Err(_)) => {
                let client = self.sender(socket);
                self.listener.foreign(&client, message);
            }
        }
    }

    fn closed(&mut self, socket: &S, closed: &Closed, unknown: &[Receipt]) {
        let control = self.shared.talk.lock().end();
        for receipt in &control {
            // It was for that connection alone: the next one subscribes by itself.
            socket.withdraw(receipt);
        }
        let is_own = |id: u64| control.iter().any(|it| it.id() == id);
        let unknown = unknown.iter().filter(|it| !is_own(it.id()));
        let unknown: Vec<Receipt> = unknown.cloned().collect();
        let client = self.sender(socket);
        self.listener.closed(&client, closed, &unknown);
    }

    fn waiting(&mut self, socket: &S, delay: Duration, attempt: u32) {
        let client = self.sender(socket);
        self.listener.waiting(&client, delay, attempt);
    }

    fn gave_up(&mut self, socket: &S, closed: &Closed, unsent: &[Receipt]) {
        let client = self.sender(socket);
        self.listener.gave_up(&client, closed, unsent);
    }

    fn finished(&mut self, socket: &S, unsent: &[Receipt]) {
        let client = self.sender(socket);
        self.listener.finished(&client, unsent);
    }
}
