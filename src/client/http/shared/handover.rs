//! Who waits for the socket, of the threads that wait for one connection.
//!
//! ```text
//!             nobody leads                     news, or its time is over
//!   Away ──────────────────► Leads ─────────────────────────────────────► Away
//!    │                         ▲                                            ▲
//!    │ somebody leads          │ appointed by a leader that leaves          │
//!    └────────────► Follows ───┴──────────── called: there is news ─────────┘
//! ```
//!
//! One of those that wait leads: it waits for the socket, and calls others whose news it
//! has read. The others sleep. A leader that leaves appoints one of those that sleep and
//! were not called; if there is none, the next one that waits leads. Everything here
//! happens under the connection's lock. A thread that is to be woken is named by what
//! is returned, and is woken once the lock is free.

use alloc::vec::Vec;

#[cfg(test)]
mod search;

/// What a thread that waits is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Duty {
    /// Wait for the socket.
    Lead,
    /// Sleep until it is woken.
    Follow,
}

/// What the thread of a seat does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Posture {
    /// It does not wait.
    Away,
    /// It sleeps, or is about to.
    Follows,
    /// It was woken, or will be.
    Called,
}

/// Who waits for the socket.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Handover {
    postures: Vec<Posture>,
    /// Who leads, or is appointed to.
    leader: Option<usize>,
    /// How many are called and have not come.
    called: usize,
}

impl Handover {
    pub(super) const fn new() -> Self {
        Self {
            postures: Vec::new(),
            leader: None,
            called: 0,
        }
    }

    /// Makes room for a seat.
    pub(super) fn seat(&mut self, seat: usize) {
        if self.postures.len() <= seat {
            self.postures.resize(seat + 1, Posture::Away);
        }
    }

    /// The thread of `seat` has no news, and waits: for the first time, or again after it
    /// was woken.
    pub(super) fn wait(&mut self, seat: usize) -> Duty {
        match self.leader {
            None => {
                self.set(seat, Posture::Away);
                self.leader = Some(seat);
                Duty::Lead
            }
            Some(leader) if leader == seat => {
                self.set(seat, Posture::Away);
                Duty::Lead
            }
            Some(_) => {
                self.set(seat, Posture::Follows);
                Duty::Follow
            }
        }
    }

    /// There is news for `seat`: whether its thread is to be woken. One that leads or is
    /// away looks for news before it sleeps.
    pub(super) fn call(&mut self, seat: usize) -> bool {
        let follows = self.postures.get(seat) == Some(&Posture::Follows);
        if follows {
            self.set(seat, Posture::Called);
        }
        follows
    }

    /// The thread of `seat` waits no longer, for whatever reason. Returns the seat whose
    /// thread is to be woken, as it leads now.
    #[must_use]
    pub(super) fn leave(&mut self, seat: usize) -> Option<usize> {
        self.set(seat, Posture::Away);
        if self.leader != Some(seat) {
            return None;
        }
        let mut sleeping = self.postures.iter();
        self.leader = sleeping.position(|it| *it == Posture::Follows);
        let next = self.leader?;
        self.set(next, Posture::Called);
        Some(next)
    }

    /// Who leads, or is appointed to.
    pub(super) const fn leader(&self) -> Option<usize> {
        self.leader
    }

    /// Whether threads were woken that have not come yet.
    pub(super) const fn expects(&self) -> bool {
        self.called > 0
    }

    fn set(&mut self, seat: usize, posture: Posture) {
        let Some(place) = self.postures.get_mut(seat) else {
            return;
        };
        let before = core::mem::replace(place, posture);
        self.called += usize::from(posture == Posture::Called);
        self.called -= usize::from(before == Posture::Called);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(seats: usize) -> Handover {
        let mut handover = Handover::new();
        for seat in 0..seats {
            handover.seat(seat);
            let duty = match seat {
                0 => Duty::Lead,
                _ => Duty::Follow,
            };
            assert_eq!(handover.wait(seat), duty);
        }
        handover
    }

    #[test]
    fn a_leader_that_leaves_appoints_one_that_sleeps() {
        let mut handover = waiting(3);
        assert!(handover.call(1) && !handover.call(1));
        assert_eq!(handover.leave(0), Some(2));
        assert_eq!(handover.leader(), Some(2));
        assert_eq!(handover.wait(2), Duty::Lead);
        // What it was woken for was not enough.
        assert_eq!(handover.wait(1), Duty::Follow);
    }

    #[test]
    fn where_nobody_sleeps_the_next_one_that_waits_leads() {
        let mut handover = waiting(2);
        assert!(handover.call(1) && handover.expects());
        assert_eq!(handover.leave(0), None);
        assert_eq!(handover.leader(), None);
        assert_eq!(handover.wait(1), Duty::Lead);
        assert!(!handover.expects());
    }

    #[test]
    fn one_that_was_appointed_and_leaves_appoints_another() {
        let mut handover = waiting(3);
        assert_eq!(handover.leave(0), Some(1));
        assert_eq!(handover.leave(1), Some(2));
        assert_eq!(handover.leave(2), None);
        assert_eq!(handover.leader(), None);
    }

    #[test]
    fn who_leads_or_is_away_needs_no_call() {
        let mut handover = waiting(2);
        assert!(!handover.call(0));
        assert_eq!(handover.leave(1), None);
        assert!(!handover.call(1) && !handover.call(7));
    }
}
