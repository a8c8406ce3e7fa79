//! hyper 1 on a runtime of one thread, replies to pipelined requests gathered; with
//! tokio-rustls if it is to speak TLS.

use std::io;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use servers_common::tls;
use servers_peers::{Routes, serve, serve_tls};
use tokio::io::{AsyncRead, AsyncWrite};

fn main() -> io::Result<()> {
    let routes = Routes::default();
    match tls::server("http/1.1")? {
        None => serve(move |socket| answer(socket, routes)),
        Some(config) => serve_tls(config, move |stream| answer(stream, routes)),
    }
}

async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin, routes: Routes) {
    let service = service_fn(move |request| routes.answer(request));
    let mut builder = http1::Builder::new();
    builder.pipeline_flush(true);
    let _ = builder
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
