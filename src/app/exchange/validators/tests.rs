use super::*;
use crate::http::Field;

const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
const AFTER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";
const MODIFIED: u64 = 784_111_777;

fn weigh(fields: &[(&'static str, &'static str)]) -> Verdict {
    weigh_as(Method::GET, false, fields)
}

fn weigh_as(method: Method<'_>, is_weak: bool, fields: &[(&'static str, &'static str)]) -> Verdict {
    let list: alloc::vec::Vec<_> = fields
        .iter()
        .map(|&(name, value)| Field::new(name, value))
        .collect();
    let validators = Validators {
        tag: if is_weak {
            b"W/\"tag\"".into()
        } else {
            b"\"tag\"".into()
        },
        modified: Some(MODIFIED),
    };
    validators.weigh(method, Fields::new(&list), MODIFIED + 1000)
}

const SERVE: Verdict = Verdict::Serve { range: true };
const WHOLE: Verdict = Verdict::Serve { range: false };

#[test]
fn if_none_match_compares_weakly() {
    for same in [
        "\"tag\"",
        "W/\"tag\"",
        "*",
        "\"a\", W/\"tag\"",
        "\"a,b\",\"tag\"",
        "\"a\\\", \"tag\"",
    ] {
        assert_eq!(
            weigh(&[("If-None-Match", same)]),
            Verdict::NotModified,
            "{same}"
        );
        assert_eq!(
            weigh_as(Method::HEAD, true, &[("If-None-Match", same)]),
            Verdict::NotModified
        );
    }
    for other in [
        "\"other\"",
        "tag",
        "\"tag",
        "w/\"tag\"",
        "\"TAG\"",
        "",
        "\"\"",
    ] {
        assert_eq!(weigh(&[("If-None-Match", other)]), SERVE, "{other}");
    }
    let twice = [("If-None-Match", "\"a\""), ("if-none-match", "\"tag\"")];
    assert_eq!(weigh(&twice), Verdict::NotModified);
}

#[test]
fn if_match_compares_strongly() {
    for same in ["\"tag\"", "*", "\"a\", \"tag\""] {
        assert_eq!(weigh(&[("If-Match", same)]), SERVE, "{same}");
    }
    for other in ["W/\"tag\"", "\"other\"", ""] {
        assert_eq!(weigh(&[("If-Match", other)]), Verdict::Failed, "{other}");
    }
    assert_eq!(
        weigh_as(Method::GET, true, &[("If-Match", "\"tag\"")]),
        Verdict::Failed
    );
}

#[test]
fn dates_are_compared_by_the_second() {
    assert_eq!(weigh(&[("If-Modified-Since", DATE)]), Verdict::NotModified);
    assert_eq!(weigh(&[("If-Modified-Since", AFTER)]), Verdict::NotModified);
    assert_eq!(weigh(&[("If-Modified-Since", BEFORE)]), SERVE);
    assert_eq!(weigh(&[("If-Unmodified-Since", DATE)]), SERVE);
    assert_eq!(weigh(&[("If-Unmodified-Since", AFTER)]), SERVE);
    assert_eq!(weigh(&[("If-Unmodified-Since", BEFORE)]), Verdict::Failed);
    // The older formats too.
    assert_eq!(
        weigh(&[("If-Modified-Since", "Sun Nov  6 08:49:37 1994")]),
        Verdict::NotModified
    );
}

#[test]
fn a_date_that_is_none_is_ignored() {
    for bad in ["yesterday", "", "784111777"] {
        assert_eq!(weigh(&[("If-Modified-Since", bad)]), SERVE, "{bad}");
        assert_eq!(weigh(&[("If-Unmodified-Since", bad)]), SERVE, "{bad}");
    }
    let twice = [("If-Modified-Since", DATE), ("If-Modified-Since", DATE)];
    assert_eq!(weigh(&twice), SERVE);
}

#[test]
fn tags_go_before_dates_and_failing_before_matching() {
    let cases = [
        // A tag that does not match makes the date count for nothing.
        (
            &[("If-None-Match", "\"other\""), ("If-Modified-Since", DATE)],
            SERVE,
        ),
        (
            &[("If-None-Match", "\"tag\""), ("If-Modified-Since", BEFORE)],
            Verdict::NotModified,
        ),
        (
            &[("If-Match", "\"tag\""), ("If-Unmodified-Since", BEFORE)],
            SERVE,
        ),
        (
            &[("If-Match", "\"other\""), ("If-None-Match", "\"tag\"")],
            Verdict::Failed,
        ),
        (
            &[("If-Match", "\"tag\""), ("If-None-Match", "\"tag\"")],
            Verdict::NotModified,
        ),
        (
            &[
                ("If-Unmodified-Since", BEFORE),
                ("If-None-Match", "\"tag\""),
            ],
            Verdict::Failed,
        ),
        (
            &[("If-Unmodified-Since", AFTER), ("If-Modified-Since", DATE)],
            Verdict::NotModified,
        ),
    ];
    for (fields, verdict) in cases {
        assert_eq!(weigh(fields), verdict, "{fields:?}");
    }
}

#[test]
fn if_range_wants_the_very_same() {
    for same in ["\"tag\"", DATE] {
        assert_eq!(weigh(&[("If-Range", same)]), SERVE, "{same}");
    }
    for other in ["W/\"tag\"", "\"other\"", "*", BEFORE, AFTER, "nonsense"] {
        assert_eq!(weigh(&[("If-Range", other)]), WHOLE, "{other}");
    }
    for fresh in ["\"tag\"", "W/\"tag\"", DATE] {
        assert_eq!(weigh_as(Method::GET, true, &[("If-Range", fresh)]), WHOLE);
    }
    assert_eq!(
        weigh(&[("If-Range", "\"tag\""), ("If-Range", "\"tag\"")]),
        WHOLE
    );
}

#[test]
fn head_has_no_ranges() {
    assert_eq!(
        weigh_as(Method::HEAD, false, &[("Range", "bytes=0-")]),
        WHOLE
    );
}
