//! Frames against an independent implementation, tungstenite.

use std::io::{self, Cursor, Read, Write};

use super::websocket_support::{Driver, Seen, frames};
use barewire::websocket::Kind;
use barewire::wire::Role;
use tungstenite::protocol::{self, Message, WebSocket};

/// A transport whose input is all there from the start.
pub struct Memory {
    input: Cursor<Vec<u8>>,
    pub output: Vec<u8>,
}

impl Read for Memory {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.input.read(into)? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            n => Ok(n),
        }
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// tungstenite on one side of a connection.
pub fn oracle(role: Role, input: Vec<u8>) -> WebSocket<Memory> {
    let role = match role {
        Role::Client => protocol::Role::Client,
        Role::Server => protocol::Role::Server,
    };
    let memory = Memory {
        input: Cursor::new(input),
        output: Vec::new(),
    };
    WebSocket::from_raw_socket(memory, role, None)
}

/// What the oracle makes of an input: messages, and whether it refuses.
pub fn told(role: Role, input: &[u8]) -> (Vec<Seen>, bool) {
    let (mut socket, mut seen) = (oracle(role, input.to_vec()), Vec::new());
    loop {
        match socket.read() {
            Ok(Message::Text(text)) => {
                seen.push(Seen::Message(Kind::Text, text.as_bytes().to_vec()));
            }
            Ok(Message::Binary(bytes)) => seen.push(Seen::Message(Kind::Binary, bytes.to_vec())),
            Ok(Message::Ping(bytes)) => seen.push(Seen::Ping(bytes.to_vec())),
            Ok(Message::Pong(bytes)) => seen.push(Seen::Pong(bytes.to_vec())),
            Ok(Message::Close(frame)) => {
                let (code, reason) = match frame {
                    Some(frame) => (Some(frame.code.into()), frame.reason.to_string()),
                    None => (None, String::new()),
                };
                seen.push(Seen::Close(code, reason));
                return (seen, false);
            }
            Ok(Message::Frame(_)) => unreachable!("only raw sockets give frames"),
            Err(tungstenite::Error::Io(_)) => return (seen, false),
            Err(_) => return (seen, true),
        }
    }
}

/// First bytes of frames: mostly parts of a legal sequence, no Close, whose
/// codes the two judge by different registries.
const FIRST: [u8; 16] = [
    0x81, 0x01, 0x00, 0x80, 0x82, 0x02, 0x89, 0x8a, 0x83, 0x09, 0xc1, 0x8b, 0x81, 0x80, 0x00, 0x01,
];

/// Both see the same events and refuse the same frames.
pub fn check(data: &[u8]) {
    let mut input = super::input::Input::new(data);
    let role = if input.byte() & 1 == 0 {
        Role::Server
    } else {
        Role::Client
    };
    let mut list = Vec::new();
    while !input.is_empty() && list.len() < 64 {
        let first = FIRST[usize::from(input.byte() & 15)];
        list.push((first, input.run()));
    }
    let wire = frames(role, &list);
    let mut driver = Driver::new(role, false);
    driver.feed(&wire);
    let refuses = matches!(driver.seen.last(), Some(Seen::Failed(_)));
    if refuses {
        driver.seen.pop();
    }
    assert_eq!((driver.seen, refuses), told(role, &wire));
}
