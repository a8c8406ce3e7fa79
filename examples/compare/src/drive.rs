//! How a client is driven: as fast as it goes, or at a fixed rate, whatever comes back.

use std::time::{Duration, Instant};

use barewire::net::Loop;

use crate::Result;
use crate::board::Board;
use crate::client::Client;

/// How long one thing may take until the transport counts as failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// A client, and what drives it.
pub struct Driver {
    pub events: Loop,
    pub client: Box<dyn Client>,
    pub board: Board,
    free: Vec<usize>,
    slots: usize,
}

/// What one round has brought.
#[derive(Debug, Clone, Copy)]
pub struct Round {
    pub operations: usize,
    pub took: Duration,
}

impl Driver {
    /// A driver of a client that has so many places; waits until its streams are open.
    ///
    /// # Errors
    /// What keeps them from opening.
    pub fn new(events: Loop, client: Box<dyn Client>, board: Board, slots: usize) -> Result<Self> {
        let mut new = Self {
            events,
            client,
            board,
            free: (0..slots).rev().collect(),
            slots,
        };
        let until = Instant::now() + PATIENCE.max(Duration::from_millis(4 * slots as u64));
        while new.board.open_count() < new.client.streams() {
            new.events.turn(Some(Duration::from_millis(20)))?;
            new.board.take(&mut new.free)?;
            if Instant::now() > until {
                let open = new.board.open_count();
                return Err(format!("{open} of {slots} streams opened in time").into());
            }
        }
        Ok(new)
    }

    /// Takes a turn, and says what has come to its end by then.
    fn turn(&mut self, time: Duration) -> Result<usize> {
        let before = self.free.len();
        self.events.turn(Some(time))?;
        self.board.take(&mut self.free)?;
        Ok(self.free.len() - before)
    }

    fn begin(&mut self, slot: usize) -> Result<()> {
        self.client.start(slot, &mut self.events)
    }

    /// Begins in each place so often, one after the other, and waits for all.
    ///
    /// # Errors
    /// What the client says, or that it takes too long.
    pub fn each(&mut self, times: usize) -> Result<()> {
        for _ in 0..times {
            self.start_all()?;
            self.wait_for_all()?;
        }
        Ok(())
    }

    /// Begins in each place where nothing is under way.
    ///
    /// # Errors
    /// As above.
    pub fn start_all(&mut self) -> Result<()> {
        for slot in std::mem::take(&mut self.free) {
            self.begin(slot)?;
        }
        Ok(())
    }

    /// Waits until nothing is under way.
    ///
    /// # Errors
    /// As above.
    pub fn wait_for_all(&mut self) -> Result<()> {
        let until = Instant::now() + PATIENCE;
        while self.free.len() < self.slots {
            self.turn(Duration::from_millis(20))?;
            if Instant::now() > until {
                return Err("no answer in 20 s".into());
            }
        }
        Ok(())
    }

    /// Begins anew wherever something has ended, for so long, and then waits for what is under
    /// way, which counts.
    ///
    /// # Errors
    /// As above.
    pub fn closed(&mut self, time: Duration) -> Result<Round> {
        let start = Instant::now();
        let (mut operations, mut last) = (0, start);
        while start.elapsed() < time {
            while let Some(slot) = self.free.pop() {
                self.begin(slot)?;
            }
            self.board.take(&mut self.free)?;
            if self.free.is_empty() {
                self.turn(Duration::from_millis(20))?;
            }
            if !self.free.is_empty() {
                operations += self.free.len();
                last = Instant::now();
            }
            if last.elapsed() > PATIENCE {
                return Err("no answer in 20 s".into());
            }
        }
        operations += self.slots - self.free.len();
        self.wait_for_all()?;
        Ok(Round {
            operations,
            took: start.elapsed(),
        })
    }

    /// Begins at a fixed rate, and counts from when each was due: neither what a slow answer
    /// holds up nor what this side is late with is forgotten.
    ///
    /// # Errors
    /// As above.
    pub fn open(&mut self, rate: f64, time: Duration) -> Result<Vec<Duration>> {
        let gap = Duration::from_secs_f64(1.0 / rate);
        let count = (time.as_secs_f64() * rate) as u32;
        let start = Instant::now();
        let mut due = vec![start; self.slots];
        let mut took = Vec::with_capacity(count as usize);
        let mut next = 0;
        let mut ended = Vec::new();
        let until = start + time + PATIENCE;
        while (took.len() as u32) < count {
            let now = Instant::now();
            if now > until {
                return Err("the rate is not kept".into());
            }
            while next < count && start + gap * next <= now {
                let Some(slot) = self.free.pop() else {
                    break;
                };
                due[slot] = start + gap * next;
                next += 1;
                self.begin(slot)?;
            }
            self.events.turn(Some(Duration::ZERO))?;
            self.board.take(&mut ended)?;
            let now = Instant::now();
            for slot in ended.drain(..) {
                took.push(now - due[slot]);
                self.free.push(slot);
            }
        }
        Ok(took)
    }

    /// Begins in the first place until it succeeds, however often it fails: what a client does
    /// whose connection is gone.
    ///
    /// # Errors
    /// That it takes too long.
    pub fn again(&mut self) -> Result<Duration> {
        let start = Instant::now();
        let mut is_under_way = false;
        let mut ended = Vec::new();
        while ended.is_empty() {
            if start.elapsed() > PATIENCE {
                return Err("no answer in 20 s".into());
            }
            if !is_under_way {
                is_under_way = self.begin(0).is_ok();
            }
            self.events.turn(Some(Duration::from_millis(2)))?;
            is_under_way &= self.board.take(&mut ended).is_ok();
        }
        Ok(start.elapsed())
    }
}

/// Percentiles of times, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Percentiles {
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub p999: f64,
    pub count: usize,
}

impl Percentiles {
    /// Of these times; `None` of none.
    pub fn of(times: &mut [Duration]) -> Option<Self> {
        times.sort_unstable();
        let last = times.len().checked_sub(1)?;
        let at = |part: f64| {
            let place = (times.len() as f64 * part).ceil() as usize;
            times[place.saturating_sub(1).min(last)].as_nanos() as f64 / 1e3
        };
        Some(Self {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            count: times.len(),
        })
    }
}

/// The middle of some values, and how far they are apart.
pub fn median(values: &mut [f64]) -> Option<(f64, f64)> {
    values.sort_by(f64::total_cmp);
    let (first, last) = (values.first()?, values.last()?);
    let middle = values[values.len() / 2];
    let spread = if middle > 0.0 {
        (last - first) / middle
    } else {
        0.0
    };
    Some((middle, spread))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_nearest_rank() {
        let mut times: Vec<_> = (1..=1000).rev().map(Duration::from_micros).collect();
        let of = Percentiles::of(&mut times).unwrap();
        assert_eq!(
            (of.p50, of.p90, of.p99, of.p999),
            (500.0, 900.0, 990.0, 999.0)
        );
        assert_eq!(Percentiles::of(&mut []), None);
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), Some((2.0, 1.0)));
    }
}
