//! The record of one connection.

use alloc::boxed::Box;
use core::time::Duration;

use super::holds::{Hold, Holds};
use super::input_buffer::InputBuffer;
use super::socket_state::SocketState;
use super::watch::Watch;
use crate::link::{Closing, EndReason, Limits, Link};
use crate::net::packing::warmth::Warmth;
use crate::net::{Backlog, Owner, Peer};
use crate::wire::{Instant, Role};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Dialling,
    /// Its proxy has yet to say whose it is; its owner does not know of it.
    Proxied,
    /// Its transport has yet to agree with the peer's; a server's owner does not
    /// know of it.
    Handshaking {
        /// When that has to be over, in seconds.
        until: u32,
    },
    Open,
    /// The link is done; what is owed is still being sent.
    Flushing(Closing),
    /// All is sent, and our FIN: further input is discarded, so that the peer reads our last
    /// words and no reset.
    Lingering {
        /// Bytes that may still be thrown away; 0: it is read no more.
        left: u32,
        taken: bool,
    },
}

/// The stage of a connection that its owner knows of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reported {
    Nothing,
    Beginning,
    End,
}

/// The state that decides how a turn of a connection begins and ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    /// Output waits, or a writer does.
    pub(super) has_output: bool,
    pub(super) is_broken: bool,
}

#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) link: Link,
    pub(crate) peer: Peer,
    /// Input that the link has not used.
    pub(crate) input_buffer: Option<Box<InputBuffer>>,
    /// Output that the kernel has not taken.
    pub(crate) backlog: Backlog,
    /// When to look at waiting output or end the lingering; `NEVER` if neither.
    pub(crate) stalls: Instant,
    /// Bytes of content that the kernel has taken, without a transport's additions.
    pub(crate) sent: u64,
    /// The record of how much the peer has taken, where that matters.
    pub(crate) watch: Option<Box<Watch>>,
    /// Where an interim response ends in the cork, and until when the rest is held back.
    pub(super) interim: Option<Interim>,
    pub(crate) phase: Phase,
    pub(crate) tag: u32,
    /// Of its key; the table of connections sets it.
    pub(crate) generation: u32,
    pub(crate) owner: Owner,
    pub(crate) profile: u16,
    pub(crate) socket: SocketState,
    pub(crate) holds: Holds,
    /// Its transport has the front of a record.
    pub(crate) unopened: bool,
    pub(crate) queued: bool,
    /// It waits in the queue of those that have something to flush.
    pub(crate) dirty: bool,
    /// It rested when its deadline was set: that one is early enough while it rests.
    pub(crate) rested: bool,
    /// How long it stays whole once it rests.
    pub(crate) warmth: Warmth,
    /// Why it ends, once that is known.
    pub(super) gone: Option<EndReason>,
    pub(crate) reported: Reported,
}

/// How long a response waits after `100 Continue` for the body to begin.
const INTERIM: Duration = Duration::from_secs(1);

/// `100 Continue` that leaves by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Interim {
    /// Bytes of the cork that may leave; 0 once they have.
    pub(crate) bytes: usize,
    /// Until when the others wait for the body to begin.
    pub(super) until: Instant,
}

impl Connection {
    pub(crate) fn new(link: Link, peer: Peer, owner: Owner, profile: u16, phase: Phase) -> Self {
        Self {
            link,
            peer,
            input_buffer: None,
            backlog: Backlog::new(),
            stalls: Instant::NEVER,
            sent: 0,
            watch: None,
            interim: None,
            phase,
            tag: 0,
            generation: 0,
            owner,
            profile,
            socket: SocketState::NEW,
            holds: Holds::NONE,
            unopened: false,
            queued: false,
            dirty: false,
            rested: false,
            warmth: Warmth::Unlisted,
            gone: None,
            reported: Reported::Beginning,
        }
    }

    /// The state that its turn begins with.
    #[inline]
    pub(super) fn start(&self) -> Start {
        Start {
            has_output: self.holds.has(Hold::Output) || !self.backlog.is_empty(),
            is_broken: self.socket.is_broken(),
        }
    }

    /// When the loop has to look at it, if nothing happens before.
    pub(crate) fn deadline(&self, limits: &Limits) -> Option<Instant> {
        let own = self.own_deadline(limits).unwrap_or(Instant::NEVER);
        let held = self.interim.map_or(Instant::NEVER, |interim| interim.until);
        let first = own.min(self.stalls).min(held);
        (first != Instant::NEVER).then_some(first)
    }

    /// Whether what is written goes to the kernel next: nothing waits in front.
    pub(crate) fn is_clear(&self) -> bool {
        self.socket.writable
            && self.backlog.is_empty()
            && self.interim.is_none()
            && !self.link.is_multiplexed()
    }

    /// Lets `100 Continue` leave by itself, if it ends the first `bytes` of the cork: HAProxy
    /// (2.6) hangs on both responses in one read.
    pub(super) fn hold_behind_interim(&mut self, bytes: usize, now: Instant) {
        if self.link.is_continued() {
            let until = now + INTERIM;
            self.interim = Some(Interim { bytes, until });
        }
    }

    /// The deadline of the link alone, whatever waits to be written.
    fn own_deadline(&self, limits: &Limits) -> Option<Instant> {
        match self.phase {
            Phase::Open if self.may_be_fed() => self.link.deadline(limits),
            // What the loop does not read of the peer is not counted against it.
            Phase::Open => self.link.deadline_withheld(),
            Phase::Handshaking { until } => {
                Some(Instant::START + Duration::from_secs(until.into()))
            }
            Phase::Dialling | Phase::Proxied | Phase::Flushing(_) | Phase::Lingering { .. } => None,
        }
    }

    /// Whether feeding the link can bring anything: it is open, and neither
    /// its owner nor its backlog holds it.
    pub(crate) const fn may_be_fed(&self) -> bool {
        matches!(self.phase, Phase::Open)
            && (self.holds.is_none() || self.holds.lets_read(self.link.is_multiplexed()))
    }

    /// Whether so much of its output waits, with `corked` bytes, that it is not fed.
    #[inline(always)]
    pub(super) fn is_behind(&self, corked: usize, high: usize) -> bool {
        corked + self.backlog.len() > high && !self.holds.ignores_output()
    }

    pub(super) fn awaits_owner(&self) -> bool {
        let lacks_input = self.lacks_input();
        matches!(self.phase, Phase::Open)
            && self.backlog.is_empty()
            && (self.holds.has(Hold::Owner) || !lacks_input && self.link.awaits_owner())
    }

    /// Whether we opened it, so that no cap counts it.
    pub(crate) fn is_dialled(&self) -> bool {
        self.link.role() == Role::Client
    }

    /// Whether the link has asked for more than what is kept for it.
    fn lacks_input(&self) -> bool {
        self.input_buffer.as_ref().is_some_and(|it| it.is_short)
    }

    /// Whether an exchange is the present one, or still active.
    #[inline(always)]
    pub(crate) fn is_open(&self, stream: u32) -> bool {
        self.may_respond() && self.link.is_open(stream)
    }

    /// Whether its owner may answer what the link says is open.
    #[inline]
    pub(crate) const fn may_respond(&self) -> bool {
        matches!(self.phase, Phase::Open) && matches!(self.reported, Reported::Beginning)
    }

    /// Whether it is open; for a shared connection the link checks.
    #[inline]
    pub(super) fn may_be_open(&self, stream: u32) -> bool {
        self.may_respond() && (self.link.is_multiplexed() || self.link.is_open(stream))
    }

    /// Whether it waits for a request or message and nothing else, and holds no memory.
    #[inline]
    pub(crate) fn is_at_rest(&self) -> bool {
        matches!(self.phase, Phase::Open)
            && self.link.is_at_rest()
            && self.input_buffer.is_none()
            && !self.unopened
            && self.backlog.memory() == 0
    }

    /// Whether it is as it was when it was accepted, but for its link and its
    /// tag.
    pub(crate) fn is_plain(&self) -> bool {
        let Self {
            link,
            peer: _,
            input_buffer,
            backlog,
            stalls,
            sent: _,
            watch,
            interim,
            phase,
            tag: _,
            generation: _,
            owner: _,
            profile: _,
            socket,
            holds,
            unopened,
            queued,
            dirty,
            rested: _,
            warmth: _,
            gone,
            reported,
        } = self;
        *phase == Phase::Open
            && link.role() == Role::Server
            && *socket == SocketState::NEW
            && *holds == Holds::NONE
            && !(*unopened || *queued || *dirty)
            && *reported == Reported::Beginning
            && input_buffer.is_none()
            && backlog.memory() == 0
            && *stalls == Instant::NEVER
            && watch.is_none()
            && interim.is_none()
            && gone.is_none()
    }

    /// Whether a turn can bring anything without an event.
    pub(super) fn can_go_on(&self) -> bool {
        self.input_buffer.is_some()
            || self.socket.readable
            || self.socket.has_ended()
            || self.link.is_pending()
    }
}

#[cfg(test)]
mod tests;
