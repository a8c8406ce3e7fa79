//! A future that was not ready at its first poll.

use core::task::Context as TaskContext;

use super::asker::Asker;
use crate::link::Charge;
use crate::net::{Claim, Context, Exhausted, FutureSlot, Resource};

/// Why a future was not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FutureError {
    /// A share of the loop's futures is used up ([`Limits::futures`](crate::net::Limits)).
    #[error(transparent)]
    Exhausted(#[from] Exhausted),
    /// There is no memory for it ([`Limits::memory`](crate::net::Limits)).
    #[error("there is no memory for the future")]
    Memory,
    /// The loop has ended, or the exchange that the task would belong to.
    #[error("what it belongs to is over")]
    Over,
    /// A task that is not [`Send`] begins on its loop's own thread.
    #[error("this is not the loop's thread")]
    OtherThread,
}

/// The place of a future that is kept, and its part of what its peer's address may have.
#[derive(Debug)]
pub(crate) struct Kept {
    slot: FutureSlot,
    asker: Asker,
    _claim: Claim,
    _charge: Charge,
}

impl Kept {
    /// Keeps a future of so many bytes for the exchange at hand.
    pub(crate) fn new(
        context: &mut Context<'_>,
        slot: FutureSlot,
        bytes: usize,
    ) -> Result<Self, FutureError> {
        let claim = context.claim(Resource::Futures)?;
        let mut charge = context.charge();
        charge.try_grow(bytes).map_err(|_| FutureError::Memory)?;
        Ok(Self {
            slot,
            asker: Asker::of(context),
            _claim: claim,
            _charge: charge,
        })
    }

    /// Polls it.
    pub(crate) fn poll<R>(&self, poll: impl FnOnce(&mut TaskContext<'_>) -> R) -> R {
        self.asker.poll(&self.slot, poll)
    }

    /// Gives it another number.
    pub(crate) fn renumber(&self, context: &Context<'_>, token: u64) {
        context.aim_slot(&self.slot, token);
    }
}
