//! The servers of channels.

use alloc::vec;
use alloc::vec::Vec;

use super::options::Way;
use crate::redis::SLOTS;

/// Which link a slot is reached by.
#[derive(Debug)]
pub(crate) enum Topology {
    /// The first link, whatever the slot is.
    One,
    /// That of a cluster's slot; none as long as that is not known.
    Cluster {
        slots: Vec<Option<u16>>,
        is_stale: bool,
    },
}

impl Topology {
    pub(crate) fn new(way: &Way) -> Self {
        match way {
            Way::Direct | Way::Sentinel(_) => Self::One,
            Way::Cluster => Self::Cluster {
                slots: vec![None; usize::from(SLOTS)],
                is_stale: true,
            },
        }
    }

    pub(crate) fn route(&self, slot: u16) -> Option<usize> {
        match self {
            Self::One => Some(0),
            Self::Cluster { slots, .. } => {
                let link = slots.get(usize::from(slot)).copied()?;
                link.map(usize::from)
            }
        }
    }

    /// Whether a slot that goes by this link is another's still.
    pub(crate) fn is_detour(&self, slot: u16, link: usize) -> bool {
        matches!(self, Self::Cluster { .. }) && self.route(slot) != Some(link)
    }

    /// Has slots, one and those after it, go by this link.
    pub(crate) fn set(&mut self, from: u16, to: u16, link: usize) {
        if let Self::Cluster { slots, .. } = self {
            let range = usize::from(from)..=usize::from(to);
            let slots = slots.get_mut(range).unwrap_or_default();
            slots.fill(u16::try_from(link).ok());
        }
    }

    /// The slots of a server that has gone are asked for again.
    pub(crate) const fn suspect(&mut self) {
        if let Self::Cluster { is_stale, .. } = self {
            *is_stale = true;
        }
    }

    /// Whether slots have to be asked for; they are, if `asks`.
    pub(crate) const fn take_stale(&mut self, asks: bool) -> bool {
        match self {
            Self::One => false,
            Self::Cluster { is_stale, .. } => {
                let stale = *is_stale;
                *is_stale &= !asks;
                stale
            }
        }
    }
}
