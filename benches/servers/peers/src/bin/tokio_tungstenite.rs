//! tokio-tungstenite on a runtime of one thread. `/room` has a queue for each
//! member, as its chat example does it. With tokio-rustls if it is to speak TLS.

use std::cell::RefCell;
use std::error::Error;
use std::rc::Rc;

use futures_util::{SinkExt, StreamExt};
use servers_common::{address, raise_descriptors, tls};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::{LocalSet, spawn_local};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

type Room = Rc<RefCell<Vec<UnboundedSender<Message>>>>;

fn main() -> Result<(), Box<dyn Error>> {
    raise_descriptors();
    let acceptor = tls::server("http/1.1")?.map(TlsAcceptor::from);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let room = Room::default();
    LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind(address()).await?;
        loop {
            let (socket, _) = listener.accept().await?;
            socket.set_nodelay(true)?;
            let (room, acceptor) = (room.clone(), acceptor.clone());
            spawn_local(async move {
                let Some(acceptor) = acceptor else {
                    return serve(socket, room).await;
                };
                serve(acceptor.accept(socket).await?, room).await
            });
        }
    })
}

async fn serve<S>(stream: S, room: Room) -> Result<(), Box<dyn Error>>
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let mut member = false;
    // The error's size is the library's choice.
    #[expect(clippy::result_large_err)]
    let look = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        member = request.uri().path() == "/room";
        Ok(response)
    };
    let messages = accept_hdr_async(stream, look).await?;
    let (mut sink, mut stream) = messages.split();
    if !member {
        // Replies to what came in one read leave together.
        stream.forward(sink).await?;
        return Ok(());
    }
    let (sender, mut receiver) = unbounded_channel();
    room.borrow_mut().push(sender);
    spawn_local(async move {
        while let Some(message) = receiver.recv().await {
            if sink.send(message).await.is_err() {
                return;
            }
        }
    });
    while let Some(message) = stream.next().await {
        let message = message?;
        room.borrow_mut()
            .retain(|member| member.send(message.clone()).is_ok());
    }
    Ok(())
}
