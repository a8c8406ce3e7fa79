//! The place of a subscriber in a channel.

use core::fmt;
use core::str::FromStr;

/// One life of a channel: offsets of different epochs cannot be compared.
///
/// It is made anew, at random, whenever a channel is made, so that no subscriber takes the
/// offsets of a channel that was freed in the meantime, or of a server before its restart,
/// for those of the channel that is there now. Written as 16 hexadecimal digits.
///
/// ```
/// use barewire::app::Epoch;
///
/// let epoch: Epoch = "00000000c0ffee00".parse().unwrap();
/// assert_eq!(epoch.to_string(), "00000000c0ffee00");
/// assert!("c0ffee".parse::<Epoch>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(u64);

impl Epoch {
    /// The epoch of this number, for a [`Backplane`](crate::app::Backplane).
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The text is no epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an epoch is 16 hexadecimal digits")]
pub struct InvalidEpoch;

impl FromStr for Epoch {
    type Err = InvalidEpoch;

    fn from_str(text: &str) -> Result<Self, InvalidEpoch> {
        let is_digit = |digit: u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 16 || !text.bytes().all(is_digit) {
            return Err(InvalidEpoch);
        }
        let number = u64::from_str_radix(text, 16);
        number.map(Self).map_err(|_| InvalidEpoch)
    }
}

/// A place in a channel with history: behind the publication of this offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Position {
    /// The life of the channel.
    pub epoch: Epoch,
    /// How many publications came before, in this epoch: the first has the offset 1, and 0
    /// is the place before it.
    pub offset: u64,
}

impl Position {
    /// The place behind the publication of this offset.
    pub const fn new(epoch: Epoch, offset: u64) -> Self {
        Self { epoch, offset }
    }
}
