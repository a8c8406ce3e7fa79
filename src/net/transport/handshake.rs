//! The phase before a connection's protocol is known, and the end of a transport.

use core::mem;
use core::time::Duration;

use super::admission::FEW;
use super::handshakes::Outcome;
use super::opened::{Fault, Opened};
use super::seam::{TransportError, TransportLimit};
use crate::link::{Closing, EndReason, Event, Link, Unreachable};
use crate::net::report::report;
use crate::net::turns::connection::{Phase, Reported};
use crate::net::turns::flush::Leaving;
use crate::net::turns::holds::Hold;
use crate::net::turns::state::State;
use crate::net::{Exchange, Key, Loop, Poller, Speaks};
use crate::wire::{Instant, Role};

impl Speaks {
    pub(in crate::net) fn link(self, role: Role, now: Instant) -> Link {
        match (self, role) {
            (Self::Http | Self::Http2, Role::Server) => Link::server(now),
            (Self::Http1, Role::Server) => Link::server_http1(now),
            (Self::Http | Self::Http1, Role::Client) => Link::client(now),
            (Self::Http2, Role::Client) => Link::client_http2(now),
            (Self::Raw, role) => Link::raw(role),
        }
    }
}

impl<P: Poller> Loop<P> {
    /// Makes a connection begin with the handshake of its transport, in its turn.
    pub(in crate::net) fn begin_handshake(&mut self, key: Key, time: Duration) {
        let State {
            connections,
            handshakes,
            memory,
            now,
            ..
        } = &mut self.dispatch.state;
        let Some(connection) = connections.get_mut(key) else {
            return;
        };
        let until = *now + time;
        // Whole seconds, as all of a connection's deadlines.
        let until = u32::try_from(until.as_secs() + 1).unwrap_or(u32::MAX);
        connection.phase = Phase::Handshaking { until };
        connection.stalls = Instant::NEVER;
        connection.socket.readable = true;
        let (peer, is_dial) = (connection.peer, connection.is_dialled());
        handshakes.begin(key, is_dial, *now, |key| {
            let connection = connections.get(key);
            !connection.is_some_and(|it| it.shakes_hands())
        });
        if let Some(secured) = self.sockets.secured(key) {
            secured.charge_itself_to(&memory.address(peer));
        }
        self.dispatch.state.wake(key);
    }

    /// Reads on in a handshake; whether another step can bring something.
    pub(super) fn go_on_handshake(&mut self, key: Key) -> bool {
        let connection = self.dispatch.state.connections.get_mut(key);
        if !connection.is_some_and(|it| it.socket.readable) {
            return false;
        }
        let Self {
            sockets,
            poller,
            buffers,
            ..
        } = self;
        let opened = match sockets.read(poller, key, buffers.read()) {
            Ok(opened) => opened,
            Err(fault) => {
                self.cannot_read(key, fault);
                return false;
            }
        };
        self.dispatch.state.counters.bytes_in += opened.raw as u64;
        if !self.note_opened(key, &opened) {
            return false;
        }
        let Some(secured) = self.sockets.secured(key) else {
            return false;
        };
        secured.charge_itself();
        if let Some(speaks) = secured.agreed() {
            self.agree(key, speaks);
            return true;
        }
        let most = secured.transport().handshake_limit();
        if secured.shaken() > most.min(self.dispatch.state.limits.handshake_bytes) {
            let state = &self.dispatch.state;
            state.note_limit(key, "Limits::handshake_bytes");
            self.tell_limit(key, TransportLimit::Handshake);
            self.break_transport(key, &TransportError::new("a handshake is too long"));
            return false;
        }
        if opened.end {
            self.cannot_read(key, Fault::Cut);
            return false;
        }
        let connection = self.dispatch.state.connections.get_mut(key);
        connection.is_some_and(|it| it.socket.readable)
    }

    /// Notes what a transport's read left: its own replies and the front of a record. Whether
    /// the connection stays open.
    pub(in crate::net) fn note_opened(&mut self, key: Key, opened: &Opened) -> bool {
        self.put_sealed(key);
        let Some(secured) = self.sockets.secured(key) else {
            return true;
        };
        let (unopened, state) = (secured.unopened(), &mut self.dispatch.state);
        let lacks_input = secured.lacks_input();
        secured.note_front(state.now + state.limits.record_time);
        let account = match unopened {
            0 => None,
            _ => state.account_of(key),
        };
        secured.charge_to(account);
        let Some(connection) = state.connections.get_mut(key) else {
            return false;
        };
        connection.unopened = unopened > 0;
        connection.socket.readable = connection.socket.reads_on(opened.end, opened.drained);
        // What is only for the next phase is no more than one read.
        if lacks_input && unopened > state.limits.unopened {
            state.note_limit(key, "Limits::unopened");
            self.tell_limit(key, TransportLimit::Record);
            self.break_transport(key, &TransportError::new("a record is too long"));
            return false;
        }
        true
    }

    /// Puts what the transport of a connection has said after what is sealed.
    fn put_sealed(&mut self, key: Key) {
        let sealed = self.sockets.said();
        if sealed.is_empty() {
            return;
        }
        let state = &mut self.dispatch.state;
        state.charge_backlog(key);
        if let Some(connection) = state.connections.get_mut(key) {
            let queues = &mut state.queues;
            connection.backlog.put_sealed(sealed, sealed.len(), queues);
        }
        sealed.clear();
    }

    fn agree(&mut self, key: Key, speaks: Speaks) {
        self.end_handshake(key, Outcome::Completed);
        let state = &mut self.dispatch.state;
        let Some(connection) = state.connections.get_mut(key) else {
            return;
        };
        let role = connection.link.role();
        let link = match (speaks, role) {
            (Speaks::Http2, Role::Server) => Link::server_http2(state.now),
            _ => speaks.link(role, state.now),
        };
        let before = mem::replace(&mut connection.link, link);
        if let Some(account) = before.account() {
            connection.link.charge_to(account.clone());
        }
        connection.reported = Reported::Beginning;
        connection.socket.readable = true; // something may stand after the handshake
        // Profiles are only ever added, so the index stays good.
        let limits = &self.dispatch.profiles[usize::from(connection.profile)];
        match role {
            Role::Client => connection.link.begin(limits, state.now, &mut state.cork),
            Role::Server => {
                if let Some(spent) = state.caps.spent(connection.peer, limits, state.now) {
                    connection.link.begin_with(spent);
                }
                if connection.link.is_multiplexed() {
                    let account = state.memory.open(connection.peer);
                    connection.link.charge_to(account);
                    connection.link.begin(limits, state.now, &mut state.cork);
                }
            }
        }
        self.note_details(key);
        let exchange = Exchange {
            connection: key,
            stream: 0,
        };
        self.dispatch.tell(exchange, Event::Opened);
    }

    pub(in crate::net) fn cannot_read(&mut self, key: Key, fault: Fault) {
        match fault {
            Fault::Socket | Fault::Cut => {
                self.end(key, EndReason::Reset);
            }
            Fault::Transport(error) => {
                self.put_sealed(key);
                self.break_transport(key, &error);
            }
        }
    }

    /// Takes a bare FIN as the end of input, if only a request can have been cut: complete ones
    /// are answered (RFC 9112 §9.8).
    #[cold]
    pub(in crate::net) fn takes_cut(&mut self, key: Key) -> bool {
        let Some(connection) = self.dispatch.state.connections.get_mut(key) else {
            return false;
        };
        let Some(secured) = self.sockets.secured(key) else {
            return false;
        };
        if connection.phase != Phase::Open || !connection.link.is_asked() {
            return false;
        }
        secured.end_input();
        connection.unopened = false;
        connection.socket.note_read(true, true);
        true
    }

    fn note_details(&mut self, key: Key) {
        if let Some(secured) = self.sockets.secured(key) {
            let details = secured.transport().details();
            self.dispatch.state.details.set(key, details);
        }
    }

    /// Why a connection ends: a dial has failed until its handshake is over, and its transport
    /// knows whose.
    pub(in crate::net) fn gone_by(&mut self, key: Key, why: EndReason) -> EndReason {
        let connection = self.dispatch.state.connections.get(key);
        let is_dial = connection
            .is_some_and(|it| it.is_dialled() && matches!(it.phase, Phase::Handshaking { .. }));
        if is_dial {
            self.note_details(key);
        }
        match (is_dial, why) {
            (true, EndReason::Stalled) => EndReason::Unreachable(Unreachable::HandshakeTimedOut),
            (true, _) => EndReason::Unreachable(Unreachable::Handshake),
            (false, why) => why,
        }
    }

    /// Lets the transport of a connection say at which limit it ends, after what is
    /// written.
    #[cold]
    fn tell_limit(&mut self, key: Key, limit: TransportLimit) {
        self.flush(key);
        let Some((secured, said)) = self.sockets.speaking(key) else {
            return;
        };
        let details = secured.transport().details();
        secured.end_at(limit, said);
        self.dispatch.state.details.set(key, details);
        self.put_sealed(key);
    }

    /// Ends a connection whose peer has not sent in time what its transport needs.
    #[cold]
    pub(in crate::net) fn run_out(&mut self, key: Key) {
        self.dispatch.state.counters.transport_faults += 1;
        self.tell_limit(key, TransportLimit::Time);
        self.flush(key);
        let connection = self.dispatch.state.connections.get(key);
        // A reset would overtake what was said, and frees what the peer does not take.
        let way = match connection.is_some_and(|it| it.backlog.is_empty()) {
            true => Leaving::Closed,
            false => Leaving::Reset,
        };
        let gone = self.gone_by(key, EndReason::Stalled);
        self.leave(key, gone, way);
    }

    /// Ends a connection whose transport cannot go on, after what that has to say.
    pub(in crate::net) fn break_transport(&mut self, key: Key, error: &TransportError) {
        let gone = self.gone_by(key, EndReason::Transport);
        self.end_handshake(key, Outcome::Failed);
        let state = &mut self.dispatch.state;
        state.counters.transport_faults += 1;
        if let Some(connection) = state.connections.get(key) {
            let peer = connection.peer;
            report!(
                Info,
                "{peer}: closed, as its transport has failed: {:?}",
                alloc::format!("{error}") // it may quote the peer
            );
        }
        if let Some(secured) = self.sockets.secured(key) {
            let details = secured.transport().details();
            secured.give_up();
            self.dispatch.state.details.set(key, details);
        }
        self.dispatch.tell_gone(key, gone);
        // Nothing may stand after the transport's last word.
        self.dispatch.state.drop_unsealed(key);
        if let Some(connection) = self.dispatch.state.connections.get_mut(key) {
            connection.phase = Phase::Flushing(Closing::Linger);
        }
    }

    /// Lets the transport of a connection say that nothing follows; whether that is still
    /// to be sent.
    pub(in crate::net) fn close_transport(&mut self, key: Key) -> bool {
        let Some((secured, said)) = self.sockets.speaking(key) else {
            return false;
        };
        if !secured.close(said) {
            return false;
        }
        self.put_sealed(key);
        self.flush(key);
        let connection = self.dispatch.state.connections.get_mut(key);
        connection.is_none_or(|it| !it.backlog.is_empty())
    }

    /// Serves the handshakes that can go on, for their part of the turn.
    pub(in crate::net) fn shake_hands(&mut self) {
        let state = &mut self.dispatch.state;
        if state.handshakes.ready.is_empty() {
            return;
        }
        let mut ready = mem::take(&mut state.handshakes.ready);
        if state.handshakes.is_behind {
            state.in_turns(&mut ready);
        }
        let (since, part) = (state.clock(), state.limits.handshake_part);
        let mut served = 0;
        for &key in &ready {
            self.shake(key);
            served += 1;
            if self.dispatch.state.clock().saturating_since(since) >= part {
                break;
            }
        }
        ready.drain(..served);
        let handshakes = &mut self.dispatch.state.handshakes;
        handshakes.is_behind = !ready.is_empty();
        ready.append(&mut handshakes.ready);
        handshakes.ready = ready;
    }

    fn shake(&mut self, key: Key) {
        let Some(connection) = self.dispatch.state.connections.get_mut(key) else {
            return;
        };
        connection.queued = false;
        let has_output = connection.holds.has(Hold::Output) || !connection.backlog.is_empty();
        self.dispatch.state.current = key;
        if has_output {
            self.relieve(key);
        }
        let mut goes_on = false;
        for _ in 0..self.dispatch.state.limits.rounds {
            let connection = self.dispatch.state.connections.get_mut(key);
            if !connection.is_some_and(|it| it.shakes_hands()) {
                break;
            }
            goes_on = self.go_on_handshake(key);
            if !goes_on {
                break;
            }
        }
        self.settle(key);
        if goes_on {
            self.dispatch.state.wake(key);
        }
    }

    /// For how many more handshakes there is room, or can be made.
    pub(in crate::net) fn handshake_room(&self) -> usize {
        let state = &self.dispatch.state;
        match state.free_handshakes() {
            0 => state.overdue_handshakes().take(FEW).count(),
            free => free,
        }
    }

    /// Makes the oldest handshake give way to a further one, if there is no room.
    pub(in crate::net) fn make_handshake_room(&mut self) {
        if self.dispatch.state.free_handshakes() > 0 {
            return;
        }
        let oldest = self.dispatch.state.overdue_handshakes().next();
        if let Some(key) = oldest {
            self.refuse_handshake(key);
        }
    }

    pub(in crate::net) fn refuse_handshake(&mut self, key: Key) {
        self.dispatch.state.note_limit(key, "Limits::handshakes");
        self.end_handshake(key, Outcome::Refused);
        self.end(key, EndReason::Stalled);
    }

    pub(in crate::net) fn end_handshake(&mut self, key: Key, outcome: Outcome) {
        let state = &mut self.dispatch.state;
        if let Some(connection) = state.connections.get_mut(key)
            && connection.shakes_hands()
        {
            connection.phase = Phase::Open;
            state.handshakes.note(outcome);
        }
    }
}
