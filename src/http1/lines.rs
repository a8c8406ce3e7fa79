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
    fn run<B: Blocks>(self, blocks: B) -> Option<Lines> {
        let text = self.text;
        let mut marks = Marks::new(blocks, text);
        let mut semantics = Semantics::default();
        let (mut start, mut line, mut fields) = ((0, 0), 0, 0);
        let mut in_start = self.start_line;
        let mut open = None; // the end of a name whose line has not ended
        while !marks.last {
            let mut bits = marks.load()?;
            while bits != 0 {
                let at = marks.base + bits.trailing_zeros() as usize;
                bits &= bits - 1; // not 0
                let byte = text.get(at).copied();
                let Some(name_end) = open else {
                    match byte {
                        Some(b':') if at != line => {}
                        Some(b'\r') | None => {
                            let whole = at == line
                                && !in_start
                                && text.get(line..line + 2) == Some(b"\r\n");
                            return whole.then_some(Lines {
                                start,
                                fields,
                                end: line + 2,
                                semantics,
                            });
                        }
                        Some(_) if in_start => {}
                        Some(_) => return None,
                    }
                    open = Some(at);
                    continue;
                };
                open = None;
                if in_start {
                    (start, in_start) = ((name_end, at), false);
                } else {
                    let (value, value_end) = trim(text, name_end + 1, at);
                    let range = FieldRange {
                        name: line as u32,
                        name_end: name_end as u32,
                        value: value as u32,
                        value_end: value_end as u32,
                    };
                    if let Some(place) = self.ranges.get_mut(fields) {
                        *place = range;
                    }
                    semantics.add(text, range);
                    fields += 1;
                }
                line = at + 2;
            }
        }
        None
    }
}

/// `[from, to)` without the white space at its ends.
#[inline(always)]
pub(super) fn trim(text: &[u8], mut from: usize, mut to: usize) -> (usize, usize) {
    while from < to && matches!(text.get(from), Some(b' ' | b'\t')) {
        from += 1;
    }
    while to > from && matches!(text.get(to - 1), Some(b' ' | b'\t')) {
        to -= 1;
    }
    (from, to)
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
