//! WebSockets: what their first message asks for, they do. Each path is there with and without
//! compression.
//!
//! ```text
//! /ws/echo    each message again; `users` is answered with the list
//! /ws/pushes  to a message with a payload's name, a thousand of them
//! /ws/upload  one answer to a thousand messages
//! /ws/all     what is published
//! ```

use barewire::app::{App, Flow, Message, Socket, WebSocket, WebSocketRoute};
use barewire::websocket::deflate::Policy;
use barewire::wire::codec::Compression;

use crate::cells::MESSAGES;
use crate::payload::Payload;

pub(super) fn routes(app: App) -> App {
    let app = both(app, "/ws/echo", || Echo(0));
    let app = both(app, "/ws/pushes", || Pushes(None, 0));
    let app = both(app, "/ws/upload", || Upload(0));
    both(app, "/ws/all", || Member)
}

fn both<W: WebSocket + 'static>(
    app: App,
    path: &str,
    make: impl Fn() -> W + Clone + Send + Sync + 'static,
) -> App {
    let [plain, deflated] = [(); 2].map(|()| {
        let make = make.clone();
        WebSocketRoute::new(move |_request| Ok(make()))
    });
    let deflated = deflated.deflate(Policy::TAKEOVER, Compression::DEFAULT);
    app.websocket_route(path, plain)
        .websocket_route(&format!("{path}/deflate"), deflated)
}

struct Echo(usize);

impl WebSocket for Echo {
    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        match message.as_text() {
            Some("users") => {
                self.0 += 1;
                socket.send(Payload::Users.variant(self.0));
            }
            _ => {
                socket.send(message);
            }
        }
    }
}

/// What is pushed, and how often still.
struct Pushes(Option<Payload>, usize);

impl WebSocket for Pushes {
    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        self.0 = message.as_text().and_then(Payload::named);
        self.1 = MESSAGES;
        match self.0 {
            Some(_) => self.writable(socket),
            None => socket.abort(),
        }
    }

    fn writable(&mut self, socket: &mut Socket<'_, '_>) {
        let Some(payload) = self.0 else {
            return;
        };
        while self.1 > 0 {
            self.1 -= 1;
            if socket.send(payload.variant(self.1)) != Flow::Go {
                return;
            }
        }
    }
}

struct Upload(usize);

impl WebSocket for Upload {
    fn message(&mut self, socket: &mut Socket<'_, '_>, _message: Message<'_>) {
        self.0 += 1;
        if self.0 == MESSAGES {
            self.0 = 0;
            socket.send("done");
        }
    }
}

/// Hears what is published.
struct Member;

impl WebSocket for Member {
    fn open(&mut self, socket: &mut Socket<'_, '_>) {
        if socket.join(super::ALL).is_err() {
            socket.abort();
        }
    }

    fn message(&mut self, _socket: &mut Socket<'_, '_>, _message: Message<'_>) {}
}
