//! Header blocks: put together from HEADERS and CONTINUATION, then decoded
//! (RFC 9113 §4.3, §6.10).
//!
//! The fragments are slid together in the caller's input, so that the machine
//! holds no byte of them:
//!
//! ```text
//!   HEADERS head | fragment | CONTINUATION head | fragment | ...
//!                             used -> | fragment fragment | the next frame
//!                                       '--- assembled ---'
//! ```
//!
//! Once the block is larger than the limit of the field list, its fields
//! cannot be wanted any more: they are skimmed as they come, only to keep the
//! compression in step, and what is assembled is a single cut field at most.

use super::head::List;
use super::{Limits, ProtocolError};
use crate::http::Scratch;

/// A header block that is being put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) stream: u32,
    pub(super) end: bool,
    pub(super) dependency: u32,
    /// Octets at the front of the input.
    pub(super) assembled: u32,
    pub(super) frames: u16,
    /// Fields have been skimmed: the list is too large.
    pub(super) skimmed: bool,
}

impl Block {
    pub(super) const fn count(&mut self, limits: &Limits) -> Result<(), ProtocolError> {
        self.frames += 1;
        if self.frames > limits.continuations {
            return Err(ProtocolError::ContinuationFlood);
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Decoded {
    pub(super) text: usize,
    pub(super) fields: usize,
    pub(super) complete: bool,
    pub(super) too_many: bool,
}

impl Decoded {
    #[inline]
    pub(super) fn borrow<'b>(&self, scratch: Scratch<'b>) -> List<'b> {
        let (fields, text) = scratch.into_parts();
        List {
            text: text.get(..self.text).unwrap_or_default(),
            ranges: fields.get(..self.fields).unwrap_or_default(),
        }
    }

    pub(super) fn list<'b>(&self, scratch: &'b Scratch<'_>) -> List<'b> {
        List {
            text: scratch.text().get(..self.text).unwrap_or_default(),
            ranges: scratch.fields.get(..self.fields).unwrap_or_default(),
        }
    }
}
