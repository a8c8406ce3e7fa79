//! Obsolete line folding (RFC 9112 §5.2).
//!
//! ```text
//!  name ":" value CRLF          name ":" value SP SP
//!  SP value CRLF          ──▶   SP value CRLF
//! ```
//!
//! A server refuses it. A user agent has to make spaces of it, which happens
//! in place.

/// Makes spaces of the first fold in the head at the front of `text`, as far as
/// that was received; `false` if there is none. A fold behind the start line stays:
/// there is no field that it could belong to, and nothing behind it counts.
pub(crate) fn unfold(text: &mut [u8]) -> bool {
    let (mut at, mut in_start_line) = (0, true);
    loop {
        let rest = text.get_mut(at..).unwrap_or_default();
        let Some(line_end) = rest.windows(2).position(|pair| pair == b"\r\n") else {
            return false;
        };
        let next = rest.get_mut(line_end..).unwrap_or_default();
        match next {
            [_, _, b' ' | b'\t', ..] if !in_start_line => {
                let space = |b: &u8| matches!(b, b' ' | b'\t');
                let more = next.iter().skip(2).take_while(|b| space(b)).count();
                next.iter_mut().take(2 + more).for_each(|b| *b = b' ');
                return true;
            }
            [_, _, b'\r' | b' ' | b'\t', ..] | [_, _] => return false,
            _ => {}
        }
        in_start_line = false;
        at += line_end + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text without its first `most` folds, and how many there were.
    fn unfolded(text: &str, most: u32) -> (std::string::String, u32) {
        let mut text = text.as_bytes().to_vec();
        let folds = (0..most).take_while(|_| unfold(&mut text)).count();
        (std::string::String::from_utf8(text).unwrap(), folds as u32)
    }

    #[test]
    fn folds_become_spaces_and_nothing_else_changes() {
        let text = "S\r\nX: a\r\n b\r\n\t \tc\r\nY: d\r\n\r\nbody\r\n not a fold";
        let plain = "S\r\nX: a   b     c\r\nY: d\r\n\r\nbody\r\n not a fold";
        assert_eq!(unfolded(text, 9), (plain.into(), 2));
        assert_eq!(unfolded(text, 1).1, 1);
        assert_eq!(unfolded(text, 0), (text.into(), 0));
    }

    #[test]
    fn a_fold_behind_the_start_line_stays() {
        for text in ["S\r\n x\r\n y\r\n\r\n", "S\r\n", "S", "", "S\r\nX: y\r\n"] {
            assert_eq!(unfolded(text, 9), (text.into(), 0), "{text:?}");
        }
    }
}
