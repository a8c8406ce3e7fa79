//! A call on the thread that waits for it: its connection, and the waiting.

use alloc::sync::Arc;
use core::time::Duration;
use std::sync::{Condvar, Mutex, PoisonError};

use super::call::{Call, Step};
use super::error::{Error, ErrorKind};
use super::pool::{Lease, Refused, Want};
use super::shared_state::Shared;
use crate::client::connecting::{Canceller, DialOptions, Phase, Told, Waited, clock, dial};
use crate::wire::Instant;

/// How long a connection may have been at rest to be used without a look at it, for a
/// request that can go again if it turns out to be dead.
const UNLOOKED: Duration = Duration::from_secs(1);

/// A call, and the connection that it is on.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) call: Call,
    pub(super) client: Arc<Shared>,
    lease: Option<Lease>,
    /// What the connection had sent and received before this request.
    before: (u64, u64),
}

impl Exchange {
    pub(super) const fn new(call: Call, client: Arc<Shared>) -> Self {
        Self {
            call,
            client,
            lease: None,
            before: (0, 0),
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
                    self.lease = None;
                    return Step::Failed(error);
                }
                step => {
                    // The connection is free as soon as all has been received.
                    if self.call.is_received() {
                        self.release();
                    }
                    return step;
                }
            }
        }
    }

    /// Receives more of a body. What came before stays where it is.
    pub(super) fn receive(&mut self) -> Result<(), Error> {
        self.wait();
        let now = clock::now();
        self.call.settle(now);
        match self.call.next(now) {
            Step::Failed(error) => {
                let error = self.explain(error);
                self.lease = None;
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
        let (call, lease) = (&mut self.call, &mut self.lease);
        let Some(driven) = lease.as_mut().and_then(Lease::driven) else {
            call.abandon(ErrorKind::Closed); // no call waits without a connection
            return false;
        };
        call.give_back(driven.connection().wire());
        let owner: Told<'_> = &mut |wire, stream, event| {
            let now = wire.now();
            call.event(stream, event, wire, now);
        };
        let waited = match until {
            Some(until) => driven.drive(until, owner),
            None => driven.write(owner),
        };
        let now = clock::now();
        let connection = driven.connection();
        let is_out = connection.output().is_empty();
        let received = connection.received() - self.before.1;
        let handed_over = driven.handed_over() - self.before.0;
        call.moved(handed_over, is_out, received, now);
        match waited {
            Waited::Moved => {}
            Waited::Over => call.connection_over(),
            Waited::TimedOut => {
                call.elapsed(now);
                call.pump(driven.connection().wire(), now);
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
            };
            let until = self.call.until();
            let canceller = self.call.request().canceller.as_ref();
            let origin = self.call.url().origin();
            let lease = self.client.pool.take(origin, want, until, canceller);
            let mut lease = match lease {
                Ok(lease) => lease,
                Err(Refused::TimedOut) => return self.call.never_connected(Phase::Pool),
                Err(Refused::Cancelled) => return self.call.abandon(ErrorKind::Cancelled),
            };
            let rested = lease.rested();
            match lease.driven() {
                None => {
                    if !self.dial(&mut lease) {
                        return;
                    }
                    self.client.metrics.opened();
                }
                Some(driven) => {
                    let now = clock::now();
                    let rested = rested.map_or(Duration::ZERO, |it| now.saturating_since(it));
                    if (want.young || rested > UNLOOKED) && !driven.probe() {
                        continue; // it is closed
                    }
                    if let Some(canceller) = canceller {
                        driven.watch(canceller);
                    }
                    self.client.metrics.reused();
                }
            }
            self.lease = Some(lease);
            return self.begin(rested.is_some());
        }
    }

    /// Dials; where that fails, the call knows.
    fn dial(&mut self, lease: &mut Lease) -> bool {
        let route = match self.client.route(self.call.url()) {
            Ok(route) => route,
            Err(kind) => {
                self.call.refuse(kind);
                return false;
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
        match dial(
            &route,
            &options,
            self.client.pool_limits().link(),
            &canceller,
        ) {
            Ok(mut driven) => {
                if !is_own {
                    driven.unwatch();
                }
                lease.dialled(driven);
                true
            }
            Err(error) => {
                self.call.unreachable(error, clock::now());
                false
            }
        }
    }

    /// Sends the request on the connection that was got for it.
    fn begin(&mut self, reused: bool) {
        let now = clock::now();
        let Some(driven) = self.lease.as_mut().and_then(Lease::driven) else {
            return;
        };
        self.before.0 = driven.handed_over();
        let connection = driven.connection();
        self.before.1 = connection.received();
        let wire = connection.wire();
        wire.set_now(now);
        let forwarder = self.client.forwarder(self.call.url());
        self.call.begin(wire, reused, forwarder, now);
    }

    /// Lets go of the connection: it can be used again if it is at rest.
    fn release(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.give_back();
        }
    }

    /// Receives what has come of a body that nobody wants, without waiting, so that the
    /// connection may be used again.
    pub(super) fn give_up(&mut self) {
        let drain = self.call.limits().drain;
        let mut drained = 0;
        while self.lease.is_some() && !self.call.is_received() && drained <= drain {
            let bytes = self.call.drop_piece();
            drained += bytes as u64;
            if !self.drive(Some(clock::now())) {
                break;
            }
        }
        if self.call.is_received() {
            self.release();
        }
        self.lease = None;
    }

    /// Says what is known of an error beyond its kind.
    fn explain(&mut self, error: Error) -> Error {
        #[cfg(feature = "tls")]
        if matches!(error.kind(), ErrorKind::Transport(None)) {
            let driven = self.lease.as_mut().and_then(Lease::driven);
            let details = driven.and_then(|it| it.connection().transport_details());
            let cause = details.and_then(|it| it.downcast::<crate::tls::ConnectionError>().ok());
            return error.caused_by(cause.map(|it| -> crate::client::connecting::Cause { it }));
        }
        error
    }
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
