use super::*;

struct Nothing;

impl Middleware for Nothing {}

fn holds(prefix: &str, path: &str) -> bool {
    Scoped::new(prefix, Nothing).holds(path)
}

#[test]
fn segments_are_compared_whole_and_decoded() {
    for path in ["/api", "/api/", "/api/a/b", "/%61pi", "/ap%69/x", "/api//"] {
        assert!(holds("/api", path) && holds("/api/", path), "{path}");
    }
    for path in [
        "/", "", "*", "/apis", "/API", "//api", "/a/api", "/api%2fx", "/%zz/api",
    ] {
        assert!(!holds("/api", path), "{path}");
    }
    assert!(holds("/a/b", "/a/b/c") && !holds("/a/b", "/a"));
    assert!(holds("/", "/anything") && holds("/", "/"));
    assert!(holds("/a%62", "/a%2562") && !holds("/a%62", "/ab"));
}
