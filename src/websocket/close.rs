//! The payload of Close frames (RFC 6455 §5.5.1).
//!
//! ```text
//!   0                   1
//!   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5
//!  +-------------------------------+- - - - - - - - - - - - +
//!  |   code, big-endian            | reason, UTF-8, 0 to 123 |
//!  +-------------------------------+- - - - - - - - - - - - +
//! ```
//! or nothing at all.

use super::{CloseCode, ProtocolError};
use crate::wire::simd;

pub(super) fn parse(payload: &[u8]) -> Result<(Option<CloseCode>, &str), ProtocolError> {
    let (code, reason) = match payload {
        [] => return Ok((None, "")),
        [_] => return Err(ProtocolError::CloseLength),
        [a, b, reason @ ..] => (CloseCode::new(u16::from_be_bytes([*a, *b])), reason),
    };
    if !code.is_receivable() {
        return Err(ProtocolError::CloseCode);
    }
    let reason = simd::as_text(reason).ok_or(ProtocolError::CloseReason)?;
    Ok((Some(code), reason))
}

#[cfg(test)]
mod tests;
