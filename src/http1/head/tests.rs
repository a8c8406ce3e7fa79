use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::super::start_line::{NoLine, StatusLine};
use super::*;
use crate::wire::simd::Job;

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
    let usual = line_end(text, 0, 0).is_ok_and(|end| S::parse_usual(&text[..end], 100).is_some());
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

/// The text without its first `most` folds, and how many there were.
fn unfolded(text: &str, most: u32) -> (std::string::String, u32) {
    let mut text = text.as_bytes().to_vec();
    let folds = (0..most).take_while(|_| unfold(&mut text)).count();
    (std::string::String::from_utf8(text).unwrap(), folds as u32)
}

#[test]
fn folds_become_spaces_and_nothing_else_changes() {
    let text = "S\r\nX: a\r\n b\r\n\t \tc\r\nY: d\r\n\r\nbody\r\n not a fold";
    let plain = "S\r\nX: a   b     c\r\nY: d\r\n\r\nbody\r\n not a fold";
    assert_eq!(unfolded(text, 9), (plain.into(), 2));
    assert_eq!(unfolded(text, 1).1, 1);
    assert_eq!(unfolded(text, 0), (text.into(), 0));
}

#[test]
fn a_fold_behind_the_start_line_stays() {
    for text in ["S\r\n x\r\n y\r\n\r\n", "S\r\n", "S", "", "S\r\nX: y\r\n"] {
        assert_eq!(unfolded(text, 9), (text.into(), 0), "{text:?}");
    }
}
