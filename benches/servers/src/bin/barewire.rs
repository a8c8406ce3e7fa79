//! barewire: the routes through `App`, with all limits, timers and metrics on, over
//! TLS if there are certificates; a fifth argument `aws-lc-rs` has that make it.

use barewire::app::{App, Files, Message, Service, Socket, WebSocket, WebSocketRoute};
use barewire::net::Limits;
use barewire::tls::{Certificates, Provider, Server, ServerOptions};
use barewire::websocket::{
    self,
    deflate::{Policy, WindowBits},
};
use barewire::wire::codec::Compression;
use bytes::Bytes;
use servers_common::{
    HELLO, LARGE, MEDIUM, MESSAGES, address, directory, fixed, raise_descriptors, threads, tls,
};
use std::time::Duration;

struct Echo;

impl WebSocket for Echo {
    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        socket.send(message);
    }
}

struct Member;

impl WebSocket for Member {
    fn open(&mut self, socket: &mut Socket<'_, '_>) {
        socket.join("all").expect("one room is within the limits");
    }

    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        socket.publish("all", message);
    }
}

/// The echo, compressed in every way; at `/asleep` it soon forgets what was sent.
fn compressed(mut app: App) -> App {
    let small = WindowBits::new(12).expect("a power of two");
    let small = Policy {
        server_window: small,
        client_window: small,
        ..Policy::TAKEOVER
    };
    for (name, policy, dedicated) in [
        ("/deflate", Policy::DEFAULT, true),
        ("/takeover", Policy::TAKEOVER, true),
        ("/takeover-12", small, true),
        ("/lent", Policy::TAKEOVER, false),
        ("/lent-12", small, false),
    ] {
        let compression = Compression {
            dedicated,
            ..Compression::DEFAULT
        };
        let route = || WebSocketRoute::new(|_request| Ok(Echo)).deflate(policy, compression);
        let soon = websocket::Limits::DEFAULT.with_deflate_idle(Duration::from_millis(500));
        app = app
            .websocket_route(name, route())
            .websocket_route(&format!("{name}/asleep"), route().limits(soon));
    }
    let room = WebSocketRoute::new(|_request| Ok(Member));
    app.websocket_route(
        "/room/deflate",
        room.deflate(Policy::DEFAULT, Compression::DEFAULT),
    )
}

fn echo() -> Service {
    Service::new("bench.Echo")
        .unary("Unary", |message: Vec<u8>, _call| Ok(message))
        .server_streaming("Stream", |message: Bytes, _call| {
            Ok((0..MESSAGES).map(move |_| Ok(message.clone())))
        })
}

/// TLS as the other servers have it; what is agreed on is the load generator's choice.
fn secure(files: &tls::Files) -> Result<Server, Box<dyn std::error::Error>> {
    let certificates = Certificates::read(&files.chain, &files.key)?;
    let provider = match std::env::args().nth(5).as_deref() {
        None => tls::provider(),
        #[cfg(feature = "aws-lc")]
        Some("aws-lc-rs") => rustls::crypto::CryptoProvider {
            kx_groups: vec![rustls::crypto::aws_lc_rs::kx_group::X25519],
            ..rustls::crypto::aws_lc_rs::default_provider()
        },
        Some(name) => return Err(format!("{name} was not compiled in").into()),
    };
    let options = ServerOptions::new(certificates).provider(Provider::new(provider));
    Ok(Server::new(options)?)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    raise_descriptors();
    let (medium, large) = (
        Bytes::from_static(fixed(MEDIUM)),
        Bytes::from_static(fixed(LARGE)),
    );
    let mut app = App::new();
    if let Some(directory) = directory() {
        app = app.files("/file", Files::new(directory.join("file")));
    }
    let app = app
        .get("/hello", |_request, reply| reply.text(HELLO))
        .get("/64k", move |_request, reply| {
            reply.bytes("text/plain", medium.clone())
        })
        .get("/1m", move |_request, reply| {
            reply.bytes("text/plain", large.clone())
        })
        .post("/echo", |request, reply| {
            reply.body(request.content_type(), request.body())
        })
        .websocket("/websocket", |_request| Ok(Echo))
        .websocket("/room", |_request| Ok(Member))
        .grpc(echo())
        .threads(threads())
        .limits(
            Limits::DEFAULT
                .with_connections(50_000)
                .with_per_address(50_000),
        );
    let app = compressed(app);
    let address = address().to_string();
    let app = match tls::files() {
        None => app.listen(&address)?,
        Some(files) => app.listen_tls(&address, secure(&files)?)?,
    };
    Ok(app.run()?)
}
