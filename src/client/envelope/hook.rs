//! The start of each connection: subscribing again, and recovering.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::Arc;

use super::EnvelopeOptions;
use super::sender::{EnvelopeSocket, Shared, TalkCell};
use crate::client::{Message, Position, ReconnectOptions, ResumeHook, Seen};

/// Subscribes to all channels, from where each of them ended.
struct Resubscribe {
    talk: Arc<TalkCell>,
    left: VecDeque<String>,
}

/// A conversation, and how its WebSocket reconnects.
pub(super) fn begin<S: EnvelopeSocket>(
    options: EnvelopeOptions,
) -> (Arc<Shared<S>>, ReconnectOptions) {
    let shared = Shared::new(options.while_away);
    let resume = Resubscribe {
        talk: Arc::clone(&shared.talk),
        left: VecDeque::new(),
    };
    (shared, options.reconnect.resume(resume))
}

impl ResumeHook for Resubscribe {
    fn ask(&mut self, _: Option<&Position>) -> Option<Message> {
        self.left = self.talk.lock().begin();
        self.ask_more()
    }

    fn ask_more(&mut self) -> Option<Message> {
        self.left.pop_front().map(Message::Text)
    }

    fn see(&mut self, message: &Message, _: Option<&Position>) -> Seen {
        match message.text() {
            Some(text) => self.talk.lock().see(text),
            None => Seen::Message,
        }
    }
}
