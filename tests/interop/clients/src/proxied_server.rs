//! A server that says what it sees of its clients, for `proxies.py`.
//!
//! It listens four times: behind proxies that write X-Forwarded-*, behind such that write
//! Forwarded, behind the PROXY protocol, and behind the PROXY protocol with X-Forwarded-*
//! from the proxy that it names. Each place is a line on the standard output, and so is each
//! exchange, in JSON.

use barewire::app::{
    AccessLog, App, EventStream, Events, Message, OriginGuard, Request, RequestIds, Server, Socket,
    Traces, TrustedProxies, WebSocket,
};
use barewire::net::{Error, ListenOptions, Network};
use barewire::sse::Event;
use serde_json::json;

/// What a request looks like from here.
fn seen(request: &Request<'_>) -> String {
    let text = |peer: Option<barewire::net::Peer>| peer.map(|it| it.to_string());
    json!({
        "peer": text(request.peer()),
        "proxy": text(request.proxy()),
        "scheme": request.scheme(),
        "host": request.authority(),
        "base": request.base_url(),
        "id": request.request_id(),
        "trace": request.trace().map(|it| it.to_string()),
    })
    .to_string()
}

struct Echo(String);

impl WebSocket for Echo {
    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        match message.as_text() {
            Some("who") => socket.send(self.0.as_str()),
            _ => socket.send(message),
        };
    }
}

/// Three events: who asked, and two numbers.
struct Told(String);

impl Events for Told {
    fn open(&mut self, stream: &mut EventStream<'_, '_>) {
        for data in [self.0.as_str(), "1", "2"] {
            stream.send(&Event::new(data));
        }
    }
}

fn app(proxies: Option<TrustedProxies>, options: ListenOptions) -> Result<Server, Error> {
    let mut app = App::new();
    if let Some(proxies) = proxies {
        app = app.trust_proxies(proxies);
    }
    let log = AccessLog::to(|line| print!("{line}"));
    app.listen_options(options)
        .with(log.json())
        .with(RequestIds::new())
        .with(Traces::new())
        .with(OriginGuard::new())
        .get("/who", |request, reply| reply.json_text(seen(request)))
        .post("/change", |request, reply| reply.json_text(seen(request)))
        .websocket("/socket", |request| Ok(Echo(seen(request))))
        .events("/events", |request| Ok(Told(seen(request))))
        .listen("127.0.0.1:0")?
        .spawn()
}

fn main() -> Result<(), Error> {
    // nginx connects from the first, haproxy from the second.
    let nginx: Network = "127.0.0.2".parse()?;
    let haproxy: Network = "127.0.0.3".parse()?;
    let both = || TrustedProxies::new([nginx, haproxy]);
    let fields = both()
        .x_forwarded_for()
        .x_forwarded_proto()
        .x_forwarded_host();
    let header = ListenOptions::DEFAULT
        .with_proxies([haproxy])
        .with_proxy_protocol(true);
    let plain = ListenOptions::DEFAULT;
    let servers = [
        ("fields", app(Some(fields.clone()), plain.clone())?),
        ("forwarded", app(Some(both().forwarded()), plain)?),
        ("header", app(None, header.clone())?),
        ("combined", app(Some(fields), header)?),
    ];
    for (name, server) in &servers {
        println!("{name} {}", server.local_addresses()[0]);
    }
    let [(_, server), ..] = servers;
    server.join().map(drop)
}
