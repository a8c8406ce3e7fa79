//! Bare sockets: what no client can do without.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use barewire::sse::{Decoded, Decoder, Limits};
use barewire::wire::Step;
use clients_common::{BUFFER, DOWNLOAD, EVENTS, HELLO, Task, blocking, unknown};

fn connect(task: &Task) -> TcpStream {
    let stream = TcpStream::connect(&task.address).expect("a connection");
    stream.set_nodelay(true).expect("an option");
    stream
}

fn request(task: &Task, path: &str) -> Vec<u8> {
    let host = &task.address;
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: gzip, deflate\r\n\r\n")
        .into_bytes()
}

/// Reads a response to its end, which is so far behind its head; gives what is read of its
/// body to `take`.
fn receive(
    mut stream: &TcpStream,
    buffer: &mut [u8],
    mut left: usize,
    mut take: impl FnMut(&mut [u8]),
) {
    let mut read = stream.read(buffer).expect("a response");
    let end = memchr::memmem::find(&buffer[..read], b"\r\n\r\n").expect("a head") + 4;
    let mut at = end;
    loop {
        left -= read - at;
        take(&mut buffer[at..read]);
        if left == 0 {
            return;
        }
        (read, at) = (stream.read(buffer).expect("a body"), 0);
        assert_ne!(read, 0);
    }
}

fn main() {
    let task = Task::from_arguments();
    match task.case.as_str() {
        "get" => blocking(&task, || {
            let (stream, request) = (connect(&task), request(&task, "/"));
            let mut buffer = [0; 4096];
            move || {
                (&stream).write_all(&request).expect("room");
                receive(&stream, &mut buffer, HELLO.len(), |body| {
                    assert_eq!(body, HELLO.as_bytes());
                });
            }
        }),
        "download" => blocking(&task, || {
            let (stream, request) = (connect(&task), request(&task, "/download"));
            let mut buffer = vec![0; BUFFER];
            move || {
                (&stream).write_all(&request).expect("room");
                receive(&stream, &mut buffer, DOWNLOAD, |_| ());
            }
        }),
        "events-17" => events(&task, 17),
        "events-74" => events(&task, 74),
        "echo" => echo(&task, 1),
        "echo-16" => echo(&task, 16),
        _ => unknown(&task),
    }
}

/// A stream of events, read by the bare decoder. An operation is all of them.
fn events(task: &Task, length: usize) {
    blocking(task, || {
        let path = format!("/events/{length}");
        let (stream, request) = (connect(task), request(task, &path));
        let (mut buffer, limits) = (vec![0; 2 * BUFFER], Limits::DEFAULT);
        move || {
            let (mut decoder, mut kept, mut count) = (Decoder::new(), Vec::new(), 0);
            let mut take = |input: &mut [u8]| -> usize {
                let mut at = 0;
                while at < input.len() {
                    let received = decoder.receive(&mut input[at..], &limits);
                    let received = received.expect("within the limits");
                    at += received.used;
                    match received.step {
                        Step::Event(Decoded::Message(message)) => {
                            assert_eq!(message.data.as_bytes().len(), length - 8);
                            count += 1;
                        }
                        Step::Event(_) => {}
                        _ => break,
                    }
                }
                at
            };
            (&stream).write_all(&request).expect("room");
            receive(&stream, &mut buffer[..BUFFER], EVENTS * length, |piece| {
                if kept.is_empty() {
                    let used = take(piece);
                    kept.extend_from_slice(&piece[used..]);
                } else {
                    kept.extend_from_slice(piece);
                    let used = take(&mut kept);
                    kept.drain(..used);
                }
            });
            assert_eq!(count, EVENTS);
        }
    });
}

/// Messages of 16 bytes, so many at a time, and their echoes.
fn echo(task: &Task, deep: usize) {
    blocking(task, || {
        let stream = connect(task);
        let host = &task.address;
        let upgrade = format!(
            "GET /websocket HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Version: 13\r\n\r\n"
        );
        (&stream).write_all(upgrade.as_bytes()).expect("room");
        let mut buffer = [0; 4096];
        let read = (&stream).read(&mut buffer).expect("a response");
        assert!(buffer[..read].ends_with(b"\r\n\r\n"));
        // The key is zero: what is sent is what was masked.
        let frame = [&[0x82, 0x90, 0, 0, 0, 0][..], &[7; 16]].concat();
        let frames = frame.repeat(deep);
        let echoes = [&[0x82, 0x10][..], &[7; 16]].concat().repeat(deep);
        let mut ahead = 0;
        move || {
            if ahead == 0 {
                (&stream).write_all(&frames).expect("room");
                (&stream)
                    .read_exact(&mut buffer[..echoes.len()])
                    .expect("echoes");
                assert_eq!(buffer[..echoes.len()], echoes);
                ahead = deep;
            }
            ahead -= 1;
        }
    });
}
