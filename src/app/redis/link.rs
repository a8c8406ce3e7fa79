//! One connection to a server, and what is under way on it.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::channel::Query;
use crate::net::Destination;
use crate::redis::{Script, Session};
use crate::wire::Instant;

#[derive(Debug)]
pub(crate) enum Expect {
    /// The connection cannot be used without it.
    Greeting,
    /// The process that the server is, as the greeting asks it.
    Server,
    /// Whether the server is a primary, and which one: in the greeting and ever again.
    Role,
    Slots,
    Primary,
    Nothing,
    /// The channel, and where it is published.
    Subscribe(u64, Vec<u8>),
    Unsubscribe(u64, Vec<u8>),
    Publish {
        channel: u64,
        seq: u64,
        is_kept: bool,
    },
    Read(u64),
    Here(u64),
    Present(u64, Query),
}

impl Expect {
    pub(crate) const fn channel(&self) -> Option<u64> {
        match self {
            Self::Subscribe(channel, _)
            | Self::Unsubscribe(channel, _)
            | Self::Publish { channel, .. }
            | Self::Read(channel)
            | Self::Here(channel)
            | Self::Present(channel, _) => Some(*channel),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It is to be made at this time; not at all if that is never.
    Down(Instant),
    Dialling,
    Greeting,
    Ready,
}

#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) destination: Option<Destination>,
    pub(crate) is_sentinel: bool,
    pub(crate) stage: Stage,
    pub(crate) session: Session<Expect>,
    pub(crate) out: Vec<u8>,
    /// The kernel takes no more for now.
    pub(crate) is_full: bool,
    /// Nothing is sent before: the server has said so.
    pub(crate) hold_until: Instant,
    /// Of the server process and of its history; empty until they are known.
    pub(crate) run_id: String,
    pub(crate) server: String,
    /// When something came last, or was asked while nothing else waited.
    pub(crate) heard: Instant,
    pub(crate) beat_at: Instant,
    /// Attempts that have failed, one after the other.
    pub(crate) failures: u32,
    /// The scripts that the server has been given on this connection.
    known: [bool; Script::ALL.len()],
    pub(crate) is_replica: bool,
}

impl Link {
    pub(crate) fn new(destination: Option<Destination>, is_sentinel: bool, most: usize) -> Self {
        Self {
            destination,
            is_sentinel,
            stage: Stage::Down(Instant::NEVER),
            session: Session::new(most),
            out: Vec::new(),
            is_full: false,
            hold_until: Instant::START,
            run_id: String::new(),
            server: String::new(),
            heard: Instant::START,
            beat_at: Instant::NEVER,
            failures: 0,
            known: [false; Script::ALL.len()],
            is_replica: false,
        }
    }

    pub(crate) fn is_ready(&self, now: Instant) -> bool {
        self.stage == Stage::Ready && self.hold_until <= now && !self.is_full
    }

    /// Asks something, whose command `put` appends.
    pub(crate) fn ask(&mut self, what: Expect, now: Instant, put: impl FnOnce(&mut Vec<u8>)) {
        if !self.session.is_waiting() {
            self.heard = now;
        }
        self.session.asked(what);
        put(&mut self.out);
    }

    pub(crate) fn knows(&mut self, script: Script) -> bool {
        let known = self.known.get_mut(script as usize);
        known.is_some_and(|it| core::mem::replace(it, true))
    }

    pub(crate) const fn forget_scripts(&mut self) {
        self.known = [false; Script::ALL.len()];
    }

    pub(crate) fn renew(&mut self) -> impl Iterator<Item = Expect> + use<> {
        self.out = Vec::new();
        self.is_full = false;
        self.hold_until = Instant::START;
        self.server.clear();
        self.beat_at = Instant::NEVER;
        self.forget_scripts();
        self.session.renew()
    }

    /// How long to wait before the next attempt: longer each time, and never the same.
    pub(crate) fn pause(&mut self, most: Duration, random: u64) -> Duration {
        let step = Duration::from_millis(50) * (1 << self.failures.min(10));
        self.failures = self.failures.saturating_add(1);
        let step = step.min(most);
        // Half of it to all of it.
        step / 2 + (step / 2).mul_f64((random >> 11) as f64 / (1_u64 << 53) as f64)
    }
}
