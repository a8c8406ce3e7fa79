//! An event source with a thread of its own.

use std::io;
use std::panic;
use std::thread::{Builder, JoinHandle};

use super::{EventSource, EventSourceEnd, EventSourceError, EventSourceHandle};

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
    /// Has a thread of its own [run](Self::run) it.
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
    /// What closes the source.
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
