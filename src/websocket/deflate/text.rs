//! Values of the field, written without an allocator.

use core::fmt;

use crate::wire::simd;

/// Text of at most `N` bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text<const N: usize> {
    bytes: [u8; N],
    len: usize, // <= N
}

impl<const N: usize> Text<N> {
    pub(super) const EMPTY: Self = Self {
        bytes: [0; N],
        len: 0,
    };

    /// The text that `value` writes; empty if it is too long.
    pub(crate) fn of(value: impl fmt::Display) -> Self {
        let mut text = Self::EMPTY;
        match fmt::write(&mut text, format_args!("{value}")) {
            Ok(()) => text,
            Err(fmt::Error) => Self::EMPTY,
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        // It was written as text.
        simd::as_text(self.bytes.get(..self.len).unwrap_or_default()).unwrap_or_default()
    }
}

impl<const N: usize> fmt::Write for Text<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len + text.len();
        let place = self.bytes.get_mut(self.len..end).ok_or(fmt::Error)?;
        place.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}
