//! Text as JSON strings (RFC 8259 §7).

use alloc::string::String;
use core::fmt::Write as _;

/// Appends `text` as a JSON string, with its quotes.
///
/// `<` is escaped as well, so that the string may stand inside a page's
/// script.
///
/// ```
/// let mut out = String::new();
/// barewire::app::put_json_string("a\"b\n", &mut out);
/// assert_eq!(out, r#""a\"b\n""#);
/// ```
pub fn put_json_string(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| matches!(c, '"' | '\\' | '<' | '\0'..='\x1f')) {
        let (plain, special) = rest.split_at(at); // `find` gives boundaries
        out.push_str(plain);
        let mut chars = special.chars();
        match chars.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            // Writing to a String cannot fail.
            Some(other) => drop(write!(out, "\\u{:04x}", u32::from(other))),
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

/// The body of an error reply: `{"error":"..."}`, with `"field"` where it is known.
pub(super) fn put_error(text: &str, field: Option<&str>, out: &mut String) {
    out.push_str("{\"error\":");
    put_json_string(text, out);
    if let Some(field) = field {
        out.push_str(",\"field\":");
        put_json_string(field, out);
    }
    out.push('}');
}

#[cfg(test)]
mod tests;
