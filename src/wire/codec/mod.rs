//! DEFLATE (RFC 1951) as machines are lent it.
//!
//! ```text
//!   loop ── Inflater ── lent for a call ──► machine        Deflater likewise,
//!             │ states not in use, one buffer of plain text  with one state a window
//!             └── Box<dyn Inflate> ── lent for a message
//! ```
//! A state is large: tens of kilobytes to inflate, some hundreds to deflate. So no
//! connection owns one without need. The runner of machines owns an [`Inflater`] and a
//! [`Deflater`], and lends them; what a connection has to remember between two messages
//! is plain text, its *window*, which a state takes as if it had just worked on it.
//!
//! The two traits say what a codec has to do. With the feature `deflate` the states of
//! [`Inflater::new`] and [`Deflater::new`] are those of zlib-rs. At its fastest level a
//! `Deflater` has a small one of this crate, also without that feature.

mod deflater;
mod inflater;
mod quick;
mod tally;
#[cfg(feature = "deflate")]
mod zlib;

pub(crate) use deflater::Dedicated;
pub use deflater::{Compression, Deflater};
pub use inflater::Inflater;
pub use tally::Tally;

use core::fmt;

use alloc::vec::Vec;

/// Data that DEFLATE does not allow, or that refers to what is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("compressed data is invalid (RFC 1951)")]
pub struct InvalidData;

/// How far one call of [`Inflate::inflate`] has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inflated {
    /// Bytes of the input that are done with.
    pub read: usize,
    /// Bytes that were written to the front of the output.
    pub written: usize,
    /// A block that says that it is the final one has ended. The state is to
    /// [begin](Inflate::begin) anew before it is called again.
    pub ended: bool,
}

/// A state that inflates raw DEFLATE data (RFC 1951).
pub trait Inflate: fmt::Debug + Send + Sync {
    /// Begins at the first bit of a block, after `window`: at most 32 KiB of plain text, in two
    /// parts of which each may be empty.
    fn begin(&mut self, window: [&[u8]; 2]);

    /// Inflates until the input is used up, the output is full or a final block has
    /// ended. It has no more to say where it has left room in the output.
    ///
    /// # Errors
    /// [`InvalidData`], with the bytes that were written before the fault: at the same
    /// place however the input is cut.
    fn inflate(&mut self, input: &[u8], output: &mut [u8]) -> (Inflated, Result<(), InvalidData>);

    /// Reads `00 00 ff ff`, which senders of messages leave out (RFC 7692 §7.2.1), and says whether
    /// it stands between two blocks then, at the end of a byte. It goes on from there with the
    /// next message, after the text of this one. `None` if it cannot, which is the default: it is
    /// to begin anew.
    fn end_message(&mut self) -> Option<bool> {
        None
    }

    /// The memory that it takes, in bytes.
    fn size(&self) -> usize;
}

/// A state that deflates (RFC 1951).
pub trait Deflate: fmt::Debug + Send + Sync {
    /// Forgets everything and begins after `window`, plain text that the data may refer
    /// to. Level 1 is the fastest, 9 the one that compresses best.
    fn begin(&mut self, level: u8, window: &[u8]);

    /// Appends what `input` is deflated to, up to the end of a byte: it ends with an empty
    /// block without compression, whose last four bytes are `00 00 ff ff`. The next call
    /// may refer to this one.
    fn deflate(&mut self, input: &[u8], out: &mut Vec<u8>);

    /// The memory that it takes, in bytes.
    fn size(&self) -> usize;
}
