//! Members that do not take what is published.
//!
//! ```text
//!   takes all ──► more than `backlog_high` waits ──► nothing taken for `slow_time`: slow
//!       ▲                 │     ▲      │                 more than `backlog_cap`: slow
//!       └── it has taken ─┘     └──────┘ takes some: the time begins anew
//! ```

use crate::net::Uptake;
use crate::wire::Instant;
use core::time::Duration;

/// The treatment of a slow member of a channel: more than
/// [`backlog_high`](crate::net::Limits::backlog_high) waits for it, and it has taken nothing of
/// that for [`ChannelLimits::slow_time`](crate::app::ChannelLimits::slow_time); or more than
/// [`backlog_cap`](crate::net::Limits::backlog_cap) waits for it when a further publication
/// comes, which is still put behind that: so at most the cap and two publications wait.
///
/// A member that reads slowly, but does read, is none.
///
/// ```
/// use barewire::app::{App, ChannelOptions, SlowMembers};
///
/// // Prices: a slow client gets the newest.
/// App::new().channel("prices", ChannelOptions::new().slow_members(SlowMembers::Newest));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum SlowMembers {
    /// It is sent away, so that it comes back and recovers, or learns that it cannot: a
    /// WebSocket with 1013, an event stream by its end, a call with RESOURCE_EXHAUSTED. The
    /// default: only this needs no care of the application's.
    #[default]
    Close,
    /// It gets nothing that is published to this channel until it has taken what it has. Then
    /// its object is told how much it has [`Missed`].
    Drop,
    /// Likewise; and then it gets the newest that it has missed, alone. For channels of which
    /// each publication replaces the one before.
    Newest,
}

/// The part of a channel that a slow member was not given
/// ([`WebSocket::missed`](crate::app::WebSocket::missed)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Missed<'a> {
    /// The channel.
    pub channel: &'a str,
    /// How many publications.
    pub publications: u64,
}

impl<'a> Missed<'a> {
    pub(crate) const fn new(channel: &'a str, publications: u64) -> Self {
        Self {
            channel,
            publications,
        }
    }
}

/// How a member fares for which much waits.
#[derive(Debug)]
pub(crate) struct Lag {
    /// When it was last seen to take something.
    since: Instant,
    before: Uptake,
}

impl Lag {
    /// More waits for it than there should, from now on.
    pub(crate) const fn new(now: Instant, uptake: Uptake) -> Self {
        Self {
            since: now,
            before: uptake,
        }
    }

    /// Something of this length has been put behind what waits for it. Returns for how long
    /// it has taken nothing.
    pub(crate) fn look(&mut self, now: Instant, uptake: Uptake, length: usize) -> Duration {
        if uptake.is_after(&self.before, length) {
            self.since = now;
        }
        self.before = uptake;
        now.saturating_since(self.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_takes_something_has_time_again() {
        let at = |seconds| Instant::START + Duration::from_secs(seconds);
        let taken = |sent, queued| Uptake {
            sent,
            queued,
            is_shared: queued > 0,
        };
        let mut lag = Lag::new(at(0), taken(100, 0));
        assert_eq!(lag.look(at(4), taken(100, 0), 9), Duration::from_secs(4));
        assert_eq!(lag.look(at(9), taken(101, 0), 9), Duration::ZERO);
        assert_eq!(lag.look(at(12), taken(101, 0), 9), Duration::from_secs(3));
        // A stream beside others: what the connection has sent may be theirs.
        let mut lag = Lag::new(at(0), taken(100, 50));
        assert_eq!(lag.look(at(4), taken(200, 60), 10), Duration::from_secs(4));
        assert_eq!(lag.look(at(5), taken(200, 69), 10), Duration::ZERO);
    }
}
