//! The threads that wait for a connection, in the order in which they came.
//!
//! A connection that becomes free is for one of them: that one is woken, and none that
//! comes later may take it before. One that was woken for nothing, or does not want it
//! any more, has the next one woken.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use std::sync::Condvar;

#[derive(Debug, Default)]
pub(super) struct Waiters(VecDeque<Waiter>);

#[derive(Debug)]
struct Waiter {
    origin: Arc<str>,
    bell: Arc<Condvar>,
    /// Something is there for it, and it has not looked yet.
    is_woken: bool,
}

impl Waiters {
    pub(super) fn wait_for(&self, origin: &str) -> bool {
        self.0.iter().any(|it| *it.origin == *origin)
    }

    pub(super) fn join(&mut self, origin: Arc<str>, bell: Arc<Condvar>) {
        self.0.push_back(Waiter {
            origin,
            bell,
            is_woken: false,
        });
    }

    /// Takes one away; whether it leaves something to the others.
    pub(super) fn leave(&mut self, bell: &Arc<Condvar>) -> bool {
        let left = self.place(bell).and_then(|at| self.0.remove(at));
        left.is_some_and(|it| it.is_woken)
    }

    fn place(&self, bell: &Arc<Condvar>) -> Option<usize> {
        self.0.iter().position(|it| Arc::ptr_eq(&it.bell, bell))
    }

    /// Whether it is its turn: woken, or first for its origin.
    pub(super) fn has_turn(&self, bell: &Arc<Condvar>) -> bool {
        let Some(at) = self.place(bell) else {
            return false;
        };
        self.0.get(at).is_some_and(|own| {
            own.is_woken || !self.0.iter().take(at).any(|it| it.origin == own.origin)
        })
    }

    /// One has looked in vain. If it was woken, the next one is, that comes into question.
    pub(super) fn looked_in_vain(&mut self, bell: &Arc<Condvar>, suits: impl Fn(&str) -> bool) {
        let Some(at) = self.place(bell) else {
            return;
        };
        let own = self.0.get_mut(at);
        if own.is_some_and(|it| core::mem::take(&mut it.is_woken)) {
            self.wake_behind(at + 1, suits);
        }
    }

    /// Wakes the first one that comes into question, and was not woken.
    pub(super) fn wake_one(&mut self, suits: impl Fn(&str) -> bool) {
        self.wake_behind(0, suits);
    }

    fn wake_behind(&mut self, first: usize, suits: impl Fn(&str) -> bool) {
        let mut rest = self.0.iter_mut().skip(first);
        if let Some(next) = rest.find(|it| !it.is_woken && suits(&it.origin)) {
            next.wake();
        }
    }

    pub(super) fn wake_all(&mut self, origin: Option<&str>) {
        let all = self.0.iter_mut();
        all.filter(|it| origin.is_none_or(|origin| *it.origin == *origin))
            .for_each(Waiter::wake);
    }
}

impl Waiter {
    fn wake(&mut self) {
        self.is_woken = true;
        self.bell.notify_one();
    }
}

#[cfg(test)]
mod tests;
