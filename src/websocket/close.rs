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

use super::{CloseCode, Violation};

/// Parses an unmasked payload of a Close frame.
pub(super) fn parse(payload: &[u8]) -> Result<(Option<CloseCode>, &str), Violation> {
    let (code, reason) = match payload {
        [] => return Ok((None, "")),
        [_] => return Err(Violation::CloseLength),
        [a, b, reason @ ..] => (CloseCode::new(u16::from_be_bytes([*a, *b])), reason),
    };
    if !code.is_receivable() {
        return Err(Violation::CloseCode);
    }
    let reason = core::str::from_utf8(reason).map_err(|_| Violation::CloseReason)?;
    Ok((Some(code), reason))
}

/// The payload of a Close frame that is to be sent, built in place.
pub(super) struct Payload {
    bytes: [u8; 125],
    len: usize, // <= 125
}

impl Payload {
    /// `None` if the reason is longer than 123 bytes.
    pub(super) fn new(code: Option<CloseCode>, reason: &str) -> Option<Self> {
        let mut bytes = [0; 125];
        let Some(code) = code else {
            return Some(Self { bytes, len: 0 });
        };
        bytes[..2].copy_from_slice(&code.get().to_be_bytes());
        let room = bytes.get_mut(2..2 + reason.len())?;
        room.copy_from_slice(reason.as_bytes());
        Some(Self {
            bytes,
            len: 2 + reason.len(),
        })
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
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

    #[test]
    fn payloads_survive_a_round_trip() {
        let reason = "é".repeat(61);
        for (code, reason) in [
            (None, ""),
            (Some(CloseCode::NORMAL), ""),
            (Some(CloseCode::new(4999)), &reason[..]),
        ] {
            let payload = Payload::new(code, reason).unwrap();
            assert_eq!(parse(payload.as_bytes()), Ok((code, reason)));
        }
        assert!(Payload::new(Some(CloseCode::NORMAL), &"x".repeat(123)).is_some());
        assert!(Payload::new(Some(CloseCode::NORMAL), &"x".repeat(124)).is_none());
    }
}
