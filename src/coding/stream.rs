//! Streams of events that are coded.
//!
//! ```text
//!             ┌─ head ─┬─ own ─┬─ own ─┬─ part ─┬─ part ─┬─ own ─┬─ ... ─┬─ tail ─┐
//!   refers to │        │       │ ◄─────│        │        │       │
//!             └────────┴───────┴───────┴────────┴────────┴───────┴─ ... ─┴────────┘
//! ```
//!
//! An *own* event may refer to what its stream sent before. A *part* refers to
//! nothing before it, so that the same bytes stand in the streams of all that it is
//! published to; what a stream sends of its own after it begins anew.
//!
//! | coding | head | a part | in front of a part, after own | tail |
//! |---|---|---|---|---|
//! | gzip | that of a member | blocks up to the end of a byte | nothing | an empty block, CRC-32, length |
//! | br | the window | likewise, without the dictionary and earlier distances | nothing | an empty last block |
//! | zstd | nothing | an empty last block, which ends the frame before it, and a frame without its end | nothing | an empty last block |
//!
//! Frames of zstd are ended by what follows them: some decoders take nothing more behind a
//! frame that has ended, unless it comes in the same piece (httpx, urllib3).

use alloc::vec::Vec;
use core::ops::RangeFrom;
#[cfg(feature = "gzip")]
use core::sync::atomic::AtomicU32;
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};

use bytes::Bytes;

use super::encode::Encoder;
use super::name::Coding;
use super::work::{Failed, Then};

/// Coded streams that are open, in the whole process.
static OPEN: AtomicUsize = AtomicUsize::new(0);

/// The end of a frame of zstd: an empty last block without compression (RFC 8878
/// §3.1.1.2).
const LAST_BLOCK: &[u8] = &[1, 0, 0];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ownership {
    /// The stream's, which has used it for what it sent last of its own.
    Own,
    New,
    Lent,
}

/// How far a coded stream has come. Its loop alone writes it.
#[derive(Debug)]
pub(crate) struct Position {
    coding: Coding,
    level: u8,
    has_begun: AtomicBool,
    /// The part sent last was the stream's own, and may be referred to.
    is_own: AtomicBool,
    #[cfg(feature = "gzip")]
    sum: AtomicU32,
    #[cfg(feature = "gzip")]
    length: AtomicU32,
    written: AtomicU64,
}

/// Whether any coded stream is open, so that parts may be wanted.
pub(crate) fn is_any_open() -> bool {
    OPEN.load(Relaxed) > 0
}

impl Position {
    pub(crate) fn new(coding: Coding, level: u8) -> Self {
        OPEN.fetch_add(1, Relaxed);
        Self {
            coding,
            level,
            has_begun: AtomicBool::new(false),
            is_own: AtomicBool::new(false),
            #[cfg(feature = "gzip")]
            sum: AtomicU32::new(0),
            #[cfg(feature = "gzip")]
            length: AtomicU32::new(0),
            written: AtomicU64::new(0),
        }
    }

    pub(crate) const fn coding(&self) -> Coding {
        self.coding
    }

    pub(crate) const fn level(&self) -> u8 {
        self.level
    }

    pub(crate) fn written(&self) -> u64 {
        self.written.load(Relaxed)
    }

    fn count(&self, bytes: usize) {
        self.written.store(self.written() + bytes as u64, Relaxed);
    }

    /// Takes the part as sent, and returns the bytes that have to stand in front of it, and
    /// which of its own this stream gets.
    pub(crate) fn append(&self, part: &Part) -> (&'static [u8], RangeFrom<usize>) {
        if part.bytes.is_empty() {
            return (&[], 0..);
        }
        self.is_own.store(false, Relaxed);
        #[cfg(feature = "gzip")]
        if let Some(appended) = &part.appended {
            let (sum, length) = (self.sum.load(Relaxed), self.length.load(Relaxed));
            let (sum, length) = appended.behind(sum, length);
            self.sum.store(sum, Relaxed);
            self.length.store(length, Relaxed);
        }
        let begins = !self.has_begun.load(Relaxed);
        let front = self.head();
        let skipped = match self.coding {
            Coding::Zstd if begins => LAST_BLOCK.len(),
            _ => 0,
        };
        self.count(front.len() + part.bytes.len() - skipped);
        (front, skipped..)
    }

    fn head(&self) -> &'static [u8] {
        if self.has_begun.swap(true, Relaxed) {
            return &[];
        }
        match self.coding {
            #[cfg(feature = "gzip")]
            Coding::Gzip => &super::gzip::HEAD,
            #[cfg(feature = "brotli")]
            Coding::Brotli => &super::brotli::HEAD,
            #[allow(unreachable_patterns, reason = "with all of the features")]
            _ => &[],
        }
    }

    /// Codes an event of the stream's own, with its own state (begun anew unless `has_it` all
    /// since the last part) or a lent one that remembers nothing.
    pub(crate) fn put_own(
        &self,
        text: &[u8],
        (encoder, ownership): (&mut Encoder, Ownership),
        out: &mut Vec<u8>,
    ) -> Result<(), Failed> {
        if text.is_empty() {
            return Ok(()); // of which zstd would make no frame
        }
        let start = out.len();
        let has_context = ownership == Ownership::Own;
        let was_own = self.is_own.swap(ownership != Ownership::Lent, Relaxed);
        let continues = was_own && has_context;
        if self.coding == Coding::Zstd && !continues && self.has_begun.load(Relaxed) {
            out.extend_from_slice(LAST_BLOCK);
        }
        out.extend_from_slice(self.head());
        #[cfg(feature = "gzip")]
        if self.coding == Coding::Gzip {
            let (sum, length) = (self.sum.load(Relaxed), self.length.load(Relaxed));
            self.sum.store(zlib_rs::crc32::crc32(sum, text), Relaxed);
            let length = length.wrapping_add(text.len() as u32);
            self.length.store(length, Relaxed);
        }
        if ownership == Ownership::Lent {
            encoder.part(text, out)?;
        } else {
            if !continues {
                encoder.begin();
            }
            encoder.put(text, Then::Flush, out)?;
        }
        self.count(out.len() - start);
        Ok(())
    }

    pub(crate) fn put_end(&self, out: &mut Vec<u8>) {
        let start = out.len();
        self.is_own.store(false, Relaxed);
        let has_begun = self.has_begun.load(Relaxed);
        out.extend_from_slice(self.head());
        match self.coding {
            #[cfg(feature = "gzip")]
            Coding::Gzip => {
                out.extend_from_slice(&[3, 0]); // an empty final block
                super::gzip::put_tail(self.sum.load(Relaxed), self.length.load(Relaxed), out);
            }
            #[cfg(feature = "brotli")]
            Coding::Brotli => out.extend_from_slice(&super::brotli::TAIL),
            _ if has_begun => out.extend_from_slice(LAST_BLOCK),
            _ => {}
        }
        self.count(out.len() - start);
    }
}

impl Drop for Position {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Relaxed);
    }
}

/// An event that was coded once for all streams of a coding.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) bytes: Bytes,
    #[cfg(feature = "gzip")]
    appended: Option<super::sum::Appended>,
}

impl Part {
    pub(crate) fn new(text: &[u8], coding: Coding, encoder: &mut Encoder) -> Result<Self, Failed> {
        let mut bytes = Vec::new();
        if !text.is_empty() {
            if coding == Coding::Zstd {
                bytes.extend_from_slice(LAST_BLOCK);
            }
            encoder.part(text, &mut bytes)?;
        }
        Ok(Self {
            bytes: bytes.into(),
            #[cfg(feature = "gzip")]
            appended: (coding == Coding::Gzip).then(|| super::sum::Appended::new(text)),
        })
    }
}

#[cfg(test)]
mod tests;
