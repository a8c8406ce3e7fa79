//! The Pings of one connection that follow messages, and how fast its peer reads.

use core::hash::BuildHasher as _;
use core::time::Duration;
use std::hash::RandomState;

use crate::client::websocket::reconnecting::ReconnectLimits;
use crate::wire::Instant;

#[derive(Debug, Default)]
pub(super) struct Pings {
    /// The newest message in front of the last one.
    pub(super) upto: u64,
    /// Makes payloads that a server cannot guess.
    secret: RandomState,
    pub(super) place: u64,
    /// Where the last one that was answered ends.
    read: u64,
    /// When the one has to be answered that is not.
    pub(super) awaited: Option<Instant>,
    /// When the next one may be sent.
    pub(super) next: Instant,
    /// Whether the question to resume has been given to be written.
    pub(super) has_asked: bool,
    pub(super) has_closed: bool,
    /// Bytes that the system should have taken, and until when.
    pub(super) slow: Option<(u64, Instant)>,
    /// Where what was placed last ends.
    last: u64,
}

impl Pings {
    pub(super) fn payload(&self, newest: u64) -> [u8; 8] {
        self.secret.hash_one(newest).to_be_bytes()
    }

    /// A Ping after this message ends here.
    pub(super) fn placed(&mut self, newest: u64, to: u64, now: Instant, limits: &ReconnectLimits) {
        (self.upto, self.place) = (newest, to);
        self.awaited = Some(now + time_for(to.saturating_sub(self.read), limits));
    }

    pub(super) fn answered(&mut self) -> bool {
        self.read = self.place;
        self.awaited.take().is_some()
    }

    pub(super) fn put(&mut self, to: u64, taken: u64, now: Instant, limits: &ReconnectLimits) {
        self.last = self.last.max(to);
        if self.slow.is_none() {
            self.watch(taken, now, limits);
        }
    }

    /// So many bytes wait for the peer to take any, in front of the output.
    pub(super) fn held(&mut self, bytes: usize, now: Instant, limits: &ReconnectLimits) {
        let until = now + time_for(bytes as u64, limits);
        self.slow.get_or_insert((u64::MAX, until));
    }

    /// They are in the output, which ends here.
    pub(super) fn put_held(&mut self, to: u64, taken: u64, now: Instant, limits: &ReconnectLimits) {
        self.slow = self.slow.filter(|&(to, _)| to != u64::MAX);
        self.put(to, taken, now, limits);
    }

    pub(super) fn taken(&mut self, upto: u64, now: Instant, limits: &ReconnectLimits) {
        if self.slow.is_some_and(|(to, _)| to <= upto) {
            self.watch(upto, now, limits);
        }
    }

    fn watch(&mut self, taken: u64, now: Instant, limits: &ReconnectLimits) {
        let waits = self.last.saturating_sub(taken);
        self.slow = (waits > 0).then(|| (self.last, now + time_for(waits, limits)));
    }
}

/// How long a peer may take to read so many bytes.
fn time_for(bytes: u64, limits: &ReconnectLimits) -> Duration {
    let seconds = bytes / u64::from(limits.rate.max(1));
    limits.confirm.saturating_add(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests;
