//! Chapter 7: a schema of async-graphql, by all transports of GraphQL.

use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::task::{Context as Polling, Poll};
use std::time::Duration;

use async_graphql::{Context, Object, Result, Schema, Subscription};
use barewire::app::{App, AsyncGraphQl, Error, GraphQl, Spawner};
use futures_core::Stream;

/// How many cups have been drunk.
#[derive(Default)]
struct Cups(AtomicU32);

struct Query;

#[Object]
impl Query {
    async fn cups(&self, context: &Context<'_>) -> Result<u32> {
        Ok(context.data::<Cups>()?.0.load(Relaxed))
    }
}

struct Mutation;

#[Object]
impl Mutation {
    async fn drink(&self, context: &Context<'_>, cups: u32) -> Result<u32> {
        let drunk = context.data::<Cups>()?.0.fetch_add(cups, Relaxed);
        Ok(drunk + cups)
    }
}

struct Subscriptions;

#[Subscription]
impl Subscriptions {
    /// Counts down, by the timer of the loop.
    async fn countdown(&self, context: &Context<'_>, from: u32) -> Result<impl Stream<Item = u32>> {
        let timer = context.data::<Spawner>()?.clone();
        let wait = None;
        Ok(Countdown { timer, from, wait })
    }
}

struct Countdown {
    timer: Spawner,
    from: u32,
    wait: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Stream for Countdown {
    type Item = u32;

    fn poll_next(mut self: Pin<&mut Self>, polling: &mut Polling<'_>) -> Poll<Option<u32>> {
        if self.from == 0 {
            return Poll::Ready(None);
        }
        let timer = self.timer.clone();
        let wait = self.wait.get_or_insert_with(|| {
            Box::pin(async move {
                timer.sleep(Duration::from_millis(10)).await;
            })
        });
        if wait.as_mut().poll(polling).is_pending() {
            return Poll::Pending;
        }
        self.wait = None;
        self.from -= 1;
        Poll::Ready(Some(self.from))
    }
}

fn main() -> Result<(), Error> {
    let schema = Schema::build(Query, Mutation, Subscriptions)
        .data(Cups::default())
        .limit_depth(20)
        .limit_complexity(1_000)
        .finish();
    guide::serve(App::new().graphql("/graphql", GraphQl::new(AsyncGraphQl(schema))))
}
