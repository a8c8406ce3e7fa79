//! One connection's turn: read, feed, keep what is left.

use alloc::boxed::Box;

use super::connection::{Phase, Reported, Start};
use super::feeding::Stop;
use super::holds::Hold;
use super::input_buffer::InputBuffer;
use crate::link::{Account, EndReason, Event, LITTLE};
use crate::net::outlet::Past;
use crate::net::transport::opened::Fault;
use crate::net::transport::secured::RECORD;
use crate::net::{Exchange, Key, Loop, Poller};

const COPIED: usize = 512;

/// The step that follows a step of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// Another step can bring something.
    Again,
    /// Another step can, in the next turn.
    Later,
    /// Nothing more until something happens.
    Rest,
}

impl<P: Poller> Loop<P> {
    /// Gives a connection its turn: at most [`rounds`](crate::net::Limits::rounds) reads, then
    /// one write. Whether it has more to do.
    pub(super) fn serve(&mut self, key: Key) -> bool {
        match self.dispatch.state.connections.get_mut(key) {
            Some(connection) => {
                let start = connection.start();
                self.serve_from(key, start)
            }
            None => false,
        }
    }

    /// Gives a turn to a connection whose state was just looked at.
    #[inline]
    pub(super) fn serve_from(&mut self, key: Key, start: Start) -> bool {
        self.dispatch.state.current = key;
        let mut next = Next::Again;
        if start.has_output {
            self.relieve(key);
        }
        for _ in 0..self.dispatch.state.limits.rounds {
            next = self.step(key);
            if next != Next::Again || self.dispatch.state.is_late() {
                break;
            }
        }
        if start.is_broken && next == Next::Rest && self.is_lost(key) {
            self.end(key, EndReason::Reset);
        }
        self.settle(key);
        if self.dispatch.state.memory.all.held() > self.dispatch.state.memory.short {
            self.make_room(Some(key));
        }
        let has_more = next != Next::Rest;
        if has_more {
            self.dispatch.state.wake(key);
        }
        has_more
    }

    /// Whether the peer is gone unnoticed, because input is withheld or has ended.
    fn is_lost(&self, key: Key) -> bool {
        let connection = self.dispatch.state.connections.get(key);
        connection.is_some_and(|it| it.phase == Phase::Open && it.link.closing().is_none())
    }

    /// Calls the owner of an exchange apart from its input, then writes.
    pub(in crate::net) fn attend(&mut self, exchange: Exchange, event: Event<'_>) {
        let key = exchange.connection;
        self.dispatch.state.excuse(key);
        self.dispatch.state.current = key;
        self.dispatch.tell(exchange, event);
        self.settle(key);
        if self.dispatch.state.memory.all.held() > self.dispatch.state.memory.short {
            self.make_room(Some(key));
        }
        // What the owner did may let input go on that has waited for it.
        self.dispatch.state.go_on(key);
    }

    /// Tells a writer that had to wait that it need not any more.
    pub(in crate::net) fn relieve(&mut self, key: Key) {
        self.flush(key);
        let state = &mut self.dispatch.state;
        if let Some(connection) = state.connections.get_mut(key)
            && connection.holds.has(Hold::Output)
            && connection.backlog.len() <= state.limits.backlog_low
        {
            connection.holds.end(Hold::Output);
            if !connection.holds.ignores_output() {
                connection.link.resume(state.now);
            }
            // Where exchanges share the connection, each is told in its turn.
            let tells =
                connection.reported == Reported::Beginning && !connection.link.is_multiplexed();
            if connection.phase == Phase::Open && tells {
                let exchange = Exchange {
                    connection: key,
                    stream: connection.link.stream(),
                };
                self.dispatch.tell(exchange, Event::Writable);
            }
        }
    }

    fn step(&mut self, key: Key) -> Next {
        let Some(connection) = self.dispatch.state.connections.get_mut(key) else {
            return Next::Rest;
        };
        match connection.phase {
            Phase::Dialling | Phase::Flushing(_) => Next::Rest,
            Phase::Lingering { .. } => match self.discard(key) {
                true => Next::Again,
                false => Next::Rest,
            },
            Phase::Proxied => match self.read_introduction(key) {
                true => Next::Again,
                false => Next::Rest,
            },
            Phase::Handshaking { .. } => {
                self.dispatch.state.go_on(key); // in a part of the turn of its own
                Next::Rest
            }
            Phase::Open if !connection.may_be_fed() => Next::Rest,
            Phase::Open => match connection.input_buffer.take() {
                Some(input_buffer) if !input_buffer.is_short || connection.link.is_pending() => {
                    self.feed_kept(key, input_buffer)
                }
                input_buffer if connection.socket.readable => {
                    let memory = &self.dispatch.state.memory;
                    match memory.read_size(
                        &connection.link,
                        input_buffer.as_deref(),
                        self.buffers.size(),
                    ) {
                        Ok(most) => self.read(key, input_buffer, most),
                        Err(needs) => {
                            connection.input_buffer = input_buffer;
                            self.dispatch.state.starve(key, needs);
                            Next::Rest
                        }
                    }
                }
                Some(input_buffer) => {
                    let ended = connection.socket.has_ended();
                    connection.input_buffer = Some(input_buffer);
                    if ended {
                        self.feed_end(key)
                    } else {
                        Next::Rest
                    }
                }
                None if connection.socket.has_ended() => self.feed_end(key),
                None if connection.link.is_pending() => {
                    let stop = self.feed(key, &mut [], false).1;
                    self.after(key, stop)
                }
                None => Next::Rest,
            },
        }
    }

    fn feed(&mut self, key: Key, input: &mut [u8], ends: bool) -> (usize, Stop) {
        let mut past = Past {
            poller: &mut self.poller,
            sockets: &mut self.sockets,
        };
        self.dispatch.feed(key, input, ends, &mut past)
    }

    /// Feeds what was kept because something other than the peer had to go
    /// first.
    fn feed_kept(&mut self, key: Key, mut input_buffer: Box<InputBuffer>) -> Next {
        let Some(connection) = self.dispatch.state.connections.get_mut(key) else {
            return Next::Rest;
        };
        // What is kept will not be answered after a response without an end.
        let socket = &mut connection.socket;
        if socket.awaits_end() && !socket.is_broken() && connection.link.is_endless() {
            socket.end();
        }
        let ended = connection.socket.has_ended();
        let (used, stop) = self.feed(key, input_buffer.bytes(), ended);
        input_buffer.advance(used);
        self.keep(key, input_buffer);
        self.after(key, stop)
    }

    fn feed_end(&mut self, key: Key) -> Next {
        let Some(connection) = self.dispatch.state.connections.get_mut(key) else {
            return Next::Rest;
        };
        let stop = match connection.input_buffer.take() {
            Some(mut input_buffer) => {
                let (used, stop) = self.feed(key, input_buffer.bytes(), true);
                input_buffer.advance(used);
                self.keep(key, input_buffer);
                stop
            }
            None => self.feed(key, &mut [], true).1,
        };
        self.after_end(key, stop)
    }

    /// After the FIN there is nothing to wait for but our own reply.
    fn after_end(&mut self, key: Key, stop: Stop) -> Next {
        match self.after(key, stop) {
            Next::Again if stop == Stop::Flush => Next::Again,
            Next::Later => Next::Later,
            _ => Next::Rest,
        }
    }

    /// Reads once, after what was kept or `most` bytes, and feeds all of it.
    fn read(&mut self, key: Key, input_buffer: Option<Box<InputBuffer>>, most: usize) -> Next {
        let size = self.buffers.size();
        let is_secured = self.sockets.is_secured(key);
        // Either the loop's own buffer, with a little kept input copied in
        // front, or the memory of a long kept input itself.
        let mut own: Option<Box<InputBuffer>> = None;
        let (had, room) = match input_buffer {
            Some(kept) if kept.len() > COPIED => {
                let had = kept.len();
                let least = match is_secured {
                    true => RECORD,
                    false => COPIED,
                };
                let least = size.min(had).max(least);
                (had, self.buffers.behind(own.insert(kept), least))
            }
            Some(kept) => {
                let all = &self.dispatch.state.memory.all;
                let had = self.buffers.put_in_front(kept, all);
                (had, &mut self.buffers.read()[had..])
            }
            None if is_secured => (0, self.buffers.read()), // a record stands whole
            None => (0, &mut self.buffers.read()[..most]),
        };
        let read = self.sockets.read(&mut self.poller, key, room);
        let read = match read {
            Ok(read) => read,
            Err(Fault::Cut) if self.takes_cut(key) => {
                self.put_off(key, own, had);
                return self.feed_end(key);
            }
            Err(fault) => {
                self.cannot_read(key, fault);
                return Next::Rest;
            }
        };
        if is_secured && !self.note_opened(key, &read) {
            return Next::Rest;
        }
        let state = &mut self.dispatch.state;
        state.counters.bytes_in += read.raw as u64;
        let Some(connection) = state.connections.get_mut(key) else {
            return Next::Rest;
        };
        if connection.is_dialled() && read.bytes > 0 {
            connection.holds.hear();
            state.alarms.receive(connection.owner, read.bytes);
        }
        connection.socket.note_read(read.end, read.drained);
        let ended = connection.socket.has_ended();
        if read.bytes == 0 && !ended {
            // A transport may have had something for itself.
            connection.socket.readable &= read.raw > 0 || !read.drained;
            let next = match connection.socket.readable {
                true => Next::Again,
                false => Next::Rest,
            };
            self.put_off(key, own, had);
            return next;
        }
        let stop = match own {
            Some(mut input_buffer) => {
                input_buffer.filled(read.bytes);
                let (used, stop) = self.feed(key, input_buffer.bytes(), ended);
                input_buffer.advance(used);
                self.keep(key, input_buffer);
                stop
            }
            None => {
                let total = had + read.bytes; // within the buffer
                let mut past = Past {
                    poller: &mut self.poller,
                    sockets: &mut self.sockets,
                };
                let input = &mut self.buffers.read()[..total];
                let (used, stop) = self.dispatch.feed(key, input, ended, &mut past);
                if used < total {
                    let input_buffer = self.buffers.keep(used..total);
                    self.keep(key, input_buffer);
                }
                stop
            }
        };
        self.note_progress(key, read.bytes);
        self.after(key, stop)
    }

    /// Notes what a peer has sent while memory is held for it.
    #[inline]
    fn note_progress(&mut self, key: Key, read: usize) {
        let state = &mut self.dispatch.state;
        let Some(connection) = state.connections.get_mut(key) else {
            return;
        };
        let is_held = |account: &Account| account.held() + account.referred() > LITTLE;
        if connection.link.account().is_some_and(is_held) {
            let bytes = connection.link.progress(read);
            if let Some(account) = connection.link.account() {
                account.moved(bytes, state.memory.pace, state.now);
            }
        }
    }

    /// Nothing had come after all: what was kept stays.
    fn put_off(&mut self, key: Key, own: Option<Box<InputBuffer>>, had: usize) {
        let input_buffer = own.or_else(|| {
            (had > 0).then(|| {
                let mut input_buffer = self.buffers.keep(0..had);
                input_buffer.is_short = true; // else it would have been fed
                input_buffer
            })
        });
        if let Some(input_buffer) = input_buffer {
            self.keep(key, input_buffer);
        }
    }

    fn keep(&mut self, key: Key, input_buffer: Box<InputBuffer>) {
        let mut input_buffer = input_buffer;
        let state = &mut self.dispatch.state;
        if input_buffer.len() > 0
            && let Some(account) = state.account_of(key)
        {
            input_buffer.charge_to(Some(account));
            if let Some(connection) = state.connections.get_mut(key) {
                connection.input_buffer = Some(input_buffer);
            }
        } else {
            self.spare_kept(input_buffer);
        }
    }

    #[inline]
    fn after(&mut self, key: Key, stop: Stop) -> Next {
        let Some(connection) = self.dispatch.state.connections.get_mut(key) else {
            return Next::Rest;
        };
        if let Some(input_buffer) = &mut connection.input_buffer {
            input_buffer.is_short = stop == Stop::Hungry;
        }
        match stop {
            Stop::Late => Next::Later,
            Stop::Hungry if connection.socket.readable => Next::Again,
            Stop::Hungry | Stop::Held => Next::Rest,
            Stop::Over => {
                // A machine that ends without a successor ends here.
                if connection.link.closing().is_none() {
                    connection.link.abort();
                }
                Next::Rest
            }
            Stop::Flush => {
                self.flush(key);
                let state = &mut self.dispatch.state;
                let Some(connection) = state.connections.get_mut(key) else {
                    return Next::Rest;
                };
                if connection.backlog.len() > state.limits.backlog_low {
                    connection.holds.add(Hold::Output);
                }
                match connection.holds.has(Hold::Output) {
                    true => Next::Rest,
                    false => Next::Again,
                }
            }
        }
    }

    pub(in crate::net) fn spare_kept(&mut self, input_buffer: Box<InputBuffer>) {
        let memory = &mut self.dispatch.state.memory;
        memory.note_pooled(self.dispatch.state.now);
        self.buffers.give_back(input_buffer, &memory.all);
    }
}
