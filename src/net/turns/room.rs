//! Room when memory is short: connections that are ended or refused for it.

use alloc::vec::Vec;
use std::collections::HashMap;

use super::connection::Phase;
use super::failing::fail;
use super::holds::Hold;
use super::memory::{AGE, Starved, TICK};
use super::state::State;
use crate::http::Status;
use crate::link::{Account, EndReason, LITTLE};
use crate::net::stores::caps::Origin;
use crate::net::{Exchange, Key, Loop, Poller};
use crate::wire::Instant;

impl State {
    #[cold]
    pub(super) fn starve(&mut self, key: Key, needs: usize) {
        let Some(connection) = self.connections.get_mut(key) else {
            return;
        };
        if !connection.holds.has(Hold::Memory) {
            connection.holds.add(Hold::Memory);
            self.memory.seen.starved();
            let since = self.now;
            self.memory.starved.push(Starved { key, needs, since });
            self.memory.next = self.memory.next.min(self.now + TICK);
        }
    }
}

impl State {
    /// The owner is about to act: a wait for it alone does not count.
    #[inline]
    pub(super) fn excuse(&self, key: Key) {
        let (now, pace) = (self.now, self.memory.pace);
        if let Some(connection) = self.connections.get(key)
            && let Some(account) = connection.link.account()
            && account.lags(pace, now).is_some()
            && connection.awaits_owner()
        {
            account.excuse(pace, now);
        }
    }
}

impl<P: Poller> Loop<P> {
    /// Ends laggards while memory is short, and `newest`, which took some just now, if that
    /// does not do.
    pub(super) fn make_room(&mut self, newest: Option<Key>) {
        let state = &mut self.dispatch.state;
        let (now, all) = (state.now, state.memory.all.clone());
        let wanted = state.memory.starved.first().map_or(0, |first| first.needs);
        if all.held() + wanted > state.memory.short && now >= state.memory.next_look {
            // What only waits for its next user goes first.
            self.dispatch.state.queues.age(true);
            self.release();
            if all.held() + wanted > self.dispatch.state.memory.short {
                self.end_laggards(&all, wanted);
            }
        }
        while all.held() > all.limit() {
            let holds = |key: &Key| {
                let connection = self.dispatch.state.connections.get(*key);
                let account = connection.and_then(|it| it.link.account());
                account.is_some_and(|account| account.held() > LITTLE)
            };
            let Some(key) = newest.filter(holds).or_else(|| self.largest()) else {
                return;
            };
            self.dispatch.state.memory.seen.refused();
            self.dispatch.state.note_limit(key, "Limits::memory");
            self.end(key, EndReason::Stalled);
        }
    }

    /// The connection that holds the most.
    fn largest(&self) -> Option<Key> {
        let accounts = self.dispatch.state.connections.accounts();
        let held = accounts.map(|(key, _, account)| (account.held(), key));
        held.max().filter(|(held, _)| *held > 0).map(|(_, key)| key)
    }

    /// Books what laggards' peers have taken, and excuses those that wait for us.
    fn look_at_laggards(&mut self) {
        let state = &self.dispatch.state;
        let (now, pace) = (state.now, state.memory.pace);
        let lag = state
            .connections
            .accounts()
            .filter_map(|(key, _, account)| {
                let connection = state.connections.get(key)?;
                account.lags(pace, now)?;
                if connection.awaits_owner() {
                    account.excuse(pace, now);
                    return None;
                }
                (connection.sent > 0).then_some(key)
            });
        for key in lag.collect::<Vec<Key>>() {
            let stream = self.sockets.get(key);
            let under_way = stream.and_then(|stream| self.poller.under_way(stream));
            let connection = self.dispatch.state.connections.get(key);
            if let Some(under_way) = under_way
                && let Some(connection) = connection
                && let Some(account) = connection.link.account()
            {
                account.took(connection.sent.saturating_sub(under_way as u64), pace, now);
            }
        }
    }

    /// Ends connections below the pace until a quarter of the memory is free: the address, then
    /// connection, whose bytes have lain longest.
    fn end_laggards(&mut self, all: &Account, wanted: usize) {
        self.look_at_laggards();
        let state = &mut self.dispatch.state;
        let (now, pace) = (state.now, state.memory.pace);
        let mut of_address: HashMap<Origin, (u128, usize)> = HashMap::new();
        let mut lagging = Vec::new();
        let mut most = 0;
        for (key, peer, account) in state.connections.accounts() {
            let bytes = account.held() + account.referred();
            most = most.max(bytes);
            let origin = state.memory.caps.origin(peer);
            let sum = origin.map(|it| of_address.entry(it).or_default());
            let waits = state
                .connections
                .get(key)
                .is_some_and(|it| it.holds.has(Hold::Memory));
            let lag = account.lags(pace, now).filter(|_| bytes > LITTLE && !waits);
            // What has just begun to lag weighs a little, too.
            let weight = lag.map_or(0, |lag| bytes as u128 * (lag.as_millis() + 1));
            if let Some((weights, held)) = sum {
                *weights += weight;
                *held += bytes;
            }
            if weight > 0 {
                lagging.push((origin, weight, key));
            }
        }
        let memory = &mut state.memory;
        let of_one = of_address.values().map(|it| it.1).max();
        memory.seen.note(most, of_one.unwrap_or(most));
        if lagging.is_empty() {
            memory.next_look = now + TICK;
            return;
        }
        let of = |origin: Option<Origin>, own: u128| {
            origin.map_or(own, |origin| of_address.get(&origin).map_or(own, |it| it.0))
        };
        lagging.sort_by_cached_key(|&(origin, weight, key)| {
            core::cmp::Reverse((of(origin, weight), weight, key))
        });
        // A little more than is short, so that not everybody is looked at for
        // each of them.
        let enough = (all.limit() / 4 * 3).min(memory.short.saturating_sub(wanted));
        for (_, _, key) in lagging {
            if all.held() <= enough {
                break;
            }
            self.dispatch.state.memory.seen.evicted();
            self.dispatch.state.note_limit(key, "Limits::memory");
            self.end(key, EndReason::Stalled);
            self.dispatch.state.queues.age(true);
            self.release();
        }
    }

    /// Does what is due at the end of a turn.
    #[inline]
    pub(super) fn attend_memory(&mut self) {
        let State { memory, now, .. } = &self.dispatch.state;
        if memory.all.held() > memory.short || *now >= memory.next || !memory.starved.is_empty() {
            self.make_room(None);
            self.feed_starved();
        }
    }

    /// Resumes connections that have waited for memory, as far as there is some, and
    /// refuses those that have waited for too long.
    fn feed_starved(&mut self) {
        let memory = &self.dispatch.state.memory;
        let now = self.dispatch.state.now;
        let is_short = memory.all.held() > memory.short;
        if now < memory.next && (memory.starved.is_empty() || is_short) {
            return;
        }
        if now >= memory.next_age {
            self.age();
        }
        let state = &mut self.dispatch.state;
        let mut room = state.memory.short.saturating_sub(state.memory.all.held());
        let mut late = Vec::new();
        let mut starved = core::mem::take(&mut state.memory.starved);
        starved.retain(|one| {
            let pace = state.memory.pace;
            let Some(connection) = state.connections.get_mut(one.key) else {
                return false;
            };
            if room > 0 && one.needs <= room {
                room -= one.needs;
                connection.holds.end(Hold::Memory);
                if let Some(account) = connection.link.account() {
                    account.excuse(pace, now);
                }
                connection.link.resume(now);
                connection.link.replenish(&mut state.cork);
                state.wake(one.key);
                return false;
            }
            let is_late = one.since + state.limits.memory_wait <= now;
            if is_late {
                late.push(one.key);
            }
            !is_late
        });
        starved.append(&mut state.memory.starved);
        state.memory.starved = starved;
        for key in late {
            self.refuse(key);
        }
        let memory = &mut self.dispatch.state.memory;
        memory.next = match memory.starved.is_empty() {
            true => memory.next_age,
            false => memory.next_age.min(now + TICK),
        };
    }

    /// Refuses what a connection has waited for, in the words of its protocol.
    fn refuse(&mut self, key: Key) {
        let state = &mut self.dispatch.state;
        state.memory.seen.refused();
        let Some(connection) = state.connections.get_mut(key) else {
            return;
        };
        connection.holds.end(Hold::Memory);
        state.current = key;
        let (stream, link) = (connection.link.stream(), &mut connection.link);
        let exchange = Exchange {
            connection: key,
            stream,
        };
        if connection.phase != Phase::Open {
            return;
        }
        if link.owes_response(stream) && !link.is_multiplexed() {
            fail(state, exchange, Status::SERVICE_UNAVAILABLE);
        } else {
            let mask_key = state.entropy.take();
            let (date, now) = (Some(&state.date), state.now);
            if !link.refuse(date, mask_key, now, &mut state.cork) {
                state.current = Key::NONE;
                state.note_limit(key, "Limits::memory");
                return self.end(key, EndReason::Stalled);
            }
        }
        self.settle(key);
        self.dispatch.state.go_on(key); // to what came behind it
    }

    /// Frees what is kept for the next user, but the queues.
    fn release(&mut self) {
        let state = &mut self.dispatch.state;
        state.request_pool.release();
        state.cork.age();
        state.spare = Vec::new();
        self.buffers.release();
    }

    /// Frees memory that has been kept for the next user and that was not needed for a
    /// while.
    fn age(&mut self) {
        self.dispatch.state.queues.age(false);
        self.release();
        let state = &mut self.dispatch.state;
        state.memory.next_age = match state.queues.is_bare() {
            true => Instant::NEVER,
            false => state.now + AGE,
        };
    }
}
