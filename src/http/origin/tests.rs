use super::*;
use crate::http::Field;

fn origin(text: &str) -> Origin<'_> {
    Origin::parse(text.as_bytes()).unwrap()
}

#[test]
fn only_a_scheme_a_host_and_a_port_are_an_origin() {
    for text in [
        "http://a",
        "https://a.example:8443",
        "http://[::1]:3000",
        "http://127.0.0.1:1",
        "HTTP://A",
        "chrome-extension://abc",
        "capacitor://localhost",
        "https://xn--bcher-kva.example",
    ] {
        assert!(Origin::parse(text.as_bytes()).is_ok(), "{text}");
    }
    for text in [
        "",
        "null",
        "NULL",
        "a",
        "a:80",
        "//a",
        "://a",
        "http://",
        "http://a/",
        "http://a:",
        "http://a:x",
        "http://a:70000",
        "http://a:+1",
        "http://u@a",
        "http://u:p@a",
        "http://[::1",
        "http://::1",
        "http://a b",
        "http://a http://b",
        "http://a, http://b",
        "1http://a",
        "ht tp://a",
        "file://",
        "https://b\u{fc}cher.example",
        "http://a\u{0}",
        "http://a#",
        "http://a?",
        "http://a\\b",
    ] {
        assert!(Origin::parse(text.as_bytes()).is_err(), "{text:?}");
    }
    assert!(Origin::parse(b"http://\xff").is_err());
}

#[test]
fn the_page_of_an_authority_has_its_host_and_its_port() {
    for (page, authority, same) in [
        ("https://example.com", "example.com", true),
        ("https://example.com", "EXAMPLE.com:443", true),
        ("https://example.com:443", "example.com", true),
        ("https://example.com", "example.com:", true),
        ("http://example.com", "example.com", true), // a proxy may have ended TLS
        ("http://example.com:80", "example.com", true),
        ("http://example.com", "example.com:443", false),
        ("https://example.com:80", "example.com", false),
        ("http://example.com:8080", "example.com:8080", true),
        ("http://example.com:08080", "example.com:8080", true),
        ("http://example.com:8080", "example.com", false),
        ("http://example.com", "example.com:8080", false),
        ("http://example.com", "example.com.", false),
        ("http://example.com", "www.example.com", false),
        ("http://www.example.com", "example.com", false),
        ("http://example.com.evil", "example.com", false),
        ("http://evil-example.com", "example.com", false),
        ("http://[::1]:80", "[0:0::1]", true),
        ("http://[::1]:3000", "[::1]:3000", true),
        ("http://[::1]:3000", "[::2]:3000", false),
        ("http://[::FFFF:7f00:1]", "[::ffff:127.0.0.1]", true),
        ("http://127.0.0.1", "[::ffff:127.0.0.1]", false),
        ("http://localhost:1", "127.0.0.1:1", false),
        ("capacitor://localhost", "localhost", false),
        ("capacitor://localhost:80", "localhost:80", false),
        ("http://a", "", false),
        ("http://a", "u@a", false),
        ("http://a", "a, a", false),
    ] {
        assert_eq!(origin(page).is_at(authority), same, "{page} {authority}");
    }
}

#[test]
fn origins_are_equal_in_all_three_parts() {
    assert_eq!(origin("https://a"), origin("HTTPS://A:443"));
    assert_eq!(origin("http://[::1]"), origin("http://[0::1]:80"));
    assert_eq!(origin("app://a"), origin("app://a"));
    assert_ne!(origin("https://a"), origin("http://a"));
    assert_ne!(origin("https://a"), origin("https://a:8443"));
    assert_ne!(origin("https://a"), origin("https://b"));
    assert_ne!(origin("app://a"), origin("app://a:1"));
}

#[test]
fn a_request_has_one_origin_or_none() {
    let field = Field::new("Origin", "https://a");
    let none = Origin::of(&Fields::EMPTY);
    assert_eq!(none, Ok(None));
    let one = [field];
    assert_eq!(
        Origin::of(&Fields::new(&one)),
        Ok(Some(origin("https://a")))
    );
    let two = [field, field];
    assert_eq!(Origin::of(&Fields::new(&two)), Err(InvalidOrigin));
    let null = [Field::new("origin", "null")];
    assert_eq!(Origin::of(&Fields::new(&null)), Err(InvalidOrigin));
}
