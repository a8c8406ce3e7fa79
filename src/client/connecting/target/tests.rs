use super::*;

#[test]
fn a_server_is_named_with_or_without_scheme_and_port() {
    for (text, destination, authority) in [
        (
            "http://127.0.0.1:50051",
            "127.0.0.1:50051",
            "127.0.0.1:50051",
        ),
        ("127.0.0.1:50051", "127.0.0.1:50051", "127.0.0.1:50051"),
        ("HTTP://[::1]:7/", "[::1]:7", "[::1]:7"),
        ("http://example.org", "example.org:80", "example.org"),
        ("http://[::1]", "[::1]:80", "[::1]"),
        ("https://example.org", "example.org:443", "example.org"),
        ("HTTPS://[::1]:7", "[::1]:7", "[::1]:7"),
        ("unix:/run/a.sock", "unix:/run/a.sock", "localhost"),
        ("unix:///run/a.sock", "unix:/run/a.sock", "localhost"),
    ] {
        let target = Target::parse(text).unwrap();
        assert_eq!(target.place.to_string(), destination);
        assert_eq!(target.authority, authority);
        let scheme = text.split_once("://").map(|it| it.0.to_ascii_lowercase());
        let scheme = scheme.filter(|it| it != "unix").map(|it| it == "https");
        assert_eq!(target.secure, scheme);
    }
}

#[test]
fn what_names_no_server_is_quoted_with_its_fault() {
    for (bad, fault) in [
        ("", FORMS),
        ("nonsense", "no port: "),
        ("127.0.0.1", "no port: "),
        ("http://", "the host is neither"),
        (":50051", "the host is neither"),
        ("a b:1", "the host is neither"),
        ("[::1:1", "the host is neither"),
        ("[nonsense]:1", "the host is neither"),
        ("ftp://a:1", FORMS),
        ("a:b", "the port is not a number"),
        ("a:", "the port is not a number"),
        ("a:+1", "the port is not a number"),
        ("a:0", "the port is not a number"),
        ("127.0.0.1:0", "the port is not a number"),
        ("a:65536", "the port is not a number"),
        ("::1:50051", "an IPv6 address stands in brackets"),
        ("http://a:1/path", "a target has no path"),
        ("http://a:1?x", "a target has no path"),
        ("http://u@a:1", "a target has no user"),
        ("unix:", "no path behind unix:"),
    ] {
        let error = Target::parse(bad).unwrap_err().to_string();
        let start = format!("cannot call {bad:?}: {fault}");
        assert!(error.starts_with(&start), "{error}");
    }
}
