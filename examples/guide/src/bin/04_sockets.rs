//! Chapter 4: a WebSocket that answers, has a timer, and is reached from another thread.

use std::any::Any;
use std::thread;
use std::time::Duration;

use barewire::app::{App, CloseCode, Error, Message, Socket, WebSocket, WebSocketRoute};

/// One connection. Its fields are its state.
#[derive(Default)]
struct Session {
    messages: u32,
}

impl WebSocket for Session {
    fn open(&mut self, socket: &mut Socket<'_, '_>) {
        socket.send("hello");
        socket.after(Duration::from_secs(60), 0);
    }

    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        self.messages += 1;
        match message.as_text() {
            Some("count") => drop(socket.send(&self.messages.to_string())),
            Some("compute") => {
                let handle = socket.handle();
                thread::spawn(move || {
                    let sum: u64 = (1..=1_000).sum();
                    let _ = handle.mail(sum); // refused if the client has gone
                });
            }
            Some("bye") => {
                let _ = socket.close(CloseCode::NORMAL, "bye");
            }
            _ => drop(socket.send(message)),
        }
    }

    fn mail(&mut self, socket: &mut Socket<'_, '_>, mail: Box<dyn Any + Send>) {
        if let Ok(sum) = mail.downcast::<u64>() {
            socket.send(&sum.to_string());
        }
    }

    fn timer(&mut self, socket: &mut Socket<'_, '_>, _token: u32) {
        socket.send("still here?");
        socket.after(Duration::from_secs(60), 0);
    }
}

fn main() -> Result<(), Error> {
    let session = WebSocketRoute::new(|_request| Ok(Session::default()));
    let session = session.origins(["https://example.org"]);
    guide::serve(App::new().websocket_route("/ws", session))
}
