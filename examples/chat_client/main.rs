//! A chat in the terminal, against the showcase: it connects again when its server is away,
//! and says of each line what has become of it.
//!
//! ```text
//! cargo run -p showcase                        # in another terminal
//! cargo run --example chat_client ws://127.0.0.1:8080/ws/chat
//! ```
//!
//! A line is said in the room where you are. `/join ROOM` goes to another one, `/stats`
//! asks who is there, `/now` tries to connect immediately, `/quit` leaves.

mod conversation;

use std::collections::BTreeSet;
use std::env;
use std::io::{self, BufRead};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use barewire::client::{Closed, Receipt, ReceiptState, ReconnectOptions, Reconnecting};
use conversation::{Chat, Conversation, Talk};
use serde_json::Value;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let url = env::args().nth(1);
    let url = url.ok_or("usage: chat_client ws://HOST:PORT/ws/chat")?;
    let mut room = conversation::GENERAL.to_owned();
    let rooms = Arc::new(Mutex::new(BTreeSet::from([room.clone()])));
    let listener = Conversation(Terminal(rooms.clone()));
    let socket = Reconnecting::connect(&url, ReconnectOptions::new(), listener)?;
    let talk = Talk(socket.sender().clone());
    for line in io::stdin().lock().lines() {
        let line = line?;
        let (command, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let sent = match (command, rest.trim()) {
            ("", _) => continue,
            ("/quit", _) => break,
            ("/now", _) => {
                socket.sender().try_now();
                continue;
            }
            ("/stats", _) => talk.system("get_stats"),
            ("/ping", _) => talk.system("ping"),
            ("/join", new) if !new.is_empty() => {
                room = new.to_owned();
                rooms.lock().unwrap().insert(room.clone());
                talk.join(&room)
            }
            _ => talk.send_chat(&line, &room),
        };
        match sent {
            Ok(receipt) => report(&line, receipt),
            Err(error) => println!("! not sent, {error}"),
        }
    }
    Ok(socket.close()?)
}

/// Says what has become of a line, if it is not what it should be.
fn report(line: &str, receipt: Receipt) {
    let line = line.to_owned();
    thread::spawn(move || match receipt.wait(Duration::from_secs(10)) {
        Ok(ReceiptState::Confirmed) => {}
        Ok(ReceiptState::Unknown) => println!("! nobody knows whether it has arrived: {line}"),
        Ok(ReceiptState::Unsent) => println!("! never sent: {line}"),
        _ => println!("! not confirmed yet: {line}"),
    });
}

/// Prints what comes, and knows the rooms where we are.
struct Terminal(Arc<Mutex<BTreeSet<String>>>);

fn text<'v>(payload: &'v Value, name: &str) -> &'v str {
    payload[name].as_str().unwrap_or_default()
}

impl Chat for Terminal {
    fn opened(&mut self, talk: &Talk) {
        println!("* connected");
        // The server has forgotten our rooms with the last connection.
        for room in self.0.lock().unwrap().iter() {
            if let Err(error) = talk.join(room) {
                println!("! {room} is not entered: {error}");
            }
        }
    }

    fn closed(&mut self, why: &Closed) {
        println!("* {why:?}");
    }

    fn waiting(&mut self, delay: Duration) {
        println!("* next attempt in {} ms", delay.as_millis());
    }

    fn chat(&mut self, payload: &Value) {
        let (room, sender) = (text(payload, "room"), text(payload, "sender"));
        println!("[{room}] {sender}: {}", text(payload, "message"));
    }

    fn notification(&mut self, payload: &Value) {
        println!("! {payload}");
    }

    fn message(&mut self, kind: &str, payload: &Value) {
        println!("{kind}: {payload}");
    }

    fn system(&mut self, command: &str, payload: &Value) {
        println!("* {command}: {payload}");
    }

    fn text(&mut self, text: &str) {
        println!("{text}");
    }

    fn binary(&mut self, bytes: &[u8]) {
        println!("({} bytes)", bytes.len());
    }
}
