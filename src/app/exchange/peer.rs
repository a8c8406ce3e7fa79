//! The client of the exchange at hand, and its share of what there is.

use super::provenance::Provenance;
use super::record::Record;
use super::session::SessionContext;
use crate::net::{Claim, Exhausted, Peer, Resource};

impl SessionContext<'_, '_> {
    pub(crate) fn provenance(&self) -> Option<&Provenance> {
        self.record.as_deref().and_then(Record::provenance)
    }

    /// The client's address.
    pub(crate) fn peer(&self) -> Option<Peer> {
        match self.provenance() {
            Some(told) => Some(told.client),
            None => self.context.peer(),
        }
    }

    /// Claims one of a resource, out of the share of the client's address.
    pub(crate) fn claim(&mut self, resource: Resource) -> Result<Claim, Exhausted> {
        match self.provenance().map(|it| it.client) {
            None => self.context.claim(resource),
            Some(client) => {
                let (remote, exchange) = (self.context.remote(), self.context.exchange());
                remote.claim(resource, Some(client), exchange)
            }
        }
    }
}

impl Record {
    /// What a trusted proxy has told of the request, if it came by one.
    pub(crate) fn provenance(&self) -> Option<&Provenance> {
        self.extensions.as_ref()?.get()
    }
}
