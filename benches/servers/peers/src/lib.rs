//! What several peers' programs share.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use servers_common::{HELLO, LARGE, MEDIUM, address, fixed, raise_descriptors};

/// The routes, for hyper.
#[derive(Debug, Clone, Copy)]
pub struct Routes {
    medium: &'static [u8],
    large: &'static [u8],
}

impl Default for Routes {
    fn default() -> Self {
        Self {
            medium: fixed(MEDIUM),
            large: fixed(LARGE),
        }
    }
}

impl Routes {
    /// The reply to a request.
    ///
    /// # Errors
    /// None.
    pub async fn answer(
        self,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let path = request.uri().path();
        let body = match (request.method(), path) {
            (&Method::GET, "/hello") => Bytes::from_static(HELLO.as_bytes()),
            (&Method::GET, "/64k") => Bytes::from_static(self.medium),
            (&Method::GET, "/1m") => Bytes::from_static(self.large),
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
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

/// Accepts for ever on a runtime of one thread, a task for each socket.
///
/// # Errors
/// Those of the runtime and of the listener.
pub fn serve<F>(connection: impl Fn(TcpStream) -> F) -> io::Result<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    raise_descriptors();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address()).await?;
        loop {
            let (socket, _) = listener.accept().await?;
            socket.set_nodelay(true)?;
            tokio::spawn(connection(socket));
        }
    })
}

/// The same over TLS.
///
/// # Errors
/// Those of the runtime and of the listener.
pub fn serve_tls<F>(
    config: Arc<ServerConfig>,
    connection: impl Fn(TlsStream<TcpStream>) -> F + Copy + Send + 'static,
) -> io::Result<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    let acceptor = TlsAcceptor::from(config);
    serve(move |socket| {
        let accepted = acceptor.accept(socket);
        async move {
            if let Ok(stream) = accepted.await {
                connection(stream).await;
            }
        }
    })
}
