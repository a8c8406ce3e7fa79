//! Spans, as a stock subscriber shows them.

use std::io::Write;
use std::sync::{Arc, Mutex};

use barewire::app::{App, RequestIds, Response, Route, Spans};
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::fmt::{MakeWriter, Subscriber};

use crate::app_support::Running;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// The one subscriber of this process: loops are threads of their own.
fn subscribe() -> Lines {
    let lines = Lines::default();
    let subscriber = Subscriber::builder()
        .with_writer(lines.clone())
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(false)
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    lines
}

#[test]
fn an_exchange_is_a_span_with_its_method_route_status_bytes_and_id() {
    let lines = subscribe();
    let app = App::new()
        .with(RequestIds::new().trust(["127.0.0.1".parse().unwrap()]))
        .with(Spans::new())
        .get("/users/{id}", |request, reply| {
            tracing::info!("the user is {}", request.param("id"));
            reply.text("Ann")
        })
        .route(Route::get("/slow").blocking(|request| {
            let span = request.span();
            let _entered = span.enter();
            tracing::info!("elsewhere");
            Response::text("done")
        }))
        .get(
            "/broken",
            |_request, _reply| -> Result<barewire::app::Done, _> {
                Err(barewire::app::Refusal::new(
                    barewire::http::Status::INTERNAL_SERVER_ERROR,
                ))
            },
        );
    let running = Running::start(app);
    let ask = |path: &str| {
        let fields = "X-Request-Id: id-7\r\nAuthorization: Basic c2VjcmV0\r\n";
        running.exchange(&format!("GET {path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n"))
    };
    assert_eq!(ask("/users/7?token=c2VjcmV0").body, "Ann");
    assert_eq!(ask("/slow").body, "done");
    assert_eq!(ask("/broken").status, 500);
    assert_eq!(ask("/nowhere").status, 404);
    drop(running);
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(!text.contains("c2VjcmV0"), "{text}");
    let line = |part: &str| {
        let found = text.lines().find(|line| line.contains(part));
        found.unwrap_or_else(|| panic!("no {part} in {text}"))
    };
    // What the route says is said inside the span.
    assert!(
        line("the user is 7").contains("request.id=\"id-7\""),
        "{text}"
    );
    assert!(line("elsewhere").contains("url.path=\"/slow\""), "{text}");
    let closed = |path: &str| {
        let of = format!("url.path=\"{path}\"");
        let mut lines = text
            .lines()
            .filter(|line| line.contains(&of) && line.contains(" close"));
        let found = lines
            .next()
            .unwrap_or_else(|| panic!("no end of {path} in {text}"));
        assert_eq!(lines.next(), None, "one span: {text}");
        found
    };
    for part in [
        "INFO",
        "request{",
        "http.request.method=\"GET\"",
        "http.route=\"/users/{id}\"",
        "otel.name=\"GET /users/{id}\"",
        "http.response.status_code=200",
        "http.response.body.size=3",
        "client.address=127.0.0.1",
        "url.scheme=\"http\"",
        "duration_ms=",
    ] {
        assert!(closed("/users/7").contains(part), "{part}: {text}");
    }
    assert!(
        closed("/broken").contains("otel.status_code=\"ERROR\""),
        "{text}"
    );
    let nowhere = closed("/nowhere");
    assert!(
        nowhere.contains("status_code=404") && !nowhere.contains("http.route"),
        "{text}"
    );
    assert!(
        closed("/slow").contains("http.response.body.size=4"),
        "{text}"
    );
}
