//! Plain HTTP: routes with parameters, JSON, and refusals.
//!
//! ```text
//! cargo run --example plain_http
//! curl -i http://127.0.0.1:8080/hello/world
//! curl -i http://127.0.0.1:8080/squares/12
//! ```

use barewire::app::{App, Done, Refusal, Reply, Request};
use barewire::http::Status;

fn main() -> Result<(), barewire::app::Error> {
    println!("listening on http://127.0.0.1:8080");
    App::new()
        .get("/hello/{name}", |request, reply| {
            reply.text(format!("Hello, {}!", request.param("name")))
        })
        .get("/squares/{n}", square)
        .post("/echo", |request, reply| {
            reply.body(request.content_type(), request.body())
        })
        .listen("127.0.0.1:8080")?
        .run()
}

/// An error with `?` becomes the reply: 400 and `{"error":"not a number"}`.
fn square(request: &Request<'_>, reply: Reply<'_, '_>) -> Result<Done, Refusal> {
    let wrong = |_| Refusal::new(Status::BAD_REQUEST).because("not a number");
    let n: u32 = request.param("n").parse().map_err(wrong)?;
    Ok(reply.json_text(format!(r#"{{"square":{}}}"#, u64::from(n).pow(2))))
}
