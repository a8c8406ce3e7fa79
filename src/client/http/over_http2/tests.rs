use super::*;
use crate::http::{Field, Fields, Method, Version};

#[test]
fn a_request_over_tls_says_https() {
    let fields = [Field::new("Host", "a:1")];
    let mut head = RequestHead {
        method: Method::GET,
        target: Target::parse_origin("/b?c"),
        version: Version::Http11,
        protocol: None,
        fields: Fields::new(&fields),
    };
    secure(&mut head);
    let Target::Absolute {
        scheme,
        authority,
        path,
        query,
    } = head.target
    else {
        panic!("{head:?}")
    };
    let parts = (scheme, authority, path, query);
    assert_eq!(parts, ("https", "a:1", "/b", Some("c")));
}

#[test]
fn fields_of_http1_are_known_in_any_case() {
    for name in ["Connection", "TE", "transfer-encoding", "UPGRADE"] {
        assert!(is_of_http1(name.as_bytes()), "{name}");
    }
    assert!(!is_of_http1(b"content-type") && !is_of_http1(b"tea"));
}
