//! Pairs as forms have them (WHATWG URL §5.2).

use alloc::string::String;
use core::fmt::Write as _;

/// Appends `name=value` to a list.
pub(super) fn push(name: &str, value: &str, list: &mut String) {
    if !list.is_empty() && !list.ends_with('&') {
        list.push('&');
    }
    encode(name, list);
    list.push('=');
    encode(value, list);
}

fn encode(text: &str, out: &mut String) {
    for b in text.bytes() {
        match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => {
                out.push(b.into());
            }
            b' ' => out.push('+'),
            // Writing to a String never fails.
            _ => drop(write!(out, "%{b:02X}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_joined_and_encoded() {
        let mut list = String::new();
        push("a", "1 2", &mut list);
        push("\u{e4}&=", "~+%", &mut list);
        push("", "", &mut list);
        assert_eq!(list, "a=1+2&%C3%A4%26%3D=%7E%2B%25&=");
    }
}
