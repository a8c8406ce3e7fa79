//! Extensions: their negotiation and their place in a frame (RFC 6455 §9).
//!
//! ```text
//!  Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_max_window_bits="12", x-other
//!                            '----- name -----'  '------------ parameters, with or without value -------------'
//! ```
//! An extension owns reserved bits of the frame head ([`Reserved`]): the caller of
//! the decoder says which bits are claimed, and every other one is a violation. The one
//! extension that is negotiated here is [permessage-deflate](super::deflate).

use crate::http::{Fields, List};
use crate::wire::{ascii, simd};

/// A set of the three reserved bits of a frame head (RFC 6455 §5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Reserved(u8); // as they stand in the first byte: within 0x70

impl Reserved {
    /// None of them.
    pub const NONE: Self = Self(0);
    /// RSV1, which marks compressed messages under permessage-deflate
    /// (RFC 7692 §6).
    pub const RSV1: Self = Self(0x40);
    /// RSV2.
    pub const RSV2: Self = Self(0x20);
    /// RSV3.
    pub const RSV3: Self = Self(0x10);

    #[inline]
    pub(super) const fn from_first_byte(first: u8) -> Self {
        Self(first & 0x70)
    }

    #[inline]
    pub(super) const fn bits(self) -> u8 {
        self.0
    }

    /// This set and another one.
    #[inline]
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether every bit of `other` is in this set.
    #[inline]
    pub const fn covers(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }
}

/// A `Sec-WebSocket-Extensions` value outside the grammar of RFC 6455 §9.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("extension list outside its grammar (RFC 6455 §9.1)")]
pub struct InvalidExtension;

/// One extension as offered or accepted: a name and parameters.
///
/// ```
/// use barewire::websocket::extension::Extension;
///
/// let offer = Extension::parse(b"permessage-deflate; client_max_window_bits=\"12\"").unwrap();
/// assert_eq!(offer.name(), "permessage-deflate");
/// let parameter = offer.parameters().next().unwrap();
/// assert_eq!(parameter.name, "client_max_window_bits");
/// assert_eq!(parameter.value, Some("12"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extension<'b> {
    name: &'b str,
    parameters: Option<&'b [u8]>, // checked: what follows the first semicolon
}

/// One parameter of an extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter<'b> {
    /// A token.
    pub name: &'b str,
    /// A token, which may have stood in quotes.
    pub value: Option<&'b str>,
}

impl<'b> Extension<'b> {
    /// Parses one member of the list.
    ///
    /// # Errors
    /// [`InvalidExtension`] for anything outside the grammar. A quoted value
    /// must be a token without its quotes, as §9.1 demands; escapes inside it,
    /// which a token never needs, are refused too.
    pub fn parse(member: &'b [u8]) -> Result<Self, InvalidExtension> {
        let (name, parameters) = cut(member, b';');
        let extension = Self {
            name: token(name).ok_or(InvalidExtension)?,
            parameters,
        };
        match (Parameters { rest: parameters }).find(Result::is_err) {
            Some(_) => Err(InvalidExtension),
            None => Ok(extension),
        }
    }

    /// The name, a token. Names are compared in the case they are given in.
    pub const fn name(&self) -> &'b str {
        self.name
    }

    /// The parameters in their order; names may repeat.
    pub fn parameters(&self) -> impl Iterator<Item = Parameter<'b>> + use<'b> {
        let rest = self.parameters;
        Parameters { rest }.filter_map(Result::ok) // checked by `parse`
    }
}

/// The extensions of all `Sec-WebSocket-Extensions` fields, in order of
/// preference.
pub fn list<'b>(
    fields: &Fields<'b>,
) -> impl Iterator<Item = Result<Extension<'b>, InvalidExtension>> + use<'b> {
    fields
        .get_all("sec-websocket-extensions")
        .flat_map(List::new)
        .map(Extension::parse)
}

/// Parameters after a name: `*( OWS ";" OWS token [ "=" ( token | quoted ) ] )`.
struct Parameters<'b> {
    rest: Option<&'b [u8]>, // what follows the last semicolon
}

impl<'b> Iterator for Parameters<'b> {
    type Item = Result<Parameter<'b>, InvalidExtension>;

    fn next(&mut self) -> Option<Self::Item> {
        // No token holds a semicolon, so that none inside quotes is legal.
        let (parameter, rest) = cut(self.rest?, b';');
        self.rest = rest;
        Some(Parameter::parse(parameter).ok_or(InvalidExtension))
    }
}

impl<'b> Parameter<'b> {
    fn parse(text: &'b [u8]) -> Option<Self> {
        let (name, value) = cut(text, b'=');
        let value = match value.map(ascii::trim_ows) {
            Some([b'"', quoted @ .., b'"']) => Some(token(quoted)?),
            Some(plain) => Some(token(plain)?),
            None => None,
        };
        let name = token(name)?;
        Some(Self { name, value })
    }
}

/// The text before the first `mark`, without white space around it, and the text after
/// it.
fn cut(text: &[u8], mark: u8) -> (&[u8], Option<&[u8]>) {
    let end = text.iter().position(|&b| b == mark);
    let (before, behind) = text.split_at(end.unwrap_or(text.len())); // inside the text
    (ascii::trim_ows(before), behind.get(1..))
}

fn token(text: &[u8]) -> Option<&str> {
    if !ascii::is_token(text) {
        return None;
    }
    simd::as_text(text) // a token is ASCII
}

#[cfg(test)]
mod tests;
