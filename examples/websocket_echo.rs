//! A WebSocket server that sends back what it gets.
//!
//! ```text
//! cargo run --example websocket_echo
//! python -m websockets ws://127.0.0.1:8080/echo
//! ```
//!
//! Pages of other origins are refused with 403, also those opened from a file:
//! `WebSocketRoute::origins` lets some in, `any_origin` all.

use barewire::app::{App, Message, Socket, SocketEnd, WebSocket};

/// One connection; its fields are the session's state.
struct Echo {
    messages: u64,
}

impl WebSocket for Echo {
    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        self.messages += 1;
        socket.send(message);
    }

    fn closed(&mut self, socket: &mut Socket<'_, '_>, closed: SocketEnd<'_>) {
        println!(
            "client {} left with {} after {}",
            socket.id(),
            closed.code,
            self.messages
        );
    }
}

fn main() -> Result<(), barewire::app::Error> {
    println!("listening on ws://127.0.0.1:8080/echo");
    App::new()
        .websocket("/echo", |_request| Ok(Echo { messages: 0 }))
        .listen("127.0.0.1:8080")?
        .run()
}
