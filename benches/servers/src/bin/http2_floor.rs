//! The price of the kernel under HTTP/2: heads of frames are read, replies are
//! constants with the stream's number written in, one write per read. Header
//! blocks are not decoded but for the first, windows not respected: it is no
//! server, and a connection asks for one thing.

use std::io::{self, ErrorKind, Read, Write};

use barewire::hpack::{Decoder, Growing, Room};
use barewire::http::FieldRange;
use mio::net::TcpStream;
use servers_common::{HELLO, MESSAGES, floor};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEAD: usize = 9;
const MAX_FRAME: usize = 16_384;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;

const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// `:status: 200` and `content-type: text/plain`, or `application/grpc`.
const TEXT: &[u8] = b"\x88\x0f\x10\x0atext/plain";
const GRPC: &[u8] = b"\x88\x0f\x10\x10application/grpc";
/// `grpc-status: 0`.
const OK: &[u8] = b"\0\x0bgrpc-status\x010";

#[derive(Clone, Copy)]
enum Wants {
    Preface,
    Anything,
    Hello,
    Echo(usize),
}

struct Connection {
    socket: TcpStream,
    wants: Wants,
    /// Input that is no whole frame.
    held: Vec<u8>,
    /// Output that the peer has not taken yet.
    output: Vec<u8>,
}

fn main() -> io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    floor::serve(
        |socket| Connection {
            socket,
            wants: Wants::Preface,
            held: Vec::new(),
            output: Vec::new(),
        },
        |connection, readable| {
            if readable {
                connection.receive(&mut buffer)?;
            }
            connection.flush()
        },
        |_| {},
    )
}

impl Connection {
    /// Reads until a read is short.
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        loop {
            let before = self.held.len();
            buffer[..before].copy_from_slice(&self.held);
            self.held.clear();
            let length = match self.socket.read(&mut buffer[before..]) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
                result => result?,
            };
            let input = &buffer[..before + length];
            let used = self.frames(input)?;
            self.held.extend_from_slice(&input[used..]);
            if before + length < buffer.len() {
                return Ok(());
            }
        }
    }

    fn frames(&mut self, input: &[u8]) -> io::Result<usize> {
        let (mut rest, mut taken) = (input, 0);
        if matches!(self.wants, Wants::Preface) {
            let Some(behind) = rest.strip_prefix(PREFACE) else {
                return Ok(0);
            };
            rest = behind;
            self.wants = Wants::Anything;
            frame(&mut self.output, SETTINGS, 0, 0, &[]);
        }
        while let Some((&[a, b, c, kind, flags, s1, s2, s3, s4], behind)) = rest.split_first_chunk()
        {
            let length = u32::from_be_bytes([0, a, b, c]) as usize;
            let Some((payload, next)) = behind.split_at_checked(length) else {
                break;
            };
            let stream = u32::from_be_bytes([s1, s2, s3, s4]);
            match kind {
                HEADERS => {
                    if matches!(self.wants, Wants::Anything) {
                        self.wants = wanted(payload)?;
                    }
                    if flags & END_STREAM != 0 {
                        frame(&mut self.output, HEADERS, END_HEADERS, stream, TEXT);
                        let body = HELLO.as_bytes();
                        frame(&mut self.output, DATA, END_STREAM, stream, body);
                    }
                }
                DATA => {
                    taken += length as u32;
                    self.echo(stream, payload);
                }
                SETTINGS if flags & ACK == 0 => frame(&mut self.output, SETTINGS, ACK, 0, &[]),
                PING if flags & ACK == 0 => frame(&mut self.output, PING, ACK, 0, payload),
                _ => {}
            }
            rest = next;
        }
        if taken > 0 {
            let taken = taken.to_be_bytes();
            frame(&mut self.output, WINDOW_UPDATE, 0, 0, &taken);
        }
        Ok(input.len() - rest.len())
    }

    /// The reply to a call whose message came in one frame.
    fn echo(&mut self, stream: u32, message: &[u8]) {
        let Wants::Echo(times) = self.wants else {
            return;
        };
        frame(&mut self.output, HEADERS, END_HEADERS, stream, GRPC);
        if times == 1 {
            frame(&mut self.output, DATA, 0, stream, message);
        } else {
            for part in message.repeat(times).chunks(MAX_FRAME) {
                frame(&mut self.output, DATA, 0, stream, part);
            }
        }
        let last = END_HEADERS | END_STREAM;
        frame(&mut self.output, HEADERS, last, stream, OK);
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut written = 0;
        while written < self.output.len() {
            match self.socket.write(&self.output[written..]) {
                Ok(length) => written += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        self.output.drain(..written);
        Ok(())
    }
}

/// What the connection is for, by the path of its first request.
fn wanted(block: &[u8]) -> io::Result<Wants> {
    let (mut text, mut fields) = ([0; 4096], [FieldRange::EMPTY; 32]);
    let room = Room {
        text: &mut text,
        fields: &mut fields,
        list_limit: 4096,
    };
    let mut decoder = Decoder::new(Growing::default());
    let decoded = decoder.decode(block, room).map_err(io::Error::other)?;
    Ok(match decoded.fields().get_str(":path") {
        Some("/bench.Echo/Unary") => Wants::Echo(1),
        Some("/bench.Echo/Stream") => Wants::Echo(MESSAGES),
        _ => Wants::Hello,
    })
}

/// Appends a frame (RFC 9113 §4.1).
fn frame(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    let mut head = [0; HEAD];
    head[..3].copy_from_slice(&(payload.len() as u32).to_be_bytes()[1..]);
    (head[3], head[4]) = (kind, flags);
    head[5..].copy_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(&head);
    out.extend_from_slice(payload);
}
