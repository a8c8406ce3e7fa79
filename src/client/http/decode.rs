//! Content codings (RFC 9110 §8.4.1), as a response has them.
//!
//! ```text
//!   received ──► Content ──► Decode ──► at most STEP bytes at a time ──► the caller
//! ```
//!
//! A coding is decoded when the caller asks for bytes, and no faster: what is not
//! asked for stays as small as it came.

#[cfg(feature = "gzip")]
mod deflate;
#[cfg(feature = "gzip")]
mod gzip;

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::http::Fields;

/// One coding that is being taken off. A further coding is one more implementation, and
/// one more name in [`decoder`].
pub(super) trait Decode: Send {
    /// Decodes some of `input`, and appends at most [`STEP`] bytes to `out`. Returns how
    /// much of the input was used. Where neither is any, more input is needed.
    fn decode(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<usize, &'static str>;

    /// Whether the coding allows that the input ends here.
    fn can_end(&self) -> bool;
}

/// How much is decoded in one call at most.
#[cfg_attr(not(feature = "gzip"), allow(dead_code))]
pub(super) const STEP: usize = 32 << 10;

/// The codings that requests name, the preferred one first; `None` if there are none.
#[cfg(feature = "gzip")]
pub(super) const ACCEPTED: Option<&str> = Some("gzip, deflate");
#[cfg(not(feature = "gzip"))]
pub(super) const ACCEPTED: Option<&str> = None;

/// What takes off the coding that a response has. `None` if it has none, one that is not
/// known, or several.
pub(super) fn decoder(fields: Fields<'_>) -> Option<Box<dyn Decode>> {
    let mut codings = fields
        .list("content-encoding")
        .filter(|it| !it.eq_ignore_ascii_case(b"identity"));
    match (codings.next(), codings.next()) {
        (Some(coding), None) => by_name(coding),
        _ => None,
    }
}

#[cfg(feature = "gzip")]
fn by_name(coding: &[u8]) -> Option<Box<dyn Decode>> {
    let is = |name: &str| coding.eq_ignore_ascii_case(name.as_bytes());
    if is("gzip") || is("x-gzip") {
        return Some(Box::new(gzip::Gzip::new()));
    }
    is("deflate").then(|| -> Box<dyn Decode> { Box::new(deflate::Deflate::new()) })
}

#[cfg(not(feature = "gzip"))]
const fn by_name(_: &[u8]) -> Option<Box<dyn Decode>> {
    None
}
