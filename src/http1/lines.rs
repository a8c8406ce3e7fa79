//! Whole heads, found by vectors in one pass.
//!
//! ```text
//!  Host: example.org\r\nAccept: */*\r\n\r\n
//!  ----|            |   ------|     |   |    a run of token, the end of its line
//! ```
//!
//! Bytes that a line of a head seldom holds become the bits of a mask, and nearly
//! all of them are the CRs and LFs of its ends. So the lowest bit is the end of a
//! line, and it is looked at in three places only: the run of token that it begins
//! with, the ends of its value, and, if its length is that of a known name, its
//! first letters.
//!
//! Only what is complete and without fault is found here. Of everything else
//! nothing is said, and `head` looks at it line by line.

use super::semantics::Semantics;
use super::start_line::StartLine;
use crate::http::FieldRange;
use crate::wire::ascii;
use crate::wire::simd::{Blocks, HeadLines, Job};

/// The result of scanning a head in which every line has its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Lines {
    /// Where the first line ends; 0 if there is no start line.
    pub(super) start: usize,
    /// How many fields there are, stored or not.
    pub(super) fields: usize,
    pub(super) end: usize,
    /// The meaning of the fields for the connection.
    pub(super) semantics: Semantics,
}

/// A whole head. Ranges of its fields are stored as far as there is room, so
/// that there can be fewer than it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head<S> {
    pub(crate) start: S,
    pub(crate) lines: Lines,
}

impl<S: StartLine> Head<S> {
    /// One that was not read yet.
    #[inline]
    pub(crate) fn new() -> Self {
        Self {
            start: S::EMPTY,
            lines: Lines::default(),
        }
    }
}

/// The search for a head in a text shorter than 4 GiB: complete, good, and with room for its
/// fields.
pub(super) struct Search<'h, S> {
    /// Where the rest goes, new before.
    pub(super) head: &'h mut Head<S>,
    /// The most bytes of a target.
    pub(super) longest_target: u32,
}

impl<S: StartLine> Job for Search<'_, S> {
    type Destination<'p> = &'p mut [FieldRange];
    type Output = bool;

    #[inline(always)]
    fn run<B: Blocks>(self, blocks: B, text: &[u8], ranges: &mut [FieldRange]) -> bool {
        self.search(blocks, text, ranges).is_some()
    }
}

impl<S: StartLine> Search<'_, S> {
    #[inline(always)]
    fn search<B: Blocks>(self, blocks: B, text: &[u8], ranges: &mut [FieldRange]) -> Option<()> {
        let Head {
            start,
            lines: found,
        } = self.head;
        let mut lines = HeadLines::new(blocks, text)?;
        if S::IS_THERE {
            found.start = lines.pass()?;
            *start = S::parse_usual(text.get(..found.start)?, self.longest_target)?;
        } else if text.starts_with(b"\r\n") {
            found.end = 2;
            return Some(());
        }
        let mut room = ranges.iter_mut();
        while !lines.is_at_end() {
            let line = lines.field()?;
            *room.next()? = FieldRange {
                name: line.name,
                name_end: line.name_end,
                value: line.value,
                value_end: line.value_end,
            };
            found.semantics.add(blocks, text, &line);
        }
        let left = room.len();
        found.fields = ranges.len() - left;
        found.end = lines.at() + 2;
        Some(())
    }
}

/// `text` without the white space at its ends, and how much stood in front. It
/// holds no control characters but HTAB, and is shorter than 4 GiB.
pub(super) fn trim(text: &[u8]) -> (u32, &[u8]) {
    let value = ascii::trim_ows(text);
    let skipped = text.iter().take_while(|&&b| matches!(b, b' ' | b'\t'));
    match value {
        [] => (text.len() as u32, value),
        _ => (skipped.count() as u32, value),
    }
}
