//! nginx: connections that it closes when they rest, compression, and TLS.
//!
//! The first URL is by `http`, with a keep-alive timeout of one second; the second by
//! `https`; the third closes each connection after three requests.

use std::thread;
use std::time::{Duration, Instant};

use barewire::client::{Client, ClientOptions, ErrorKind};

use super::{Outcome, Servers, Suite, equal, holds};

pub(crate) const CASES: Suite = &[
    ("one connection for requests in sequence", in_sequence),
    ("what rested too long is not seen", keep_alive_timeout),
    ("a connection for a few requests", few_requests),
    ("a file comes compressed", compressed),
    ("ranges and conditions of a file", file),
    ("by https", https),
    ("by https to a name that the certificate lacks", wrong_name),
    ("http asked of an https port", plain_to_tls),
    ("an authority that is not known", unknown_authority),
    ("a field that is too large", too_large),
    ("an upload that is too large", too_long),
];

fn in_sequence(servers: &Servers) -> Outcome {
    let client = servers.client();
    for _ in 0..50 {
        let response = client.get(servers.url("/hello")).send()?;
        equal!(response.text()?, "hello\n");
    }
    let error = client
        .get(servers.url("/missing"))
        .send()?
        .error_for_status();
    equal!(
        error.err().and_then(|it| it.status()).map(|it| it.code()),
        Some(404)
    );
    equal!(client.metrics().connections_opened(), 1);
    equal!(client.metrics().connections_idle(), 1);
    Ok(())
}

/// Threads ask again about when nginx closes their connections.
pub(crate) fn keep_alive_timeout(servers: &Servers) -> Outcome {
    let client = servers.client();
    let rounds = |thread: u64| -> Result<(), String> {
        for round in 0..4 {
            let started = Instant::now();
            let request = match round % 2 {
                0 => client.get(servers.url("/hello")),
                _ => client.put(servers.url("/hello")).body("a"),
            };
            let response = request.send().map_err(|it| format!("{it:?}"))?;
            response.bytes().map_err(|it| format!("{it:?}"))?;
            let pause = Duration::from_micros(998_500 + thread * 50);
            thread::sleep(pause.saturating_sub(started.elapsed()));
        }
        Ok(())
    };
    let results: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..64).map(|at| scope.spawn(move || rounds(at))).collect();
        threads
            .into_iter()
            .map(|it| it.join().expect("no panic"))
            .collect()
    });
    let failed: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    equal!(failed, Vec::<String>::new());
    Ok(())
}

fn few_requests(servers: &Servers) -> Outcome {
    let client = servers.client();
    for _ in 0..10 {
        equal!(
            client.get(servers.url_of(2, "/hello")).send()?.text()?,
            "hello\n"
        );
    }
    equal!(client.metrics().connections_opened(), 4);
    Ok(())
}

fn compressed(servers: &Servers) -> Outcome {
    let client = servers.client();
    let plain = client
        .get(servers.url("/large.txt"))
        .without_decoding()
        .send()?;
    equal!(plain.header("content-encoding"), None);
    let plain = plain.bytes()?;
    for _ in 0..2 {
        let response = client.get(servers.url("/large.txt")).send()?;
        equal!(response.content_length(), None);
        equal!(response.bytes()? == plain, true);
    }
    equal!(plain.len() > 100_000, true);
    equal!(client.metrics().connections_opened(), 1);
    Ok(())
}

fn file(servers: &Servers) -> Outcome {
    let client = servers.client();
    let url = servers.url("/large.txt");
    let response = client.get(&url).header("Range", "bytes=0-4").send()?;
    equal!(response.status().code(), 206);
    let modified = response
        .header("last-modified")
        .unwrap_or_default()
        .to_owned();
    equal!(response.bytes()?.len(), 5);
    let response = client
        .get(&url)
        .header("If-Modified-Since", modified)
        .send()?;
    equal!(response.status().code(), 304);
    let response = client.get(&url).header("Range", "bytes=0-1,4-5").send()?;
    let media_type = response.header("content-type").unwrap_or_default();
    holds!(
        media_type.starts_with("multipart/byteranges"),
        "{media_type}"
    );
    Ok(())
}

fn https(servers: &Servers) -> Outcome {
    let client = servers.client();
    for _ in 0..20 {
        let response = client.get(servers.url_of(1, "/large.txt")).send()?;
        equal!(response.status().code(), 200);
        holds!(response.bytes()?.len() > 100_000, "a short body");
    }
    equal!(client.metrics().connections_opened(), 1);
    Ok(())
}

fn wrong_name(servers: &Servers) -> Outcome {
    let url = servers
        .url_of(1, "/hello")
        .replace("localhost", "127.0.0.2");
    let error = servers.client().get(url).send().unwrap_err();
    holds!(
        error.is_connect() && !error.may_have_been_processed(),
        "{error:?}"
    );
    holds!(error.to_string().contains("127.0.0.2"), "{error}");
    Ok(())
}

fn plain_to_tls(servers: &Servers) -> Outcome {
    let url = servers.url_of(1, "/hello").replace("https://", "http://");
    // nginx says so by HTTP.
    equal!(servers.client().get(url).send()?.status().code(), 400);
    let url = servers.url("/hello").replace("http://", "https://");
    let error = servers.client().get(url).send().unwrap_err();
    holds!(error.is_connect(), "{error:?}");
    Ok(())
}

fn unknown_authority(servers: &Servers) -> Outcome {
    let options = ClientOptions::new().tls(servers.strangers()?);
    let error = Client::with(options)?
        .get(servers.url_of(1, "/hello"))
        .send()
        .unwrap_err();
    holds!(error.is_connect(), "{error:?}");
    holds!(error.to_string().contains("leads to no root"), "{error}");
    holds!(
        matches!(error.kind(), ErrorKind::Unreachable(_)),
        "{error:?}"
    );
    Ok(())
}

fn too_large(servers: &Servers) -> Outcome {
    let client = servers.client();
    let request = client
        .get(servers.url("/hello"))
        .header("X-Large", "a".repeat(100_000));
    let response = request.send()?;
    equal!(response.status().code(), 400);
    drop(response);
    equal!(client.get(servers.url("/hello")).send()?.text()?, "hello\n");
    Ok(())
}

fn too_long(servers: &Servers) -> Outcome {
    let client = servers.client();
    for at in [0, 1, 0, 1] {
        let request = client
            .post(servers.url_of(at, "/hello"))
            .body(vec![b'x'; 20 << 20]);
        let response = request.send()?;
        equal!(response.status().code(), 413);
        holds!(response.text()?.contains("Too Large"), "another text");
        let request = client
            .put(servers.url_of(at, "/hello"))
            .body(vec![b'x'; 20 << 20]);
        let response = request.expect_continue().send()?;
        equal!(response.status().code(), 413);
    }
    Ok(())
}
