//! An echo and its client, as with tungstenite.

use barewire::app::{self, App, Socket};
use barewire::client::{WebSocket, WebSocketError};

struct Echo;

impl app::WebSocket for Echo {
    fn message(&mut self, socket: &mut Socket<'_, '_>, message: app::Message<'_>) {
        socket.send(message);
    }
}

pub fn app() -> App {
    App::new().websocket("/", |_request| Ok(Echo))
}

pub fn server() -> Result<(), app::Error> {
    app().listen("127.0.0.1:8080")?.run()
}

pub fn client(url: &str) -> Result<String, WebSocketError> {
    let mut socket = WebSocket::connect(url)?;
    socket.send("hello")?;
    let answer = match socket.receive()? {
        Some(message) => message.text().unwrap_or_default().to_owned(),
        None => String::new(),
    };
    socket.close()?; // has waited for the other side
    Ok(answer)
}
