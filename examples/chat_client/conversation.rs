//! The conversation of the showcase: `{"type": "...", "payload": {...}}`.
//!
//! ```text
//! {"type": "chat",         "payload": {"room": "tea", "sender": "guest-1", "message": "Hello"}}
//! {"type": "notification", "payload": ...}
//! {"type": "message",      "payload": ...}
//! {"type": "system",       "payload": {"command": "ping"}}          answered
//! {"type": "system",       "payload": {"command": "reconnect", "delay": 5}}   obeyed
//! ```

use std::time::Duration;

use barewire::client::{
    Closed, Message, Receipt, ReconnectError, ReconnectListener, ReconnectSender,
};
use serde_json::{Value, json};

/// Where those talk who name no room.
pub(crate) const GENERAL: &str = "general";

/// What is said to the server.
pub(crate) struct Talk(pub(crate) ReconnectSender);

impl Talk {
    /// Says something in a room.
    pub(crate) fn send_chat(&self, message: &str, room: &str) -> Result<Receipt, ReconnectError> {
        self.send("chat", json!({"message": message, "room": room}))
    }

    /// Enters a room.
    pub(crate) fn join(&self, room: &str) -> Result<Receipt, ReconnectError> {
        self.send("room", json!({"action": "join", "room": room}))
    }

    /// Asks the server for something.
    pub(crate) fn system(&self, command: &str) -> Result<Receipt, ReconnectError> {
        self.send("system", json!({"command": command}))
    }

    fn send(&self, kind: &str, payload: Value) -> Result<Receipt, ReconnectError> {
        self.0
            .send(json!({"type": kind, "payload": payload}).to_string())
    }
}

/// Who is told what the server says.
#[allow(unused_variables)]
pub(crate) trait Chat: Send + 'static {
    fn opened(&mut self, talk: &Talk) {}
    fn closed(&mut self, why: &Closed) {}
    fn waiting(&mut self, delay: Duration) {}
    /// Somebody has said something in a room.
    fn chat(&mut self, payload: &Value) {}
    fn notification(&mut self, payload: &Value) {}
    /// A message of any other type, or of the type `message`.
    fn message(&mut self, kind: &str, payload: &Value) {}
    /// What the server says itself, but `ping` and `reconnect`, which are seen to.
    fn system(&mut self, command: &str, payload: &Value) {}
    /// Text that is not of this conversation.
    fn text(&mut self, text: &str) {}
    fn binary(&mut self, bytes: &[u8]) {}
}

/// Takes the conversation apart.
pub(crate) struct Conversation<C>(pub(crate) C);

impl<C: Chat> ReconnectListener for Conversation<C> {
    fn opened(&mut self, socket: &ReconnectSender, _: Option<&str>) {
        self.0.opened(&Talk(socket.clone()));
    }

    fn message(&mut self, socket: &ReconnectSender, message: Message) {
        let text = match &message {
            Message::Text(text) => text,
            Message::Binary(bytes) => return self.0.binary(bytes),
        };
        let parsed = serde_json::from_str::<Value>(text).ok();
        let kind = parsed.as_ref().and_then(|it| it["type"].as_str());
        let (Some(parsed), Some(kind)) = (&parsed, kind) else {
            return self.0.text(text);
        };
        let payload = &parsed["payload"];
        match kind {
            "chat" => self.0.chat(payload),
            "notification" => self.0.notification(payload),
            "system" => match payload["command"].as_str().unwrap_or_default() {
                // Refused only where the queue is full, or nothing is sent any more.
                "ping" => drop(Talk(socket.clone()).system("pong")),
                "reconnect" => {
                    let delay = payload["delay"].as_f64().unwrap_or_default();
                    let delay = Duration::try_from_secs_f64(delay).unwrap_or_default();
                    socket.reconnect(delay);
                }
                command => self.0.system(command, payload),
            },
            kind => self.0.message(kind, payload),
        }
    }

    fn closed(&mut self, _: &ReconnectSender, closed: &Closed, _: &[Receipt]) {
        self.0.closed(closed);
    }

    fn waiting(&mut self, _: &ReconnectSender, delay: Duration, _: u32) {
        self.0.waiting(delay);
    }

    fn gave_up(&mut self, _: &ReconnectSender, closed: &Closed, _: &[Receipt]) {
        self.0.closed(closed);
    }
}
