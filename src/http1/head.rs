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

/// Finds the head at the front of `text` (shorter than 4 GiB) in one pass and puts
/// it into a new `head`, if it is whole and good and its start line of the usual
/// form. Says nothing else.
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

/// [Finds](find) a complete head, or looks at it line by line to say what is wrong
/// with it or how far it is.
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

/// What is wrong with the request line of a whole head whose target was refused.
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

/// Goes on where an earlier call left off, and says whether the head at the
/// front of `text` is whole now. Looks at each byte at most twice, however the
/// head was cut.
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

#[cfg(test)]
mod tests {
    use super::super::start_line::{NoLine, StatusLine};
    use super::*;
    use crate::wire::simd::Job;
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;

    fn whole<S: StartLine>(text: &[u8], ranges: &mut [FieldRange]) -> Result<Head<S>, Stop> {
        let mut head = Head::new();
        parse(text, ranges, 100, &mut head).map(|()| head)
    }

    fn fault(text: &str) -> Option<ProtocolError> {
        let mut ranges = [FieldRange::EMPTY; 8];
        match whole::<RequestLine>(text.as_bytes(), &mut ranges) {
            Err(Stop::Fault(violation)) => Some(violation),
            Err(Stop::Incomplete(_)) | Ok(_) => None,
        }
    }

    #[test]
    fn the_scan_finds_what_the_naive_loop_finds() {
        for len in 0..40 {
            for at in 0..len {
                for b in 0..=255 {
                    let mut text = vec![b'\t'; len];
                    text[at] = b;
                    for from in [0, at / 2, at] {
                        let naive = text[from..]
                            .iter()
                            .position(|&b| !ascii::is_field_vchar(b))
                            .map_or(len, |more| from + more);
                        assert_eq!(find_control(&text, from), naive, "{len} {at} {b} {from}");
                    }
                }
            }
        }
    }

    #[test]
    fn bad_bytes_are_reported_before_their_line_has_ended() {
        assert_eq!(fault("G\0"), Some(ProtocolError::Control));
        assert_eq!(fault("GET / HTTP/1.1\n"), Some(ProtocolError::BareLf));
        assert_eq!(
            fault("GET / HTTP/1.1\r\nX: a\rb"),
            Some(ProtocolError::BareCr)
        );
        assert_eq!(fault("GET / HTTP/1.1\r\nX: a\r"), None);
        assert_eq!(
            fault("GET / HTTP/1.1\r\nX\x7f"),
            Some(ProtocolError::Control)
        );
    }

    #[test]
    fn bad_lines_are_reported_when_they_end() {
        for (line, violation) in [
            ("X : y", ProtocolError::FieldName),
            ("[]: y", ProtocolError::FieldName),
            (": y", ProtocolError::FieldName),
            (" y", ProtocolError::Folding),
            ("\ty", ProtocolError::Folding),
            ("xy", ProtocolError::FieldLine),
        ] {
            let head = std::format!("GET / HTTP/1.1\r\n{line}");
            assert_eq!(fault(&head), None, "{line}");
            assert_eq!(
                fault(&std::format!("{head}\r\n")),
                Some(violation),
                "{line}"
            );
        }
    }

    #[test]
    fn the_first_fault_wins() {
        let line = "GET / HTTP/1.1\r\nX : y\r\nZ: \0\r\n\r\n";
        assert_eq!(fault(line), Some(ProtocolError::FieldName));
        let byte = "GET / HTTP/1.1\r\nX : y\0\r\nZ : z\r\n\r\n";
        assert_eq!(fault(byte), Some(ProtocolError::Control));
    }

    #[test]
    fn a_head_fed_byte_by_byte_is_looked_at_a_fixed_number_of_times() {
        // Progress never goes back, and each step looks at new bytes only:
        // from `scanned` to the end, and a line once more when it ends.
        let text = std::format!(
            "GET / HTTP/1.1\r\n{}\r\n",
            "Name: value of it\r\n".repeat(50)
        );
        let mut progress = Progress::default();
        let mut work = 0;
        for end in 1..=text.len() {
            let seen = &text.as_bytes()[..end];
            let before = progress;
            match resume::<RequestLine>(seen, before, 100) {
                Err(Stop::Incomplete(next)) => {
                    assert!(next.line >= before.line && next.scanned >= before.scanned);
                    work += end - before.scanned as usize;
                    work += (next.line - before.line) as usize;
                    progress = next;
                }
                other => assert_eq!((other, end), (Ok(()), text.len())),
            }
        }
        assert!(work < 4 * text.len(), "{work} for {}", text.len());
    }

    #[test]
    fn ranges_beyond_the_room_are_counted_only() {
        let text = b"A: 1\r\nB:2 \r\nC:\t\r\n\r\n";
        let mut ranges = [FieldRange::EMPTY; 2];
        let head = whole::<NoLine>(text, &mut ranges).unwrap().lines;
        assert_eq!((head.fields, head.end), (3, text.len()));
        let parts: Vec<_> = ranges
            .iter()
            .map(|r| {
                (
                    &text[r.name as usize..r.name_end as usize],
                    &text[r.value as usize..r.value_end as usize],
                )
            })
            .collect();
        assert_eq!(parts, [(&b"A"[..], &b"1"[..]), (b"B", b"2")]);
    }

    /// Pieces that heads and broken heads are made of.
    fn piece() -> impl Strategy<Value = &'static str> {
        prop_oneof![
            8 => prop_oneof![
                Just("GET /a?b HTTP/1.1\r\n"), Just("HTTP/1.1 200 OK\r\n"), Just("Host: a.b:80\r\n"),
                Just("Host: a-host-with-a-name-longer-than-what-is-looked-at-in-one-go:80\r\n"),
                Just("Host: a-host-with-a-name-longer-than-any-window/no-host\r\n"),
                Just("Connection: keep-alive\r\n"), Just("cOnTent-length:5\r\n"), Just("X: \t \r\n"),
                Just("A:\r\n"), Just("Cookie: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"),
                Just("x-a-very-long-name-that-goes-on-and-on-and-on-over-the-end-of-any-block-of-bytes: v\r\n"),
                Just("\r\n"), Just("Transfer-Encoding: chunked \r\n"), Just("Expect: 100-continue\r\n"),
            ],
            1 => prop_oneof![
                Just("\r"), Just("\n"), Just("\0"), Just(" "), Just(":"), Just("x"), Just("\u{e9}"), Just("\t"),
                Just("X : y\r\n"), Just(" folded\r\n"), Just("GET\r\n"), Just("POST /a b HTTP/1.1\r\n"),
            ],
        ]
    }

    fn both_ways<S: StartLine + PartialEq + core::fmt::Debug>(text: &[u8]) {
        let (mut fast, mut slow) = ([FieldRange::EMPTY; 14], [FieldRange::EMPTY; 14]);
        let whole = whole::<S>(text, &mut fast);
        let mut head = Head::new();
        let lines = parse_lines::<S>(text, &mut slow, 100, &mut head).map(|()| head);
        if whole.is_ok() && lines.is_err() {
            // Spaces in the target, which are found when it is parsed.
            let fault = fault_of_target(text, 100);
            assert_eq!(lines, Err(Stop::Fault(fault)));
            assert!(matches!(
                fault,
                ProtocolError::Version | ProtocolError::Target
            ));
        } else {
            assert_eq!(whole, lines);
            assert!(whole.is_err() || fast == slow);
        }
        let mut found = Head::<S>::new();
        let words = search(&mut found).run(simd::swar::Words, text, &mut fast);
        let usual =
            line_end(text, 0, 0).is_ok_and(|end| S::parse_usual(&text[..end], 100).is_some());
        let here = text.len() >= simd::WINDOW + 3 && whole_lines(text, S::IS_THERE);
        assert_eq!(words, here && (usual || !S::IS_THERE));
        #[cfg(target_arch = "x86_64")]
        if let Some(blocks) = simd::x86_64::Ssse3::new() {
            let mut again = Head::<S>::new();
            let vectors = blocks.run(search(&mut again), text, &mut slow);
            assert_eq!(words, vectors);
            assert!(!words || (fast == slow && found == again));
        }
    }

    fn search<S: StartLine>(head: &mut Head<S>) -> Search<'_, S> {
        Search {
            head,
            longest_target: 100,
        }
    }

    /// Whether the lines of a head are all good, the first one apart.
    fn whole_lines(text: &[u8], start: bool) -> bool {
        let mut at = 0;
        if start {
            let Ok(end) = line_end(text, 0, 0) else {
                return false;
            };
            at = end + 2;
        }
        loop {
            match field(text, at) {
                Ok(Some((_, next))) => at = next,
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
    }

    proptest! {
        #[test]
        fn vectors_and_lines_find_the_same_head(
            pieces in proptest::collection::vec(piece(), 0..12), end in any::<bool>(), cut in 0..600usize,
        ) {
            let mut text = pieces.concat();
            if end {
                text.push_str("\r\n");
            }
            let cut = cut.min(text.len());
            for text in [text.as_bytes(), &text.as_bytes()[..cut]] {
                both_ways::<RequestLine>(text);
                both_ways::<StatusLine>(text);
                both_ways::<NoLine>(text);
            }
        }
    }
}
