//! From the cork to the kernel, and what follows when all is sent.

use std::io::{self, ErrorKind, IoSlice};

use super::connection::{Connection, Interim, Phase};
use super::dispatch::Dispatch;
use super::state::State;
use super::taking::{Delivery, LOOK};
use crate::link::{Closing, EndReason};
use crate::net::report::report;
use crate::net::{Cork, Key, Loop, Output, Poller, Queues};
use crate::wire::Instant;

/// Has an interim response leave by itself, and what stands behind it wait in the
/// backlog until the body begins: how many bytes the kernel took. `None` once there
/// is nothing to wait for.
#[cold]
fn hold_back(
    connection: &mut Connection,
    cork: &mut Cork,
    queues: &mut Queues,
    now: Instant,
    write: impl FnOnce(&[IoSlice<'_>]) -> io::Result<usize>,
) -> Option<usize> {
    let interim = connection.interim.take()?;
    let waits = connection.phase == Phase::Open && connection.link.is_continued();
    if !waits || now >= interim.until {
        return None;
    }
    let is_free = connection.backlog.is_empty() && connection.writable;
    let may_leave = interim.bytes.min(if is_free { cork.len() } else { 0 });
    let taken = match cork.plain().and_then(|all| all.get(..may_leave)) {
        Some(first @ [_, ..]) => write(&[IoSlice::new(first)]).unwrap_or(0),
        Some([]) | None => 0, // an error is found again with the rest
    };
    connection.backlog.extend_from(cork, taken, queues);
    cork.clear();
    connection.interim = Some(Interim {
        bytes: 0,
        ..interim
    });
    Some(taken)
}

impl<P: Poller> Loop<P> {
    /// Writes what is corked and what waits; what the kernel does not take
    /// waits on.
    pub(in crate::net) fn flush(&mut self, key: Key) {
        self.write_out(key, false);
    }

    /// The same, with `pumps` behind what the streams of a connection that is
    /// shared can put out. Whether the connection is closing, or over.
    #[inline]
    fn write_out(&mut self, key: Key, pumps: bool) -> bool {
        let Self {
            poller,
            streams,
            dispatch,
            ..
        } = self;
        let State {
            connections,
            cork,
            counters,
            limits,
            memory,
            now,
            queues,
            ..
        } = &mut dispatch.state;
        let stream = streams
            .get_mut(key.slot() as usize)
            .and_then(Option::as_mut);
        let (Some(connection), Some(stream)) = (connections.get_mut(key), stream) else {
            cork.clear();
            return true;
        };
        if pumps && connection.phase == Phase::Open && connection.link.is_multiplexed() {
            let corked = cork.len() as u64;
            connection.link.pump(limits.backlog_low, *now, cork);
            if connection.link.has_left() {
                let before = connection.end() + corked;
                connection.link.note_end(before);
            }
        }
        let is_closing = connection.phase != Phase::Open || connection.link.closing().is_some();
        if connection.interim.is_some() {
            let write = |parts: &[IoSlice<'_>]| poller.write(stream, parts);
            if let Some(taken) = hold_back(connection, cork, queues, *now, write) {
                connection.sent += taken as u64;
                counters.bytes_out += taken as u64;
                return is_closing;
            }
        }
        // A part of a file is sent from the backlog.
        let waited = !connection.backlog.is_empty() || cork.has_file();
        if !waited && cork.is_empty() {
            return is_closing;
        }
        let mut taken = 0;
        let mut broken = None;
        if !waited && connection.writable {
            match cork.write(|parts| poller.write(stream, parts)) {
                // As nearly always: nothing waits, so that nothing is timed.
                Ok(n) if n == cork.len() => {
                    cork.clear();
                    connection.sent += n as u64;
                    counters.bytes_out += n as u64;
                    connection.link.set_room(limits.backlog_high);
                    return is_closing;
                }
                Ok(n) => taken = n,
                Err(_) => broken = Some(EndReason::Reset),
            }
        }
        if taken < cork.len() {
            connection.writable &= waited;
            memory.note_pooled(*now);
            if connection.link.account().is_none() {
                connection.link.charge_to(memory.open(connection.peer));
            }
            connection
                .backlog
                .charge_to(connection.link.account(), queues);
            connection.backlog.extend_from(cork, taken, queues);
        }
        cork.clear();
        if broken.is_none() && waited && connection.writable {
            match connection
                .backlog
                .write(limits.backlog_cap, queues, |output| match output {
                    Output::Bytes(parts) => poller.write(stream, parts),
                    Output::File(parts, file) => poller.send_file(stream, parts, file),
                }) {
                Ok(n) => taken = n,
                // What was announced cannot be sent: the peer must not take
                // what it has for the whole.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    let peer = connection.peer;
                    report!(
                        Error,
                        "{peer}: cut, as a file has become too short: {error}"
                    );
                    broken = Some(EndReason::Aborted);
                }
                Err(_) => broken = Some(EndReason::Reset),
            }
            // Less than its share of a turn: the kernel is full, and says when
            // it no longer is.
            connection.writable = connection.backlog.is_empty() || taken >= limits.backlog_cap;
        }
        connection.sent += taken as u64;
        counters.bytes_out += taken as u64;
        if let Some(account) = connection.link.account() {
            account.moved(taken, memory.pace, *now);
        }
        if connection.backlog.is_empty() {
            connection.stalls = Instant::NEVER;
        } else if taken > 0 || connection.stalls == Instant::NEVER {
            connection.await_progress(*now, limits.write_progress);
        }
        let room = limits.backlog_high.saturating_sub(connection.backlog.len());
        connection.link.set_room(room);
        if let Some(gone) = broken {
            self.end(key, gone);
        }
        is_closing
    }

    /// Ends a connection's turn: writes, goes on with its closing if the link
    /// is done, and sets its deadline.
    pub(in crate::net) fn settle(&mut self, key: Key) {
        if self.write_out(key, true) {
            self.dispatch.state.current = key;
            self.begin_closing(key);
            self.go_on_closing(key);
        }
        self.dispatch.state.current = Key::NONE;
        self.rest(key);
    }

    /// Sets the deadline of a connection whose turn is over.
    #[inline(always)]
    fn rest(&mut self, key: Key) {
        let Dispatch {
            state, profiles, ..
        } = &mut self.dispatch;
        let Some(connection) = state.connections.get_mut(key) else {
            return;
        };
        connection.dirty = false;
        let is_listed = connection.warmth.turn_ended();
        let is_fed = !connection.write_blocked && !connection.held && !connection.starved;
        if is_fed && connection.is_at_rest() && !state.draining {
            if !connection.rested {
                connection.rested = true;
                let limits = &profiles[usize::from(connection.profile)];
                self.deadlines.set(key.slot(), connection.deadline(limits));
            }
            if is_listed {
                state.connections.list(key);
            }
            return;
        }
        connection.rested = false;
        if let Some(account) = connection.link.account() {
            account.begin(state.memory.pace, state.now);
        }
        connection.write_blocked |= connection.backlog.len() > state.limits.backlog_high;
        // The kernel took everything at once, or its share of the turn: no
        // event will say so.
        let mut relieved =
            connection.write_blocked && connection.backlog.len() <= state.limits.backlog_low;
        if relieved && connection.link.is_idle() && !connection.can_go_on() {
            // Nobody is there to be told, and nothing to be looked at.
            connection.write_blocked = false;
            if !connection.duplex {
                connection.link.resume(state.now);
            }
            relieved = false;
        }
        // What is held behind an interim response waits for the peer, or its time.
        let may_write = connection.writable && connection.interim.is_none();
        let goes_on = may_write && !connection.backlog.is_empty()
            || connection.may_be_fed()
                && (connection.link.has_output() || connection.link.is_pending());
        let limits = &profiles[usize::from(connection.profile)];
        self.deadlines.set(key.slot(), connection.deadline(limits));
        let starves = connection.link.is_starved();
        if relieved || goes_on {
            state.wake(key);
        }
        if starves {
            state.starve(key, 0);
        }
        if is_listed {
            state.connections.list(key);
        }
    }

    /// The link is done: tells the owner and stops listening to the peer.
    fn begin_closing(&mut self, key: Key) {
        let state = &mut self.dispatch.state;
        let Some(connection) = state.connections.get_mut(key) else {
            return;
        };
        if connection.phase != Phase::Open {
            return;
        }
        let Some(closing) = connection.link.closing() else {
            return;
        };
        let gone = match connection.gone {
            Some(gone) => gone,
            None if connection.ended => EndReason::Disconnected,
            None if state.draining => EndReason::Drained,
            None => EndReason::Finished,
        };
        self.dispatch.tell_gone(key, gone);
        if let Some(connection) = self.dispatch.state.connections.get_mut(key) {
            connection.phase = Phase::Flushing(closing);
        }
        // The owner may have used the occasion for a last word elsewhere, not
        // here: the exchange is over for it.
        if closing == Closing::Reset {
            self.end(key, gone);
        }
    }

    /// All is sent: closes, or lingers until the peer has read it.
    fn go_on_closing(&mut self, key: Key) {
        let state = &mut self.dispatch.state;
        let Some(connection) = state.connections.get_mut(key) else {
            return;
        };
        let Phase::Flushing(closing) = connection.phase else {
            return;
        };
        if !connection.backlog.is_empty() {
            return;
        }
        // Input that is left unread, or that comes before the peer has taken all,
        // would make the system reset the connection.
        let unread = connection.input_buffer.is_some() || connection.readable;
        let ended = connection.ended;
        let way = match ended {
            true => Delivery::Clear, // it sends nothing more
            false => self.look(key),
        };
        if ended || closing == Closing::Now && !unread && way.is_clear() {
            self.end(key, EndReason::Finished);
            return;
        }
        let state = &mut self.dispatch.state;
        let left = u32::try_from(state.limits.linger_bytes).unwrap_or(u32::MAX);
        let Some(connection) = state.connections.get_mut(key) else {
            return;
        };
        connection.phase = Phase::Lingering { left, taken: false };
        connection.readable = true;
        let input_buffer = connection.input_buffer.take();
        self.linger(key, way);
        if let Some(stream) = self
            .streams
            .get_mut(key.slot() as usize)
            .and_then(Option::as_mut)
            && self.poller.shutdown_write(stream).is_err()
        {
            self.end(key, EndReason::Reset);
            return;
        }
        if let Some(input_buffer) = input_buffer {
            self.spare_kept(input_buffer);
        }
        self.dispatch.state.wake(key);
    }

    /// Sets until when a connection lingers: for its time once the peer has all
    /// that was sent, and for as long before as there is hope of that.
    pub(super) fn linger(&mut self, key: Key, way: Delivery) {
        let state = &mut self.dispatch.state;
        if let Some(connection) = state.connections.get_mut(key)
            && let Phase::Lingering { left, taken } = &mut connection.phase
        {
            *taken = way.is_clear();
            connection.stalls = match (way.is_clear(), *left) {
                (true, 0) => state.now, // it sends more than we take
                // A shutdown does not wait for what lies in the peer's buffers.
                (true, _) if state.draining => state.now + state.limits.linger_time,
                (true, _) => state.now + state.limits.linger_time + connection.held(),
                (false, _) => state.now + LOOK,
            };
        }
    }

    /// The connection is over: tells the owner, if it does not know, and gives
    /// everything back.
    pub(in crate::net) fn end(&mut self, key: Key, gone: EndReason) {
        self.dispatch.tell_gone(key, gone);
        let state = &mut self.dispatch.state;
        let Some(mut connection) = state.connections.remove(key) else {
            return;
        };
        match connection.gone {
            Some(EndReason::ProtocolError(_)) => state.counters.violations += 1,
            Some(EndReason::Stalled) => state.counters.stalled += 1,
            _ => {}
        }
        if !state.departures.is_empty() {
            state.strand(&connection, key);
        }
        state.counters.active -= 1;
        connection.backlog.clear(&mut state.queues);
        if let Some(input_buffer) = connection.input_buffer.take() {
            self.spare_kept(input_buffer);
        }
        if connection.dialled {
            self.forget_dial(key);
        } else {
            let Dispatch {
                state, profiles, ..
            } = &mut self.dispatch;
            let limits = &profiles[usize::from(connection.profile)];
            if let Some(spent) = connection.link.spent(limits, state.now) {
                let caps = &state.caps;
                caps.keep_spent(connection.peer, spent, limits, state.now);
            }
            state.caps.release(connection.peer);
        }
        self.deadlines.set(key.slot(), None);
        if let Some(stream) = self
            .streams
            .get_mut(key.slot() as usize)
            .and_then(Option::take)
        {
            match gone {
                EndReason::Stalled
                | EndReason::Reset
                | EndReason::Aborted
                | EndReason::Panicked
                | EndReason::Drained => {
                    self.poller.reset(stream);
                }
                _ => self.poller.close(stream),
            }
        }
    }
}
