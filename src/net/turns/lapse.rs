//! The passage of time: deadlines, memory, draining.

use core::mem;
use core::time::Duration;

use super::connection::{Phase, Reported};
use super::dispatch::Dispatch;
use super::taking::Delivery;
use super::watch::Mark;
use crate::link::{EndReason, Event};
use crate::net::{Exchange, Key, Loop, Owner, Poller};
use crate::wire::{Instant, Role};

impl<P: Poller> Loop<P> {
    /// Calls the owners whose rounds are due.
    fn go_rounds(&mut self, now: Instant) {
        while let Some(owner) = self.dispatch.state.alarms.take_round(now) {
            let timer = Event::Timer { token: 0 };
            self.dispatch.tell_owner(owner, timer); // the next one it sets lies later
        }
        if let Some(next) = self.dispatch.state.alarms.next_round() {
            self.deadlines.look_at(next);
        }
    }

    /// Lets the deadlines that have come take effect.
    pub(super) fn expire(&mut self) {
        let now = self.dispatch.state.now;
        if self.deadlines.next().is_none_or(|next| now < next) {
            return;
        }
        let mut passed = mem::take(&mut self.passed);
        self.deadlines.expired(now, &mut passed);
        self.go_rounds(now);
        for slot in passed.drain(..) {
            let Some(key) = self.dispatch.state.connections.key_at(slot) else {
                continue;
            };
            let Dispatch {
                state, profiles, ..
            } = &mut self.dispatch;
            let Some(connection) = state.connections.get_mut(key) else {
                continue;
            };
            if connection.stalls <= now {
                match connection.phase {
                    Phase::Lingering { taken, .. } => self.linger_on(key, taken),
                    Phase::Proxied => {
                        state.counters.proxy_faults += 1;
                        state.note_limit(key, "Limits::proxy_time");
                        self.end(key, EndReason::Stalled);
                    }
                    _ => self.judge_progress(key),
                }
                continue;
            }
            // Profiles are only ever added, so the index stays good.
            let limits = &profiles[usize::from(connection.profile)];
            let record = match connection.unopened {
                true => self
                    .sockets
                    .record_deadline(key, connection, now, &state.limits),
                false => None,
            };
            match connection.phase {
                Phase::Open if record.is_some_and(|it| it <= now) => {
                    state.note_limit(key, "Limits::record_time");
                    self.run_out(key);
                }
                Phase::Open if connection.deadline(limits).is_some_and(|it| it <= now) => {
                    connection.rested = false; // its deadline has just been ended
                    self.elapse(key);
                }
                Phase::Handshaking { .. }
                    if connection.deadline(limits).is_some_and(|it| it <= now) =>
                {
                    state.note_limit(key, "Limits::handshake_time");
                    self.run_out(key);
                }
                // If it rests, it stays at rest.
                _ => {
                    let deadline = connection.deadline(limits);
                    let first = deadline.into_iter().chain(record).min();
                    self.deadlines.set(slot, first);
                }
            }
        }
        self.passed = passed;
    }

    /// Gives up a connection whose output waits if its peer takes nothing.
    fn judge_progress(&mut self, key: Key) {
        if self.look(key) == Delivery::Still {
            let state = &self.dispatch.state;
            state.note_limit(key, "Limits::write_progress");
            return self.end(key, EndReason::Stalled);
        }
        let state = &mut self.dispatch.state;
        let limit = state.limits.write_progress;
        if let Some(connection) = state.connections.get_mut(key)
            && !connection.backlog.is_empty()
        {
            connection.stalls = connection.stalls_at(limit);
        }
        self.dispatch.state.current = key;
        self.settle(key);
    }

    /// Lingering's time is over, counted from when the peer has `taken` all; until then it has
    /// as long while it takes some.
    fn linger_on(&mut self, key: Key, taken: bool) {
        let way = match taken {
            true => Delivery::Still,
            false => self.look(key),
        };
        if way == Delivery::Still {
            return self.end(key, EndReason::Finished);
        }
        self.linger(key, way);
        self.dispatch.state.current = key;
        self.settle(key);
    }

    /// Stops accepting, lets what runs finish, and cuts what is left after
    /// `within` (`None`: after [`Limits::drain_time`](crate::net::Limits::drain_time));
    /// [`run`](Self::run) then returns. Asked again, it may end sooner than it
    /// would have, never later.
    pub fn drain(&mut self, within: impl Into<Option<Duration>>) {
        let state = &mut self.dispatch.state;
        let by = state.now + within.into().unwrap_or(state.limits.drain_time);
        self.drained_by = Some(self.drained_by.map_or(by, |earlier| earlier.min(by)));
        if state.draining {
            return;
        }
        state.draining = true;
        self.accept_remaining();
        for owner in 0..self.dispatch.handlers.len() {
            self.dispatch
                .tell_owner(Owner(owner as u16), Event::Draining);
        }
        for key in self.dispatch.state.connections.keys() {
            self.drain_one(key);
        }
    }

    /// Lets a connection finish, after what has arrived: no delivered request is lost.
    fn drain_one(&mut self, key: Key) {
        let Some(connection) = self.dispatch.state.connections.get_mut(key) else {
            return;
        };
        if matches!(connection.phase, Phase::Proxied | Phase::Handshaking { .. }) {
            return self.end(key, EndReason::Drained); // nobody has asked for anything
        }
        if matches!(connection.phase, Phase::Lingering { .. }) {
            let by = self.dispatch.state.now + self.dispatch.state.limits.linger_time;
            connection.stalls = connection.stalls.min(by);
        }
        let is_open = connection.phase == Phase::Open;
        connection.socket.readable |= is_open;
        if is_open {
            self.serve(key);
        }
        let state = &mut self.dispatch.state;
        let mask_key = state.entropy.take();
        state.current = key;
        if let Some(connection) = state.connections.get_mut(key)
            && connection.phase == Phase::Open
        {
            // Who has only just connected is about to ask.
            let asks = connection.input_buffer.is_some()
                || connection.socket.readable
                || (connection.link.role() == Role::Server && connection.link.stream() == 0);
            connection
                .link
                .drain(asks, mask_key, state.now, &mut state.cork);
        }
        self.settle(key);
    }

    /// Whether the loop has been drained: nothing is left to be served.
    pub fn is_drained(&self) -> bool {
        self.dispatch.state.draining && self.dispatch.state.connections.is_empty()
    }

    /// Cuts what has not finished when draining has to be over.
    pub(super) fn cut_late(&mut self) {
        let now = self.dispatch.state.now;
        if self.drained_by.is_none_or(|by| now < by) {
            return;
        }
        for key in self.dispatch.state.connections.keys() {
            let connection = self.dispatch.state.connections.get_mut(key);
            let Some(connection) = connection else {
                continue;
            };
            let runs = connection.reported == Reported::Beginning && !connection.link.is_idle();
            self.cut += usize::from(runs);
            // Who has been sent all keeps what is still under way.
            let has_all = connection.backlog.is_empty()
                && (connection.link.is_idle() || connection.link.has_closed());
            let gone = match connection.phase {
                Phase::Lingering { .. } => EndReason::Finished,
                _ if has_all => EndReason::Finished,
                _ => EndReason::Drained,
            };
            self.end(key, gone);
        }
    }

    /// Looks how far the peer is with what was sent.
    ///
    /// Where the system does not say, only what waits here is under way, and the kernel is
    /// offered it: what it takes, the peer made room for.
    pub(super) fn look(&mut self, key: Key) -> Delivery {
        let stream = self.sockets.get(key);
        let under_way = stream.and_then(|stream| self.poller.under_way(stream));
        let state = &mut self.dispatch.state;
        let Some(connection) = state.connections.get_mut(key) else {
            return Delivery::Clear;
        };
        let waits = !connection.backlog.is_empty();
        if under_way.unwrap_or(0) == 0 && !waits {
            let watch = connection.watch.as_mut();
            return match watch.and_then(|watch| watch.mark.take()) {
                Some(mark) if mark.is_on_its_way => Delivery::Cleared,
                Some(_) | None => Delivery::Clear,
            };
        }
        if under_way.is_none() {
            connection.socket.writable = true;
            self.flush(key);
        }
        let state = &mut self.dispatch.state;
        let Some(connection) = state.connections.get_mut(key) else {
            return Delivery::Clear;
        };
        let now = state.now;
        let taken = connection.sent as i64 - under_way.unwrap_or(0) as i64;
        let watch = connection.watch(now);
        let since = match watch.mark {
            Some(before) if taken <= before.taken => before.since,
            Some(_) | None => now,
        };
        let is_on_its_way = under_way.is_some_and(|bytes| bytes > 0);
        watch.mark = Some(Mark {
            taken: watch.mark.map_or(taken, |before| before.taken.max(taken)),
            since,
            is_on_its_way,
        });
        match now < since + state.limits.write_progress {
            true => Delivery::Moving,
            false => Delivery::Still,
        }
    }

    /// Whether an exchange's peer may not have been able to send what was due since then.
    pub(super) fn excuses(&mut self, exchange: Exchange, since: Instant) -> bool {
        let way = self.look(exchange.connection);
        let connections = &mut self.dispatch.state.connections;
        let Some(connection) = connections.get_mut(exchange.connection) else {
            return false;
        };
        connection.may_lack_something(way)
            || !connection.may_be_fed()
            || connection.link.was_withheld(exchange.stream, since)
    }

    /// Lets the deadline of a connection's link take effect, unless the peer has
    /// not had its time yet.
    pub(super) fn elapse(&mut self, key: Key) {
        let Dispatch {
            state, profiles, ..
        } = &mut self.dispatch;
        let now = state.now;
        // Looking marks it as being watched: not packed before it is looked at again.
        let is_due = state.connections.get_mut(key).is_some_and(|it| {
            let limits = &profiles[usize::from(it.profile)];
            it.link.is_due(limits, now)
        });
        let way = match is_due {
            true => self.look(key),
            false => Delivery::Clear,
        };
        if let Some(connection) = self.dispatch.state.connections.get_mut(key) {
            connection.age(now);
            if is_due {
                connection.put_off(way, now);
            }
        }
        self.dispatch.state.current = key;
        self.dispatch.elapse(key);
        self.settle(key);
        if let Some(connection) = self.dispatch.state.connections.get_mut(key) {
            connection.note_asked(way, now);
        }
        // An answer to what was overdue lets input go on that has waited for it.
        self.dispatch.state.go_on(key);
    }
}

#[cfg(test)]
mod tests;
