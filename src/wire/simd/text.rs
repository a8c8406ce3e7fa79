//! Octets that are known to be text.

use crate::wire::ascii::{self, TargetText};

/// The octets of a request target as text, with whether there is a `?`; `None`
/// unless all are visible US-ASCII other than `#` (RFC 9112 §3.2).
#[inline]
pub(crate) fn target(octets: &[u8]) -> Option<(&str, bool)> {
    let has_query = match ascii::judge_target(octets) {
        TargetText::Plain => false,
        TargetText::WithQuery => true,
        TargetText::Faulty => return None,
    };
    // SAFETY: every octet was just found to be US-ASCII, which is UTF-8.
    Some((unsafe { core::str::from_utf8_unchecked(octets) }, has_query))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_visible_ascii_is_text() {
        for b in 0..=255 {
            let octets = [b'/', b, b'x'];
            let good = matches!(b, b'!'..=b'~') && b != b'#';
            let text = good.then(|| core::str::from_utf8(&octets).unwrap());
            assert_eq!(target(&octets), text.map(|text| (text, b == b'?')));
        }
        assert_eq!(target(b""), Some(("", false)));
    }
}
