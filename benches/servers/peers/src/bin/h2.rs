//! The bare h2 crate on a runtime of one thread: gRPC's framing by hand, no
//! deadlines, no metadata, no codec.

use std::error::Error;
use std::io;

use bytes::{Bytes, BytesMut};
use h2::RecvStream;
use h2::server::{SendResponse, handshake};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use servers_common::{HELLO, LARGE, MEDIUM, MESSAGES, fixed};
use servers_peers::serve;
use tokio::net::TcpStream;

type Fault = Box<dyn Error + Send + Sync>;

fn main() -> io::Result<()> {
    let bodies = [HELLO.as_bytes(), fixed(MEDIUM), fixed(LARGE)].map(Bytes::from_static);
    serve(move |socket| {
        let bodies = bodies.clone();
        async move {
            let _ = connection(socket, bodies).await;
        }
    })
}

async fn connection(socket: TcpStream, bodies: [Bytes; 3]) -> Result<(), Fault> {
    let mut connection = handshake(socket).await?;
    while let Some(accepted) = connection.accept().await {
        let (request, respond) = accepted?;
        let body = match request.uri().path() {
            "/hello" => Some(0),
            "/64k" => Some(1),
            "/1m" => Some(2),
            _ => None,
        };
        match body {
            Some(index) => reply(respond, bodies[index].clone())?,
            None => {
                tokio::spawn(async move {
                    let _ = call(request, respond).await;
                });
            }
        }
    }
    Ok(())
}

fn head(kind: &'static str) -> Response<()> {
    let mut response = Response::new(());
    let kind = HeaderValue::from_static(kind);
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn reply(mut respond: SendResponse<Bytes>, body: Bytes) -> Result<(), Fault> {
    let mut send = respond.send_response(head("text/plain; charset=utf-8"), false)?;
    send.send_data(body, true)?;
    Ok(())
}

/// A gRPC call: the message comes back.
async fn call(request: Request<RecvStream>, mut respond: SendResponse<Bytes>) -> Result<(), Fault> {
    let times = match request.uri().path() {
        "/bench.Echo/Unary" => 1,
        "/bench.Echo/Stream" => MESSAGES,
        _ => {
            let mut refused = Response::new(());
            *refused.status_mut() = StatusCode::NOT_FOUND;
            respond.send_response(refused, true)?;
            return Ok(());
        }
    };
    let mut body = request.into_body();
    let mut message = BytesMut::new();
    while let Some(part) = body.data().await {
        let part = part?;
        body.flow_control().release_capacity(part.len())?;
        message.extend_from_slice(&part);
    }
    let mut send = respond.send_response(head("application/grpc"), false)?;
    if times == 1 {
        send.send_data(message.freeze(), false)?;
    } else {
        send.send_data(message.repeat(times).into(), false)?;
    }
    let mut trailers = HeaderMap::new();
    let name = HeaderName::from_static("grpc-status");
    trailers.insert(name, HeaderValue::from_static("0"));
    send.send_trailers(trailers)?;
    Ok(())
}
