//! Servers that close connections which are at rest, just as a request comes.
//!
//! Whatever a request meets, one that may be repeated succeeds. No POST comes twice; one
//! that succeeded came once, and one whose error says that it was not processed never
//! came.
//!
//! The first URL is a Node.js with a keep-alive timeout of two milliseconds. The other
//! server is here: real sockets, and every way to close one.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{hint, thread};

use barewire::client::{Client, Error};

use super::{Outcome, Servers, Suite, equal, holds};

pub(crate) const CASES: Suite = &[
    ("10,000 rounds with a server of ours", ours),
    ("rounds with Node.js", node),
];

const THREADS: u64 = 4;
const ROUNDS: u64 = 2_500; // of each thread

/// What became of the POSTs of a thread, by their ids.
type Posts = Vec<(String, Result<(), Error>)>;

/// Numbers that look random, and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// Asks again and again, with pauses of up to `pause` microseconds.
fn rounds(
    client: &Client,
    url: &str,
    thread: u64,
    rounds: u64,
    pause: (u64, u64),
) -> Result<Posts, String> {
    let mut dice = Dice(0x9e37_79b9 + thread);
    let mut posts = Vec::new();
    for round in 0..rounds {
        let id = format!("{thread}-{round}");
        let method = ["GET", "POST", "PUT", "HEAD"][dice.roll(4) as usize];
        let request = client.request(method, url).query("id", &id);
        let request = match method {
            "GET" | "HEAD" => request,
            _ => request.body("some bytes"),
        };
        let result = request.send().and_then(|it| it.bytes()).map(drop);
        match (method, result) {
            ("POST", result) => posts.push((id, result)),
            (_, Ok(())) => {}
            (_, Err(error)) => return Err(format!("{method} {id}: {error:?}")),
        }
        rest(Duration::from_micros(pause.0 + dice.roll(pause.1)));
    }
    Ok(posts)
}

/// Waits precisely.
fn rest(time: Duration) {
    let until = Instant::now() + time;
    if time > Duration::from_millis(1) {
        thread::sleep(time - Duration::from_millis(1));
    }
    while Instant::now() < until {
        hint::spin_loop();
    }
}

/// All threads, with one client.
fn all(client: &Client, url: &str, count: u64, pause: (u64, u64)) -> Result<Posts, String> {
    let results: Vec<_> = thread::scope(|scope| {
        let run = |at| scope.spawn(move || rounds(client, url, at, count, pause));
        let threads: Vec<_> = (0..THREADS).map(run).collect();
        let joined = threads.into_iter().map(|it| it.join().expect("no panic"));
        joined.collect()
    });
    let posts: Result<Vec<Posts>, String> = results.into_iter().collect();
    Ok(posts?.into_iter().flatten().collect())
}

/// Compares what the client was told with what the server has seen.
fn compare(posts: &Posts, seen: impl Fn(&str) -> u64) -> Outcome {
    for (id, result) in posts {
        let times = seen(id);
        let is_right = match result {
            Ok(()) => times == 1,
            Err(error) if error.may_have_been_processed() => times <= 1,
            Err(_) => times == 0,
        };
        holds!(is_right, "POST {id} came {times} times: {result:?}");
    }
    let failed = posts.iter().filter(|it| it.1.is_err()).count();
    holds!(posts.len() > failed, "no POST of {} succeeded", posts.len());
    Ok(())
}

fn node(servers: &Servers) -> Outcome {
    let client = servers.client();
    let posts = all(&client, &servers.url("/"), 400, (1_000, 3_000))?;
    let seen = super::node::seen(&client, &servers.url("/seen"))?;
    compare(&posts, |id| seen[id].as_u64().unwrap_or(0))
}

type Seen = Arc<Mutex<HashMap<String, u64>>>;

fn ours(servers: &Servers) -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/", listener.local_addr()?);
    let seen = Seen::default();
    let told = seen.clone();
    thread::spawn(move || {
        for (at, stream) in listener.incoming().enumerate() {
            let (stream, seen) = (stream?, told.clone());
            // An error is the end of a connection, as all others.
            thread::spawn(move || serve(stream, &seen, Dice(at as u64 + 1)));
        }
        std::io::Result::Ok(())
    });
    let client = servers.client();
    let posts = all(&client, &url, ROUNDS, (0, 100))?;
    let seen = seen.lock().expect("no panic");
    compare(&posts, |id| seen.get(id).copied().unwrap_or(0))?;
    let (opened, failed) = (
        client.metrics().connections_opened(),
        posts.iter().filter(|it| it.1.is_err()).count(),
    );
    // The race takes place: it is of the server's making, and not of the time.
    holds!(
        opened > ROUNDS && failed > 0,
        "{opened} connections, {failed} failures"
    );
    equal!(
        posts
            .iter()
            .any(|it| it.1.as_ref().is_err_and(|it| !it.may_have_been_processed())),
        false
    );
    Ok(())
}

/// Answers the first request of a connection, and one in two of the others.
fn serve(mut stream: TcpStream, seen: &Seen, mut dice: Dice) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut is_first = true;
    loop {
        if !is_first {
            match dice.roll(12) {
                // While it is at rest.
                0 => return Ok(()),
                1 => {
                    rest(Duration::from_micros(dice.roll(200)));
                    return Ok(());
                }
                2 => {
                    stream.shutdown(Shutdown::Write)?;
                    return read(&mut stream).map(drop);
                }
                // As soon as the request has come, which is not read: a reset.
                3 => return stream.peek(&mut [0]).map(drop),
                // In the midst of it: a reset as well.
                4 => return stream.read_exact(&mut [0; 10]),
                // After it was read, and maybe acted on.
                5 => {
                    note(&read(&mut stream)?, seen);
                    return Ok(());
                }
                _ => {}
            }
        }
        let request = read(&mut stream)?;
        if request.is_empty() {
            return Ok(());
        }
        note(&request, seen);
        let body = if request.starts_with(b"HEAD") {
            ""
        } else {
            "hello"
        };
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{body}")?;
        is_first = false;
    }
}

/// Counts a request by its id.
fn note(request: &[u8], seen: &Seen) {
    let text = String::from_utf8_lossy(request);
    if let Some(id) = text.split_once("?id=").and_then(|it| it.1.split_once(' ')) {
        *seen
            .lock()
            .expect("no panic")
            .entry(id.0.to_owned())
            .or_default() += 1;
    }
}

/// A whole request, or nothing if the client has closed the connection.
fn read(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let (mut all, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let bytes = stream.read(&mut buffer)?;
        if bytes == 0 {
            return Ok(Vec::new());
        }
        all.extend_from_slice(&buffer[..bytes]);
        let text = String::from_utf8_lossy(&all);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .find_map(|it| it.strip_prefix("Content-Length: "));
        if body.len() >= length.map_or(0, |it| it.parse().unwrap_or(0)) {
            return Ok(all);
        }
    }
}
