//! One turn of the loop.

use alloc::vec::Vec;
use core::mem;
use core::time::Duration;

use super::active::Active;
use super::connection::Phase;
use super::fair::Part;
use super::state::{State, Timer};
use crate::http::date::Date;
use crate::link::Event;
use crate::net::remote::Mail;
use crate::net::{Error, Exchange, Key, Loop, Owner, Poller, Readiness};
use crate::wire::Instant;

/// Messages from other threads that one turn handles at most.
const MAIL: usize = 1024;
/// How often those are called in one turn that the ones before have woken.
const WAKES: u32 = 16;
/// Futures that are polled in one turn at most.
const POLLS: usize = 1024;
/// Timers that go off in one turn at most.
const TIMERS: usize = 1024;
/// Connections that others have written to and that one turn writes to at most:
/// each is a system call.
const FLUSHES: usize = 512;

impl<P: Poller> Loop<P> {
    /// One turn: waits at most `timeout` (`None`: until something happens) and
    /// serves what there is. For programs that keep the main loop to
    /// themselves.
    ///
    /// # Errors
    /// [`Error::Io`] if the poller fails.
    #[inline(always)]
    pub fn turn(&mut self, timeout: Option<Duration>) -> Result<(), Error> {
        let wait = self.wait(timeout);
        self.poller.poll(&mut self.ready, wait)?;
        let _active = Active::begin(self.dispatch.state.futures.id());
        self.note_time();
        self.dispatch.state.visits = 0;
        // Who is woken from here on waits for the next turn.
        if !self.dispatch.state.runnable.is_empty() {
            mem::swap(&mut self.round, &mut self.dispatch.state.runnable);
        }
        // First: what another loop published before it answered its client
        // arrives before that client's next request here is answered.
        self.read_mail();
        self.attend_ready();
        self.accept();
        self.fire_timers();
        self.expire();
        self.go_on();
        self.shake_hands();
        self.poll_woken();
        self.call_woken();
        self.dial();
        self.flush_dirty();
        self.attend_memory();
        self.cut_late();
        if !self.dispatch.state.departures.is_empty() {
            self.dispatch.tell_departed();
        }
        let State {
            connections,
            limits,
            memory,
            ..
        } = &mut self.dispatch.state;
        connections.pack(limits.warm, memory);
        Ok(())
    }

    /// How long a poll may wait.
    fn wait(&mut self, timeout: Option<Duration>) -> Option<Duration> {
        let state = &self.dispatch.state;
        if self.listeners.is_ready()
            || !self.inbox.is_empty()
            || !state.runnable.is_empty()
            || !state.dirty.is_empty()
            || !state.dials.is_empty()
            || !state.wakes.is_empty()
            || state.futures.is_woken()
            || !state.handshakes.ready.is_empty()
        {
            return Some(Duration::ZERO);
        }
        let packing = state.connections.next(state.limits.warm);
        let coarse = sooner(self.deadlines.next(), packing);
        let next = match (self.next_precise(), coarse) {
            (None, None) => return timeout,
            // The clock of this turn does: they are whole seconds, and may be
            // late by one and by what the turn takes.
            (None, Some(coarse)) => coarse.saturating_since(state.now),
            (Some(precise), coarse) => {
                let next = coarse.map_or(precise, |coarse| coarse.min(precise));
                // The turn may have taken its time.
                next.saturating_since(self.poller.refresh())
            }
        };
        Some(timeout.map_or(next, |timeout| timeout.min(next)))
    }

    /// The first time that something other than a connection's deadline is due.
    #[inline(always)]
    fn next_precise(&self) -> Option<Instant> {
        let state = &self.dispatch.state;
        let dialling = !self.dials.is_empty();
        let memory = state.memory.next();
        let sleep = state.futures.first_sleep();
        let has_timers = !state.timers.is_empty() || !state.alarms.is_empty() || sleep.is_some();
        if !has_timers && !dialling && self.drained_by.is_none() && memory.is_none() {
            return self.listeners.next();
        }
        let drained = self.drained_by.filter(|_| !state.connections.is_empty());
        sooner(
            sooner(
                sooner(state.timers.next(), state.alarms.next()),
                sooner(self.listeners.next(), sleep),
            ),
            sooner(sooner(self.dials.next(), drained), memory),
        )
    }

    fn note_time(&mut self) {
        let state = &mut self.dispatch.state;
        state.now = self.poller.now();
        state.connections.begin_turn(state.now);
        state.futures.begin_turn(state.now);
        let seconds = self.poller.unix_seconds();
        if seconds != state.unix_seconds {
            state.unix_seconds = seconds;
            state.date = Date::from_unix(seconds);
        }
    }

    /// Writes to those that others have written to; what is left waits for the
    /// next turn.
    fn flush_dirty(&mut self) {
        if self.dispatch.state.dirty.is_empty() {
            return;
        }
        let mut part = Part::new(&self.dispatch.state);
        let mut left = FLUSHES;
        while left > 0 && !self.dispatch.state.dirty.is_empty() {
            let next = mem::take(&mut self.round);
            let mut round = mem::replace(&mut self.dispatch.state.dirty, next);
            let mut written = 0;
            for &key in round.iter().take(left) {
                if part.is_over(&self.dispatch.state) {
                    left = written; // it is over for this turn
                    break;
                }
                self.dispatch.state.current = key;
                self.settle(key);
                part.note(false);
                written += 1;
            }
            left -= written;
            round.drain(..written);
            if !round.is_empty() {
                round.append(&mut self.dispatch.state.dirty);
                mem::swap(&mut round, &mut self.dispatch.state.dirty);
            }
            self.round = round;
        }
    }

    /// Hands over what other threads sent.
    fn read_mail(&mut self) {
        if self.inbox.is_empty() {
            return;
        }
        let lost = self.inbox.lost();
        let counters = &mut self.dispatch.state.counters;
        (counters.lost_publishes, counters.lost_replies) = (lost.publishes, lost.replies);
        for _ in 0..MAIL {
            if self.dispatch.state.is_late() {
                return;
            }
            let Some(mail) = self.inbox.next() else {
                return;
            };
            match mail {
                Mail::Exchange {
                    owner,
                    exchange,
                    value,
                } => {
                    self.call(owner, exchange, Event::Mail(value));
                }
                Mail::Owner { owner, value } => {
                    self.dispatch.tell_owner(owner, Event::Mail(value));
                    if let Some(round) = self.dispatch.state.alarms.new_round() {
                        self.deadlines.look_at(round);
                    }
                }
                Mail::Drain { within } => self.drain(within),
                #[cfg(all(unix, feature = "systemd"))]
                Mail::Probe(turned) => {
                    turned.fetch_add(1, core::sync::atomic::Ordering::Relaxed);
                }
            }
        }
    }

    /// Calls those that others on this loop have woken, and those that these wake. What is
    /// left waits for the next turn.
    fn call_woken(&mut self) {
        if self.dispatch.state.wakes.is_empty() {
            return;
        }
        let mut part = Part::new(&self.dispatch.state);
        let mut round = Vec::new();
        for _ in 0..WAKES {
            self.dispatch.state.wakes.take(&mut round);
            if round.is_empty() {
                return;
            }
            let mut called = 0;
            for waker in &round {
                if part.is_over(&self.dispatch.state) {
                    break;
                }
                let (owner, exchange) = waker.take();
                called += 1;
                part.note(false);
                self.call(owner, exchange, Event::Woken);
            }
            round.drain(..called);
            if !round.is_empty() {
                return self.dispatch.state.wakes.put_back(round);
            }
        }
    }

    /// Has the futures polled that have been woken, each once. What is left waits for the next
    /// turn.
    fn poll_woken(&mut self) {
        if !self.dispatch.state.futures.is_woken() {
            return;
        }
        let mut part = Part::new(&self.dispatch.state);
        let mut left = self.dispatch.state.futures.woken().min(POLLS);
        while !part.is_over(&self.dispatch.state)
            && let Some(target) = self.dispatch.state.futures.next(&mut left)
        {
            part.note(false);
            self.call(
                target.owner,
                target.exchange,
                Event::Poll {
                    token: target.token,
                },
            );
        }
    }

    /// Calls an exchange if it is still open, or an owner for none.
    fn call(&mut self, owner: Owner, exchange: Exchange, event: Event<'_>) {
        if exchange.connection == Key::NONE {
            return self.dispatch.tell_owner(owner, event);
        }
        let it = self.dispatch.state.connections.get_mut(exchange.connection);
        let is_owner = it.is_some_and(|it| it.owner == owner);
        if is_owner && self.dispatch.state.is_open(exchange) {
            self.attend(exchange, event);
        }
    }

    fn fire_timers(&mut self) {
        let now = self.dispatch.state.now;
        self.dispatch.state.futures.wake_sleeping(now, TIMERS);
        // One that is set anew waits for the next turn.
        for _ in 0..self.dispatch.state.alarms.len() {
            if let Some(owner) = self.dispatch.state.alarms.take_due(now) {
                self.dispatch.tell_owner(owner, Event::Timer { token: 0 });
            }
        }
        let until = self.dispatch.state.timers.mark();
        let mut part = Part::new(&self.dispatch.state);
        for _ in 0..TIMERS {
            let Some((_, timer)) = self.dispatch.state.timers.expired(now, until) else {
                return;
            };
            let Timer {
                owner,
                exchange,
                token,
                claim,
                granted,
            } = timer;
            drop(claim); // the owner that is called may set the next
            if exchange.connection == Key::NONE {
                self.dispatch.tell_owner(owner, Event::Timer { token });
            } else if self.dispatch.state.is_open(exchange) {
                let excused = granted.is_some_and(|since| self.excuses(exchange, since));
                self.dispatch.state.excused = excused;
                self.attend(exchange, Event::Timer { token });
            }
            part.note(false);
            if part.is_over(&self.dispatch.state) {
                return;
            }
        }
    }

    /// Serves those that the system says something has happened to.
    pub(super) fn attend_ready(&mut self) {
        let mut part = None;
        let mut at = 0;
        while let Some(&readiness) = self.ready.get(at) {
            let has_more = self.attend_readiness(readiness);
            at += 1;
            if at < self.ready.len() {
                let state = &self.dispatch.state;
                let part = part.get_or_insert_with(|| Part::of_turn(state));
                part.note(has_more);
                self.is_behind |= part.is_over(state);
            }
        }
    }

    /// Serves the connection of a readiness, or notes that it is to be served;
    /// whether it has more to do.
    fn attend_readiness(&mut self, readiness: Readiness) -> bool {
        if readiness.token & Key::FREE_TOKENS != 0 {
            if let Some(number) = self.listeners.number_of(readiness.token) {
                self.listeners.ready(number);
            }
            return false;
        }
        let Some(key) = self.dispatch.state.connections.key_from(readiness.token) else {
            return false;
        };
        let Some(connection) = self.dispatch.state.connections.get_mut(key) else {
            return false;
        };
        connection.socket.note(readiness);
        if connection.phase == Phase::Dialling {
            self.go_on_dialling(key);
        } else if matches!(connection.phase, Phase::Handshaking { .. }) {
            self.dispatch.state.wake(key);
        } else if !connection.queued {
            if !self.is_behind {
                let start = connection.start();
                return self.serve_from(key, start);
            }
            connection.queued = true;
            self.round.push(key);
        }
        false // who is queued has its turn later in this one
    }

    /// Serves those that can go on without an event, for some time.
    pub(super) fn go_on(&mut self) {
        if self.round.is_empty() {
            return;
        }
        let mut round = mem::take(&mut self.round);
        if self.is_behind {
            self.dispatch.state.in_turns(&mut round);
        }
        let mut part = Part::new(&self.dispatch.state);
        let mut served = 0;
        for &key in &round {
            if part.is_over(&self.dispatch.state) {
                break;
            }
            served += 1;
            if let Some(connection) = self.dispatch.state.connections.get_mut(key) {
                connection.queued = false;
                let start = connection.start();
                part.note(self.serve_from(key, start));
            }
        }
        round.drain(..served);
        self.is_behind = !round.is_empty();
        if self.is_behind {
            round.append(&mut self.dispatch.state.runnable);
            mem::swap(&mut round, &mut self.dispatch.state.runnable);
        }
        self.round = round;
    }
}

#[inline]
fn sooner(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
