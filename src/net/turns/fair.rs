//! The time of a turn, and who comes first when it is not enough for all.
//!
//! Usually everybody who has something is served in each turn, in the order in which
//! the system names them. Once that takes long, the rest waits in a queue in which
//! addresses take turns: the first connection of each, then the second of each. So
//! one address with a thousand connections does not keep others waiting, and everybody
//! waits in that queue until it is empty again.

use alloc::vec::Vec;
use core::mem;
use core::time::Duration;
use std::collections::HashMap;

use super::connection::Phase;
use super::state::State;
use crate::net::{Key, Loop, Poller, Readiness};
use crate::wire::Instant;

/// How long a part of a turn serves those that have something.
const ROUND: Duration = Duration::from_millis(10);
/// The clock is read behind so many that were served, or behind one that has more ...
const STEPS: u32 = 8;
/// ... and behind so much that was read and written.
const MUCH: u64 = 512 << 10;

/// A part of a turn, which is over when it has taken long.
#[derive(Debug)]
pub(super) struct Part {
    since: Option<Instant>, // when the clock was read first, unless that is known
    steps: u32,
    moved: u64,
}

impl Part {
    /// A part that begins now.
    pub(super) const fn new(state: &State) -> Self {
        Self {
            since: None,
            steps: 0,
            moved: moved(state),
        }
    }

    /// Notes that a connection was served, and whether it has more to do.
    pub(super) const fn note(&mut self, has_more: bool) {
        self.steps += if has_more { STEPS } else { 1 };
    }

    /// Whether what is left waits for the next turn.
    #[inline]
    pub(super) fn is_over(&mut self, state: &State) -> bool {
        let is_much = self.steps >= STEPS || moved(state) > self.moved + MUCH;
        is_much && self.has_taken_long(state)
    }

    #[cold]
    fn has_taken_long(&mut self, state: &State) -> bool {
        (self.steps, self.moved) = (0, moved(state));
        let now = state.clock();
        now.saturating_since(*self.since.get_or_insert(now)) > ROUND
    }
}

/// Bytes read and written so far.
const fn moved(state: &State) -> u64 {
    state.counters.bytes_in + state.counters.bytes_out
}

impl<P: Poller> Loop<P> {
    /// Serves those that the system says something has happened to.
    pub(super) fn attend_ready(&mut self) {
        let mut part = None;
        let mut at = 0;
        while let Some(&readiness) = self.ready.get(at) {
            let has_more = self.attend_readiness(readiness);
            at += 1;
            if at < self.ready.len() {
                let state = &self.dispatch.state;
                let part = part.get_or_insert_with(|| Part {
                    since: Some(state.now),
                    ..Part::new(state)
                });
                part.note(has_more);
                self.is_behind |= part.is_over(state);
            }
        }
    }

    /// Serves the connection of a readiness, or notes that it is to be served;
    /// whether it has more to do.
    fn attend_readiness(&mut self, readiness: Readiness) -> bool {
        if readiness.token & Key::FREE_TOKENS != 0 {
            if let Some(number) = self.listeners.number_of(readiness.token) {
                self.listeners.ready(number);
            }
            return false;
        }
        let Some(key) = self.dispatch.state.connections.key_from(readiness.token) else {
            return false;
        };
        let Some(connection) = self.dispatch.state.connections.get_mut(key) else {
            return false;
        };
        connection.socket.note(readiness);
        if connection.phase == Phase::Dialling {
            self.go_on_dialling(key);
        } else if matches!(connection.phase, Phase::Handshaking { .. }) {
            self.dispatch.state.wake(key);
        } else if !connection.queued {
            if !self.is_behind {
                let start = connection.start();
                return self.serve_from(key, start);
            }
            connection.queued = true;
            self.round.push(key);
        }
        false // who is queued has its turn later in this one
    }

    /// Serves those that can go on without an event, for some time.
    pub(super) fn go_on(&mut self) {
        if self.round.is_empty() {
            return;
        }
        let mut round = mem::take(&mut self.round);
        if self.is_behind {
            self.dispatch.state.in_turns(&mut round);
        }
        let mut part = Part::new(&self.dispatch.state);
        let mut served = 0;
        for &key in &round {
            if part.is_over(&self.dispatch.state) {
                break;
            }
            served += 1;
            if let Some(connection) = self.dispatch.state.connections.get_mut(key) {
                connection.queued = false;
                let start = connection.start();
                part.note(self.serve_from(key, start));
            }
        }
        round.drain(..served);
        self.is_behind = !round.is_empty();
        if self.is_behind {
            round.append(&mut self.dispatch.state.runnable);
            mem::swap(&mut round, &mut self.dispatch.state.runnable);
        }
        self.round = round;
    }
}

impl State {
    /// Has addresses take turns: the first connection of each, then the second of
    /// each, those of an address in the order in which they came. A connection that
    /// counts for no address is one by itself.
    #[cold]
    pub(in crate::net) fn in_turns(&self, round: &mut [Key]) {
        let mut of_address: HashMap<_, u32> = HashMap::new();
        let place = |key: &Key| {
            let peer = self.connections.get(*key)?.peer;
            let places = of_address.entry(self.caps.origin(peer)?).or_default();
            *places += 1;
            Some(*places)
        };
        let places: Vec<u32> = round.iter().map(place).map(|it| it.unwrap_or(1)).collect();
        let mut placed: Vec<(u32, Key)> = places.into_iter().zip(round.iter().copied()).collect();
        placed.sort_by_key(|&(place, _)| place);
        for (to, (_, key)) in round.iter_mut().zip(placed) {
            *to = key;
        }
    }
}
