//! A greeting and an echo, as with tiny_http and rouille.

use barewire::app::{App, Error};

pub fn app() -> App {
    App::new()
        .get("/hello/{name}", |request, reply| {
            reply.text(format!("Hello, {}!", request.param("name")))
        })
        .post("/echo", |request, reply| {
            reply.body("text/plain; charset=utf-8", request.body())
        })
}

pub fn main() -> Result<(), Error> {
    app().listen("127.0.0.1:8080")?.run()
}
