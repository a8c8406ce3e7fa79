//! A whole response.

use crate::http::{FieldBuffer, Fields};

/// The one message of a response, and the metadata before and after it.
#[derive(Debug, Clone)]
pub struct CallResponse<O> {
    /// The message.
    pub message: O,
    pub(super) compressed: bool,
    pub(super) head: FieldBuffer,
    pub(super) ending: super::Ending,
}

impl<O> CallResponse<O> {
    /// The fields at the head of the response, those of HTTP among them.
    pub fn metadata(&self) -> Fields<'_> {
        self.head.as_fields()
    }

    /// The metadata after the message.
    pub fn trailers(&self) -> Fields<'_> {
        self.ending.trailers()
    }

    /// Whether the message came compressed.
    pub const fn is_compressed(&self) -> bool {
        self.compressed
    }

    /// The message alone.
    pub fn into_message(self) -> O {
        self.message
    }
}
