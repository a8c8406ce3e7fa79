//! Heads: from bytes to ranges.
//!
//! ```text
//!  GET /path?query HTTP/1.1 CRLF      start line: none in a trailer section
//!  name ":" OWS value OWS CRLF        field lines
//!  CRLF                               the end
//! ```
//!
//! Pure functions without a connection's state, so that the scan can be
//! exchanged. Faults have a place: a bad byte is reported at that byte, a bad
//! line when it ends, and the first of them wins, so that a head gives the
//! same answer however it was cut into pieces. What the fields mean is judged
//! elsewhere, when the head is whole.
//!
//! Obsolete line folding (RFC 9112 §5.2).
//!
//! ```text
//!  name ":" value CRLF          name ":" value SP SP
//!  SP value CRLF          ──▶   SP value CRLF
//! ```
//!
//! A server refuses it. A user agent has to make spaces of it, which happens
//! in place.

use super::ProtocolError;
use super::lines::{self, Head, Search};
use super::start_line::{RequestLine, StartLine};
use crate::http::FieldRange;
use crate::wire::{ascii, simd};

/// How far an unfinished head was looked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Progress {
    /// Where its unfinished line begins. All lines before are good.
    pub(crate) line: u32,
    /// Up to where no line ends and no byte is bad; at least `line`.
    pub(crate) scanned: u32,
}

impl Progress {
    /// Offsets of a text that a limit of 32 bits has been cut to.
    const fn new(line: usize, scanned: usize) -> Self {
        Self {
            line: line as u32,
            scanned: scanned as u32,
        }
    }
}

/// Why there is no whole head.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Incomplete(Progress),
    Fault(ProtocolError),
}

impl From<ProtocolError> for Stop {
    fn from(violation: ProtocolError) -> Self {
        Self::Fault(violation)
    }
}

/// Finds a complete, good head of the usual form at the front of `text` (shorter than 4 GiB) in
/// one pass.
#[inline(always)]
pub(crate) fn find<S: StartLine>(
    text: &[u8],
    ranges: &mut [FieldRange],
    longest_target: u32,
    head: &mut Head<S>,
) -> bool {
    let search = Search {
        head,
        longest_target,
    };
    simd::dispatch(search, text, ranges)
}

/// [Finds](find) a complete head, or says line by line what is wrong or how far it is.
#[inline]
pub(crate) fn parse<S: StartLine>(
    text: &[u8],
    ranges: &mut [FieldRange],
    longest_target: u32,
    head: &mut Head<S>,
) -> Result<(), Stop> {
    match find(text, ranges, longest_target, head) {
        true => Ok(()),
        false => parse_lines(text, ranges, longest_target, head),
    }
}

/// The fault in the request line of a complete head whose target was refused.
#[cold]
pub(crate) fn fault_of_target(text: &[u8], longest_target: u32) -> ProtocolError {
    let line = line_end(text, 0, 0).map(|end| text.get(..end).unwrap_or_default());
    match line.map(|line| RequestLine::parse(line, longest_target)) {
        Ok(Err(violation)) => violation,
        Ok(Ok(_)) | Err(_) => ProtocolError::Target,
    }
}

/// The search of [`parse`] line by line: the only way that knows where a head
/// stops.
#[cold]
#[inline(never)]
pub(crate) fn parse_lines<S: StartLine>(
    text: &[u8],
    ranges: &mut [FieldRange],
    longest_target: u32,
    head: &mut Head<S>,
) -> Result<(), Stop> {
    *head = Head::new();
    let mut at = 0;
    if S::IS_THERE {
        let end = line_end(text, 0, 0)?;
        head.start = S::parse(&text[..end], longest_target)?;
        head.lines.start = end;
        at = end + 2;
    }
    while let Some((range, next)) = field(text, at)? {
        // Fields beyond the room are counted all the same: what frames the message may be among
        // them, and the caller refuses it by their number.
        if let Some(place) = ranges.get_mut(head.lines.fields) {
            *place = range;
        }
        let line = simd::FieldLine {
            name: range.name,
            name_end: range.name_end,
            value: range.value,
            value_end: range.value_end,
            first: first_word(text.get(at..).unwrap_or_default()),
        };
        head.lines.semantics.add(simd::swar::Words, text, &line);
        head.lines.fields += 1;
        at = next;
    }
    head.lines.end = at + 2;
    Ok(())
}

/// The first four bytes of a line; 0 if they are not here.
fn first_word(line: &[u8]) -> u32 {
    line.first_chunk()
        .map_or(0, |word| u32::from_le_bytes(*word))
}

/// Continues an earlier search; whether the head at the front of `text` is complete now. Looks
/// at each byte at most twice.
pub(crate) fn resume<S: StartLine>(
    text: &[u8],
    progress: Progress,
    longest_target: u32,
) -> Result<(), Stop> {
    let mut line = progress.line as usize;
    let mut scanned = progress.scanned as usize;
    loop {
        let end = line_end(text, line, scanned)?;
        if line == 0 && S::IS_THERE {
            S::parse(&text[..end], longest_target)?;
        } else if field(text, line)?.is_none() {
            return Ok(());
        }
        line = end + 2;
        scanned = line;
    }
}

/// The offset of the CR of the line that begins at `line` and holds no bad
/// byte before `from`.
#[inline]
fn line_end(text: &[u8], line: usize, from: usize) -> Result<usize, Stop> {
    let at = find_control(text, from);
    match (text.get(at), text.get(at + 1)) {
        (Some(b'\r'), Some(b'\n')) => Ok(at),
        (Some(b'\r'), Some(_)) => Err(ProtocolError::BareCr.into()),
        (None, _) | (Some(b'\r'), None) => Err(Stop::Incomplete(Progress::new(line, at))),
        (Some(b'\n'), _) => Err(ProtocolError::BareLf.into()),
        (Some(_), _) => Err(ProtocolError::Control.into()),
    }
}

/// The field whose line begins at `line`, and where the next line begins;
/// `None` if this is the empty line.
#[inline]
fn field(text: &[u8], line: usize) -> Result<Option<(FieldRange, usize)>, Stop> {
    let rest = text.get(line..).unwrap_or_default();
    let name_len = rest
        .iter()
        .position(|&b| !ascii::is_tchar(b))
        .unwrap_or(rest.len());
    let name_end = line + name_len;
    // White space before the colon is refused: readers differ about it (RFC 9112 §5.1).
    if name_len == 0 || text.get(name_end) != Some(&b':') {
        return without_name(text, line, name_end);
    }
    let end = line_end(text, line, name_end + 1)?;
    let (skipped, value) = lines::trim(text.get(name_end + 1..end).unwrap_or_default());
    let from = name_end as u32 + 1 + skipped;
    let range = FieldRange {
        name: line as u32,
        name_end: name_end as u32,
        value: from,
        value_end: from + value.len() as u32,
    };
    Ok(Some((range, end + 2)))
}

/// A line that does not begin with a token and a colon, of which `name_end`
/// bytes are token: the empty line, one that has not come yet, or a fault.
#[cold]
fn without_name(
    text: &[u8],
    line: usize,
    name_end: usize,
) -> Result<Option<(FieldRange, usize)>, Stop> {
    let end = line_end(text, line, name_end)?;
    let rest = text.get(line..end).unwrap_or_default();
    Err(match rest.first() {
        None => return Ok(None),
        Some(b' ' | b'\t') => ProtocolError::Folding,
        Some(_) if rest.contains(&b':') => ProtocolError::FieldName,
        Some(_) => ProtocolError::FieldLine,
    }
    .into())
}

/// The offset of the first byte from `from` on that cannot stand in a line:
/// a control character other than HTAB. The length if there is none.
#[inline]
fn find_control(text: &[u8], from: usize) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    let mut at = from;
    while let Some(word) = text.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*word);
        let delete = word ^ (ONES * 0x7f);
        // A byte below 0x20 or equal to 0x7f sets its high bit. A borrow can
        // set bits above a true one as well: candidates are looked at.
        let mut candidates = (word.wrapping_sub(ONES * 0x20) & !word & HIGH)
            | (delete.wrapping_sub(ONES) & !delete & HIGH);
        while candidates != 0 {
            let found = at + (candidates.trailing_zeros() / 8) as usize;
            if text.get(found).is_some_and(|&b| !ascii::is_field_vchar(b)) {
                return found;
            }
            candidates &= candidates - 1;
        }
        at += 8;
    }
    let rest = text.get(at..).unwrap_or_default();
    match rest.iter().position(|&b| !ascii::is_field_vchar(b)) {
        Some(more) => at + more,
        None => text.len().max(from),
    }
}

/// Makes spaces of the first fold of the head at the front of `text`; `false` if there is none.
/// A fold after the start line stays: it belongs to no field.
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
mod tests;
