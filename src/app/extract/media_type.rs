//! The media types of bodies that are read as values (RFC 9110 §8.3.1).

use super::extract_error::ExtractError;

/// Checks that `content_type` is `expected` or accepted by `is_alike`, in UTF-8.
pub(super) fn check(
    content_type: Option<&str>,
    expected: &'static str,
    is_alike: fn(subtype: &str) -> bool,
) -> Result<(), ExtractError> {
    let mut parts = content_type.unwrap_or_default().split(';');
    let name = parts.next().unwrap_or_default().trim();
    let is_fit = name.eq_ignore_ascii_case(expected)
        || name
            .split_once('/')
            .is_some_and(|(_, subtype)| is_alike(subtype));
    if !is_fit {
        return Err(ExtractError::MediaType { expected });
    }
    let mut parameters = parts.filter_map(|part| part.trim().split_once('='));
    let is_utf8 = |(name, value): (&str, &str)| {
        !name.eq_ignore_ascii_case("charset")
            || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
    };
    match parameters.all(is_utf8) {
        true => Ok(()),
        false => Err(ExtractError::Charset),
    }
}

/// Whether a subtype ends with the suffix of JSON (RFC 6839 §3.1).
#[cfg(feature = "json")]
pub(super) fn has_json_suffix(subtype: &str) -> bool {
    const SUFFIX: &[u8] = b"+json";
    let end = subtype.as_bytes().last_chunk::<5>();
    end.is_some_and(|end| end.eq_ignore_ascii_case(SUFFIX))
}
