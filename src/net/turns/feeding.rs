//! The state of a connection's feeding, and the time that it takes.

use core::time::Duration;

use super::state::State;
use crate::link::MessageRun;
use crate::net::{Exchange, Mark, Owner};
use crate::wire::{Instant, Received, Step};

/// How long a connection's events are handed over one after the other, if each of them
/// takes long.
const LONG: Duration = Duration::from_millis(4);
/// The clock is read after so many events ...
const EVENTS: u32 = 8;
/// ... and after so much that was taken to answer them.
const MUCH: usize = 512 << 10;

#[derive(Debug)]
pub(super) struct Call {
    pub(crate) exchange: Exchange,
    pub(crate) owner: Owner,
    pub(super) mark: Mark,
    pub(crate) past: u64, // what had left past the cork
    pub(super) depth: usize,
    pub(super) is_last: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The link needs bytes that have not arrived.
    Hungry,
    /// The rest has to wait for a reply, the owner, or the backlog.
    Held,
    /// The cork is full: flush, then go on.
    Flush,
    /// The input has made so much work that other connections come first now.
    Late,
    /// The link is done, or the connection is over.
    Over,
}

#[derive(Debug)]
pub(crate) struct Further<'r> {
    pub(super) run: MessageRun<'r>,
    pub(super) feeding: &'r mut Feeding,
}

/// How far feeding has come, and what is gone back to should the owner panic.
#[derive(Debug)]
pub(super) struct Feeding {
    pub(super) at: usize,    // bytes used, at most all
    pub(super) ends: bool,   // the FIN stands after it
    pub(super) at_end: bool, // the link has used all it can before the FIN
    pub(super) stop: Stop,   // why the link was not lent
    pub(super) call: Option<Call>,
    events: u32,            // handed over
    since: Option<Instant>, // when the clock was read first
    held: usize,            // by the loop when it was read last
}

impl Feeding {
    #[inline(always)]
    pub(super) fn new(ends: bool, state: &State) -> Self {
        Self {
            at: 0,
            ends,
            at_end: false,
            stop: Stop::Over,
            call: None,
            events: 0,
            since: None,
            held: state.memory.all.held(),
        }
    }

    /// An event was found that ends so many bytes further on.
    #[inline]
    pub(super) const fn took(&mut self, used: usize) {
        self.at += used;
        self.events += 1;
    }

    /// Whether the events took so long that the rest waits for the next turn.
    #[inline]
    pub(super) fn is_late(&mut self, rest: &[u8], state: &State) -> bool {
        if state.is_late() {
            return true;
        }
        if rest.is_empty() {
            return false; // that was all, as mostly
        }
        let held = state.memory.all.held();
        (self.events.is_multiple_of(EVENTS) || held > self.held + MUCH)
            && self.read_clock(held, state)
    }

    /// Reads the clock after this event: it may have taken long.
    pub(super) const fn read_clock_next(&mut self) {
        self.events = self.events.next_multiple_of(EVENTS);
    }

    #[cold]
    fn read_clock(&mut self, held: usize, state: &State) -> bool {
        self.held = held;
        let now = state.clock();
        let since = *self.since.get_or_insert(now);
        now.saturating_since(since) > LONG
    }

    /// The reason to stop that an answer gives, if it gives one.
    pub(super) fn pause(&mut self, received: &Received<()>) -> Option<Stop> {
        let &Received { used, ref step } = received;
        self.at += used;
        match step {
            // Bytes were used up without an event: there may be more.
            Step::Need(_) | Step::Paused if used > 0 => None,
            Step::Need(0) | Step::Event(()) => None,
            Step::Need(_) | Step::Paused if self.ends && !self.at_end => {
                self.at_end = true;
                None
            }
            Step::Need(_) => Some(Stop::Hungry),
            Step::Paused => Some(Stop::Held),
            Step::Full => Some(Stop::Flush),
            Step::Done => Some(Stop::Over),
        }
    }
}
