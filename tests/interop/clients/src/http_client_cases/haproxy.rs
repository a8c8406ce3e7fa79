//! haproxy in front of an nginx: its own HTTP/1.1 and HTTP/2, and connections that it closes
//! when they rest.
//!
//! The first URL is by `http`, the second by `https`; both close what has rested for a
//! second.

use std::thread;

use barewire::http::Version;

use super::{Outcome, Servers, Suite, equal, holds, nginx};

pub(crate) const CASES: Suite = &[
    ("one connection for requests in sequence", in_sequence),
    (
        "what rested too long is not seen",
        nginx::keep_alive_timeout,
    ),
    ("threads share HTTP/2", shared),
    ("bodies both ways", bodies),
    ("a path that is refused", refused),
];

fn in_sequence(servers: &Servers) -> Outcome {
    let client = servers.client();
    for _ in 0..50 {
        let response = client.get(servers.url("/hello")).send()?;
        equal!(response.version(), Version::Http11);
        equal!(response.text()?, "hello\n");
    }
    equal!(client.metrics().connections_opened(), 1);
    Ok(())
}

fn shared(servers: &Servers) -> Outcome {
    let client = servers.client();
    let ask = || -> Result<(), String> {
        for _ in 0..50 {
            let url = servers.url_of(1, "/hello");
            let response = client.get(url).send().map_err(|it| format!("{it:?}"))?;
            if response.version() != Version::Http2 {
                return Err(format!("{response:?}"));
            }
            let text = response.text().map_err(|it| format!("{it:?}"))?;
            if text != "hello\n" {
                return Err(text);
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(ask)).collect();
        let mut all = threads.into_iter();
        all.try_for_each(|it| it.join().expect("no panic"))
    })?;
    equal!(client.metrics().connections_opened(), 1);
    Ok(())
}

fn bodies(servers: &Servers) -> Outcome {
    let client = servers.client();
    for at in [0, 1] {
        let large = client.get(servers.url_of(at, "/large.txt")).send()?;
        let lines: Vec<String> = (1..=30_000).map(|it| format!("{it}\n")).collect();
        holds!(large.text()? == lines.concat(), "another file");
        let url = servers.url_of(at, "/hello");
        let response = client.put(url).body(vec![b'x'; 500_000]).send()?;
        equal!(response.status().code(), 200);
    }
    Ok(())
}

fn refused(servers: &Servers) -> Outcome {
    let client = servers.client();
    for at in [0, 1, 0, 1] {
        let response = client
            .post(servers.url_of(at, "/refused"))
            .body("x")
            .send()?;
        equal!(response.status().code(), 403);
        holds!(response.error_for_status().is_err(), "no error");
    }
    Ok(())
}
