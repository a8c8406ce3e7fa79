//! Who asks: Basic and Bearer, and what browsers are told.

use barewire::app::{
    App, BasicAuth, BasicUser, BearerAuth, OriginGuard, Scoped, SecurityHeaders, TrustedProxies,
};
use barewire::http::{Method, Status};
use core::time::Duration;

use crate::app_support::{Answer, Running};

fn ask(running: &Running, fields: &str) -> Answer {
    running.exchange(&format!("GET /me HTTP/1.1\r\nHost: a\r\n{fields}\r\n"))
}

fn basic() -> Running {
    let users = BasicAuth::users("the \"staff\"", [("Aladdin", "open sesame"), ("ü", "a:b")]);
    Running::start(App::new().with(users).get("/me", |request, reply| {
        let user = request.extensions().get::<BasicUser>();
        reply.text(&user.ok_or(Status::NOT_IMPLEMENTED)?.0).ok()
    }))
}

/// The example of RFC 7617 §2.
#[test]
fn basic_lets_in_whom_it_knows() {
    let running = basic();
    for scheme in ["Basic", "bAsIc", "Basic "] {
        let answer = ask(
            &running,
            &format!("Authorization: {scheme} QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"),
        );
        assert_eq!((answer.status, answer.body.as_str()), (200, "Aladdin"));
    }
    // Without padding; a password with a colon, in UTF-8.
    assert_eq!(ask(&running, "Authorization: Basic w7w6YTpi\r\n").body, "ü");
    assert_eq!(
        ask(
            &running,
            "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ\r\n"
        )
        .status,
        200
    );
}

#[test]
fn basic_challenges_everybody_else() {
    let running = basic();
    for fields in [
        "",
        "Authorization: Basic\r\n",
        "Authorization: Basic %%%\r\n",
        "Authorization: Basic QWxhZGRpbjp3cm9uZw==\r\n", // Aladdin:wrong
        "Authorization: Basic QWxhZGRpbg==\r\n",         // no colon
        "Authorization: Basic /////w==\r\n",             // not UTF-8
        "Authorization: Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n",
        "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\nAuthorization: Basic w7w6YTpi\r\n",
    ] {
        let answer = ask(&running, fields);
        assert_eq!(answer.status, 401, "{fields:?}");
        let challenge = r#"Basic realm="the \"staff\"", charset="UTF-8""#;
        assert_eq!(answer.header("www-authenticate"), challenge);
    }
}

#[test]
fn bearer_says_what_is_wrong() {
    let auth = BearerAuth::new("api", |token| (token == "mF_9.B5f-4.1JqM").then_some(7u32));
    let app = App::new().with(auth).get("/me", |request, reply| {
        let id = request
            .extensions()
            .get::<u32>()
            .ok_or(Status::NOT_IMPLEMENTED)?;
        reply.text(id.to_string()).ok()
    });
    let running = Running::start(app);
    let of = |fields: &str| {
        let answer = ask(&running, fields);
        (answer.status, answer.header("www-authenticate"))
    };
    let right = ask(&running, "Authorization: bearer mF_9.B5f-4.1JqM\r\n");
    assert_eq!((right.status, right.body.as_str()), (200, "7"));
    let plain = r#"Bearer realm="api""#;
    assert_eq!(of(""), (401, plain.into()));
    assert_eq!(of("Authorization: Basic QQ==\r\n"), (401, plain.into()));
    let unknown = format!("{plain}, error=\"invalid_token\"");
    assert_eq!(of("Authorization: Bearer x\r\n"), (401, unknown));
    let malformed = format!("{plain}, error=\"invalid_request\"");
    for fields in [
        "Authorization: Bearer\r\n",
        "Authorization: Bearer ==\r\n",
        "Authorization: Bearer a b\r\n",
        "Authorization: Bearer x\r\nAuthorization: Bearer x\r\n",
    ] {
        assert_eq!(of(fields), (400, malformed.clone()), "{fields:?}");
    }
}

#[test]
fn one_token_guards_one_route() {
    let guard = Scoped::route(
        Method::GET,
        "/metrics",
        BearerAuth::token("metrics", "s3cret"),
    );
    let app = App::new()
        .with(guard)
        .get("/metrics", |_request, reply| reply.text("up 1"))
        .get("/me", |_request, reply| reply.text("open"));
    let running = Running::start(app);
    assert_eq!(running.get("/metrics").status, 401);
    assert_eq!(running.get("/%6detrics").status, 401);
    assert_eq!(
        running
            .exchange("HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
            .status,
        401
    );
    assert_eq!(ask(&running, "").body, "open");
    let with = "GET /metrics HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer s3cret\r\n\r\n";
    assert_eq!(running.exchange(with).body, "up 1");
}

#[test]
fn an_app_does_not_start_with_a_realm_that_cannot_be_written() {
    let app = App::new().with(BearerAuth::token("a\r\nb", "x"));
    assert!(app.listen("127.0.0.1:0").unwrap().spawn().is_err());
}

/// Sec-Fetch-Site is judged, and on a single route.
#[test]
fn foreign_pages_are_kept_from_one_route() {
    let guard = Scoped::route(Method::POST, "/orders/{id}/cancel", OriginGuard::new());
    let app = App::new()
        .with(guard)
        .post("/orders/{id}/cancel", |_request, reply| reply.text("done"))
        .post("/hook", |_request, reply| reply.text("done"));
    let running = Running::start(app);
    let post = |path: &str, fields: &str| {
        let head = format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n{fields}\r\n");
        running.exchange(&head).status
    };
    for site in ["cross-site", "same-site", "something"] {
        let fields = format!("Sec-Fetch-Site: {site}\r\nOrigin: http://a\r\n");
        assert_eq!(post("/orders/7/cancel", &fields), 403, "{site}");
        assert_eq!(post("/hook", &fields), 200, "{site}");
    }
    for fields in [
        "Sec-Fetch-Site: same-origin\r\n",
        "Sec-Fetch-Site: none\r\n",
        "",
    ] {
        assert_eq!(post("/orders/7/cancel", fields), 200, "{fields:?}");
    }
}

#[test]
fn browsers_are_told_to_guard_what_they_show() {
    let headers = SecurityHeaders::new().content_security_policy("default-src 'self';");
    let app = App::new()
        .with(headers)
        .get("/", |_request, reply| reply.html("<p>"))
        .get("/own", |_request, reply| {
            reply.header("X-Frame-Options", "SAMEORIGIN").html("<p>")
        });
    let running = Running::start(app);
    for (path, frames) in [("/", "DENY"), ("/own", "SAMEORIGIN"), ("/none", "DENY")] {
        let answer = running.get(path);
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-frame-options"), frames, "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
        let policy = "default-src 'self'; frame-ancestors 'none'";
        assert_eq!(answer.header("content-security-policy"), policy, "{path}");
        // In the clear it means nothing (RFC 6797 §7.2).
        assert_eq!(answer.header("strict-transport-security"), "", "{path}");
    }
}

#[test]
fn the_headers_can_be_chosen() {
    let headers = SecurityHeaders::new()
        .remove("referrer-policy")
        .set("x-content-type-options", "nosniff, please")
        .strict_transport(Duration::from_secs(60), true)
        .content_security_policy("img-src *")
        .frame_ancestors("'self' https://example.com");
    let app = App::new()
        .with(headers)
        .get("/me", |_request, reply| reply.empty());
    // TLS has ended at the proxy.
    let proxies = TrustedProxies::new(["127.0.0.1".parse().unwrap()]).forwarded();
    let running = Running::start(app.trust_proxies(proxies));
    let answer = ask(&running, "Forwarded: for=192.0.2.1;proto=https\r\n");
    assert_eq!(answer.header("referrer-policy"), "");
    assert_eq!(answer.header("x-frame-options"), "");
    assert_eq!(answer.header("x-content-type-options"), "nosniff, please");
    let policy = "img-src *; frame-ancestors 'self' https://example.com";
    assert_eq!(answer.header("content-security-policy"), policy);
    let transport = answer.header("strict-transport-security");
    assert_eq!(transport, "max-age=60; includeSubDomains");
    let wrong = App::new().with(SecurityHeaders::new().set("X-A", "a\nb"));
    assert!(wrong.listen("127.0.0.1:0").unwrap().spawn().is_err());
}
