//! UTF-8 that arrives in pieces.

use super::{FAST, character::Character};

/// A piece of text that cannot be UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not UTF-8 from byte {at} of the piece on (RFC 3629 §4)")]
pub struct InvalidUtf8 {
    /// The first byte of the piece that no continuation could make valid.
    pub at: usize,
}

/// An incremental UTF-8 check (RFC 3629): fails at the first byte that cannot
/// become valid, however the text is cut.
///
/// ```
/// use barewire::wire::Utf8;
///
/// let mut text = Utf8::new();
/// text.push(b"caf\xc3").unwrap();
/// assert_eq!(text.pending(), 1);
/// text.push(b"\xa9").unwrap();
/// assert!(text.is_complete());
/// assert_eq!(text.push(b"ok\xed\xa0").unwrap_err().at, 3);
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Utf8 {
    open: Character,
}

impl Utf8 {
    /// A check at the start of a text.
    pub const fn new() -> Self {
        Self {
            open: Character::NONE,
        }
    }

    /// Checks the next piece of the text.
    ///
    /// # Errors
    /// [`InvalidUtf8`] with the place of the first impossible byte; the check
    /// is then spent.
    #[inline]
    pub fn push(&mut self, piece: &[u8]) -> Result<(), InvalidUtf8> {
        if !FAST {
            return self.step_through(piece, 0);
        }
        let open = self.close_open(piece)?;
        let rest = &piece[open..];
        let (whole, cut) = rest.split_at(rest.len() - begun(rest)); // not beyond it
        if super::simd::is_utf8(whole) {
            return self.step_through(cut, open + whole.len());
        }
        match core::str::from_utf8(rest) {
            Ok(_) => Ok(()),
            Err(error) => {
                let valid = error.valid_up_to();
                self.step_through(&rest[valid..], open + valid)
            }
        }
    }

    /// Whether the text so far ends with a whole character.
    #[inline]
    pub const fn is_complete(&self) -> bool {
        self.open.is_whole()
    }

    /// Bytes at the end of the text so far that belong to a character that has
    /// not arrived in full: 0 to 3.
    #[inline]
    pub const fn pending(&self) -> usize {
        self.open.seen()
    }

    /// Takes the bytes that finish an open character, as far as they are
    /// there; returns how many.
    fn close_open(&mut self, piece: &[u8]) -> Result<usize, InvalidUtf8> {
        let mut at = 0;
        while !self.open.is_whole() {
            let Some(&b) = piece.get(at) else { break };
            if !self.open.step(b) {
                return Err(InvalidUtf8 { at });
            }
            at += 1;
        }
        Ok(at)
    }

    /// Steps through the few bytes of a character that is cut or invalid.
    fn step_through(&mut self, tail: &[u8], offset: usize) -> Result<(), InvalidUtf8> {
        match self.open.step_through(tail) {
            Some(at) => Err(InvalidUtf8 { at: offset + at }),
            None => Ok(()),
        }
    }
}

/// How many bytes at the end of `text` begin a character and do not end it.
fn begun(text: &[u8]) -> usize {
    match *text {
        [.., 0xc2..=0xff] => 1,
        [.., 0xe0..=0xff, _] => 2,
        [.., 0xf0..=0xff, _, _] => 3,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The longest prefix that some continuation makes valid, by brute force
    /// over what std accepts.
    fn first_impossible(text: &[u8]) -> Option<usize> {
        const TAILS: [&[u8]; 6] = [
            b"",
            b"\x80",
            b"\x80\x80",
            b"\x80\x80\x80",
            b"\xa0\x80\x80",
            b"\x90\x80\x80",
        ];
        (0..text.len()).find(|&at| {
            let prefix = &text[..=at];
            !TAILS.iter().any(|tail| {
                (0..=tail.len())
                    .any(|n| core::str::from_utf8(&[prefix, &tail[..n]].concat()).is_ok())
            })
        })
    }

    fn pushed(pieces: &[&[u8]]) -> Result<Utf8, usize> {
        let (mut check, mut offset) = (Utf8::new(), 0);
        for piece in pieces {
            check.push(piece).map_err(|error| offset + error.at)?;
            offset += piece.len();
        }
        Ok(check)
    }

    #[test]
    fn every_two_and_three_byte_start_fails_at_its_first_impossible_byte() {
        for a in 0x70..=255u8 {
            for b in (0..=255u8).step_by(3) {
                for c in [0x00, 0x7f, 0x80, 0x9f, 0xa0, 0xbf, 0xc0, 0xff] {
                    let text = [a, b, c];
                    assert_eq!(pushed(&[&text]).err(), first_impossible(&text), "{text:x?}");
                }
            }
        }
    }

    #[test]
    fn a_cut_character_is_pending() {
        for (cut, pending) in [(1, 1), (2, 2), (3, 3), (4, 0)] {
            let check = pushed(&[&"😀".as_bytes()[..cut]]).unwrap();
            assert_eq!(
                (check.pending(), check.is_complete()),
                (pending, pending == 0)
            );
        }
    }

    proptest! {
        #[test]
        fn any_split_fails_at_the_same_byte(
            text in proptest::collection::vec(prop_oneof![any::<u8>(), 0x80..0xc0u8, Just(0xe2), Just(0xf0), 0x20..0x7fu8], 0..24),
            cut in 0..24usize, again in 0..24usize,
        ) {
            let whole = pushed(&[&text]).map(|c| c.pending());
            prop_assert_eq!(whole.err(), first_impossible(&text));
            let (a, b) = (cut.min(text.len()), again.min(text.len()));
            let (a, b) = (a.min(b), a.max(b));
            let split = pushed(&[&text[..a], &text[a..b], &text[b..]]).map(|c| c.pending());
            prop_assert_eq!(whole, split);
            prop_assert_eq!(whole == Ok(0), core::str::from_utf8(&text).is_ok());
        }
    }
}
