//! Weights of what a client accepts (RFC 9110 §12.4.2).

use crate::wire::ascii;

/// The value of `;q=` in thousandths ; none at all is one, and
/// nonsense is nought.
pub(crate) fn quality(parameters: &[u8]) -> u16 {
    let Some(text) = parameters.strip_prefix(b";").map(ascii::trim_ows) else {
        return 1000;
    };
    let value = text
        .strip_prefix(b"q=")
        .or_else(|| text.strip_prefix(b"Q="));
    let Some((&whole, rest)) = value.and_then(|value| value.split_first()) else {
        return 0;
    };
    let digits = match rest {
        [] => rest,
        [b'.', digits @ ..] if digits.len() <= 3 => digits,
        _ => return 0,
    };
    let mut thousandths = match whole {
        b'0' => 0,
        b'1' => 1000,
        _ => return 0,
    };
    for (digit, worth) in digits.iter().zip([100, 10, 1]) {
        match digit {
            b'0'..=b'9' => thousandths += u16::from(digit - b'0') * worth,
            _ => return 0,
        }
    }
    thousandths.min(1000)
}
