//! Connections that begin with a header of the PROXY protocol.

use super::proxy_header::{Source, read_proxy_header};
use crate::link::{EndReason, Event};
use crate::net::report::report;
use crate::net::turns::connection::{Phase, Reported};
use crate::net::{Exchange, Key, Loop, Poller};
use crate::wire::Instant;

impl<P: Poller> Loop<P> {
    /// Reads the header of the PROXY protocol in front of a connection; whether
    /// what is behind it can be served now.
    pub(in crate::net) fn read_introduction(&mut self, key: Key) -> bool {
        let Some(connection) = self.dispatch.state.connections.get_mut(key) else {
            return false;
        };
        if !connection.socket.readable {
            return false;
        }
        let mut had = 0;
        if let Some(input_buffer) = connection.input_buffer.take() {
            let all = &self.dispatch.state.memory.all;
            had = self.buffers.put_in_front(input_buffer, all);
        }
        let Some(stream) = self.sockets.get_mut(key) else {
            return false;
        };
        let Ok(read) = self.poller.read(stream, &mut self.buffers.read()[had..]) else {
            self.end(key, EndReason::Reset);
            return false;
        };
        let state = &mut self.dispatch.state;
        state.counters.bytes_in += read.bytes as u64;
        let Some(connection) = state.connections.get_mut(key) else {
            return false;
        };
        connection.socket.note_read(read.end, read.drained);
        let total = had + read.bytes; // within the buffer
        let header =
            match read_proxy_header(&self.buffers.read()[..total], state.limits.proxy_header) {
                Ok(header) if header.is_some() || !connection.socket.has_ended() => header,
                Ok(_) | Err(_) => {
                    state.counters.proxy_faults += 1;
                    self.end(key, EndReason::Aborted);
                    return false;
                }
            };
        let used = header.map_or(0, |(length, _)| length);
        if used < total {
            let mut input_buffer = self.buffers.keep(used..total);
            // Nobody knows yet whose it is.
            input_buffer.charge_to(Some(&state.memory.all));
            connection.input_buffer = Some(input_buffer);
        }
        match header {
            Some((_, source)) => self.introduce(key, source),
            None => connection.socket.readable,
        }
    }

    /// From here on the connection is that of the proxy's client, and counts for
    /// its address.
    fn introduce(&mut self, key: Key, source: Source) -> bool {
        let state = &mut self.dispatch.state;
        let Some(connection) = state.connections.get_mut(key) else {
            return false;
        };
        if let Source::Client(peer) = source {
            if state.caps.admit_address(peer, &state.limits).is_err() {
                self.listeners.note_refused_address();
                report!(Warn, "{peer}: refused at `Limits::per_address`");
                self.end(key, EndReason::Aborted);
                return false;
            }
            connection.peer = peer;
            let limits = &self.dispatch.profiles[usize::from(connection.profile)];
            if let Some(spent) = state.caps.spent(peer, limits, state.now) {
                connection.link.begin_with(spent);
            }
        }
        if let Some(secured) = self.sockets.secured(key) {
            if let Some(mut input_buffer) = connection.input_buffer.take() {
                secured.unread(input_buffer.bytes());
                self.spare_kept(input_buffer);
            }
            self.make_handshake_room();
            let has_room = self.handshake_room() > 0;
            self.begin_handshake(key);
            if !has_room {
                self.refuse_handshake(key);
            }
            return false; // it has its turn with the others
        }
        connection.phase = Phase::Open;
        connection.stalls = Instant::NEVER;
        connection.reported = Reported::Beginning;
        let exchange = Exchange::first_of(key);
        self.dispatch.tell(exchange, Event::Opened);
        true
    }
}
