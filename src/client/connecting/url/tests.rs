use super::*;
use proptest::prelude::*;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

#[test]
fn a_url_has_one_form() {
    for (text, form) in [
        ("http://a", "http://a/"),
        ("HTTP://EXAMPLE.com:80", "http://example.com/"),
        ("https://a:443/x", "https://a/x"),
        ("https://a:80/x", "https://a:80/x"),
        ("http://a:/x", "http://a/x"),
        ("http://a:0080/", "http://a/"),
        ("ws://a:8080", "ws://a:8080/"),
        ("wss://a:443?x", "wss://a/?x"),
        ("http://a?x#y", "http://a/?x#y"),
        ("http://a#y?z", "http://a/#y?z"),
        ("http://a/?", "http://a/?"),
        ("http://[0:0::1]:80/", "http://[::1]/"),
        ("http://[::FFFF:1.2.3.4]:81", "http://[::ffff:1.2.3.4]:81/"),
        ("http://127.0.0.1:1", "http://127.0.0.1:1/"),
        ("http://a_b.c-d./", "http://a_b.c-d./"),
        ("http://a/./b/../c/.", "http://a/c/"),
        ("http://a/../../b/..", "http://a/"),
        ("http://a/b//../c", "http://a/b/c"),
        ("http://a/...", "http://a/..."),
        (
            "http://a/\u{e4}?\u{fc}#\u{f6}",
            "http://a/%C3%A4?%C3%BC#%C3%B6",
        ),
        (
            "http://a/{\"<>`}|^\\",
            "http://a/%7B%22%3C%3E%60%7D%7C%5E%5C",
        ),
        ("http://a/[]?[]'", "http://a/%5B%5D?%5B%5D'"),
        ("http://a/%2f%7e?%aF", "http://a/%2f%7e?%aF"),
        ("http://a/;=,:@!$&'()*+-._~", "http://a/;=,:@!$&'()*+-._~"),
        ("http://a//b", "http://a//b"),
        ("http://a/?a/b?c", "http://a/?a/b?c"),
    ] {
        let parsed = url(text);
        assert_eq!(parsed.as_str(), form, "{text}");
        assert_eq!(url(form), parsed, "{text}: its form is another URL");
    }
}

#[test]
fn what_is_no_url_is_refused_by_its_part() {
    use UrlError::*;
    for (text, error) in [
        ("", Empty),
        (" http://a", Whitespace { at: 0 }),
        ("http://a/b c", Whitespace { at: 10 }),
        ("http://a/\n", Whitespace { at: 9 }),
        ("http://a/\0", Whitespace { at: 9 }),
        ("http://a\x7f", Whitespace { at: 8 }),
        ("a", NoScheme),
        ("//a", NoScheme),
        ("/a", NoScheme),
        ("a:80", NoScheme),
        ("http:/a", NoScheme),
        ("1http://a", NoScheme),
        ("ht+tp://a", Scheme),
        ("ftp://a", Scheme),
        ("file:///a", Scheme),
        ("httpss://a", Scheme),
        ("http://", NoHost),
        ("http:///a", NoHost),
        ("http://:80", NoHost),
        ("http://u@:80", NoHost),
        ("http://?a", NoHost),
        ("http://a b", Whitespace { at: 8 }),
        ("http://a\\b", Host),
        ("http://good\\@evil/", Host),
        ("http://a%41", Host),
        ("http://a..b", Host),
        ("http://.a", Host),
        ("http://.", Host),
        ("http://a<b", Host),
        ("http://::1", Port),
        ("http://[::1", Ipv6),
        ("http://[::1]x", Port),
        ("http://[]", Ipv6),
        ("http://[v1.a]", Ipv6),
        ("http://[fe80::1%25eth0]", Ipv6),
        ("http://127.1", Ipv4),
        ("http://1", Ipv4),
        ("http://0x7f.0.0.1", Ipv4),
        ("http://127.0.0.1.", Ipv4),
        ("http://127.0.0.01", Ipv4),
        ("http://256.0.0.1", Ipv4),
        ("http://1.2.3.4.5", Ipv4),
        ("http://a.0x1", Ipv4),
        ("http://a:65536", Port),
        ("http://a:0", Port),
        ("http://a:+1", Port),
        ("http://a:x", Port),
        ("http://a:1:2", Port),
        ("http://a@b@c", UserInfo),
        ("http://a:\u{e4}@b", UserInfo),
        ("http://a%4@b", UserInfo),
        ("http://%ff@b", UserInfo),
        ("http://u\\@b", Host),
        ("http://a/%", Path),
        ("http://a/%4", Path),
        ("http://a/%zz", Path),
        ("http://a/?%", Query),
        ("http://a/#%1", Fragment),
    ] {
        assert_eq!(Url::parse(text), Err(error), "{text:?}");
    }
    let label = "a".repeat(64);
    let name = ["a"; 128].join(".");
    for host in [&label, &name] {
        let text = alloc::format!("http://{host}/");
        assert_eq!(Url::parse(&text), Err(Host), "{text}");
    }
}

#[test]
fn no_text_of_a_url_shows_its_credentials() {
    let url = url("https://us%65r:pa%3Ass@a:8443/x?y");
    assert_eq!(url.username(), Some("user"));
    assert_eq!(url.password(), Some("pa:ss"));
    let shown = alloc::format!("{url} {url:?} {}", url.as_str());
    assert!(!shown.contains("user") && !shown.contains("pa"), "{shown}");
    assert_eq!(url.authority(), "a:8443");
    assert_eq!(url.origin(), "https://a:8443");
    assert_eq!(url.target(), "/x?y");
    assert_ne!(url, super::tests::url("https://a:8443/x?y"));
    let none = super::tests::url("https://@a/");
    assert_eq!((none.username(), none.password()), (None, None));
    let empty = super::tests::url("https://u:@a/");
    assert_eq!((empty.username(), empty.password()), (Some("u"), Some("")));
}

/// The examples of RFC 3986 §5.4, whose base has another host here.
#[test]
fn references_mean_what_the_standard_says() {
    let base = url("http://a/b/c/d;p?q");
    for (reference, expected) in [
        ("g", "http://a/b/c/g"),
        ("./g", "http://a/b/c/g"),
        ("g/", "http://a/b/c/g/"),
        ("/g", "http://a/g"),
        ("//g", "http://g/"),
        ("?y", "http://a/b/c/d;p?y"),
        ("g?y", "http://a/b/c/g?y"),
        ("#s", "http://a/b/c/d;p?q#s"),
        ("g#s", "http://a/b/c/g#s"),
        ("g?y#s", "http://a/b/c/g?y#s"),
        (";x", "http://a/b/c/;x"),
        ("g;x", "http://a/b/c/g;x"),
        ("g;x?y#s", "http://a/b/c/g;x?y#s"),
        ("", "http://a/b/c/d;p?q"),
        (".", "http://a/b/c/"),
        ("./", "http://a/b/c/"),
        ("..", "http://a/b/"),
        ("../", "http://a/b/"),
        ("../g", "http://a/b/g"),
        ("../..", "http://a/"),
        ("../../", "http://a/"),
        ("../../g", "http://a/g"),
        ("../../../g", "http://a/g"),
        ("../../../../g", "http://a/g"),
        ("/./g", "http://a/g"),
        ("/../g", "http://a/g"),
        ("g.", "http://a/b/c/g."),
        (".g", "http://a/b/c/.g"),
        ("g..", "http://a/b/c/g.."),
        ("..g", "http://a/b/c/..g"),
        ("./../g", "http://a/b/g"),
        ("./g/.", "http://a/b/c/g/"),
        ("g/./h", "http://a/b/c/g/h"),
        ("g/../h", "http://a/b/c/h"),
        ("g;x=1/./y", "http://a/b/c/g;x=1/y"),
        ("g;x=1/../y", "http://a/b/c/y"),
        ("g?y/./x", "http://a/b/c/g?y/./x"),
        ("g?y/../x", "http://a/b/c/g?y/../x"),
        ("g#s/./x", "http://a/b/c/g#s/./x"),
        ("https://b:1/", "https://b:1/"),
        ("?a:b", "http://a/b/c/d;p?a:b"),
        ("g/a:b", "http://a/b/c/g/a:b"),
    ] {
        let joined = base.join(reference).unwrap();
        assert_eq!(joined.as_str(), expected, "{reference}");
    }
    for (reference, error) in [
        ("g:h", UrlError::NoScheme),
        ("javascript:x", UrlError::NoScheme),
        ("ftp://x", UrlError::Scheme),
        ("http:g", UrlError::NoScheme),
        ("//", UrlError::NoHost),
        ("a b", UrlError::Whitespace { at: 1 }),
    ] {
        assert_eq!(base.join(reference), Err(error), "{reference}");
    }
}

#[test]
fn credentials_stay_where_the_authority_does() {
    let base = url("http://u:p@a/b");
    assert_eq!(base.join("c").unwrap().username(), Some("u"));
    assert_eq!(base.join("//a/c").unwrap().username(), None);
    assert_eq!(base.join("http://a/c").unwrap().username(), None);
}

#[cfg(not(feature = "idna"))]
#[test]
fn without_idna_a_host_is_ascii() {
    let error = UrlError::NotAscii;
    assert_eq!(Url::parse("http://b\u{fc}cher.example/"), Err(error));
}

#[cfg(feature = "idna")]
#[test]
fn a_host_outside_of_ascii_is_converted() {
    for (text, host) in [
        ("http://B\u{fc}cher.example/", "xn--bcher-kva.example"),
        ("http://fa\u{df}.de", "xn--fa-hia.de"),
        ("http://\u{ff21}.com", "a.com"),
        ("http://a\u{3002}b", "a.b"),
        ("http://xn--bcher-kva.example", "xn--bcher-kva.example"),
        // Digits of another script are an address all the same.
        ("http://\u{ff11}.0.0.1", "1.0.0.1"),
    ] {
        assert_eq!(url(text).host(), host, "{text}");
    }
    for (text, error) in [
        ("http://a\u{200e}b.example/", UrlError::Host),
        ("http://\u{fffd}.example/", UrlError::Host),
        ("http://xn--a.example/", UrlError::Host),
        ("http://a\u{ff0f}b/", UrlError::Host), // a slash of another width
        ("http://a\u{ff20}b/", UrlError::Host),
        ("http://\u{ff11}/", UrlError::Ipv4),
    ] {
        assert_eq!(Url::parse(text), Err(error), "{text:?}");
    }
}

proptest! {
    #[test]
    fn any_text_is_a_url_with_one_form_or_none(text in "(https?|ws)://[ -~\u{e0}-\u{ff}]{0,24}") {
        if let Ok(parsed) = Url::parse(&text) {
            let again = Url::parse(parsed.as_str());
            prop_assert_eq!(again.as_ref().map(Url::as_str), Ok(parsed.as_str()));
            prop_assert!(parsed.as_str().bytes().all(|b| (b'!'..=b'~').contains(&b)));
            let target = crate::http::Target::parse(
                parsed.target().as_bytes(),
                crate::http::Method::GET,
            );
            prop_assert!(target.is_ok_and(|it| it.is_rfc3986()));
            prop_assert!(crate::http::target::is_authority(parsed.authority()));
        }
    }

    #[test]
    fn any_reference_joins_to_a_url_or_none(reference in "[ -~]{0,24}") {
        let base = Url::parse("https://a:1/b/c?d#e").unwrap();
        if let Ok(joined) = base.join(&reference) {
            let again = Url::parse(joined.as_str());
            prop_assert_eq!(again.as_ref().map(Url::as_str), Ok(joined.as_str()));
        }
    }
}

#[test]
fn errors_show_no_secrets() {
    let shown = |text| alloc::format!("{}", url(text).shown());
    assert_eq!(shown("wss://u:p@a:81/b?token=1#c"), "wss://a:81/b?...");
    assert_eq!(shown("http://a/b#c"), "http://a/b");
}
