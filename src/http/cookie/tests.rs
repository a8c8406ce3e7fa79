use alloc::string::ToString;

use super::*;

#[test]
fn a_cookie_is_safe_from_the_start() {
    let text = Cookie::new("a", "b").set_cookie();
    assert_eq!(text.as_deref(), Ok("a=b; Path=/; HttpOnly; SameSite=Lax"));
}

#[test]
fn every_attribute_is_written() {
    let cookie = Cookie::new("a", "b")
        .path("/x")
        .domain("example.org")
        .max_age(Duration::from_millis(1_999))
        .expires(784_111_777)
        .secure()
        .for_scripts()
        .same_site(SameSite::None)
        .partitioned();
    assert_eq!(
        cookie.set_cookie().as_deref(),
        Ok("a=b; Path=/x; Domain=example.org; Max-Age=1; \
            Expires=Sun, 06 Nov 1994 08:49:37 GMT; Secure; SameSite=None; Partitioned")
    );
    assert!(!alloc::format!("{:?}", Cookie::new("a", "secret")).contains("secret"));
}

#[test]
fn what_browsers_would_not_take_is_refused() {
    let refused = |cookie: Cookie| cookie.set_cookie().unwrap_err();
    for name in ["", "a b", "a=", "a;", "ä", "a\r\nX"] {
        assert_eq!(
            refused(Cookie::new(name, "")),
            InvalidCookie::Name,
            "{name:?}"
        );
    }
    for value in [
        "a b",
        "a;b",
        "a,b",
        "a\"",
        "a\\b",
        "ä",
        "a\r\nSet-Cookie: b=c",
        "\u{7f}",
    ] {
        assert_eq!(
            refused(Cookie::new("a", value)),
            InvalidCookie::Value,
            "{value:?}"
        );
    }
    assert_eq!(
        refused(Cookie::new("a", "b".repeat(4096))),
        InvalidCookie::TooLong
    );
    assert_eq!(
        refused(Cookie::new("a", "").path("x")),
        InvalidCookie::Attribute
    );
    assert_eq!(
        refused(Cookie::new("a", "").path("/;x")),
        InvalidCookie::Attribute
    );
    assert_eq!(
        refused(Cookie::new("a", "").path("/x\r\n")),
        InvalidCookie::Attribute
    );
    assert_eq!(
        refused(Cookie::new("a", "").domain("a;b")),
        InvalidCookie::Attribute
    );
    assert_eq!(
        refused(Cookie::new("a", "").domain("")),
        InvalidCookie::Attribute
    );
    let long = "/".to_string() + &"x".repeat(1024);
    assert_eq!(
        refused(Cookie::new("a", "").path(long)),
        InvalidCookie::TooLong
    );
    assert_eq!(
        refused(Cookie::new("a", "").same_site(SameSite::None)),
        InvalidCookie::Insecure
    );
    assert_eq!(
        refused(Cookie::new("a", "").partitioned()),
        InvalidCookie::Insecure
    );
}

#[test]
fn prefixes_keep_their_promises() {
    let text = Cookie::new("__Secure-a", "b")
        .domain("example.org")
        .set_cookie();
    assert!(text.unwrap().contains("; Secure"));
    let refused = |cookie: Cookie| assert_eq!(cookie.set_cookie(), Err(InvalidCookie::Prefix));
    refused(Cookie::new("__Host-a", "b").path("/x"));
    refused(Cookie::new("__host-a", "b").domain("example.org"));
    assert_eq!(
        Cookie::removal("__Host-a").set_cookie().as_deref(),
        Ok("__Host-a=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax")
    );
}

#[test]
fn pairs_are_read_as_they_are_sent() {
    let pairs = |text: &'static str| cookie_pairs(text.as_bytes()).collect::<alloc::vec::Vec<_>>();
    assert_eq!(
        pairs("a=\"b\";c = d ;; e=;a=2"),
        [("a", "\"b\""), ("c", "d"), ("e", ""), ("a", "2")]
    );
    assert_eq!(pairs(""), []);
    assert_eq!(
        cookie_pairs(b"a=\xff; b=1").collect::<alloc::vec::Vec<_>>(),
        [("b", "1")]
    );
}
