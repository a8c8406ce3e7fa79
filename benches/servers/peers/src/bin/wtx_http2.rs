//! wtx's HTTP/2 on a runtime of one thread, a task for each stream, as its
//! `OptionedServer` has it.

use std::io;

use servers_common::HELLO;
use servers_peers::serve;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use wtx::collection::Vector;
use wtx::http::{Header, HttpRecvParams, KnownHeaderName, ReqResBuffer, Response, StatusCode};
use wtx::http2::{Http2, Http2Buffer, Http2RecvStatus, ServerStream};
use wtx::rng::{SeedableRng, Xorshift64};

type Stream = ServerStream<Http2Buffer, OwnedWriteHalf>;

async fn connection(socket: TcpStream) -> wtx::Result<()> {
    let buffer = Http2Buffer::new(&mut Xorshift64::from_simple_seed()?);
    // As optioned, but without an end after 256 requests.
    let parameters = HttpRecvParams::with_optioned_params().set_max_recv_streams_num(u32::MAX);
    let (frames, http2) = Http2::accept(buffer, parameters, socket.into_split()).await?;
    tokio::spawn(frames);
    while let Some((mut stream, found)) = http2
        .stream(|request, _protocol| request.rrd.uri.path() == "/hello")
        .await?
    {
        tokio::spawn(async move {
            let _ = respond(&mut stream, found).await;
            let _ = stream.common().clear(true).await;
        });
    }
    Ok(())
}

async fn respond(stream: &mut Stream, found: bool) -> wtx::Result<()> {
    let (status, mut message) = stream.recv_req().await?;
    if let Http2RecvStatus::ClosedConnection | Http2RecvStatus::ClosedStream(_) = status {
        return Ok(());
    }
    message.clear();
    answer(&mut message)?;
    let status = if found {
        StatusCode::Ok
    } else {
        StatusCode::NotFound
    };
    let response = Response::http2(message, status);
    stream.send_res(&mut Vector::new(), response).await?;
    Ok(())
}

fn answer(message: &mut ReqResBuffer) -> wtx::Result<()> {
    let kind = Header::from_name_and_value(
        KnownHeaderName::ContentType.into(),
        ["text/plain; charset=utf-8"].into_iter(),
    );
    message.headers.push_from_iter(kind)?;
    message.body.extend_from_copyable_slice(HELLO.as_bytes())?;
    Ok(())
}

fn main() -> io::Result<()> {
    serve(|socket| async move {
        let _ = connection(socket).await;
    })
}
