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
use crate::net::futures::slot::Futures;
use crate::net::lending::Lending;
use crate::net::packing::connections::Connections;
use crate::net::report::report;
use crate::net::stores::departures::Departures;
use crate::net::stores::timers::Alarms;
use crate::net::transport::details::DetailsTable;
use crate::net::transport::handshakes::Handshakes;
use crate::net::{
    Caps, Claim, Cork, Counters, Entropy, Exchange, Exhausted, Flow, Key, Limits, Owner, Queues,
    Remote, Resource, SystemClock, TimerId, TimerMark, Timers, Wakes,
};
use crate::wire::{Instant, Role, codec::Deflater};

/// The error code of HTTP/2 for what is no longer wanted (RFC 9113 §7).
pub(crate) const CANCEL: u32 = 8;
/// The error code for a failure of this side.
pub(crate) const INTERNAL_ERROR: u32 = 2;

/// A handler's timer.
#[derive(Debug)]
pub(crate) struct Timer {
    pub(crate) owner: Owner,
    pub(crate) exchange: Exchange,
    pub(super) token: u64,
    pub(super) claim: Claim,
    /// It is a time that the peer has, from then on.
    pub(super) granted: Option<Instant>,
}

/// The part of a loop that is no socket and no handler.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) connections: Connections,
    pub(crate) cork: Cork,
    /// How often something has left past the cork.
    pub(crate) past: u64,
    pub(crate) current: Key,
    /// The output of connections that were being served when a visit to another
    /// connection began.
    pub(crate) stash: Vec<(Key, Cork)>,
    pub(crate) spare: Vec<Cork>,
    /// Memory for backlogs.
    pub(crate) queues: Queues,
    pub(crate) request_pool: RequestPool,
    /// The amounts that addresses have taken of shared resources.
    pub(crate) caps: Caps,
    pub(crate) timers: Timers<Timer>,
    pub(crate) alarms: Alarms,
    pub(crate) wakes: Wakes,
    pub(crate) futures: Futures,
    /// Up to which timer those without a waiter were searched for, and when to search again.
    pub(crate) timer_search: (TimerMark, Instant),
    /// Missed deadlines may not have been the peer's fault.
    pub(crate) excused: bool,
    /// Connections that can go on without an event.
    pub(crate) runnable: Vec<Key>,
    /// Connections with something to flush.
    pub(crate) dirty: Vec<Key>,
    pub(crate) dials: Vec<DialRequest>,
    /// The number of visits to other connections in this turn.
    pub(crate) visits: u32,
    /// The memory that is held, and for whom.
    pub(crate) memory: Memory,
    pub(crate) limits: Limits,
    pub(crate) now: Instant,
    /// The clock of `now`, if it runs on within a turn.
    pub(crate) clock: Option<SystemClock>,
    pub(crate) unix_seconds: u64,
    pub(crate) date: Date,
    pub(crate) entropy: Entropy,
    /// Of the response that the loop sends on behalf of an owner.
    pub(crate) last_fields: FieldBuffer,
    pub(crate) counters: Counters,
    pub(crate) remote: Remote,
    pub(crate) draining: bool,
    pub(crate) departures: Departures,
    /// The details that transports have given to owners.
    pub(crate) details: DetailsTable,
    pub(crate) handshakes: Handshakes,
    pub(crate) deflater: Option<Deflater>,
}

/// Visits to others after which a turn begins only what is urgent: some milliseconds.
const VISITS: u32 = 8_192;

impl State {
    /// Whether this turn has done so much for others that what can wait waits.
    #[inline]
    pub(crate) const fn is_late(&self) -> bool {
        self.visits > VISITS
    }

    /// The time at this moment; that of the turn where time stands still within
    /// one.
    pub(crate) fn clock(&self) -> Instant {
        self.clock.map_or(self.now, |clock| clock.now())
    }

    /// Whether an exchange is still the present one of a connection that goes
    /// on.
    pub(crate) fn is_open(&self, exchange: Exchange) -> bool {
        self.connections.is_open(exchange)
    }

    /// The connection of an exchange that is still open, what its link needs to
    /// act, and the mark that its backlog should stay below.
    #[inline(always)]
    pub(crate) fn lend(
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
    pub(crate) fn connection_and_state(
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
                    deflater: self.deflater.as_mut(),
                };
                Ok((it, lending))
            }
            _ => Err(UsageError::Over),
        }
    }

    /// Bytes that wait for the peer of an exchange: for its stream, corked, or
    /// in the connection's backlog.
    pub(crate) fn backlog_of(&self, exchange: Exchange) -> usize {
        let key = exchange.connection;
        let queued = |it: &Connection| it.backlog.len() + it.link.queued(exchange.stream);
        self.connections.get(key).map_or(0, queued) + self.cork_of(key).map_or(0, Cork::len)
    }

    /// The bytes that are held, without those still in files.
    pub(super) fn held_of(&self, exchange: Exchange) -> usize {
        let key = exchange.connection;
        let queued = |it: &Connection| it.backlog.held() + it.link.queued(exchange.stream);
        self.connections.get(key).map_or(0, queued) + self.cork_of(key).map_or(0, Cork::held)
    }

    pub(crate) fn cork_of(&self, key: Key) -> Option<&Cork> {
        if key == self.current {
            return Some(&self.cork);
        }
        let stashed = self.stash.iter().find(|(stashed, _)| *stashed == key);
        stashed.map(|(_, cork)| cork)
    }

    /// The advice to a writer in this exchange after a write. `waited` is what waited
    /// for its peer in memory before: a writer that continues with more than the cap
    /// waiting loses the exchange, but no single message or reply is too large.
    pub(crate) fn flow(&mut self, exchange: Exchange, waited: usize) -> Flow {
        let flow = self.advise(exchange);
        if flow == Flow::Wait {
            self.cap(exchange, waited);
        }
        flow
    }

    /// Ends an exchange for which more than the cap waited.
    pub(crate) fn cap(&mut self, exchange: Exchange, waited: usize) {
        if waited <= self.limits.backlog_cap {
            return;
        }
        if let Some(it) = self.connections.get_mut(exchange.connection) {
            let peer = it.peer;
            report!(Warn, "{peer}: exchange ended at `Limits::backlog_cap`");
            self.lose(exchange, CANCEL, EndReason::Stalled);
        }
    }

    /// The advice to a writer in this exchange, whose peer is told of once it keeps up again.
    pub(super) fn advise(&mut self, exchange: Exchange) -> Flow {
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
        Flow::Wait
    }

    /// Ends an exchange without a word more: by a reset of its stream, with
    /// this error code of HTTP/2, or with its connection.
    pub(crate) fn lose(&mut self, exchange: Exchange, code: u32, gone: EndReason) {
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

    /// Puts bytes after what a connection has waiting.
    pub(super) fn put_behind(&mut self, key: Key, bytes: &Bytes) {
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
    pub(crate) fn account_of(&mut self, key: Key) -> Option<&Account> {
        let it = self.connections.get_mut(key)?;
        if it.link.account().is_none() {
            it.link.charge_to(self.memory.open(it.peer));
        }
        it.link.account()
    }

    /// Charges what is put into a connection's backlog next to it.
    pub(crate) fn charge_backlog(&mut self, key: Key) {
        self.account_of(key);
        if let Some(it) = self.connections.get_mut(key) {
            it.backlog.charge_to(it.link.account(), &mut self.queues);
        }
    }

    /// Marks a connection to be looked at before the turn ends.
    pub(super) fn touch(&mut self, key: Key) {
        if let Some(connection) = self.connections.get_mut(key)
            && !mem::replace(&mut connection.dirty, true)
        {
            self.dirty.push(key);
        }
    }

    /// Lets a connection go on with what it has, in this turn or the next.
    pub(crate) fn wake(&mut self, key: Key) {
        if let Some(connection) = self.connections.get_mut(key)
            && !mem::replace(&mut connection.queued, true)
        {
            match connection.phase {
                Phase::Handshaking { .. } => self.handshakes.ready.push(key),
                _ => self.runnable.push(key),
            }
        }
    }

    /// Lets a connection go on if it has anything to go on with.
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
    pub(super) fn claim(
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
            self.caps.refuse(resource);
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

    /// Makes another connection the current one; what is written from here on goes after
    /// what that connection has already written. To be ended by [`leave`](Self::leave).
    pub(crate) fn enter(&mut self, key: Key) {
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
    pub(crate) fn leave(&mut self) {
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
    pub(crate) fn role_of(&self, exchange: Exchange) -> Role {
        let connection = self.connections.get(exchange.connection);
        connection.map_or(Role::Server, |it| it.link.role())
    }
}
