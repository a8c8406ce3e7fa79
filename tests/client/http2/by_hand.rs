//! A server that speaks HTTP/2 frame by frame, and lets a test say each of them.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// How long a frame may take that has to come.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;

pub(crate) const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// A server's listening socket.
pub(crate) struct Listening(TcpListener);

impl Listening {
    pub(crate) fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.0.local_addr().unwrap())
    }

    /// Accepts a connection, and sends the settings: pairs of 16 and 32 bits.
    pub(crate) fn accept(&self, settings: &[(u16, u32)]) -> Server {
        let (mut stream, _) = self.0.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut preface = [0; 24];
        stream.read_exact(&mut preface).unwrap();
        assert_eq!(&preface, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        let mut server = Server { stream };
        let mut payload = Vec::new();
        for (id, value) in settings {
            payload.extend(id.to_be_bytes());
            payload.extend(value.to_be_bytes());
        }
        server.send(SETTINGS, 0, 0, &payload);
        server
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

/// A connection as its server sees it.
pub(crate) struct Server {
    stream: TcpStream,
}

impl Server {
    pub(crate) fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut frame = length[1..].to_vec();
        frame.extend([kind, flags]);
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        self.stream.write_all(&frame).unwrap();
    }

    /// The next frame that concerns a stream; `None` at the end.
    pub(crate) fn next(&mut self) -> Option<Frame> {
        loop {
            let mut head = [0; 9];
            self.stream.read_exact(&mut head).ok()?;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; length as usize];
            self.stream.read_exact(&mut payload).ok()?;
            let (kind, flags) = (head[3], head[4]);
            let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
            match kind {
                SETTINGS if flags == 0 => self.send(SETTINGS, 1, 0, &[]),
                PING if flags == 0 => self.send(PING, 1, 0, &payload),
                _ if stream == 0 => {}
                kind => {
                    return Some(Frame {
                        kind,
                        flags,
                        stream,
                        payload,
                    });
                }
            }
        }
    }

    /// The next request's stream; what else comes is dropped.
    pub(crate) fn request(&mut self) -> u32 {
        loop {
            let frame = self.next().expect("a request comes");
            if frame.kind == HEADERS {
                return frame.stream;
            }
        }
    }

    /// Reads until the client has gone. No further request may come.
    pub(crate) fn end(&mut self) {
        while let Some(frame) = self.next() {
            assert_ne!(frame.kind, HEADERS, "{frame:?}");
        }
    }

    /// Sends the last byte, and reads on until the client has gone, on a thread.
    pub(crate) fn leave(mut self) {
        self.stream.shutdown(std::net::Shutdown::Write).unwrap();
        std::thread::spawn(move || self.end());
    }

    /// The code that a stream is reset with. No other may be, nor may a request come.
    pub(crate) fn reset(&mut self, stream: u32) -> u32 {
        loop {
            let frame = self.next().expect("a reset comes");
            match frame.kind {
                RST_STREAM => {
                    assert_eq!(frame.stream, stream);
                    return u32::from_be_bytes(frame.payload.try_into().unwrap());
                }
                WINDOW_UPDATE | DATA => {}
                _ => panic!("{frame:?}"),
            }
        }
    }

    /// Sends a PING, and waits for its answer. Nothing else but of the connection may come.
    pub(crate) fn ping(&mut self) {
        self.send(PING, 0, 0, b"say pong");
        let mut head = [0; 9];
        while (head[3], head[4]) != (PING, 1) {
            self.stream.read_exact(&mut head).expect("an answer comes");
            assert_eq!(head[5..], [0; 4], "{head:?}");
            let mut payload = vec![0; usize::from(head[2])];
            self.stream.read_exact(&mut payload).unwrap();
        }
    }

    /// Sends a PING each `period`, until that stream is reset.
    pub(crate) fn ping_until_reset(&mut self, stream: u32, period: Duration) {
        let mut server = Self {
            stream: self.stream.try_clone().unwrap(),
        };
        let (tell, over) = mpsc::channel::<()>();
        let pinging = thread::spawn(move || {
            while over.recv_timeout(period) == Err(RecvTimeoutError::Timeout) {
                server.send(PING, 0, 0, &[0; 8]);
            }
        });
        self.reset(stream);
        drop(tell);
        pinging.join().unwrap();
    }

    /// A response's head: 200.
    pub(crate) fn head(&mut self, stream: u32) {
        self.send(HEADERS, END_HEADERS, stream, &[0x88]);
    }

    /// A response's head, 200, with fields of one name as literals without indexing. They
    /// are shorter than 127 octets.
    pub(crate) fn head_with(&mut self, stream: u32, values: &[&str]) {
        let mut block = vec![0x88];
        for value in values {
            block.extend(b"\x00\x01a");
            block.push(u8::try_from(value.len()).unwrap());
            block.extend(value.as_bytes());
        }
        self.send(HEADERS, END_HEADERS, stream, &block);
    }

    /// Trailers, as [`head_with`](Self::head_with).
    pub(crate) fn trailers(&mut self, stream: u32, values: &[&str]) {
        let mut block = Vec::new();
        for value in values {
            block.extend(b"\x00\x01a");
            block.push(u8::try_from(value.len()).unwrap());
            block.extend(value.as_bytes());
        }
        self.send(HEADERS, END_HEADERS | END_STREAM, stream, &block);
    }

    /// An interim response: 103, by a literal without indexing.
    pub(crate) fn hint(&mut self, stream: u32) {
        self.send(HEADERS, END_HEADERS, stream, b"\x08\x03103");
    }

    pub(crate) fn answer(&mut self, stream: u32, body: &str) {
        self.head(stream);
        self.send(DATA, END_STREAM, stream, body.as_bytes());
    }

    pub(crate) fn refuse(&mut self, stream: u32) {
        self.send(RST_STREAM, 0, stream, &7u32.to_be_bytes());
    }

    pub(crate) fn go_away(&mut self, last: u32) {
        let mut payload = last.to_be_bytes().to_vec();
        payload.extend(0u32.to_be_bytes());
        self.send(GOAWAY, 0, 0, &payload);
    }
}
