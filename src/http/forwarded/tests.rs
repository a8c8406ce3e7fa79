use super::*;
use crate::http::Field;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

fn hop(text: &str) -> Option<(String, &'static str, String)> {
    let hop = Hop::parse(text.as_bytes())?;
    let node = hop.node.map_or_else(String::new, |it| it.to_string());
    let host = hop.host.unwrap_or_default().into();
    Some((node, hop.scheme.unwrap_or_default(), host))
}

#[test]
fn an_element_tells_an_address_a_scheme_and_a_host() {
    let told = |node: &str, scheme, host: &str| Some((node.into(), scheme, host.into()));
    // RFC 7239 §4 and §6.
    for (text, expected) in [
        ("for=\"_gazonk\"", told("", "", "")),
        (
            "For=\"[2001:db8:cafe::17]:4711\"",
            told("[2001:db8:cafe::17]:4711", "", ""),
        ),
        (
            "for=192.0.2.60;proto=http;by=203.0.113.43",
            told("192.0.2.60:0", "http", ""),
        ),
        (
            "FOR=192.0.2.1 ; PROTO=HTTPS;host=\"a.example:8443\"",
            told("192.0.2.1:0", "https", "a.example:8443"),
        ),
        ("for=\"192.0.2.1:_x\"", told("192.0.2.1:0", "", "")),
        ("for=unknown;host=a;", told("", "", "a")),
        (
            ";for=192.0.2.1;;secret=\"a\\\",;b\"",
            told("192.0.2.1:0", "", ""),
        ),
        ("proto=gopher;host=\"a/b\"", told("", "", "")),
        ("for=\"192.0.2.1\\\"\"", told("", "", "")),
        ("for=\"192.0.2.1:65536\"", told("", "", "")),
        ("for=\"[fe80::1%eth0]\"", told("", "", "")),
    ] {
        assert_eq!(hop(text), expected, "{text}");
    }
    for text in [
        "for",
        "for=",
        "=a",
        "for=192.0.2.1 proto=http",
        "for=192.0.2.1;for=192.0.2.2",
        "for=\"192.0.2.1",
        "for=\"a\"b",
        "for=2001:db8::1",
        "f or=a",
        "for=a\u{e9}",
    ] {
        assert_eq!(hop(text), None, "{text}");
    }
    assert_eq!(Hop::parse(b"for=\xff"), None);
}

fn backwards(lines: &[&str]) -> Vec<String> {
    let fields: Vec<Field<'_>> = lines.iter().map(|it| Field::new("Forwarded", it)).collect();
    let members = members_from_end(&Fields::new(&fields), "forwarded");
    members
        .map(|it| String::from_utf8(it.to_vec()).unwrap())
        .collect()
}

#[test]
fn what_stands_in_front_does_not_change_what_stands_behind() {
    assert_eq!(backwards(&["a, b ,,", "c"]), ["c", "b", "a"]);
    assert_eq!(backwards(&["for=\"a,b\", for=c"]), ["for=c", "for=\"a,b\""]);
    assert_eq!(backwards(&["x=\"a\\\",b\", c"]), ["c", "x=\"a\\\",b\""]);
    assert_eq!(
        backwards(&["x=\"a\\\\\", c=\"d\""]),
        ["c=\"d\"", "x=\"a\\\\\""]
    );
    let good = "for=\"[2001:db8::1]:4711\"";
    for attack in [
        "\"",
        "for=\"",
        "for=\"x\\",
        "\\\"",
        "a=\"b\", \"",
        ",\",",
        "\u{e9}\"",
    ] {
        let line = alloc::format!("{attack}, {good}");
        assert_eq!(backwards(&[&line])[0], good, "{line}");
        assert_eq!(backwards(&[attack, good])[0], good, "{attack}");
    }
}

#[test]
fn a_field_full_of_quotes_takes_linear_time() {
    let line = "\\\"".repeat(1 << 20);
    assert_eq!(backwards(&[&line]).len(), 1);
}
