//! The connection that a call is on: its own, or one that it shares.

use super::call::Call;
use super::pool::{Lease, SharedLease};
use crate::client::connecting::{Proxy, Told, Waited, clock};
#[cfg(feature = "tls")]
use crate::net::TransportDetails;
use crate::wire::Instant;

/// The connection that a call is on.
#[derive(Debug)]
pub(super) enum Carrier {
    /// It has it for itself.
    Own {
        lease: Lease,
        /// What it had sent and received before this request.
        before: (u64, u64),
    },
    /// Others are on it, too.
    Shared(SharedLease),
}

impl Carrier {
    /// Sends the request.
    pub(super) fn begin(
        &mut self,
        call: &mut Call,
        reused: bool,
        forwarder: Option<&Proxy>,
        now: Instant,
    ) {
        match self {
            Self::Own { lease, before } => {
                let Some(driven) = lease.driven() else {
                    return;
                };
                before.0 = driven.handed_over();
                let connection = driven.connection();
                before.1 = connection.received();
                let wire = connection.wire();
                wire.set_now(now);
                call.begin(wire, reused, forwarder, now);
            }
            Self::Shared(lease) => call.begin(lease.seat(None), reused, forwarder, now),
        }
    }

    /// Lets events come until `until`, or only writes, and tells the call.
    pub(super) fn drive(&mut self, call: &mut Call, until: Option<Instant>) -> Waited {
        match self {
            Self::Own { lease, before } => {
                let Some(driven) = lease.driven() else {
                    return Waited::Over;
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
                let received = connection.received() - before.1;
                let handed_over = driven.handed_over() - before.0;
                call.moved(handed_over, is_out, received, now);
                waited
            }
            Self::Shared(lease) => {
                let seat = lease.seat(None);
                call.give_back(seat);
                let waited = match until {
                    Some(until) => seat.wait(until),
                    None => seat.write_out(),
                };
                let now = clock::now();
                seat.tell(|transport, stream, event| call.event(stream, event, transport, now));
                let progress = seat.progress();
                let received = u64::from(progress.received);
                call.moved(progress.handed_over, progress.is_out, received, now);
                waited
            }
        }
    }

    /// Sends more of the body.
    pub(super) fn pump(&mut self, call: &mut Call, now: Instant) {
        match self {
            Self::Own { lease, .. } => {
                if let Some(driven) = lease.driven() {
                    call.pump(driven.connection().wire(), now);
                }
            }
            Self::Shared(lease) => call.pump(lease.seat(None), now),
        }
    }

    /// Bytes that count as the call's, sent and received.
    pub(super) fn carried(&mut self, call: &Call) -> (u64, u64) {
        match self {
            Self::Own { .. } => call.carried(),
            Self::Shared(lease) => lease.seat(None).carried(),
        }
    }

    /// Lets go of it: it can be used again if it is at rest, or shared.
    /// One of its own is looked at then if it is `doubtful`.
    pub(super) fn give_back(self, doubtful: bool) {
        match self {
            Self::Own { lease, .. } => lease.give_back(doubtful),
            Self::Shared(_) => {}
        }
    }

    /// What its transport tells about itself.
    #[cfg(feature = "tls")]
    pub(super) fn transport_details(&mut self) -> Option<TransportDetails> {
        match self {
            Self::Own { lease, .. } => lease.driven()?.connection().transport_details(),
            Self::Shared(lease) => lease.connection().transport_details(),
        }
    }
}
