//! Replies by futures.

use alloc::boxed::Box;
use core::future::Future;
use core::pin::Pin;
use core::task::Poll;

use super::asker::Asker;
use super::kept::Kept;
use super::spawner::Spawner;
use super::tasks::Group;
use crate::app::blocking::session::{LaterAnswer, busy};
use crate::app::exchange::refusal::Done;
use crate::app::exchange::reply::Reply;
use crate::app::exchange::session::{After, Session, SessionContext};
use crate::net::report::report;
use crate::net::{Claim, FutureSlot};

/// An exchange that waits for a future, which is dropped with it.
struct Awaiting<F> {
    future: Pin<Box<F>>,
    kept: Kept,
    _group: Option<Group>,
    _claim: Claim,
}

impl<A: LaterAnswer, F: Future<Output = A>> Session for Awaiting<F> {
    fn poll(&mut self, at: &mut SessionContext<'_, '_>, _token: u64) -> After {
        let Self { future, kept, .. } = self;
        let Poll::Ready(answer) = kept.poll(|context| future.as_mut().poll(context)) else {
            return After::Keep;
        };
        match answer.into_result() {
            Ok(response) => response.answer(at),
            Err(refusal) => at.refuse(&refusal),
        };
        After::End
    }

    fn overdue(&mut self, at: &mut SessionContext<'_, '_>) -> After {
        at.loop_state.metrics.counters.futures_timed_out.add(1);
        After::Keep // the app answers
    }
}

impl Reply<'_, '_> {
    /// Answers with what a future gives, which is polled on this loop: no runtime is needed,
    /// nor is anything that the future needs to be [`Send`].
    ///
    /// ```
    /// use barewire::app::{App, Refusal, Response, Status};
    ///
    /// /// Stands for a client whose calls are futures, of whatever kind.
    /// async fn name_of(id: u32) -> Option<String> {
    ///     (id == 7).then(|| "Ann".into())
    /// }
    ///
    /// App::new().get("/users/{id}", |request, reply| {
    ///     // What the future needs is taken along.
    ///     let id = request.param("id").parse().map_err(|_| Status::BAD_REQUEST)?;
    ///     Ok::<_, Status>(reply.future(async move {
    ///         let name = name_of(id).await.ok_or(Status::NOT_FOUND)?;
    ///         Ok::<_, Refusal>(Response::text(name))
    ///     }))
    /// });
    /// ```
    ///
    /// It is polled now, and if it is not ready, once after each time that it is woken, from
    /// whatever thread. One that is not ready within
    /// [`Limits::reply`](crate::link::Limits::reply) is dropped, and the client gets 504;
    /// it is also dropped if the client goes, which over HTTP/1.1 a mere FIN does not say
    /// ([`blocking`](Self::blocking)). There may be
    /// [`Limits::futures`](crate::net::Limits::futures): a further one is dropped and
    /// answered with 503. If it panics, 500 is sent.
    ///
    /// Futures of a library that brings a runtime of its own, such as tokio's sockets and
    /// timers, wait for that runtime: [`Spawner::sleep`] is the timer of this one. Polling
    /// holds up the loop as any handler does.
    pub fn future<A: LaterAnswer>(self, future: impl Future<Output = A> + 'static) -> Done {
        self.await_future(future, None)
    }

    /// Answers as [`future`](Self::future) does, with a future that has tasks beside it: they
    /// are dropped with the exchange, too.
    ///
    /// ```
    /// use barewire::app::{App, Response};
    /// use core::time::Duration;
    ///
    /// App::new().get("/patient", |_request, reply| {
    ///     reply.future_with(|spawner| async move {
    ///         let _ = spawner.spawn(async { /* beside it */ });
    ///         spawner.sleep(Duration::from_millis(20)).await;
    ///         Response::text("worth the wait")
    ///     })
    /// });
    /// ```
    pub fn future_with<A: LaterAnswer, F: Future<Output = A> + 'static>(
        mut self,
        make: impl FnOnce(Spawner) -> F,
    ) -> Done {
        let at = self.at();
        let (group, spawner) = at.loop_state.tasks.group(at.context);
        self.await_future(make(spawner), Some(group))
    }

    /// A spawner of tasks of the app on this loop, which outlive the request.
    pub fn spawner(&mut self) -> Spawner {
        self.at().loop_state.tasks.spawner()
    }

    #[inline]
    fn await_future<A: LaterAnswer>(
        mut self,
        future: impl Future<Output = A> + 'static,
        group: Option<Group>,
    ) -> Done {
        let mut future = Box::pin(future);
        let context = &mut *self.at().context;
        let slot = context.future_slot(0);
        let asker = Asker::of(context);
        let polled = asker.poll(&slot, |context| future.as_mut().poll(context));
        let Poll::Ready(answer) = polled else {
            return self.keep(future, slot, group);
        };
        context.free_slot(slot);
        match answer.into_result() {
            Ok(response) => self.response(response),
            Err(refusal) => self.refuse(refusal),
        }
    }

    #[inline(never)]
    fn keep<A: LaterAnswer, F: Future<Output = A> + 'static>(
        mut self,
        future: Pin<Box<F>>,
        slot: FutureSlot,
        group: Option<Group>,
    ) -> Done {
        let claim = match self.place() {
            Ok(claim) => claim,
            Err(refusal) => return self.refuse(refusal),
        };
        match Kept::new(self.at().context, slot, size_of::<F>()) {
            Ok(kept) => self.owe(Box::new(Awaiting {
                future,
                kept,
                _group: group,
                _claim: claim,
            })),
            Err(error) => {
                let subject = self.at().subject();
                report!(Warn, "{subject}: 503, as {error}");
                self.refuse(busy())
            }
        }
    }
}
