//! Futures that are ready after some time.

use alloc::sync::Arc;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use super::shared::Shared;
use crate::net::TimerId;
use crate::wire::Instant;

/// A future that is ready after some time: [`Spawner::sleep`](crate::app::Spawner::sleep)
/// makes it. It may be polled on any thread, but is woken by its loop, and so never after
/// that has ended.
#[must_use = "it does nothing unless it is awaited"]
pub struct Sleep {
    shared: Arc<Shared>,
    at: Instant,
    timer: Option<(TimerId, Waker)>,
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").field("at", &self.at).finish()
    }
}

impl Sleep {
    pub(super) fn new(shared: Arc<Shared>, time: Duration) -> Self {
        let at = shared.now() + time;
        Self {
            shared,
            at,
            timer: None,
        }
    }

    fn cancel(&mut self) {
        if let Some((timer, _)) = self.timer.take() {
            let waker = self.shared.act_on_sleeping(|it| it.cancel(timer));
            drop(waker); // another's code, and so not under the lock
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.shared.now() >= self.at {
            self.cancel();
            return Poll::Ready(());
        }
        let waker = context.waker();
        if let Some((_, set)) = &self.timer
            && set.will_wake(waker)
        {
            return Poll::Pending;
        }
        self.cancel();
        let (at, of_timer) = (self.at, waker.clone());
        let timer = self.shared.act_on_sleeping(|it| it.add(at, of_timer));
        self.timer = Some((timer, waker.clone()));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.cancel();
    }
}
