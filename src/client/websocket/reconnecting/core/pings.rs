//! The Pings of one connection that stand behind messages.

use core::hash::BuildHasher as _;
use std::hash::RandomState;

use crate::wire::Instant;

/// Pings behind messages.
#[derive(Debug, Default)]
pub(super) struct Pings {
    /// The newest message in front of the last one.
    pub(super) upto: u64,
    /// Makes payloads that a server cannot guess.
    secret: RandomState,
    /// Where the last one ends in the output.
    pub(super) place: u64,
    /// When the one was sent that is not answered.
    pub(super) awaited: Option<Instant>,
    /// When the next one may be sent.
    pub(super) next: Instant,
    /// Whether the question to resume has been given to be written.
    pub(super) has_asked: bool,
    pub(super) has_closed: bool,
}

impl Pings {
    /// What the Ping behind this message says.
    pub(super) fn payload(&self, newest: u64) -> [u8; 8] {
        self.secret.hash_one(newest).to_be_bytes()
    }
}
