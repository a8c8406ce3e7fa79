//! Node.js: connections that end, trailers, interim responses, answers to half an
//! upload, and exchanges that break. `http_client.mjs` is the server.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use barewire::client::{Body, Client, ClientLimits, Error, ErrorKind};
use serde_json::Value;

use super::{Outcome, Servers, Suite, equal, holds};

pub(crate) const CASES: Suite = &[
    ("Connection: close is heeded", close),
    ("trailers", trailers),
    ("early hints", hints),
    ("endless hints", endless_hints),
    ("an early answer to an upload", early),
    ("an early answer to an upload, and the end", early_close),
    ("an upload and a download at one time", echo),
    ("Expect: 100-continue", expect),
    ("an expectation that is refused", expect_refused),
    ("an expectation that is not answered", expect_silent),
    ("a reset connection is tried again once", reset),
    ("a connection that ends without an answer", vanish),
    ("half an answer", half),
    ("a body that stands still", stuck),
    ("heads over their limits", large_heads),
    ("a response without a body", no_body),
    ("a request over the server's limits", large_request),
    ("threads share a pool", threads),
];

/// How often a request with this id has come.
pub(crate) fn seen(client: &Client, url: &str) -> Result<Value, Box<dyn std::error::Error>> {
    Ok(client.get(url).send()?.json()?)
}

fn close(servers: &Servers) -> Outcome {
    let client = servers.client();
    for _ in 0..5 {
        equal!(client.get(servers.url("/close")).send()?.text()?, "hello");
        equal!(client.metrics().connections(), 0);
    }
    equal!(client.metrics().connections_opened(), 5);
    Ok(())
}

fn trailers(servers: &Servers) -> Outcome {
    let client = servers.client();
    for _ in 0..3 {
        let mut response = client.get(servers.url("/trailers")).send()?;
        let mut text = Vec::new();
        while let Some(piece) = response.next_chunk()? {
            text.extend_from_slice(piece);
        }
        equal!(text, b"hello, world");
        equal!(response.trailers().get_str("x-sum"), Some("12"));
        equal!(
            response.trailers().get_str("x-note"),
            Some("after the body")
        );
    }
    equal!(client.metrics().connections_opened(), 1);
    Ok(())
}

fn hints(servers: &Servers) -> Outcome {
    let client = servers.client();
    equal!(client.get(servers.url("/hints")).send()?.text()?, "hello");
    let hints = Arc::new(Mutex::new(Vec::new()));
    let told = hints.clone();
    let request = client.get(servers.url("/hints"));
    let request = request.on_informational(move |status, fields| {
        let link = fields.get_str("link").unwrap_or_default().to_owned();
        told.lock().expect("no panic").push((status.code(), link));
    });
    let response = request.send()?;
    equal!(response.header("link"), None);
    equal!(response.text()?, "hello");
    let link = |name| format!("</{name}.css>; rel=preload");
    let all = [(103, link("a")), (102, String::new()), (103, link("b"))];
    equal!(hints.lock().expect("no panic").as_slice(), all);
    equal!(client.metrics().connections_opened(), 1);
    Ok(())
}

fn endless_hints(servers: &Servers) -> Outcome {
    let client = servers.client();
    let error = fault(client.get(servers.url("/endless-hints")).send())?;
    holds!(
        matches!(error.kind(), ErrorKind::TooLarge("informational")),
        "{error:?}"
    );
    equal!(client.metrics().connections(), 0);
    Ok(())
}

/// The error that it has to be.
fn fault<T: std::fmt::Debug>(result: Result<T, Error>) -> Result<Error, String> {
    match result {
        Ok(value) => Err(format!("no error but {value:?}")),
        Err(error) => Ok(error),
    }
}

fn early(servers: &Servers) -> Outcome {
    let client = servers.client();
    let large = vec![b'x'; 20 << 20];
    for _ in 0..3 {
        let response = client
            .post(servers.url("/early"))
            .body(large.clone())
            .send()?;
        equal!(response.status().code(), 413);
        equal!(response.text()?, "too much");
        equal!(client.get(servers.url("/")).send()?.text()?, "hello");
    }
    Ok(())
}

fn early_close(servers: &Servers) -> Outcome {
    let client = servers.client();
    let large = vec![b'x'; 20 << 20];
    for _ in 0..5 {
        let response = client
            .post(servers.url("/early-close"))
            .body(large.clone())
            .send()?;
        equal!(response.status().code(), 413);
        equal!(response.text()?, "too much");
        equal!(client.metrics().connections(), 0);
    }
    Ok(())
}

fn echo(servers: &Servers) -> Outcome {
    let client = servers.client();
    let pieces = (0..200_u8).map(|at| Ok(vec![at; 20_000].into()));
    let response = client
        .post(servers.url("/echo"))
        .body(Body::iterator(pieces))
        .send()?;
    let bytes = response.bytes()?;
    equal!(bytes.len(), 4_000_000);
    holds!(
        bytes
            .chunks(20_000)
            .zip(0..)
            .all(|(piece, at)| piece.iter().all(|it| *it == at)),
        "bytes differ"
    );
    equal!(client.get(servers.url("/")).send()?.text()?, "hello");
    equal!(client.metrics().connections_opened(), 1);
    Ok(())
}

fn expect(servers: &Servers) -> Outcome {
    let client = servers.client();
    let limits = ClientLimits::DEFAULT.with_continue_time(Duration::from_secs(60));
    for length in [0, 1, 1 << 20] {
        let request = client.put(servers.url("/length")).body(vec![b'x'; length]);
        let response = request.expect_continue().limits(limits).send()?;
        equal!(response.text()?, length.to_string());
    }
    equal!(client.metrics().connections_opened(), 1);
    Ok(())
}

fn expect_refused(servers: &Servers) -> Outcome {
    let client = servers.client();
    let limits = ClientLimits::DEFAULT.with_continue_time(Duration::from_secs(60));
    for _ in 0..3 {
        let body = Body::iterator((0..1).map(|_| panic!("the body is asked for")));
        let request = client
            .post(servers.url("/refuse"))
            .body(body.with_length(5));
        let response = request.expect_continue().limits(limits).send()?;
        equal!(response.status().code(), 401);
        equal!(response.text()?, "no");
        equal!(client.get(servers.url("/")).send()?.text()?, "hello");
    }
    Ok(())
}

fn expect_silent(servers: &Servers) -> Outcome {
    let client = servers.client();
    let limits = ClientLimits::DEFAULT.with_continue_time(Duration::from_millis(50));
    let request = client.post(servers.url("/silent")).body("hello");
    let response = request.expect_continue().limits(limits).send()?;
    equal!(response.text()?, "5");
    equal!(client.get(servers.url("/")).send()?.text()?, "hello");
    Ok(())
}

/// On a fresh connection nothing goes again; on one that was at rest, what may be
/// repeated goes again once.
fn broken(servers: &Servers, path: &str, was_reset: bool) -> Outcome {
    for (method, warm, times) in [
        ("GET", false, 1),
        ("GET", true, 2),
        ("PUT", true, 2),
        ("POST", false, 1),
        ("POST", true, 1),
    ] {
        let client = servers.client();
        if warm {
            equal!(client.get(servers.url("/")).send()?.text()?, "hello");
        }
        let id = format!("{path}-{method}-{warm}");
        let request = client.request(method, servers.url(path)).query("id", &id);
        let request = if method == "GET" {
            request
        } else {
            request.body("a")
        };
        let error = fault(request.send())?;
        holds!(
            error.may_have_been_processed() && !error.is_retryable(),
            "{error:?}"
        );
        let is_right = match error.kind() {
            ErrorKind::Reset => was_reset,
            ErrorKind::Closed => !was_reset,
            _ => false,
        };
        holds!(is_right, "{error:?}");
        equal!(
            (id.as_str(), &seen(&client, &servers.url("/seen"))?[&id]),
            (id.as_str(), &Value::from(times))
        );
    }
    Ok(())
}

fn reset(servers: &Servers) -> Outcome {
    broken(servers, "/reset", true)
}

fn vanish(servers: &Servers) -> Outcome {
    broken(servers, "/vanish", false)
}

fn half(servers: &Servers) -> Outcome {
    let client = servers.client();
    for path in ["/half", "/half-chunked"] {
        let mut response = client.get(servers.url(path)).send()?;
        let mut bytes = 0;
        let error = loop {
            match response.next_chunk() {
                Ok(Some(piece)) => bytes += piece.len(),
                Ok(None) => return Err(format!("{path}: taken for complete").into()),
                Err(error) => break error,
            }
        };
        equal!((path, bytes), (path, 50));
        holds!(
            matches!(error.kind(), ErrorKind::Closed | ErrorKind::Reset),
            "{error:?}"
        );
        holds!(error.may_have_been_processed(), "{error:?}");
        drop(response);
        equal!(client.metrics().connections(), 0);
    }
    Ok(())
}

fn stuck(servers: &Servers) -> Outcome {
    let client = servers.client();
    let limits = ClientLimits::DEFAULT.with_silence_time(Duration::from_millis(50));
    let response = client.get(servers.url("/stuck")).limits(limits).send()?;
    let error = fault(response.bytes())?;
    holds!(
        matches!(error.kind(), ErrorKind::TimedOut("silence_time")),
        "{error:?}"
    );
    // Unread, it is not waited for.
    drop(client.get(servers.url("/stuck")).send()?);
    equal!(client.metrics().connections(), 0);
    Ok(())
}

fn large_heads(servers: &Servers) -> Outcome {
    let client = servers.client();
    for (path, limit) in [("/large-head", "head"), ("/many-fields", "fields")] {
        let error = fault(client.get(servers.url(path)).send())?;
        let is_right = matches!(error.kind(), ErrorKind::TooLarge(it) if *it == limit);
        holds!(is_right, "{error:?}");
        equal!(client.metrics().connections(), 0);
    }
    Ok(())
}

fn no_body(servers: &Servers) -> Outcome {
    let client = servers.client();
    for _ in 0..3 {
        let response = client.delete(servers.url("/no-body")).send()?;
        equal!(
            (response.status().code(), response.content_length()),
            (204, None)
        );
        equal!(response.bytes()?.len(), 0);
    }
    equal!(client.metrics().connections_opened(), 1);
    Ok(())
}

fn large_request(servers: &Servers) -> Outcome {
    let client = servers.client();
    let request = client
        .get(servers.url("/"))
        .header("X-Large", "a".repeat(20_000));
    let status = request.send()?.status().code();
    holds!(matches!(status, 400 | 431), "{status}");
    equal!(client.metrics().connections(), 0);
    Ok(())
}

fn threads(servers: &Servers) -> Outcome {
    let client = servers.client();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..32)
            .map(|thread| {
                let client = client.clone();
                scope.spawn(move || -> Result<(), String> {
                    for round in 0..30 {
                        let text = format!("{thread} {round}");
                        let request = client.post(servers.url("/echo")).body(text.clone());
                        let found = request.send().and_then(barewire::client::Response::text);
                        let found = found.map_err(|error| format!("{error:?}"))?;
                        equal!(found, text);
                    }
                    Ok(())
                })
            })
            .collect();
        threads
            .into_iter()
            .try_for_each(|it| it.join().expect("no panic"))
    })?;
    let opened = client.metrics().connections_opened();
    holds!(opened <= 32, "{opened} connections");
    Ok(())
}
