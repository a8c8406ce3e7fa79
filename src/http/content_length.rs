//! The length of a message's content, as its fields have it.

use crate::wire::ascii;

/// What the Content-Length fields of a head say (RFC 9110 §8.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum ContentLength {
    /// There is none.
    #[default]
    Absent,
    /// One field with one number.
    One(u64),
    /// One number more than once, in a list or in several fields.
    Repeated(u64),
    /// Not a number, one beyond 64 bits, or different ones.
    Invalid,
}

impl ContentLength {
    /// Takes a repeated number for one, which a client may do.
    pub(crate) const fn collapsed(self) -> Self {
        match self {
            Self::Repeated(n) => Self::One(n),
            Self::Absent | Self::One(_) | Self::Invalid => self,
        }
    }

    /// Adds a field.
    pub(crate) fn add(&mut self, value: &[u8]) {
        // One number, mostly, and in one field.
        if *self == Self::Absent
            && let Some(n) = ascii::parse_decimal(value)
        {
            *self = Self::One(n);
            return;
        }
        // Senders and intermediaries join fields to a list, so that one may hold several.
        for member in value.split(|&b| b == b',') {
            *self = match (*self, ascii::parse_decimal(ascii::trim_ows(member))) {
                (Self::Absent, Some(n)) => Self::One(n),
                (Self::One(m) | Self::Repeated(m), Some(n)) if m == n => Self::Repeated(n),
                (Self::Absent | Self::One(_) | Self::Repeated(_) | Self::Invalid, _) => {
                    Self::Invalid
                }
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_numbers_and_the_same_wherever_they_stand() {
        let of = |fields: &[&str]| {
            let mut length = ContentLength::default();
            fields.iter().for_each(|it| length.add(it.as_bytes()));
            length
        };
        assert_eq!(of(&[]), ContentLength::Absent);
        assert_eq!(of(&["7"]), ContentLength::One(7));
        assert_eq!(of(&["7, 7"]), ContentLength::Repeated(7));
        assert_eq!(of(&["7", "7"]), ContentLength::Repeated(7));
        assert_eq!(of(&["7", "7"]).collapsed(), ContentLength::One(7));
        for bad in [&["7", "8"][..], &["7,"], &[""], &["+7"], &["7 7"], &["x"]] {
            assert_eq!(of(bad), ContentLength::Invalid, "{bad:?}");
        }
    }
}
