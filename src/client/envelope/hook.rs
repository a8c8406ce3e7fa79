//! The start of each connection: subscribing again, and recovering.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::Arc;

use super::sender::TalkCell;
use crate::client::{Message, Position, ResumeHook, Seen};

/// Subscribes to all channels, from where each of them ended.
pub(super) struct Resubscribe {
    pub(super) talk: Arc<TalkCell>,
    pub(super) left: VecDeque<String>,
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
