//! The calls of one channel, without I/O: the side of the transport.

use alloc::format;
use alloc::vec::Vec;
use core::mem;
use core::time::Duration;

use super::call::CallState;
use super::link::{Link, LinkId, Phase};
use super::{Calls, Ending};
use crate::grpc::{Code, Status};
use crate::http::CallContext;
use crate::http2::{self, ErrorCode, ProtocolError};
use crate::link::Unreachable;
use crate::net::Key;
use crate::wire::{Instant, Step};

/// Output of a connection from which on nothing is added to it, apart from
/// answers of the protocol.
const OUTPUT: usize = 64 << 10;

/// Connections that finish their calls at one time. More come from a server
/// that takes leave again and again.
const LEAVING: usize = 8;

impl<T> Calls<T> {
    /// Whether a connection is wanted now; its number if so. Then
    /// [`opened`](Self::opened) or [`unreachable`](Self::unreachable) follows.
    pub fn dial(&mut self, now: Instant) -> Option<LinkId> {
        if !self.wants_connection() || self.backoff.next() > now {
            return None;
        }
        self.now = now;
        if self.links.len() >= LEAVING {
            self.lose(0, "too many connections", now);
        }
        self.jitter ^= self.jitter << 13 | 1;
        self.jitter ^= self.jitter >> 7;
        self.jitter ^= self.jitter << 17;
        self.backoff.begin(now, (self.jitter >> 20) as u32);
        let link = Link::new(self.next_link, now);
        self.next_link = self.next_link.wrapping_add(1);
        let id = link.id;
        self.links.push(link);
        Some(id)
    }

    /// Whether calls wait that no connection will take.
    fn wants_connection(&self) -> bool {
        let serves =
            |link: &Link| matches!(link.phase, Phase::Dialling | Phase::Greeting | Phase::Ready);
        !self.call_table.closing
            && !self.call_table.waiting.is_empty()
            && !self.links.iter().any(serves)
    }

    /// A connection that was asked for is open.
    pub fn opened(&mut self, link: LinkId, now: Instant) {
        self.now = now;
        let Some(link) = find(&mut self.links, link) else {
            return;
        };
        link.machine = http2::Connection::new(link.machine.role(), now);
        // There is room, and it is new.
        let _ = link.machine.open(&self.http2, now, &mut link.out);
        link.phase = Phase::Greeting;
    }

    /// A connection that was asked for cannot be had.
    pub fn unreachable(&mut self, link: LinkId, why: Unreachable, now: Instant) {
        self.now = now;
        self.links.retain(|it| it.id != link);
        self.fail_attempt(&format!("{why}"), now);
    }

    /// An attempt to connect has failed: calls that do not wait end with it, and
    /// so do others until the next attempt.
    fn fail_attempt(&mut self, why: &str, now: Instant) {
        let why = format!("cannot connect to {}: {why}", self.server);
        self.call_table.fail_waiting(&why, false, now);
        self.down = Some(why);
    }

    /// Takes bytes that a connection has brought.
    pub fn receive(&mut self, link: LinkId, bytes: &mut [u8], now: Instant) {
        self.now = now;
        let Some(at) = self.links.iter().position(|it| it.id == link) else {
            return;
        };
        let mut kept = match self.links.get_mut(at) {
            Some(link) => mem::take(&mut link.input),
            None => return,
        };
        if kept.is_empty() {
            let used = self.feed(at, bytes, now);
            kept.extend_from_slice(bytes.get(used..).unwrap_or_default());
        } else {
            kept.extend_from_slice(bytes);
            let used = self.feed(at, &mut kept, now);
            kept.drain(..used.min(kept.len()));
        }
        if let Some(link) = self.links.get_mut(at)
            && link.phase != Phase::Over
        {
            link.input = kept;
        }
    }

    /// Feeds the machine of the connection at `at`; returns how much it used.
    fn feed(&mut self, at: usize, input: &mut [u8], now: Instant) -> usize {
        let mut used = 0;
        let failure = loop {
            let Some(link) = self.links.get_mut(at) else {
                return used;
            };
            if link.phase == Phase::Over {
                return input.len();
            }
            let lent = CallContext {
                now,
                date: None,
                mask_key: [0; 4],
                limits: &self.http2,
                scratch: self.scratch.lend(),
            };
            let rest = input.get_mut(used..).unwrap_or_default();
            let received = link.machine.receive(rest, lent, &mut link.out);
            match received {
                Ok(received) => {
                    used += received.used;
                    match received.step {
                        Step::Event(event) => {
                            if self.call_table.take(event, &mut self.links, at, now) {
                                self.backoff.reset();
                            }
                            self.note_connection(at);
                        }
                        _ if received.used > 0 => {}
                        _ => break None,
                    }
                }
                Err(violation) => break Some(violation),
            }
        };
        match failure {
            Some(violation @ (ProtocolError::Http1 | ProtocolError::FirstFrame)) => {
                self.lose(
                    at,
                    &format!("server does not speak HTTP/2: {violation}"),
                    now,
                );
            }
            Some(violation) => {
                self.lose(at, &format!("server broke the protocol: {violation}"), now);
            }
            None => self.end_if_done(at, now),
        }
        used
    }

    /// Notes what the server has said about the connection as a whole. One
    /// that is pinged too often is pinged half as often from then on (gRPC
    /// keepalive).
    fn note_connection(&mut self, at: usize) {
        let Some(link) = self.links.get_mut(at) else {
            return;
        };
        if link.phase == Phase::Ready {
            self.down = None;
        }
        if self.call_table.waiting.take_hurry() {
            self.backoff.skip();
        }
        if mem::take(&mut link.too_many_pings) {
            self.http2.ping_interval = self.http2.ping_interval.saturating_mul(2);
        }
    }

    /// The transport of a connection has ended, from either side.
    pub fn closed(&mut self, link: LinkId, now: Instant) {
        self.now = now;
        if let Some(at) = self.links.iter().position(|it| it.id == link) {
            let why = self.links.get(at).map_or("", Link::lost_text);
            self.lose(at, why, now);
            self.links.remove(at); // a position just found
        }
    }

    /// Ends the calls of a connection that is over.
    fn lose(&mut self, at: usize, why: &str, now: Instant) {
        let Some(link) = self.links.get_mut(at) else {
            return;
        };
        let failed = matches!(link.phase, Phase::Dialling | Phase::Greeting);
        link.phase = Phase::Over;
        link.input = Vec::new();
        let why = match link.reason.as_str() {
            "" => why.into(),
            reason => format!("{why}; {reason}"),
        };
        while let Some(key) = link.take_call() {
            if let Some(call) = self.call_table.calls.get_mut(key) {
                call.place = CallState::Over;
            }
            let ending = Ending::unavailable(why.as_str());
            self.call_table
                .finish(key, ending, ErrorCode::CANCEL, &mut [], now);
        }
        if failed {
            self.fail_attempt(&why, now);
        }
    }

    fn end_if_done(&mut self, at: usize, now: Instant) {
        if self
            .links
            .get(at)
            .is_some_and(|link| link.machine.is_done())
        {
            self.lose(at, "connection has ended", now);
        }
    }

    /// Fills the output of a connection with what may be sent now, up to a few
    /// hundred kilobytes; whether there is anything.
    pub fn flush(&mut self, link: LinkId, now: Instant) -> bool {
        self.now = now;
        let Some(at) = self.links.iter().position(|it| it.id == link) else {
            return false;
        };
        self.open_streams(at, now);
        let Self {
            links, call_table, ..
        } = self;
        let Some(link) = links.get_mut(at) else {
            return false;
        };
        let mut others = Vec::new();
        while link.out.len() < OUTPUT
            && let Some(key) = call_table.offered.pop_front()
        {
            if !call_table.send_on(link, key, now) {
                others.push(key);
            }
        }
        call_table.offered.extend(others);
        while link.out.len() < OUTPUT
            && let Some(stream) = link.machine.ready()
        {
            if let Some(key) = link.find(stream) {
                call_table.go_on(link, key, now);
            }
        }
        !link.out.is_empty()
    }

    /// Gives waiting calls their streams.
    fn open_streams(&mut self, at: usize, now: Instant) {
        let Self {
            links,
            call_table,
            fields,
            authority,
            agent,
            ..
        } = self;
        let Some(link) = links.get_mut(at) else {
            return;
        };
        while link.phase == Phase::Ready
            && !link.machine.is_closing()
            && link.out.len() < OUTPUT
            && link.machine.streams() < link.machine.max_streams() as usize
            && let Some(key) = call_table.waiting.take()
        {
            match call_table.open(link, key, [authority, agent], fields, now) {
                Ok(()) => {}
                Err(http2::UsageError::GoingAway | http2::UsageError::TooManyStreams) => {
                    // Its numbers are used up: another connection has new ones.
                    link.phase = Phase::Leaving;
                    call_table.waiting.give_back(key);
                }
                Err(misuse) => {
                    let status = Status::new(Code::Internal, format!("{misuse}"));
                    call_table.finish(key, status.into(), ErrorCode::CANCEL, &mut [], now);
                }
            }
        }
    }

    /// What is to be written to a connection. The driver takes it from the
    /// front, as much as the transport has room for.
    pub fn output(&mut self, link: LinkId) -> Option<&mut Vec<u8>> {
        find(&mut self.links, link).map(|link| &mut link.out)
    }

    /// Whether any connection has something to write already.
    pub fn has_output(&self) -> bool {
        self.links.iter().any(|link| !link.out.is_empty())
    }

    /// Whether the transport of a connection is to be closed once its output
    /// is written.
    pub fn is_over(&self, link: LinkId) -> bool {
        let link = self.links.iter().find(|it| it.id == link);
        link.is_none_or(|link| link.phase == Phase::Over)
    }

    /// When [`elapsed`](Self::elapsed) and [`dial`](Self::dial) want to be
    /// called; `None` if never. Changes with any call that takes `&mut self`.
    pub fn deadline(&self) -> Option<Instant> {
        let dial = self.wants_connection().then(|| self.backoff.next());
        let links = self.links.iter();
        let machines = links
            .filter(|link| !matches!(link.phase, Phase::Dialling | Phase::Over))
            .filter_map(|link| link.machine.deadline());
        machines
            .chain(dial)
            .chain(self.call_table.deadlines.next())
            .min()
    }

    /// Does what time has made due: the ends of calls whose deadlines have
    /// passed, pings, the end of an idle connection.
    pub fn elapsed(&mut self, now: Instant) {
        self.now = now;
        let until = self.call_table.deadlines.mark();
        while let Some((_, key)) = self.call_table.deadlines.expired(now, until) {
            if let Some(call) = self.call_table.calls.get_mut(key) {
                call.timer = None;
            }
            let ending = Ending::constant(Code::DeadlineExceeded, "deadline exceeded");
            self.call_table.give_up(key, ending, &mut self.links, now);
        }
        for at in 0..self.links.len() {
            self.elapsed_on(at, now);
        }
    }

    /// Says that output of a connection which the driver has taken still waits on
    /// our side. To be called before [`elapsed`](Self::elapsed): a ping behind it
    /// is not with the server, whose time to answer counts from the last such
    /// call. How long output may wait is for the driver to limit.
    pub fn output_waits(&mut self, link: LinkId, now: Instant) {
        if let Some(link) = find(&mut self.links, link) {
            link.machine.resume(now);
        }
    }

    /// How long the server has for the answer to a ping that it owes; `None` if
    /// it owes none.
    pub fn answer_due(&self, link: LinkId) -> Option<Duration> {
        let link = self.links.iter().find(|it| it.id == link)?;
        let is_owed = link.phase != Phase::Over && link.machine.is_pinged();
        is_owed.then_some(self.http2.ping_timeout)
    }

    /// Says that a ping is not with the server before `at`: its time to answer
    /// counts from there. A driver that does not know the way to the server need
    /// not call this; the time then counts from when the ping was written. To be
    /// called before [`elapsed`](Self::elapsed).
    pub fn await_from(&mut self, link: LinkId, at: Instant) {
        if let Some(link) = find(&mut self.links, link) {
            link.machine.await_from(at);
        }
    }

    /// Whether servers are pinged at all.
    pub(super) fn keeps_alive(&self) -> bool {
        self.http2.ping_interval != Duration::MAX
    }

    fn elapsed_on(&mut self, at: usize, now: Instant) {
        loop {
            let Some(link) = self.links.get_mut(at) else {
                return;
            };
            let due = link.machine.deadline().is_some_and(|it| it <= now);
            if !due || matches!(link.phase, Phase::Dialling | Phase::Over) {
                return;
            }
            let lent = CallContext {
                now,
                date: None,
                mask_key: [0; 4],
                limits: &self.http2,
                scratch: self.scratch.lend(),
            };
            match link.machine.elapsed(lent, &mut link.out) {
                Ok(Some(event)) => drop(self.call_table.take(event, &mut self.links, at, now)),
                Ok(None) => return self.end_if_done(at, now),
                Err(violation) => {
                    return self.lose(at, &format!("server is silent: {violation}"), now);
                }
            }
        }
    }

    /// Ends the channel: no call begins any more, those without a stream end
    /// with UNAVAILABLE, the others finish, and then the connections.
    pub fn shutdown(&mut self, now: Instant) {
        self.now = now;
        self.call_table.closing = true;
        self.call_table.fail_waiting("channel is closed", true, now);
        for at in 0..self.links.len() {
            if let Some(link) = self.links.get_mut(at) {
                if link.machine.shutdown(now, &mut link.out).is_err() {
                    link.phase = Phase::Over;
                } else {
                    link.phase = Phase::Leaving;
                }
            }
            self.end_if_done(at, now);
        }
    }
}

impl<T> Calls<T> {
    /// Ends every call: there is no transport any more.
    pub fn abandon(&mut self, why: &str) {
        self.call_table.closing = true;
        let calls: Vec<Key> = self.call_table.calls.keys().collect();
        for call in calls {
            let ending = Ending::unavailable(why);
            self.fail(call, ending);
        }
    }
}

fn find(links: &mut [Link], id: LinkId) -> Option<&mut Link> {
    links.iter_mut().find(|link| link.id == id)
}
