//! Whole heads, found by vectors in one pass.
//!
//! ```text
//!  Host: example.org\r\nAccept: */*\r\n\r\n
//!  ^^^^                 ^^^^^^                 runs of token that begin a line
//!      |            |         |    |   |       marks: ends of names, and CRs
//! ```
//!
//! Blocks of 64 bytes become bit masks. All ends of names in a block are found
//! at once: the bits where lines begin are added to the mask of token bytes,
//! and each carry ripples through its run and comes out where the name ends.
//! Marks come in turn: the end of a name, the end of its line.
//!
//! Only what is whole and without fault is found here. Of everything else
//! nothing is said, and `head` looks at it line by line.

use super::semantics::Semantics;
use crate::http::FieldRange;
use crate::wire::ascii;
use crate::wire::simd::{Blocks, Job};

/// A whole head in which every line has its form.
#[derive(Debug, PartialEq)]
pub(super) struct Lines {
    /// Where the first token and the first line end; 0 if there is no start
    /// line.
    pub(super) start: (usize, usize),
    /// How many fields there are, stored or not.
    pub(super) fields: usize,
    /// One past the empty line.
    pub(super) end: usize,
    /// What the fields mean for the connection.
    pub(super) semantics: Semantics,
}

/// The search for one.
pub(super) struct Search<'t, 'r> {
    /// What begins with the head, shorter than 4 GiB.
    pub(super) text: &'t [u8],
    /// Where the fields go, as far as there is room.
    pub(super) ranges: &'r mut [FieldRange],
    /// Whether the first line is a start line.
    pub(super) start_line: bool,
}

impl Job for Search<'_, '_> {
    type Output = Option<Lines>;

    #[inline(always)]
    fn run<B: Blocks>(mut self, blocks: B) -> Option<Lines> {
        let text = self.text;
        let mut marks = Marks::new(blocks, text);
        let mut found = Lines {
            start: (0, 0),
            fields: 0,
            end: 0,
            semantics: Semantics::default(),
        };
        let mut open = None; // the end of a name whose line has not ended
        while !marks.last {
            let mut bits = marks.load()?;
            let base = marks.base as u32;
            if bits != 0
                && let Some(name_end) = open.take()
            {
                self.line(name_end, base + bits.trailing_zeros(), &mut found)?;
                bits &= bits - 1;
            }
            // In pairs: the lowest bit, and the one above it.
            while let above = bits & bits.wrapping_sub(1)
                && above != 0
            {
                let (name_end, line_end) = (bits.trailing_zeros(), above.trailing_zeros());
                self.line(base + name_end, base + line_end, &mut found)?;
                bits = above & (above - 1);
            }
            if bits != 0 {
                open = Some(base + bits.trailing_zeros());
            }
        }
        // What is left is the CR of the empty line.
        let at = found.end;
        let whole = open == Some(at as u32) && !self.start_line;
        if !whole || text.get(at..at + 2) != Some(b"\r\n") {
            return None;
        }
        found.end = at + 2;
        Some(found)
    }
}

impl Search<'_, '_> {
    /// Takes the line from `found.end` to `line_end`, of which all up to
    /// `name_end` are token bytes; `None` if it is no line.
    #[inline(always)]
    fn line(&mut self, name_end: u32, line_end: u32, found: &mut Lines) -> Option<()> {
        let from = found.end;
        let line = self.text.get(from..line_end as usize)?;
        let (name, rest) = line.split_at_checked((name_end as usize).checked_sub(from)?)?;
        found.end = line_end as usize + 2;
        if self.start_line {
            self.start_line = false;
            found.start = (name_end as usize, line_end as usize);
            return (!rest.is_empty()).then_some(());
        }
        let [b':', rest @ ..] = rest else {
            return None;
        };
        if name.is_empty() {
            return None;
        }
        let (skipped, value) = trim(rest);
        let range = FieldRange {
            name: from as u32,
            name_end,
            value: name_end + 1 + skipped,
            value_end: name_end + 1 + skipped + value.len() as u32,
        };
        if let Some(place) = self.ranges.get_mut(found.fields) {
            *place = range;
        }
        found.semantics.add(name, value, range);
        found.fields += 1;
        Some(())
    }
}

/// `text` without the white space at its ends, and how much stood in front. It
/// holds no control characters but HTAB, and is shorter than 4 GiB.
#[inline(always)]
pub(super) fn trim(text: &[u8]) -> (u32, &[u8]) {
    // One space in front and none behind, mostly.
    let (skipped, value) = match text {
        [b' ', value @ ..] => (1, value),
        _ => (0, text),
    };
    match value {
        [first, .., last] if *first > b' ' && *last > b' ' => (skipped, value),
        _ => trim_more(text),
    }
}

#[cold]
fn trim_more(text: &[u8]) -> (u32, &[u8]) {
    let value = ascii::trim_ows(text);
    let skipped = text.iter().take_while(|&&b| matches!(b, b' ' | b'\t'));
    match value {
        [] => (text.len() as u32, value),
        _ => (skipped.count() as u32, value),
    }
}

/// The marks of a head, in order.
struct Marks<'t, B> {
    blocks: B,
    text: &'t [u8],
    /// Where it begins.
    base: usize,
    /// Where the next one begins.
    next: usize,
    /// Whether the head ends in the present block.
    last: bool,
    /// Whether the next block begins with a line.
    line: u64,
    /// Whether it begins within a name.
    run: u64,
    /// Whether a CR stands in front of it.
    cr: u64,
}

impl<'t, B: Blocks> Marks<'t, B> {
    #[inline(always)]
    const fn new(blocks: B, text: &'t [u8]) -> Self {
        Self {
            blocks,
            text,
            base: 0,
            next: 0,
            last: false,
            line: 1,
            run: 0,
            cr: 0,
        }
    }

    /// The marks of the next block; `None` if the text has ended or the block
    /// holds a bad byte before the head's end.
    #[inline(always)]
    fn load(&mut self) -> Option<u64> {
        let (masks, len) = self.blocks.at(self.text, self.next);
        let here = match len {
            64 => !0,
            _ => (1_u64 << len) - 1,
        };
        let starts = masks.lf << 1 | self.line;
        let (sum, carry) = masks.token.overflowing_add(starts & masks.token);
        let (sum, again) = sum.overflowing_add(self.run);
        let name_ends = (sum | starts) & !masks.token & !masks.cr;
        let empty_lines = starts & masks.cr;
        // All up to the first empty line: what is behind is no head.
        let head = match empty_lines {
            0 => here,
            _ => empty_lines ^ (empty_lines - 1),
        };
        let unpaired = masks.lf ^ (masks.cr << 1 | self.cr);
        if (masks.control | unpaired) & head != 0 || len == 0 {
            return None;
        }
        self.base = self.next;
        self.next += len;
        self.last = empty_lines != 0 || len < 64;
        self.line = masks.lf >> 63;
        self.run = u64::from(carry | again);
        self.cr = masks.cr >> 63;
        Some((name_ends | masks.cr) & head)
    }
}
