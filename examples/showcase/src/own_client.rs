//! This server as a client of itself: native gRPC and HTTP/2, which no page can speak.
//!
//! ```text
//! GET /own/grpc      a call of ListUsers over gRPC, as JSON
//! GET /own/http2     three requests on one connection of HTTP/2
//! GET /own/codings   what /items comes to in each content coding
//! ```

use std::error::Error;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use barewire::app::{App, Refusal, Response};
use barewire::client::{
    CallOptions, Channel, Client, ClientLimits, ClientOptions, GrpcChannelOptions,
};
use barewire::http::{Status, Version};
use serde_json::{Value, json};

use super::cost;
use super::messages::{ListUsersRequest, User};

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Where this server listens without TLS: to be told once it does.
#[derive(Debug, Clone, Default)]
pub struct OwnAddress(Arc<OnceLock<SocketAddr>>);

impl OwnAddress {
    /// Tells it; the first one stays.
    pub fn tell(&self, address: SocketAddr) {
        let _ = self.0.set(address);
    }
}

pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

/// Asks the server at this address something, and tells what came.
type Ask = fn(SocketAddr) -> Outcome<Value>;

/// Adds what the server asks of itself.
pub fn routes(app: App, own: &OwnAddress) -> App {
    let asks: [(&str, Ask); 4] = [
        ("/own/grpc", grpc),
        ("/own/http2", http2),
        ("/own/codings", codings),
        ("/own/cost", cost::measure),
    ];
    asks.into_iter().fold(app, |app, (path, ask)| {
        let own = own.clone();
        app.get(path, move |_request, reply| {
            let address = own.0.get().copied();
            // Its clients block, so that they have a thread of their own.
            reply.blocking(move || {
                let address = address.ok_or_else(|| refused("no address without TLS is known"))?;
                match ask(address) {
                    Ok(told) => Ok(Response::json_text(told.to_string())),
                    Err(error) => Err(refused(error.to_string())),
                }
            })
        })
    })
}

fn refused(why: impl Into<String>) -> Refusal {
    Refusal::new(Status::SERVICE_UNAVAILABLE).because(why.into())
}

/// What all clients of HTTP here begin with.
pub(crate) fn options() -> ClientOptions {
    let limits = ClientLimits::DEFAULT.with_total_time(PATIENCE);
    ClientOptions::new().no_proxy().limits(limits)
}

fn grpc(own: SocketAddr) -> Outcome<Value> {
    let options = GrpcChannelOptions::new().no_proxy();
    let channel = Channel::connect_with(&format!("http://{own}"), options)?;
    let method = "/user_service.UserService/ListUsers";
    let since = Instant::now();
    let request = ListUsersRequest {
        page_size: 5,
        ..ListUsersRequest::default()
    };
    let call = CallOptions::new().timeout(PATIENCE);
    let users = channel.server_streaming::<_, User>(method, &request, call)?;
    let names: Vec<String> = users.map(|user| Ok(user?.name)).collect::<Outcome<_>>()?;
    Ok(json!({
        "protocol": "gRPC over HTTP/2",
        "method": method,
        "messages": names,
        "microseconds": micros(since),
    }))
}

fn http2(own: SocketAddr) -> Outcome<Value> {
    let client = Client::with(options().http2_prior_knowledge())?;
    let mut exchanges = Vec::new();
    for path in ["/plaintext", "/json", "/items"] {
        let since = Instant::now();
        let response = client.get(format!("http://{own}{path}")).send()?;
        let (status, version) = (response.status(), response.version());
        exchanges.push(json!({
            "path": path,
            "status": status.code(),
            "version": name_of(version),
            "bytes": response.bytes()?.len(),
            "microseconds": micros(since),
        }));
    }
    let connections = client.metrics().connections_opened();
    Ok(json!({"exchanges": exchanges, "connections": connections}))
}

fn codings(own: SocketAddr) -> Outcome<Value> {
    let client = Client::with(options())?;
    let mut sizes = Vec::new();
    for coding in ["identity", "gzip", "br", "zstd"] {
        let request = client.get(format!("http://{own}/items"));
        let request = request.header("Accept-Encoding", coding);
        let since = Instant::now();
        let response = request.without_decoding().send()?;
        let came = response.header("content-encoding").unwrap_or("identity");
        let came = came.to_owned();
        sizes.push(json!({
            "coding": came,
            "bytes": response.bytes()?.len(),
            "microseconds": micros(since),
        }));
    }
    Ok(sizes.into())
}

pub(crate) fn name_of(version: Version) -> &'static str {
    match version {
        Version::Http10 => "HTTP/1.0",
        Version::Http11 => "HTTP/1.1",
        Version::Http2 => "HTTP/2",
    }
}

pub(crate) fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}
