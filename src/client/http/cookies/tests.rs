use super::*;

const NOW: u64 = 1_000_000_000;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

/// The cookies in requests for each URL, after a response from the first one.
fn sent(from: &str, set: &[&str], to: &str) -> Option<String> {
    let jar = CookieJar::new();
    for set in set {
        jar.set_at(&url(from), set, NOW);
    }
    jar.get_at(&url(to), NOW + 10)
}

#[test]
fn a_cookie_goes_where_it_is_for() {
    for (from, set, to, expected) in [
        (
            "http://a.example/",
            "a=b",
            "http://a.example/x",
            Some("a=b"),
        ),
        ("http://a.example/", "a=b", "http://b.a.example/", None),
        (
            "http://a.example/",
            "a=b",
            "https://a.example:8443/",
            Some("a=b"),
        ),
        (
            "http://w.a.example/",
            "a=b; Domain=a.example",
            "http://a.example/",
            Some("a=b"),
        ),
        (
            "http://w.a.example/",
            "a=b; Domain=.A.Example",
            "http://x.a.example/",
            Some("a=b"),
        ),
        (
            "http://w.a.example/",
            "a=b; Domain=a.example",
            "http://xa.example/",
            None,
        ),
        (
            "http://w.a.example/",
            "a=b; Domain=x.w.a.example",
            "http://x.w.a.example/",
            None,
        ),
        (
            "http://w.a.example/",
            "a=b; Domain=other.example",
            "http://other.example/",
            None,
        ),
        (
            "http://w.a.example/",
            "a=b; Domain=example",
            "http://b.example/",
            None,
        ),
        (
            "http://a.co.uk/",
            "a=b; Domain=co.uk",
            "http://b.co.uk/",
            None,
        ),
        (
            "http://a.github.io/",
            "a=b; Domain=github.io",
            "http://b.github.io/",
            None,
        ),
        (
            "http://localhost/",
            "a=b; Domain=localhost",
            "http://localhost/",
            Some("a=b"),
        ),
        (
            "http://127.0.0.1/",
            "a=b; Domain=127.0.0.1",
            "http://127.0.0.1/",
            Some("a=b"),
        ),
        (
            "http://127.0.0.1/",
            "a=b; Domain=0.0.1",
            "http://127.0.0.1/",
            None,
        ),
        (
            "http://a.example/x/y",
            "a=b",
            "http://a.example/x/z",
            Some("a=b"),
        ),
        (
            "http://a.example/x/y",
            "a=b",
            "http://a.example/x",
            Some("a=b"),
        ),
        ("http://a.example/x/y", "a=b", "http://a.example/xz", None),
        ("http://a.example/x/y", "a=b", "http://a.example/", None),
        (
            "http://a.example/x/y",
            "a=b; Path=/",
            "http://a.example/",
            Some("a=b"),
        ),
        (
            "http://a.example/",
            "a=b; Path=/x",
            "http://a.example/x/y",
            Some("a=b"),
        ),
        (
            "http://a.example/",
            "a=b; Path=/x",
            "http://a.example/xy",
            None,
        ),
        (
            "https://a.example/",
            "a=b; Secure",
            "http://a.example/",
            None,
        ),
        (
            "https://a.example/",
            "a=b; Secure",
            "https://a.example/",
            Some("a=b"),
        ),
        (
            "http://a.example/",
            "a=b; Secure",
            "https://a.example/",
            None,
        ),
        (
            "https://a.example/",
            "__Host-a=b; Secure; Path=/",
            "https://a.example/",
            Some("__Host-a=b"),
        ),
        (
            "https://a.example/",
            "__Host-a=b; Secure",
            "https://a.example/",
            None,
        ),
        (
            "https://w.a.example/",
            "__Host-a=b; Secure; Path=/; Domain=a.example",
            "https://a.example/",
            None,
        ),
        (
            "https://a.example/",
            "__Secure-a=b",
            "https://a.example/",
            None,
        ),
        (
            "http://a.example/",
            "a=b; Max-Age=5",
            "http://a.example/",
            None,
        ),
        (
            "http://a.example/",
            "a=b; Max-Age=11",
            "http://a.example/",
            Some("a=b"),
        ),
        (
            "http://a.example/",
            "a=b; Max-Age=0",
            "http://a.example/",
            None,
        ),
        (
            "http://a.example/",
            "a=b; Expires=Sun, 06 Nov 1994 08:49:37 GMT",
            "http://a.example/",
            None,
        ),
        (
            "http://a.example/",
            "a=b; Expires=Sun, 06 Nov 2094 08:49:37 GMT",
            "http://a.example/",
            Some("a=b"),
        ),
        ("http://a.example/", "nonsense", "http://a.example/", None),
        ("http://a.example/", "a=b\x07", "http://a.example/", None),
    ] {
        assert_eq!(
            sent(from, &[set], to).as_deref(),
            expected,
            "{from} {set} {to}"
        );
    }
}

#[test]
fn longer_paths_come_first_and_a_name_is_kept_once() {
    let sets = ["a=1; Path=/", "b=2; Path=/x", "c=3; Path=/", "a=4; Path=/"];
    let cookies = sent("http://a.example/x/", &sets, "http://a.example/x/");
    assert_eq!(cookies.as_deref(), Some("b=2; a=4; c=3"));
    let sets = ["a=1", "a=; Max-Age=0"];
    assert_eq!(sent("http://a.example/", &sets, "http://a.example/"), None);
}

#[test]
fn what_was_set_over_https_is_not_overwritten_over_http() {
    let jar = CookieJar::new();
    let (secure, plain) = (url("https://a.example/"), url("http://a.example/"));
    assert!(jar.set_at(&secure, "a=1; Secure", NOW));
    assert!(!jar.set_at(&plain, "a=2", NOW));
    assert_eq!(jar.get_at(&secure, NOW).as_deref(), Some("a=1"));
}

#[test]
fn a_server_cannot_fill_the_jar() {
    let limits = CookieLimits::DEFAULT
        .with_per_domain(3)
        .with_total(5)
        .with_cookie(20);
    let jar = CookieJar::with_limits(limits);
    let long = alloc::format!("a={}", "x".repeat(20));
    assert!(!jar.set_at(&url("http://a.example/"), &long, NOW));
    for n in 0..10 {
        let set = alloc::format!("c{n}=1");
        assert!(jar.set_at(&url("http://a.example/"), &set, NOW));
    }
    assert_eq!(
        jar.get_at(&url("http://a.example/"), NOW).as_deref(),
        Some("c7=1; c8=1; c9=1")
    );
    for n in 0..10 {
        let url = url(&alloc::format!("http://a{n}.example/"));
        assert!(jar.set_at(&url, "c=1", NOW));
    }
    assert_eq!(jar.len(), 5);
}
