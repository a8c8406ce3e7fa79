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

use super::Violation;
use super::lines::{self, Lines, Search};
use crate::http::{FieldRange, Status, Version};
use crate::wire::{ascii, simd};

/// Methods longer than this are none that anybody implements.
const LONGEST_METHOD: usize = 32;

/// A first line, which each kind of head has its own form of.
pub(crate) trait StartLine: Copy {
    /// What stands in its place before it was read.
    const EMPTY: Self;

    /// Whether a head of this kind begins with it.
    const IS_THERE: bool;

    /// Parses a whole line, without its CRLF.
    fn parse(line: &[u8], longest_target: u32) -> Result<Self, Violation>;

    /// The same of the line of a whole head; `None` unless it is of the usual
    /// form. What it holds in its middle may be left to be judged by whoever
    /// takes it from there.
    fn parse_usual(line: &[u8], longest_target: u32) -> Option<Self>;
}

/// `method SP request-target SP HTTP-version` (RFC 9112 §3), as offsets: the
/// method is `[0, method_end)`, the target `[method_end + 1, target_end)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RequestLine {
    pub(crate) method_end: u32,
    pub(crate) target_end: u32,
    pub(crate) version: Version,
}

impl StartLine for RequestLine {
    const EMPTY: Self = Self {
        method_end: 0,
        target_end: 0,
        version: Version::Http11,
    };

    const IS_THERE: bool = true;

    fn parse(line: &[u8], longest_target: u32) -> Result<Self, Violation> {
        let method_end = line.iter().position(|&b| !ascii::is_tchar(b));
        let method_end = method_end.unwrap_or(line.len());
        let rest = match line.get(method_end..) {
            Some([b' ', rest @ ..]) => rest,
            Some([_, ..]) => return Err(Violation::Method),
            Some([]) | None => return Err(Violation::RequestLine),
        };
        if method_end == 0 {
            return Err(Violation::Method);
        }
        if method_end > LONGEST_METHOD {
            return Err(Violation::MethodTooLong);
        }
        let target_len = rest.iter().position(|&b| b == b' ');
        let target_len = target_len.ok_or(Violation::RequestLine)?;
        let (target, version) = rest.split_at(target_len); // found in the rest
        if target.is_empty() {
            return Err(Violation::Target);
        }
        if target.len() > longest_target as usize {
            return Err(Violation::TargetTooLong);
        }
        Ok(Self {
            method_end: method_end as u32,
            target_end: (method_end + 1 + target_len) as u32,
            version: version_of(version.get(1..).unwrap_or_default())?,
        })
    }

    /// There may be spaces in the target.
    #[inline(always)]
    fn parse_usual(line: &[u8], longest_target: u32) -> Option<Self> {
        const HTTP_1: u64 = u64::from_le_bytes(*b"HTTP/1.\0");
        let (rest, version) = line.split_last_chunk::<9>()?;
        let [b' ', version @ ..] = *version else {
            return None;
        };
        let version = match u64::from_le_bytes(version) ^ HTTP_1 {
            minor if minor == (b'1' as u64) << 56 => Version::Http11,
            minor if minor == (b'0' as u64) << 56 => Version::Http10,
            _ => return None,
        };
        let first = u32::from_le_bytes(*rest.first_chunk()?);
        let method_end = if first == u32::from_le_bytes(*b"GET ") {
            3
        } else if first == u32::from_le_bytes(*b"POST") && rest.get(4) == Some(&b' ') {
            4
        } else {
            return None;
        };
        let target_len = rest.len() - method_end - 1; // not below 0: they were seen
        (target_len > 0 && target_len <= longest_target as usize).then_some(Self {
            method_end: method_end as u32,
            target_end: rest.len() as u32,
            version,
        })
    }
}

/// `HTTP-version SP status-code SP [ reason-phrase ]` (RFC 9112 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StatusLine {
    pub(crate) version: Version,
    pub(crate) status: Status,
}

impl StartLine for StatusLine {
    const EMPTY: Self = Self {
        version: Version::Http11,
        status: Status::OK,
    };

    const IS_THERE: bool = true;

    #[inline]
    fn parse(line: &[u8], _longest_target: u32) -> Result<Self, Violation> {
        let (version, rest) = line.split_at_checked(8).ok_or(Violation::StatusLine)?;
        let version = version_of(version)?;
        // The space before an empty reason is missing often enough.
        let [b' ', a, b, c, ..] = *rest else {
            return Err(Violation::StatusLine);
        };
        if !matches!(rest.get(4), None | Some(b' ')) {
            return Err(Violation::StatusLine);
        }
        let status = ascii::parse_decimal(&[a, b, c])
            .and_then(|code| u16::try_from(code).ok())
            .and_then(Status::new)
            .ok_or(Violation::StatusLine)?;
        Ok(Self { version, status })
    }

    #[inline]
    fn parse_usual(line: &[u8], longest_target: u32) -> Option<Self> {
        Self::parse(line, longest_target).ok()
    }
}

/// A trailer section has no start line (RFC 9112 §7.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoLine;

impl StartLine for NoLine {
    const EMPTY: Self = Self;

    const IS_THERE: bool = false;

    #[inline]
    fn parse(_line: &[u8], _longest_target: u32) -> Result<Self, Violation> {
        Ok(Self)
    }

    #[inline]
    fn parse_usual(_line: &[u8], _longest_target: u32) -> Option<Self> {
        Some(Self)
    }
}

/// `HTTP/1.0`, or `HTTP/1.` and a higher digit, which is spoken to as 1.1
/// (RFC 9112 §2.3, RFC 9110 §2.5).
#[inline]
fn version_of(text: &[u8]) -> Result<Version, Violation> {
    match text {
        b"HTTP/1.1" => Ok(Version::Http11),
        _ => other_version(text),
    }
}

fn other_version(text: &[u8]) -> Result<Version, Violation> {
    match text {
        b"HTTP/1.0" => Ok(Version::Http10),
        [
            b'H',
            b'T',
            b'T',
            b'P',
            b'/',
            major @ b'0'..=b'9',
            b'.',
            b'0'..=b'9',
        ] => {
            if *major == b'1' {
                Ok(Version::Http11)
            } else {
                Err(Violation::UnsupportedVersion)
            }
        }
        _ => Err(Violation::Version),
    }
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
    Fault(Violation),
}

impl From<Violation> for Stop {
    fn from(violation: Violation) -> Self {
        Self::Fault(violation)
    }
}

/// Parses the head at the front of `text` (shorter than 4 GiB) into a new `head`
/// in one pass. A head that is not whole, or faulty, is looked at once more, line
/// by line.
#[inline(always)]
pub(crate) fn parse<S: StartLine>(
    text: &[u8],
    ranges: &mut [FieldRange],
    longest_target: u32,
    head: &mut Head<S>,
) -> Result<(), Stop> {
    let whole = simd::dispatch(Search {
        text,
        ranges: &mut *ranges,
        lines: &mut head.lines,
        start_line: S::IS_THERE,
    });
    let line = text.get(..head.lines.start).unwrap_or_default();
    match S::parse_usual(line, longest_target) {
        Some(start) if whole => {
            head.start = start;
            Ok(())
        }
        _ => parse_lines(text, ranges, longest_target, head),
    }
}

/// What is wrong with the request line of a whole head whose target was refused.
#[cold]
pub(crate) fn fault_of_target(text: &[u8], longest_target: u32) -> Violation {
    let line = line_end(text, 0, 0).map(|end| text.get(..end).unwrap_or_default());
    match line.map(|line| RequestLine::parse(line, longest_target)) {
        Ok(Err(violation)) => violation,
        Ok(Ok(_)) | Err(_) => Violation::Target,
    }
}

/// The same line by line: the only way that knows where a head stops.
fn parse_lines<S: StartLine>(
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
        if let Some(place) = ranges.get_mut(head.lines.fields) {
            *place = range;
        }
        head.lines.semantics.add(simd::swar::Words, text, range);
        head.lines.fields += 1;
        at = next;
    }
    head.lines.end = at + 2;
    Ok(())
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
        (Some(b'\r'), Some(_)) => Err(Violation::BareCr.into()),
        (None, _) | (Some(b'\r'), None) => Err(Stop::Incomplete(Progress::new(line, at))),
        (Some(b'\n'), _) => Err(Violation::BareLf.into()),
        (Some(_), _) => Err(Violation::Control.into()),
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
        Some(b' ' | b'\t') => Violation::Folding,
        Some(_) if rest.contains(&b':') => Violation::FieldName,
        Some(_) => Violation::FieldLine,
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
    use super::*;
    use crate::wire::simd::Job;
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;

    fn whole<S: StartLine>(text: &[u8], ranges: &mut [FieldRange]) -> Result<Head<S>, Stop> {
        let mut head = Head::new();
        parse(text, ranges, 100, &mut head).map(|()| head)
    }

    fn fault(text: &str) -> Option<Violation> {
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
        assert_eq!(fault("G\0"), Some(Violation::Control));
        assert_eq!(fault("GET / HTTP/1.1\n"), Some(Violation::BareLf));
        assert_eq!(fault("GET / HTTP/1.1\r\nX: a\rb"), Some(Violation::BareCr));
        assert_eq!(fault("GET / HTTP/1.1\r\nX: a\r"), None);
        assert_eq!(fault("GET / HTTP/1.1\r\nX\x7f"), Some(Violation::Control));
    }

    #[test]
    fn bad_lines_are_reported_when_they_end() {
        for (line, violation) in [
            ("X : y", Violation::FieldName),
            ("[]: y", Violation::FieldName),
            (": y", Violation::FieldName),
            (" y", Violation::Folding),
            ("\ty", Violation::Folding),
            ("xy", Violation::FieldLine),
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
        assert_eq!(fault(line), Some(Violation::FieldName));
        let byte = "GET / HTTP/1.1\r\nX : y\0\r\nZ : z\r\n\r\n";
        assert_eq!(fault(byte), Some(Violation::Control));
    }

    #[test]
    fn request_lines_have_three_parts_and_two_spaces() {
        let parse = |line: &str| RequestLine::parse(line.as_bytes(), 10).map(|line| line.version);
        assert_eq!(parse("GET / HTTP/1.0"), Ok(Version::Http10));
        assert_eq!(parse("GET / HTTP/1.2"), Ok(Version::Http11));
        let long = std::format!("{} / HTTP/1.1", "A".repeat(33));
        for (line, violation) in [
            ("GET", Violation::RequestLine),
            ("GET /", Violation::RequestLine),
            ("", Violation::RequestLine),
            (" / HTTP/1.1", Violation::Method),
            ("GE{T / HTTP/1.1", Violation::Method),
            ("GET\t/ HTTP/1.1", Violation::Method),
            (long.as_str(), Violation::MethodTooLong),
            ("GET  HTTP/1.1", Violation::Target),
            ("GET /2345678901 HTTP/1.1", Violation::TargetTooLong),
            ("GET / HTTP/1.1 ", Violation::Version),
            ("GET / HTTP/1.", Violation::Version),
            ("GET / http/1.1", Violation::Version),
            ("GET / HTTP/1.10", Violation::Version),
            ("GET /  HTTP/1.1", Violation::Version),
            ("GET / ", Violation::Version),
            ("PRI * HTTP/2.0", Violation::UnsupportedVersion),
            ("GET / HTTP/0.9", Violation::UnsupportedVersion),
        ] {
            assert_eq!(parse(line), Err(violation), "{line}");
        }
    }

    #[test]
    fn status_lines_have_three_digits_and_perhaps_a_reason() {
        let parse = |line: &str| {
            StatusLine::parse(line.as_bytes(), 0)
                .ok()
                .map(|line| line.status.code())
        };
        for good in [
            "HTTP/1.1 200 OK",
            "HTTP/1.1 200 ",
            "HTTP/1.0 200",
            "HTTP/1.9 200 a b\u{e9}",
        ] {
            assert_eq!(parse(good), Some(200), "{good}");
        }
        for bad in [
            "",
            "HTTP/1.1",
            "HTTP/1.1 ",
            "HTTP/1.1 20",
            "HTTP/1.1 2000",
            "HTTP/1.1 200OK",
            "HTTP/1.1 099 X",
            "HTTP/1.1 600 X",
            "HTTP/1.1 +20 X",
            "HTTP/1.1  200",
            "HTTP/2.0 200 OK",
            "http/1.1 200 OK",
            "HTTP/1.1\t200 OK",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
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
        let (mut fast, mut slow) = ([FieldRange::EMPTY; 6], [FieldRange::EMPTY; 6]);
        let whole = whole::<S>(text, &mut fast);
        let mut head = Head::new();
        let lines = parse_lines::<S>(text, &mut slow, 100, &mut head).map(|()| head);
        if whole.is_ok() && lines.is_err() {
            // Spaces in the target, which whoever takes it from there finds.
            let fault = fault_of_target(text, 100);
            assert_eq!(lines, Err(Stop::Fault(fault)));
            assert!(matches!(fault, Violation::Version | Violation::Target));
        } else {
            assert_eq!(whole, lines);
            assert!(whole.is_err() || fast == slow);
        }
        let search = |ranges, lines| Search {
            text,
            ranges,
            lines,
            start_line: S::IS_THERE,
        };
        let mut found = Lines::default();
        let words = search(&mut fast, &mut found).run(simd::swar::Words);
        assert_eq!(
            words,
            text.len() >= simd::WINDOW && whole_lines(text, S::IS_THERE)
        );
        #[cfg(target_arch = "x86_64")]
        if let Some(blocks) = simd::x86_64::Ssse3::new() {
            let mut again = Lines::default();
            assert_eq!(words, blocks.run(search(&mut slow, &mut again)));
            assert!(!words || (fast == slow && found == again));
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
