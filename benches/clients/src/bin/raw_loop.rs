//! Bare sockets on a loop of mio.

use std::io::{Read as _, Write as _};

use clients_common::{HELLO, Meter, Task, unknown};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

struct Connection {
    stream: TcpStream,
    left: usize,
}

fn main() {
    let task = Task::from_arguments();
    if task.case != "get" {
        unknown(&task);
    }
    let mut poll = Poll::new().expect("a poll");
    let host = &task.address;
    let request =
        format!("GET / HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: gzip, deflate\r\n\r\n");
    let mut connections: Vec<_> = (0..task.at_once)
        .map(|at| {
            let stream = std::net::TcpStream::connect(&task.address).expect("a connection");
            stream.set_nodelay(true).expect("an option");
            stream.set_nonblocking(true).expect("an option");
            let mut stream = TcpStream::from_std(stream);
            let both = Interest::READABLE | Interest::WRITABLE;
            let registry = poll.registry();
            registry
                .register(&mut stream, Token(at), both)
                .expect("a place");
            Connection { stream, left: 0 }
        })
        .collect();
    run(
        &mut poll,
        &mut connections,
        request.as_bytes(),
        task.warm_up(),
    );
    let meter = Meter::start();
    run(
        &mut poll,
        &mut connections,
        request.as_bytes(),
        task.operations,
    );
    meter.stop(task.at_once * task.operations);
}

/// Has each connection ask so often, one request behind the other.
fn run(poll: &mut Poll, connections: &mut [Connection], request: &[u8], operations: usize) {
    let (mut events, mut buffer) = (Events::with_capacity(1024), [0; 4096]);
    for connection in &mut *connections {
        connection.left = operations;
        ask(&connection.stream, request);
    }
    let mut asking = connections.len();
    while asking > 0 {
        poll.poll(&mut events, None).expect("events");
        for event in events.iter().filter(|it| it.is_readable()) {
            let connection = &mut connections[event.token().0];
            let read = match connection.stream.read(&mut buffer) {
                Ok(read) => &buffer[..read],
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
                Err(error) => panic!("{error}"),
            };
            let end = memchr::memmem::find(read, b"\r\n\r\n").expect("a head");
            assert_eq!(&read[end + 4..], HELLO.as_bytes());
            connection.left -= 1;
            match connection.left {
                0 => asking -= 1,
                _ => ask(&connection.stream, request),
            }
        }
    }
}

fn ask(mut stream: &TcpStream, request: &[u8]) {
    assert_eq!(stream.write(request).expect("room"), request.len());
}
