//! The price of the kernel: a loop that looks for the ends of heads and
//! writes constants. It is no HTTP server: a connection asks for one thing.

use std::io::{self, ErrorKind, Read};

use barewire_servers::{
    HELLO, LARGE, MEDIUM, Periodic, Progress, address, content, raise_descriptors,
};
use memchr::memmem::Finder;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

const LISTENER: Token = Token(usize::MAX);
const END: &[u8; 4] = b"\r\n\r\n";

struct Connection {
    socket: TcpStream,
    wants: usize,
    /// Bytes of `END` that the last read ended with.
    matched: usize,
    progress: Progress,
}

fn main() -> io::Result<()> {
    raise_descriptors();
    let replies = [HELLO.into(), content(MEDIUM), content(LARGE)].map(|body| reply(&body));
    let mut poll = Poll::new()?;
    let mut listener = TcpListener::bind(address())?;
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut connections: Vec<Option<Connection>> = Vec::new();
    let mut free: Vec<usize> = Vec::new();
    let mut events = Events::with_capacity(1024);
    let mut buffer = vec![0; 64 << 10];
    let end = Finder::new(END);
    loop {
        match poll.poll(&mut events, None) {
            // A tracer that attaches itself interrupts.
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            result => result?,
        }
        for event in &events {
            if event.token() == LISTENER {
                while let Ok((mut socket, _)) = listener.accept() {
                    socket.set_nodelay(true)?;
                    let at = free.pop().unwrap_or(connections.len());
                    let both = Interest::READABLE | Interest::WRITABLE;
                    poll.registry().register(&mut socket, Token(at), both)?;
                    if at == connections.len() {
                        connections.push(None);
                    }
                    let progress = Progress::default();
                    connections[at] = Some(Connection {
                        socket,
                        wants: 0,
                        matched: 0,
                        progress,
                    });
                }
                continue;
            }
            let at = event.token().0;
            let Some(connection) = &mut connections[at] else {
                continue;
            };
            let readable = event.is_readable();
            if serve(connection, readable, &mut buffer, &end, &replies).is_err() {
                connections[at] = None;
                free.push(at);
            }
        }
    }
}

fn reply(body: &[u8]) -> Periodic {
    let mut reply = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nDate: Fri, 20 Nov 2026 19:44:14 GMT\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    reply.extend_from_slice(body);
    Periodic::new(&reply, 1024)
}

/// One read and one write.
fn serve(
    connection: &mut Connection,
    readable: bool,
    buffer: &mut [u8],
    end: &Finder<'_>,
    replies: &[Periodic; 3],
) -> io::Result<()> {
    let Connection {
        socket,
        wants,
        matched,
        progress,
    } = connection;
    if readable {
        match socket.read(buffer) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(length) => {
                let input = &buffer[..length];
                let heads = heads(input, matched, end);
                match input.get(5) {
                    Some(b'h') => *wants = 0,
                    Some(b'6') => *wants = 1,
                    Some(b'1') => *wants = 2,
                    _ => {}
                }
                replies[*wants].owe(progress, heads);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    replies[*wants].write(progress, socket)
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
