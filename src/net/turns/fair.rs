//! The time of a turn, and who comes first when it is not enough for all.
//!
//! Usually everybody who has something is served in each turn, in the order in which
//! the system names them. Once that takes long, the rest waits in a queue in which
//! addresses take turns: the first connection of each, then the second of each. So
//! one address with a thousand connections does not keep others waiting, and everybody
//! waits in that queue until it is empty again.

use alloc::vec::Vec;
use core::time::Duration;
use std::collections::HashMap;

use super::state::State;
use crate::net::Key;
use crate::wire::Instant;

/// How long a part of a turn serves those that have something.
const ROUND: Duration = Duration::from_millis(10);
/// The clock is read after so many that were served, or after one that has more ...
const STEPS: u32 = 8;
/// ... and after so much that was read and written.
const MUCH: u64 = 512 << 10;

/// A part of a turn, which is over when it has taken long.
#[derive(Debug)]
pub(super) struct Part {
    since: Option<Instant>, // when the clock was read first, unless that is known
    steps: u32,
    moved: u64,
}

impl Part {
    pub(super) const fn new(state: &State) -> Self {
        Self {
            since: None,
            steps: 0,
            moved: moved(state),
        }
    }

    pub(super) const fn of_turn(state: &State) -> Self {
        let mut part = Self::new(state);
        part.since = Some(state.now);
        part
    }

    pub(super) const fn note(&mut self, has_more: bool) {
        self.steps += if has_more { STEPS } else { 1 };
    }

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

const fn moved(state: &State) -> u64 {
    state.counters.bytes_in + state.counters.bytes_out
}

impl State {
    /// Lets addresses take turns, one connection each, in order of arrival. A connection of no
    /// address is one by itself.
    #[cold]
    pub(crate) fn in_turns(&self, round: &mut [Key]) {
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
