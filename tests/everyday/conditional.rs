//! Entity tags of what is made on the fly, redirects, names for downloads, and when to come
//! again.

use core::time::Duration;
use std::time::UNIX_EPOCH;

use barewire::app::{App, EntityTag, Refusal, Response, Status};

use crate::app_support::{Answer, Running};

fn ask(running: &Running, method: &str, path: &str, fields: &str) -> Answer {
    running.exchange(&format!(
        "{method} {path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n"
    ))
}

fn versions() -> Running {
    Running::start(
        App::new()
            .get("/strong", |request, reply| {
                let reply = reply.etag(request, &EntityTag::strong(7))?;
                reply.text("seven").ok()
            })
            .put("/strong", |request, reply| {
                let reply = reply.etag(request, &EntityTag::strong(7))?;
                reply.empty().ok()
            })
            .put("/new", |request, reply| {
                request.conditions().check(None)?;
                reply.status(Status::CREATED).text("made").ok()
            })
            .get("/weak", |request, reply| {
                let reply = reply.etag(request, &EntityTag::weak("a\"b"))?;
                reply.text("weak").ok()
            })
            .get("/hashed", |request, reply| {
                let body = "made now";
                let reply = reply.etag(request, &EntityTag::of(body))?;
                reply.text(body).ok()
            })
            .get("/blocking", |request, reply| {
                let conditions = request.conditions();
                reply.blocking(move || {
                    let tag = EntityTag::strong(7);
                    conditions.check(&tag)?;
                    Ok::<_, Refusal>(Response::text("seven").etag(&tag))
                })
            }),
    )
}

#[test]
fn what_a_client_has_is_not_sent_again() {
    let running = versions();
    for (path, tag) in [
        ("/strong", r#""7""#),
        ("/blocking", r#""7""#),
        ("/weak", r#"W/"a%22b""#),
        ("/hashed", r#""8b1e10b3827517a4e622bd039c73a1634da5418b""#),
    ] {
        let first = ask(&running, "GET", path, "");
        let tag = tag.to_owned();
        assert_eq!(
            (first.status, first.header("etag")),
            (200, tag.clone()),
            "{path}"
        );
        for value in [
            tag.clone(),
            format!("\"x\", {tag}"),
            "*".into(),
            format!("W/{}", tag.trim_start_matches("W/")),
        ] {
            let again = ask(
                &running,
                "GET",
                path,
                &format!("If-None-Match: {value}\r\n"),
            );
            assert_eq!((again.status, &*again.body), (304, ""), "{path} {value}");
            assert_eq!(again.header("etag"), tag, "{path}");
            assert_eq!(again.header("content-type"), "", "{path}");
        }
        assert_eq!(
            ask(&running, "GET", path, "If-None-Match: \"8\"\r\n").status,
            200,
            "{path}"
        );
        assert_eq!(
            ask(&running, "HEAD", path, "If-None-Match: *\r\n").status,
            304,
            "{path}"
        );
        assert_eq!(
            ask(&running, "GET", path, "If-Match: \"8\"\r\n").status,
            412,
            "{path}"
        );
    }
}

#[test]
fn what_was_changed_meanwhile_is_not_overwritten() {
    let running = versions();
    let put = |path: &str, fields: &str| ask(&running, "PUT", path, fields).status;
    assert_eq!(put("/strong", ""), 204);
    assert_eq!(put("/strong", "If-Match: \"6\", \"7\"\r\n"), 204);
    assert_eq!(put("/strong", "If-Match: *\r\n"), 204);
    assert_eq!(put("/strong", "If-Match: \"6\"\r\n"), 412);
    assert_eq!(
        put("/strong", "If-Match: W/\"7\"\r\n"),
        412,
        "a weak one holds for none"
    );
    assert_eq!(
        put("/strong", "If-None-Match: *\r\n"),
        412,
        "it is there already"
    );
    assert_eq!(put("/new", "If-None-Match: *\r\n"), 201);
    assert_eq!(put("/new", "If-Match: *\r\n"), 412);
    assert_eq!(
        ask(&running, "GET", "/weak", "If-Match: W/\"a%22b\"\r\n").status,
        412
    );
}

#[test]
fn a_redirect_leads_where_it_says() {
    let running = Running::start(
        App::new()
            .get("/to", |request, reply| {
                let code: u16 = request.query_value("code").unwrap().parse().unwrap();
                let reply = reply.status(Status::try_from(code).unwrap());
                reply.redirect(&request.query_value("v").unwrap())
            })
            .get("/local", |request, reply| {
                reply.redirect_local(&request.query_value("next").unwrap_or_default())
            })
            .get("/response", |request, reply| {
                let next = request.query_value("next").unwrap_or_default();
                let response = Response::redirect_local(&next)?;
                reply.response(response.status(Status::FOUND)).ok()
            }),
    );
    for code in [301, 302, 303, 307, 308] {
        let answer = running.get(&format!(
            "/to?code={code}&v=/a%20b%25%2541/%C3%A9%23x%0d%0aX:y"
        ));
        assert_eq!(
            (answer.status, &*answer.header("location")),
            (code, "/a%20b%25%41/%C3%A9#x%0D%0AX:y")
        );
    }
    assert_eq!(running.get("/to?code=200&v=//b").status, 303);
    for (path, code) in [("/local", 303), ("/response", 302)] {
        let answer = running.get(&format!("{path}?next=/a?b=//c"));
        assert_eq!(
            (answer.status, &*answer.header("location")),
            (code, "/a?b=//c")
        );
        // Tabs, which browsers skip, come as characters of a path.
        let answer = running.get(&format!("{path}?next=/%09/evil.example"));
        assert_eq!(answer.header("location"), "/%09/evil.example");
        for target in [
            "//evil.example",
            "/%5Cevil.example",
            "https://evil.example",
            "",
            "%20//a",
            "%5C/a",
            "javascript:x",
        ] {
            let answer = running.get(&format!("{path}?next={target}"));
            assert_eq!(
                (answer.status, &*answer.header("location")),
                (400, ""),
                "{path} {target}"
            );
        }
    }
}

#[test]
fn a_download_has_a_name_and_never_a_path() {
    let running = Running::start(App::new().get("/", |request, reply| {
        reply
            .attachment(&request.query_value("name").unwrap())
            .body("text/csv", "a")
    }));
    let named = |name: &str| {
        running
            .get(&format!("/?name={name}"))
            .header("content-disposition")
    };
    assert_eq!(named("a+b.csv"), r#"attachment; filename="a b.csv""#);
    assert_eq!(
        named("../../etc/%C3%BC.csv"),
        r#"attachment; filename="_.csv"; filename*=UTF-8''%C3%BC.csv"#
    );
    assert_eq!(named("a%22;b%0d%0aX:y"), r#"attachment; filename="a;bXy""#);
    assert_eq!(named(".."), "attachment");
}

#[test]
fn a_refusal_says_when_to_come_again() {
    let running = Running::start(
        App::new()
            .get("/refused", |_request, reply| {
                let refusal = Refusal::new(Status::TOO_MANY_REQUESTS);
                reply.refuse(refusal.retry_after(Duration::from_millis(1_001)))
            })
            .get("/reply", |_request, reply| {
                let at = UNIX_EPOCH + Duration::from_secs(784_111_777);
                reply
                    .status(Status::SERVICE_UNAVAILABLE)
                    .retry_after(at)
                    .text("closed")
            })
            .get("/response", |_request, reply| {
                reply.response(Response::text("x").retry_after(Duration::from_secs(9)))
            }),
    );
    assert_eq!(running.get("/refused").header("retry-after"), "2");
    assert_eq!(
        running.get("/reply").header("retry-after"),
        "Sun, 06 Nov 1994 08:49:37 GMT"
    );
    assert_eq!(running.get("/response").header("retry-after"), "9");
}
