//! Metadata, trailers and status of a response.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::app::exchange::extensions::Extensions;
use crate::grpc::{UsageError, metadata};
use crate::http::{Field, FieldBuffer};

/// What goes with a response, and what is known of its request.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    /// Metadata ahead of the messages.
    pub(in crate::app) head: FieldBuffer,
    /// Metadata with the status.
    pub(in crate::app) trailers: FieldBuffer,
    /// The head is made: it takes no more.
    pub(super) is_head_made: bool,
    /// Messages are to be compressed, if the client reads that.
    pub(super) compress: bool,
    /// The message of the request that is looked at was compressed.
    pub(super) was_compressed: bool,
    /// What middleware and interceptors have put to the call.
    pub(in crate::app) extensions: Option<Arc<Extensions>>,
    wanted: Option<Arc<AtomicBool>>,
}

impl Outgoing {
    /// Adds metadata ahead of the messages.
    pub(super) fn push_head(&mut self, name: &str, value: &str) -> Result<(), UsageError> {
        if self.is_head_made {
            return Err(UsageError::HeadSent);
        }
        push(&mut self.head, name, value)
    }

    /// Adds metadata with the status.
    pub(super) fn push_trailer(&mut self, name: &str, value: &str) -> Result<(), UsageError> {
        metadata::check_trailing(Field::new(name, value))?;
        push(&mut self.trailers, name, value)
    }

    /// Bytes of memory that the metadata take.
    pub(in crate::app) const fn memory(&self) -> usize {
        self.head.memory() + self.trailers.memory()
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
