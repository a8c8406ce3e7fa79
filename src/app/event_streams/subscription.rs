//! The event stream that does nothing but get what a broadcaster sends.

use alloc::sync::Arc;

use super::event_stream::EventStream;
use super::events::Events;
use crate::app::publishing::broadcaster::Broadcaster;

impl Broadcaster {
    /// The object of a stream that does nothing but get what is sent here,
    /// under the name `id`.
    pub fn subscription(&self, id: &str) -> Subscription {
        Subscription {
            broadcaster: self.clone(),
            id: Arc::from(id),
        }
    }
}

/// An event stream that gets what a [`Broadcaster`] sends.
#[derive(Debug)]
pub struct Subscription {
    broadcaster: Broadcaster,
    id: Arc<str>,
}

impl Events for Subscription {
    fn open(&mut self, stream: &mut EventStream<'_, '_>) {
        stream.subscribe(&self.broadcaster, &self.id);
    }
}
