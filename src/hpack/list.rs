//! The list of fields that a block decodes to.

use super::FIELD_OVERHEAD;
use crate::http::FieldRange;

/// The fields of a list that came as never-indexed literals (RFC 7541
/// §6.2.3): an intermediary must send them so again.
///
/// The fields from the 64th on share one bit: if one of them is never indexed,
/// all are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NeverIndexed(u64);

impl NeverIndexed {
    /// No field.
    pub const NONE: Self = Self(0);

    /// Whether the field at `index` of the list is one of them.
    #[inline]
    pub const fn contains(self, index: usize) -> bool {
        self.0 & Self::bit(index) != 0
    }

    /// Whether it is empty.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Adds the field at `index`.
    #[inline]
    pub const fn insert(&mut self, index: usize) {
        self.0 |= Self::bit(index);
    }

    /// The marks of the list without its first `n` fields.
    #[inline]
    pub const fn after(self, n: usize) -> Self {
        if n >= 63 {
            return Self(if self.contains(63) { u64::MAX } else { 0 });
        }
        // The shared bit stands for every field beyond: it stays, and all that
        // moves below it stands for some of them.
        let shared = if self.contains(63) {
            u64::MAX << (63 - n)
        } else {
            0
        };
        Self(self.0 >> n | shared)
    }

    const fn bit(index: usize) -> u64 {
        1 << if index < 63 { index } else { 63 }
    }
}

pub(super) struct List<'b> {
    pub(super) text: &'b mut [u8],
    pub(super) fields: &'b mut [FieldRange],
    pub(super) at: usize,   // end of the text written, <= text.len()
    pub(super) left: usize, // of the list limit
    pub(super) count: usize,
    pub(super) never: NeverIndexed,
}

impl List<'_> {
    /// Room for the next field's text; `None` if not even an empty one may
    /// follow.
    #[inline]
    pub(super) fn room(&mut self) -> Option<&mut [u8]> {
        if self.count >= self.fields.len() {
            return None;
        }
        let left = self.left.checked_sub(FIELD_OVERHEAD as usize)?;
        let rest = self.text.get_mut(self.at..)?;
        let n = left.min(rest.len());
        Some(&mut rest[..n]) // n <= rest.len()
    }

    /// Takes the field of `len` octets that was written to the front of the
    /// room.
    #[inline]
    pub(super) fn push(&mut self, name: usize, len: usize) {
        // The text is below 4 GiB: its length is limited by a u32.
        let start = self.at as u32;
        let middle = start + name as u32;
        let end = start + len as u32;
        if let Some(field) = self.fields.get_mut(self.count) {
            *field = FieldRange {
                name: start,
                name_end: middle,
                value: middle,
                value_end: end,
            };
        }
        self.count += 1;
        self.at = end as usize;
        self.left = self.left.saturating_sub(len + FIELD_OVERHEAD as usize);
    }
}
