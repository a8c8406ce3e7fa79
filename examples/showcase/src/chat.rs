//! Chat rooms over WebSocket. All that goes through them is JSON:
//!
//! ```text
//! {"type": "room",   "payload": {"action": "join", "room": "tea"}}
//! {"type": "chat",   "payload": {"room": "tea", "message": "Hello"}}
//! {"type": "system", "payload": {"command": "ping"}}
//! {"type": "system", "payload": {"command": "get_stats", "after": "tea"}}
//! ```

use std::sync::atomic::{AtomicU64, Ordering};

use barewire::app::{App, Message, Socket, SocketEnd, WebSocket, WebSocketRoute};
use barewire::websocket::CloseCode;
use serde_json::{Map, Value, json};

use super::timestamp;

/// Where those talk who name no room.
const GENERAL: &str = "general";

/// Bytes of a message that is looked at: JSON is taken apart on the loop.
const LONGEST: usize = 1 << 20;

/// Rooms that an answer lists. The next ones come to who names the last.
const PAGE: usize = 50;

pub(crate) fn routes(app: App, origins: &[String]) -> App {
    let chatters = AtomicU64::new(0);
    let route = WebSocketRoute::new(move |_request| {
        let number = chatters.fetch_add(1, Ordering::Relaxed) + 1;
        Ok(Chatter {
            name: format!("guest-{number}"),
        })
    });
    app.websocket_route("/ws/chat", route.origins(origins))
}

/// One client.
struct Chatter {
    name: String,
}

impl WebSocket for Chatter {
    fn open(&mut self, socket: &mut Socket<'_, '_>) {
        socket.send(&system(json!({
            "command": "welcome",
            "message": "Connected to WebSocket server",
            "timestamp": timestamp::now(),
        })));
    }

    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        if message.payload().len() > LONGEST {
            // Refused only if it is closing already.
            let _ = socket.close(CloseCode::MESSAGE_TOO_BIG, "too long for a chat");
            return;
        }
        let Ok(message) = serde_json::from_slice::<Value>(message.payload()) else {
            return complain(socket, "Invalid JSON format");
        };
        let Some(payload) = message["payload"].as_object() else {
            return complain(socket, "A message has a type and a payload");
        };
        match message["type"].as_str() {
            Some("room") => self.room(socket, payload),
            Some("chat") => self.chat(socket, payload),
            Some("system") => self.system(socket, payload),
            _ => complain(socket, "Unknown message type"),
        }
    }

    /// Also called when the client just died.
    fn closed(&mut self, socket: &mut Socket<'_, '_>, _closed: SocketEnd<'_>) {
        for room in socket.channels() {
            leave(socket, &room);
        }
    }
}

impl Chatter {
    fn room(&self, socket: &mut Socket<'_, '_>, payload: &Map<String, Value>) {
        let room = room_of(payload);
        match text(payload, "action") {
            "join" => match socket.join(room) {
                Ok(joined) if joined.is_new() => {
                    let joined = json!({"command": "user_joined", "room": room});
                    socket.publish_to_others(room, &system(joined));
                }
                Ok(_) => {} // it was in there already
                Err(error) => complain(socket, &error.to_string()),
            },
            "leave" => leave(socket, room),
            _ => complain(socket, "Unknown action"),
        }
    }

    fn chat(&self, socket: &mut Socket<'_, '_>, payload: &Map<String, Value>) {
        if text(payload, "message").is_empty() {
            return;
        }
        let room = room_of(payload);
        let mut payload = payload.clone();
        payload.insert("room".into(), room.into());
        payload.insert("sender".into(), self.name.as_str().into());
        payload.insert("timestamp".into(), timestamp::now().into());
        socket.publish(room, &envelope("chat", payload.into()));
    }

    fn system(&self, socket: &mut Socket<'_, '_>, payload: &Map<String, Value>) {
        let answer = match text(payload, "command") {
            "ping" => json!({"command": "pong", "timestamp": timestamp::now()}),
            "get_stats" => json!({"command": "stats", "data": stats(socket, payload)}),
            _ => return complain(socket, "Unknown command"),
        };
        socket.send(&system(answer));
    }
}

/// Leaves first, so that a member who hears of it finds it to be so.
fn leave(socket: &mut Socket<'_, '_>, room: &str) {
    if socket.leave(room) {
        let left = json!({"command": "user_left", "room": room});
        socket.publish_to_others(room, &system(left));
    }
}

/// The rooms come in pages: `after` is the last name of the page before.
fn stats(socket: &Socket<'_, '_>, payload: &Map<String, Value>) -> Value {
    let after = payload.get("after").and_then(Value::as_str);
    let rooms: Map<String, Value> = socket
        .channel_sizes(after, PAGE)
        .into_iter()
        .map(|(room, size)| (room, size.into()))
        .collect();
    json!({
        "total_clients": socket.client_count(),
        "total_rooms": socket.channel_count(),
        "rooms": rooms,
    })
}

fn complain(socket: &mut Socket<'_, '_>, why: &str) {
    socket.send(&envelope("error", json!({"message": why})));
}

fn system(payload: Value) -> String {
    envelope("system", payload)
}

fn envelope(kind: &str, payload: Value) -> String {
    json!({"type": kind, "payload": payload}).to_string()
}

/// A text of the payload; empty if it is none.
fn text<'p>(payload: &'p Map<String, Value>, name: &str) -> &'p str {
    payload
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn room_of(payload: &Map<String, Value>) -> &str {
    match text(payload, "room") {
        "" => GENERAL,
        room => room,
    }
}
