//! The Expect field: a client that wants an answer before it sends its content.

use super::List;

/// The Expect fields of a request (RFC 9110 §10.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Expectation {
    #[default]
    Absent,
    /// `100-continue`, in any case.
    Continue,
    /// Another one, which is answered 417.
    Unknown,
}

impl Expectation {
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
mod tests;
