//! The failure of an event source that blocks.

use alloc::boxed::Box;
use alloc::string::String;
use core::error::Error as StdError;
use core::fmt;

use super::EventSourceFault;
use crate::client::http::Error;

/// Why an event source has failed: the fault, the error of HTTP that has caused it, and
/// what there was of the stream.
///
/// ```no_run
/// use barewire::client::EventSource;
///
/// for event in EventSource::connect("https://example.org/feed")? {
///     match event {
///         Ok(event) => println!("{}", event.data),
///         Err(error) if error.gave_up() => println!("it stays away: {error}"),
///         Err(error) => println!("{error}; the server said: {}", error.body()),
///     }
/// }
/// # Ok::<(), barewire::client::EventSourceError>(())
/// ```
pub struct EventSourceError(Box<Parts>);

struct Parts {
    fault: EventSourceFault,
    cause: Option<Error>,
    request: String,
    left: Left,
}

/// The remains of a source that has failed.
#[derive(Debug, Default)]
pub(super) struct Left {
    pub(super) last_event_id: String,
    /// The data of an event that the end of the stream has cut.
    pub(super) partial: Option<String>,
    /// Of a response that is no stream.
    pub(super) body: String,
}

impl EventSourceError {
    /// `request` is its method and URL.
    pub(super) fn new(
        fault: EventSourceFault,
        cause: Option<Error>,
        request: String,
        left: Left,
    ) -> Self {
        Self(Box::new(Parts {
            fault,
            cause,
            request,
            left,
        }))
    }

    /// The fault.
    pub fn fault(&self) -> &EventSourceFault {
        &self.0.fault
    }

    /// The error of HTTP that has caused the fault, if there is one.
    pub fn cause(&self) -> Option<&Error> {
        self.0.cause.as_ref()
    }

    /// Whether the source has given up after its last attempt.
    pub fn gave_up(&self) -> bool {
        matches!(self.0.fault, EventSourceFault::GaveUp { .. })
    }

    /// The received part of the data of an event that the end of the stream has cut.
    /// More data may have been on its way.
    pub fn partial(&self) -> Option<&str> {
        self.0.left.partial.as_deref()
    }

    /// The body of a response that was no event stream, such as a server's own error
    /// message: at most 16 KiB of it, as far as it came soon.
    pub fn body(&self) -> &str {
        &self.0.left.body
    }

    /// The last event ID, with which another source can continue.
    pub fn last_event_id(&self) -> &str {
        &self.0.left.last_event_id
    }
}

impl fmt::Display for EventSourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts {
            fault,
            cause,
            request,
            ..
        } = &*self.0;
        match cause {
            // It names the request.
            Some(cause) => write!(f, "{fault}: {cause}"),
            None => write!(f, "{request}: {fault}"),
        }
    }
}

impl fmt::Debug for EventSourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventSourceError")
            .field("request", &self.0.request)
            .field("fault", &self.0.fault)
            .field("cause", &self.0.cause)
            .field("left", &self.0.left)
            .finish()
    }
}

impl StdError for EventSourceError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let cause = self.0.cause.as_ref();
        cause.map(|cause| cause as &(dyn StdError + 'static))
    }
}
