//! Values that middleware hands to handlers, and fields that it removes, over both
//! versions.
#![cfg(feature = "net")]

use std::sync::{Arc, Mutex};

use crate::app_support::{Running, wait_until};
use crate::http2_support::{content, ended, status};
use crate::peer::Peer;
use barewire::app::{App, Incoming, Middleware, Next, Record, Reply, ReplyHead, Response};
use barewire::http::Status;
use barewire::http2::BodyLength;

/// Who asks; tells when it is dropped.
struct User(
    &'static str,
    #[expect(dead_code, reason = "counted")] Arc<()>,
);

/// Knows users by a token, takes what clients say of themselves, and notes who
/// was answered.
struct Login {
    alive: Arc<()>,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Middleware for Login {
    fn before(&self, request: &mut Incoming<'_, '_>, reply: Reply<'_, '_>) -> Next {
        request.remove_header("x-user");
        assert!(!request.remove_header("x-user"));
        match request.header("authorization") {
            Some("Bearer a") => drop(request.insert(User("Ann", self.alive.clone()))),
            Some("Bearer b") => {
                request.insert(User("Ann", self.alive.clone()));
                let before = request.insert(User("Bob", self.alive.clone()));
                assert_eq!(before.map(|user| user.0), Some("Ann"));
                request.set_header("X-User", "Bob").unwrap();
            }
            Some("Bearer no") => {
                request.insert(User("Eve", self.alive.clone()));
                return reply.refuse(Status::FORBIDDEN).into();
            }
            _ => {}
        }
        Next::Continue
    }

    fn after(&self, record: &Record, head: &mut ReplyHead<'_>) {
        let user = record.extensions().get::<User>().map_or("-", |user| user.0);
        let line = format!("{user} {}", head.status().code());
        self.seen.lock().unwrap().push(line);
    }
}

fn who(request: &barewire::app::Request<'_>) -> String {
    let user = request
        .extensions()
        .get::<User>()
        .map_or("nobody", |it| it.0);
    let fields = request.headers();
    let named = fields.get_all("x-user").map(String::from_utf8_lossy);
    let named: Vec<_> = named.collect();
    format!("{user} [{}] {}", named.join(","), request.body().len())
}

fn app(alive: &Arc<()>, seen: &Arc<Mutex<Vec<String>>>) -> App {
    let login = Login {
        alive: alive.clone(),
        seen: seen.clone(),
    };
    App::new()
        .with(login)
        .get("/who", |request, reply| reply.text(who(request)))
        .post("/who", |request, reply| reply.text(who(request)))
        .get("/late", |request, reply| {
            let text = who(request);
            reply.defer(move |deferred| assert!(deferred.send(Response::text(text))))
        })
        .get("/panic", |request, reply| {
            assert!(request.extensions().is_empty(), "on purpose");
            reply.text("")
        })
}

/// Requests: method, path, token, body; status and body of the answer.
const CASES: [(&str, &str, &str, &str, u16, &str); 8] = [
    ("GET", "/who", "Bearer a", "", 200, "Ann [] 0"),
    ("GET", "/who", "Bearer b", "", 200, "Bob [Bob] 0"),
    ("GET", "/who", "", "", 200, "nobody [] 0"),
    ("POST", "/who", "Bearer a", "body", 200, "Ann [] 4"),
    ("GET", "/late", "Bearer b", "", 200, "Bob [Bob] 0"),
    (
        "GET",
        "/who",
        "Bearer no",
        "",
        403,
        "{\"error\":\"Forbidden\"}",
    ),
    ("GET", "/panic", "Bearer a", "", 500, ""),
    ("GET", "/who", "", "", 200, "nobody [] 0"),
];

const SEEN: [&str; 8] = [
    "Ann 200", "Bob 200", "- 200", "Ann 200", "Bob 200", "- 403", "Ann 500", "- 200",
];

#[test]
fn a_handler_sees_what_middleware_put_in_and_not_what_a_client_forged() {
    let (alive, seen) = (Arc::new(()), Arc::default());
    let running = Running::start(app(&alive, &seen));
    for (method, path, token, body, status, text) in CASES {
        let length = body.len();
        let answer = running.exchange(&format!(
            "{method} {path} HTTP/1.1\r\nHost: a\r\nX-User: root\r\nAuthorization: {token}\r\n\
             x-user: admin\r\nContent-Length: {length}\r\n\r\n{body}"
        ));
        assert_eq!(answer.status, status, "{path} {token}");
        if status != 500 {
            assert_eq!(answer.body, text, "{path} {token}");
        }
    }
    assert_eq!(*seen.lock().unwrap(), SEEN);
    // Here, and in the middleware.
    wait_until("every user is dropped", || Arc::strong_count(&alive) == 2);
}

#[test]
fn over_http2_it_is_the_same() {
    let (alive, seen) = (Arc::new(()), Arc::default());
    let running = Running::start(app(&alive, &seen));
    let mut peer = Peer::connect(&running);
    for (method, path, token, body, code, text) in CASES {
        let length = BodyLength::Known(body.len() as u64);
        let length = (!body.is_empty()).then_some(length);
        let fields = [
            ("x-user", "root"),
            ("authorization", token),
            ("x-user", "admin"),
        ];
        let id = peer.side.ask(method, path, None, &fields, length);
        peer.send(id, body.as_bytes(), true);
        peer.until(|seen| ended(seen, id));
        assert_eq!(status(&peer.seen, id), code, "{path} {token}");
        if code != 500 {
            let body = content(&peer.seen, id);
            assert_eq!(String::from_utf8_lossy(&body), text, "{path} {token}");
        }
    }
    assert_eq!(*seen.lock().unwrap(), SEEN);
    wait_until("every user is dropped", || Arc::strong_count(&alive) == 2);
}

#[test]
fn debug_of_a_request_is_readable_and_keeps_secrets() {
    struct Shows;
    impl Middleware for Shows {
        fn before(&self, request: &mut Incoming<'_, '_>, _reply: Reply<'_, '_>) -> Next {
            let shown = format!("{request:?}");
            assert!(
                shown.contains(r#""X-A": "b", "Cookie": (secret)"#),
                "{shown}"
            );
            request.insert(7_u8);
            Next::Continue
        }
    }
    let app = App::new().with(Shows).get("/{x}/{*y}", |request, reply| {
        reply.text(format!("{request:?}"))
    });
    let running = Running::start(app);
    let answer =
        running.exchange("GET /a%20/b/c?d=e HTTP/1.1\r\nX-A: b\r\nCookie: id=7\r\nHost: h\r\n\r\n");
    let (before, after) = answer.body.split_once("peer: Some(").unwrap();
    assert_eq!(
        before,
        r#"Request { method: "GET", path: "/a%20/b/c", query: Some("d=e"), params: {"x": "a ", "y": "b/c"}, version: Http11, "#
    );
    let (_, after) = after.split_once("), fields").unwrap();
    assert_eq!(
        after,
        r#": {"X-A": "b", "Cookie": (secret), "Host": "h"}, content_length: Some(0), extensions: {u8} }"#
    );
}
