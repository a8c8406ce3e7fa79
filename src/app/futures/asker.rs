//! For which exchange a future is polled at the moment.

use core::cell::Cell;
use core::task::Context as TaskContext;

use crate::net::{Context, Exchange, FutureSlot, Peer};

/// An exchange, at whose cost futures are kept, and its peer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asker {
    pub(super) peer: Option<Peer>,
    pub(super) exchange: Exchange,
}

std::thread_local! {
    static CURRENT: Cell<Asker> = const { Cell::new(Asker::NONE) };
}

impl Asker {
    /// The app itself.
    pub(super) const NONE: Self = Self {
        peer: None,
        exchange: Exchange::NONE,
    };

    /// The exchange at hand.
    pub(crate) fn of(context: &Context<'_>) -> Self {
        Self {
            peer: context.peer(),
            exchange: context.exchange(),
        }
    }

    /// That of the future that this thread polls.
    pub(super) fn current() -> Self {
        CURRENT.get()
    }

    /// Polls a future of this exchange.
    pub(crate) fn poll<R>(
        self,
        slot: &FutureSlot,
        poll: impl FnOnce(&mut TaskContext<'_>) -> R,
    ) -> R {
        let _before = Before(CURRENT.replace(self));
        slot.poll(poll)
    }
}

/// Whom the thread polled for before.
struct Before(Asker);

impl Drop for Before {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}
