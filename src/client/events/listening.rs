//! An event source that tells listeners.

use alloc::boxed::Box;
use alloc::string::String;

use super::{EventSource, EventSourceEnd, EventSourceError, MessageEvent, Waiting};

impl EventSource {
    /// Adds a listener of events of this type, for [`run`](Self::run) and
    /// [`spawn`](Self::spawn). Events without a type are of type `message`.
    pub fn on(
        &mut self,
        event: impl Into<String>,
        listener: impl FnMut(&MessageEvent) + Send + 'static,
    ) -> &mut Self {
        self.listeners.add(Some(event.into()), Box::new(listener));
        self
    }

    /// Adds a listener of all events, whatever their type.
    pub fn on_any(&mut self, listener: impl FnMut(&MessageEvent) + Send + 'static) -> &mut Self {
        self.listeners.add(None, Box::new(listener));
        self
    }

    /// Has `hook` called each time that a stream opens.
    pub fn on_open(&mut self, hook: impl FnMut() + Send + 'static) -> &mut Self {
        self.hooks.opened.push(Box::new(hook));
        self
    }

    /// Has `hook` told each time that there is no stream and the source waits for its
    /// next attempt.
    pub fn on_waiting(&mut self, hook: impl FnMut(&Waiting<'_>) + Send + 'static) -> &mut Self {
        self.hooks.waiting.push(Box::new(hook));
        self
    }

    /// Has `hook` told that the source gives up, behind the last of its attempts.
    pub fn on_gave_up(
        &mut self,
        hook: impl FnMut(&EventSourceError) + Send + 'static,
    ) -> &mut Self {
        self.hooks.gave_up.push(Box::new(hook));
        self
    }

    /// Has `hook` told that the source is over, for whatever reason.
    pub fn on_end(
        &mut self,
        hook: impl FnMut(Result<&EventSourceEnd, &EventSourceError>) + Send + 'static,
    ) -> &mut Self {
        self.hooks.ended.push(Box::new(hook));
        self
    }

    /// Tells the listeners of all events, until the source is over. Returns why it is,
    /// which is never [`EventSourceEnd::Failed`].
    ///
    /// # Errors
    /// [`EventSourceError`] if it has failed.
    pub fn run(&mut self) -> Result<EventSourceEnd, EventSourceError> {
        let mut event = MessageEvent::default();
        loop {
            match self.next_with(|message, id| event.set(message, id)) {
                Some(Ok(())) => self.listeners.tell(&event),
                Some(Err(error)) => return Err(error),
                None => return Ok(self.end().cloned().unwrap_or(EventSourceEnd::Closed)),
            }
        }
    }
}
