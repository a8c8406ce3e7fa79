//! The reach of a handler beyond its own exchange.

use core::panic::AssertUnwindSafe;
use core::time::Duration;
use std::panic::{catch_unwind, resume_unwind};

use bytes::Bytes;

use super::dial::DialPlan;
use super::dials::DialRequest;
use crate::link::{self, Account, Charge, Link};
use crate::net::futures::woken::Target;
use crate::net::stores::cork::Published;
use crate::net::turns::connection::{Connection, Phase};
use crate::net::{
    Context, Counters, Delivered, Destination, Exchange, Flow, FutureSlot, FuturesHandle,
    LocalWaker, Packed, PackedFrames, Peer, Profile, Remote, Speaks, TransportMaker, Uptake,
};
use crate::websocket::Kind;
use crate::wire::{Instant, Role};

impl Context<'_> {
    /// Acts on another exchange of this owner's, for as long as `act` runs;
    /// `None` if it is over.
    pub fn with<R>(
        &mut self,
        other: Exchange,
        act: impl FnOnce(&mut Context<'_>) -> R,
    ) -> Option<R> {
        if other == self.exchange {
            return self.is_open().then(|| act(self));
        }
        let owner = self.owner;
        let is_ours = |connection: &Connection| connection.owner == owner;
        let ours = self
            .state
            .connections
            .get_mut(other.connection)
            .is_some_and(|it| is_ours(it));
        if !ours || !self.state.is_open(other) {
            return None;
        }
        if other.connection == self.state.current {
            return Some(act(&mut Context::new(self.state, owner, other)));
        }
        self.state.enter(other.connection);
        let mut context = Context::new(self.state, owner, other);
        let result = catch_unwind(AssertUnwindSafe(|| act(&mut context)));
        self.state.leave();
        match result {
            Ok(result) => Some(result),
            Err(panic) => resume_unwind(panic),
        }
    }

    /// Sends one WebSocket message to many connections of this owner's: it is
    /// encoded once, and each of them holds a reference. Returns how many took
    /// it.
    pub fn publish(
        &mut self,
        to: impl IntoIterator<Item = Exchange>,
        kind: Kind,
        payload: &[u8],
    ) -> usize {
        let frame = self.shared(link::encode_message(kind, payload));
        let frames = PackedFrames::default();
        let mut packed = Packed::new(&frames);
        let owner = self.owner;
        to.into_iter()
            .filter(|&member| match self.state.role_of(member) {
                Role::Server => {
                    let delivered = self.state.deliver(owner, member, &frame, Some(&mut packed));
                    self.state.see_to(member, delivered)
                }
                // A client masks each frame anew.
                Role::Client => self
                    .with(member, |context| context.send(kind, payload).is_taken())
                    .unwrap_or(false),
            })
            .count()
    }

    /// Dials `destination`: names are resolved on a thread, and their addresses are tried
    /// in parallel, staggered (RFC 8305). The connection belongs to this owner, with this
    /// tag and profile; its first event is [`Opened`](crate::link::Event::Opened), or
    /// [`Ended`](crate::link::Event::Ended) if it cannot be reached.
    pub fn dial(
        &mut self,
        destination: Destination,
        speaks: Speaks,
        profile: Profile,
        tag: u32,
    ) -> Exchange {
        self.dial_with(destination, None, speaks, profile, tag)
    }

    /// Dials as [`dial`](Self::dial) does; the connection has a transport, and speaks
    /// what that has agreed on, or `speaks`. Its first event is
    /// [`Opened`](crate::link::Event::Opened) once the handshake is over. The dial fails
    /// with [`Unreachable::Handshake`](crate::link::Unreachable::Handshake) if the loop's
    /// [`read_size`](crate::net::Limits::read_size) has no room for a record, as for
    /// [`Loop::listen_over`](crate::net::Loop::listen_over).
    pub fn dial_over(
        &mut self,
        destination: Destination,
        transport: &TransportMaker,
        speaks: Speaks,
        profile: Profile,
        tag: u32,
    ) -> Exchange {
        self.dial_with(destination, Some(transport.clone()), speaks, profile, tag)
    }

    fn dial_with(
        &mut self,
        destination: Destination,
        transport: Option<TransportMaker>,
        speaks: Speaks,
        profile: Profile,
        tag: u32,
    ) -> Exchange {
        self.dial_by(DialPlan {
            destination,
            over: transport,
            speaks,
            profile,
            tag,
            times: None,
            names: None,
        })
    }

    pub(crate) fn dial_by(&mut self, plan: DialPlan) -> Exchange {
        let link = Link::raw(Role::Client);
        let profile = plan.profile.0;
        let mut connection =
            Connection::new(link, Peer::Unix, self.owner, profile, Phase::Dialling);
        connection.tag = plan.tag;
        let key = self.state.connections.insert(connection);
        self.state.counters.active += 1;
        self.state.dials.push(DialRequest {
            key,
            plan: Some(plan),
        });
        Exchange::first_of(key)
    }

    /// Whether the peer keeps up. For stream 0 of a client's HTTP/2 connection,
    /// [`Flow::Wait`] means: send no further request until
    /// [`Writable`](crate::link::Event::Writable).
    pub fn flow(&mut self) -> Flow {
        self.state.flow(self.exchange, 0)
    }

    /// Finishes what runs on the connection and begins nothing more, as when
    /// the loop drains: HTTP/2 says GOAWAY.
    pub fn shutdown(&mut self) {
        // Refused only where the connection is over.
        let _ = self.act(|link, mut state| {
            let mask = state.mask(link);
            link.drain(false, mask, state.now, state.cork);
            Ok(())
        });
    }

    /// Queues one encoded WebSocket message, made by
    /// [`encode_message`](crate::websocket::encode_message), by reference, on another
    /// connection of this owner. Returns whether it was queued. Only for connections that
    /// were accepted: a client masks each frame.
    pub fn deliver(&mut self, to: Exchange, frame: &Bytes) -> bool {
        let delivered = self.state.deliver(self.owner, to, frame, None);
        self.state.see_to(to, delivered)
    }

    /// [Puts](Self::deliver) one encoded WebSocket message after what another connection
    /// has waiting, compressed if that was agreed on.
    pub(crate) fn deliver_packed(
        &mut self,
        to: Exchange,
        frame: &Bytes,
        packed: Option<&mut Packed<'_>>,
    ) -> Delivered {
        self.state.deliver(self.owner, to, frame, packed)
    }

    /// Ends an exchange for which more than the cap waited before the last message.
    pub(crate) fn cap(&mut self, exchange: Exchange, waited: usize) {
        self.state.cap(exchange, waited);
    }

    /// Whether that is more than may wait for a peer.
    pub(crate) const fn is_beyond_cap(&self, waited: usize) -> bool {
        waited > self.state.limits.backlog_cap
    }

    /// How far the peer of an exchange is.
    pub(crate) fn uptake(&self, exchange: Exchange) -> Uptake {
        self.state.uptake(exchange)
    }

    /// Sets off [`Timer`](crate::link::Event::Timer) with this token after `time`, unless
    /// the exchange is over by then. Returns whether it was set: not beyond
    /// [`Limits::timers`](crate::net::Limits::timers); [`set_timer`](Self::set_timer)
    /// says whose share is used up.
    pub fn after(&mut self, time: Duration, token: u64) -> bool {
        self.set_timer(time, token).is_ok()
    }

    /// Calls this owner with [`Timer`](crate::link::Event::Timer) and token 0 at `at`,
    /// for no exchange. Replaces an alarm set before.
    pub(crate) fn set_alarm(&mut self, at: Instant) {
        self.state.alarms.set(self.owner, at);
    }

    /// Calls this owner likewise within a second after `at`; that costs no other turn
    /// anything. For an owner that is called with mail or for its last round. `at` lies later
    /// than now.
    pub(crate) fn set_round(&mut self, at: Instant) {
        let at = at.max(self.state.now + Duration::from_secs(1));
        self.state.alarms.set_round(self.owner, at);
    }

    /// The counters of the loop.
    pub fn counters(&self) -> &Counters {
        &self.state.counters
    }

    /// The account of this exchange's connection, to charge memory to that is held
    /// for its peer: for owners that keep some themselves, such as parts of
    /// messages. `None` if the connection is over.
    pub fn account(&mut self) -> Option<Account> {
        self.state.account_of(self.exchange.connection).cloned()
    }

    /// The account of all connections of the loop: for what is held for a peer whether or
    /// not there is a connection.
    #[cfg(feature = "client")]
    pub(crate) const fn loop_account(&self) -> &Account {
        &self.state.memory.all
    }

    /// An empty charge for what the owner keeps for the peer of this exchange.
    pub fn charge(&mut self) -> Charge {
        let account = self.state.account_of(self.exchange.connection);
        account.map_or(Charge::NONE, |account| account.charge(0))
    }

    /// Counts memory as held by the loop for no connection.
    pub(crate) fn charge_loop(&self, bytes: usize) -> Charge {
        self.state.memory.all.charge(bytes)
    }

    /// Whether there is no memory left for a further answer: an owner that can
    /// say so in its protocol refuses what it would have begun.
    pub fn is_memory_full(&self) -> bool {
        self.state.memory.is_full()
    }

    /// Writes by reference bytes that many peers get:
    /// [`shared`](Self::shared) has charged them once.
    pub fn write_published(&mut self, data: Bytes) -> Flow {
        self.write_by(|link, state| {
            link.write_published(state.stream, data, &mut Published(state.cork))
        })
    }

    /// Writes likewise, and leaves it to the caller to see to peers that do not keep up.
    pub(crate) fn put_published(&mut self, data: Bytes) -> Delivered {
        let put = self.put_by(|link, state| {
            link.write_published(state.stream, data, &mut Published(state.cork))
        });
        match put {
            Err(_) => Delivered::Refused,
            Ok(None) => Delivered::Taken,
            Ok(Some(waited)) => self.state.delivered(self.exchange, waited),
        }
    }

    /// Bytes for many peers, charged once: to the loop, until the last peer has
    /// got them.
    pub fn shared(&self, bytes: Bytes) -> Bytes {
        self.state.memory.shared(bytes)
    }

    /// A waker of this exchange for others on this loop: it has this owner called, in a
    /// context for no connection.
    pub fn waker(&self) -> LocalWaker {
        self.state.wakes.waker(self.owner, self.exchange)
    }

    /// A place for a future of this exchange, of which this owner is called with
    /// [`Event::Poll`](crate::link::Event::Poll) and this token when it is woken.
    pub(crate) fn future_slot(&mut self, token: u64) -> FutureSlot {
        let target = self.future_target(token);
        self.state.futures.slot(target)
    }

    /// A place for a future of this owner, for no exchange.
    pub(crate) fn task_slot(&mut self, token: u64) -> FutureSlot {
        let exchange = Exchange::NONE;
        Context::new(self.state, self.owner, exchange).future_slot(token)
    }

    /// Takes the place back of a future that is ready.
    pub(crate) fn free_slot(&mut self, slot: FutureSlot) {
        self.state.futures.put_back(slot);
    }

    /// Gives a future another token.
    pub(crate) fn aim_slot(&self, slot: &FutureSlot, token: u64) {
        slot.aim(self.future_target(token));
    }

    /// Gives a future for no exchange another token.
    pub(crate) fn aim_task(&self, slot: &FutureSlot, token: u64) {
        let exchange = Exchange::NONE;
        slot.aim(Target {
            exchange,
            ..self.future_target(token)
        });
    }

    const fn future_target(&self, token: u64) -> Target {
        Target {
            owner: self.owner,
            exchange: self.exchange,
            token,
        }
    }

    /// The futures of this loop, for any thread.
    pub(crate) fn futures(&self) -> FuturesHandle {
        self.state.futures.handle()
    }

    /// A handle that reaches this loop from any thread.
    pub fn remote(&self) -> Remote {
        self.state.remote.clone()
    }
}
