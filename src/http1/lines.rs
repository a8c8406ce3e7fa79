//! Whole heads, found by vectors in one pass.
//!
//! ```text
//!  Host: example.org\r\nAccept: */*\r\n\r\n
//!  ----|            |   ------|     |   |    a run of token, the end of its line
//! ```
//!
//! Bytes that a line of a head seldom holds become the bits of a mask, and nearly
//! all of them are the CRs and LFs of its ends. So lines are found by the lowest
//! bits, and a line is looked at in three places only: the run of token that it
//! begins with, the ends of its value, and, if its length is that of a known
//! name, its first letters.
//!
//! Only what is whole and without fault is found here. Of everything else
//! nothing is said, and `head` looks at it line by line.

use super::semantics::Semantics;
use crate::http::FieldRange;
use crate::wire::ascii;
use crate::wire::simd::{Blocks, Class, Job, WINDOW};

/// What was found of a head in which every line has its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Lines {
    /// Where the first line ends; 0 if there is no start line.
    pub(super) start: usize,
    /// How many fields there are, stored or not.
    pub(super) fields: usize,
    /// One past the empty line.
    pub(super) end: usize,
    /// What the fields mean for the connection.
    pub(super) semantics: Semantics,
}

/// The search for one: says whether it is here, whole and without fault.
pub(super) struct Search<'t, 'r, 'l> {
    /// What begins with the head, shorter than 4 GiB.
    pub(super) text: &'t [u8],
    /// Where the fields go, as far as there is room.
    pub(super) ranges: &'r mut [FieldRange],
    /// Where the rest goes, empty before.
    pub(super) lines: &'l mut Lines,
    /// Whether the first line is a start line.
    pub(super) start_line: bool,
}

impl Job for Search<'_, '_, '_> {
    type Output = bool;

    #[inline(always)]
    fn run<B: Blocks>(self, blocks: B) -> bool {
        self.search(blocks).is_some()
    }
}

impl Search<'_, '_, '_> {
    #[inline(always)]
    fn search<B: Blocks>(self, blocks: B) -> Option<()> {
        let (text, lines) = (self.text, self.lines);
        if text.len() < WINDOW {
            return None;
        }
        let mut ends = Ends::new(blocks, text);
        let mut line = 0; // where the open line begins
        if self.start_line {
            lines.start = ends.next()?;
            line = lines.start + 2;
        }
        let mut fields = 0;
        loop {
            let end = ends.next()?;
            if end == line {
                lines.fields = fields;
                lines.end = end + 2;
                return Some(());
            }
            let range = field(blocks, text, line, end)?;
            if let Some(place) = self.ranges.get_mut(fields) {
                *place = range;
            }
            lines.semantics.add(blocks, text, range);
            fields += 1;
            line = end + 2;
        }
    }
}

/// The field in the line from `line` to `end`, which is not empty.
#[inline(always)]
fn field<B: Blocks>(blocks: B, text: &[u8], line: usize, end: usize) -> Option<FieldRange> {
    let mut name_len = blocks.run_of(Class::TOKEN, text, line);
    if name_len >= WINDOW {
        name_len = long_name(text, line);
    }
    let name_end = line + name_len;
    // One space in front of the value and none behind it, mostly.
    let usual = match text.get(name_end..end)? {
        [b':', b' ', first, ..] => *first > b' ',
        _ => false,
    };
    let (value, value_end) = match text.get(end - 1) {
        Some(last) if usual && *last > b' ' => (name_end + 2, end),
        _ => value(text.get(name_end..end)?, name_end)?,
    };
    (name_len > 0).then_some(FieldRange {
        name: line as u32,
        name_end: name_end as u32,
        value: value as u32,
        value_end: value_end as u32,
    })
}

/// The length of a name that is longer than a window.
#[cold]
fn long_name(text: &[u8], line: usize) -> usize {
    let rest = text.get(line..).unwrap_or_default();
    rest.iter().take_while(|&&b| ascii::is_tchar(b)).count()
}

/// Where the value lies in a `rest` of a line that begins at `at`; `None` unless
/// a colon is the first of it.
#[cold]
fn value(rest: &[u8], at: usize) -> Option<(usize, usize)> {
    let [b':', rest @ ..] = rest else {
        return None;
    };
    let (skipped, value) = trim(rest);
    let from = at + 1 + skipped as usize;
    Some((from, from + value.len()))
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

/// The ends of lines, in order.
struct Ends<'t, B> {
    blocks: B,
    text: &'t [u8],
    /// Unusual bytes of the present window that were not looked at.
    bits: u64,
    /// Where it begins.
    base: usize,
}

impl<'t, B: Blocks> Ends<'t, B> {
    /// From the front of `text`, which is no shorter than a window.
    #[inline(always)]
    fn new(blocks: B, text: &'t [u8]) -> Self {
        let bits = blocks.window(text, 0, |window| blocks.unusual(window));
        Self {
            blocks,
            text,
            bits,
            base: 0,
        }
    }

    /// Where the next CRLF begins; `None` if the text ends or something stands
    /// before it that cannot stand in a line.
    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        loop {
            while self.bits == 0 {
                self.base += WINDOW;
                if self.base >= self.text.len() {
                    return None;
                }
                let (blocks, text) = (self.blocks, self.text);
                self.bits = blocks.window(text, self.base, |window| blocks.unusual(window));
            }
            let at = self.base + self.bits.trailing_zeros() as usize;
            self.bits &= self.bits - 1;
            if self.text.get(at..at + 2) == Some(b"\r\n") {
                self.bits &= self.bits.wrapping_sub(1); // the LF, if it is in this window
                return Some(at);
            }
            if !is_within_a_line(self.text, at) {
                return None;
            }
        }
    }
}

/// Whether the unusual byte at `at` may stand in a line, or is the LF of an end
/// that was found in the window before.
#[cold]
fn is_within_a_line(text: &[u8], at: usize) -> bool {
    match text.get(at) {
        Some(b'\n') => at > 0 && text.get(at - 1) == Some(&b'\r'),
        Some(b) => ascii::is_field_vchar(*b),
        None => false,
    }
}
