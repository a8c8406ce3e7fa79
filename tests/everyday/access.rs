//! The access log in the forms that other programs read.

use std::sync::{Arc, Mutex};

use barewire::app::{AccessLog, App, TrustedProxies};

use crate::app_support::Running;

/// The lines of one exchange.
fn lines(form: impl Fn(AccessLog) -> AccessLog, request: &str) -> String {
    let lines = Arc::new(Mutex::new(String::new()));
    let sink = lines.clone();
    let log = AccessLog::to(move |line| sink.lock().unwrap().push_str(line));
    let proxies = TrustedProxies::new(["127.0.0.1".parse().unwrap()]).x_forwarded_for();
    let app = App::new()
        .trust_proxies(proxies)
        .with(form(log))
        .get("/users/{id}", |_request, reply| reply.text("Ann"));
    let running = Running::start(app);
    running.exchange(request);
    drop(running);
    lines.lock().unwrap().clone()
}

const REQUEST: &str = "GET /users/7?token=secret HTTP/1.1\r\nHost: a\r\n\
    X-Forwarded-For: 192.0.2.7\r\nAuthorization: Bearer secret\r\nCookie: id=secret\r\n\
    Referer: https://a.example/b?token=secret\r\nUser-Agent: a\"b\r\n\r\n";

#[test]
fn the_client_is_named_and_no_secret_is() {
    let common = lines(AccessLog::common, REQUEST);
    assert!(common.starts_with("192.0.2.7 - - ["), "{common}");
    assert!(
        common.ends_with(" +0000] \"GET /users/7 HTTP/1.1\" 200 3\n"),
        "{common}"
    );
    let combined = lines(AccessLog::combined, REQUEST);
    let end = "200 3 \"https://a.example/b\" \"a\\x22b\"\n";
    assert!(combined.ends_with(end), "{combined}");
    let json = lines(AccessLog::json, REQUEST);
    let read: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(read["client"], "192.0.2.7");
    assert_eq!(read["route"], "/users/{id}");
    assert_eq!((&read["status"], &read["bytes"]), (&200.into(), &3.into()));
    assert_eq!(read["user_agent"], "a\"b");
    for text in [common, combined, json, lines(|it| it, REQUEST)] {
        assert!(!text.contains("secret"), "{text}");
    }
    let asked = lines(|it| it.json().query(), REQUEST);
    assert!(asked.contains("\"query\":\"token=secret\""), "{asked}");
}

#[test]
fn a_head_that_cannot_be_read_has_a_line_in_each_form() {
    for (form, expected) in [
        (
            AccessLog::common as fn(AccessLog) -> AccessLog,
            "] \"-\" 400 ",
        ),
        (AccessLog::combined, "\" 400 "),
        (AccessLog::json, "\"status\":400,"),
    ] {
        let line = lines(form, "GET /\x01 HTTP/1.1\r\n\r\n");
        assert!(line.contains(expected), "{line}");
        assert_eq!(line.lines().count(), 1, "{line}");
    }
}
