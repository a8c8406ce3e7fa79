//! hyper 1 over HTTP/2 on a runtime of one thread.

use std::io;

use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use servers_peers::{Routes, serve};

fn main() -> io::Result<()> {
    let routes = Routes::default();
    serve(move |socket| async move {
        let service = service_fn(move |request| routes.answer(request));
        let _ = http2::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(socket), service)
            .await;
    })
}
