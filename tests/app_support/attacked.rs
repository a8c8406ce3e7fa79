//! A whole server under attack over a real socket, with an honest client beside
//! the hostile one.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use barewire::app::{App, Deferred, Done, Reply, Request, Route, Stream, Streaming};

use crate::app_support::Running;
use crate::http2_support::{ACK, GOAWAY, PING, Sent, frame, frames, opening};

/// Octets that are written before it is looked whether the server has enough.
const BURST: usize = 32 << 10;
/// What the hostile client says last, if it is let.
const LAST: &[u8; 8] = b"the end.";

/// Takes a body, and never answers.
struct Drain;

impl Streaming for Drain {
    fn chunk(&mut self, _stream: &mut Stream<'_, '_>, _data: &mut [u8]) {}
}

fn take(_request: &Request<'_>, reply: Reply<'_, '_>) -> Done {
    reply.receive(Drain)
}

fn leave(_request: &Request<'_>, reply: Reply<'_, '_>) -> Done {
    reply.defer(core::mem::forget::<Deferred>)
}

/// A server of one loop, whose `/` is never answered.
pub(crate) struct Attacked {
    running: Running,
    honest: BufReader<TcpStream>,
}

impl Attacked {
    /// `consumes` says whether bodies are taken or left where they lie. `begin`
    /// and `most` are called on the server's thread: when the attack begins, and
    /// for the most memory that was held since.
    pub(crate) fn new(consumes: bool, begin: fn(), most: fn() -> isize) -> Self {
        let app = App::new()
            .threads(1)
            .route(Route::any("/").stream(if consumes { take } else { leave }))
            .get("/begin", move |_request, reply| {
                begin();
                reply.text("begun")
            })
            .get("/most", move |_request, reply| {
                reply.text(most().to_string())
            });
        let running = Running::start(app);
        let honest = BufReader::new(running.connect());
        Self { running, honest }
    }

    /// A request of the honest client, which must be answered.
    fn ask(&mut self, path: &str) -> String {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        self.honest.get_mut().write_all(request.as_bytes()).unwrap();
        let (mut status, mut length) = (String::new(), 0);
        self.honest.read_line(&mut status).unwrap();
        assert!(status.starts_with("HTTP/1.1 200 "), "{status:?}");
        loop {
            let mut line = String::new();
            self.honest.read_line(&mut line).unwrap();
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        self.honest.read_exact(&mut body).unwrap();
        String::from_utf8(body).unwrap()
    }

    /// Says `first`, and then whatever `next` gives, until the server has enough
    /// or there is no more. Returns what the server said, and the most memory
    /// that it held meanwhile.
    pub(crate) fn attack(
        &mut self,
        first: &[u8],
        mut next: impl FnMut() -> Option<Vec<u8>>,
    ) -> (Vec<Sent>, isize) {
        // What every connection has is there before: the loop's own buffers.
        self.hear(&[&opening()[..], &frame(PING, 0, 0, LAST)].concat(), || {
            None
        });
        assert_eq!(self.ask("/begin"), "begun");
        let said = self.hear(first, &mut next);
        (said, self.ask("/most").parse().unwrap())
    }

    fn hear(&self, first: &[u8], mut next: impl FnMut() -> Option<Vec<u8>>) -> Vec<Sent> {
        let mut stream = self.running.connect();
        let mut ears = stream.try_clone().unwrap();
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let heard = scope.spawn(|| {
                let (mut said, mut piece) = (Vec::new(), vec![0; 1 << 16]);
                loop {
                    match ears.read(&mut piece) {
                        Ok(n @ 1..) => said.extend_from_slice(&piece[..n]),
                        Ok(0) => break,
                        Err(error) => panic!("{error} after {:?}", frames(&said).last()),
                    }
                    // Told by its last frame, or answered to the last PING.
                    let whole = frames_so_far(&said);
                    let last = whole.last();
                    if last.is_some_and(|it| it.kind == GOAWAY || it.payload == LAST) {
                        over.store(true, Relaxed);
                        let _ = ears.shutdown(Shutdown::Write); // it may be over already
                    }
                }
                frames(&said)
            });
            // A server that has had enough need not take it all.
            let mut burst = first.to_vec();
            let mut finished = false;
            while !finished && !over.load(Relaxed) {
                while burst.len() < BURST && !finished {
                    match next() {
                        Some(more) => burst.extend(more),
                        None => finished = true,
                    }
                }
                if finished {
                    burst.extend(frame(PING, 0, 0, LAST));
                }
                if stream.write_all(&burst).is_err() {
                    break;
                }
                burst.clear();
            }
            heard.join().unwrap()
        })
    }
}

/// The frames that are there whole.
fn frames_so_far(said: &[u8]) -> Vec<Sent> {
    let mut at = 0;
    while let Some(head) = said.get(at..at + 9) {
        let end = at + 9 + u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        if end > said.len() {
            break;
        }
        at = end;
    }
    frames(&said[..at])
}

/// Whether the server has answered all there was.
pub(crate) fn is_through(said: &[Sent]) -> bool {
    let pong = |it: &&Sent| it.kind == PING && it.flags & ACK != 0 && it.payload == LAST;
    said.iter().find(pong).is_some()
}
