//! Event streams whose events a stream gives.

use alloc::boxed::Box;

use futures_core::Stream;

use super::event_stream::EventStream;
use super::events::Events;

/// Sends an item of a stream.
type Send<T> = Box<dyn FnMut(T, &mut EventStream<'_, '_>)>;

/// The object of an event stream that sends the items of a [`Stream`], and ends with it.
///
/// ```
/// # use futures_core::Stream;
/// use barewire::app::{App, EventsFrom};
/// use barewire::sse::Event;
///
/// # fn prices() -> impl Stream<Item = u64> { Never }
/// # struct Never;
/// # impl Stream for Never {
/// #     type Item = u64;
/// #     fn poll_next(self: core::pin::Pin<&mut Self>, _: &mut core::task::Context<'_>)
/// #         -> core::task::Poll<Option<u64>> { core::task::Poll::Pending }
/// # }
/// App::new().events("/prices", |_request| {
///     Ok(EventsFrom::new(prices(), |price, events| {
///         events.send(&Event::new(&price.to_string()));
///     }))
/// });
/// ```
///
/// The stream is polled on the loop, and not while the client does not read. If it may not
/// be kept ([`Limits::futures`](crate::net::Limits::futures)), the event stream ends, and its
/// client comes again.
pub struct EventsFrom<S: Stream> {
    /// Until it opens.
    parts: Option<(S, Send<S::Item>)>,
}

impl<S: Stream> core::fmt::Debug for EventsFrom<S> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let is_open = self.parts.is_none();
        f.debug_struct("EventsFrom")
            .field("is_open", &is_open)
            .finish()
    }
}

impl<S: Stream + 'static> EventsFrom<S> {
    /// An event stream of these items, which `send` sends.
    pub fn new(stream: S, send: impl FnMut(S::Item, &mut EventStream<'_, '_>) + 'static) -> Self {
        Self {
            parts: Some((stream, Box::new(send))),
        }
    }
}

impl<S: Stream + 'static> Events for EventsFrom<S> {
    fn open(&mut self, events: &mut EventStream<'_, '_>) {
        let Some((stream, mut send)) = self.parts.take() else {
            return;
        };
        let kept = events.stream(stream, move |item, events| match item {
            Some(item) => send(item, events),
            None => events.finish(),
        });
        if kept.is_err() {
            events.finish();
        }
    }
}
