//! A server as it is deployed: addresses and threads from the environment, or sockets from
//! systemd; health and readiness; signals that have it drain; restarts that refuse nobody.
//!
//! ```text
//! LISTEN=127.0.0.1:8080 THREADS=auto cargo run --example deployed --features signals,systemd
//! systemd-socket-activate -l 8080 target/debug/examples/deployed
//! HAND_OVER=/tmp/deployed.sock target/debug/examples/deployed & # again: it takes over
//! ```

use std::time::Duration;

use barewire::app::{App, Error, RateLimit, SecurityHeaders};
use barewire::net::Listener;

fn main() -> Result<(), Error> {
    let mut sockets = Listener::from_systemd()?.into_iter().peekable();
    let mut app = match sockets.peek() {
        None => App::from_env("127.0.0.1:8080")?,
        Some(_) => App::new(),
    };
    for socket in sockets {
        println!("handed over: {:?}", socket.name());
        app = app.listen_on(socket);
    }
    if let Some(path) = std::env::var_os("HAND_OVER") {
        app = app.hand_over(path);
    }
    let server = app
        .with(SecurityHeaders::new())
        .with(RateLimit::per_second(100_000).fields("default"))
        .health("/healthz", "/readyz")
        .get("/", |_request, reply| {
            reply.text(std::process::id().to_string())
        })
        .spawn()?;
    server.drain_on_signals(Duration::from_secs(1))?;
    server.notify_systemd()?;
    for address in server.local_addresses() {
        println!("listening on {address}");
    }
    server.join().map(drop)
}
