//! WebSocket messages, and replies that are all alike.

use std::io::{self, Error, Read, Write};

use barewire::websocket::handshake::accept_key;
use barewire::websocket::mask::Mask;
use servers_common::{Periodic, content};

use crate::drive::Replies;
use crate::options::Options;
use crate::wire::Wire;

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// The handshake (RFC 6455 §4.1).
pub fn open(socket: Wire, options: &Options) -> io::Result<Wire> {
    open_with_head(socket, options).map(|(socket, _)| socket)
}

/// The same, and the head of the server's response.
pub fn open_with_head(mut socket: Wire, options: &Options) -> io::Result<(Wire, String)> {
    let (path, host) = (&options.path, options.host());
    let offer = match &*options.deflate {
        "" => String::new(),
        "-" => "Sec-WebSocket-Extensions: permessage-deflate\r\n".into(),
        parameters => format!("Sec-WebSocket-Extensions: permessage-deflate{parameters}\r\n"),
    };
    // In one write: uWebSockets 20.58 refuses a head of which a part has come.
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{offer}\r\n"
    );
    socket.write_all(request.as_bytes())?;
    let (mut head, mut buffer) = (Vec::new(), [0; 1024]);
    // Nothing comes behind it before a message has been sent, unless it is a refusal.
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match socket.read(&mut buffer)? {
            0 => return Err(Error::other("the server closed a connection")),
            length => head.extend_from_slice(&buffer[..length]),
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let accept = accept_key(KEY.as_bytes());
    let accepted = head.contains(std::str::from_utf8(&accept).map_err(Error::other)?);
    if head.starts_with("HTTP/1.1 101 ") && accepted {
        return Ok((socket, head));
    }
    Err(Error::other(format!("a refused handshake: {head:?}")))
}

/// One message as a client sends it and as a server does.
pub fn frames(options: &Options, prefix: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut payload = content(options.payload);
    payload[..prefix.len()].copy_from_slice(prefix);
    let first = if options.text { 0x81 } else { 0x82 };
    let head = |masked: u8| {
        let mut head = vec![first];
        match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
            (Ok(length @ ..126), _) => head.push(masked | length),
            (_, Ok(length)) => {
                head.push(masked | 126);
                head.extend_from_slice(&length.to_be_bytes());
            }
            _ => {
                head.push(masked | 127);
                head.extend_from_slice(&(payload.len() as u64).to_be_bytes());
            }
        }
        head
    };
    let (mut sent, mut expected) = (head(0x80), head(0));
    expected.extend_from_slice(&payload);
    sent.extend_from_slice(&MASK);
    Mask::new(MASK).apply(&mut payload);
    sent.extend_from_slice(&payload);
    (sent, expected)
}

/// Compares frames with the one that must come again and again.
pub struct Echoes {
    expected: Periodic,
    at: usize,
}

impl Echoes {
    pub fn new(frame: &[u8]) -> Self {
        Self {
            expected: Periodic::new(frame, 64),
            at: 0,
        }
    }
}

impl Replies for Echoes {
    fn check(&mut self, mut bytes: &[u8]) -> io::Result<u64> {
        let (mut count, period) = (0, self.expected.period());
        while !bytes.is_empty() {
            let expected = self.expected.from(self.at, bytes.len());
            let (next, rest) = bytes.split_at(expected.len());
            if next != expected {
                return Err(Error::other("a wrong message"));
            }
            count += ((self.at + next.len()) / period) as u64;
            self.at = (self.at + next.len()) % period;
            bytes = rest;
        }
        Ok(count)
    }
}
