//! References to URLs (RFC 3986 §4.1, §5.2).

use alloc::format;
use alloc::string::String;

use super::part::is_scheme;

pub(super) fn has_scheme(reference: &str) -> bool {
    let end = reference.find([':', '/', '?', '#']);
    let scheme = end.map(|end| reference.split_at(end)); // a boundary: ASCII
    scheme.is_some_and(|(scheme, rest)| rest.starts_with(':') && is_scheme(scheme))
}

/// Path, query and fragment of a reference without scheme and authority, on a page with
/// this path and query. Dots in the path remain.
pub(super) fn merge(path: &str, query: Option<&str>, reference: &str) -> String {
    match reference.chars().next() {
        Some('/') => reference.into(),
        Some('?') => format!("{path}{reference}"),
        Some('#') | None => match query {
            Some(query) => format!("{path}?{query}{reference}"),
            None => format!("{path}{reference}"),
        },
        Some(_) => {
            let folder = path
                .rfind('/')
                .map_or("/", |at| path.get(..=at).unwrap_or("/"));
            format!("{folder}{reference}")
        }
    }
}
