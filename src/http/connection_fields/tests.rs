use super::*;

#[test]
fn names_are_known_in_any_case() {
    for name in [
        "Connection",
        "keep-alive",
        "PROXY-CONNECTION",
        "Transfer-Encoding",
        "upgrade",
    ] {
        assert!(is_of_connection(name.as_bytes()), "{name}");
    }
    for name in ["te", "content-length", "x-upgrade", "connections", ""] {
        assert!(!is_of_connection(name.as_bytes()), "{name}");
    }
}
