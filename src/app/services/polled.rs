//! Methods that answer by futures and streams, which are polled on their loop.

use alloc::boxed::Box;
use core::future::Future;
use core::pin::Pin;
use core::task::Poll;

use super::call::Call;
use super::codec::{CallStatus, Payload};
use super::methods::{Answer, Messages};
use super::responses::{Source, Turn};
use super::sending::Sending;
use super::service::Service;
use crate::app::exchange::session::SessionContext;
use crate::app::futures::asker::Asker;
#[cfg(feature = "futures")]
use crate::app::futures::jobs::ITEMS;
use crate::app::futures::kept::Kept;
use crate::grpc::{Code, Status};
#[cfg(feature = "futures")]
use crate::net::Flow;
use crate::net::FutureSlot;
use crate::net::report::report;

/// The place of what is polled: kept once it has been seen not to be ready.
#[derive(Default)]
struct Place(Option<Kept>);

impl Place {
    /// Polls by what `poll` does. The call ends where what is not ready may not be kept.
    fn poll<R>(
        &mut self,
        (at, sending): (&mut SessionContext<'_, '_>, &mut Sending),
        bytes: usize,
        mut poll: impl FnMut(
            &mut core::task::Context<'_>,
            &mut SessionContext<'_, '_>,
            &mut Sending,
        ) -> Poll<R>,
    ) -> Poll<R> {
        if let Some(kept) = &self.0 {
            return kept.poll(|context| poll(context, at, sending));
        }
        let slot = at.context.future_slot(0);
        let asker = Asker::of(at.context);
        let polled = asker.poll(&slot, |context| poll(context, at, sending));
        match polled {
            Poll::Ready(_) => at.context.free_slot(slot),
            Poll::Pending if sending.is_ended() => {}
            Poll::Pending => self.keep(at, sending, slot, bytes),
        }
        polled
    }

    fn keep(
        &mut self,
        at: &mut SessionContext<'_, '_>,
        sending: &mut Sending,
        slot: FutureSlot,
        bytes: usize,
    ) {
        match Kept::new(at.context, slot, bytes) {
            Ok(kept) => self.0 = Some(kept),
            Err(error) => {
                report!(Warn, "a call ends with RESOURCE_EXHAUSTED: {error}");
                let status = Status::new(Code::ResourceExhausted, "the server is busy");
                sending.finish(at, status.into());
            }
        }
    }
}

/// The one response that a future gives.
struct Awaited<F> {
    future: Pin<Box<F>>,
    place: Place,
}

impl<O: Payload, F: Future<Output = Result<O, CallStatus>>> Source for Awaited<F> {
    fn is_live(&self) -> bool {
        false
    }

    fn opens_at_once(&self) -> bool {
        false
    }

    fn is_owing(&self) -> bool {
        true
    }

    fn is_polled(&self) -> bool {
        true
    }

    fn turn(&mut self, at: &mut SessionContext<'_, '_>, sending: &mut Sending, turn: Turn<'_>) {
        if !matches!(turn, Turn::Open | Turn::Poll) {
            return;
        }
        let Self { future, place } = self;
        let poll = |context: &mut core::task::Context<'_>,
                    _: &mut SessionContext<'_, '_>,
                    _: &mut Sending| future.as_mut().poll(context);
        let Poll::Ready(result) = place.poll((at, sending), size_of::<F>(), poll) else {
            return;
        };
        match result {
            Ok(message) => {
                if sending.send(at, |out| message.encode(out)).is_taken() {
                    sending.finish_ok(at);
                }
            }
            Err(status) => sending.finish(at, status),
        }
    }
}

/// The responses that a stream gives.
#[cfg(feature = "futures")]
struct Streamed<S> {
    stream: Pin<Box<S>>,
    place: Place,
}

#[cfg(feature = "futures")]
impl<O: Payload, S: futures_core::Stream<Item = Result<O, CallStatus>>> Source for Streamed<S> {
    fn is_live(&self) -> bool {
        true
    }

    fn is_polled(&self) -> bool {
        true
    }

    fn turn(&mut self, at: &mut SessionContext<'_, '_>, sending: &mut Sending, turn: Turn<'_>) {
        let is_due = matches!(turn, Turn::Open | Turn::Writable | Turn::Poll);
        if !is_due || sending.waiting || sending.is_ended() {
            return;
        }
        let Self { stream, place } = self;
        let poll = |context: &mut core::task::Context<'_>,
                    at: &mut SessionContext<'_, '_>,
                    sending: &mut Sending| {
            for _ in 0..ITEMS {
                match stream.as_mut().poll_next(context) {
                    Poll::Ready(Some(Ok(message))) => {
                        if sending.send(at, |out| message.encode(out)) != Flow::Go {
                            return Poll::Pending; // until the client takes more
                        }
                    }
                    Poll::Ready(Some(Err(status))) => return Poll::Ready(Some(status)),
                    Poll::Ready(None) => return Poll::Ready(None),
                    Poll::Pending => return Poll::Pending,
                }
            }
            context.waker().wake_by_ref(); // others come first
            Poll::Pending
        };
        match place.poll((at, sending), size_of::<S>(), poll) {
            Poll::Ready(Some(status)) => sending.finish(at, status),
            Poll::Ready(None) => sending.finish_ok(at),
            Poll::Pending => {}
        }
    }
}

/// The source of a future's message.
pub(super) fn awaited<O: Payload + 'static>(
    future: impl Future<Output = Result<O, CallStatus>> + 'static,
) -> Box<dyn Source> {
    Box::new(Awaited {
        future: Box::pin(future),
        place: Place::default(),
    })
}

/// The source of a stream's messages.
#[cfg(feature = "futures")]
pub(super) fn streamed<O: Payload + 'static>(
    stream: impl futures_core::Stream<Item = Result<O, CallStatus>> + 'static,
) -> Box<dyn Source> {
    Box::new(Streamed {
        stream: Box::pin(stream),
        place: Place::default(),
    })
}

impl Service {
    /// A method of one message each way, whose response a future gives. It is polled on the
    /// loop, now and whenever it is woken, and dropped if the client goes or its deadline
    /// passes; without one, the call ends with DEADLINE_EXCEEDED after
    /// [`Limits::reply`](crate::link::Limits::reply).
    ///
    /// ```
    /// use barewire::app::{CallStatus, Service};
    ///
    /// /// Stands for a client whose calls are futures.
    /// async fn look_up(key: Vec<u8>) -> Result<Vec<u8>, CallStatus> {
    ///     Ok(key)
    /// }
    ///
    /// Service::new("store.Store").unary_async("Get", |key: Vec<u8>, _call| look_up(key));
    /// ```
    #[must_use]
    pub fn unary_async<I: Payload, O: Payload + 'static, F>(
        self,
        name: &str,
        method: impl Fn(I, &mut Call<'_>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<O, CallStatus>> + 'static,
    {
        self.on_message(
            name,
            true,
            Messages::of::<I, O>(),
            move |message, call, _out| {
                let future = method(call.read::<I>(message)?, call);
                Ok(Answer::Stream(awaited(future)))
            },
        )
    }

    /// A method that answers with a stream of messages: those of a
    /// [`Stream`](futures_core::Stream), which is polled on the loop, and not while the client
    /// does not read. An error ends it with that status.
    #[cfg(feature = "futures")]
    #[must_use]
    pub fn server_streaming_async<I: Payload, O: Payload + 'static, S>(
        self,
        name: &str,
        method: impl Fn(I, &mut Call<'_>) -> Result<S, CallStatus> + Send + Sync + 'static,
    ) -> Self
    where
        S: futures_core::Stream<Item = Result<O, CallStatus>> + 'static,
    {
        self.on_message(
            name,
            false,
            Messages::of::<I, O>(),
            move |message, call, _out| {
                let stream = method(call.read::<I>(message)?, call)?;
                Ok(Answer::Stream(streamed(stream)))
            },
        )
    }
}
