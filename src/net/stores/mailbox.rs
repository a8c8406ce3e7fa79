//! Messages from other threads.
//!
//! ```text
//!  any thread             lock              the loop's thread
//!  post ----> [ replies | publishes ] ====> [ this batch ] ---> next
//!      \                              swap
//!       `-- wakes the loop if the queue was empty
//! ```
//!
//! The loop swaps the whole queue for its own empty one and handles it without
//! the lock. While there is something queued, posting wakes nobody; the
//! [`Waker`] itself spares the system call if it was woken for another reason.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::net::Waker;
use crate::wire::partly_shown;

/// The mail that gives way when a mailbox is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Priority {
    /// Somebody waits for just this message. It takes the place of the newest
    /// publish.
    Reply,
    /// One of many; the next one will do.
    Publish,
}

/// Why a message was not accepted. It comes back.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Undelivered<T> {
    /// The mailbox is full.
    #[error("the mailbox is full")]
    Full(T),
    /// The loop is gone.
    #[error("the loop is gone")]
    Closed(T),
}

impl<T> Undelivered<T> {
    /// The message.
    pub fn into_message(self) -> T {
        match self {
            Self::Full(message) | Self::Closed(message) => message,
        }
    }
}

impl<T> fmt::Debug for Undelivered<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full",
            Self::Closed(_) => "Closed",
        })
    }
}

/// Messages that a mailbox has lost by being full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Lost {
    /// Published messages: refused, or displaced by replies.
    pub publishes: u64,
    /// Replies, refused because only replies waited.
    pub replies: u64,
}

/// Makes a mailbox that holds `capacity` messages of `memory` bytes together,
/// and wakes its loop with `waker`.
pub(crate) fn mailbox<T>(capacity: usize, memory: usize, waker: Waker) -> (Mailbox<T>, Inbox<T>) {
    let state = Arc::new(MailboxState {
        queue: Mutex::new(Queue::new()),
        waiting: AtomicBool::new(false),
        closed: AtomicBool::new(false),
        lost_publishes: AtomicU64::new(0),
        lost_replies: AtomicU64::new(0),
        held: AtomicUsize::new(0),
        capacity,
        memory,
        waker,
    });
    let inbox = Inbox {
        state: state.clone(),
        batch: Queue::new(),
    };
    (Mailbox(state), inbox)
}

/// The posting end, for any thread.
pub(crate) struct Mailbox<T>(Arc<MailboxState<T>>);

/// The loop's end. Dropping it closes the mailbox.
pub(crate) struct Inbox<T> {
    state: Arc<MailboxState<T>>,
    batch: Queue<T>,
}

struct MailboxState<T> {
    queue: Mutex<Queue<T>>,
    waiting: AtomicBool, // whether `queue` holds something; changed under its lock
    closed: AtomicBool,  // changed under the lock of `queue`
    lost_publishes: AtomicU64,
    lost_replies: AtomicU64,
    /// Bytes of all messages that have not been taken out.
    held: AtomicUsize,
    capacity: usize,
    memory: usize,
    waker: Waker,
}

/// Two queues of numbered messages: the newest publish can be dropped, and the order is kept.
struct Queue<T> {
    replies: VecDeque<Queued<T>>,
    publishes: VecDeque<Queued<T>>,
    posted: u64,
}

struct Queued<T> {
    number: u64,
    bytes: usize,
    message: T,
}

impl<T> Queue<T> {
    const fn new() -> Self {
        Self {
            replies: VecDeque::new(),
            publishes: VecDeque::new(),
            posted: 0,
        }
    }

    fn len(&self) -> usize {
        self.replies.len() + self.publishes.len()
    }

    fn push(&mut self, message: T, bytes: usize, priority: Priority) {
        let queued = Queued {
            number: self.posted,
            bytes,
            message,
        };
        self.posted += 1;
        match priority {
            Priority::Reply => self.replies.push_back(queued),
            Priority::Publish => self.publishes.push_back(queued),
        }
    }

    fn pop(&mut self) -> Option<Queued<T>> {
        let queue = match (self.replies.front(), self.publishes.front()) {
            (Some(reply), Some(publish)) if publish.number < reply.number => &mut self.publishes,
            (None, Some(_)) => &mut self.publishes,
            _ => &mut self.replies,
        };
        queue.pop_front()
    }
}

impl<T> MailboxState<T> {
    /// The lock. No foreign code runs under it: a poisoned one guards a sound queue.
    fn lock(&self) -> MutexGuard<'_, Queue<T>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Mailbox<T> {
    /// Posts a message, counted by its size, and wakes an idle loop. One thread's messages keep
    /// their order.
    pub(crate) fn post(&self, message: T, priority: Priority) -> Result<(), Undelivered<T>> {
        self.post_sized(message, size_of::<T>(), priority)
    }

    /// Posts a message that holds `bytes` bytes.
    pub(crate) fn post_sized(
        &self,
        message: T,
        bytes: usize,
        priority: Priority,
    ) -> Result<(), Undelivered<T>> {
        let state = &*self.0;
        let mut queue = state.lock();
        if state.closed.load(Ordering::Relaxed) {
            return Err(Undelivered::Closed(message));
        }
        let Some(newest) = state.to_displace(&queue, bytes, priority) else {
            drop(queue);
            match priority {
                Priority::Reply => &state.lost_replies,
                Priority::Publish => &state.lost_publishes,
            }
            .fetch_add(1, Ordering::Relaxed);
            return Err(Undelivered::Full(message));
        };
        let rest = queue.publishes.len() - newest; // of so many
        let displaced: Vec<Queued<T>> = queue.publishes.drain(rest..).collect();
        let freed = displaced.iter().map(|queued| queued.bytes).sum();
        state.held.fetch_sub(freed, Ordering::Relaxed);
        let lost = displaced.len() as u64;
        state.lost_publishes.fetch_add(lost, Ordering::Relaxed);
        let first = queue.len() == 0 && displaced.is_empty();
        queue.push(message, bytes, priority);
        state.held.fetch_add(bytes, Ordering::Relaxed);
        state.waiting.store(true, Ordering::Release);
        drop(queue);
        drop(displaced); // may run code of its own: not under the lock
        if first {
            state.waker.wake();
        }
        Ok(())
    }

    /// Posts a message however full the mailbox is: for the few that must not be lost.
    pub(crate) fn post_always(&self, message: T) {
        let state = &*self.0;
        let mut queue = state.lock();
        if state.closed.load(Ordering::Relaxed) {
            return;
        }
        queue.push(message, 0, Priority::Reply);
        state.waiting.store(true, Ordering::Release);
        drop(queue);
        state.waker.wake();
    }

    pub(crate) fn lost(&self) -> Lost {
        self.0.lost()
    }

    #[cfg(test)]
    pub(crate) fn is_closed(&self) -> bool {
        self.0.closed.load(Ordering::Relaxed)
    }
}

impl<T> MailboxState<T> {
    /// How many of the newest publishes must go to make room for so many bytes; `None` if that
    /// will not do. One message alone fits.
    fn to_displace(&self, queue: &Queue<T>, bytes: usize, priority: Priority) -> Option<usize> {
        let (mut messages, mut held) = (queue.len(), self.held.load(Ordering::Relaxed));
        let has_room = |messages: usize, held: usize| {
            let fits = held == 0 || held.saturating_add(bytes) <= self.memory;
            messages < self.capacity && fits
        };
        if has_room(messages, held) {
            return Some(0);
        }
        if priority == Priority::Publish {
            return None;
        }
        let newest = queue.publishes.iter().rev().position(|queued| {
            messages -= 1; // it is one of them
            held = held.saturating_sub(queued.bytes);
            has_room(messages, held)
        });
        newest.map(|before| before + 1)
    }

    fn lost(&self) -> Lost {
        Lost {
            publishes: self.lost_publishes.load(Ordering::Relaxed),
            replies: self.lost_replies.load(Ordering::Relaxed),
        }
    }
}

impl<T> Inbox<T> {
    /// A message that leaves the mailbox.
    fn hand_out(&self, queued: Queued<T>) -> T {
        self.state.held.fetch_sub(queued.bytes, Ordering::Relaxed);
        queued.message
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.batch.len() == 0 && !self.state.waiting.load(Ordering::Acquire)
    }

    pub(crate) fn lost(&self) -> Lost {
        self.state.lost()
    }

    pub(crate) fn mailbox(&self) -> Mailbox<T> {
        Mailbox(self.state.clone())
    }
}

/// The messages in order; `None` ends the iteration for now.
///
/// One lock for all that waited. A bounded turn comes back while [`is_empty`](Inbox::is_empty)
/// is false: it is not woken again.
impl<T> Iterator for Inbox<T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        if let Some(queued) = self.batch.pop() {
            return Some(self.hand_out(queued));
        }
        if !self.state.waiting.load(Ordering::Acquire) {
            return None;
        }
        let mut queue = self.state.lock();
        core::mem::swap(&mut self.batch, &mut queue);
        self.state.waiting.store(false, Ordering::Release);
        drop(queue);
        let queued = self.batch.pop()?;
        Some(self.hand_out(queued))
    }
}

impl<T> Drop for Inbox<T> {
    fn drop(&mut self) {
        let mut queue = self.state.lock();
        self.state.closed.store(true, Ordering::Relaxed);
        let rest = core::mem::replace(&mut *queue, Queue::new());
        drop(queue);
        drop(rest); // messages may run code of their own: not under the lock
    }
}

impl<T> Clone for Mailbox<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

partly_shown!([T] it: Mailbox<T> { lost: it.lost() });

partly_shown!([T] it: Inbox<T> { lost: it.lost() });

#[cfg(test)]
mod tests;
