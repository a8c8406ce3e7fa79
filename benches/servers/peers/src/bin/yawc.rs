//! yawc behind hyper's upgrade, as its echo example does it, replies gathered.

use std::io;

use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use servers_common::LARGE;
use servers_peers::serve;
use yawc::{Options, UpgradeFut, WebSocket, WebSocketError};

async fn echo(upgraded: UpgradeFut) -> Result<(), WebSocketError> {
    let (sink, stream) = upgraded.await?.split();
    stream.map(Ok).forward(sink).await
}

async fn open(mut request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, WebSocketError> {
    let options = Options::default()
        .with_max_payload_read(2 * LARGE)
        .with_utf8();
    let options = match request.uri().path() {
        "/takeover" => options.with_low_latency_compression(),
        "/deflate" => options
            .with_low_latency_compression()
            .server_no_context_takeover(),
        _ => options.without_compression(),
    };
    let (response, upgraded) = WebSocket::upgrade_with_options(&mut request, options)?;
    tokio::spawn(async move {
        let _ = echo(upgraded).await;
    });
    Ok(response)
}

fn main() -> io::Result<()> {
    serve(|socket| async move {
        let connection =
            http1::Builder::new().serve_connection(TokioIo::new(socket), service_fn(open));
        let _ = connection.with_upgrades().await;
    })
}
