use super::*;

fn router(routes: &[(&str, &str)]) -> Router {
    let mut router = Router::default();
    for (index, &(method, pattern)) in routes.iter().enumerate() {
        let verb = if method == "*" {
            Verb::Any
        } else {
            Verb::One(method.into())
        };
        // The limit tells the endpoints apart.
        let endpoint = Endpoint {
            collect: Some(index),
            ..Endpoint::EMPTY
        };
        router.add(verb, pattern, endpoint).unwrap();
    }
    router
}

fn find(router: &Router, method: Method<'_>, sent: &str) -> Result<(usize, String), bool> {
    let mut path = Path::default();
    path.decode(sent).unwrap();
    let plain = router.find_plain(sent, method);
    match router.find(&path, method) {
        Match::Found(endpoint, params) => {
            assert!(plain.is_none_or(|plain| core::ptr::eq(plain, endpoint)));
            let values = params.names.iter().map(|name| {
                let span = params.span(name, &path).unwrap();
                std::format!("{name}={}", &path.text()[span])
            });
            Ok((
                endpoint.collect.unwrap(),
                values.collect::<Vec<_>>().join(" "),
            ))
        }
        Match::WrongMethod => Err(true),
        Match::Nothing => Err(false),
    }
}

#[test]
fn a_literal_goes_before_a_parameter_and_a_parameter_before_a_rest() {
    let router = router(&[
        ("GET", "/a/b"),
        ("GET", "/a/{x}"),
        ("GET", "/a/{*x}"),
        ("GET", "/{x}/c/d"),
    ]);
    let get = |path| find(&router, Method::GET, path);
    assert_eq!(get("/a/b"), Ok((0, "".into())));
    assert_eq!(get("/a/c"), Ok((1, "x=c".into())));
    assert_eq!(get("/a/b/c"), Ok((2, "x=b/c".into())));
    assert_eq!(get("/a/"), Ok((1, "x=".into())));
    assert_eq!(get("/a/c/d"), Ok((2, "x=c/d".into())));
    assert_eq!(get("/b/c/d"), Ok((3, "x=b".into())));
    assert_eq!(get("/a"), Err(false));
    assert_eq!(get("/"), Err(false));
}

#[test]
#[cfg(not(any(barewire_plain, barewire_plain = "router")))]
fn a_pattern_of_literals_is_found_without_the_tree() {
    let router = router(&[
        ("GET", "/"),
        ("GET", "/a/b"),
        ("GET", "/a/c"),
        ("*", "/a/c"),
    ]);
    let collect = |sent, method| router.find_plain(sent, method).map(|it| it.collect);
    assert_eq!(collect("/", Method::GET), Some(Some(0)));
    assert_eq!(collect("/a/b", Method::GET), Some(Some(1)));
    assert_eq!(collect("/a/c", Method::GET), Some(Some(2)));
    assert_eq!(collect("/a/c", Method::PUT), Some(Some(3)));
    assert_eq!(collect("/a/b", Method::PUT), None);
    assert_eq!(collect("/a/d", Method::GET), None);
}

#[test]
fn a_way_without_the_method_is_left_for_the_next() {
    let router = router(&[("GET", "/users/me"), ("DELETE", "/users/{id}")]);
    assert_eq!(
        find(&router, Method::DELETE, "/users/me"),
        Ok((1, "id=me".into()))
    );
    assert_eq!(find(&router, Method::HEAD, "/users/me"), Ok((0, "".into())));
    assert_eq!(find(&router, Method::PUT, "/users/me"), Err(true));
    assert_eq!(find(&router, Method::GET, "/users/x"), Err(true));
}

#[test]
fn any_gives_way_to_a_method_of_its_own() {
    let router = router(&[("*", "/echo"), ("PUT", "/echo"), ("PURGE", "/x")]);
    assert_eq!(find(&router, Method::PUT, "/echo"), Ok((1, "".into())));
    assert_eq!(find(&router, Method::HEAD, "/echo"), Ok((0, "".into())));
    assert_eq!(
        find(&router, Method::Extension("PURGE"), "/x"),
        Ok((2, "".into()))
    );
}

#[test]
fn values_are_decoded_and_an_encoded_slash_stays_inside() {
    let router = router(&[("GET", "/caf\u{e9}/{a}/{b}")]);
    let found = find(&router, Method::GET, "/caf%C3%A9/x%2Fy/%7Bz%7D");
    assert_eq!(found, Ok((0, "a=x/y b={z}".into())));
}

#[test]
fn allow_lists_every_method_once() {
    let router = router(&[
        ("GET", "/a/b"),
        ("PUT", "/a/{x}"),
        ("GET", "/a/{x}"),
        ("*", "/e"),
    ]);
    let allowed = |sent: &str| {
        let (mut path, mut out) = (Path::default(), String::new());
        path.decode(sent).unwrap();
        router.put_allowed(&path, &mut out);
        out
    };
    assert_eq!(allowed("/a/b"), "GET, HEAD, OPTIONS, PUT");
    assert_eq!(allowed("/e"), "");
    assert_eq!(allowed("/none"), "");
    let mut all = String::new();
    router.put_all_allowed(&mut all);
    assert_eq!(all, "GET, HEAD, OPTIONS, PUT");
}

#[test]
fn the_same_route_twice_is_refused() {
    let mut router = router(&[("GET", "/a/{x}")]);
    let endpoint = Endpoint { ..Endpoint::EMPTY };
    let error = router
        .add(Verb::One("GET".into()), "/a/{y}", endpoint)
        .unwrap_err();
    assert_eq!(
        std::format!("{error}"),
        r#"route "GET /a/{y}": "/a/{x}" serves the same requests"#
    );
}
