//! A gateway: each request goes to an upstream server, on the loop that serves it, and the
//! response comes back as it arrives. Bodies are streamed both ways and held back both ways,
//! and who goes away takes his request with him.
//!
//! ```text
//! cargo run --example upstream -- http://127.0.0.1:9000
//! curl http://127.0.0.1:8080/
//! ```

mod relay;

use std::error::Error;

use barewire::app::App;
use barewire::client::{Client, ClientOptions, RedirectPolicy};

fn main() -> Result<(), Box<dyn Error>> {
    let upstream = std::env::args().nth(1);
    let upstream = upstream.unwrap_or_else(|| "http://127.0.0.1:9000".into());
    // A gateway hands redirects and codings on, and adds nothing of its own.
    let options = ClientOptions::new()
        .base_url(&upstream)
        .redirects(RedirectPolicy::none())
        .user_agent("");
    let client = Client::with(options)?;
    println!("http://127.0.0.1:8080 stands for {upstream}");
    App::new()
        .threads(2)
        .on_each_loop(move |events| Ok(client.on(events)))
        .route(relay::route("/{*path}"))
        .listen("127.0.0.1:8080")?
        .run()?;
    Ok(())
}
