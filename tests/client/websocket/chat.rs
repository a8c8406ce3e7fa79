//! The showcase's conversation, as the example `chat_client` speaks it.

use core::time::Duration;
use std::sync::mpsc::{Sender, channel};

use barewire::client::{ReconnectLimits, ReconnectOptions, Reconnecting};
use serde_json::{Value, json};

use super::server::{PATIENCE, Script, read_frame, shake_hands, write_frame};

#[path = "../../../examples/chat_client/conversation.rs"]
mod conversation;

use conversation::{Chat, Conversation, GENERAL, Talk};

struct Told(Sender<String>);

impl Chat for Told {
    fn opened(&mut self, talk: &Talk) {
        talk.send_chat("hello", GENERAL).unwrap();
        talk.join("tea").unwrap();
        let _ = self.0.send("opened".into());
    }

    fn chat(&mut self, payload: &Value) {
        let _ = self.0.send(format!("chat {payload}"));
    }

    fn notification(&mut self, payload: &Value) {
        let _ = self.0.send(format!("notification {payload}"));
    }

    fn message(&mut self, kind: &str, payload: &Value) {
        let _ = self.0.send(format!("{kind} {payload}"));
    }

    fn system(&mut self, command: &str, payload: &Value) {
        let _ = self.0.send(format!("system {command} {payload}"));
    }

    fn text(&mut self, text: &str) {
        let _ = self.0.send(format!("text {text}"));
    }

    fn binary(&mut self, bytes: &[u8]) {
        let _ = self.0.send(format!("binary {bytes:?}"));
    }
}

#[test]
fn the_conversation_of_the_showcase_is_spoken() {
    let script = Script::start(2, |nth, mut stream| {
        shake_hands(&mut stream);
        let said = |stream: &mut _| loop {
            match read_frame(stream) {
                Some((0x81, text)) => return serde_json::from_slice(&text).unwrap(),
                Some((0x89, payload)) => write_frame(stream, 0x8a, &payload),
                other => return json!(format!("{other:?}")),
            }
        };
        let hello = json!({"type": "chat", "payload": {"message": "hello", "room": "general"}});
        assert_eq!(said(&mut stream), hello);
        let join = json!({"type": "room", "payload": {"action": "join", "room": "tea"}});
        assert_eq!(said(&mut stream), join);
        if nth == 1 {
            return;
        }
        for (kind, payload) in [
            ("chat", json!({"message": "hi"})),
            ("notification", json!(["new"])),
            ("message", json!(1)),
            ("other", json!(null)),
            ("system", json!({"command": "stats"})),
            ("system", json!({"command": "ping"})),
        ] {
            let text = json!({"type": kind, "payload": payload}).to_string();
            write_frame(&mut stream, 0x81, text.as_bytes());
        }
        let pong: Value = said(&mut stream);
        assert_eq!(
            pong,
            json!({"type": "system", "payload": {"command": "pong"}})
        );
        for text in ["no JSON", "[1]"] {
            write_frame(&mut stream, 0x81, text.as_bytes());
        }
        write_frame(&mut stream, 0x82, &[1, 2]);
        let text = json!({"type": "system", "payload": {"command": "reconnect", "delay": 0.001}});
        write_frame(&mut stream, 0x81, text.to_string().as_bytes());
        let end: Value = said(&mut stream);
        assert!(end.as_str().unwrap().starts_with("Some((136, "), "{end}"); // a Close frame
        write_frame(&mut stream, 0x88, b"\x03\xe8");
    });
    let (told, hears) = channel();
    let limits = ReconnectLimits::DEFAULT.with_first(Duration::ZERO);
    let options = ReconnectOptions::new().limits(limits);
    let socket = Reconnecting::connect(&script.url(), options, Conversation(Told(told))).unwrap();
    for expected in [
        "opened",
        r#"chat {"message":"hi"}"#,
        r#"notification ["new"]"#,
        "message 1",
        "other null",
        r#"system stats {"command":"stats"}"#,
        "text no JSON",
        "text [1]",
        "binary [1, 2]",
        "opened",
    ] {
        assert_eq!(hears.recv_timeout(PATIENCE).unwrap(), expected);
    }
    script.join();
    socket.abort().unwrap();
}
