use super::*;
use crate::http::{Field, Method, Target, Version};
use alloc::string::ToString;

fn passes(guard: &OriginGuard, method: Method<'_>, fields: &[(&str, &str)]) -> bool {
    let mut list: Vec<Field<'_>> = fields.iter().map(|it| Field::new(it.0, it.1)).collect();
    list.push(Field::new("Host", "shop.example"));
    let head = RequestHead {
        method,
        target: Target::Origin {
            path: "/",
            query: None,
        },
        version: Version::Http11,
        protocol: None,
        fields: Fields::new(&list),
    };
    let checked = guard.check(&head);
    if let Err(foreign) = checked {
        let text = foreign.to_string();
        assert!(text.contains("shop.example"), "{text}");
        assert!(
            fields.iter().all(|(_, value)| text.contains(value)),
            "{text}"
        );
    }
    checked.is_ok()
}

#[test]
fn what_changes_something_is_for_pages_of_the_server_and_clients_that_are_no_browsers() {
    let guard = OriginGuard::new().allow("https://admin.example");
    let (own, foreign, listed) = (
        ("Origin", "https://shop.example"),
        ("Origin", "https://evil.example"),
        ("Origin", "https://admin.example"),
    );
    let (same, site, cross, none) = (
        ("Sec-Fetch-Site", "same-origin"),
        ("Sec-Fetch-Site", "same-site"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "none"),
    );
    let null = ("Origin", "null");
    let cases: &[(&[(&str, &str)], bool)] = &[
        (&[], true),
        (&[own], true),
        (&[listed], true),
        (&[foreign], false),
        (&[null], false),
        (&[("Origin", "")], false),
        (&[("Origin", "https://shop.example/")], false),
        (&[own, own], false),
        (&[own, foreign], false),
        (&[same], true),
        (&[same, own], true),
        (&[same, null], true), // Referrer-Policy: no-referrer
        (&[same, own, own], false),
        (&[none], true),
        (&[cross], false),
        (&[cross, own], false), // the same host, over http
        (&[cross, foreign], false),
        (&[cross, listed], true),
        (&[site, foreign], false),
        (&[site, listed], true),
        (&[site], false),
        (&[same, cross], false),
        (&[same, same], false),
        (&[("Sec-Fetch-Site", ""), own], false),
        (&[("Sec-Fetch-Site", "SAME-ORIGIN"), own], false),
    ];
    for (fields, expected) in cases {
        for method in [Method::POST, Method::DELETE, Method::Extension("PURGE")] {
            assert_eq!(passes(&guard, method, fields), *expected, "{fields:?}");
        }
        for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
            assert!(passes(&guard, method, fields), "{fields:?}");
        }
    }
}

#[test]
fn a_text_that_is_no_origin_keeps_an_app_from_starting() {
    assert!(OriginGuard::new().fault().is_none());
    assert!(
        OriginGuard::new()
            .allow("http://[::1]:3000")
            .ready()
            .is_ok()
    );
    for text in [
        "example.com",
        "https://example.com/",
        "*",
        "null",
        "https://b\u{fc}cher",
    ] {
        assert!(OriginGuard::new().allow(text).ready().is_err(), "{text}");
    }
}
