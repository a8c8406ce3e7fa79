use super::*;

#[test]
fn names_are_judged_alike_at_every_length() {
    for b in 0..=255u8 {
        let lower = ascii::is_tchar(b) && !b.is_ascii_uppercase();
        for len in 1..20 {
            for at in 0..len {
                let mut name = [b'x'; 20];
                name[at] = b;
                assert_eq!(is_lower_token(&name[..len]), lower, "{b} at {at}");
            }
        }
    }
    assert!(!is_lower_token(b"") && is_lower_token(b"x-content-type-options"));
}

#[test]
fn authorities_are_judged_as_targets_have_them() {
    for text in [
        "a",
        "a.b-c:80",
        "A.B",
        "[::1]:8080",
        "a:65535",
        "a:65536",
        "a:99999",
        "",
        ":80",
        "a:x",
        "u@a",
        "a b",
        "a%20b",
        "a%2",
        "localhost:",
        "[::1",
        "1.2.3.4:1",
    ] {
        assert_eq!(
            is_authority(text.as_bytes()),
            target::is_authority(text),
            "{text}"
        );
    }
}
