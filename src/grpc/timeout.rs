//! The `grpc-timeout` field: one to eight digits and a unit.
//!
//! ```text
//!  grpc-timeout: 250m
//!                │  └ H hours, M minutes, S seconds, m, u, n: milli-, micro-, nanoseconds
//!                └ 1 to 8 digits
//! ```

use core::time::Duration;

use crate::wire::ascii;

/// The most that eight digits can say.
const MOST: u128 = 99_999_999;

/// The units, finest first, with their nanoseconds.
const UNITS: [(u8, u128); 6] = [
    (b'n', 1),
    (b'u', 1_000),
    (b'm', 1_000_000),
    (b'S', 1_000_000_000),
    (b'M', 60_000_000_000),
    (b'H', 3_600_000_000_000),
];

/// Parses a timeout; 0 means that it has expired already. `None` unless it is
/// one to eight digits and a unit. The longest, 99999999 hours, is far beyond
/// what an [`Instant`](crate::wire::Instant) can show: adding saturates there.
///
/// ```
/// use barewire::grpc::timeout::parse;
/// use core::time::Duration;
///
/// assert_eq!(parse(b"250m"), Some(Duration::from_millis(250)));
/// assert_eq!(parse(b"1.5S"), None);
/// ```
pub fn parse(value: &[u8]) -> Option<Duration> {
    let (&unit, digits) = value.split_last()?;
    if digits.len() > 8 {
        return None;
    }
    let count = ascii::parse_decimal(digits)?;
    Some(match unit {
        b'H' => Duration::from_secs(count * 3600), // count < 10^8
        b'M' => Duration::from_secs(count * 60),
        b'S' => Duration::from_secs(count),
        b'm' => Duration::from_millis(count),
        b'u' => Duration::from_micros(count),
        b'n' => Duration::from_nanos(count),
        _ => return None,
    })
}

/// A timeout as the field's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeout {
    text: [u8; 9],
    len: u8, // <= 9
}

impl Timeout {
    /// The value of `timeout` in the finest unit that eight digits can count
    /// it in, rounded up; more than 99999999 hours become that.
    ///
    /// ```
    /// use barewire::grpc::timeout::Timeout;
    /// use core::time::Duration;
    ///
    /// assert_eq!(Timeout::new(Duration::from_millis(50)).as_str(), "50000000n");
    /// assert_eq!(Timeout::new(Duration::from_secs(5)).as_str(), "5000000u");
    /// ```
    pub fn new(timeout: Duration) -> Self {
        let nanos = timeout.as_nanos();
        let counted = UNITS.map(|(unit, size)| (unit, nanos.div_ceil(size)));
        let (unit, count) = counted
            .into_iter()
            .find(|&(_, count)| count <= MOST)
            .unwrap_or((b'H', MOST));
        let digits = ascii::Decimal::new(count as u64); // count <= MOST
        let digits = digits.as_bytes();
        let mut text = [unit; 9];
        // At most eight digits; the byte after them is the unit already.
        text[..digits.len()].copy_from_slice(digits);
        Self {
            text,
            len: digits.len() as u8 + 1,
        }
    }

    /// The value's bytes: 2 to 9.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.text[..self.len as usize]
    }

    /// The value as text.
    #[inline]
    pub fn as_str(&self) -> &str {
        // Only ASCII is ever written, so the fallback is never taken.
        core::str::from_utf8(self.as_bytes()).unwrap_or("0n")
    }
}

#[cfg(test)]
mod tests;
