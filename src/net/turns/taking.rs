//! The part of the output that the peer has taken, and how that moves deadlines.
//!
//! ```text
//!   sent ----------------------------------------------> by the kernel's word
//!   |  what the peer has  |  under way: not acknowledged  |  backlog
//!                         ^ grows: the peer takes
//! ```
//!
//! Bytes that the kernel has taken are not with the peer: megabytes may be under
//! way for minutes. So, when a deadline comes up, the loop looks how far the peer
//! is. As long as that number grows no peer is stalled or idle, and what it
//! is to answer to has its time from when it has arrived. Nothing of this is
//! asked before a deadline comes up.

use core::time::Duration;

use super::connection::Connection;
use super::watch::{AwaitedAnswer, MUCH, Watch};
use crate::link::PeerProgress;
use crate::wire::Instant;

/// How long waiting output is left alone before it is looked at.
pub(super) const LOOK: Duration = Duration::from_secs(1);
/// The slowest reader that loses nothing: bytes a second.
const PACE: u64 = 4096;
/// What arrived in the last minute may wait before its reader for as long as it takes at that
/// pace.
const MOST: u64 = 1 << 20;
const APART: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    /// The peer has all of it, as far as is known.
    Clear,
    /// The peer has all of it, but some was under way at the last look.
    Cleared,
    /// Some is under way, and the peer has taken some lately.
    Moving,
    /// Some is under way, and the peer has taken nothing for
    /// [`write_progress`](crate::net::Limits::write_progress).
    Still,
}

impl Delivery {
    pub(super) const fn is_clear(self) -> bool {
        matches!(self, Self::Clear | Self::Cleared)
    }
}

impl Connection {
    pub(super) fn watch(&mut self, now: Instant) -> &mut Watch {
        self.watch.get_or_insert_with(|| Watch::new(now))
    }

    /// Bytes sent in about the last minute, as the marks tell.
    fn lately(&self) -> u64 {
        let watch = self.watch.as_ref();
        self.sent - watch.map_or(0, |watch| watch.earlier[0].1) // it only grows
    }

    /// How long recent bytes may wait before their reader, in a buffer or proxy, after being
    /// acknowledged.
    pub(super) fn held(&self) -> Duration {
        match self.lately() {
            ..MUCH => Duration::ZERO,
            bytes => Duration::from_millis(bytes.min(MOST) * 1000 / PACE),
        }
    }

    /// Marks what was sent until now.
    pub(super) fn age(&mut self, now: Instant) {
        if !self.link.asks() || self.watch.is_none() && self.sent < MUCH {
            return;
        }
        let sent = self.sent;
        let watch = self.watch(now);
        if now >= watch.earlier[1].0 + APART {
            watch.earlier = [watch.earlier[1], (now, sent)];
        }
    }

    pub(crate) fn forget_watch(&mut self) {
        if let Some(watch) = &self.watch
            && watch.mark.is_none()
            && self.lately() < MUCH
            && self.link.awaited().is_none()
            && !self.link.has_asked()
        {
            (self.watch, self.sent) = (None, 0);
        }
    }

    /// Output begins to wait, or some was taken: has it looked at before long.
    pub(super) fn await_progress(&mut self, now: Instant, limit: Duration) {
        self.stalls = now + limit.min(LOOK);
        if let Some(watch) = &mut self.watch {
            watch.mark = None;
        }
    }

    /// When waiting output, untaken since the last look, is given up.
    pub(super) fn stalls_at(&self, limit: Duration) -> Instant {
        let mark = self.watch.as_ref().and_then(|watch| watch.mark);
        mark.map_or(Instant::NEVER, |mark| mark.since + limit)
    }

    /// Whether the peer may lack something it must act on. What waits because it does not read
    /// excuses nothing.
    pub(super) fn may_lack_something(&self, way: Delivery) -> bool {
        let mark = self.watch.as_ref().and_then(|watch| watch.mark);
        let is_on_its_way = mark.is_some_and(|mark| mark.is_on_its_way);
        way == Delivery::Cleared || way == Delivery::Moving && is_on_its_way
    }

    /// Restarts an awaited answer's time from its request's arrival. Called before the
    /// deadline, when it was `way`.
    pub(super) fn put_off(&mut self, way: Delivery, now: Instant) {
        if self.may_lack_something(way) {
            self.link.under_way(now);
        }
        if self.link.has_asked() {
            let mark = self.watch.as_ref().and_then(|watch| watch.mark);
            let taken = PeerProgress {
                bytes: mark.filter(|_| !way.is_clear()).map(|mark| mark.taken),
                is_still: way == Delivery::Still,
                held: self.held(),
            };
            self.link.has_taken(taken, now);
        }
        let Some(since) = self.link.awaited() else {
            if let Some(watch) = &mut self.watch {
                watch.asked = None;
            }
            return;
        };
        let (end, held, sent) = (self.end(), self.held(), self.sent);
        let watch = self.watch(now);
        let mut asked = match watch.asked.take() {
            Some(asked) if asked.since == since => asked,
            _ => AwaitedAnswer {
                since,
                end,
                arrived: false,
            },
        };
        if !asked.arrived {
            let taken = watch.mark.map_or(sent as i64, |mark| mark.taken);
            asked.arrived = way.is_clear() || taken >= asked.end as i64;
            match (asked.arrived, way) {
                (true, _) => self.link.await_from(now + held),
                (false, Delivery::Still) => {}
                (false, _) => self.link.await_from(now),
            }
            asked.since = self.link.awaited().unwrap_or(since);
        }
        self.watch(now).asked = Some(asked);
    }

    /// Notes what the link has asked for just now, when it was `way` before.
    pub(super) fn note_asked(&mut self, way: Delivery, now: Instant) {
        let Some(since) = self.link.awaited() else {
            return;
        };
        let known = self.watch.as_ref().and_then(|watch| watch.asked.as_ref());
        if known.is_some_and(|asked| asked.since == since) {
            return;
        }
        let (end, held) = (self.end(), self.held());
        let arrived = way.is_clear() && self.backlog.is_empty();
        if arrived && held > Duration::ZERO {
            self.link.await_from(now + held);
        }
        self.watch(now).asked = Some(AwaitedAnswer {
            since: self.link.awaited().unwrap_or(since),
            end,
            arrived,
        });
    }

    /// The count of bytes sent once all waiting output is.
    pub(crate) fn end(&self) -> u64 {
        self.sent + self.backlog.content() as u64
    }
}
