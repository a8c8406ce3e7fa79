//! The end of a connection's turn, and what follows when all is sent.

use super::connection::Phase;
use super::dispatch::Dispatch;
use super::holds::Hold;
use super::taking::{Delivery, LOOK};
use crate::link::{Closing, EndReason};
use crate::net::transport::handshakes::Outcome;
use crate::net::transport::secured::Secured;
use crate::net::transport::wire::{Plain, Sealing};
use crate::net::{Key, Loop, Poller};
use crate::wire::Instant;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// The output is lost, and the memory that the system held for it is free.
    Reset,
    Closed,
}

impl<P: Poller> Loop<P> {
    /// Ends a connection's turn: writes, continues its closing if the link
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
        let Some(mut connection) = state.connections.get_mut(key) else {
            return;
        };
        if connection.link.lacks_meter() {
            state.meter_compression(key);
            connection = match state.connections.get_mut(key) {
                Some(connection) => connection,
                None => return,
            };
        }
        connection.dirty = false;
        let is_listed = connection.warmth.turn_ended();
        let is_fed = connection.holds.is_none();
        if is_fed && connection.is_at_rest() && !state.draining {
            // The deadline of one that streams says nothing of its next rest.
            let is_streaming = connection.link.is_streaming();
            if !connection.rested || is_streaming {
                connection.rested = !is_streaming;
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
        if connection.backlog.len() > state.limits.backlog_high {
            connection.holds.add(Hold::Output);
        }
        // The kernel took everything in one call, or its share of the turn: no
        // event will say so.
        let mut relieved = connection.holds.has(Hold::Output)
            && connection.backlog.len() <= state.limits.backlog_low;
        if relieved && connection.link.is_idle() && !connection.can_go_on() {
            // Nobody is there to be told, and nothing to be looked at.
            connection.holds.end(Hold::Output);
            if !connection.holds.ignores_output() {
                connection.link.resume(state.now);
            }
            relieved = false;
        }
        // What is held after an interim response waits for the peer, or its time.
        let may_write = connection.socket.writable && connection.interim.is_none();
        let goes_on = may_write && !connection.backlog.is_empty()
            || connection.may_be_fed()
                && (connection.link.has_output() || connection.link.is_pending());
        let limits = &profiles[usize::from(connection.profile)];
        let mut deadline = connection.deadline(limits);
        if connection.unopened {
            let record = self
                .sockets
                .record_deadline(key, connection, state.now, &state.limits);
            deadline = deadline.into_iter().chain(record).min();
        }
        self.deadlines.set(key.slot(), deadline);
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
            None if connection.socket.has_ended() => EndReason::Disconnected,
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
        if !connection.backlog.is_empty() || self.close_transport(key) {
            return;
        }
        let state = &mut self.dispatch.state;
        let Some(connection) = state.connections.get_mut(key) else {
            return;
        };
        // Input that is left unread, or that comes before the peer has taken all,
        // would make the system reset the connection.
        let unread = connection.input_buffer.is_some() || connection.socket.readable;
        // After the end of its transport a peer may still send.
        let secured = self.sockets.secured(key);
        let may_receive = secured.is_some_and(|it| it.may_receive());
        let ended = connection.socket.has_ended() && !may_receive;
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
        connection.socket.readable = true;
        let input_buffer = connection.input_buffer.take();
        self.linger(key, way);
        if let Some(stream) = self.sockets.get_mut(key)
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

    /// Sets until when a connection lingers: its time from when the peer has all, as long as
    /// there is hope of that.
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

    /// Throws away what a peer still sends after our last word; whether there may be
    /// more.
    pub(super) fn discard(&mut self, key: Key) -> bool {
        let Some(stream) = self.sockets.get_mut(key) else {
            return false;
        };
        let Some(connection) = self.dispatch.state.connections.get_mut(key) else {
            return false;
        };
        if !connection.socket.readable {
            return false;
        }
        let Phase::Lingering { left, taken } = &mut connection.phase else {
            return false;
        };
        if *left == 0 {
            return false;
        }
        match self.poller.read(stream, self.buffers.read()) {
            Ok(read) if !read.end && (read.bytes < *left as usize || !*taken) => {
                // Who has not taken all is not listened to beyond, but not cut off.
                *left = left.saturating_sub(u32::try_from(read.bytes).unwrap_or(u32::MAX));
                let socket = &mut connection.socket;
                socket.readable = !read.drained || socket.awaits_end() && read.bytes > 0;
                socket.readable
            }
            Ok(_) | Err(_) => {
                self.end(key, EndReason::Finished);
                false
            }
        }
    }

    /// The connection is over: tells the owner, if it does not know, and gives
    /// everything back.
    pub(in crate::net) fn end(&mut self, key: Key, gone: EndReason) {
        let gone = self.gone_by(key, gone);
        let way = match gone {
            EndReason::Stalled
            | EndReason::Reset
            | EndReason::Aborted
            | EndReason::Panicked
            | EndReason::Drained => Leaving::Reset,
            _ => Leaving::Closed,
        };
        self.leave(key, gone, way);
    }

    /// Ends a connection, and says how its socket goes.
    pub(in crate::net) fn leave(&mut self, key: Key, gone: EndReason, way: Leaving) {
        self.end_handshake(key, Outcome::Failed);
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
        if connection.is_dialled() {
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
        self.dispatch.state.details.forget(key);
        if let Some(stream) = self.sockets.unseat(key) {
            match way {
                Leaving::Reset => self.poller.reset(stream),
                Leaving::Closed => self.poller.close(stream),
            }
        }
    }

    /// Writes what is corked and what waits; what the kernel does not take
    /// waits on.
    pub(in crate::net) fn flush(&mut self, key: Key) {
        self.write_out(key, false);
    }

    /// Writes, with `pumps` after what a shared connection's streams put out. Whether it is
    /// closing or over.
    #[inline]
    pub(super) fn write_out(&mut self, key: Key, pumps: bool) -> bool {
        let Self {
            poller,
            sockets,
            buffers,
            dispatch,
            ..
        } = self;
        let state = &mut dispatch.state;
        let (is_closing, broken) = match sockets.writing(key) {
            Some((stream, None)) => state.flush_to(key, pumps, &mut Plain { poller, stream }),
            Some((stream, Some((secured, records)))) => {
                let piece = buffers.read();
                let mut wire = Sealing::new(poller, stream, secured, records, piece);
                state.flush_to(key, pumps, &mut wire)
            }
            None => {
                state.cork.clear();
                (true, None)
            }
        };
        if let Some(gone) = broken {
            self.cannot_write(key, gone);
        }
        is_closing
    }

    /// Drops the output to a server that takes no more, which may have answered before it
    /// closed (RFC 9112 §9.6); whether its answer is to be read.
    fn mute(&mut self, key: Key) -> bool {
        let state = &mut self.dispatch.state;
        let Some(connection) = state.connections.get_mut(key) else {
            return false;
        };
        let is_open = connection.phase == Phase::Open && connection.is_dialled();
        if !is_open || connection.socket.has_ended() || !connection.socket.mute() {
            return false;
        }
        connection.backlog.clear(&mut state.queues);
        connection.stalls = Instant::NEVER;
        true
    }

    /// Nothing more can be written of a connection.
    #[cold]
    fn cannot_write(&mut self, key: Key, gone: EndReason) {
        let secured = self.sockets.secured(key);
        let Some(fault) = secured.and_then(Secured::take_fault) else {
            return match gone == EndReason::Reset && self.mute(key) {
                true => self.dispatch.state.wake(key),
                false => self.end(key, gone),
            };
        };
        // What it wrote was to stand after the transport's last word.
        self.break_transport(key, &fault);
        if let Some(connection) = self.dispatch.state.connections.get_mut(key) {
            connection.socket.writable = true;
        }
        self.dispatch.state.wake(key);
    }
}
