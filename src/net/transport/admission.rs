//! Handshakes beside everything else: their part of a turn, and how many there may be.
//!
//! A handshake costs as much as hundreds of requests, and nobody has asked for
//! anything yet. So those that can go on wait in a queue of their own, which is given
//! [`Limits::handshake_part`](crate::net::Limits::handshake_part) of each turn when all
//! others have been served, and addresses take turns in it.
//!
//! With as many in flight as there may be, the next connections wait in the kernel.
//! A handshake that waits for its peer, and not for us, makes room when it has had a
//! second, so that a thousand peers that say nothing keep nobody out for longer.

use core::mem;

use super::handshakes::Outcome;
use crate::link::EndReason;
use crate::net::turns::connection::{Connection, Phase};
use crate::net::turns::holds::Hold;
use crate::net::turns::state::State;
use crate::net::{Key, Loop, Poller};

/// How many make room for others in one turn at most.
const FEW: usize = 64;

impl Connection {
    pub(super) const fn shakes_hands(&self) -> bool {
        matches!(self.phase, Phase::Handshaking { .. })
    }
}

impl State {
    /// How many more may be in flight; none while memory is short.
    fn free_handshakes(&self) -> usize {
        let all = self.limits.handshakes as usize;
        match self.memory.all.held() > self.memory.short {
            true => 0,
            false => all.saturating_sub(self.handshakes.in_flight()),
        }
    }

    /// Those that may make room for others, the oldest first: they wait for their peers.
    fn overdue_handshakes(&self) -> impl Iterator<Item = Key> {
        self.handshakes
            .overdue(self.now)
            .take(4 * FEW)
            .filter(|key| {
                let connection = self.connections.get(*key);
                connection.is_some_and(|it| it.shakes_hands() && !it.queued)
            })
    }
}

impl<P: Poller> Loop<P> {
    /// Serves the handshakes that can go on, for their part of the turn.
    pub(in crate::net) fn shake_hands(&mut self) {
        let state = &mut self.dispatch.state;
        if state.handshakes.ready.is_empty() {
            return;
        }
        let mut ready = mem::take(&mut state.handshakes.ready);
        if state.handshakes.is_behind {
            state.in_turns(&mut ready);
        }
        let (since, part) = (state.clock(), state.limits.handshake_part);
        let mut served = 0;
        for &key in &ready {
            self.shake(key);
            served += 1;
            if self.dispatch.state.clock().saturating_since(since) >= part {
                break;
            }
        }
        ready.drain(..served);
        let handshakes = &mut self.dispatch.state.handshakes;
        handshakes.is_behind = !ready.is_empty();
        ready.append(&mut handshakes.ready);
        handshakes.ready = ready;
    }

    /// Gives a handshake its turn.
    fn shake(&mut self, key: Key) {
        let Some(connection) = self.dispatch.state.connections.get_mut(key) else {
            return;
        };
        connection.queued = false;
        let has_output = connection.holds.has(Hold::Output) || !connection.backlog.is_empty();
        self.dispatch.state.current = key;
        if has_output {
            self.relieve(key);
        }
        let mut goes_on = false;
        for _ in 0..self.dispatch.state.limits.rounds {
            let connection = self.dispatch.state.connections.get_mut(key);
            if !connection.is_some_and(|it| it.shakes_hands()) {
                break;
            }
            goes_on = self.go_on_handshake(key);
            if !goes_on {
                break;
            }
        }
        self.settle(key);
        if goes_on {
            self.dispatch.state.wake(key);
        }
    }

    /// For how many more handshakes there is room, or can be made.
    pub(in crate::net) fn handshake_room(&self) -> usize {
        let state = &self.dispatch.state;
        match state.free_handshakes() {
            0 => state.overdue_handshakes().take(FEW).count(),
            free => free,
        }
    }

    /// Has the oldest handshake make room for a further one, if there is none.
    pub(in crate::net) fn make_handshake_room(&mut self) {
        if self.dispatch.state.free_handshakes() > 0 {
            return;
        }
        let oldest = self.dispatch.state.overdue_handshakes().next();
        if let Some(key) = oldest {
            self.refuse_handshake(key);
        }
    }

    /// Ends a handshake that there is no room for.
    pub(in crate::net) fn refuse_handshake(&mut self, key: Key) {
        self.dispatch.state.note_limit(key, "Limits::handshakes");
        self.end_handshake(key, Outcome::Refused);
        self.end(key, EndReason::Stalled);
    }

    /// Notes how a handshake has ended: it is none any more.
    pub(in crate::net) fn end_handshake(&mut self, key: Key, outcome: Outcome) {
        let state = &mut self.dispatch.state;
        if let Some(connection) = state.connections.get_mut(key)
            && connection.shakes_hands()
        {
            connection.phase = Phase::Open;
            state.handshakes.note(outcome);
        }
    }
}
