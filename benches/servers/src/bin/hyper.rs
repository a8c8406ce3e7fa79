//! hyper 1 on a runtime of one thread, replies to pipelined requests gathered.

use std::convert::Infallible;
use std::io;

use barewire_servers::{HELLO, LARGE, MEDIUM, address, fixed, raise_descriptors};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

#[derive(Clone, Copy)]
struct Bodies {
    medium: &'static [u8],
    large: &'static [u8],
}

async fn answer(
    bodies: Bodies,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path();
    let body = match (request.method(), path) {
        (&Method::GET, "/hello") => Bytes::from_static(HELLO.as_bytes()),
        (&Method::GET, "/64k") => Bytes::from_static(bodies.medium),
        (&Method::GET, "/1m") => Bytes::from_static(bodies.large),
        (&Method::POST, "/echo") => match request.into_body().collect().await {
            Ok(body) => body.to_bytes(),
            Err(_) => return Ok(status(StatusCode::BAD_REQUEST)),
        },
        _ => return Ok(status(StatusCode::NOT_FOUND)),
    };
    let mut response = Response::new(Full::new(body));
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, text);
    Ok(response)
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

fn main() -> io::Result<()> {
    raise_descriptors();
    let bodies = Bodies {
        medium: fixed(MEDIUM),
        large: fixed(LARGE),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address()).await?;
        loop {
            let (socket, _) = listener.accept().await?;
            socket.set_nodelay(true)?;
            tokio::spawn(async move {
                let service = service_fn(move |request| answer(bodies, request));
                let mut builder = http1::Builder::new();
                builder.pipeline_flush(true);
                let _ = builder
                    .serve_connection(TokioIo::new(socket), service)
                    .await;
            });
        }
    })
}
