//! Handshakes beside everything else: their part of a turn, and how many there may be.
//!
//! A handshake costs as much as hundreds of requests, and no owner has asked for
//! anything yet. So those that can go on wait in a queue of their own, which is given
//! [`Limits::handshake_part`](crate::net::Limits::handshake_part) of each turn when all
//! others have been served, and addresses take turns in it.
//!
//! With as many in flight as there may be, the next connections wait in the kernel.
//! A handshake that waits for its peer, and not for us, makes room when it has had a
//! second, so that a thousand silent peers keep others out no longer.

use crate::net::Key;
use crate::net::turns::connection::{Connection, Phase};
use crate::net::turns::state::State;

/// How many make room for others in one turn at most.
pub(super) const FEW: usize = 64;

impl Connection {
    pub(super) const fn shakes_hands(&self) -> bool {
        matches!(self.phase, Phase::Handshaking { .. })
    }
}

impl State {
    /// How many more may be in flight; none while memory is short.
    pub(super) fn free_handshakes(&self) -> usize {
        let all = self.limits.handshakes as usize;
        match self.memory.all.held() > self.memory.short {
            true => 0,
            false => all.saturating_sub(self.handshakes.in_flight()),
        }
    }

    /// Those that may make room for others, the oldest first: they wait for their peers.
    pub(super) fn overdue_handshakes(&self) -> impl Iterator<Item = Key> {
        self.handshakes
            .overdue(self.now)
            .take(4 * FEW)
            .filter(|key| {
                let connection = self.connections.get(*key);
                connection.is_some_and(|it| it.shakes_hands() && !it.queued)
            })
    }
}
