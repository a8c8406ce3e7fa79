//! Chapter 10: an app that is deployed: behind a proxy, watched, and stopped without a loss.

use std::error::Error;
use std::time::Duration;

use barewire::app::{AccessLog, App, TrustedProxies};
use barewire::net::{ListenOptions, Network};

/// The app without its address, which tests serve as well.
fn app(proxies: Vec<Network>) -> App {
    let proxies = TrustedProxies::new(proxies)
        .x_forwarded_for()
        .x_forwarded_proto();
    let app = App::new();
    let metrics = app.metrics();
    app.trust_proxies(proxies)
        .with(AccessLog::to_stderr())
        .health("/health/live", "/health/ready")
        .get("/", |request, reply| {
            let client = request.peer().and_then(|it| it.ip());
            let client = client.map_or_else(String::new, |it| it.to_string());
            reply.text(format!("Hello, {client}!"))
        })
        .get("/metrics", metrics.route())
}

/// The networks that the environment names, if it does.
fn networks(name: &str) -> Result<Vec<Network>, barewire::net::Error> {
    let named = std::env::var(name).unwrap_or_default();
    named.split_whitespace().map(str::parse).collect()
}

/// A number of seconds that the environment may name.
fn seconds(name: &str, default: u64) -> Duration {
    let named = std::env::var(name).ok().and_then(|it| it.parse().ok());
    Duration::from_secs(named.unwrap_or(default))
}

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1);
    let balancers = networks("PROXY_PROTOCOL_FROM")?;
    let options = ListenOptions::DEFAULT
        .with_proxy_protocol(!balancers.is_empty())
        .with_proxies(balancers);
    let server = app(networks("FORWARDED_FROM")?)
        .listen_options(options)
        .listen_systemd(address.as_deref().unwrap_or("127.0.0.1:8080"))?
        .spawn()?;
    server.drain_on_signals(seconds("TURN", 5))?;
    server.notify_systemd()?;
    println!("http://{}", server.local_addresses()[0]);

    let cut = server.join()?;
    eprintln!("stopped, {cut} connections were cut");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use barewire::app::Status;
    use barewire::client::Client;

    #[test]
    fn the_health_route_turns() {
        let app = app(Vec::new());
        let readiness = app.readiness();
        let server = app.listen("127.0.0.1:0").unwrap().spawn().unwrap();
        let url = format!("http://{}/health/ready", server.local_addresses()[0]);
        let client = Client::new();
        assert_eq!(client.get(&url).send().unwrap().status(), Status::OK);

        readiness.set(false);
        let response = client.get(&url).send().unwrap();
        assert_eq!(response.status(), Status::SERVICE_UNAVAILABLE);

        server.handle().shutdown(Duration::ZERO);
        server.join().unwrap();
    }
}
