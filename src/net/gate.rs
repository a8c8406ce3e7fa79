//! A gate that lets a few lines of one kind pass in a while.

use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds in which a gate lets so many lines pass.
const WINDOW: u64 = 10;
const LINES: u64 = 20;
const COUNT: u32 = 40;

/// Lets a few lines pass in a while, from all threads together.
pub(crate) struct Gate {
    state: AtomicU64, // the window's number, then its lines
}

/// The note after a line: how many like it were left out before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LeftOut(u64);

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            count => write!(f, " ({count} lines like this were left out)"),
        }
    }
}

impl Gate {
    pub(crate) const fn new() -> Self {
        Self {
            state: AtomicU64::new(0),
        }
    }

    /// Counts a line at this second; whether it may pass, and how many did not in the last busy
    /// window.
    pub(crate) fn pass(&self, second: u64) -> Option<LeftOut> {
        const COUNTED: u64 = (1 << COUNT) - 1;
        let window = (second / WINDOW) << COUNT;
        let next = |state: u64| match state & !COUNTED == window {
            true if state & COUNTED == COUNTED => state,
            true => state + 1,
            false => window | 1,
        };
        let (order, old) = (Ordering::Relaxed, Ordering::Relaxed);
        let before = match self
            .state
            .fetch_update(order, old, |state| Some(next(state)))
        {
            Ok(before) | Err(before) => before,
        };
        let counted = before & COUNTED;
        match before & !COUNTED == window {
            true => (counted < LINES).then_some(LeftOut(0)),
            false => Some(LeftOut(counted.saturating_sub(LINES))),
        }
    }
}

/// Seconds of the system's clock: gates are passed seldom.
pub(crate) fn seconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |time| time.as_secs())
}

#[cfg(test)]
mod tests;
