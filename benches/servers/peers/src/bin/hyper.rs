//! hyper 1 on a runtime of one thread, replies to pipelined requests gathered.

use std::io;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use servers_peers::{Routes, serve};

fn main() -> io::Result<()> {
    let routes = Routes::default();
    serve(move |socket| async move {
        let service = service_fn(move |request| routes.answer(request));
        let mut builder = http1::Builder::new();
        builder.pipeline_flush(true);
        let _ = builder
            .serve_connection(TokioIo::new(socket), service)
            .await;
    })
}
