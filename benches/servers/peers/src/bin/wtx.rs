//! wtx's WebSocket on a runtime of one thread, as its echo example does it.

use std::io;

use servers_common::LARGE;
use servers_peers::serve;
use tokio::net::TcpStream;
use wtx::collection::Vector;
use wtx::web_socket::{OpCode, WebSocketAcceptor, WebSocketPayloadOrigin};

async fn echo(socket: TcpStream) -> wtx::Result<()> {
    let acceptor = WebSocketAcceptor::default().no_masking(false);
    let mut socket = acceptor.accept(socket).await?;
    socket.set_max_payload_len(2 * LARGE);
    let (mut common, mut reader, mut writer) = socket.split_mut();
    let mut buffer = Vector::new();
    loop {
        let mut frame = reader
            .read_frame(&mut buffer, &mut common, WebSocketPayloadOrigin::Adaptive)
            .await?;
        match frame.op_code() {
            OpCode::Binary | OpCode::Text => writer.write_frame(&mut common, &mut frame).await?,
            OpCode::Close => return Ok(()),
            _ => {}
        }
    }
}

fn main() -> io::Result<()> {
    serve(|socket| async move {
        let _ = echo(socket).await;
    })
}
