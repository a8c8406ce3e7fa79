//! The price of the kernel: a loop that looks for the ends of heads and
//! writes constants, or sends a file. It is no HTTP server: a connection asks
//! for one thing.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};

use memchr::memmem::Finder;
use mio::net::TcpStream;
use rustix::fs::sendfile;
use servers_common::{
    HELLO, LARGE, MEDIUM, Periodic, Progress, content, directory, file_name, floor,
};

const END: &[u8; 4] = b"\r\n\r\n";

struct Connection {
    socket: TcpStream,
    wants: Wants,
    /// Bytes of `END` that the last read ended with.
    matched: usize,
    progress: Progress,
    /// Where in the file the next byte lies, if it is being sent.
    offset: Option<u64>,
}

#[derive(Clone, Copy)]
enum Wants {
    Reply(usize),
    File(usize),
}

/// A file and the head of its reply.
struct Served {
    head: Vec<u8>,
    file: File,
    length: u64,
}

fn main() -> io::Result<()> {
    let replies = [HELLO.into(), content(MEDIUM), content(LARGE)].map(|body| reply(&body));
    let files = directory().map_or(Ok(Vec::new()), |directory| {
        [MEDIUM, LARGE]
            .into_iter()
            .map(|length| {
                let path = directory.join("file").join(file_name(length));
                Ok::<_, io::Error>(Served {
                    head: head(length),
                    file: File::open(path)?,
                    length: length as u64,
                })
            })
            .collect()
    })?;
    let mut buffer = vec![0; 64 << 10];
    let end = Finder::new(END);
    floor::serve(
        |socket| Connection {
            socket,
            wants: Wants::Reply(0),
            matched: 0,
            progress: Progress::default(),
            offset: None,
        },
        |connection, readable| {
            let count = if readable {
                connection.receive(&mut buffer, &end)?
            } else {
                0
            };
            match connection.wants {
                Wants::Reply(index) => connection.reply(&replies[index], count),
                Wants::File(index) => {
                    let served = files.get(index).ok_or(ErrorKind::NotFound)?;
                    connection.send(served, count)
                }
            }
        },
        |_| {},
    )
}

fn head(length: usize) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nDate: Fri, 20 Nov 2026 19:44:14 GMT\r\n\
         Content-Length: {length}\r\n\r\n"
    );
    head.into_bytes()
}

fn reply(body: &[u8]) -> Periodic {
    Periodic::new(&[&head(body.len()), body].concat(), 1024)
}

impl Connection {
    /// One read: how many heads end in it.
    fn receive(&mut self, buffer: &mut [u8], end: &Finder<'_>) -> io::Result<u64> {
        let length = match self.socket.read(buffer) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(0),
            result => result?,
        };
        let input = &buffer[..length];
        self.wants = match input.get(5..11) {
            Some(b"file/6") => Wants::File(0),
            Some(b"file/1") => Wants::File(1),
            Some([b'h', ..]) => Wants::Reply(0),
            Some([b'6', ..]) => Wants::Reply(1),
            Some([b'1', ..]) => Wants::Reply(2),
            _ => self.wants,
        };
        Ok(heads(input, &mut self.matched, end))
    }

    fn reply(&mut self, reply: &Periodic, count: u64) -> io::Result<()> {
        reply.owe(&mut self.progress, count);
        reply.write(&mut self.progress, &mut self.socket)
    }

    /// The head, and as much of the file as the peer takes.
    fn send(&mut self, served: &Served, count: u64) -> io::Result<()> {
        if count > 0 {
            // So short a head always fits behind a reply that has left.
            self.socket.write_all(&served.head)?;
            self.offset = Some(0);
        }
        let Some(mut offset) = self.offset else {
            return Ok(());
        };
        while offset < served.length {
            let rest = (served.length - offset) as usize;
            match sendfile(&self.socket, &served.file, Some(&mut offset), rest) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                sent => sent?,
            };
        }
        self.offset = (offset < served.length).then_some(offset);
        Ok(())
    }
}

/// How many heads end in `input`, after `matched` bytes of an end before it.
fn heads(input: &[u8], matched: &mut usize, end: &Finder<'_>) -> u64 {
    let mut count = 0;
    if *matched > 0 && input.starts_with(&END[*matched..]) {
        count += 1;
    }
    count += end.find_iter(input).count() as u64;
    *matched = (1..4)
        .rev()
        .find(|&n| input.ends_with(&END[..n]))
        .unwrap_or(0);
    count
}
