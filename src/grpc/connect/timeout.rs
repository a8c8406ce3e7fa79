//! The `connect-timeout-ms` field: at most ten digits.

use core::time::Duration;

use crate::wire::{Sink, ascii};

const MOST: u128 = 9_999_999_999;

/// Parses a timeout; 0 has passed already. `None` unless it is one to ten digits.
///
/// ```
/// use barewire::grpc::connect::parse_timeout;
/// use core::time::Duration;
///
/// assert_eq!(parse_timeout(b"5000"), Some(Duration::from_secs(5)));
/// assert_eq!(parse_timeout(b"+5"), None);
/// assert_eq!(parse_timeout(b"12345678901"), None);
/// ```
pub fn parse_timeout(value: &[u8]) -> Option<Duration> {
    let millis = ascii::parse_decimal(value.get(..value.len().min(11))?)?;
    (value.len() <= 10).then(|| Duration::from_millis(millis))
}

/// Appends a timeout as the field's value, rounded up to a millisecond; more than ten
/// digits can say becomes that.
pub fn put_timeout(timeout: Duration, out: &mut impl Sink) {
    let millis = timeout.as_nanos().div_ceil(1_000_000).min(MOST);
    ascii::put_decimal(millis as u64, out); // <= MOST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_rounded_up_and_saturates() {
        let shown = |timeout| {
            let mut out = alloc::vec::Vec::new();
            put_timeout(timeout, &mut out);
            alloc::string::String::from_utf8(out).unwrap()
        };
        assert_eq!(shown(Duration::ZERO), "0");
        assert_eq!(shown(Duration::from_nanos(1)), "1");
        assert_eq!(shown(Duration::MAX), "9999999999");
        assert_eq!(parse_timeout(b"9999999999").unwrap().as_millis(), MOST);
        for wrong in ["", "-1", "1.5", "1s", " 1", "99999999999", "00000000001"] {
            assert_eq!(parse_timeout(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
