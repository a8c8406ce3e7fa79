//! The server of all clients: barewire, on one thread. It prints its address, and ends
//! with its input.

use std::io::Read as _;

use barewire::app::{App, Message, Socket, WebSocket};
use barewire::net::{Address, Limits};
use bytes::Bytes;
use clients_common::{DOWNLOAD, EVENTS, HELLO, event};

struct Echo;

impl WebSocket for Echo {
    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        socket.send(message);
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let download = Bytes::from(vec![b'x'; DOWNLOAD]);
    let events = |length| Bytes::from(event(length).repeat(EVENTS));
    let (ticks, tokens) = (events(17), events(74));
    let limits = Limits::DEFAULT
        .with_connections(50_000)
        .with_per_address(50_000);
    let app = App::new()
        .get("/", |_, reply| reply.text(HELLO))
        .get("/download", move |_, reply| {
            reply.bytes("application/octet-stream", download.clone())
        })
        .get("/events/17", move |_, reply| {
            reply.bytes("text/event-stream", ticks.clone())
        })
        .get("/events/74", move |_, reply| {
            reply.bytes("text/event-stream", tokens.clone())
        })
        .websocket("/websocket", |_| Ok(Echo))
        .threads(1)
        .limits(limits);
    let server = app.listen("127.0.0.1:0")?.spawn()?;
    let [Address::Tcp(address)] = server.local_addresses() else {
        return Err("no address".into());
    };
    println!("{address}");
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
