//! Details of transports, such as a TLS session, for the owners of their connections.

use alloc::vec::Vec;

use super::seam::TransportDetails;
use super::sockets::place;
use crate::net::Key;

/// The details of a loop's transports by slot, where handlers reach them.
#[derive(Debug, Default)]
pub(crate) struct DetailsTable(Vec<Option<TransportDetails>>);

impl DetailsTable {
    /// Keeps what the transport of a connection tells now.
    pub(super) fn set(&mut self, key: Key, details: Option<TransportDetails>) {
        if details.is_some() {
            *place(&mut self.0, key) = details;
        }
    }

    pub(crate) fn get(&self, key: Key) -> Option<&TransportDetails> {
        self.0.get(key.slot() as usize)?.as_ref()
    }

    pub(crate) fn forget(&mut self, key: Key) {
        if let Some(details) = self.0.get_mut(key.slot() as usize) {
            *details = None;
        }
    }
}
