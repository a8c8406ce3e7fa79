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

/// Parses an unmasked payload of a Close frame.
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
mod tests {
    use super::*;

    #[test]
    fn codes_that_no_frame_may_carry_are_refused() {
        for code in 0..=u16::MAX {
            let allowed = match code {
                0..=999 => false,
                1000..=1003 => true,
                1004..=1006 => false,
                1007..=1014 => true,
                1015..=2999 => false,
                3000..=4999 => true,
                5000..=u16::MAX => false,
            };
            assert_eq!(CloseCode::new(code).is_receivable(), allowed, "{code}");
            assert_eq!(CloseCode::new(code).is_sendable(), allowed, "{code}");
        }
    }
}
