//! Encoders of bodies.

use alloc::vec::Vec;

#[cfg(feature = "brotli")]
use super::brotli::Brotli;
#[cfg(feature = "gzip")]
use super::gzip::Gzip;
use super::name::Coding;
use super::work::{Failed, Purpose, Then};
#[cfg(feature = "zstd")]
use super::zstd::Zstd;
use crate::wire::partly_shown;

/// One state that codes, which is large.
pub(crate) enum Encoder {
    #[cfg(feature = "gzip")]
    Gzip(Gzip),
    #[cfg(feature = "brotli")]
    Brotli(Brotli),
    #[cfg(feature = "zstd")]
    Zstd(Zstd),
}

impl Encoder {
    /// A state for a level that the coding has; `None` if its feature is not there.
    pub(crate) fn new(coding: Coding, level: u8, purpose: Purpose) -> Option<Self> {
        let _ = (level, purpose); // without any coding they are not used
        match coding {
            #[cfg(feature = "gzip")]
            Coding::Gzip => Some(Self::Gzip(Gzip::new(level, purpose))),
            #[cfg(feature = "brotli")]
            Coding::Brotli => Some(Self::Brotli(Brotli::new(level, purpose))),
            #[cfg(feature = "zstd")]
            Coding::Zstd => Zstd::new(level, purpose).map(Self::Zstd),
            #[allow(unreachable_patterns, reason = "with all of the features")]
            _ => None,
        }
    }

    pub(crate) fn begin(&mut self) {
        match *self {
            #[cfg(feature = "gzip")]
            Self::Gzip(ref mut state) => state.begin(),
            #[cfg(feature = "brotli")]
            Self::Brotli(ref mut state) => state.begin(),
            #[cfg(feature = "zstd")]
            Self::Zstd(ref mut state) => state.begin(),
        }
    }

    /// Codes `input` after what it was given since it began, and appends what comes out.
    pub(crate) fn put(
        &mut self,
        input: &[u8],
        then: Then,
        out: &mut Vec<u8>,
    ) -> Result<(), Failed> {
        let _ = (input, then, &out); // without any coding they are not used
        match *self {
            #[cfg(feature = "gzip")]
            Self::Gzip(ref mut state) => state.put(input, then, out),
            #[cfg(feature = "brotli")]
            Self::Brotli(ref mut state) => state.put(input, then, out),
            #[cfg(feature = "zstd")]
            Self::Zstd(ref mut state) => state.put(input, then, out),
        }
    }

    /// Codes a complete body. Begins before it.
    pub(crate) fn whole(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Failed> {
        match *self {
            #[cfg(feature = "zstd")]
            Self::Zstd(ref mut state) => state.whole(input, out),
            #[cfg(feature = "brotli")]
            Self::Brotli(ref mut state) => {
                state.begin_body_of(input.len());
                state.put(input, Then::End, out)
            }
            #[allow(unreachable_patterns, reason = "with less features")]
            _ => {
                self.begin();
                self.put(input, Then::End, out)
            }
        }
    }

    /// Codes a part of a stream of events that refers to nothing before it. Begins before
    /// it.
    pub(crate) fn part(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Failed> {
        self.begin();
        self.put(input, Then::Flush, out)
    }

    /// Bytes of memory that it takes, or is going to take once it is used.
    pub(crate) fn memory(&self) -> usize {
        match *self {
            #[cfg(feature = "gzip")]
            Self::Gzip(ref state) => state.memory(),
            #[cfg(feature = "brotli")]
            Self::Brotli(ref state) => state.memory(),
            #[cfg(feature = "zstd")]
            Self::Zstd(ref state) => state.memory(),
        }
    }
}

partly_shown!(Encoder);

#[cfg(test)]
mod tests;
