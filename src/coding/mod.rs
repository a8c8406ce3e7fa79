//! Layer 2: content codings (RFC 9110 §8.4.1), without I/O.
//!
//! ```text
//!   Accept-Encoding ──► Accepted ──choose──► Coding ──► Encoder ──► a coded body
//! ```
//!
//! A body is coded complete, in a stream that is flushed now and then, or as a part that
//! refers to nothing before it, so that the same bytes may stand in many streams
//! ([`stream`]).

#![cfg_attr(
    not(any(feature = "gzip", feature = "brotli", feature = "zstd")),
    allow(dead_code, unreachable_code, unused_mut, unused_variables)
)]

pub(crate) mod accept;
#[cfg(feature = "brotli")]
mod brotli;
pub(crate) mod decode;
pub(crate) mod encode;
#[cfg(feature = "gzip")]
mod gzip;
pub(crate) mod lent;
mod name;
pub(crate) mod stream;
#[cfg(feature = "gzip")]
mod sum;
pub(crate) mod work;
#[cfg(feature = "zstd")]
mod zstd;

pub use name::Coding;

#[cfg(test)]
mod tests;
