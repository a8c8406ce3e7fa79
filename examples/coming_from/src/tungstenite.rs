//! An echo and its client, with tungstenite.

use std::net::TcpListener;
use std::thread;

use tungstenite::{Message, accept, connect};

pub fn server() -> std::io::Result<()> {
    for stream in TcpListener::bind("127.0.0.1:8080")?.incoming() {
        let stream = stream?;
        thread::spawn(move || {
            let Ok(mut socket) = accept(stream) else {
                return;
            };
            while let Ok(message) = socket.read() {
                if (message.is_text() || message.is_binary()) && socket.send(message).is_err() {
                    break;
                }
            }
        });
    }
    Ok(())
}

pub fn client(url: &str) -> tungstenite::Result<String> {
    let (mut socket, _response) = connect(url)?;
    socket.send(Message::text("hello"))?;
    let answer = loop {
        match socket.read()? {
            Message::Text(text) => break text.to_string(),
            _ => continue,
        }
    };
    socket.close(None)?;
    while socket.read().is_ok() {} // until the other side has closed, too
    Ok(answer)
}
