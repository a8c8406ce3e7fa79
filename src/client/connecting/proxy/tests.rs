use super::*;

#[test]
fn a_proxy_is_named_with_or_without_scheme_and_port() {
    for (text, shown) in [
        ("http://a:3128", "http://a:3128"),
        ("a:3128", "http://a:3128"),
        ("A", "http://a:80"),
        ("http://a/", "http://a:80"),
        ("HTTP://[::1]:8080", "http://[::1]:8080"),
        ("socks5://a", "socks5://a:1080"),
        ("socks5://a:80", "socks5://a:80"),
        ("socks5h://[::1]", "socks5h://[::1]:1080"),
        ("socks5h://u:p%40@a:1/", "socks5h://a:1"),
    ] {
        let proxy = Proxy::parse(text).unwrap();
        assert_eq!(proxy.to_string(), shown, "{text}");
        assert!(!format!("{proxy:?}").contains('u') || !text.contains('@'));
    }
}

#[test]
fn credentials_are_said_as_the_protocol_has_it() {
    let proxy = Proxy::parse("http://Aladdin:open%20sesame@a").unwrap();
    let said = proxy.authorization().unwrap();
    assert_eq!(said, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="); // RFC 7617 §2
    let socks = Proxy::parse("socks5://a").unwrap();
    assert_eq!(socks.credentials(), None);
    let long = "x".repeat(256);
    for (user, password) in [("", "a"), (long.as_str(), "a"), ("a", long.as_str())] {
        let refused = socks.clone().with_credentials(user, password);
        assert_eq!(refused, Err(ProxyError::Credentials));
    }
    let http = Proxy::parse("a").unwrap();
    let refused = http.with_credentials("a:b", "");
    assert_eq!(refused, Err(ProxyError::Credentials));
}

#[test]
fn what_is_no_proxy_is_refused() {
    for (text, error) in [
        ("ftp://a", ProxyError::Scheme),
        ("https://a", ProxyError::Scheme),
        ("http://a/path", ProxyError::Path),
        ("http://a?query", ProxyError::Path),
    ] {
        assert_eq!(Proxy::parse(text), Err(error), "{text}");
    }
    for text in [
        "",
        "http://",
        "http://a:x",
        "http://a b",
        "socks5://u:%zz@a",
    ] {
        let error = Proxy::parse(text).unwrap_err();
        assert!(matches!(error, ProxyError::Address(_)), "{text}: {error}");
    }
}
