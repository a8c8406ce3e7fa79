//! The parts of the loop that handlers reach, through their contexts.

use alloc::vec::Vec;
use core::mem;
use core::time::Duration;

use bytes::Bytes;

use super::connection::{Connection, Phase};
use super::holds::Hold;
use super::memory::Memory;
use crate::http::{FieldBuffer, date::Date};
use crate::link::{Account, EndReason, RequestPool, UsageError};
use crate::net::connecting::dials::DialRequest;
use crate::net::lending::Lending;
use crate::net::packing::connections::Connections;
use crate::net::report::report;
use crate::net::stores::alarms::Alarms;
use crate::net::stores::departures::Departures;
use crate::net::transport::details::DetailsTable;
use crate::net::transport::handshakes::Handshakes;
use crate::net::{
    Caps, Claim, Cork, Counters, Entropy, Exchange, Exhausted, Flow, Key, Limits, Owner, Queues,
    Remote, Resource, SystemClock, TimerId, TimerMark, Timers,
};
use crate::wire::{Instant, Role};

/// The error code of HTTP/2 for what is no longer wanted (RFC 9113 §7).
pub(in crate::net) const CANCEL: u32 = 8;
/// The error code for a failure of this side.
pub(in crate::net) const INTERNAL_ERROR: u32 = 2;

/// A handler's timer.
#[derive(Debug)]
pub(in crate::net) struct Timer {
    pub(in crate::net) owner: Owner,
    pub(in crate::net) exchange: Exchange,
    pub(super) token: u64,
    pub(super) claim: Claim,
    /// It is a time that the peer has, from then on.
    pub(super) granted: Option<Instant>,
}

/// The part of a loop that is no socket and no handler.
#[derive(Debug)]
pub(in crate::net) struct State {
    pub(in crate::net) connections: Connections,
    /// What the connection being served writes.
    pub(in crate::net) cork: Cork,
    /// How often something has left past the cork.
    pub(in crate::net) past: u64,
    /// The connection being served.
    pub(in crate::net) current: Key,
    /// What those have written that were being served when a visit to another
    /// connection began.
    pub(in crate::net) stash: Vec<(Key, Cork)>,
    pub(in crate::net) spare: Vec<Cork>,
    /// Memory for backlogs.
    pub(in crate::net) queues: Queues,
    pub(in crate::net) request_pool: RequestPool,
    /// What is taken of what there is a share of.
    pub(in crate::net) caps: Caps,
    pub(in crate::net) timers: Timers<Timer>,
    pub(in crate::net) alarms: Alarms,
    /// Behind which timers was searched for those that nobody waits for, and
    /// when to do so again.
    pub(in crate::net) timer_search: (TimerMark, Instant),
    /// What the peer was to do in time may not have been in its power.
    pub(in crate::net) excused: bool,
    /// Connections that can go on without an event.
    pub(in crate::net) runnable: Vec<Key>,
    /// Connections with something to flush.
    pub(in crate::net) dirty: Vec<Key>,
    pub(in crate::net) dials: Vec<DialRequest>,
    /// What has been put before other connections in this turn.
    pub(in crate::net) visits: u32,
    /// Who holds how much.
    pub(in crate::net) memory: Memory,
    pub(in crate::net) limits: Limits,
    pub(in crate::net) now: Instant,
    /// The clock of `now`, if it runs on within a turn.
    pub(in crate::net) clock: Option<SystemClock>,
    pub(in crate::net) unix_seconds: u64,
    pub(in crate::net) date: Date,
    pub(in crate::net) entropy: Entropy,
    /// Of the response that the loop sends on behalf of an owner.
    pub(in crate::net) last_fields: FieldBuffer,
    pub(in crate::net) counters: Counters,
    pub(in crate::net) remote: Remote,
    pub(in crate::net) draining: bool,
    /// What owners wait for the leaving of.
    pub(in crate::net) departures: Departures,
    /// What transports tell owners.
    pub(in crate::net) details: DetailsTable,
    pub(in crate::net) handshakes: Handshakes,
}

/// Visits to other connections after which a turn begins nothing more that is
/// not urgent: some milliseconds.
const VISITS: u32 = 8_192;

impl State {
    /// Whether this turn has done so much for other connections that what can
    /// wait is left for the next.
    #[inline]
    pub(in crate::net) const fn is_late(&self) -> bool {
        self.visits > VISITS
    }

    /// The time at this moment; that of the turn where time stands still within
    /// one.
    pub(in crate::net) fn clock(&self) -> Instant {
        self.clock.map_or(self.now, |clock| clock.now())
    }

    /// Whether an exchange is still the present one of a connection that goes
    /// on.
    pub(in crate::net) fn is_open(&self, exchange: Exchange) -> bool {
        self.connections.is_open(exchange)
    }

    /// The connection of an exchange that is still open, what its link needs to
    /// act, and the mark that its backlog should stay below.
    #[inline(always)]
    pub(in crate::net) fn lend(
        &mut self,
        exchange: Exchange,
    ) -> Result<(&mut Connection, Lending<'_>, usize), UsageError> {
        let high = self.limits.backlog_high;
        let (connection, lending) = self.lend_if(exchange, Connection::is_open)?;
        Ok((connection, lending, high))
    }

    /// Lends the same parts for a call that checks by itself whether an exchange is open
    /// that shares its connection.
    #[inline]
    pub(in crate::net) fn connection_and_state(
        &mut self,
        exchange: Exchange,
    ) -> Result<(&mut Connection, Lending<'_>), UsageError> {
        self.lend_if(exchange, Connection::may_be_open)
    }

    #[inline(always)]
    fn lend_if(
        &mut self,
        exchange: Exchange,
        is_open: fn(&Connection, u32) -> bool,
    ) -> Result<(&mut Connection, Lending<'_>), UsageError> {
        let Exchange { connection, stream } = exchange;
        match self.connections.get_mut(connection) {
            Some(it) if is_open(it, stream) => {
                let lending = Lending {
                    stream,
                    cork: &mut self.cork,
                    entropy: &mut self.entropy,
                    now: self.now,
                    date: &self.date,
                };
                Ok((it, lending))
            }
            _ => Err(UsageError::Over),
        }
    }

    /// Bytes that wait for the peer of an exchange: for its stream, corked, or
    /// in the connection's backlog.
    pub(in crate::net) fn backlog_of(&self, exchange: Exchange) -> usize {
        let key = exchange.connection;
        let queued = |it: &Connection| it.backlog.len() + it.link.queued(exchange.stream);
        self.connections.get(key).map_or(0, queued) + self.cork_of(key).map_or(0, Cork::len)
    }

    /// The bytes that are held, without those still in files.
    fn held_of(&self, exchange: Exchange) -> usize {
        let key = exchange.connection;
        let queued = |it: &Connection| it.backlog.held() + it.link.queued(exchange.stream);
        self.connections.get(key).map_or(0, queued) + self.cork_of(key).map_or(0, Cork::held)
    }

    pub(super) fn cork_of(&self, key: Key) -> Option<&Cork> {
        if key == self.current {
            return Some(&self.cork);
        }
        let stashed = self.stash.iter().find(|(stashed, _)| *stashed == key);
        stashed.map(|(_, cork)| cork)
    }

    /// What a writer in this exchange is told after a write. `waited` is what
    /// waited for its peer in memory before: who writes on with more than the
    /// cap waiting loses the exchange, but no single message or reply is too
    /// large.
    pub(in crate::net) fn flow(&mut self, exchange: Exchange, waited: usize) -> Flow {
        let Exchange { connection, stream } = exchange;
        let waiting = self.backlog_of(exchange);
        let Some(it) = self.connections.get_mut(connection) else {
            return Flow::Go;
        };
        if waiting <= self.limits.backlog_high {
            return Flow::Go;
        }
        let is_shared = it.link.wait(stream);
        if !is_shared {
            it.holds.add(Hold::Output);
        }
        if waited > self.limits.backlog_cap {
            let peer = it.peer;
            report!(Warn, "{peer}: exchange ended at `Limits::backlog_cap`");
            self.lose(exchange, CANCEL, EndReason::Stalled);
        }
        Flow::Wait
    }

    /// Ends an exchange without a word more: by a reset of its stream, with
    /// this error code of HTTP/2, or with its connection.
    pub(in crate::net) fn lose(&mut self, exchange: Exchange, code: u32, gone: EndReason) {
        let Exchange { connection, stream } = exchange;
        let Some(it) = self.connections.get_mut(connection) else {
            return;
        };
        let mut out = Vec::new();
        match it.link.reset(stream, code, gone, self.now, &mut out) {
            Ok(()) => self.put_behind(connection, &out.into()),
            Err(UsageError::Over) => {} // it is lost already
            Err(_) => {
                it.gone.get_or_insert(gone);
                it.link.abort();
            }
        }
        self.touch(connection);
        self.go_on(connection);
    }

    /// Puts bytes behind what a connection has waiting.
    fn put_behind(&mut self, key: Key, bytes: &Bytes) {
        if key == self.current {
            self.cork.put_published(bytes.clone());
        } else if let Some((_, cork)) = self.stash.iter_mut().find(|(stashed, _)| *stashed == key) {
            cork.put_published(bytes.clone());
        } else {
            self.charge_backlog(key);
            if let Some(connection) = self.connections.get_mut(key) {
                connection
                    .backlog
                    .put_published(bytes.clone(), &mut self.queues);
            }
            self.touch(key);
        }
    }

    /// Whom memory is charged to that is held for the peer of a connection:
    /// an account of its own, made when it is needed first.
    pub(in crate::net) fn account_of(&mut self, key: Key) -> Option<&Account> {
        let it = self.connections.get_mut(key)?;
        if it.link.account().is_none() {
            it.link.charge_to(self.memory.open(it.peer));
        }
        it.link.account()
    }

    /// Has what is put into a connection's backlog next charged to it.
    pub(in crate::net) fn charge_backlog(&mut self, key: Key) {
        self.account_of(key);
        if let Some(it) = self.connections.get_mut(key) {
            it.backlog.charge_to(it.link.account(), &mut self.queues);
        }
    }

    /// Has a connection looked at before the turn ends.
    pub(super) fn touch(&mut self, key: Key) {
        if let Some(connection) = self.connections.get_mut(key)
            && !mem::replace(&mut connection.dirty, true)
        {
            self.dirty.push(key);
        }
    }

    /// Has a connection go on with what it has, in this turn or the next.
    pub(in crate::net) fn wake(&mut self, key: Key) {
        if let Some(connection) = self.connections.get_mut(key)
            && !mem::replace(&mut connection.queued, true)
        {
            match connection.phase {
                Phase::Handshaking { .. } => self.handshakes.ready.push(key),
                _ => self.runnable.push(key),
            }
        }
    }

    /// Has a connection go on if it has anything to go on with.
    pub(super) fn go_on(&mut self, key: Key) {
        if self.connections.get(key).is_some_and(Connection::can_go_on) {
            self.wake(key);
        }
    }

    /// Sets a timer, if there may be a further one.
    pub(super) fn set_timer(
        &mut self,
        at: Instant,
        owner: Owner,
        exchange: Exchange,
        token: u64,
        granted: Option<Instant>,
    ) -> Result<TimerId, Exhausted> {
        let claim = self.claim(Resource::Timers, exchange)?;
        let timer = Timer {
            owner,
            exchange,
            token,
            claim,
            granted,
        };
        Ok(self.timers.after(at, timer))
    }

    /// Takes one of what there is a share of, for an exchange.
    pub(in crate::net) fn claim(
        &mut self,
        resource: Resource,
        exchange: Exchange,
    ) -> Result<Claim, Exhausted> {
        // What we have dialled is our own doing.
        let (peer, key) = match self.connections.get_mut(exchange.connection) {
            Some(it) if !it.is_dialled() => (Some(it.peer), exchange.connection),
            _ => (None, Key::NONE),
        };
        let mut claimed = self.caps.claim(resource, peer, key, &self.limits);
        if claimed.is_err() && resource == Resource::Timers && self.search_timers() {
            claimed = self.caps.claim(resource, peer, key, &self.limits);
        }
        if let Err(exhausted) = &claimed {
            self.counters.exhausted += 1;
            let limit = resource.limit();
            match peer {
                Some(peer) => report!(Warn, "{peer}: refused at `{limit}`: {exhausted}"),
                None => report!(Warn, "refused at `{limit}`: {exhausted}"),
            }
        }
        claimed
    }

    /// Cancels the timers whose exchanges are over; whether it was time to look
    /// for them: not again before a quarter of the cap was set, or a second has
    /// passed.
    #[cold]
    fn search_timers(&mut self) -> bool {
        let (searched, next) = self.timer_search;
        let set = self.timers.mark();
        let few = set.since(searched) <= u64::from(self.limits.timers.all / 4);
        if self.now < next && few {
            return false;
        }
        self.timer_search = (set, self.now + Duration::from_secs(1));
        let mut timers = mem::take(&mut self.timers);
        timers.retain(|&Timer { exchange, .. }| {
            exchange.connection == Key::NONE || self.is_open(exchange)
        });
        self.timers = timers;
        true
    }

    /// Makes another connection the current one; what is written from here on
    /// goes behind what that connection has already written. To be ended by
    /// [`leave`](Self::leave).
    pub(in crate::net) fn enter(&mut self, key: Key) {
        self.visits += 1;
        self.excuse(key);
        let all = &self.memory.all;
        let empty = |spare: &mut Vec<Cork>| {
            spare.pop().unwrap_or_else(|| {
                let mut cork = Cork::new(usize::MAX);
                cork.charge_to(all);
                cork
            })
        };
        let spare = &mut self.spare;
        let cork = match self.stash.iter_mut().find(|(stashed, _)| *stashed == key) {
            Some((_, cork)) => mem::replace(cork, empty(spare)),
            None => empty(spare),
        };
        let outer = (
            mem::replace(&mut self.current, key),
            mem::replace(&mut self.cork, cork),
        );
        self.stash.push(outer);
    }

    /// Makes the connection current again that was so before, and puts what
    /// was written meanwhile where it belongs.
    pub(in crate::net) fn leave(&mut self) {
        let Some((current, outer)) = self.stash.pop() else {
            return;
        };
        let key = mem::replace(&mut self.current, current);
        let mut written = mem::replace(&mut self.cork, outer);
        if let Some((_, cork)) = self.stash.iter_mut().find(|(stashed, _)| *stashed == key) {
            mem::swap(cork, &mut written);
        } else if !written.is_empty() {
            self.charge_backlog(key);
            if let Some(connection) = self.connections.get_mut(key) {
                let backlog = &mut connection.backlog;
                backlog.extend_from(&written, 0, &mut self.queues);
            }
        }
        written.clear();
        self.spare.push(written);
        self.touch(key);
        self.go_on(key); // an answer lets the next request be looked at
    }

    /// The side that we play in an exchange.
    pub(in crate::net) fn role_of(&self, exchange: Exchange) -> Role {
        let connection = self.connections.get(exchange.connection);
        connection.map_or(Role::Server, |it| it.link.role())
    }

    /// Puts one encoded WebSocket message behind what a member has waiting;
    /// whether it could be sent.
    pub(in crate::net) fn deliver(
        &mut self,
        owner: Owner,
        member: Exchange,
        frame: &Bytes,
    ) -> bool {
        let Exchange { connection, stream } = member;
        self.visits += 1; // a turn has no 2^32 of them
        if !self.is_open(member) {
            return false;
        }
        let waited = self.held_of(member);
        let now = self.now;
        let Some(it) = self.connections.get_mut(connection) else {
            return false;
        };
        // A client's frames are masked.
        if it.owner != owner || it.link.role() != Role::Server {
            return false;
        }
        match it.link.deliver(stream, frame, now) {
            Ok(true) => self.put_behind(connection, frame),
            Ok(false) => self.touch(connection),
            Err(_) => return false,
        }
        let _ = self.flow(member, waited);
        true
    }
}
