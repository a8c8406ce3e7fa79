//! The event stream that does nothing but get what a broadcaster sends.

use alloc::sync::Arc;

use super::event_stream::EventStream;
use super::events::Events;
use crate::app::publishing::broadcast_limits::BroadcastError;
use crate::app::publishing::broadcaster::Broadcaster;

impl Broadcaster {
    /// The object of a stream that does nothing but get what is sent here,
    /// under the name `id`.
    ///
    /// # Errors
    /// [`BroadcastError::NameTooLong`] beyond
    /// [`BroadcastLimits::name`](crate::app::BroadcastLimits::name).
    pub fn subscription(&self, id: &str) -> Result<Subscription, BroadcastError> {
        self.roster().check(id)?;
        Ok(Subscription {
            broadcaster: self.clone(),
            id: Arc::from(id),
        })
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
        // Its name has been checked.
        let _ = stream.subscribe(&self.broadcaster, &self.id);
    }
}
