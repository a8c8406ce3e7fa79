//! hyper 1 on a runtime of one thread, replies to pipelined requests gathered; with
//! tokio-rustls if it is to speak TLS.

use std::io;

use hyper::rt::{Read, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use servers_common::tls;
use servers_peers::{Routes, serve};
use tokio_rustls::TlsAcceptor;

fn main() -> io::Result<()> {
    let routes = Routes::default();
    let Some(config) = tls::server()? else {
        return serve(move |socket| answer(TokioIo::new(socket), routes));
    };
    let acceptor = TlsAcceptor::from(config);
    serve(move |socket| {
        let accepted = acceptor.accept(socket);
        async move {
            if let Ok(stream) = accepted.await {
                answer(TokioIo::new(stream), routes).await;
            }
        }
    })
}

async fn answer(stream: impl Read + Write + Unpin, routes: Routes) {
    let service = service_fn(move |request| routes.answer(request));
    let mut builder = http1::Builder::new();
    builder.pipeline_flush(true);
    let _ = builder.serve_connection(stream, service).await;
}
