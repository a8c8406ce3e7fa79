//! Metadata: names and values that applications send along.
//!
//! ```text
//!  x-request-id: 7f3a               printable ASCII
//!  trace-bin:    q6ur/w,AAE         octets in base64, several joined by commas
//! ```

use base64::Engine;
#[cfg(feature = "alloc")]
use base64::engine::general_purpose::STANDARD_NO_PAD;
use base64::engine::general_purpose::STANDARD_NO_PAD_INDIFFERENT;

#[cfg(feature = "alloc")]
use alloc::{string::String, vec, vec::Vec};

use super::UsageError;
use crate::http::{Field, trailers};
use crate::wire::ascii;

/// A `-bin` value that is not base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("binary metadata is not base64 (gRPC over HTTP2, Binary-Header)")]
pub struct InvalidBase64;

/// Whether the values of this name are octets in base64.
#[inline]
pub fn is_binary(name: &[u8]) -> bool {
    name.ends_with(b"-bin")
}

/// Whether the protocol, or the HTTP that carries it, keeps this name for
/// itself. `name` is in lower case.
pub fn is_reserved(name: &[u8]) -> bool {
    const HTTP: [&[u8]; 11] = [
        b"connection",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"host",
        b"keep-alive",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    ];
    name.starts_with(b"grpc-") || name.starts_with(b"connect-") || HTTP.contains(&name)
}

/// Checks that an application may send `entry`: a name of `0-9 a-z _ - .` that
/// is not reserved, and a value of printable ASCII without spaces at its ends,
/// or base64 under a `-bin` name (gRPC over HTTP2, Custom-Metadata).
///
/// # Errors
/// [`UsageError::MetadataName`] or [`UsageError::MetadataValue`].
///
/// ```
/// use barewire::grpc::{UsageError, metadata::check};
/// use barewire::http::Field;
///
/// assert_eq!(check(Field::new("x-id", "7")), Ok(()));
/// assert_eq!(check(Field::new("X-Id", "7")), Err(UsageError::MetadataName));
/// assert_eq!(check(Field::new("grpc-status", "0")), Err(UsageError::MetadataName));
/// assert_eq!(check(Field::new("x-id", "7\r\nx: y")), Err(UsageError::MetadataValue));
/// ```
pub fn check(entry: Field<'_>) -> Result<(), UsageError> {
    let is_name = |&b: &u8| matches!(b, b'0'..=b'9' | b'a'..=b'z' | b'_' | b'-' | b'.');
    if entry.name.is_empty() || !entry.name.iter().all(is_name) || is_reserved(entry.name) {
        return Err(UsageError::MetadataName);
    }
    let is_value = match is_binary(entry.name) {
        true => binary_values(entry.value).all(is_base64),
        false => {
            entry.value.iter().all(|b| matches!(b, b' '..=b'~'))
                && ascii::trim_ows(entry.value).len() == entry.value.len()
        }
    };
    is_value.then_some(()).ok_or(UsageError::MetadataValue)
}

/// Whether an entry may be sent after the response, as a trailer: fields that
/// may not stand there (RFC 9110 §6.5.1) are refused as reserved names are.
///
/// # Errors
/// [`UsageError::MetadataName`] or [`UsageError::MetadataValue`].
pub fn check_trailing(entry: Field<'_>) -> Result<(), UsageError> {
    check(entry)?;
    match trailers::may_trail(entry.name) {
        true => Ok(()),
        false => Err(UsageError::MetadataName),
    }
}

/// The values that a `-bin` field joins by commas, still in base64. An empty
/// value is one value of no octets.
#[inline]
pub fn binary_values(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&b| b == b',').map(ascii::trim_ows)
}

/// Whether `value` is base64, padded or not.
pub(super) fn is_base64(value: &[u8]) -> bool {
    let mut memory = [0; 48];
    // Groups stand for themselves, so they can be judged piece by piece; only
    // the last may be padded.
    let mut pieces = value.chunks(64).peekable();
    while let Some(piece) = pieces.next() {
        let inner_padding = pieces.peek().is_some() && piece.contains(&b'=');
        if inner_padding || decode_binary(piece, &mut memory).is_err() {
            return false;
        }
    }
    true
}

/// Whether a field is no binary metadata, or base64.
#[cfg(feature = "alloc")]
#[inline]
pub(super) fn is_readable(field: Field<'_>) -> bool {
    let is_binary = matches!(
        field.name,
        [.., b'-', b'b' | b'B', b'i' | b'I', b'n' | b'N']
    );
    !is_binary || binary_values(field.value).all(is_base64)
}

/// Decodes one value of a `-bin` field, padded or not, to the front of
/// `memory`.
///
/// # Errors
/// [`InvalidBase64`] if it is not Base64, or longer than the memory.
pub fn decode_binary<'m>(value: &[u8], memory: &'m mut [u8]) -> Result<&'m [u8], InvalidBase64> {
    let len = STANDARD_NO_PAD_INDIFFERENT
        .decode_slice(value, memory)
        .map_err(|_| InvalidBase64)?;
    memory.get(..len).ok_or(InvalidBase64)
}

/// Decodes one value of a `-bin` field, padded or not.
///
/// ```
/// use barewire::grpc::metadata::{binary_values, binary_to_vec};
///
/// let values: Vec<_> = binary_values(b"AAE,Ag==").map(binary_to_vec).collect();
/// assert_eq!(values, [Ok(vec![0, 1]), Ok(vec![2])]);
/// ```
///
/// # Errors
/// [`InvalidBase64`] if it is not Base64.
#[cfg(feature = "alloc")]
pub fn binary_to_vec(value: &[u8]) -> Result<Vec<u8>, InvalidBase64> {
    let mut octets = vec![0; value.len() / 4 * 3 + 3];
    let len = decode_binary(value, &mut octets)?.len();
    octets.truncate(len);
    Ok(octets)
}

/// Octets as the value of a `-bin` field: base64 without padding, as the
/// specification recommends.
#[cfg(feature = "alloc")]
pub fn binary_value(octets: &[u8]) -> String {
    let mut text = vec![0; octets.len().div_ceil(3) * 4];
    let len = STANDARD_NO_PAD.encode_slice(octets, &mut text).unwrap_or(0); // four for three fit
    text.truncate(len);
    String::from_utf8(text).unwrap_or_default() // base64 is ASCII
}

#[cfg(test)]
mod tests;
