use super::*;

struct Nothing;

impl Middleware for Nothing {}

fn holds(prefix: &str, path: &str) -> bool {
    Scoped::new(prefix, Nothing).holds(Method::GET, path)
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

#[test]
fn one_route_has_its_method_and_nothing_below_it() {
    let holds = |method, path: &str| {
        Scoped::route(Method::POST, "/orders/{id}/cancel", Nothing).holds(method, path)
    };
    for path in ["/orders/7/cancel", "/orders/a%2fb/%63ancel"] {
        assert!(
            holds(Method::POST, path) && !holds(Method::GET, path),
            "{path}"
        );
        assert!(!holds(Method::HEAD, path) && !holds(Method::CONNECT, path));
    }
    for path in [
        "/orders/7",
        "/orders/7/cancel/",
        "/orders/7/8/cancel",
        "/",
        "*",
    ] {
        assert!(!holds(Method::POST, path), "{path}");
    }
    let read = Scoped::route(Method::GET, "/files/{*path}", Nothing);
    for method in [Method::GET, Method::HEAD, Method::CONNECT] {
        assert!(read.holds(method, "/files/a/b") && !read.holds(method, "/files"));
    }
}
