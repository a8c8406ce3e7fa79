//! Event streams that answer other methods than GET, over both versions.
#![cfg(feature = "net")]

use crate::app_support::Running;
use crate::peer::Peer;
use barewire::app::{App, EventStream, Events, EventsRoute, Refusal};
use barewire::http::{Method, Status};
use barewire::sse::Event;

/// Says each word of what it was asked.
struct Words(String);

impl Events for Words {
    fn open(&mut self, stream: &mut EventStream<'_, '_>) {
        for word in self.0.split(' ') {
            stream.send(&Event::new(word));
        }
        stream.finish();
    }
}

fn words() -> EventsRoute<Words> {
    EventsRoute::new(|request| match core::str::from_utf8(request.body()) {
        Ok("") => Err(Refusal::new(Status::BAD_REQUEST).because("no words")),
        Ok(text) => Ok(Words(text.into())),
        Err(_) => Err(Status::BAD_REQUEST.into()),
    })
}

fn app() -> App {
    App::new()
        .events_route("/post", words().method(Method::POST).collect(10))
        .get("/any", |_request, reply| reply.text("plain"))
        .events_route("/any", words().any_method())
}

const SAID: &str = "data: one\n\ndata: two\n\n";

#[test]
fn a_post_is_answered_by_a_stream_on_http1() {
    let running = Running::start(app());
    for path in ["/post", "/any"] {
        let answer = running.post(path, "one two");
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), "text/event-stream");
        let sent = answer.body.replace("\r\n", "\n");
        assert!(
            sent.contains("data: one\n\n") && sent.contains("data: two\n\n"),
            "{sent}"
        );
    }
    assert_eq!(running.post("/post", "").status, 400);
    assert_eq!(running.post("/post", "eleven byte").status, 413);
    let answer = running.get("/post");
    assert_eq!(
        (answer.status, &*answer.header("allow")),
        (405, "OPTIONS, POST")
    );
    assert_eq!(running.get("/any").body, "plain");
}

#[test]
fn a_post_is_answered_by_a_stream_on_http2() {
    let running = Running::start(app());
    let mut peer = Peer::connect(&running);
    for (method, path) in [("POST", "/post"), ("PUT", "/any"), ("POST", "/any")] {
        let (status, body) = peer.fetch(method, path, b"one two");
        assert_eq!(
            (status, &*String::from_utf8_lossy(&body)),
            (200, SAID),
            "{path}"
        );
    }
    assert_eq!(peer.fetch("POST", "/post", b"").0, 400);
    assert_eq!(peer.fetch("POST", "/post", b"eleven byte").0, 413);
    assert_eq!(peer.fetch("GET", "/post", b"").0, 405);
    assert_eq!(peer.fetch("GET", "/any", b"").1, b"plain");
}
