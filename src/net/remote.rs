//! Reaching a loop from any thread.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::any::Any;
use core::fmt;
use core::time::Duration;

use super::{
    Caps, Claim, Exchange, Exhausted, Limits, Mailbox, Owner, Peer, Priority, Resource, Undelivered,
};

/// A message from another thread to a loop.
#[derive(Debug)]
pub(super) enum Mail {
    /// To the owner of an exchange, while that is open.
    Exchange {
        owner: Owner,
        exchange: Exchange,
        value: Box<dyn Any + Send>,
    },
    Owner {
        owner: Owner,
        value: Box<dyn Any + Send>,
    },
    Drain {
        within: Option<Duration>,
    },
    /// Counts that it has been seen.
    #[cfg(all(unix, feature = "systemd"))]
    Probe(Arc<core::sync::atomic::AtomicUsize>),
}

/// A handle to a loop that any thread may hold.
#[derive(Clone)]
pub struct Remote {
    reach: Arc<Reach>,
}

/// The parts of a loop that other threads reach.
struct Reach {
    mailbox: Mailbox<Mail>,
    caps: Caps,
    limits: Limits,
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mailbox = &self.reach.mailbox;
        f.debug_struct("Remote").field("mailbox", mailbox).finish()
    }
}

impl Remote {
    pub(super) fn new(mailbox: Mailbox<Mail>, caps: Caps, limits: Limits) -> Self {
        let reach = Arc::new(Reach {
            mailbox,
            caps,
            limits,
        });
        Self { reach }
    }

    /// Takes one of a resource for an exchange; see [`Context::claim`](super::Context::claim).
    pub(crate) fn claim(
        &self,
        resource: Resource,
        peer: Option<Peer>,
        exchange: Exchange,
    ) -> Result<Claim, Exhausted> {
        let Reach { caps, limits, .. } = &*self.reach;
        let claimed = caps.claim(resource, peer, exchange.connection, limits);
        if claimed.is_err() {
            caps.refuse(resource);
        }
        claimed
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
    /// Those of [`post`](Self::post).
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
        self.reach
            .mailbox
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
    /// Those of [`post`](Self::post).
    pub fn post_sized_to_owner(
        &self,
        owner: Owner,
        priority: Priority,
        value: Box<dyn Any + Send>,
        bytes: usize,
    ) -> Result<(), Undelivered<Box<dyn Any + Send>>> {
        let bytes = weight(&*value, bytes);
        self.reach
            .mailbox
            .post_sized(Mail::Owner { owner, value }, bytes, priority)
            .map_err(back)
    }

    /// Sends an answer to the owner of `exchange`, however full the mailbox: the asker bounds
    /// how much it asks.
    pub(crate) fn answer(&self, owner: Owner, exchange: Exchange, value: Box<dyn Any + Send>) {
        self.reach.mailbox.post_always(Mail::Exchange {
            owner,
            exchange,
            value,
        });
    }

    /// Sends an owner what it must not miss, however full the mailbox.
    pub(crate) fn remind(&self, owner: Owner, value: Box<dyn Any + Send>) {
        self.reach.mailbox.post_always(Mail::Owner { owner, value });
    }

    /// Asks the loop to stop: nothing new is accepted, what runs may finish
    /// `within` this time (`None`: within
    /// [`Limits::drain_time`](super::Limits::drain_time)). No mailbox is too
    /// full for that.
    pub fn drain(&self, within: impl Into<Option<Duration>>) {
        let within = within.into();
        self.reach.mailbox.post_always(Mail::Drain { within });
    }
}

#[cfg(all(unix, feature = "systemd"))]
impl Remote {
    /// Has the loop count its next turn in `turned`.
    pub(crate) fn probe(&self, turned: Arc<core::sync::atomic::AtomicUsize>) {
        self.reach.mailbox.post_always(Mail::Probe(turned));
    }
}

fn weight(value: &(dyn Any + Send), bytes: usize) -> usize {
    size_of::<Mail>() + size_of_val(value) + bytes
}

fn back(undelivered: Undelivered<Mail>) -> Undelivered<Box<dyn Any + Send>> {
    let value = |mail| match mail {
        Mail::Exchange { value, .. } | Mail::Owner { value, .. } => value,
        Mail::Drain { .. } => Box::new(()) as Box<dyn Any + Send>,
        #[cfg(all(unix, feature = "systemd"))]
        Mail::Probe(_) => Box::new(()) as Box<dyn Any + Send>,
    };
    match undelivered {
        Undelivered::Full(mail) => Undelivered::Full(value(mail)),
        Undelivered::Closed(mail) => Undelivered::Closed(value(mail)),
    }
}
