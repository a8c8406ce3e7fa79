//! hyper 1 over HTTP/2 on a runtime of one thread; with tokio-rustls if it is to speak
//! TLS.

use std::io;

use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use servers_common::tls;
use servers_peers::{Routes, serve, serve_tls};
use tokio::io::{AsyncRead, AsyncWrite};

fn main() -> io::Result<()> {
    let routes = Routes::default();
    match tls::server("h2")? {
        None => serve(move |socket| answer(socket, routes)),
        Some(config) => serve_tls(config, move |stream| answer(stream, routes)),
    }
}

async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin, routes: Routes) {
    let service = service_fn(move |request| routes.answer(request));
    let _ = http2::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
