use super::*;
use proptest::prelude::*;

fn skipped(text: &str) -> bool {
    let mut reader = Reader::new(text.as_bytes());
    reader.skip().is_some() && reader.is_at_end()
}

#[test]
fn values_are_skipped_to_their_end() {
    for good in [
        "null",
        " [1, -2.5e+3, {\"a\": []}] ",
        "\"\\u00e9\"",
        "{}",
        "true",
    ] {
        assert!(skipped(good), "{good}");
    }
    for bad in [
        "", "[1", "{\"a\"}", "{a:1}", "[1,]", "\"\n\"", "nul", "1 2", "\"\\x\"",
    ] {
        assert!(!skipped(bad), "{bad}");
    }
    assert!(skipped(&("[".repeat(64) + &"]".repeat(64))));
    assert!(!skipped(&("[".repeat(65) + &"]".repeat(65))));
}

#[test]
fn surrogates_become_one_character() {
    let read = |text: &str| Reader::new(text.as_bytes()).string();
    assert_eq!(read(r#""\ud83d\ude00""#).unwrap(), "\u{1f600}");
    assert_eq!(read(r#""\ud83dx\udc00""#).unwrap(), "\u{fffd}x\u{fffd}");
    assert_eq!(read(r#""\u12""#), None);
}

proptest! {
    #[test]
    fn a_string_survives_a_round_trip(text: String) {
        let mut out = Vec::new();
        put_string(&text, &mut out);
        let parsed: String = serde_json::from_slice(&out).unwrap();
        prop_assert_eq!(&parsed, &text);
        prop_assert_eq!(Reader::new(&out).string().unwrap(), text);
    }

    #[test]
    fn what_is_read_is_what_serde_reads(text in r#""([ -~]|\\[bfnrt/"\\]|\\u[0-9a-c][0-9a-f]{3})*""#) {
        let read = Reader::new(text.as_bytes()).string();
        if let Ok(parsed) = serde_json::from_str::<String>(&text) {
            prop_assert_eq!(read, Some(parsed));
        }
    }
}
