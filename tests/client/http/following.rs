//! Redirects, and statuses that ask for another attempt.

use std::time::Duration;

use barewire::client::{
    Body, ClientOptions, ErrorKind, RedirectError, RedirectPolicy, RetryPolicy,
};

use super::Client;
use super::script::{Act, Seen, Server, answer, redirect, send};

fn with(options: ClientOptions) -> Client {
    Client::with(options).unwrap()
}

/// What a redirect that is no redirect says.
fn redirect_error(error: &barewire::client::Error) -> RedirectError {
    match error.kind() {
        ErrorKind::Redirect(error) => *error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_redirect_is_followed_on_the_same_connection() {
    let server = Server::once(vec![
        Act::Read,
        redirect(302, "/b?c"),
        Act::Read,
        send("HTTP/1.1 301 x\r\nLocation: d\r\nContent-Length: 5\r\n\r\nmoved"),
        Act::Read,
        answer("here"),
    ]);
    let response = Client::new().get(server.url("/a/")).send().unwrap();
    assert_eq!(response.url().path(), "/d");
    assert_eq!(response.text().unwrap(), "here");
    let lines: Vec<_> = server.lines().into_iter().map(|it| it.1).collect();
    assert_eq!(
        lines,
        ["GET /a/ HTTP/1.1", "GET /b?c HTTP/1.1", "GET /d HTTP/1.1"]
    );
}

#[test]
fn methods_and_bodies_change_as_the_status_says() {
    for (code, method, line, body) in [
        (301, "POST", "GET /x", ""),
        (302, "POST", "GET /x", ""),
        (302, "PUT", "PUT /x", "body"),
        (303, "PUT", "GET /x", ""),
        (307, "POST", "POST /x", "body"),
        (308, "DELETE", "DELETE /x", "body"),
    ] {
        let server = Server::once(vec![Act::Read, redirect(code, "/x"), Act::Read, answer("")]);
        let request = Client::new().request(method, server.url("/"));
        let request = request.header("Content-Type", "a/b").body("body");
        request.send().unwrap();
        let seen = server.seen();
        assert!(
            seen[1].line().starts_with(line),
            "{code} {method}: {}",
            seen[1].line()
        );
        assert_eq!(seen[1].body(), body);
        assert_eq!(seen[1].field("content-type").is_some(), !body.is_empty());
    }
}

#[test]
fn no_server_is_told_credentials_or_fragments_of_where_a_call_was() {
    let other = Server::once(vec![Act::Read, answer("there")]);
    let server = Server::once(vec![
        Act::Read,
        redirect(302, "/b#inner"),
        Act::Read,
        redirect(302, &other.url("/c#outer")),
    ]);
    let url = server.url("/a?q=1#first").replace("://", "://name:secret@");
    let response = Client::new().get(&url).send().unwrap();
    assert_eq!(response.text().unwrap(), "there");
    for (seen, is_own) in [(server.seen(), true), (other.seen(), false)] {
        assert!(!seen.is_empty());
        for request in seen {
            assert_eq!(request.field("referer"), None);
            assert_eq!(request.field("authorization").is_some(), is_own);
            let head = &request.text.to_lowercase();
            for hidden in ["secret", "name:", "#", "inner", "outer", "first"] {
                assert!(!head.contains(hidden), "{hidden}: {head}");
            }
        }
    }
}

#[test]
fn what_is_secret_stays_with_its_origin() {
    let other = Server::once(vec![Act::Read, answer("there")]);
    let server = Server::once(vec![
        Act::Read,
        redirect(307, "/same"),
        Act::Read,
        redirect(307, &other.url("/other")),
    ]);
    let request = Client::new().get(server.url("/"));
    let request = request
        .bearer_auth("t")
        .header("Cookie", "a=b")
        .header("X-Api-Key", "k");
    let request = request.header("X-Other", "o");
    assert_eq!(request.send().unwrap().text().unwrap(), "there");
    let fields = ["authorization", "cookie", "x-api-key", "x-other"];
    let has = |seen: &super::script::Seen| fields.map(|it| seen.field(it).is_some());
    let seen = server.seen();
    assert_eq!((has(&seen[0]), has(&seen[1])), ([true; 4], [true; 4]));
    assert_eq!(has(&other.seen()[0]), [false, false, false, true]);
}

#[test]
fn what_is_secret_of_a_client_stays_with_the_origin_that_was_asked() {
    let other = Server::once(vec![Act::Read, answer("there")]);
    let server = Server::once(vec![Act::Read, redirect(302, &other.url("/"))]);
    let options = ClientOptions::new().header("Authorization", "Bearer t");
    let client = with(options.header("X-Other", "o"));
    client.get(server.url("/")).send().unwrap();
    assert_eq!(server.seen()[0].field("authorization"), Some("Bearer t"));
    let seen = &other.seen()[0];
    assert_eq!(
        (seen.field("authorization"), seen.field("x-other")),
        (None, Some("o"))
    );
}

#[test]
fn a_field_of_a_client_stands_in_place_of_what_would_be_added() {
    let other = Server::once(vec![Act::Read, answer("there")]);
    let server = Server::once(vec![Act::Read, redirect(302, &other.url("/"))]);
    let options = ClientOptions::new().header("Authorization", "Bearer t");
    let options = options.header("Host", "alias").header("Origin", "http://a");
    let client = with(options.header("Accept-Encoding", "identity"));
    let url = format!("http://user:word@{}/", server.address);
    client.get(&url).send().unwrap();
    let all = |seen: &Seen, name: &str| -> Vec<String> {
        let fields = seen.text.lines().filter_map(|it| it.split_once(": "));
        fields
            .filter(|(it, _)| it.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.to_owned())
            .collect()
    };
    let first = &server.seen()[0];
    assert_eq!(all(first, "authorization"), ["Bearer t"]);
    assert_eq!(all(first, "host"), ["alias"]);
    assert_eq!(all(first, "accept-encoding"), ["identity"]);
    let second = &other.seen()[0];
    assert_eq!(all(second, "host"), [other.address.to_string()]);
    assert!(all(second, "authorization").is_empty() && all(second, "origin").is_empty());
}

#[test]
fn redirects_that_lead_nowhere_are_errors() {
    let server = Server::once(vec![
        Act::Read,
        redirect(302, "/b"),
        Act::Read,
        redirect(302, "/a"),
    ]);
    let error = Client::new().get(server.url("/a")).send().unwrap_err();
    assert_eq!(redirect_error(&error), RedirectError::Loop);
    assert_eq!(error.url().unwrap().path(), "/b", "the one that said so");

    let hops = (0..4).flat_map(|n| [Act::Read, redirect(302, &format!("/{n}"))]);
    let server = Server::once(hops.collect());
    let client = with(ClientOptions::new().redirects(RedirectPolicy::follow(3)));
    let error = client.get(server.url("/")).send().unwrap_err();
    assert_eq!(redirect_error(&error), RedirectError::TooMany(3));

    let server = Server::once(vec![Act::Read, redirect(302, "gopher://a/")]);
    let error = Client::new().get(server.url("/")).send().unwrap_err();
    assert!(matches!(redirect_error(&error), RedirectError::Location(_)));

    let server = Server::once(vec![Act::Read, redirect(307, "/x")]);
    let request = Client::new()
        .post(server.url("/"))
        .body(Body::reader(&b"once"[..]));
    let error = request.send().unwrap_err();
    assert_eq!(redirect_error(&error), RedirectError::Body);
}

#[test]
fn a_redirect_that_is_not_followed_is_the_response() {
    let server = Server::once(vec![
        Act::Read,
        redirect(302, "/b"),
        Act::Read,
        send("HTTP/1.1 302 x\r\nContent-Length: 0\r\n\r\n"),
    ]);
    let client = Client::new();
    let request = client
        .get(server.url("/"))
        .redirects(RedirectPolicy::none());
    let response = request.send().unwrap();
    assert_eq!(
        (response.status().code(), response.header("location")),
        (302, Some("/b"))
    );
    drop(response);
    let response = client.get(server.url("/")).send().unwrap();
    assert_eq!(response.status().code(), 302, "without a Location");
}

#[test]
fn a_long_body_of_a_redirect_is_not_waited_for() {
    let server = Server::start([
        vec![
            Act::Read,
            send("HTTP/1.1 302 x\r\nLocation: /b\r\nContent-Length: 100000000\r\n\r\nxxx"),
            Act::Stall,
        ],
        vec![Act::Read, answer("here")],
    ]);
    let response = Client::new().get(server.url("/")).send().unwrap();
    assert_eq!(response.text().unwrap(), "here");
}

fn busy(code: u16, fields: &str) -> Act {
    send(format!(
        "HTTP/1.1 {code} x\r\n{fields}Content-Length: 0\r\n\r\n"
    ))
}

fn patient(attempts: u16) -> Client {
    let pause = Duration::from_millis(1);
    let retries = RetryPolicy::attempts(attempts).pauses(pause, pause);
    with(ClientOptions::new().retries(retries))
}

#[test]
fn a_busy_server_is_asked_again_as_often_as_was_said() {
    for method in ["GET", "PUT"] {
        let server = Server::once(vec![
            Act::Read,
            busy(503, ""),
            Act::Read,
            busy(429, "Retry-After: 0\r\n"),
            Act::Read,
            answer("done"),
        ]);
        let response = patient(3)
            .request(method, server.url("/"))
            .body("b")
            .send()
            .unwrap();
        assert_eq!(response.text().unwrap(), "done");
    }
    let server = Server::once(vec![Act::Read, busy(503, ""), Act::Read, busy(503, "")]);
    let response = patient(2).get(server.url("/")).send().unwrap();
    assert_eq!(response.status().code(), 503);
}

#[test]
fn only_what_may_be_repeated_is_asked_again() {
    let server = Server::once(vec![Act::Read, busy(503, ""), Act::Read, busy(503, "")]);
    let client = patient(3);
    let response = client.post(server.url("/")).body("b").send().unwrap();
    assert_eq!(response.status().code(), 503);
    let response = client
        .get(server.url("/"))
        .repeatable(false)
        .send()
        .unwrap();
    assert_eq!(response.status().code(), 503);
    assert_eq!(server.seen().len(), 2);

    let server = Server::once(vec![Act::Read, busy(503, ""), Act::Read, answer("")]);
    let request = patient(2)
        .post(server.url("/"))
        .header("Idempotency-Key", "1");
    assert_eq!(request.send().unwrap().status().code(), 200);
}

#[test]
fn a_server_that_asks_for_too_long_a_pause_is_not_waited_for() {
    let server = Server::once(vec![Act::Read, busy(503, "Retry-After: 1000\r\n")]);
    let response = patient(3).get(server.url("/")).send().unwrap();
    assert_eq!(response.status().code(), 503);
    let server = Server::once(vec![Act::Read, busy(503, "Retry-After: 10\r\n")]);
    let retries = RetryPolicy::attempts(3);
    let client = with(ClientOptions::new().retries(retries));
    let request = client.get(server.url("/")).timeout(Duration::from_secs(5));
    assert_eq!(
        request.send().unwrap().status().code(),
        503,
        "there is no time for it"
    );
}

#[test]
fn a_budget_bounds_what_all_requests_try_again() {
    let script = (0..40).flat_map(|_| [Act::Read, busy(503, "")]);
    let server = Server::once(script.collect());
    let client = patient(2);
    for _ in 0..20 {
        client.get(server.url("/")).send().unwrap();
    }
    assert_eq!(server.seen().len(), 30, "each once, and ten again");
}

#[test]
fn a_status_may_be_an_error_that_says_which() {
    let server = Server::once(vec![Act::Read, busy(404, ""), Act::Read, answer("x")]);
    let client = Client::new();
    let response = client.get(server.url("/no")).send().unwrap();
    let error = response.error_for_status().unwrap_err();
    assert_eq!(error.status().unwrap().code(), 404);
    let expected = format!("GET {}: the response is 404 Not Found", server.url("/no"));
    assert_eq!(error.to_string(), expected);
    assert!(!error.is_retryable());
    let response = client.get(server.url("/")).send().unwrap();
    assert_eq!(response.error_for_status().unwrap().text().unwrap(), "x");
}

#[test]
fn urls_are_joined_to_that_of_the_client_and_queries_added() {
    let server = Server::once((0..3).flat_map(|_| [Act::Read, answer("")]).collect());
    let options = ClientOptions::new()
        .base_url(&server.url("/v1/"))
        .header("X-A", "1");
    let client = with(options.user_agent("me/1"));
    client
        .get("items?a=b")
        .query("c d", 7)
        .query("e", "&")
        .send()
        .unwrap();
    client.get("/root").header("x-a", "2").send().unwrap();
    client.get(server.url("/abs")).send().unwrap();
    let seen = server.seen();
    assert_eq!(seen[0].line(), "GET /v1/items?a=b&c+d=7&e=%26 HTTP/1.1");
    assert_eq!(seen[1].line(), "GET /root HTTP/1.1");
    assert_eq!(seen[2].line(), "GET /abs HTTP/1.1");
    let fields = |n: usize| {
        (
            seen[n].field("x-a").unwrap(),
            seen[n].field("user-agent").unwrap(),
        )
    };
    assert_eq!((fields(0), fields(1)), (("1", "me/1"), ("2", "me/1")));
    assert_eq!(seen[1].text.to_ascii_lowercase().matches("x-a").count(), 1);
}

#[cfg(feature = "cookies")]
#[test]
fn cookies_are_kept_over_redirects_and_calls() {
    use barewire::client::CookieJar;
    use std::sync::Arc;
    let set = "HTTP/1.1 302 x\r\nLocation: /\r\nSet-Cookie: id=7; Path=/; HttpOnly\r\n\
               Set-Cookie: all=1; Domain=com\r\nContent-Length: 0\r\n\r\n";
    let server = Server::once(vec![
        Act::Read,
        send(set),
        Act::Read,
        answer("x"),
        Act::Read,
        answer("y"),
        Act::Read,
        answer("z"),
    ]);
    let jar = Arc::new(CookieJar::new());
    let client = with(ClientOptions::new().cookies(jar.clone()));
    // The same URL again is no circle: there is a cookie now.
    client.get(server.url("/")).send().unwrap();
    client
        .get(server.url("/b"))
        .header("Cookie", "own=1")
        .send()
        .unwrap();
    jar.clear();
    client.get(server.url("/c")).send().unwrap();
    let sent: Vec<_> = server
        .seen()
        .iter()
        .map(|it| it.field("cookie").map(str::to_owned))
        .collect();
    assert_eq!(
        sent,
        [None, Some("id=7".into()), Some("own=1".into()), None]
    );
}

#[test]
fn forms_of_parts_are_sent() {
    use barewire::client::{Multipart, Part};
    let server = Server::once(vec![Act::Read, answer("")]);
    let file = Part::new("content")
        .file_name("a.txt")
        .content_type("text/plain");
    let form = Multipart::new().text("name", "Alice").part("file", file);
    Client::new()
        .post(server.url("/"))
        .multipart(form)
        .send()
        .unwrap();
    let seen = server.seen();
    let content_type = seen[0].field("content-type").unwrap();
    let boundary = content_type
        .strip_prefix("multipart/form-data; boundary=")
        .unwrap();
    assert!(seen[0].body().starts_with(&format!("--{boundary}\r\n")));
    assert!(
        seen[0]
            .body()
            .ends_with(&format!("\r\ncontent\r\n--{boundary}--\r\n"))
    );
}

#[cfg(feature = "json")]
#[test]
fn values_go_as_json_and_come_as_such() {
    let server = Server::once(vec![
        Act::Read,
        answer(r#"{"b":[1,2]}"#),
        Act::Read,
        answer("["),
    ]);
    let client = Client::new();
    let request = client
        .post(server.url("/"))
        .json(&serde_json::json!({"a": 1}));
    let value: serde_json::Value = request.send().unwrap().json().unwrap();
    assert_eq!(value["b"][1], 2);
    assert_eq!(server.seen()[0].body(), r#"{"a":1}"#);
    assert_eq!(
        server.seen()[0].field("content-type"),
        Some("application/json")
    );
    let error = client
        .get(server.url("/"))
        .send()
        .unwrap()
        .json::<u32>()
        .unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Json(_)), "{error}");
}

#[test]
fn what_is_done_is_counted() {
    let server = Server::once(vec![Act::Read, answer("x"), Act::Read, busy(404, "")]);
    let client = Client::new();
    client.get(server.url("/")).send().unwrap();
    drop(client.get(server.url("/")).send().unwrap());
    client.get("http://127.0.0.1:1/").send().unwrap_err();
    let metrics = client.metrics();
    assert_eq!((metrics.requests(), metrics.in_flight()), (3, 0));
    assert_eq!(
        (metrics.successful(), metrics.failed(), metrics.errors()),
        (1, 2, 1)
    );
    assert_eq!(
        (metrics.connections_opened(), metrics.connections_reused()),
        (1, 1)
    );
    assert_eq!(metrics.durations().count(), 2);
    assert!(metrics.bytes_sent() > 100 && metrics.bytes_received() > 50);
    let text = metrics.to_prometheus();
    assert!(text.contains("barewire_client_responses_total{status=\"404\"} 1\n"));
    assert!(text.contains("barewire_client_requests_total 3\n"));
    assert!(text.contains("barewire_client_request_duration_seconds_count 2\n"));
}
