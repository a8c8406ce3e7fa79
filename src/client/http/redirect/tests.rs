use super::*;

fn hop(
    policy: RedirectPolicy,
    code: u16,
    method: Method<'_>,
    from: &str,
    to: &[u8],
) -> Result<Option<Hop>, RedirectError> {
    let url = Url::parse(from).unwrap();
    policy.hop(Status::new(code).unwrap(), Some(to), method, &url, 0)
}

fn change(code: u16, method: Method<'_>) -> Option<Change> {
    let hop = hop(RedirectPolicy::default(), code, method, "http://a/", b"/b");
    hop.unwrap().map(|it| it.change)
}

#[test]
fn methods_change_as_browsers_have_it() {
    use Change::{Nothing, ToGet, WithoutBody};
    for (code, get, head, post, put) in [
        (301, Nothing, Nothing, ToGet, Nothing),
        (302, Nothing, Nothing, ToGet, Nothing),
        (303, WithoutBody, WithoutBody, ToGet, ToGet),
        (307, Nothing, Nothing, Nothing, Nothing),
        (308, Nothing, Nothing, Nothing, Nothing),
    ] {
        let methods = [Method::GET, Method::HEAD, Method::POST, Method::PUT];
        let changes = methods.map(|method| change(code, method).unwrap());
        assert_eq!(changes, [get, head, post, put], "{code}");
    }
    for code in [200, 201, 300, 304, 305, 306, 400] {
        assert_eq!(change(code, Method::GET), None, "{code}");
    }
}

#[test]
fn only_a_location_that_is_allowed_is_followed() {
    let policy = RedirectPolicy::default();
    let secure = "https://a/x";
    let to = |location: &[u8]| hop(policy, 302, Method::GET, secure, location);
    assert_eq!(to(b"http://a/"), Err(RedirectError::Downgrade));
    let lax = policy.downgrade(true);
    assert!(hop(lax, 302, Method::GET, secure, b"http://a/").is_ok());
    for location in [
        &b"ftp://a/"[..],
        b"javascript:x",
        b"wss://a/",
        b"file:///etc",
    ] {
        assert!(matches!(to(location), Err(RedirectError::Location(_))));
    }
    assert_eq!(
        to(b"https://a:x/"),
        Err(RedirectError::Location(UrlError::Port))
    );
    let none = hop(RedirectPolicy::none(), 302, Method::GET, secure, b"/");
    assert_eq!(none, Ok(None));
    let url = Url::parse(secure).unwrap();
    let found = Status::new(302).unwrap();
    assert_eq!(policy.hop(found, None, Method::GET, &url, 0), Ok(None));
    let eleventh = policy.hop(found, Some(b"/"), Method::GET, &url, 10);
    assert_eq!(eleventh, Err(RedirectError::TooMany(10)));
}

#[test]
fn a_location_may_be_sloppy() {
    let base = "https://a/x/y?z#frag";
    for (location, url) in [
        (&b"  /a b "[..], "https://a/a%20b#frag"),
        (b"\xc3\xa4", "https://a/x/%C3%A4#frag"),
        (b"\xe4?\xe4", "https://a/x/%E4?%E4#frag"),
        (b"/b#own", "https://a/b#own"),
        (b"//b/", "https://b/#frag"),
        (b"", "https://a/x/y?z#frag"),
    ] {
        let hop = hop(RedirectPolicy::default(), 301, Method::GET, base, location);
        assert_eq!(hop.unwrap().unwrap().url.as_str(), url);
    }
}

#[test]
fn secrets_and_descriptions_of_a_body_are_left_behind() {
    let mut fields = FieldBuffer::new();
    for name in [
        "Authorization",
        "Cookie",
        "X-Api-Key",
        "Content-Type",
        "Accept",
    ] {
        fields.push(name, "x").unwrap();
    }
    let hop = |change, is_elsewhere| Hop {
        url: Url::parse("http://a/").unwrap(),
        change,
        is_elsewhere,
    };
    let count = |hop: &Hop| {
        let mut fields = fields.clone();
        sift(&mut fields, hop);
        fields.as_fields().len()
    };
    assert_eq!(count(&hop(Change::Nothing, false)), 5);
    assert_eq!(count(&hop(Change::ToGet, false)), 4);
    assert_eq!(count(&hop(Change::Nothing, true)), 2);
    assert_eq!(count(&hop(Change::ToGet, true)), 1);
}
