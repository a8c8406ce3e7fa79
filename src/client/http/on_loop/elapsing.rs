//! Deadlines. No call has a timer of its own: the client has one alarm, and looks at its calls
//! when the first may be due.

use alloc::vec::Vec;
use core::time::Duration;

use super::driver::Driver;
use super::running::Place;
use crate::client::connecting::Phase;
use crate::client::http::error::ErrorKind;
use crate::client::http::pool::Closed;
use crate::net::{Context, Key};
use crate::wire::Instant;

/// Between two looks while no call was due, so that many deadlines in a row cost a look each.
const APART: Duration = Duration::from_millis(2);

impl Driver {
    /// Does what time has made due.
    pub(super) fn elapse(&mut self, context: &mut Context<'_>) {
        let now = context.now();
        let mut first = Instant::NEVER;
        let mut due: Vec<Key> = Vec::new();
        for (key, running) in self.calls.iter() {
            let Some(running) = running else {
                continue; // none is being seen to
            };
            match running.deadline() {
                at if at <= now => due.push(key),
                at => first = first.min(at),
            }
        }
        self.due = first.max(now + APART);
        for key in due {
            self.elapse_one(key, context);
        }
        let mut closed = Closed::default();
        self.pool.sweep(self.client.pool_limits(), now, &mut closed);
        self.close(closed, context);
    }

    fn elapse_one(&mut self, key: Key, context: &mut Context<'_>) {
        let now = context.now();
        if let Some(Place::On(_)) = self.call(key).map(|it| it.place) {
            return self.begin_waiting(key, context, |driver, running, context| {
                driver.sync(key, running, context); // it may have come further than is known
                running.deadline() > now
                    || driver.act(running, context, |call, transport, now| {
                        call.elapsed(now);
                        call.pump(transport, now);
                    })
            });
        }
        let Some(running) = self.call(key) else {
            return;
        };
        let is_over = running.call.until() <= now;
        match running.place {
            Place::Pausing(_) if !is_over => running.place = Place::Nowhere,
            Place::Applying(..) if !is_over => {
                running.call.abandon(ErrorKind::TimedOut("response_time"));
            }
            Place::Dialling(_) => running.call.never_connected(Phase::Connect),
            Place::Pausing(_) | Place::Waiting { .. } | Place::Looking(_) | Place::Applying(..) => {
                running.call.never_connected(Phase::Pool);
            }
            Place::Nowhere | Place::On(_) => {}
        }
        self.touch(key);
    }

    /// Arms the loop's alarm and publishes the counts.
    pub(super) fn arm(&mut self, context: &mut Context<'_>) {
        let now = context.now();
        let sweep = self.pool.sweep.unwrap_or(Instant::NEVER);
        self.due = self.due.min(sweep);
        // One that is later than what is set is set when that has come.
        if self.due < self.alarm || self.alarm <= now {
            self.alarm = self.due;
            if self.alarm < Instant::NEVER {
                context.set_alarm(self.alarm);
            }
        }
        if core::mem::replace(&mut self.counted, now) != now || self.pool.origins.len() <= 8 {
            self.desk.counts.set(self.pool.counts());
        }
        let received = context.received();
        let more = received.saturating_sub(core::mem::replace(&mut self.received, received));
        if more > 0 {
            self.counters.carried(0, more);
        }
    }
}
