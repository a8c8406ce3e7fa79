//! Listens, and serves each connection in a task.

use std::io;

use barewire::link::Limits;
use tokio::net::TcpListener;

static LIMITS: Limits = Limits::DEFAULT;

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:9002").await?;
    println!("listening on ws://{}/", listener.local_addr()?);
    loop {
        let (socket, peer) = listener.accept().await?;
        tokio::spawn(async move {
            if let Err(error) = in_tokio::serve(socket, &LIMITS).await {
                println!("{peer}: {error}");
            }
        });
    }
}
