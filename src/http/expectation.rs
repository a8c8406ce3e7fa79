//! The Expect field: a client that wants an answer before it sends its content.

use super::List;

/// What the Expect fields of a request say (RFC 9110 §10.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Expectation {
    /// There is none.
    #[default]
    Absent,
    /// `100-continue`, in any case.
    Continue,
    /// Another one, which is answered 417.
    Unknown,
}

impl Expectation {
    /// Adds a field.
    pub(crate) fn add(&mut self, value: &[u8]) {
        for expectation in List::new(value) {
            let known = expectation.eq_ignore_ascii_case(b"100-continue");
            // One that is not known cannot be met, whatever stands beside it.
            *self = match self {
                Self::Absent | Self::Continue if known => Self::Continue,
                _ => Self::Unknown,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_of_every_field_counts() {
        let of = |fields: &[&str]| {
            let mut expectation = Expectation::default();
            fields.iter().for_each(|it| expectation.add(it.as_bytes()));
            expectation
        };
        assert_eq!(of(&[]), Expectation::Absent);
        assert_eq!(of(&[""]), Expectation::Absent);
        assert_eq!(of(&["100-Continue"]), Expectation::Continue);
        assert_eq!(of(&["100-continue", "100-continue"]), Expectation::Continue);
        assert_eq!(of(&["100-continue, x"]), Expectation::Unknown);
        assert_eq!(of(&["x", "100-continue"]), Expectation::Unknown);
    }
}
