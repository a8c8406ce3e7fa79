//! Content-Disposition of what is to be saved (RFC 6266).

use alloc::string::String;
use core::fmt::Write as _;

use super::file_name::safe_file_name;

/// The value of a Content-Disposition that has clients save a body under this name: in
/// quotes, and where it has more than plain letters, also in UTF-8 (`filename*`, RFC 8187).
/// A path is cut off, and without a name none is given.
///
/// ```
/// use barewire::http::attachment;
///
/// assert_eq!(attachment("a b.txt"), r#"attachment; filename="a b.txt""#);
/// assert_eq!(
///     attachment("€ 5%.txt"),
///     r#"attachment; filename="_ 5_.txt"; filename*=UTF-8''%E2%82%AC%205%25.txt"#,
/// );
/// ```
pub fn attachment(file_name: &str) -> String {
    let mut text = String::from("attachment");
    let Some(name) = safe_file_name(file_name) else {
        return text;
    };
    // Some readers decode a `%` in the plain form, too (RFC 6266, appendix D).
    let is_plain = |c: char| matches!(c, ' '..='~') && !matches!(c, '%' | '"' | '\\');
    text.push_str("; filename=\"");
    text.extend(name.chars().map(|c| if is_plain(c) { c } else { '_' }));
    text.push('"');
    if !name.chars().all(is_plain) {
        text.push_str("; filename*=UTF-8''");
        for b in name.bytes() {
            // attr-char (RFC 8187 §3.2.1)
            match b {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => text.push(b.into()),
                b'!' | b'#' | b'$' | b'&' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|'
                | b'~' => {
                    text.push(b.into());
                }
                // Writing to a String never fails.
                _ => drop(write!(text, "%{b:02X}")),
            }
        }
    }
    text
}
