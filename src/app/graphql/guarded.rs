//! Executors, kept in their bounds: their panics, and their time.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use core::future::{Future, poll_fn};
use core::panic::AssertUnwindSafe;
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use core::time::Duration;
use std::panic::catch_unwind;

use futures_core::Stream;

use super::executor::{Executor, GraphQlConnection, Operation};
use super::response::GraphQlResponse;
use crate::link::Charge;
use crate::net::report::report;

/// Executes a query or a mutation. Its panic, and the end of its time, are errors of GraphQL.
pub(super) async fn execute<E: Executor>(
    executor: Arc<E>,
    mut operation: Operation,
    time: Duration,
) -> GraphQlResponse {
    let _charge = operation.take_charge();
    let mut sleep = pin!(operation.spawner.sleep(time));
    let mut run = pin!(async { executor.execute(operation).await });
    poll_fn(|context| match guarded(|| run.as_mut().poll(context)) {
        Some(Poll::Ready(response)) => Poll::Ready(response),
        Some(Poll::Pending) => {
            let is_over = sleep.as_mut().poll(context);
            is_over.map(|()| GraphQlResponse::overdue())
        }
        None => Poll::Ready(GraphQlResponse::failed()),
    })
    .await
}

/// The responses to a subscription. A panic is its last one.
pub(super) struct Subscribed {
    stream: Option<Pin<Box<dyn Stream<Item = GraphQlResponse>>>>,
    _charge: Charge,
}

impl Subscribed {
    pub(super) fn new<E: Executor>(executor: &E, mut operation: Operation) -> Self {
        let mut charge = operation.take_charge();
        let stream = guarded(|| {
            let stream = executor.subscribe(operation);
            charge.grow(size_of_val(&stream));
            Box::pin(stream) as Pin<Box<dyn Stream<Item = _>>>
        });
        Self {
            stream: Some(stream.unwrap_or_else(|| Box::pin(Failed(true)))),
            _charge: charge,
        }
    }
}

/// Whether a client is accepted; no answer if the executor panics.
pub(super) type Verdict = Option<Result<Option<String>, String>>;

/// What an executor says to a client that has opened a WebSocket.
pub(super) async fn connect<E: Executor>(
    executor: Arc<E>,
    mut connection: GraphQlConnection,
) -> (GraphQlConnection, Verdict) {
    let verdict = {
        let mut run = pin!(async { executor.connect(&mut connection).await });
        let poll = |context: &mut Context<'_>| match guarded(|| run.as_mut().poll(context)) {
            Some(polled) => polled.map(Some),
            None => Poll::Ready(None),
        };
        poll_fn(poll).await
    };
    (connection, verdict)
}

impl Stream for Subscribed {
    type Item = GraphQlResponse;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(stream) = &mut self.stream else {
            return Poll::Ready(None);
        };
        match guarded(|| stream.as_mut().poll_next(context)) {
            Some(polled) => polled,
            None => {
                self.stream = None;
                Poll::Ready(Some(GraphQlResponse::failed()))
            }
        }
    }
}

/// The stream of an executor that has panicked.
struct Failed(bool);

impl Stream for Failed {
    type Item = GraphQlResponse;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let is_first = core::mem::take(&mut self.0);
        Poll::Ready(is_first.then(GraphQlResponse::failed))
    }
}

fn guarded<R>(run: impl FnOnce() -> R) -> Option<R> {
    let ran = catch_unwind(AssertUnwindSafe(run)).ok();
    if ran.is_none() {
        report!(Error, "an executor of GraphQL has panicked");
    }
    ran
}
