//! The passage of time: deadlines, memory, draining.

use core::mem;
use core::time::Duration;

use super::connection::{Phase, Reported};
use super::dispatch::Dispatch;
use super::taking::Delivery;
use crate::link::{EndReason, Event};
use crate::net::{Key, Loop, Owner, Poller};
use crate::wire::Role;

impl<P: Poller> Loop<P> {
    /// Lets the deadlines that have come take effect.
    pub(super) fn expire(&mut self) {
        let now = self.dispatch.state.now;
        if self.deadlines.next().is_none_or(|next| now < next) {
            return;
        }
        let mut passed = mem::take(&mut self.passed);
        self.deadlines.expired(now, &mut passed);
        for slot in passed.drain(..) {
            let Some(key) = self.dispatch.state.connections.key_at(slot) else {
                continue;
            };
            let Dispatch {
                state, profiles, ..
            } = &mut self.dispatch;
            let Some(connection) = state.connections.get_mut(key) else {
                continue;
            };
            if connection.stalls <= now {
                match connection.phase {
                    Phase::Lingering { taken, .. } => self.linger_on(key, taken),
                    Phase::Proxied => {
                        state.counters.proxy_faults += 1;
                        state.note_limit(key, "Limits::proxy_time");
                        self.end(key, EndReason::Stalled);
                    }
                    _ => self.judge_progress(key),
                }
                continue;
            }
            // Profiles are only ever added, so the index stays good.
            let limits = &profiles[usize::from(connection.profile)];
            let record = match connection.unopened {
                true => self
                    .sockets
                    .record_deadline(key, connection, now, &state.limits),
                false => None,
            };
            match connection.phase {
                Phase::Open if record.is_some_and(|it| it <= now) => {
                    state.note_limit(key, "Limits::record_time");
                    self.run_out(key);
                }
                Phase::Open if connection.deadline(limits).is_some_and(|it| it <= now) => {
                    connection.rested = false; // its deadline has just been ended
                    self.elapse(key);
                }
                Phase::Handshaking { .. }
                    if connection.deadline(limits).is_some_and(|it| it <= now) =>
                {
                    state.note_limit(key, "Limits::handshake_time");
                    self.run_out(key);
                }
                // If it rests, it stays at rest.
                _ => {
                    let deadline = connection.deadline(limits);
                    let first = deadline.into_iter().chain(record).min();
                    self.deadlines.set(slot, first);
                }
            }
        }
        self.passed = passed;
    }

    /// Gives up a connection whose output waits if its peer takes nothing.
    fn judge_progress(&mut self, key: Key) {
        if self.look(key) == Delivery::Still {
            let state = &self.dispatch.state;
            state.note_limit(key, "Limits::write_progress");
            return self.end(key, EndReason::Stalled);
        }
        let state = &mut self.dispatch.state;
        let limit = state.limits.write_progress;
        if let Some(connection) = state.connections.get_mut(key)
            && !connection.backlog.is_empty()
        {
            connection.stalls = connection.stalls_at(limit);
        }
        self.dispatch.state.current = key;
        self.settle(key);
    }

    /// The time of lingering is over, which counts from when the peer has `taken`
    /// all; if it has not, it has as long for it as it takes some now and then.
    fn linger_on(&mut self, key: Key, taken: bool) {
        let way = match taken {
            true => Delivery::Still,
            false => self.look(key),
        };
        if way == Delivery::Still {
            return self.end(key, EndReason::Finished);
        }
        self.linger(key, way);
        self.dispatch.state.current = key;
        self.settle(key);
    }

    /// Stops accepting, lets what runs finish, and cuts what is left after
    /// `within` (`None`: after [`Limits::drain_time`](crate::net::Limits::drain_time));
    /// [`run`](Self::run) then returns. Asked again, it may end sooner than it
    /// would have, never later.
    pub fn drain(&mut self, within: impl Into<Option<Duration>>) {
        let state = &mut self.dispatch.state;
        let by = state.now + within.into().unwrap_or(state.limits.drain_time);
        self.drained_by = Some(self.drained_by.map_or(by, |earlier| earlier.min(by)));
        if state.draining {
            return;
        }
        state.draining = true;
        self.accept_remaining();
        for owner in 0..self.dispatch.handlers.len() {
            self.dispatch
                .tell_owner(Owner(owner as u16), Event::Draining);
        }
        for key in self.dispatch.state.connections.keys() {
            self.drain_one(key);
        }
    }

    /// Has a connection finish: what has arrived already is looked at first,
    /// so that no request is lost that the peer knows to be delivered.
    fn drain_one(&mut self, key: Key) {
        let Some(connection) = self.dispatch.state.connections.get_mut(key) else {
            return;
        };
        if matches!(connection.phase, Phase::Proxied | Phase::Handshaking { .. }) {
            return self.end(key, EndReason::Drained); // nobody has asked for anything
        }
        if matches!(connection.phase, Phase::Lingering { .. }) {
            let by = self.dispatch.state.now + self.dispatch.state.limits.linger_time;
            connection.stalls = connection.stalls.min(by);
        }
        let is_open = connection.phase == Phase::Open;
        connection.socket.readable |= is_open;
        if is_open {
            self.serve(key);
        }
        let state = &mut self.dispatch.state;
        let mask_key = state.entropy.take();
        state.current = key;
        if let Some(connection) = state.connections.get_mut(key)
            && connection.phase == Phase::Open
        {
            // Who has only just connected is about to ask.
            let asks = connection.input_buffer.is_some()
                || connection.socket.readable
                || (connection.link.role() == Role::Server && connection.link.stream() == 0);
            connection
                .link
                .drain(asks, mask_key, state.now, &mut state.cork);
        }
        self.settle(key);
    }

    /// Whether the loop has been drained: nothing is left to be served.
    pub fn is_drained(&self) -> bool {
        self.dispatch.state.draining && self.dispatch.state.connections.is_empty()
    }

    /// Cuts what has not finished when draining has to be over.
    pub(super) fn cut_late(&mut self) {
        let now = self.dispatch.state.now;
        if self.drained_by.is_none_or(|by| now < by) {
            return;
        }
        for key in self.dispatch.state.connections.keys() {
            let connection = self.dispatch.state.connections.get_mut(key);
            let Some(connection) = connection else {
                continue;
            };
            let runs = connection.reported == Reported::Beginning && !connection.link.is_idle();
            self.cut += usize::from(runs);
            // Who has been sent all keeps what is still under way.
            let has_all = connection.backlog.is_empty()
                && (connection.link.is_idle() || connection.link.has_closed());
            let gone = match connection.phase {
                Phase::Lingering { .. } => EndReason::Finished,
                _ if has_all => EndReason::Finished,
                _ => EndReason::Drained,
            };
            self.end(key, gone);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::http::{ResponseHead, Status};
    use crate::link::{self, Body, Event};
    use crate::net::{
        Client, Context, Handler, KernelQueue, Limits, ListenOptions, Loop, Scripted, Speaks,
    };
    use crate::websocket::handshake;
    use core::time::Duration;

    struct Hello;

    impl Handler for Hello {
        fn event(&mut self, context: &mut Context<'_>, event: Event<'_>) {
            if let Event::Request { head, .. } = event {
                if head.target.path() == "/ws" {
                    let opening = handshake::check(&head).unwrap();
                    let accepted = handshake::accept(&opening, None).ok().unwrap();
                    let fields = accepted.fields();
                    context
                        .upgrade_websocket(fields.as_fields(), false)
                        .unwrap();
                    return;
                }
                let head = ResponseHead::new(Status::OK, crate::http::Fields::EMPTY);
                context.respond(&head, Body::Whole(b"hello")).unwrap();
            }
        }
    }

    /// A loop that packs each connection at rest, and its only client.
    fn packing() -> (Scripted, Loop<Scripted>, Client) {
        let world = Scripted::new();
        let limits = Limits::DEFAULT.with_warm(0);
        let mut events = Loop::with_poller(world.clone(), limits).unwrap();
        let owner = events.add(Hello);
        let profile = events.profile(link::Limits::DEFAULT);
        let (address, options) = ("127.0.0.1:0".parse().unwrap(), ListenOptions::DEFAULT);
        events
            .listen(&address, &options, Speaks::Http, owner, profile)
            .unwrap();
        let client = world.connect_client(0);
        (world, events, client)
    }

    #[test]
    fn a_connection_rests_on_behind_the_deadline_of_an_earlier_rest() {
        let (world, mut events, client) = packing();
        // The first rest would be over 60 seconds after its beginning, the
        // second one is 30 seconds later.
        for seconds in [30, 40, 0] {
            if seconds > 0 {
                world.send(client, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
            }
            for _ in 0..4 {
                events.turn(Some(Duration::ZERO)).unwrap();
            }
            let connections = &events.dispatch.state.connections;
            let key = connections.keys()[0];
            assert!(connections.get(key).is_none(), "it is packed");
            world.advance(Duration::from_secs(seconds));
        }
        world.advance(Duration::from_secs(25));
        for _ in 0..4 {
            events.turn(Some(Duration::ZERO)).unwrap();
        }
        assert!(events.dispatch.state.connections.is_empty());
    }

    #[test]
    fn a_first_deadline_keeps_nobody_from_resting_whose_answer_is_under_way() {
        let (world, mut events, client) = packing();
        let (size, rate, step) = (1 << 20, 0, 1);
        world.set_kernel_queue(client, KernelQueue { size, rate, step });
        world.send(
            client,
            b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
              Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        );
        for _ in 0..4 {
            events.turn(Some(Duration::ZERO)).unwrap();
        }
        assert!(world.queued(client) > 0);
        let connections = &events.dispatch.state.connections;
        assert!(connections.get(connections.keys()[0]).is_none());
    }
}
