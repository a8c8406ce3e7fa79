//! sockudo-ws on a runtime of one thread, replies gathered.

use std::error::Error;

use bytes::BytesMut;
use futures_util::StreamExt;
use servers_common::{LARGE, address, raise_descriptors};
use sockudo_ws::handshake::{build_response, generate_accept_key, parse_request};
use sockudo_ws::{Config, WebSocketStream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn echo(mut socket: TcpStream) -> Result<(), Box<dyn Error>> {
    let mut input = BytesMut::with_capacity(4096);
    loop {
        if socket.read_buf(&mut input).await? == 0 {
            return Ok(());
        }
        if let Some((request, _)) = parse_request(&input)? {
            let response = build_response(&generate_accept_key(request.key), None, None);
            socket.write_all(&response).await?;
            break;
        }
    }
    let config = Config::builder().max_payload_length(2 * LARGE).build();
    let (sink, stream) = StreamExt::split(WebSocketStream::server(socket, config));
    Ok(stream.forward(sink).await?)
}

fn main() -> Result<(), Box<dyn Error>> {
    raise_descriptors();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address()).await?;
        loop {
            let (socket, _) = listener.accept().await?;
            socket.set_nodelay(true)?;
            tokio::spawn(async move {
                let _ = echo(socket).await;
            });
        }
    })
}
