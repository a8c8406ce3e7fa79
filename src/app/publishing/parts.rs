//! Events as they were coded for many streams.

use alloc::sync::Arc;
use std::sync::OnceLock;

use crate::coding::Coding;
use crate::coding::lent::{Lent, Made};
use crate::coding::stream::{self, Part, Position};
use crate::coding::work::Purpose;

/// The parts that an event was coded to, by coding: shared by all loops, made by the first that
/// needs one.
#[derive(Debug, Default)]
pub(crate) struct Parts([OnceLock<Option<Part>>; Coding::COUNT]);

impl Parts {
    /// None so far; nothing at all where no stream is coded.
    pub(crate) fn if_wanted() -> Option<Arc<Self>> {
        stream::is_any_open().then(Arc::default)
    }

    /// The part of an event for a stream. `None` if there was no memory for it.
    pub(crate) fn get(&self, event: &[u8], position: &Position, lent: &Lent) -> Option<&Part> {
        let coding = position.coding();
        let make = || {
            let made = Made {
                coding,
                level: position.level(),
                purpose: Purpose::Events,
            };
            lent.with(made, |encoder| Part::new(event, coding, encoder))
        };
        self.0.get(coding as usize)?.get_or_init(make).as_ref()
    }
}
