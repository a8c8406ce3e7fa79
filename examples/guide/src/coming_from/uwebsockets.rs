//! A chat room, as with uWebSockets.

use std::time::Duration;

use barewire::app::{App, Error, Message, Socket, WebSocket, WebSocketRoute};
use barewire::websocket::Limits;

struct Session;

impl WebSocket for Session {
    fn open(&mut self, socket: &mut Socket<'_, '_>) {
        let _ = socket.join("room");
    }

    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        let _ = socket.publish("room", message);
    }
}

pub fn app() -> App {
    let limits = Limits::DEFAULT
        .with_message(64 << 10)
        .with_ping_interval(Duration::from_secs(100));
    let room = WebSocketRoute::new(|_request| Ok(Session));
    App::new()
        .get("/hello/{name}", |request, reply| {
            reply.text(format!("Hello, {}!", request.param("name")))
        })
        .websocket_route("/room", room.limits(limits))
}

pub fn main() -> Result<(), Error> {
    app().listen("127.0.0.1:8080")?.run()
}
