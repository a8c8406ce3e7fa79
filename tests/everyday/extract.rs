//! What routes read from requests as values, and what the client is told otherwise.
#![expect(dead_code, reason = "fields are shown by `Debug`")]

use barewire::app::{App, Done, Refusal, Reply, Request, Response, Route, problem_json};
use serde::Deserialize;

use crate::app_support::{Answer, Running};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct User {
    name: String,
    age: u8,
    #[serde(default)]
    friends: Vec<Friend>,
    score: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct Friend {
    id: u32,
}

#[derive(Debug, Deserialize)]
struct Search {
    q: String,
    page: Option<u32>,
    #[serde(default)]
    tag: Vec<String>,
}

fn user(request: &Request<'_>, reply: Reply<'_, '_>) -> Result<Done, Refusal> {
    let user: User = request.json()?;
    reply.text(format!("{user:?}")).ok()
}

fn search(request: &Request<'_>, reply: Reply<'_, '_>) -> Result<Done, Refusal> {
    let search: Search = request.query_as()?;
    reply.text(format!("{search:?}")).ok()
}

fn form(request: &Request<'_>, reply: Reply<'_, '_>) -> Result<Done, Refusal> {
    let search: Search = request.form()?;
    reply.text(format!("{search:?}")).ok()
}

fn app() -> App {
    #[derive(Debug, Deserialize)]
    struct Place {
        user: u64,
        album: String,
    }
    App::new()
        .post("/users", user)
        .post("/any", |request, reply| {
            let value: serde_json::Value = request.json()?;
            reply.json(&value).ok()
        })
        .get("/search", search)
        .post("/form", form)
        .get("/users/{id}", |request, reply| {
            let id: u64 = request.param_as("id")?;
            reply.text(id.to_string()).ok()
        })
        .get("/wrong/{id}", |request, reply| {
            let id: u64 = request.param_as("ID")?;
            reply.text(id.to_string()).ok()
        })
        .get("/users/{user}/albums/{album}", |request, reply| {
            let place: Place = request.params_as()?;
            reply.text(format!("{place:?}")).ok()
        })
        .route(Route::post("/blocking").blocking(|request| {
            let user: User = request.json()?;
            Ok::<_, Refusal>(Response::text(user.name))
        }))
}

fn send(running: &Running, path: &str, content_type: &str, body: &[u8]) -> Answer {
    use std::io::{Read, Write};
    let content_type = match content_type {
        "" => String::new(),
        it => format!("Content-Type: {it}\r\n"),
    };
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{content_type}Content-Length: {length}\r\n\r\n"
    );
    let mut stream = running.connect();
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    Answer::new(&answer)
}

/// Compares statuses and bodies.
#[track_caller]
fn is(answer: &Answer, status: u16, body: &str) {
    assert_eq!((answer.status, &*answer.body), (status, body));
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

#[test]
fn json_becomes_a_value() {
    let running = Running::start(app());
    let body = br#"{"name":"Ann","age":30,"friends":[{"id":7}],"score":1e2}"#;
    let shown = r#"User { name: "Ann", age: 30, friends: [Friend { id: 7 }], score: Some(100.0) }"#;
    for content_type in [
        JSON,
        "application/json; charset=utf-8",
        "application/vnd.a+json",
    ] {
        is(&send(&running, "/users", content_type, body), 200, shown);
    }
    is(&send(&running, "/blocking", JSON, body), 200, "Ann");

    let mut head = String::from("POST /users HTTP/1.1\r\nHost: a\r\nConnection: close\r\n");
    head.push_str("Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
    let chunked = "a\r\n{\"name\":\"A\r\nd\r\nnn\",\"age\":30}\r\n0\r\n\r\n";
    let answer = running.exchange(&(head + chunked));
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.body.starts_with(r#"User { name: "Ann""#));
}

#[test]
fn what_is_no_json_is_400_and_says_where() {
    let running = Running::start(app());
    let column = "at line 1, column";
    for (body, error) in [
        (
            &b""[..],
            "EOF while parsing a value at line 1, column 0".into(),
        ),
        (
            b"{\"name\":\n\"Ann\",}",
            "trailing comma at line 2, column 7".into(),
        ),
        (
            b"{\"name\":\"\xff\"}",
            format!("invalid unicode code point {column} 10"),
        ),
        (
            b"{\"name\":\"\",\"age\":1} {}",
            format!("trailing characters {column} 21"),
        ),
        (b"\xef\xbb\xbf{}", format!("expected value {column} 1")),
        (
            b"{\"score\":1e999}",
            format!("number out of range {column} 14"),
        ),
    ] {
        let answer = send(&running, "/users", JSON, body);
        let shown = String::from_utf8_lossy(&body[..body.len().min(20)]);
        assert_eq!(answer.status, 400, "{shown}: {answer:?}");
        let expected = format!(r#"{{"error":"malformed JSON: {error}"}}"#);
        assert_eq!(answer.body, expected, "{shown}");
    }
    let answer = send(&running, "/any", JSON, &[b'['; 10_000]);
    let error = format!("malformed JSON: recursion limit exceeded {column} 128");
    is(&answer, 400, &format!(r#"{{"error":"{error}"}}"#));
}

#[test]
fn json_of_another_shape_is_422_and_names_the_field() {
    let running = Running::start(app());
    for (body, field, problem) in [
        (r#"{"name":"Ann"}"#, "age", "missing"),
        (r#"{"name":"Ann","age":300}"#, "age", "expected u8"),
        (r#"{"name":"Ann","age":-1}"#, "age", "expected u8"),
        (
            r#"{"name":"Ann","age":123456789012345678901234567890}"#,
            "age",
            "expected u8",
        ),
        (r#"{"name":"Ann","age":"s3cret"}"#, "age", "expected u8"),
        (
            r#"{"name":"Ann","age":"a, expected b"}"#,
            "age",
            "expected u8",
        ),
        (
            r#"{"name":"Ann","name":"Bob","age":1}"#,
            "name",
            "given more than once",
        ),
        (r#"{"name":"Ann","age":1,"admin":true}"#, "admin", "unknown"),
        (
            r#"{"name":"A","age":1,"friends":[{"id":1},{}]}"#,
            "friends[1].id",
            "missing",
        ),
        (
            r#"{"name":"A","age":1,"friends":[{"id":null}]}"#,
            "friends[0].id",
            "expected u32",
        ),
    ] {
        let answer = send(&running, "/users", JSON, body.as_bytes());
        let expected = format!(r#"{{"error":"{field}: {problem}","field":"{field}"}}"#);
        is(&answer, 422, &expected);
    }
    let answer = send(&running, "/users", JSON, b"7");
    is(
        &answer,
        422,
        r#"{"error":"the body: expected struct User"}"#,
    );
    // A long name of the client's is cut.
    let long = format!(r#"{{"{}":1}}"#, "x".repeat(10_000));
    let answer = send(&running, "/users", JSON, long.as_bytes());
    assert_eq!(answer.status, 422);
    assert!(answer.body.len() < 500, "{}", answer.body);
}

#[test]
fn other_media_types_are_415_and_the_answer_says_which_would_do() {
    let running = Running::start(app());
    let body = br#"{"name":"Ann","age":30}"#;
    for content_type in ["", "text/plain", "text/json", FORM] {
        let answer = send(&running, "/users", content_type, body);
        let expected = r#"{"error":"the Content-Type has to be application/json"}"#;
        is(&answer, 415, expected);
        assert_eq!(answer.header("accept"), JSON);
    }
    for charset in ["latin1", "utf-16"] {
        let content_type = format!("application/json; charset={charset}");
        let answer = send(&running, "/users", &content_type, body);
        is(&answer, 415, r#"{"error":"the body has to be in UTF-8"}"#);
    }
    assert_eq!(send(&running, "/form", JSON, b"q=a").status, 415);
    assert_eq!(send(&running, "/form", "", b"q=a").status, 415);
}

#[test]
fn a_body_beyond_the_limit_is_413() {
    let running = Running::start(app().collect_limit(10));
    let answer = send(&running, "/users", JSON, br#"{"name":"Ann","age":30}"#);
    is(&answer, 413, r#"{"error":"Content Too Large"}"#);
    let route = Route::post("/").collect(10, user).stream(user);
    let running = Running::start(App::new().route(route));
    let answer = send(&running, "/", JSON, br#"{"name":"Ann","age":30}"#);
    let error = "the body is longer than what is collected here";
    is(&answer, 413, &format!(r#"{{"error":"{error}"}}"#));
}

#[test]
fn queries_and_forms_become_values() {
    let running = Running::start(app());
    let pairs = "q=red+shoes%21&tag=a&tag=b%26c&page=&other=1";
    let shown = r#"Search { q: "red shoes!", page: None, tag: ["a", "b&c"] }"#;
    is(&running.get(&format!("/search?{pairs}")), 200, shown);
    is(&send(&running, "/form", FORM, pairs.as_bytes()), 200, shown);
    let charset = "application/x-www-form-urlencoded;charset=UTF-8";
    is(
        &send(&running, "/form", charset, pairs.as_bytes()),
        200,
        shown,
    );
    let shown = r#"Search { q: "a", page: Some(7), tag: [] }"#;
    is(&running.get("/search?q=a&page=7"), 200, shown);
}

#[test]
fn malformed_queries_and_forms_name_the_field() {
    let running = Running::start(app());
    for (pairs, field, problem) in [
        ("", "q", "missing"),
        ("page=1", "q", "missing"),
        ("q=a&page=x", "page", "invalid digit found in string"),
        ("q=a&page=-1", "page", "invalid digit found in string"),
        (
            "q=a&page=99999999999",
            "page",
            "number too large to fit in target type",
        ),
        ("q=a&q=b", "q", "given more than once"),
    ] {
        let expected = format!(r#"{{"error":"{field}: {problem}","field":"{field}"}}"#);
        is(&running.get(&format!("/search?{pairs}")), 400, &expected);
        is(
            &send(&running, "/form", FORM, pairs.as_bytes()),
            422,
            &expected,
        );
    }
    let encoding = r#"{"error":"malformed percent-encoding, or not UTF-8"}"#;
    for pairs in ["q=%", "q=%f", "q=%zz", "q=%ff", "%c3=1&q=a"] {
        is(&running.get(&format!("/search?{pairs}")), 400, encoding);
        is(
            &send(&running, "/form", FORM, pairs.as_bytes()),
            400,
            encoding,
        );
    }
    is(&send(&running, "/form", FORM, b"q=\xff"), 400, encoding);
}

/// Floods of tiny pairs.
#[test]
fn pairs_have_a_limit() {
    use barewire::app::FormLimits;

    let running = Running::start(app());
    let flood = "q&".repeat(1_001);
    let error = r#"{"error":"more than 1000 pairs"}"#;
    is(&send(&running, "/form", FORM, flood.as_bytes()), 400, error);

    let blocking = Route::post("/blocking").blocking(|request| {
        let search: Search = request.form()?;
        Ok::<_, Refusal>(Response::text(search.q))
    });
    let limits = FormLimits::DEFAULT.with_pairs(2);
    let app = App::new()
        .post("/form", form)
        .route(blocking)
        .form_limits(limits);
    let running = Running::start(app);
    for path in ["/form", "/blocking"] {
        let answer = send(&running, path, FORM, b"q=1&a=2");
        assert_eq!(answer.status, 200, "{answer:?}");
        let answer = send(&running, path, FORM, b"q=1&a=2&b=3");
        is(&answer, 400, r#"{"error":"more than 2 pairs"}"#);
    }
}

#[test]
fn parameters_become_values() {
    let running = Running::start(app());
    is(&running.get("/users/7"), 200, "7");
    let error = r#"{"error":"id: invalid digit found in string","field":"id"}"#;
    is(&running.get("/users/ann"), 400, error);
    let place = running.get("/users/7/albums/r%26b%3D%2F%C3%A9");
    is(&place, 200, r#"Place { user: 7, album: "r&b=/é" }"#);
    let error = r#"{"error":"user: invalid digit found in string","field":"user"}"#;
    is(&running.get("/users/ann/albums/a"), 400, error);
    // Nothing of a mistake in the program reaches the client.
    is(
        &running.get("/wrong/7"),
        500,
        r#"{"error":"Internal Server Error"}"#,
    );
}

#[test]
fn errors_are_problem_details_by_choice() {
    let running = Running::start(app().collect_limit(10).render_errors(problem_json));
    let body = r#"{"title":"Not Found","status":404}"#;
    let answer = running.get("/nothing");
    is(&answer, 404, body);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.header("content-length"), body.len().to_string());

    let answer = running.post("/search", "");
    is(
        &answer,
        405,
        r#"{"title":"Method Not Allowed","status":405}"#,
    );
    assert!(answer.header("allow").contains("GET"));
    let answer = running.post("/users", "{\"name\":\"Ann\"}");
    is(
        &answer,
        413,
        r#"{"title":"Content Too Large","status":413}"#,
    );
    let answer = running.get("/search?q=a&page=x");
    let detail = "page: invalid digit found in string";
    let expected =
        format!(r#"{{"title":"Bad Request","status":400,"detail":"{detail}","field":"page"}}"#);
    is(&answer, 400, &expected);
    let answer = running.exchange("HEAD /nothing HTTP/1.1\r\nHost: a\r\n\r\n");
    is(&answer, 404, "");
}

#[test]
fn errors_are_what_the_app_makes_of_them() {
    let render = |refusal: &Refusal, record: &barewire::app::Record| {
        let (method, path) = (record.method(), record.path());
        let text = format!("{} {path}: {}", method.as_str(), refusal.reason());
        let response = Response::text(text).header("X-Error", "yes");
        match path {
            "/faulty" => response.header("X-Faulty", "a\nb"),
            _ => response,
        }
    };
    let running = Running::start(app().render_errors(render));
    let answer = running.get("/users/ann");
    is(
        &answer,
        400,
        "GET /users/ann: id: invalid digit found in string",
    );
    assert_eq!(answer.header("x-error"), "yes");
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    // One that cannot be sent does not hide the error.
    is(&running.get("/faulty"), 404, r#"{"error":"Not Found"}"#);
    // What is no request has no route to be rendered by.
    let answer = running.exchange("GET / HTTP/1.1\r\nHost : a\r\n\r\n");
    is(&answer, 400, "");
}
