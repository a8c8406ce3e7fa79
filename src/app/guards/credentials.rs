//! Credentials that requests carry, and their comparison (RFC 9110 §11).

use alloc::string::String;

use subtle::ConstantTimeEq;

use crate::app::exchange::refusal::Refusal;
use crate::http::{Fields, Status};
use crate::net::Error;
use crate::wire::ascii;

/// Whether two secrets are equal, in a time that does not tell how far they are: what
/// `==` takes tells an attacker each byte that was right. Lengths are not hidden.
///
/// ```
/// use barewire::app::constant_time_eq;
///
/// assert!(constant_time_eq("secret", b"secret"));
/// assert!(!constant_time_eq("secret", "sacred"));
/// ```
pub fn constant_time_eq(one: impl AsRef<[u8]>, other: impl AsRef<[u8]>) -> bool {
    one.as_ref().ct_eq(other.as_ref()).into()
}

/// What a request presents to a scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presented<'b> {
    /// No credentials of the scheme.
    Nothing,
    /// Those of the scheme, as they are written.
    Credentials(&'b [u8]),
    /// More than one Authorization: which one counts is not to be guessed.
    Ambiguous,
}

impl<'b> Presented<'b> {
    pub(super) fn to(scheme: &str, fields: Fields<'b>) -> Self {
        let mut all = fields.get_all("authorization");
        let Some(value) = all.next() else {
            return Self::Nothing;
        };
        if all.next().is_some() {
            return Self::Ambiguous;
        }
        let end = value.iter().position(|&b| b == b' ').unwrap_or(value.len());
        let (given, rest) = value.split_at(end);
        match ascii::eq_ignore_case(given, scheme.as_bytes()) {
            true => Self::Credentials(ascii::trim_ows(rest)),
            false => Self::Nothing,
        }
    }
}

/// The challenge of a scheme in a realm (RFC 9110 §11.6.1).
#[derive(Debug, Clone)]
pub(super) struct Challenge(String);

impl Challenge {
    pub(super) fn new(scheme: &str, realm: &str) -> Self {
        let mut text = alloc::format!("{scheme} realm=\"");
        for one in realm.chars() {
            if matches!(one, '"' | '\\') {
                text.push('\\');
            }
            text.push(one);
        }
        text.push('"');
        Self(text)
    }

    /// Adds a parameter, whose value has no quotes.
    pub(super) fn with(&self, name: &str, value: &str) -> Self {
        Self(alloc::format!("{}, {name}=\"{value}\"", self.0))
    }

    pub(super) fn refuse(&self, status: Status) -> Refusal {
        let refusal = Refusal::new(status);
        // It can stand there: an app with another one does not start.
        let told = refusal.clone().header("WWW-Authenticate", &self.0);
        told.unwrap_or(refusal)
    }

    /// An app starts only with a realm that can be written.
    pub(super) fn check(&self) -> Result<(), Error> {
        match ascii::is_field_value(self.0.as_bytes()) && self.0.is_ascii() {
            true => Ok(()),
            false => Err(Error::Config("a realm is printable ASCII")),
        }
    }
}
