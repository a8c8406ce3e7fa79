//! A server that does with each request what its script says, over real sockets.

use core::time::Duration;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

/// How long anything may take: tests wait for what must happen, and fail only if it does
/// not happen at all.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What the server does with one connection, behind the head of its request.
pub(crate) enum Act {
    /// Says this, and ends the connection.
    Say(Vec<u8>),
    /// Says these one after another, each in a packet of its own.
    Pieces(Vec<Vec<u8>>),
    /// Says this, and then nothing until the client goes, which is told of.
    Stall(Vec<u8>, Sender<()>),
    /// Says these one after another, so long apart, and then nothing until the client
    /// goes, which is told of.
    Slow(Vec<Vec<u8>>, Duration, Sender<()>),
    /// Says this, and resets the connection.
    Reset(Vec<u8>),
    /// Says this over and over until the client goes, which is told of.
    Endless(Vec<u8>, Vec<u8>, Sender<()>),
}

/// A stream of this text whose end is that of the connection.
pub(crate) fn stream(text: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n{text}")
        .into_bytes()
}

/// A response of this status with a body.
pub(crate) fn answer(status: &str, fields: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\n{fields}Connection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

pub(crate) fn say(text: &str) -> Act {
    Act::Say(stream(text))
}

pub(crate) fn no_more() -> Act {
    Act::Say(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n".to_vec())
}

pub(crate) struct Hostile {
    pub(crate) url: String,
    /// The requests, with their bodies.
    pub(crate) requests: Receiver<String>,
    thread: Option<JoinHandle<()>>,
}

impl Hostile {
    pub(crate) fn start(script: impl IntoIterator<Item = Act>) -> Self {
        let script: Vec<_> = script.into_iter().collect();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/feed", listener.local_addr().unwrap());
        let (tell, requests) = channel();
        let thread = thread::spawn(move || {
            for act in script {
                let (stream, _) = listener.accept().unwrap();
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                stream.set_write_timeout(Some(PATIENCE)).unwrap();
                stream.set_nodelay(true).unwrap();
                play(stream, act, &tell);
            }
        });
        Self {
            url,
            requests,
            thread: Some(thread),
        }
    }

    /// The next request, in lower case.
    pub(crate) fn request(&self) -> String {
        let request = self.requests.recv_timeout(PATIENCE).unwrap();
        request.to_ascii_lowercase()
    }

    /// Waits until the script has been played.
    pub(crate) fn join(&mut self) {
        self.thread.take().unwrap().join().unwrap();
    }
}

/// A server that has gone: nobody listens there.
pub(crate) fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}/feed", listener.local_addr().unwrap())
}

/// Waits until the peer, a process of this machine, has read what it was sent, so that a
/// reset does not overtake it.
fn wait_until_read(stream: &TcpStream) {
    let [ours, theirs] = [stream.local_addr(), stream.peer_addr()].map(|it| it.unwrap().port());
    let rests = |table: &str, from: u16, to: u16, queue: usize| {
        let line = table.lines().find(|line| {
            let mut fields = line.split_whitespace().skip(1);
            let is_port = |field: Option<&str>, port: u16| {
                field.is_some_and(|it| it.ends_with(&format!(":{port:04X}")))
            };
            is_port(fields.next(), from) && is_port(fields.next(), to)
        });
        let queues = line.and_then(|line| line.split_whitespace().nth(4));
        queues.is_some_and(|it| it.split(':').nth(queue) != Some("00000000"))
    };
    // Not longer than anybody waits here, and shortly where there is no such table.
    for _ in 0..5000 {
        let Ok(table) = std::fs::read_to_string("/proc/net/tcp") else {
            return thread::sleep(Duration::from_millis(50));
        };
        if !rests(&table, ours, theirs, 0) && !rests(&table, theirs, ours, 1) {
            return;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

fn play(mut stream: TcpStream, act: Act, tell: &Sender<String>) {
    let _ = tell.send(read_request(&mut stream));
    match act {
        // The client may go when it has seen enough.
        Act::Say(text) => drop(stream.write_all(&text)),
        Act::Pieces(pieces) => {
            for piece in pieces {
                if stream.write_all(&piece).is_err() {
                    break;
                }
                thread::yield_now();
            }
        }
        Act::Stall(text, gone) => {
            let _ = stream.write_all(&text);
            wait_for_end(&mut stream);
            let _ = gone.send(());
        }
        Act::Slow(pieces, pause, gone) => {
            for piece in pieces {
                let _ = stream.write_all(&piece);
                thread::sleep(pause);
            }
            wait_for_end(&mut stream);
            let _ = gone.send(());
        }
        Act::Reset(text) => {
            let _ = stream.write_all(&text);
            wait_until_read(&stream);
            let socket = socket2::SockRef::from(&stream);
            socket.set_linger(Some(Duration::ZERO)).unwrap();
            return;
        }
        Act::Endless(head, text, gone) => {
            let _ = stream.write_all(&head);
            while stream.write_all(&text).is_ok() {}
            let _ = gone.send(());
            return;
        }
    }
    let _ = stream.shutdown(Shutdown::Write);
    wait_for_end(&mut stream);
}

fn wait_for_end(stream: &mut TcpStream) {
    let mut rest = [0; 1024];
    while matches!(stream.read(&mut rest), Ok(1..)) {}
}

/// A head, and as much of a body as it announces.
fn read_request(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
        text.push(byte[0]);
    }
    let mut request = String::from_utf8(text).unwrap();
    let length = request.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.parse::<usize>().unwrap())
    });
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).unwrap();
    request.push_str(core::str::from_utf8(&body).unwrap());
    request
}
