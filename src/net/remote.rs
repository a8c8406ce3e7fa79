//! Reaching a loop from any thread.

use alloc::boxed::Box;
use core::any::Any;
use core::time::Duration;

use super::{Exchange, Mailbox, Owner, Priority, Undelivered};

/// What other threads send to a loop.
#[derive(Debug)]
pub(super) enum Mail {
    /// To the owner of an exchange, while that is open.
    Exchange {
        owner: Owner,
        exchange: Exchange,
        value: Box<dyn Any + Send>,
    },
    /// To an owner.
    Owner {
        owner: Owner,
        value: Box<dyn Any + Send>,
    },
    /// To the loop: stop.
    Drain { within: Option<Duration> },
}

/// A handle to a loop that any thread may hold.
#[derive(Debug, Clone)]
pub struct Remote {
    mailbox: Mailbox<Mail>,
}

impl Remote {
    pub(super) const fn new(mailbox: Mailbox<Mail>) -> Self {
        Self { mailbox }
    }

    /// Sends `value` to the owner of `exchange` as
    /// [`Event::Mail`](crate::link::Event::Mail); it is dropped if the
    /// exchange is over when it arrives.
    ///
    /// # Errors
    /// [`Undelivered`] gives it back if the mailbox is full or the loop is gone.
    pub fn post(
        &self,
        owner: Owner,
        exchange: Exchange,
        value: Box<dyn Any + Send>,
    ) -> Result<(), Undelivered<Box<dyn Any + Send>>> {
        self.post_sized(owner, exchange, value, 0)
    }

    /// Sends a value that refers to `bytes` bytes of memory. They count for
    /// [`Limits::mailbox_memory`](super::Limits::mailbox_memory) beside the value's
    /// own size.
    ///
    /// # Errors
    /// As [`post`](Self::post).
    pub fn post_sized(
        &self,
        owner: Owner,
        exchange: Exchange,
        value: Box<dyn Any + Send>,
        bytes: usize,
    ) -> Result<(), Undelivered<Box<dyn Any + Send>>> {
        let bytes = weight(&*value, bytes);
        let mail = Mail::Exchange {
            owner,
            exchange,
            value,
        };
        self.mailbox
            .post_sized(mail, bytes, Priority::Reply)
            .map_err(back)
    }

    /// Sends `value` to an owner, whatever becomes of its connections.
    ///
    /// # Errors
    /// [`Undelivered`], as for [`post`](Self::post); values of the lower priority
    /// are refused first.
    pub fn post_to_owner(
        &self,
        owner: Owner,
        priority: Priority,
        value: Box<dyn Any + Send>,
    ) -> Result<(), Undelivered<Box<dyn Any + Send>>> {
        self.post_sized_to_owner(owner, priority, value, 0)
    }

    /// Sends to an owner a value that refers to `bytes` bytes of memory, which
    /// count as those of [`post_sized`](Self::post_sized) do.
    ///
    /// # Errors
    /// As [`post`](Self::post).
    pub fn post_sized_to_owner(
        &self,
        owner: Owner,
        priority: Priority,
        value: Box<dyn Any + Send>,
        bytes: usize,
    ) -> Result<(), Undelivered<Box<dyn Any + Send>>> {
        let bytes = weight(&*value, bytes);
        self.mailbox
            .post_sized(Mail::Owner { owner, value }, bytes, priority)
            .map_err(back)
    }

    /// Asks the loop to stop: nothing new is accepted, what runs may finish
    /// `within` this time (`None`: within
    /// [`Limits::drain_time`](super::Limits::drain_time)). No mailbox is too
    /// full for that.
    pub fn drain(&self, within: impl Into<Option<Duration>>) {
        let within = within.into();
        self.mailbox.post_always(Mail::Drain { within });
    }
}

/// What mail counts in a mailbox: the value, and what it refers to.
fn weight(value: &(dyn Any + Send), bytes: usize) -> usize {
    size_of::<Mail>() + size_of_val(value) + bytes
}

/// The value of mail that did not get through.
fn back(undelivered: Undelivered<Mail>) -> Undelivered<Box<dyn Any + Send>> {
    let value = |mail| match mail {
        Mail::Exchange { value, .. } | Mail::Owner { value, .. } => value,
        Mail::Drain { .. } => Box::new(()) as Box<dyn Any + Send>,
    };
    match undelivered {
        Undelivered::Full(mail) => Undelivered::Full(value(mail)),
        Undelivered::Closed(mail) => Undelivered::Closed(value(mail)),
    }
}
