//! Lines of fields, looked at a window at a time.
//!
//! ```text
//!  Accept-Language: en\r\n
//!  ---------------|   |       a run of token, the end of the line
//! ```
//!
//! A window that begins with the line shows both, mostly. Where a line is longer
//! than that, only its end is looked for after the window.

use super::blocks::{Blocks, Class, WINDOW};
use crate::wire::ascii;

const CRLF: u16 = u16::from_le_bytes(*b"\r\n");

const END: u32 = u32::from_le_bytes(*b"\r\n\r\n");

const COLON: u16 = u16::from_le_bytes(*b": ");

/// Where a field lies whose line is of the form `token ":" OWS value OWS`, as
/// offsets of the text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FieldLine {
    pub(crate) name: u32,
    pub(crate) name_end: u32,
    pub(crate) value: u32,
    pub(crate) value_end: u32,
    /// The first four bytes of the line.
    pub(crate) first: u32,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct HeadLines<'t, B> {
    blocks: B,
    text: &'t [u8],
    /// Where the last window begins: three bytes stand after it, so that all
    /// that windows show has them after it.
    last: usize,
    /// Where the next line begins, within the text.
    line: usize,
    /// Unusual bytes from `base` on that were not looked at. All are shown by
    /// windows.
    bits: u64,
    base: usize,
    tail: u32,
}

/// Bytes that follow whatever a window shows.
const BEHIND: usize = 3;

impl<'t, B: Blocks> HeadLines<'t, B> {
    /// The lines of `text`; `None` if it is shorter than a window and the end of
    /// a head.
    #[inline(always)]
    pub(crate) fn new(blocks: B, text: &'t [u8]) -> Option<Self> {
        let mut lines = Self {
            blocks,
            text,
            last: text.len().checked_sub(WINDOW + BEHIND)?,
            line: 0,
            bits: 0,
            base: 0,
            tail: 0,
        };
        lines.bits = u64::from(blocks.unusual(lines.shown(0)));
        Some(lines)
    }

    /// Whether the next line is the empty one.
    #[inline(always)]
    pub(crate) const fn is_at_end(&self) -> bool {
        self.tail == END
    }

    #[inline(always)]
    pub(crate) const fn at(&self) -> usize {
        self.line
    }

    /// Passes a line of any form and returns its end; `None` if incomplete or faulty.
    ///
    /// Ends are found ahead of what stands between, so that no line waits for the former.
    #[inline(always)]
    pub(crate) fn pass(&mut self) -> Option<usize> {
        loop {
            while self.bits == 0 {
                self.look_on()?;
            }
            let at = self.base + self.bits.trailing_zeros() as usize;
            self.bits &= self.bits - 1;
            // SAFETY: a window has shown the byte at `at`, so that three are
            // after it.
            self.tail = unsafe { load_32(self.text, at) };
            if self.tail as u16 == CRLF {
                self.bits &= self.bits.wrapping_sub(1); // the LF, if it is in this window
                self.line = at + 2;
                return Some(at);
            }
            if !is_within_a_line(self.text, at) {
                return None;
            }
        }
    }

    /// Passes the line of a field; `None` if it is not a field, not whole, or the empty
    /// line.
    #[inline(always)]
    pub(crate) fn field(&mut self) -> Option<FieldLine> {
        let line = self.line;
        let end = self.pass()?;
        let name_len = self.name_len(line);
        let name_end = line + name_len;
        let (name_end, value, value_end) = match self.is_usual(name_len, name_end, end) {
            true => (name_end as u32, name_end as u32 + 2, end as u32),
            false => unusual_field(self.text, line, end).parts()?,
        };
        Some(FieldLine {
            name: line as u32,
            name_end,
            value,
            value_end,
            // SAFETY: a window has shown the end of the line, which is not in
            // front of its beginning, so that three bytes are after it.
            first: unsafe { load_32(self.text, line) },
        })
    }

    /// Whether a name of some length ends at `name_end` and one space is in front
    /// of a value that ends at `end`.
    #[inline(always)]
    fn is_usual(&self, name_len: usize, name_end: usize, end: usize) -> bool {
        if name_len.wrapping_sub(1) >= WINDOW - 1 {
            return false;
        }
        // SAFETY: a window has shown the byte at `name_end`, so that three are
        // after it.
        let colon = unsafe { load_32(self.text, name_end) };
        if colon as u16 != COLON || colon.to_le_bytes()[2] <= b' ' {
            return false;
        }
        // SAFETY: three bytes, none of them the CR at `end`, begin at `name_end`,
        // which is not after `end` because a CR ends a name.
        unsafe { *self.text.get_unchecked(end - 1) > b' ' }
    }

    /// How long the run of token is that begins at `line`; at least [`WINDOW`]
    /// if no window shows the byte after it.
    #[inline(always)]
    fn name_len(&self, line: usize) -> usize {
        let from = line.min(self.last);
        // A line begins within the text: at most 35 after the last window.
        let (window, skipped) = (self.shown(from), line - from);
        self.blocks.run_in(Class::TOKEN, window, skipped)
    }

    /// The window from `from` on, which is not after the last.
    #[inline(always)]
    fn shown(&self, from: usize) -> &'t [u8; WINDOW] {
        debug_assert!(from <= self.last);
        // SAFETY: a window and three bytes begin at `last`, within the text, and
        // all callers ask for none after it.
        unsafe { &*self.text.as_ptr().add(from).cast() }
    }

    #[inline(always)]
    fn look_on(&mut self) -> Option<()> {
        self.base += WINDOW;
        if self.base <= self.last {
            self.bits = u64::from(self.blocks.unusual(self.shown(self.base)));
            return Some(());
        }
        let seen = self.base - self.last;
        if seen >= WINDOW {
            return None;
        }
        self.bits = u64::from(self.blocks.unusual(self.shown(self.last))) >> seen;
        Some(())
    }
}

/// Whether the unusual byte at `at` may stand in a line, or is the LF of an
/// end that was found in the window before.
#[cold]
#[inline(never)]
fn is_within_a_line(text: &[u8], at: usize) -> bool {
    match text.get(at) {
        Some(b'\n') => at > 0 && text.get(at - 1) == Some(&b'\r'),
        Some(b) => ascii::is_field_vchar(*b),
        None => false,
    }
}

/// The ends of a name and a value and where the value begins, in what two
/// registers hold; zeros if there is no field.
#[derive(Debug, Clone, Copy)]
struct Packed(u64, u64);

impl Packed {
    const NOTHING: Self = Self(0, 0);

    /// Offsets of a text that is shorter than 4 GiB.
    const fn new(name_end: usize, value: usize, value_end: usize) -> Self {
        Self((name_end as u64) << 32 | value as u64, value_end as u64)
    }

    #[inline(always)]
    fn parts(self) -> Option<(u32, u32, u32)> {
        (self.0 != 0).then_some(((self.0 >> 32) as u32, self.0 as u32, self.1 as u32))
    }
}

/// The field from `line` to `end`, looked at byte by byte.
#[cold]
#[inline(never)]
fn unusual_field(text: &[u8], line: usize, end: usize) -> Packed {
    let rest = text.get(line..end).unwrap_or_default();
    let name_len = rest.iter().take_while(|&&b| ascii::is_tchar(b)).count();
    let (name_end, value) = match rest.get(name_len..) {
        Some([b':', value @ ..]) if name_len > 0 => (line + name_len, value),
        _ => return Packed::NOTHING,
    };
    let spaces = value.iter().take_while(|&&b| matches!(b, b' ' | b'\t'));
    let from = name_end + 1 + spaces.count();
    let trimmed = ascii::trim_ows(value);
    Packed::new(name_end, from, from + trimmed.len())
}

/// Four bytes of `text`.
///
/// # Safety
/// They begin at `at` and lie within the text.
#[inline(always)]
unsafe fn load_32(text: &[u8], at: usize) -> u32 {
    debug_assert!(text.get(at..).is_some_and(|rest| rest.len() >= 4));
    // SAFETY: the caller says that they are there; no alignment is asked for.
    u32::from_le(unsafe { text.as_ptr().add(at).cast::<u32>().read_unaligned() })
}
