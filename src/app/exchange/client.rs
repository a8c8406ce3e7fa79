//! The part that all sessions have, whatever they speak.

use alloc::string::String;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::session::SessionContext;
use crate::app::channels::format::Delivery;
use crate::app::publishing::handle::Handle;
use crate::app::publishing::loop_address::LoopAddress;
use crate::app::publishing::membership::Membership;
use crate::app::telemetry::activity::Activity;
use crate::app::telemetry::metrics::Kind;
use crate::coding::stream::Position;
use crate::net::Context;

/// How many sessions of one route are open, on all loops; and the subprotocol of those
/// that hold it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Count(Arc<Counted>);

/// After one word, for sessions to hold.
#[derive(Debug, Default)]
struct Counted {
    open: Arc<AtomicUsize>,
    protocol: Option<String>,
}

impl Count {
    /// The count of the same route, for sessions of this subprotocol.
    pub(crate) fn speaking(&self, protocol: String) -> Self {
        Self(Arc::new(Counted {
            open: self.0.open.clone(),
            protocol: Some(protocol),
        }))
    }

    pub(crate) fn get(&self) -> usize {
        self.0.open.load(Ordering::Relaxed)
    }

    pub(crate) fn protocol(&self) -> Option<&str> {
        self.0.protocol.as_deref()
    }
}

/// The peer of one session: counted as long as this lives.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) membership: Membership,
    pub(crate) route: Count,
}

impl Client {
    /// A client of this route on the exchange at hand, to whom publications come by
    /// `delivery`.
    pub(crate) fn new(
        at: &SessionContext<'_, '_>,
        kind: Kind,
        route: &Count,
        delivery: Delivery,
    ) -> Self {
        Self::coded(at, kind, route, delivery, None)
    }

    /// Likewise, of a stream that is coded if `position` says how.
    pub(crate) fn coded(
        at: &SessionContext<'_, '_>,
        kind: Kind,
        route: &Count,
        delivery: Delivery,
        position: Option<Position>,
    ) -> Self {
        let channels = &at.loop_state.channels;
        let (peer, exchange) = (at.peer(), at.context.exchange());
        let now = at.context.unix_seconds();
        let activity = Activity::new(channels.next_id(), kind, peer, exchange, now);
        let activity = activity.coded(position).delivered_by(delivery);
        route.0.open.fetch_add(1, Ordering::Relaxed);
        Self {
            membership: Membership::open(channels, activity),
            route: route.clone(),
        }
    }

    pub(crate) fn id(&self) -> u64 {
        self.membership.activity().id()
    }

    /// The session as other threads reach it.
    pub(crate) fn handle(&self, context: &Context<'_>) -> Handle {
        let loop_address = LoopAddress {
            remote: context.remote(),
            owner: context.owner(),
        };
        Handle::new(
            self.id(),
            loop_address,
            self.membership.activity().exchange(),
        )
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.route.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}
