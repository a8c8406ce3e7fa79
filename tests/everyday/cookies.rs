//! Cookies read and set, and signed by choice.

use barewire::app::{App, Cookie, Response, SameSite};
use core::time::Duration;

use crate::app_support::Running;

#[test]
fn cookies_are_read_as_they_were_sent() {
    let running = Running::start(App::new().get("/", |request, reply| {
        let all: Vec<_> = request
            .cookies()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        reply.text(format!("{:?} {}", request.cookie("a"), all.join("|")))
    }));
    let ask =
        |fields: &str| running.exchange(&format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n"));
    assert_eq!(ask("").body, "None ");
    let answer = ask("Cookie: b=x=y; a=1\r\nCookie: a=2;c=\"d\"\r\n");
    assert_eq!(answer.body, "Some(\"1\") b=x=y|a=1|a=2|c=\"d\"");
    let many = format!("Cookie: {}a=late\r\n", "z=1; ".repeat(256));
    assert!(
        ask(&many).body.starts_with("None z=1|"),
        "no more than browsers send"
    );
}

#[test]
fn cookies_are_set_beside_each_other() {
    let running = Running::start(
        App::new()
            .get("/reply", |_request, reply| {
                let theme = Cookie::new("theme", "dark")
                    .for_scripts()
                    .same_site(SameSite::Strict);
                reply
                    .cookie(Cookie::new("__Host-id", "7").max_age(Duration::from_secs(60)))
                    .cookie(theme)
                    .text("set")
            })
            .get("/response", |_request, reply| {
                reply.response(Response::text("removed").cookie(Cookie::removal("theme")))
            })
            .get("/bad", |_request, reply| {
                reply
                    .cookie(Cookie::new("__Host-id", "7").domain("example.org"))
                    .text("never")
            })
            .get("/worse", |_request, reply| {
                let cookie = Cookie::new("a", "b\r\nSet-Cookie: c=d");
                reply.response(Response::text("never").cookie(cookie))
            }),
    );
    assert_eq!(
        running.get("/reply").header("set-cookie"),
        "__Host-id=7; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Lax, \
         theme=dark; Path=/; SameSite=Strict"
    );
    assert_eq!(
        running.get("/response").header("set-cookie"),
        "theme=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
    );
    for path in ["/bad", "/worse"] {
        let answer = running.get(path);
        assert_eq!(
            (answer.status, &*answer.header("set-cookie")),
            (500, ""),
            "{path}"
        );
    }
}

#[cfg(feature = "signed-cookies")]
#[test]
fn a_signed_cookie_that_was_changed_is_none() {
    use barewire::app::CookieKey;

    let key = CookieKey::random().unwrap();
    let same = key.clone();
    let running = Running::start(
        App::new()
            .get("/set", move |_request, reply| {
                reply
                    .cookie(Cookie::new("id", "7").signed(&key))
                    .text("set")
            })
            .get("/get", move |request, reply| {
                reply.text(format!("{:?}", request.signed_cookie("id", &same)))
            }),
    );
    let set = running.get("/set").header("set-cookie");
    let (cookie, _) = set.split_once(';').unwrap();
    let ask = |cookie: &str| {
        let request = format!("GET /get HTTP/1.1\r\nHost: a\r\nCookie: {cookie}\r\n\r\n");
        running.exchange(&request).body
    };
    assert_eq!(ask(cookie), "Some(\"7\")");
    assert_eq!(ask(&cookie.replace("=7.", "=8.")), "None");
    assert_eq!(ask("id=7"), "None");
    // Another site below the domain may set one in front of ours.
    assert_eq!(ask(&format!("id=9; {cookie}")), "Some(\"7\")");
}
