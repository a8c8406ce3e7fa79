//! A call on the thread that waits for it: its connection, and the waiting.

use alloc::sync::Arc;
use core::time::Duration;

use super::call::{Call, Step};
use super::carrier::Carrier;
use super::error::{Error, ErrorKind};
use super::pool::{Lease, Refused, SharedLease, Taken, Want};
use super::shared::SharedConnection;
use super::shared_state::Shared;
use crate::client::connecting::{
    Canceller, DialError, DialOptions, Driven, Phase, Waited, clock, dial, pause,
};
use crate::net::is_loop_thread;
use crate::wire::Instant;

/// How long an HTTP/2 connection may have rested to be used unlooked, by a repeatable request.
/// What came meanwhile belongs to its own stream.
const UNLOOKED: Duration = Duration::from_secs(1);

/// A call, and the connection that it is on.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) call: Call,
    pub(super) client: Arc<Shared>,
    carrier: Option<Carrier>,
    pub(super) is_answered: bool,
    /// When the present attempt began.
    since: Instant,
    /// The time, as it was after the last wait.
    pub(super) now: Instant,
}

/// The result of asking for a connection.
#[expect(
    clippy::large_enum_variant,
    reason = "it is taken apart right away, and a box is memory for each call"
)]
enum Had {
    /// It is there, and was used before or not.
    Ready(Carrier, bool),
    /// It is of no use: another one.
    Dead,
    /// It was opened for this call, and is of no use.
    Stillborn,
    /// There is no connection, which the call knows.
    Failed,
}

impl Exchange {
    pub(super) fn new(call: Call, client: Arc<Shared>) -> Self {
        client.counters.start();
        let now = call.started();
        Self {
            call,
            client,
            carrier: None,
            is_answered: false,
            since: Instant::START,
            now,
        }
    }

    pub(super) fn tick(&mut self) -> Instant {
        self.now = clock::now();
        self.now
    }

    /// Does what the call needs until the caller must act: never [`Step::Wait`] or
    /// [`Step::Connect`].
    pub(super) fn advance(&mut self) -> Step {
        loop {
            match self.call.next(self.now) {
                Step::Wait => self.wait(),
                Step::Connect { fresh, at } => {
                    self.release();
                    self.pause(at);
                    self.connect(fresh);
                }
                Step::Failed(error) => {
                    let error = self.explain(error);
                    self.close();
                    return Step::Failed(error);
                }
                step => {
                    if self.call.is_through() {
                        self.release();
                    }
                    return step;
                }
            }
        }
    }

    /// Receives more of a body. What came before stays where it is.
    pub(super) fn receive(&mut self) -> Result<(), Error> {
        self.call.want_whole();
        self.wait();
        self.call.settle(self.now);
        match self.call.next(self.now) {
            Step::Failed(error) => {
                let error = self.explain(error);
                self.close();
                Err(error)
            }
            _ => {
                if self.call.is_received() {
                    self.release();
                }
                Ok(())
            }
        }
    }

    /// Receives body bytes straight into `into` where possible; returns how many, 0 also while
    /// the body goes on: [`advance`](Self::advance) knows.
    pub(super) fn receive_into(&mut self, into: &mut [u8]) -> usize {
        let call = &mut self.call;
        let Some(carrier) = &mut self.carrier else {
            return 0;
        };
        if call.is_sending() || !call.is_waiting() || !call.passes_on_all() {
            return 0;
        }
        let until = call.deadline();
        let (waited, put) = carrier.receive_into(call, until, &mut self.now, into);
        self.take_note(waited);
        if put > 0 && self.call.is_through() {
            self.release();
        }
        put
    }

    /// Lets events come, until the call's deadline.
    fn wait(&mut self) {
        if self.call.is_sending() {
            // The server's time to answer counts from when all is out.
            self.drive(None);
        }
        if self.call.is_waiting() {
            let until = self.call.wait_until(self.now);
            self.drive(Some(until));
        }
    }

    /// Lets events come until `until`, or only writes; whether the connection is worth
    /// another call.
    fn drive(&mut self, until: Option<Instant>) -> bool {
        let (call, carrier) = (&mut self.call, &mut self.carrier);
        let Some(carrier) = carrier else {
            call.abandon(ErrorKind::Closed); // no call waits without a connection
            return false;
        };
        let waited = carrier.drive(call, until, &mut self.now);
        self.take_note(waited);
        waited == Waited::Moved
    }

    fn take_note(&mut self, waited: Waited) {
        let call = &mut self.call;
        match waited {
            Waited::Moved => {}
            Waited::Over => call.connection_over(),
            Waited::TimedOut => {
                call.elapsed(self.now);
                if let Some(carrier) = &mut self.carrier {
                    carrier.pump(call, self.now);
                }
            }
            Waited::Cancelled => call.abandon(ErrorKind::Cancelled),
        }
    }

    fn pause(&mut self, at: Instant) {
        if at > self.now {
            let until = at.min(self.call.until());
            pause(until, self.call.request().canceller.as_ref());
            self.tick();
        }
    }

    fn connect(&mut self, fresh: bool) {
        loop {
            let want = Want {
                fresh,
                young: !self.call.bears_stale(),
                shares: self.client.may_share(self.call.url()),
                since: self.since,
            };
            let until = self.call.until();
            let canceller = self.call.request().canceller.as_ref();
            let origin = self.call.url().origin();
            let taken = self
                .client
                .pool
                .take(origin, want, until, canceller, &mut self.now);
            let had = match taken {
                Ok(Taken::Own(lease)) => self.own(lease),
                Ok(Taken::Shared(lease)) => self.shared(lease, want),
                Err(Refused::TimedOut) => return self.call.never_connected(Phase::Pool),
                Err(Refused::Cancelled) => return self.call.abandon(ErrorKind::Cancelled),
            };
            match had {
                Had::Ready(mut carrier, reused) => {
                    let now = self.now;
                    self.since = now;
                    let forwarder = self.client.forwarder(self.call.url());
                    carrier.begin(&mut self.call, reused, forwarder, now);
                    self.carrier = Some(carrier);
                    return;
                }
                Had::Dead if self.is_ended() => return,
                Had::Dead => {}
                Had::Stillborn => return self.call.unused(clock::now()),
                Had::Failed => return,
            }
        }
    }

    fn is_ended(&mut self) -> bool {
        let canceller = self.call.request().canceller.as_ref();
        if canceller.is_some_and(Canceller::is_cancelled) {
            self.call.abandon(ErrorKind::Cancelled);
            return true;
        }
        let is_late = self.call.until() <= self.tick();
        if is_late {
            self.call.never_connected(Phase::Pool);
        }
        is_late
    }

    /// Makes a connection of the call's own ready: it is looked at, or dialled.
    fn own(&mut self, mut lease: Lease) -> Had {
        // Over HTTP/1.1 whatever comes next is the answer, so that nothing may be there in
        // front of the request. That costs one more call of the system.
        match lease.wake(self.now) {
            None => {
                return match self.dial() {
                    None => Had::Failed,
                    Some(driven) => self.opened(lease, driven),
                };
            }
            Some(false) => return Had::Dead,
            Some(true) => {}
        }
        let canceller = self.call.request().canceller.as_ref();
        if let (Some(canceller), Some(driven)) = (canceller, lease.driven()) {
            driven.watch(canceller);
        }
        self.client.counters.reused();
        let before = (0, 0);
        Had::Ready(Carrier::Own { lease, before }, true)
    }

    /// Makes a connection ready that was just opened.
    fn opened(&mut self, mut lease: Lease, mut driven: Driven) -> Had {
        self.client.counters.opened();
        if !driven.connection().is_multiplexed() {
            lease.dialled(driven);
            let before = (0, 0);
            return Had::Ready(Carrier::Own { lease, before }, false);
        }
        let informational = self.client.pool_limits().informational;
        let is_secure = self.call.url().is_secure();
        match SharedConnection::new(driven, is_secure, informational) {
            Ok(connection) => self.admitted(lease.share(connection), false),
            Err(error) => {
                let error = DialError::failed(Phase::Connect, error);
                self.call.unreachable(error, self.now);
                Had::Failed
            }
        }
    }

    /// Makes a seat on a shared connection ready.
    fn shared(&mut self, lease: SharedLease, want: Want) -> Had {
        // One whose requests must not be sent twice is looked at even where others are on
        // it, none of whom may be waiting at the moment.
        if must_look(want, lease.rested(), self.now) && !lease.connection().probe() {
            return Had::Dead;
        }
        let had = self.admitted(lease, true);
        if matches!(had, Had::Ready(..)) {
            self.client.counters.reused();
        }
        had
    }

    /// Waits until the server allows one more call; counts as its time to answer.
    fn admitted(&mut self, mut lease: SharedLease, reused: bool) -> Had {
        let seat = lease.seat(self.call.request().canceller.as_ref());
        let total = self.call.until();
        let until = self.now + self.call.limits().response_time;
        let admitted = seat.admit(until.min(total));
        self.tick();
        match admitted {
            Waited::Moved => return Had::Ready(Carrier::Shared(lease), reused),
            Waited::Over if reused => return Had::Dead,
            Waited::Over => return Had::Stillborn,
            Waited::TimedOut if until < total => {
                self.call.abandon(ErrorKind::TimedOut("response_time"));
            }
            Waited::TimedOut => self.call.never_connected(Phase::Pool),
            Waited::Cancelled => self.call.abandon(ErrorKind::Cancelled),
        }
        Had::Failed
    }

    /// Dials; where that fails, the call knows.
    fn dial(&mut self) -> Option<Driven> {
        let route = match self.client.route(self.call.url()) {
            Ok(route) => route,
            Err(kind) => {
                self.call.refuse(kind);
                return None;
            }
        };
        let limits = self.call.limits();
        let options = DialOptions {
            resolve_time: limits.resolve_time,
            connect_time: limits.connect_time,
            handshake_time: limits.handshake_time,
            attempt_delay: limits.attempt_delay,
            until: self.call.until(),
            names: self.client.names.clone(),
        };
        let own = self.call.request().canceller.clone();
        let is_own = own.is_some();
        let canceller = own.unwrap_or_default();
        let limits = self.client.link.clone();
        let dialled = dial(&route, &options, limits, &canceller);
        self.tick();
        match dialled {
            Ok(mut driven) => {
                if !is_own {
                    driven.unwatch();
                }
                Some(driven)
            }
            Err(error) => {
                self.call.unreachable(error, self.now);
                None
            }
        }
    }

    /// Lets go of the connection: it can be used again if it is at rest.
    fn release(&mut self) {
        if let Some(mut carrier) = self.carrier.take() {
            self.count(&mut carrier);
            carrier.give_back(self.now);
        }
    }

    fn close(&mut self) {
        if let Some(mut carrier) = self.carrier.take() {
            self.count(&mut carrier);
        }
    }

    fn count(&self, carrier: &mut Carrier) {
        let (sent, received) = carrier.carried(&self.call);
        self.client.counters.carried(sent, received);
    }

    /// Receives the rest of an unwanted body, waiting briefly, so that the connection can be
    /// reused.
    pub(super) fn give_up(&mut self) {
        if self.carrier.is_none() {
            return;
        }
        let drain = self.call.limits().drain;
        let mut drained = 0;
        let now = self.tick();
        let until = match self.is_worth_a_wait() {
            true => now + self.call.limits().drain_time,
            false => now,
        };
        while self.carrier.is_some() && !self.call.is_received() && drained <= drain {
            let bytes = self.call.drop_piece();
            drained += bytes as u64;
            if !self.drive(Some(until)) {
                break;
            }
        }
        if self.call.is_received() {
            self.release();
        }
        self.close();
    }

    /// Whether little is missing of a body on a connection of the call's own: servers write
    /// head and body apart.
    fn is_worth_a_wait(&self) -> bool {
        let head = self.call.head();
        let is_little = match head.length {
            Some(length) => length <= self.call.limits().drain,
            // A stream may go on for ever, but an error has a page.
            None => head.status.is_error(),
        };
        let may_wait = || !std::thread::panicking() && !is_loop_thread();
        is_little && matches!(self.carrier, Some(Carrier::Own { .. })) && may_wait()
    }

    /// Says what is known of an error beyond its kind.
    fn explain(&mut self, error: Error) -> Error {
        let carrier = self.carrier.as_mut();
        error.explained(|| carrier.and_then(Carrier::transport_details))
    }
}

impl Drop for Exchange {
    /// Also where a callback has panicked.
    fn drop(&mut self) {
        self.close();
        self.call.recycle();
        self.client.counters.end(&mut self.call, self.is_answered);
    }
}

/// Whether a connection is looked at before it is used that was at rest since then.
fn must_look(want: Want, rested: Option<Instant>, now: Instant) -> bool {
    let rests = |since| now.saturating_since(since) > UNLOOKED;
    want.young || rested.is_some_and(rests)
}
