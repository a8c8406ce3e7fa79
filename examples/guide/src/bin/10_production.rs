//! Chapter 10: an app that is deployed: behind a proxy, watched, and stopped without a loss.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use barewire::app::{AccessLog, App, Status};
use barewire::net::ListenOptions;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// The app without its address, which tests serve as well.
fn app(is_ready: &Arc<AtomicBool>) -> App {
    let is_ready = is_ready.clone();
    let app = App::new();
    let metrics = app.metrics();
    app.with(AccessLog::to_stderr())
        .get("/", |request, reply| match request.peer() {
            Some(peer) => reply.text(format!(
                "Hello, {}!",
                peer.ip().map_or_else(String::new, |it| it.to_string())
            )),
            None => reply.text("Hello!"),
        })
        .get("/health/live", |_request, reply| reply.text("live"))
        .get("/health/ready", move |_request, reply| {
            match is_ready.load(Relaxed) {
                true => reply.text("ready").ok(),
                false => Err(Status::SERVICE_UNAVAILABLE.into()),
            }
        })
        .get("/metrics", metrics.route())
}

/// A number of seconds that the environment may name.
fn seconds(name: &str, default: u64) -> Duration {
    let named = std::env::var(name).ok().and_then(|it| it.parse().ok());
    Duration::from_secs(named.unwrap_or(default))
}

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1);
    // From these addresses a header of the PROXY protocol names the client.
    let options = match std::env::var("PROXY_PROTOCOL_FROM") {
        Ok(networks) => {
            let networks: Result<Vec<_>, _> = networks.split(' ').map(str::parse).collect();
            ListenOptions::DEFAULT
                .with_proxies(networks?)
                .with_proxy_protocol(true)
        }
        Err(_) => ListenOptions::DEFAULT,
    };
    let is_ready = Arc::new(AtomicBool::new(true));
    let server = app(&is_ready)
        .threads(2)
        .listen_options(options)
        .listen(address.as_deref().unwrap_or("127.0.0.1:8080"))?
        .spawn()?;
    println!("http://{}", server.local_addresses()[0]);

    let handle = server.handle();
    let (turn, drain) = (seconds("TURN", 5), seconds("DRAIN", 30));
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::spawn(move || {
        for _ in signals.forever() {
            is_ready.store(false, Relaxed);
            thread::sleep(turn); // until the balancer has seen it
            handle.shutdown(drain);
        }
    });
    let cut = server.join()?;
    eprintln!("stopped, {cut} connections were cut");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use barewire::client::Client;

    #[test]
    fn the_health_route_turns() {
        let is_ready = Arc::new(AtomicBool::new(true));
        let app = app(&is_ready).listen("127.0.0.1:0").unwrap();
        let server = app.spawn().unwrap();
        let url = format!("http://{}/health/ready", server.local_addresses()[0]);
        let client = Client::new();
        assert_eq!(client.get(&url).send().unwrap().text().unwrap(), "ready");

        is_ready.store(false, Relaxed);
        let response = client.get(&url).send().unwrap();
        assert_eq!(response.status(), Status::SERVICE_UNAVAILABLE);

        server.handle().shutdown(Duration::ZERO);
        server.join().unwrap();
    }
}
