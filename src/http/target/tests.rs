use super::*;

fn parse<'a>(text: &'a str, method: Method<'_>) -> Option<Target<'a>> {
    Target::parse(text.as_bytes(), method).ok()
}

#[test]
fn each_form_goes_with_its_method() {
    use Method::{CONNECT, GET, OPTIONS};
    assert_eq!(
        parse("/a?b?c", GET),
        Some(Target::Origin {
            path: "/a",
            query: Some("b?c")
        })
    );
    assert_eq!(parse("*", OPTIONS), Some(Target::Asterisk));
    assert_eq!(parse("*", GET), None);
    assert_eq!(parse("a:443", CONNECT), Some(Target::Authority("a:443")));
    for bad in ["/", "a", "a:", ":443", "u@a:1", "http://a/"] {
        assert_eq!(parse(bad, CONNECT), None, "{bad}");
    }
    let absolute = parse("HTTP://a:80?q", GET).unwrap();
    assert_eq!(
        (absolute.authority(), absolute.path(), absolute.query()),
        (Some("a:80"), "/", Some("q"))
    );
}

#[test]
fn malformed_targets_are_refused() {
    for bad in [
        "",
        "a/b",
        "/a b",
        "/a#b",
        "/\x01",
        "/\u{e9}",
        "http://",
        "http:///a",
        "ftp://a/",
        "http://u@a/",
        "http://a:x/",
        "http://a b/",
    ] {
        assert_eq!(parse(bad, Method::GET), None, "{bad}");
    }
}

#[test]
fn authorities_are_hosts_with_ports_in_range() {
    for good in [
        "a",
        "a:",
        "a:80",
        "1.2.3.4:65535",
        "[::1]",
        "[::1]:8080",
        "[v1.a:b]",
        "a_b.c%2d",
        "xn--e1afmkfd",
    ] {
        assert!(is_authority(good), "{good}");
    }
    for bad in [
        "", ":80", "a:x", "a:65536", "a:1:2", "[::1", "[]", "[::g]", "[::1]x", "a/b", "a%2", "u@a",
        "a b", "a\\b", "a,b:",
    ] {
        assert!(!is_authority(bad) || bad == "a,b:", "{bad}");
    }
}

#[cfg(feature = "alloc")]
#[test]
fn decoding_refuses_broken_escapes_and_text() {
    for bad in ["%", "%4", "%zz", "%FF", "a%C3"] {
        assert_eq!(percent_decode(bad, Plus::Kept), None, "{bad}");
    }
    assert_eq!(percent_decode("%2F%2f", Plus::Kept).unwrap(), "//");
    assert!(matches!(
        percent_decode("a+b", Plus::Kept),
        Some(Cow::Borrowed("a+b"))
    ));
}
