use super::*;

#[test]
fn names_and_methods_agree() {
    for name in [
        "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
    ] {
        let method = Method::new(name.as_bytes()).unwrap();
        assert_eq!(method.as_str(), name);
        assert!(!matches!(method, Method::Extension(_)));
    }
    assert_eq!(Method::new(b"get"), Some(Method::Extension("get")));
    assert_eq!(Method::new(b""), None);
    assert_eq!(Method::new(b"GE{T"), None);
    assert_eq!(Method::new("GÉT".as_bytes()), None);
}
