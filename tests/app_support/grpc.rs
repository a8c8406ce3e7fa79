//! A client of gRPC-Web over HTTP/1.1 that takes one step at a time.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::TcpStream;

use barewire::grpc::web;

use super::Running;

/// A frame of a response.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    Message(Vec<u8>),
    Compressed(Vec<u8>),
    Trailers(Vec<(String, String)>),
}

pub(crate) fn message(text: &str) -> Frame {
    Frame::Message(text.into())
}

pub(crate) fn trailers(fields: &[(&str, &str)]) -> Frame {
    let fields = fields.iter();
    Frame::Trailers(fields.map(|&(n, v)| (n.into(), v.into())).collect())
}

pub(crate) fn status(code: &str) -> Frame {
    trailers(&[("grpc-status", code)])
}

pub(crate) fn failed(code: &str, message: &str) -> Frame {
    trailers(&[("grpc-status", code), ("grpc-message", message)])
}

/// A message behind its prefix.
pub(crate) fn framed(message: impl AsRef<[u8]>) -> Vec<u8> {
    flagged(0, message.as_ref())
}

pub(crate) fn flagged(flag: u8, message: &[u8]) -> Vec<u8> {
    let mut body = vec![flag];
    body.extend_from_slice(&(message.len() as u32).to_be_bytes());
    body.extend_from_slice(message);
    body
}

/// One call, its request's body still open.
pub(crate) struct Talk {
    stream: TcpStream,
    head: Option<String>,
    chunked: bool,
    left: usize, // of a body with a length
    raw: VecDeque<u8>,
    body: Vec<u8>,
}

impl Talk {
    /// Starts a call; `fields` are lines.
    pub(crate) fn open(running: &Running, path: &str, fields: &str) -> Self {
        Self::over(running.connect(), path, fields)
    }

    /// Starts a call on a connection.
    pub(crate) fn over(mut stream: TcpStream, path: &str, fields: &str) -> Self {
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc-web+proto\r\n\
             Transfer-Encoding: chunked\r\n{fields}\r\n"
        )
        .unwrap();
        Self {
            stream,
            head: None,
            chunked: false,
            left: 0,
            raw: VecDeque::new(),
            body: Vec::new(),
        }
    }

    /// The connection.
    pub(crate) fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// Sends bytes of the body.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
        chunk.extend_from_slice(bytes);
        chunk.extend_from_slice(b"\r\n");
        self.stream.write_all(&chunk).unwrap();
    }

    pub(crate) fn half_close(&mut self) {
        self.stream.write_all(b"0\r\n\r\n").unwrap();
    }

    /// The head of the response.
    pub(crate) fn head(&mut self) -> String {
        if let Some(head) = &self.head {
            return head.clone();
        }
        let head = super::read_until(&mut self.stream, "\r\n\r\n");
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        let lower = head.to_ascii_lowercase();
        self.chunked = lower.contains("transfer-encoding: chunked");
        if !self.chunked {
            let length = lower.split("content-length: ").nth(1).unwrap();
            self.left = length.split("\r\n").next().unwrap().parse().unwrap();
        }
        self.head = Some(head.clone());
        head
    }

    /// The next frame.
    pub(crate) fn next(&mut self) -> Frame {
        self.head();
        loop {
            if let [flag, a, b, c, d, rest @ ..] = &self.body[..] {
                let len = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
                if rest.len() >= len {
                    let flag = *flag;
                    let content: Vec<u8> = self.body.drain(..5 + len).skip(5).collect();
                    return frame(flag, content);
                }
            }
            self.read();
        }
    }

    /// Everything up to the trailers.
    pub(crate) fn rest(&mut self) -> Vec<Frame> {
        let mut frames = Vec::new();
        while !matches!(frames.last(), Some(Frame::Trailers(_))) {
            frames.push(self.next());
        }
        frames
    }

    fn read(&mut self) {
        let mut piece = [0; 16 << 10];
        let most = if self.chunked {
            piece.len()
        } else {
            self.left.min(piece.len())
        };
        assert!(most > 0, "the body ends inside of a frame: {:?}", self.body);
        let count = self.stream.read(&mut piece[..most]).unwrap();
        assert!(count > 0, "the connection ends: {:?}", self.body);
        if !self.chunked {
            self.left -= count;
            self.body.extend_from_slice(&piece[..count]);
            return;
        }
        self.raw.extend(&piece[..count]);
        while let Some(line) = self.raw.iter().position(|&b| b == b'\n') {
            let size: Vec<u8> = self.raw.iter().copied().take(line - 1).collect();
            let size = usize::from_str_radix(core::str::from_utf8(&size).unwrap(), 16).unwrap();
            if self.raw.len() < line + 1 + size + 2 {
                return;
            }
            self.raw.drain(..=line);
            self.body.extend(self.raw.drain(..size));
            self.raw.drain(..2);
        }
    }
}

fn frame(flag: u8, content: Vec<u8>) -> Frame {
    match flag {
        0 => Frame::Message(content),
        1 => Frame::Compressed(content),
        0x80 => Frame::Trailers(
            web::fields(&content)
                .map(|field| {
                    let field = field.unwrap();
                    let text = |bytes: &[u8]| String::from_utf8(bytes.into()).unwrap();
                    (text(field.name), text(field.value))
                })
                .collect(),
        ),
        other => panic!("flag {other}"),
    }
}

/// A whole call.
pub(crate) fn call(running: &Running, path: &str, fields: &str, messages: &[&str]) -> Vec<Frame> {
    let mut talk = Talk::open(running, path, fields);
    for message in messages {
        talk.send(&framed(message));
    }
    talk.half_close();
    talk.rest()
}
