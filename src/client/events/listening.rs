//! Event sources that tell listeners: on the caller's thread, and on one of their own.

use alloc::boxed::Box;
use alloc::string::String;
use std::thread::{Builder, JoinHandle};
use std::{io, panic};

use super::{
    EventSource, EventSourceEnd, EventSourceError, EventSourceHandle, MessageEvent, Waiting,
};

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

    /// Calls `hook` each time that a stream opens.
    pub fn on_open(&mut self, hook: impl FnMut() + Send + 'static) -> &mut Self {
        self.hooks.opened.push(Box::new(hook));
        self
    }

    /// Calls `hook` each time that there is no stream and the source waits for its next
    /// attempt.
    pub fn on_waiting(&mut self, hook: impl FnMut(&Waiting<'_>) + Send + 'static) -> &mut Self {
        self.hooks.waiting.push(Box::new(hook));
        self
    }

    /// Calls `hook` when the source gives up, after the last of its attempts.
    pub fn on_gave_up(
        &mut self,
        hook: impl FnMut(&EventSourceError) + Send + 'static,
    ) -> &mut Self {
        self.hooks.gave_up.push(Box::new(hook));
        self
    }

    /// Calls `hook` when the source is over, for whatever reason.
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

/// The thread on which the listeners of an event source are told of its events.
///
/// Dropping it leaves the source as it is: that ends by itself, or when its
/// [handle](Self::handle) closes it.
#[derive(Debug)]
pub struct EventSourceThread {
    handle: EventSourceHandle,
    thread: JoinHandle<Result<EventSourceEnd, EventSourceError>>,
}

impl EventSource {
    /// [Runs](Self::run) it on a thread of its own.
    ///
    /// # Errors
    /// That of the system, if it has no thread left.
    pub fn spawn(mut self) -> io::Result<EventSourceThread> {
        let handle = self.handle();
        let thread = Builder::new().name("event-source".into());
        let thread = thread.spawn(move || self.run())?;
        Ok(EventSourceThread { handle, thread })
    }
}

impl EventSourceThread {
    /// A handle that closes the source.
    pub const fn handle(&self) -> &EventSourceHandle {
        &self.handle
    }

    /// Waits until the source is over, and returns why it is. A panic of a listener
    /// continues here.
    ///
    /// # Errors
    /// [`EventSourceError`] if it has failed.
    pub fn join(self) -> Result<EventSourceEnd, EventSourceError> {
        match self.thread.join() {
            Ok(end) => end,
            Err(panicked) => panic::resume_unwind(panicked),
        }
    }

    /// Closes the source, and waits until no listener is called any more.
    ///
    /// # Errors
    /// [`EventSourceError`] if it has failed before.
    pub fn close(self) -> Result<EventSourceEnd, EventSourceError> {
        self.handle.close();
        self.join()
    }
}
