//! One block of a stream, to be sent.

use crate::wire::builder;
use core::time::Duration;

/// A block of fields, as an application puts it together.
///
/// ```
/// use barewire::sse::Event;
/// use core::time::Duration;
///
/// let mut out = Vec::new();
/// let event = Event::new("{\"n\":1}").event("tick").id("1").retry(Duration::from_secs(2));
/// event.encode(&mut out).unwrap();
/// assert_eq!(out, b"event: tick\nid: 1\nretry: 2000\ndata: {\"n\":1}\n\n");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Event<'a> {
    /// The data: any text; its lines may end with LF, CR or CRLF, and arrive
    /// joined by LF. A block without data sets the other fields and is not
    /// dispatched.
    pub data: Option<&'a str>,
    /// The type, without CR, LF and NUL; `message` where there is none.
    pub event: Option<&'a str>,
    /// The ID, without CR, LF and NUL; the empty one resets the client's last
    /// event ID.
    pub id: Option<&'a str>,
    /// How long the client waits before it reconnects; whole milliseconds are
    /// sent.
    pub retry: Option<Duration>,
}

impl<'a> Event<'a> {
    /// A block without any field: with [`retry`](Self::retry) or
    /// [`id`](Self::id) it sets these and dispatches nothing.
    pub const EMPTY: Self = Self {
        data: None,
        event: None,
        id: None,
        retry: None,
    };

    /// A block that dispatches `data`.
    #[inline]
    pub const fn new(data: &'a str) -> Self {
        Self {
            data: Some(data),
            ..Self::EMPTY
        }
    }

    builder! {
        /// Sets the type.
        #[inline]
        const fn event(event: &'a str) => event = Some(event);

        /// Sets the ID.
        #[inline]
        const fn id(id: &'a str) => id = Some(id);

        /// Sets the reconnection time.
        #[inline]
        const fn retry(retry: Duration) => retry = Some(retry);
    }
}
