//! Python's `http.server`: HTTP/1.0, a connection for each request.

use barewire::http::Version;

use super::{Outcome, Servers, Suite, equal};

pub(crate) const CASES: Suite = &[
    ("files, a connection for each", files),
    ("HEAD and what is missing", missing),
    ("a method that it does not know", unknown_method),
];

fn files(servers: &Servers) -> Outcome {
    let client = servers.client();
    for _ in 0..5 {
        let response = client.get(servers.url("/hello")).send()?;
        equal!(response.version(), Version::Http10);
        equal!(response.text()?, "hello\n");
        let response = client.get(servers.url("/large.txt")).send()?;
        let length = response.content_length();
        equal!(length, Some(response.bytes()?.len() as u64));
        equal!(client.metrics().connections(), 0);
    }
    equal!(client.metrics().connections_opened(), 10);
    Ok(())
}

fn missing(servers: &Servers) -> Outcome {
    let client = servers.client();
    let response = client.head(servers.url("/hello")).send()?;
    equal!(
        (response.status().code(), response.content_length()),
        (200, Some(6))
    );
    equal!(response.text()?, "");
    let response = client.get(servers.url("/missing")).send()?;
    equal!(response.status().code(), 404);
    Ok(())
}

fn unknown_method(servers: &Servers) -> Outcome {
    let response = servers
        .client()
        .post(servers.url("/hello"))
        .body("a")
        .send()?;
    equal!(response.status().code(), 501);
    Ok(())
}
