//! The conformance cases: each has the outcomes that the RFCs allow, strictest
//! first, and each gives the same transcript however it is cut.
#![cfg(feature = "alloc")]

use crate::http1_driver::{Handler, Transcript, ask, serve};
use barewire::http::Method;
use barewire::http1::{Closing, ProtocolError};
use proptest::prelude::*;

struct Case {
    id: String,
    level: String,
    input: Vec<u8>,
    expect: String,
    server: bool,
}

/// The recorded cases, and more of their kind with one outcome each.
fn cases() -> Vec<Case> {
    let mut cases = recorded();
    cases.extend(read(include_str!("../data/http1-more-cases.jsonl")));
    cases
}

fn recorded() -> Vec<Case> {
    read(include_str!("../data/http1-cases.jsonl")).collect()
}

fn read(lines: &str) -> impl Iterator<Item = Case> {
    lines.lines().map(|line| {
        let json: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| json[name].as_str().unwrap().to_owned();
        Case {
            id: text("id"),
            level: text("level"),
            input: text("input").chars().map(|c| c as u8).collect(),
            expect: text("expect"),
            server: text("role") == "server",
        }
    })
}

fn run(case: &Case, pieces: &[&[u8]]) -> Transcript {
    if case.server {
        serve(pieces, Handler::Echo)
    } else {
        ask(pieces, Method::GET, case.id == "resp-101")
    }
}

/// Where a case is cut in two: everywhere. Two cases are of 100 KB, of the same few
/// bytes again and again, so that cuts at one place and a period later differ in
/// nothing but what has been counted up to there. They are cut everywhere near their
/// ends, where the limits of heads, chunk lines and their extensions lie too, and
/// around each 8 KiB, at which the other limits are reached, and here and there
/// between.
fn cuts(input: &[u8]) -> impl Iterator<Item = usize> {
    let length = input.len();
    (0..=length).filter(move |at| {
        let is_near_an_end = *at < 1500 || length - at < 200;
        let is_near_a_limit = (at + 50) % 8192 < 100;
        length < 10_000 || is_near_an_end || is_near_a_limit || at % 251 == 0
    })
}

/// The status codes of the responses in `out`, which must be nothing else.
fn answers(out: &[u8], heads: &[bool]) -> Vec<u16> {
    let mut heads = heads.iter();
    let (mut codes, mut rest) = (Vec::new(), out);
    while !rest.is_empty() {
        let end = rest.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
        let head = core::str::from_utf8(&rest[..end]).unwrap();
        rest = &rest[end..];
        let code = head[9..12].parse().unwrap();
        codes.push(code);
        if code < 200 {
            continue;
        }
        assert!(head.contains("Date: "), "{head}");
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: "))
            .unwrap();
        if heads.next() != Some(&true) {
            rest = &rest[length.parse().unwrap()..];
        }
    }
    codes
}

/// Whether the transcript is the outcome `want` of the cases' grammar.
fn server_outcome_is(want: &str, codes: &[u16], closed: bool) -> bool {
    let (want, must_close) = match want.strip_suffix("+close") {
        Some(want) => (want, true),
        None => (want, false),
    };
    if must_close && !closed {
        return false;
    }
    let last: Vec<u16> = codes.iter().copied().filter(|&code| code >= 200).collect();
    let ok = |code: &u16| (200..400).contains(code) || *code == 404;
    match want {
        "close" => closed && codes.is_empty(),
        "wait" => !closed && codes.is_empty(),
        "100" => codes.first() == Some(&100),
        "100,ok" => codes.first() == Some(&100) && last.len() == 1 && ok(&last[0]),
        "ok" => last.len() == 1 && ok(&last[0]),
        "4xx" => last.len() == 1 && (400..500).contains(&last[0]),
        _ => match want.strip_prefix("ok*") {
            Some(n) => last.len() == n.parse::<usize>().unwrap() && last.iter().all(ok),
            None => last.len() == 1 && last[0] == want.parse::<u16>().unwrap(),
        },
    }
}

fn client_outcome_is(want: &str, transcript: &Transcript) -> bool {
    let ended = transcript
        .events
        .last()
        .is_some_and(|e| e.starts_with("end"));
    match want {
        "error" => {
            transcript.error.is_some() && transcript.error != Some(ProtocolError::Incomplete)
        }
        "incomplete" => transcript.error == Some(ProtocolError::Incomplete),
        "upgrade" => transcript.done && transcript.rest == b"raw",
        _ => {
            let want = want.strip_suffix(" then close").unwrap_or(want);
            let length: usize = want.strip_prefix("body:").unwrap().parse().unwrap();
            ended
                && transcript.error.is_none()
                && transcript.done
                && transcript.bodies.len() == 1
                && transcript.bodies[0].len() == length
        }
    }
}

#[test]
fn every_case_has_an_allowed_outcome_and_the_strict_one_where_the_rfc_asks() {
    let (mut allowed, mut strict, mut lenient, mut failed) = (0, 0, Vec::new(), Vec::new());
    let cases = cases();
    for case in &cases {
        let transcript = run(case, &[&case.input]);
        let codes = match case.server {
            true => answers(&transcript.out, &transcript.heads),
            false => Vec::new(),
        };
        let is = |want: &str| match case.server {
            true => server_outcome_is(want, &codes, transcript.closing.is_some()),
            false => client_outcome_is(want, &transcript),
        };
        let found = case.expect.split('|').position(is);
        let Case {
            id, level, expect, ..
        } = case;
        let line = format!("{level} {id} ({expect}): {codes:?} {:?}", transcript.error);
        match found {
            Some(0) => strict += 1,
            Some(_) => lenient.push(line),
            None => failed.push(line),
        }
        allowed += usize::from(found.is_some());
    }
    println!(
        "{allowed} of {} pass, {strict} with the strict outcome",
        cases.len()
    );
    println!("{lenient:#?}");
    assert!(failed.is_empty(), "{failed:#?}");
    // What is left is each time a choice that the RFC leaves open.
    assert!(strict >= 146 + 385, "{lenient:#?}");
}

#[test]
fn law_of_splits_in_two() {
    for case in &cases() {
        let whole = run(case, &[&case.input]);
        for at in cuts(&case.input) {
            let (a, b) = case.input.split_at(at);
            assert_eq!(run(case, &[a, b]), whole, "{} at {at}", case.id);
        }
    }
}

#[test]
fn law_of_splits_byte_by_byte() {
    for case in &cases() {
        let whole = run(case, &[&case.input]);
        let bytes: Vec<&[u8]> = case.input.chunks(1).collect();
        assert_eq!(run(case, &bytes), whole, "{}", case.id);
    }
}

#[test]
fn law_of_splits_when_answered_early() {
    for case in recorded().iter().filter(|case| case.server) {
        // A body that has not all come yet may end in a lingering close.
        let serve = |pieces: &[&[u8]]| {
            let mut transcript = serve(pieces, Handler::Early);
            transcript.closing = transcript.closing.map(|_| Closing::Now);
            transcript
        };
        let whole = serve(&[&case.input]);
        for at in cuts(&case.input) {
            let (a, b) = case.input.split_at(at);
            let split = serve(&[a, b]);
            assert_eq!(split, whole, "{} at {at}", case.id);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn law_of_splits_in_three_after_damage(
        index in 0..1000_usize,
        cuts in any::<(u16, u16)>(),
        damage in proptest::collection::vec((any::<u16>(), prop_oneof![
            any::<u8>(), Just(b'\r'), Just(b'\n'), Just(b' '), Just(b':'), Just(0), Just(b';')
        ]), 0..3),
    ) {
        let mut cases = recorded();
        let index = index % cases.len();
        let case = &mut cases[index];
        for (at, byte) in damage {
            let at = usize::from(at) % case.input.len();
            case.input[at] = byte;
        }
        let mut at = [usize::from(cuts.0) % case.input.len(), usize::from(cuts.1) % case.input.len()];
        at.sort_unstable();
        let (a, rest) = case.input.split_at(at[0]);
        let (b, c) = rest.split_at(at[1] - at[0]);
        prop_assert_eq!(run(case, &[a, b, c]), run(case, &[&case.input]));
    }
}
