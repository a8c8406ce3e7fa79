//! Metadata, trailers and status of a response.

use alloc::{sync::Arc, vec::Vec};
use core::sync::atomic::{AtomicBool, Ordering};

use crate::app::exchange::extensions::Extensions;
use crate::grpc::{Detail, Protocol, UsageError, metadata};
use crate::http::{Field, FieldBuffer};
use crate::net::Peer;

/// The parts that go with a response, and the facts kept of its request.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(crate) head: FieldBuffer,
    pub(crate) trailers: FieldBuffer,
    pub(super) details: Vec<Detail>,
    pub(super) protocol: Protocol,
    pub(super) is_get: bool,
    pub(super) is_head_made: bool,
    /// Messages are to be compressed, if the client reads that.
    pub(super) compress: bool,
    /// The message of the request that is looked at was compressed.
    pub(super) was_compressed: bool,
    pub(crate) extensions: Option<Arc<Extensions>>,
    /// The client's address, once a message has been looked at.
    pub(super) peer: Option<Peer>,
    wanted: Option<Arc<AtomicBool>>,
}

impl Outgoing {
    pub(super) const fn new(protocol: Protocol, is_get: bool) -> Self {
        Self {
            head: FieldBuffer::new(),
            trailers: FieldBuffer::new(),
            details: Vec::new(),
            protocol,
            is_get,
            is_head_made: false,
            compress: false,
            was_compressed: false,
            extensions: None,
            peer: None,
            wanted: None,
        }
    }

    /// Adds metadata ahead of the messages.
    pub(super) fn push_head(&mut self, name: &str, value: &str) -> Result<(), UsageError> {
        if self.is_head_made {
            return Err(UsageError::HeadSent);
        }
        push(&mut self.head, name, value)
    }

    pub(super) fn push_trailer(&mut self, name: &str, value: &str) -> Result<(), UsageError> {
        metadata::check_trailing(Field::new(name, value))?;
        push(&mut self.trailers, name, value)
    }

    pub(super) fn memory(&self) -> usize {
        let details = self
            .details
            .iter()
            .map(|it| it.type_name().len() + it.value().len());
        self.head.memory() + self.trailers.memory() + details.sum::<usize>()
    }

    /// Whether the call is still open, as other threads see it.
    pub(super) fn wanted(&mut self) -> Arc<AtomicBool> {
        let new = || Arc::new(AtomicBool::new(true));
        self.wanted.get_or_insert_with(new).clone()
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        if let Some(wanted) = &self.wanted {
            wanted.store(false, Ordering::Release);
        }
    }
}

/// Adds metadata that can be sent.
fn push(fields: &mut FieldBuffer, name: &str, value: &str) -> Result<(), UsageError> {
    metadata::check(Field::new(name, value))?;
    fields
        .push(name, value)
        .map_err(|_| UsageError::MetadataValue)
}
