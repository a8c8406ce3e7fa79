use super::*;
use crate::http::Field;
use alloc::vec;
use proptest::prelude::*;

fn ranges(value: &str, len: u64) -> Ranges {
    Ranges::of(Fields::new(&[Field::new("Range", value)]), len)
}

fn parts(spans: &[(u64, u64)]) -> Ranges {
    Ranges::Parts(
        spans
            .iter()
            .map(|&(first, last)| Span { first, last })
            .collect(),
    )
}

#[test]
fn the_examples_of_the_standard() {
    // RFC 9110 §14.1.2, a representation of 10,000 bytes.
    let cases = [
        ("bytes=0-499", parts(&[(0, 499)])),
        ("bytes=500-999", parts(&[(500, 999)])),
        ("bytes=-500", parts(&[(9500, 9999)])),
        ("bytes=9500-", parts(&[(9500, 9999)])),
        ("bytes=0-0,-1", parts(&[(0, 0), (9999, 9999)])),
        (
            "bytes= 0-0, 4500-5499, -1",
            parts(&[(0, 0), (4500, 5499), (9999, 9999)]),
        ),
        ("bytes=500-600,601-999", parts(&[(500, 600), (601, 999)])),
        ("bytes=500-700,601-999", parts(&[(500, 700), (601, 999)])),
    ];
    for (value, expected) in cases {
        assert_eq!(ranges(value, 10_000), expected, "{value}");
    }
}

#[test]
fn what_reaches_beyond_the_end_is_cut_and_what_lies_there_is_left_out() {
    assert_eq!(ranges("bytes=5-100", 10), parts(&[(5, 9)]));
    assert_eq!(ranges("bytes=-100", 10), parts(&[(0, 9)]));
    assert_eq!(ranges("BYTES=2-3,10-,100-200", 10), parts(&[(2, 3)]));
    assert_eq!(
        ranges("bytes=0-99999999999999999999999", 10),
        parts(&[(0, 9)])
    );
    for none in [
        "bytes=10-",
        "bytes=10-10,11-",
        "bytes=-0",
        "bytes=99999999999999999999999-",
    ] {
        assert_eq!(ranges(none, 10), Ranges::Unsatisfiable, "{none}");
    }
}

#[test]
fn of_nothing_there_is_no_part() {
    assert_eq!(ranges("bytes=0-", 0), Ranges::Unsatisfiable);
    assert_eq!(ranges("bytes=0-0", 0), Ranges::Unsatisfiable);
    assert_eq!(ranges("bytes=-0", 0), Ranges::Unsatisfiable);
    assert_eq!(ranges("bytes=-5", 0), Ranges::Whole);
}

#[test]
fn what_is_malformed_is_ignored() {
    for bad in [
        "",
        "bytes",
        "bytes=",
        "bytes=,",
        "bytes=-",
        "bytes=a-b",
        "bytes=1-0",
        "bytes=0-1,x",
        "bytes=0--1",
        "bytes 0-1",
        "items=0-1",
        "bytes=0-1-2",
        "bytes=+1-2",
        "bytes=0x1-2",
        "bytes =0-1",
        "bytes=0- 1",
    ] {
        assert_eq!(ranges(bad, 10), Ranges::Whole, "{bad:?}");
    }
    let twice = [
        Field::new("Range", "bytes=0-1"),
        Field::new("range", "bytes=2-3"),
    ];
    assert_eq!(Ranges::of(Fields::new(&twice), 10), Ranges::Whole);
    assert_eq!(Ranges::of(Fields::EMPTY, 10), Ranges::Whole);
}

#[test]
fn a_few_bytes_ask_for_no_more_than_there_is() {
    assert_eq!(ranges("bytes=0-,0-", 10), Ranges::Whole);
    assert_eq!(ranges("bytes=0-5,3-9", 10), Ranges::Whole);
    let many = |n: usize| std::format!("bytes={}", vec!["0-0"; n].join(","));
    assert!(matches!(ranges(&many(MOST), 1000), Ranges::Parts(_)));
    assert_eq!(ranges(&many(MOST + 1), 1000), Ranges::Whole);
    assert_eq!(
        ranges(&many(MOST + 1).replace("0-0", "5000-"), 1000),
        Ranges::Whole
    );
}

proptest! {
    #[test]
    fn whatever_is_sent_no_part_leaves_the_whole(value in "bytes=[-0-9, ]{0,30}|.{0,20}", len in 0..200_u64) {
        if let Ranges::Parts(spans) = ranges(&value, len) {
            prop_assert!(!spans.is_empty() && spans.len() <= MOST);
            prop_assert!(spans.iter().all(|it| it.first <= it.last && it.last < len));
            prop_assert!(spans.iter().map(|it| it.len()).sum::<u64>() <= len);
        }
    }
}
