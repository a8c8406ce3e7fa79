//! The price of the kernel and of the payload: frames are unmasked in place,
//! the reply's head is written over the client's, one write per read. Nothing
//! else is checked than that text is UTF-8. Every message that begins with
//! `PUB!` goes to everybody in a bare loop of writes.
//!
//! A message is never copied: where one is not complete, its connection keeps
//! the buffer it was read to until the rest has come. Buffers are used again,
//! and begin in the middle of a page (see [`Placed`]).

use std::cell::RefCell;
use std::io::{self, ErrorKind, Read, Write};

use barewire::websocket::handshake::accept_key;
use barewire::wire::simd;
use memchr::memmem;
use mio::net::TcpStream;
use servers_common::{Placed, floor};

/// Bytes of a buffer: the largest message of the benches fits.
const SIZE: usize = (1 << 20) + (64 << 10);

/// Buffers that are free, the one that was used last at the end.
struct Pool(Vec<Placed>);

impl Pool {
    fn take(&mut self) -> Placed {
        self.0.pop().unwrap_or_else(|| Placed::new(SIZE))
    }
}

struct Connection {
    socket: TcpStream,
    open: bool,
    /// The beginning of a frame that is not complete, and its length.
    held: Option<Placed>,
    have: usize,
    /// Output that the peer has not taken yet.
    backlog: Vec<u8>,
}

fn main() -> io::Result<()> {
    let mut pool = Pool(Vec::new());
    let publish = RefCell::new(Vec::new());
    floor::serve(
        |socket| Connection {
            socket,
            open: false,
            held: None,
            have: 0,
            backlog: Vec::new(),
        },
        |connection, readable| {
            connection.flush()?;
            if readable {
                connection.serve(&mut pool, &mut publish.borrow_mut())?;
            }
            Ok(())
        },
        |connections| {
            let mut publish = publish.borrow_mut();
            if !publish.is_empty() {
                for connection in connections.iter_mut().flatten().filter(|one| one.open) {
                    // A peer that has gone is found by its next event.
                    let _ = connection.send(&publish);
                }
                publish.clear();
            }
        },
    )
}

impl Connection {
    fn send(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while self.backlog.is_empty() && !bytes.is_empty() {
            match self.socket.write(bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        self.backlog.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.backlog.is_empty() {
            return Ok(());
        }
        let backlog = std::mem::take(&mut self.backlog);
        self.send(&backlog)
    }

    fn serve(&mut self, pool: &mut Pool, publish: &mut Vec<u8>) -> io::Result<()> {
        loop {
            let mut buffer = self.held.take().unwrap_or_else(|| pool.take());
            let before = std::mem::take(&mut self.have);
            let received = receive(&mut self.socket, &mut buffer[before..]);
            let length = before + received.as_ref().unwrap_or(&0);
            let input = &mut buffer[..length];
            let used = match received {
                Ok(_) if self.open => self.frames(input, publish),
                Ok(_) => self.open(input),
                Err(error) => Err(error),
            };
            let rest = length - *used.as_ref().unwrap_or(&length);
            if rest == SIZE {
                return Err(ErrorKind::FileTooLarge.into());
            }
            if rest > 0 {
                if rest < length {
                    buffer.copy_within(length - rest..length, 0);
                }
                (self.held, self.have) = (Some(buffer), rest);
            } else {
                pool.0.push(buffer);
            }
            used?;
            if length < SIZE {
                return Ok(());
            }
        }
    }

    /// The handshake, without a look at anything but the key.
    fn open(&mut self, input: &[u8]) -> io::Result<usize> {
        let Some(end) = memmem::find(input, b"\r\n\r\n") else {
            return Ok(0);
        };
        let name = b"Sec-WebSocket-Key: ";
        let at = memmem::find(input, name).ok_or(ErrorKind::InvalidData)? + name.len();
        let key = input.get(at..at + 24).ok_or(ErrorKind::InvalidData)?;
        let mut reply =
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
                .to_vec();
        reply.extend_from_slice(&accept_key(key));
        reply.extend_from_slice(b"\r\n\r\n");
        self.open = true;
        self.send(&reply)?;
        Ok(end + 4)
    }

    /// Turns the complete frames at the front into replies, and sends those in
    /// one write. How much was used.
    fn frames(&mut self, input: &mut [u8], publish: &mut Vec<u8>) -> io::Result<usize> {
        let (mut read, mut written) = (0, 4);
        while let Some((head, length)) = head(&input[read..]) {
            let end = read + head + length;
            if end > input.len() {
                break;
            }
            let start = read + head;
            let key: [u8; 4] = input[start - 4..start].try_into().expect("four bytes");
            let payload = &mut input[start..end];
            simd::mask(payload, key);
            let text = input[read] & 15 == 1;
            if text && std::str::from_utf8(&input[start..end]).is_err() {
                return Err(ErrorKind::InvalidData.into());
            }
            let size = head - 4;
            if input[start..end].starts_with(b"PUB!") {
                publish.extend_from_slice(&[input[read], input[read + 1] & 0x7f]);
                publish.extend_from_slice(&input[read + 2..read + size]);
                publish.extend_from_slice(&input[start..end]);
            } else {
                // The mask key leaves: the first payload stays where it is.
                input.copy_within(read..read + size, written);
                input[written + 1] &= 0x7f;
                if written + size != start {
                    input.copy_within(start..end, written + size);
                }
                written += size + length;
            }
            read = end;
        }
        if written > 4 {
            self.send(&input[4..written])?;
        }
        Ok(read)
    }
}

fn receive(socket: &mut TcpStream, into: &mut [u8]) -> io::Result<usize> {
    match socket.read(into) {
        Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
        result => result,
    }
}

/// The length of a masked frame's head and of its payload.
fn head(input: &[u8]) -> Option<(usize, usize)> {
    match *input {
        [_, length, ..] if length & 0x7f < 126 && input.len() >= 6 => {
            Some((6, usize::from(length & 0x7f)))
        }
        [_, length, a, b, _, _, _, _, ..] if length & 0x7f == 126 => {
            Some((8, usize::from(u16::from_be_bytes([a, b]))))
        }
        [_, length, a, b, c, d, e, f, g, h, _, _, _, _, ..] if length & 0x7f == 127 => {
            let length = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
            Some((14, usize::try_from(length).ok()?))
        }
        _ => None,
    }
}
