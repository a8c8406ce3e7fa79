//! A call on the thread that waits for it: its connection, and the waiting.

use alloc::sync::Arc;
use core::time::Duration;
use std::sync::{Condvar, Mutex, PoisonError};

use super::call::{Call, Step};
use super::carrier::Carrier;
use super::error::{Error, ErrorKind};
use super::pool::{Lease, Refused, SharedLease, Taken, Want};
use super::shared::SharedConnection;
use super::shared_state::Shared;
use crate::client::connecting::{
    Canceller, DialError, DialOptions, Driven, Phase, Waited, clock, dial,
};
use crate::wire::Instant;

/// How long a connection may have been at rest to be used without a look at it, for a
/// request that can go again if it turns out to be dead.
const UNLOOKED: Duration = Duration::from_secs(1);

/// A call, and the connection that it is on.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) call: Call,
    pub(super) client: Arc<Shared>,
    carrier: Option<Carrier>,
    /// The caller has a response.
    pub(super) is_answered: bool,
    /// When the present attempt began.
    since: Instant,
}

/// What became of a connection that was asked for.
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
    /// There is none, which the call knows.
    Failed,
}

impl Exchange {
    pub(super) fn new(call: Call, client: Arc<Shared>) -> Self {
        client.counters.start();
        Self {
            call,
            client,
            carrier: None,
            is_answered: false,
            since: Instant::START,
        }
    }

    /// Does what the call needs, until the caller has something to do: that is never
    /// [`Step::Wait`] and never [`Step::Connect`].
    pub(super) fn advance(&mut self) -> Step {
        loop {
            match self.call.next(clock::now()) {
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
        let now = clock::now();
        self.call.settle(now);
        match self.call.next(now) {
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

    /// Lets events come, until the call's deadline.
    fn wait(&mut self) {
        if self.call.is_sending() {
            // The server's time to answer counts from when all is out.
            self.drive(None);
        }
        if self.call.is_waiting() {
            let until = self.call.deadline();
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
        let waited = carrier.drive(call, until);
        match waited {
            Waited::Moved => {}
            Waited::Over => call.connection_over(),
            Waited::TimedOut => {
                let now = clock::now();
                call.elapsed(now);
                carrier.pump(call, now);
            }
            Waited::Cancelled => call.abandon(ErrorKind::Cancelled),
        }
        waited == Waited::Moved
    }

    /// Waits for the time of the next attempt.
    fn pause(&mut self, at: Instant) {
        if at > clock::now() {
            let until = at.min(self.call.until());
            pause(until, self.call.request().canceller.as_ref());
        }
    }

    /// Gets a connection, and sends the request on it.
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
            let had = match self.client.pool.take(origin, want, until, canceller) {
                Ok(Taken::Own(lease)) => self.own(lease, want),
                Ok(Taken::Shared(lease)) => self.shared(lease, want),
                Err(Refused::TimedOut) => return self.call.never_connected(Phase::Pool),
                Err(Refused::Cancelled) => return self.call.abandon(ErrorKind::Cancelled),
            };
            match had {
                Had::Ready(mut carrier, reused) => {
                    let now = clock::now();
                    self.since = now;
                    let forwarder = self.client.forwarder(self.call.url());
                    carrier.begin(&mut self.call, reused, forwarder, now);
                    self.carrier = Some(carrier);
                    return;
                }
                Had::Dead if self.is_ended() => return,
                Had::Dead => {}
                Had::Stillborn => return self.call.unused(),
                Had::Failed => return,
            }
        }
    }

    /// Whether the call has no more time for another connection, or is cancelled.
    fn is_ended(&mut self) -> bool {
        let canceller = self.call.request().canceller.as_ref();
        if canceller.is_some_and(Canceller::is_cancelled) {
            self.call.abandon(ErrorKind::Cancelled);
            return true;
        }
        let is_late = self.call.until() <= clock::now();
        if is_late {
            self.call.never_connected(Phase::Pool);
        }
        is_late
    }

    /// Makes a connection of the call's own ready: it is looked at, or dialled.
    fn own(&mut self, mut lease: Lease, want: Want) -> Had {
        let (rested, is_doubtful) = (lease.rested(), lease.is_doubtful());
        let Some(driven) = lease.driven() else {
            return match self.dial() {
                None => Had::Failed,
                Some(driven) => self.opened(lease, driven),
            };
        };
        if (is_doubtful || must_look(want, rested)) && !driven.probe() {
            return Had::Dead;
        }
        if let Some(canceller) = &self.call.request().canceller {
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
                self.call.unreachable(error, clock::now());
                Had::Failed
            }
        }
    }

    /// Makes a seat on a shared connection ready.
    fn shared(&mut self, lease: SharedLease, want: Want) -> Had {
        // One whose requests must not be sent twice is looked at even where others are on
        // it, none of whom may be waiting at the moment.
        if must_look(want, lease.rested()) && !lease.connection().probe() {
            return Had::Dead;
        }
        let had = self.admitted(lease, true);
        if matches!(had, Had::Ready(..)) {
            self.client.counters.reused();
        }
        had
    }

    /// Waits until the server allows one more call. That counts as its time to answer: a
    /// server may say that it allows none, and never say anything else.
    fn admitted(&mut self, mut lease: SharedLease, reused: bool) -> Had {
        let seat = lease.seat(self.call.request().canceller.as_ref());
        let total = self.call.until();
        let until = clock::now() + self.call.limits().response_time;
        match seat.admit(until.min(total)) {
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
        match dial(&route, &options, limits, &canceller) {
            Ok(mut driven) => {
                if !is_own {
                    driven.unwatch();
                }
                Some(driven)
            }
            Err(error) => {
                self.call.unreachable(error, clock::now());
                None
            }
        }
    }

    /// Lets go of the connection: it can be used again if it is at rest.
    fn release(&mut self) {
        if let Some(mut carrier) = self.carrier.take() {
            self.count(&mut carrier);
            carrier.give_back(self.call.is_bare());
        }
    }

    /// Lets go of the connection for good.
    fn close(&mut self) {
        if let Some(mut carrier) = self.carrier.take() {
            self.count(&mut carrier);
        }
    }

    fn count(&self, carrier: &mut Carrier) {
        let (sent, received) = carrier.carried(&self.call);
        self.client.counters.carried(sent, received);
    }

    /// Receives what has come of a body that nobody wants, without waiting, so that the
    /// connection may be used again.
    pub(super) fn give_up(&mut self) {
        let drain = self.call.limits().drain;
        let mut drained = 0;
        while self.carrier.is_some() && !self.call.is_received() && drained <= drain {
            let bytes = self.call.drop_piece();
            drained += bytes as u64;
            if !self.drive(Some(clock::now())) {
                break;
            }
        }
        if self.call.is_received() {
            self.release();
        }
        self.close();
    }

    /// Says what is known of an error beyond its kind.
    fn explain(&mut self, error: Error) -> Error {
        #[cfg(feature = "tls")]
        if matches!(error.kind(), ErrorKind::Transport(None)) {
            let carrier = self.carrier.as_mut();
            let details = carrier.and_then(Carrier::transport_details);
            let cause = details.and_then(|it| it.downcast::<crate::tls::ConnectionError>().ok());
            return error.caused_by(cause.map(|it| -> crate::client::connecting::Cause { it }));
        }
        error
    }
}

impl Drop for Exchange {
    /// Also where a callback has panicked.
    fn drop(&mut self) {
        self.close();
        self.client.counters.end(self.is_answered);
    }
}

/// Whether a connection is looked at before it is used that was at rest since then.
fn must_look(want: Want, rested: Option<Instant>) -> bool {
    let rests = |since| clock::now().saturating_since(since) > UNLOOKED;
    want.young || rested.is_some_and(rests)
}

/// Waits until `until`, or until it is cancelled.
fn pause(until: Instant, canceller: Option<&Canceller>) {
    let bell = Arc::new((Mutex::new(()), Condvar::new()));
    let rings = bell.clone();
    let _watch = canceller.map(|it| {
        it.on_cancel(move || {
            // With the lock, so that a wait that is about to begin is not missed.
            drop(rings.0.lock());
            rings.1.notify_all();
        })
    });
    let mut guard = bell.0.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let left = until.saturating_since(clock::now());
        if left.is_zero() || canceller.is_some_and(Canceller::is_cancelled) {
            return;
        }
        let waited = bell.1.wait_timeout(guard, left);
        guard = waited.unwrap_or_else(PoisonError::into_inner).0;
    }
}
