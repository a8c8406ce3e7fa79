//! The connection that a call is on: its own, or one that it shares.

use super::call::Call;
use super::pool::{Lease, SharedLease};
use crate::client::connecting::{Driven, Proxy, Told, Waited, clock};
use crate::link::Event;
use crate::net::TransportDetails;
use crate::wire::Instant;

/// The connection that a call is on.
#[derive(Debug)]
pub(super) enum Carrier {
    Own {
        lease: Lease,
        /// Bytes that it had sent and received before this request.
        before: (u64, u64),
    },
    Shared(SharedLease),
}

impl Carrier {
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

    /// Lets events come until `until`, or only writes, and tells the call. The time is set
    /// to that of the return.
    pub(super) fn drive(
        &mut self,
        call: &mut Call,
        until: Option<Instant>,
        now: &mut Instant,
    ) -> Waited {
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
                    Some(until) => driven.drive_from(now, until, None, owner),
                    None => driven.write(*now, owner),
                };
                Self::tell(driven, *before, call, *now);
                waited
            }
            Self::Shared(lease) => {
                let seat = lease.seat(None);
                call.give_back(seat);
                let waited = match until {
                    Some(until) => seat.wait(until),
                    None => seat.write_out(),
                };
                *now = clock::now();
                seat.tell(|transport, stream, event| call.event(stream, event, transport, *now));
                let progress = seat.progress();
                let received = u64::from(progress.received);
                call.moved(progress.handed_over, progress.is_out, received, *now);
                waited
            }
        }
    }

    /// As [`drive`](Self::drive), reading the body's next bytes straight into `into` where
    /// possible. Returns how many.
    pub(super) fn receive_into(
        &mut self,
        call: &mut Call,
        until: Instant,
        now: &mut Instant,
        into: &mut [u8],
    ) -> (Waited, usize) {
        let Self::Own { lease, before } = self else {
            return (self.drive(call, Some(until), now), 0);
        };
        let Some(driven) = lease.driven() else {
            return (Waited::Over, 0);
        };
        let bare = usize::try_from(call.bare_body()).unwrap_or(usize::MAX);
        let mut put = 0;
        let waited = if bare > 0 && driven.connection().is_bare() {
            // Nothing but the body is read, and it lies in its place when its event comes.
            let most = into.len().min(bare);
            let room = into.get_mut(..most).unwrap_or_default();
            driven.drive_from(now, until, Some(room), &mut |wire, stream, event| {
                let now = wire.now();
                match event {
                    Event::Body(piece) if call.passes_on(stream) => {
                        put += piece.len();
                        call.passed_on(piece.len(), now);
                    }
                    event => call.event(stream, event, wire, now),
                }
            })
        } else {
            driven.drive_from(now, until, None, &mut |wire, stream, event| {
                let now = wire.now();
                let Event::Body(mut piece) = event else {
                    return call.event(stream, event, wire, now);
                };
                if call.passes_on(stream) {
                    let room = into.get_mut(put..).unwrap_or_default();
                    let (taken, rest) = piece.split_at_mut(room.len().min(piece.len()));
                    if let Some(room) = room.get_mut(..taken.len()) {
                        room.copy_from_slice(taken);
                    }
                    put += taken.len();
                    call.passed_on(taken.len(), now);
                    piece = rest;
                }
                if !piece.is_empty() {
                    call.event(stream, Event::Body(piece), wire, now);
                }
            })
        };
        Self::tell(driven, *before, call, *now);
        (waited, put)
    }

    fn tell(driven: &mut Driven, before: (u64, u64), call: &mut Call, now: Instant) {
        let connection = driven.connection();
        let is_out = connection.output().is_empty();
        let received = connection.received() - before.1;
        let handed_over = driven.handed_over() - before.0;
        call.moved(handed_over, is_out, received, now);
    }

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

    pub(super) fn carried(&mut self, call: &Call) -> (u64, u64) {
        match self {
            Self::Own { .. } => call.carried(),
            Self::Shared(lease) => lease.seat(None).carried(),
        }
    }

    /// Lets go of it: it can be used again if it is at rest, or shared.
    pub(super) fn give_back(self, now: Instant) {
        match self {
            Self::Own { lease, .. } => lease.give_back(now),
            Self::Shared(_) => {}
        }
    }

    pub(super) fn transport_details(&mut self) -> Option<TransportDetails> {
        match self {
            Self::Own { lease, .. } => lease.driven()?.connection().transport_details(),
            Self::Shared(lease) => lease.connection().transport_details(),
        }
    }
}
