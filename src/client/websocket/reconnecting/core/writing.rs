//! Messages that are written on a connection, and their places in the output.

use super::{BATCH, Given, Leaving, PING_GAP, Reconnector, State};
use crate::client::websocket::reconnecting::resume::questions;
use crate::client::websocket::reconnecting::{Confirmation, ToWrite};
use crate::websocket::CloseCode;
use crate::wire::Instant;

impl Reconnector {
    /// The next bytes to write, in the order in which they are given; `None` if there
    /// are none for now. They are to be written completely, and followed by
    /// [`placed`](Self::placed).
    pub fn next(&mut self, now: Instant) -> Option<ToWrite<'_>> {
        self.given = None;
        if self.is_open() && !self.pings.has_closed && self.farewell.is_some() {
            self.given = Some(Given::Close);
            return self.farewell.as_ref().map(|it| ToWrite::Close {
                code: it.code,
                reason: &it.reason,
            });
        }
        if self.is_to_ask() {
            let position = self.position.as_ref();
            let hook = self.resume.as_mut();
            let questions = hook.map(|hook| questions(&mut **hook, position));
            self.ask(questions.unwrap_or_default());
        }
        if self.is_open() && !self.questions.is_empty() && !self.pings.has_closed {
            if self.state == State::Open {
                let until = now + self.limits.resume;
                self.state = State::Resuming { until };
            }
            self.given = Some(Given::Question);
            return self.questions.front().map(ToWrite::Message);
        }
        if self.state != State::Open || self.pings.has_closed {
            return None;
        }
        if let Some(newest) = self.ping_due(now) {
            self.given = Some(Given::Ping(newest));
            return Some(ToWrite::Ping(self.pings.payload(newest)));
        }
        if self.has_more() {
            self.given = Some(Given::Message);
            return self.queue.front().map(ToWrite::Message);
        }
        if self.leaving.is_some() && !self.awaits_confirmation() {
            self.given = Some(Given::Close);
            return Some(ToWrite::Close {
                code: CloseCode::NORMAL,
                reason: "",
            });
        }
        None
    }

    /// Whether messages wait for this connection; none begins before this side leaves it.
    fn has_more(&self) -> bool {
        let leaves = matches!(self.leaving, Some(Leaving::ToReconnect { .. }));
        !leaves && self.queue.has_waiting()
    }

    /// Notes that the bytes given to be written lie in the output, from `from` up to
    /// `to`, counted from the connection's first byte.
    pub fn placed(&mut self, from: u64, to: u64, now: Instant) {
        match self.given.take() {
            Some(Given::Message) => self.queue.placed(from, to),
            Some(Given::Ping(newest)) => {
                self.pings.placed(newest, to, now, &self.limits);
                self.pings.next = now + PING_GAP;
            }
            Some(Given::Close) => self.pings.has_closed = true,
            Some(Given::Question) => drop(self.questions.pop_front()),
            None => return,
        }
        self.pings.put(to, self.queue.taken(), now, &self.limits);
    }

    /// The message that was given to be written waits, complete, until its peer takes more:
    /// over HTTP/2 for the window of its stream. To be called instead of
    /// [`placed`](Self::placed). Nothing is to be asked for by [`next`](Self::next) until
    /// [`left`](Self::left).
    pub fn held_back(&mut self, now: Instant) {
        let given = self.given.take();
        let message = match given {
            Some(Given::Message) => self.queue.front(),
            Some(Given::Question) => self.questions.front(),
            Some(Given::Ping(_) | Given::Close) | None => None,
        };
        let Some(message) = message else {
            return;
        };
        let bytes = message.payload().len();
        self.pings.held(bytes, now, &self.limits);
        match given {
            Some(Given::Question) => drop(self.questions.pop_front()),
            _ => self.queue.placed(u64::MAX, u64::MAX),
        }
    }

    /// Something of the message that was [held back](Self::held_back) lies in the output,
    /// at `from` or after that.
    pub fn begun(&mut self, from: u64) {
        self.queue.begun(from, self.unknown);
    }

    /// All of it lies in the output, up to `to`.
    pub fn left(&mut self, to: u64, now: Instant) {
        let taken = self.queue.taken();
        self.pings.put_held(to, taken, now, &self.limits);
    }

    /// The system has taken the output up to here, counted from the connection's first
    /// byte.
    pub fn handed_over(&mut self, upto: u64, now: Instant) {
        self.queue.handed_over(upto, self.unknown);
        self.pings.taken(upto, now, &self.limits);
    }

    fn ping_due(&self, now: Instant) -> Option<u64> {
        let newest = self.unpinged()?;
        (self.pings.next <= now).then_some(newest)
    }

    /// The newest message that waits for a Ping after it, if it is time but for the gap.
    pub(super) fn unpinged(&self) -> Option<u64> {
        let is_wanted = self.confirmation == Confirmation::Ping
            && self.pings.awaited.is_none()
            && !self.pings.has_closed;
        if !is_wanted {
            return None;
        }
        let (newest, count) = self.queue.placed_behind(self.pings.upto);
        newest.filter(|_| count >= BATCH || !self.has_more())
    }

    /// Whether it is worth waiting for what confirms messages.
    fn awaits_confirmation(&self) -> bool {
        self.confirmation == Confirmation::Ping && self.queue.has_placed()
    }
}
