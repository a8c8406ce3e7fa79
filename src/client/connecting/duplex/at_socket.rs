//! The thread that waits for the socket: the receiver, or one of those that send.
//!
//! ```text
//!              no thread there                     it has waited
//!   any thread ───────────────► waits for it ─────────────────────► calls all that sleep
//!       │                            ▲
//!       │ somebody is there          │ alarm: the receiver comes, or there is
//!       └───────► sleeps ◄───────────┘ something else to wait for
//! ```
//!
//! One thread waits for the socket, so that no other is told what is for this one. The
//! others sleep, and look again whenever it has waited; one of them waits for the socket
//! then. The receiver goes first: it alone does what time makes due. Everything here
//! happens under the connection's lock.

#[cfg(test)]
mod search;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Who {
    Receiver,
    Sender,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Duty {
    Watch,
    /// For the thread that does, or for one that changes what there is to wait for.
    Sleep,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct AtSocket {
    there: Option<Who>,
    /// The receiver waits for a thread that sends to leave.
    receiver_comes: bool,
    asleep: usize,
}

impl AtSocket {
    pub(super) const EMPTY: Self = Self {
        there: None,
        receiver_comes: false,
        asleep: 0,
    };

    /// Decides how a thread waits; `has_use` says whether the socket has something to wait for.
    /// A receiver that sleeps sounds the alarm.
    pub(super) fn wait(&mut self, who: Who, has_use: bool) -> Duty {
        let is_first = who == Who::Receiver || !self.receiver_comes;
        if has_use && is_first && self.there.is_none() {
            self.there = Some(who);
            self.receiver_comes &= who != Who::Receiver;
            return Duty::Watch;
        }
        self.receiver_comes |= who == Who::Receiver;
        self.asleep += 1;
        Duty::Sleep
    }

    /// A thread has waited. Those that sleep are to be woken.
    pub(super) fn waited(&mut self, duty: Duty) {
        match duty {
            Duty::Watch => self.there = None,
            Duty::Sleep => self.asleep -= 1,
        }
    }

    /// The receiver does not wait any more. Those that sleep are to be woken.
    pub(super) fn receiver_leaves(&mut self) {
        self.receiver_comes = false;
    }

    /// Who waits for the socket. What it waits for may change: then the alarm is sounded.
    pub(super) const fn there(&self) -> Option<Who> {
        self.there
    }

    pub(super) const fn has_sleepers(&self) -> bool {
        self.asleep > 0
    }
}
