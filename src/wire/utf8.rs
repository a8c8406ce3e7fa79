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
mod tests;
