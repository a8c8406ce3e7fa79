//! A future's place on its loop, and the loop's end of it.

use alloc::sync::Arc;
use alloc::task::Wake;
use core::task::{Context, Waker};
use core::time::Duration;

use super::shared::Shared;
use super::sleep::Sleep;
use super::woken::Target;
use crate::net::{self, Key, SystemClock};
use crate::wire::Instant;
use crate::wire::partly_shown;

/// The place of a future that its owner keeps. While it is there, its wakers have the loop
/// call the owner with [`Event::Poll`](crate::link::Event::Poll), once a wake at most; when
/// it is dropped they do nothing more.
pub(crate) struct FutureSlot(Arc<Place>);

/// One word for a waker: wakers are clones of the `Arc`, so that waking allocates nothing.
struct Place {
    shared: Arc<Shared>,
    key: Key,
}

partly_shown!(it: FutureSlot { key: it.0.key });

impl Wake for Place {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.shared.wake(self.key);
    }
}

impl FutureSlot {
    /// Polls the future by what `poll` does with the context.
    pub(crate) fn poll<R>(&self, poll: impl FnOnce(&mut Context<'_>) -> R) -> R {
        self.0.shared.begin_poll(self.0.key);
        poll(&mut Context::from_waker(&self.waker()))
    }

    /// A waker of the future.
    pub(crate) fn waker(&self) -> Waker {
        Waker::from(self.0.clone())
    }

    /// Has another called when the future is woken.
    pub(crate) fn aim(&self, target: Target) {
        self.0.shared.aim(self.0.key, target);
    }

    /// Whether no waker of it is left.
    fn has_no_waker(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

impl Drop for FutureSlot {
    fn drop(&mut self) {
        self.0.shared.remove(self.0.key);
    }
}

/// The futures of one loop: the loop's own end.
pub(crate) struct Futures {
    shared: Arc<Shared>,
    /// A slot that no waker names, for the next future: most are ready at their first poll,
    /// and so cost no memory.
    spare: Option<FutureSlot>,
}

partly_shown!(it: Futures { shared });

impl Futures {
    pub(crate) fn new(waker: net::Waker, clock: Option<SystemClock>, now: Instant) -> Self {
        Self {
            shared: Shared::new(waker, clock, now),
            spare: None,
        }
    }

    /// A handle for any thread.
    pub(crate) fn handle(&self) -> FuturesHandle {
        FuturesHandle(self.shared.clone())
    }

    /// A place for a future of `target`.
    pub(crate) fn slot(&mut self, target: Target) -> FutureSlot {
        if let Some(slot) = self.spare.take() {
            slot.aim(target);
            return slot;
        }
        let key = self.shared.add(target);
        FutureSlot(Arc::new(Place {
            shared: self.shared.clone(),
            key,
        }))
    }

    /// Takes a place back whose future is ready.
    pub(crate) fn put_back(&mut self, slot: FutureSlot) {
        if slot.has_no_waker() {
            self.spare = Some(slot);
        }
    }

    /// A turn begins.
    #[inline]
    pub(crate) fn begin_turn(&self, now: Instant) {
        self.shared.begin_turn(now);
    }

    /// The name of the loop that these belong to.
    #[inline]
    pub(crate) fn id(&self) -> usize {
        self.shared.id()
    }

    /// Whether some have been woken.
    #[inline]
    pub(crate) fn is_woken(&self) -> bool {
        self.shared.is_woken()
    }

    /// How many have been woken.
    pub(crate) fn woken(&self) -> usize {
        self.shared.woken()
    }

    /// The next that is to be polled in this turn, of the first `left` that were woken.
    pub(crate) fn next(&self, left: &mut usize) -> Option<Target> {
        self.shared.next(left)
    }

    /// When one that sleeps is to be woken.
    #[inline]
    pub(crate) fn first_sleep(&self) -> Option<Instant> {
        Some(self.shared.first_sleep()).filter(|it| *it != Instant::NEVER)
    }

    /// Wakes those whose time has come, `most` of them.
    pub(crate) fn wake_sleeping(&self, now: Instant, most: usize) {
        if now < self.shared.first_sleep() {
            return;
        }
        let until = self.shared.act_on_sleeping(|it| it.mark());
        for _ in 0..most {
            match self.shared.act_on_sleeping(|it| it.wakened(now, until)) {
                Some(waker) => waker.wake(),
                None => return,
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn slots(&self) -> usize {
        self.shared.slots()
    }
}

impl Drop for Futures {
    fn drop(&mut self) {
        self.shared.close();
    }
}

/// The futures of one loop, for any thread.
#[derive(Debug, Clone)]
pub(crate) struct FuturesHandle(Arc<Shared>);

impl FuturesHandle {
    /// A future that is ready after some time.
    pub(crate) fn sleep(&self, time: Duration) -> Sleep {
        Sleep::new(self.0.clone(), time)
    }

    /// The name of the loop.
    pub(crate) fn id(&self) -> usize {
        self.0.id()
    }
}

#[cfg(test)]
mod tests;
