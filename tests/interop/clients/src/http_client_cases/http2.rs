//! HTTP/2 with nginx and Node.js: what threads share, and servers that take leave.
//!
//! URLs: an nginx; one that allows four streams at a time; one that takes leave after 20
//! requests; one that takes leave after a second at rest; a Node.js.

use std::thread;
use std::time::Duration;

use barewire::client::{Client, Response};
use barewire::http::Version;

use super::{Outcome, Servers, Suite, equal, holds};

pub(crate) const CASES: Suite = &[
    ("chosen by ALPN", by_alpn),
    ("threads share one connection", shared),
    ("more requests than streams at a time", queued),
    ("a server that takes leave is not seen", leave),
    ("what rested too long is not seen", rested),
    ("an upload that is too large", too_long),
    ("an echo by Node.js", echo),
    ("trailers and interim responses of Node.js", trailers),
    ("a graceful end by Node.js is not seen", graceful),
];

fn by_alpn(servers: &Servers) -> Outcome {
    let client = servers.client();
    for _ in 0..50 {
        let response = client.get(servers.url("/hello")).send()?;
        equal!(response.version(), Version::Http2);
        equal!(response.text()?, "hello\n");
    }
    let response = client
        .head(servers.url("/large.txt"))
        .without_decoding()
        .send()?;
    let length = response.content_length();
    let response = client.get(servers.url("/large.txt")).send()?;
    equal!(Some(response.bytes()?.len() as u64), length);
    equal!(client.metrics().connections_opened(), 1);
    Ok(())
}

/// Threads ask for the same, and each is answered.
fn all(client: &Client, threads: u64, rounds: u64, url: &str, found: &str) -> Result<(), String> {
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|thread| {
                scope.spawn(move || -> Result<(), String> {
                    for round in 0..rounds {
                        let request = match (thread + round) % 3 {
                            0 => client.get(url),
                            1 => client.post(url).body("a"),
                            _ => client.put(url).body(vec![b'x'; 30_000]),
                        };
                        let text = request.send().and_then(Response::text);
                        equal!(text.map_err(|error| format!("{error:?}"))?, found);
                    }
                    Ok(())
                })
            })
            .collect();
        let mut joined = threads.into_iter().map(|it| it.join().expect("no panic"));
        joined.try_for_each(|it| it)
    })
}

fn shared(servers: &Servers) -> Outcome {
    let client = servers.client();
    equal!(client.get(servers.url("/hello")).send()?.text()?, "hello\n");
    all(&client, 32, 20, &servers.url("/hello"), "hello\n")?;
    equal!(client.metrics().connections_opened(), 1);
    Ok(())
}

fn queued(servers: &Servers) -> Outcome {
    let client = servers.client();
    all(&client, 32, 20, &servers.url_of(1, "/hello"), "hello\n")?;
    Ok(())
}

fn leave(servers: &Servers) -> Outcome {
    let client = servers.client();
    all(&client, 16, 50, &servers.url_of(2, "/hello"), "hello\n")?;
    let opened = client.metrics().connections_opened();
    holds!(opened >= 16 * 50 / 20, "{opened} connections");
    Ok(())
}

fn rested(servers: &Servers) -> Outcome {
    let rounds = |at: u64| -> Result<(), String> {
        let client = servers.client();
        for _ in 0..3 {
            all(&client, 1, 1, &servers.url_of(3, "/hello"), "hello\n")?;
            thread::sleep(Duration::from_micros(998_000 + at * 300));
        }
        Ok(())
    };
    let rounds = &rounds;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..16)
            .map(|at| scope.spawn(move || rounds(3 * at)))
            .collect();
        let mut joined = threads.into_iter().map(|it| it.join().expect("no panic"));
        joined.try_for_each(|it| it)
    })?;
    Ok(())
}

fn too_long(servers: &Servers) -> Outcome {
    let client = servers.client();
    for _ in 0..5 {
        let request = client
            .post(servers.url("/hello"))
            .body(vec![b'x'; 20 << 20]);
        let response = request.send()?;
        equal!(response.status().code(), 413);
        holds!(response.text()?.contains("Too Large"), "another text");
        equal!(client.get(servers.url("/hello")).send()?.text()?, "hello\n");
    }
    Ok(())
}

fn echo(servers: &Servers) -> Outcome {
    let client = servers.client();
    let sent = "0123456789abcdef".repeat(1 << 17);
    for _ in 0..3 {
        let response = client
            .post(servers.url_of(4, "/echo"))
            .body(sent.clone())
            .send()?;
        equal!(response.version(), Version::Http2);
        equal!(response.text()? == sent, true);
    }
    equal!(client.metrics().connections_opened(), 1);
    Ok(())
}

fn trailers(servers: &Servers) -> Outcome {
    let client = servers.client();
    let mut response = client.get(servers.url_of(4, "/trailers")).send()?;
    while response.next_chunk()?.is_some() {}
    equal!(response.trailers().get_str("x-sum"), Some("12"));
    let (told, hints) = std::sync::mpsc::channel();
    let request = client.get(servers.url_of(4, "/one-hint"));
    let request =
        request.on_informational(move |status, _| told.send(status.code()).expect("a receiver"));
    equal!(request.send()?.text()?, "hello");
    equal!(hints.iter().collect::<Vec<_>>(), [103]);
    Ok(())
}

fn graceful(servers: &Servers) -> Outcome {
    let client = servers.client();
    // Each 50th request has its session end; what is refused goes again.
    all(&client, 16, 100, &servers.url_of(4, "/leave"), "hello")?;
    let opened = client.metrics().connections_opened();
    holds!(opened > 10, "{opened} connections");
    Ok(())
}
