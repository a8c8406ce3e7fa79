use super::*;
use proptest::prelude::*;

const NOW: u64 = 1_800_000_000; // 2027

#[test]
fn known_dates() {
    for (seconds, text) in [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (951_827_696, "Tue, 29 Feb 2000 12:34:56 GMT"),
        (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
        (LAST, "Fri, 31 Dec 9999 23:59:59 GMT"),
        (u64::MAX, "Fri, 31 Dec 9999 23:59:59 GMT"),
    ] {
        assert_eq!(Date::from_unix(seconds).as_str(), text);
    }
}

#[test]
fn two_digit_years_lie_at_most_fifty_years_ahead() {
    assert_eq!(
        parse(b"Monday, 01-Jan-77 00:00:00 GMT", NOW),
        parse(b"Fri, 01 Jan 2077 00:00:00 GMT", NOW)
    );
    assert_eq!(
        parse(b"Sunday, 01-Jan-78 00:00:00 GMT", NOW),
        parse(b"Sun, 01 Jan 1978 00:00:00 GMT", NOW)
    );
}

#[test]
fn malformed_dates_are_refused() {
    for bad in [
        "",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1969 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Son, 06 Nov 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37",
        "Sun Nov 36 08:49:37 1994",
        "Sun Nov  x 08:49:37 1994",
        "Sun, 06 Nov 1994 +8:49:37 GMT",
    ] {
        assert_eq!(parse(bad.as_bytes(), NOW), None, "{bad}");
    }
}

proptest! {
    #[test]
    fn dates_survive_a_round_trip(seconds in 0..=LAST) {
        prop_assert_eq!(parse(Date::from_unix(seconds).as_bytes(), NOW), Some(seconds));
    }

    #[test]
    fn no_text_panics(text in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b','), Just(b' '), Just(b'0')], 0..40)) {
        let _ = parse(&text, NOW);
    }
}
