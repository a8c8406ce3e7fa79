//! State that the wakers of a loop's futures, on any thread, share with the loop.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::sleeping::Sleeping;
use super::woken::{Target, Woken};
use crate::net::turns::active;
use crate::net::{Key, SystemClock, Waker};
use crate::wire::Instant;
use crate::wire::partly_shown;

/// The futures of one loop, as any thread reaches them.
pub(crate) struct Shared {
    woken: Mutex<Woken>,
    /// Some have been woken; changed under the lock of `woken`.
    is_woken: AtomicBool,
    pub(super) sleeping: Mutex<Sleeping>,
    /// When the first that sleeps is to be woken; changed under the lock of `sleeping`.
    first: AtomicU64,
    /// The turns of the loop so far.
    turn: AtomicU64,
    /// The time of the present turn.
    now: AtomicU64,
    clock: Option<SystemClock>,
    waker: Waker,
}

partly_shown!(it: Shared { woken: it.lock().len() });

impl Shared {
    pub(super) fn new(waker: Waker, clock: Option<SystemClock>, now: Instant) -> Arc<Self> {
        Arc::new(Self {
            woken: Mutex::new(Woken::new()),
            is_woken: AtomicBool::new(false),
            sleeping: Mutex::new(Sleeping::new()),
            first: AtomicU64::new(Instant::NEVER.as_nanos()),
            turn: AtomicU64::new(1), // a slot of turn 0 has never been polled
            now: AtomicU64::new(now.as_nanos()),
            clock,
            waker,
        })
    }

    /// No code of others runs under the lock, so that a poisoned one guards a sound list.
    fn lock(&self) -> MutexGuard<'_, Woken> {
        self.woken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Acts on the slots.
    fn act<R>(&self, act: impl FnOnce(&mut Woken) -> R) -> R {
        let mut woken = self.lock();
        let result = act(&mut woken);
        self.is_woken.store(woken.len() > 0, Ordering::Release);
        result
    }

    /// The name of the loop that is in a turn on its thread.
    pub(crate) fn id(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }

    /// Whether the loop itself is at it: it looks for what has been woken before it waits.
    fn is_in_turn(&self) -> bool {
        active::current() == self.id()
    }

    /// Has the loop look, unless it does so anyway.
    fn ring(&self) {
        if !self.is_in_turn() {
            self.waker.wake();
        }
    }

    // The slots.

    pub(super) fn add(&self, target: Target) -> Key {
        let turn = self.turn();
        self.act(|woken| woken.add(target, turn))
    }

    pub(super) fn remove(&self, key: Key) {
        self.act(|woken| woken.remove(key));
    }

    pub(super) fn aim(&self, key: Key, target: Target) {
        self.act(|woken| woken.aim(key, target));
    }

    pub(super) fn begin_poll(&self, key: Key) {
        let turn = self.turn();
        self.act(|woken| woken.begin_poll(key, turn));
    }

    pub(super) fn wake(&self, key: Key) {
        if self.act(|woken| woken.wake(key)) {
            self.ring();
        }
    }

    // The loop's part.

    /// A turn begins.
    #[inline]
    pub(super) fn begin_turn(&self, now: Instant) {
        // The loop alone writes it.
        self.turn.store(self.turn() + 1, Ordering::Relaxed);
        self.now.store(now.as_nanos(), Ordering::Relaxed);
    }

    fn turn(&self) -> u64 {
        self.turn.load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn is_woken(&self) -> bool {
        self.is_woken.load(Ordering::Acquire)
    }

    /// How many have been woken.
    pub(super) fn woken(&self) -> usize {
        self.lock().len()
    }

    pub(super) fn next(&self, left: &mut usize) -> Option<Target> {
        let turn = self.turn();
        self.act(|woken| woken.next(turn, left))
    }

    /// The loop ends: wakes from here on do nothing.
    pub(super) fn close(&self) {
        self.act(Woken::clear);
        // Their wakers refer to this.
        let sleeping = self.act_on_sleeping(|it| core::mem::replace(it, Sleeping::new()));
        drop(sleeping);
    }

    #[cfg(test)]
    pub(super) fn slots(&self) -> usize {
        self.lock().slots()
    }

    // Time.

    /// The time: of the turn on the loop's own thread, and at this moment on others.
    pub(super) fn now(&self) -> Instant {
        match &self.clock {
            Some(clock) if !self.is_in_turn() => clock.now(),
            _ => Instant::from_nanos(self.now.load(Ordering::Relaxed)),
        }
    }

    /// When the first that sleeps is to be woken.
    #[inline]
    pub(super) fn first_sleep(&self) -> Instant {
        Instant::from_nanos(self.first.load(Ordering::Relaxed))
    }

    /// Acts on those that sleep.
    pub(super) fn act_on_sleeping<R>(&self, act: impl FnOnce(&mut Sleeping) -> R) -> R {
        let mut sleeping = self.sleeping.lock().unwrap_or_else(PoisonError::into_inner);
        let result = act(&mut sleeping);
        let (first, before) = (sleeping.first(), self.first_sleep());
        self.first.store(first.as_nanos(), Ordering::Relaxed);
        drop(sleeping);
        if first < before {
            self.ring();
        }
        result
    }
}
