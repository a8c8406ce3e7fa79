//! The part that all sessions have, whatever they speak.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::session::SessionContext;
use crate::app::publishing::handle::Handle;
use crate::app::publishing::loop_address::LoopAddress;
use crate::app::publishing::membership::Membership;
use crate::app::telemetry::metrics::Kind;
use crate::net::Context;

/// How many sessions of one route are open, on all loops.
#[derive(Debug, Clone, Default)]
pub(crate) struct Count(Arc<AtomicUsize>);

impl Count {
    /// The number as it stands.
    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// The peer of one session: counted as long as this lives.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) membership: Membership,
    pub(crate) route: Count,
}

impl Client {
    /// A client of this route on the exchange at hand.
    pub(crate) fn new(at: &SessionContext<'_, '_>, kind: Kind, route: &Count) -> Self {
        let membership = Membership::open(&at.loop_state.rooms, at.context, kind);
        route.0.fetch_add(1, Ordering::Relaxed);
        Self {
            membership,
            route: route.clone(),
        }
    }

    /// The session's number.
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
        self.route.0.fetch_sub(1, Ordering::Relaxed);
    }
}
