//! Event streams: Server-Sent Events that go on until someone hangs up.
//!
//! ```text
//!  GET /ticks ──► the route's closure ──► Ok(object) ──► 200, text/event-stream
//!                        └─► Err(refusal)
//!  ◄── open, timer, mail, writable: events ── and a comment after each silence
//!  FIN ──► gone        the loop drains ──► retry: ..., and the end
//! ```

use alloc::boxed::Box;
use core::any::Any;

use super::event_stream::EventStream;
use crate::app::channels::channel_limits::ChannelError;
use crate::app::channels::format::Delivery;
use crate::app::channels::position::Position;
use crate::app::channels::publication::Publication;
use crate::app::channels::slow::Missed;
use crate::app::publishing::join::{ChannelAnswer, Joined};
use crate::link::EndReason;

/// One event stream: an object whose fields are the session's state.
///
/// It is made by its route's closure for each request, is called on one thread
/// alone, and is dropped with the stream.
///
/// ```
/// use barewire::app::{App, EventStream, Events};
/// use barewire::sse::Event;
/// use core::time::Duration;
///
/// struct Ticker(u64);
///
/// impl Events for Ticker {
///     fn open(&mut self, stream: &mut EventStream<'_, '_>) {
///         stream.after(Duration::from_secs(1), 0);
///     }
///
///     fn timer(&mut self, stream: &mut EventStream<'_, '_>, _token: u32) {
///         self.0 += 1;
///         stream.send(&Event::new("tick").id(&self.0.to_string()));
///         stream.after(Duration::from_secs(1), 0);
///     }
/// }
///
/// App::new().events("/ticks", |request| {
///     let last = request.last_event_id().and_then(|id| id.parse().ok());
///     Ok(Ticker(last.unwrap_or(0)))
/// });
/// ```
///
/// Its methods must not sleep or wait: their loop serves others on the same
/// thread. What blocks, such as a query of a database, goes to a thread, and
/// comes back as [`mail`](Self::mail):
///
/// ```
/// # use barewire::app::{EventStream, Events};
/// # use barewire::sse::Event;
/// # use std::any::Any;
/// # use std::sync::mpsc::Sender;
/// /// A thread of the application's answers what is sent here.
/// struct Total(Sender<barewire::app::Handle>);
///
/// impl Events for Total {
///     fn open(&mut self, stream: &mut EventStream<'_, '_>) {
///         let _ = self.0.send(stream.handle()); // there: `handle.mail(total)`
///     }
///
///     fn mail(&mut self, stream: &mut EventStream<'_, '_>, mail: Box<dyn Any + Send>) {
///         if let Ok(total) = mail.downcast::<u64>() {
///             stream.send(&Event::new(&total.to_string()));
///         }
///     }
/// }
/// ```
#[expect(unused_variables, reason = "the names are the documentation")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the object of an event stream",
    note = "implement `Events` for it: `open` is called when the stream has begun"
)]
pub trait Events {
    /// The stream is open.
    fn open(&mut self, stream: &mut EventStream<'_, '_>);

    /// A timer set with [`EventStream::after`] went off.
    fn timer(&mut self, stream: &mut EventStream<'_, '_>, token: u32) {}

    /// Something was sent with [`Handle::mail`](crate::app::Handle::mail).
    fn mail(&mut self, stream: &mut EventStream<'_, '_>, mail: Box<dyn Any + Send>) {}

    /// Something on this loop has woken it, by [`EventStream::waker`].
    fn woken(&mut self, stream: &mut EventStream<'_, '_>) {}

    /// After a [`Wait`](crate::net::Flow::Wait): the peer has taken enough to
    /// go on.
    fn writable(&mut self, stream: &mut EventStream<'_, '_>) {}

    /// How what is published reaches the stream; asked once, before it opens.
    fn delivery(&self) -> Delivery {
        Delivery::Direct
    }

    /// Something was published to a channel that the stream is in, if its publications
    /// come to its [object](Delivery::Object).
    fn publication(
        &mut self,
        stream: &mut EventStream<'_, '_>,
        channel: &str,
        publication: &Publication,
    ) {
    }

    /// The stream was too slow, and some of what was published was left out
    /// ([`SlowMembers::Drop`](crate::app::SlowMembers::Drop)): between what it has got and
    /// what comes from now on. By default the stream ends, so that its client comes back with
    /// the last id that it got.
    fn missed(&mut self, stream: &mut EventStream<'_, '_>, missed: Missed<'_>) {
        stream.finish();
    }

    /// The outcome of a [`join`](EventStream::join) that was to be decided
    /// [later](Joined::Later). What the stream missed follows what is sent here. By default it
    /// ends if the channel cannot be reached.
    fn joined(&mut self, stream: &mut EventStream<'_, '_>, answer: ChannelAnswer<'_, Joined>) {
        if answer.result == Err(ChannelError::Unavailable) {
            stream.finish();
        }
    }

    /// The outcome of something that the stream has published, of which that was to be
    /// decided [later](crate::app::Published::Later): its place, in a channel with history.
    fn published(
        &mut self,
        stream: &mut EventStream<'_, '_>,
        answer: ChannelAnswer<'_, Option<Position>>,
    ) {
    }

    /// The server stops: when this returns, the client is told to come again
    /// after the route's [`retry`](crate::app::EventsRoute::retry) time, and the stream ends.
    /// Events sent here arrive before that. If this method
    /// [finishes](EventStream::finish) the stream itself, nothing more is sent.
    fn draining(&mut self, stream: &mut EventStream<'_, '_>) {}

    /// The stream is over, and not by [`finish`](EventStream::finish): nothing
    /// can be sent any more. Not called if one of the others panicked.
    fn closed(&mut self, stream: &mut EventStream<'_, '_>, why: EndReason) {}
}
