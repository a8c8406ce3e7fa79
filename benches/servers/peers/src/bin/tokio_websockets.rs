//! tokio-websockets on a runtime of one thread, replies gathered.

use std::error::Error;

use futures_util::StreamExt;
use servers_common::{address, raise_descriptors};
use tokio::net::{TcpListener, TcpStream};
use tokio_websockets::ServerBuilder;

async fn echo(socket: TcpStream) -> Result<(), tokio_websockets::Error> {
    let (_request, messages) = ServerBuilder::new().accept(socket).await?;
    let (sink, stream) = messages.split();
    stream.forward(sink).await
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
