//! A server that does what a script says, to the byte.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What the server does next on a connection.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Reads one request to its end, and notes it.
    Read,
    /// Reads the head of a request, and notes it.
    ReadHead,
    /// Reads until the client has sent its last byte.
    ReadAll,
    /// Sends bytes.
    Send(Vec<u8>),
    /// Sends its last byte, and reads on.
    Fin,
    /// Resets the connection.
    Reset,
    /// Waits as long.
    Sleep(Duration),
    /// Does nothing until the client has gone.
    Stall,
}

pub(crate) fn send(bytes: impl AsRef<[u8]>) -> Act {
    Act::Send(bytes.as_ref().to_vec())
}

/// A whole response.
pub(crate) fn answer(body: &str) -> Act {
    let length = body.len();
    send(format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}"
    ))
}

/// A redirect without a body.
pub(crate) fn redirect(code: u16, location: &str) -> Act {
    send(format!(
        "HTTP/1.1 {code} x\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
    ))
}

/// One request, and the number of the connection it came on, from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) connection: usize,
    pub(crate) text: String,
}

impl Seen {
    pub(crate) fn line(&self) -> &str {
        self.text.lines().next().unwrap_or_default()
    }

    /// The value of a field.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let head = self.text.split("\r\n\r\n").next()?;
        head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub(crate) fn body(&self) -> &str {
        self.text
            .split_once("\r\n\r\n")
            .map_or("", |(_, body)| body)
    }
}

/// A server. Its nth connection has the nth script; further ones are closed.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    ended: Receiver<usize>,
}

impl Server {
    pub(crate) fn start(scripts: impl IntoIterator<Item = Vec<Act>>) -> Self {
        let scripts: Vec<_> = scripts.into_iter().collect();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let notes = seen.clone();
        let (tell, ended) = mpsc::channel();
        thread::spawn(move || {
            for (connection, script) in scripts.into_iter().enumerate() {
                let Ok((stream, _)) = listener.accept() else {
                    return;
                };
                let (notes, tell) = (notes.clone(), tell.clone());
                thread::spawn(move || {
                    play(stream, &script, connection, &notes);
                    let _ = tell.send(connection);
                });
            }
        });
        Self {
            address,
            seen,
            ended,
        }
    }

    /// One connection.
    pub(crate) fn once(script: Vec<Act>) -> Self {
        Self::start([script])
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn lines(&self) -> Vec<(usize, String)> {
        let seen = self.seen();
        let lines = seen.iter().map(|it| (it.connection, it.line().to_owned()));
        lines.collect()
    }

    /// Waits until a connection has come to the end of its script.
    pub(crate) fn wait(&self) -> usize {
        self.ended.recv_timeout(Duration::from_secs(30)).unwrap()
    }
}

fn play(mut stream: TcpStream, script: &[Act], connection: usize, seen: &Mutex<Vec<Seen>>) {
    let mut input = Vec::new();
    let note = |bytes: Vec<u8>| {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        seen.lock().unwrap().push(Seen { connection, text });
    };
    for act in script {
        match act {
            Act::Read => match read_request(&mut stream, &mut input) {
                Some(request) => note(request),
                None => return,
            },
            Act::ReadHead => match read_head(&mut stream, &mut input) {
                Some(end) => note(input.drain(..end).collect()),
                None => return,
            },
            Act::ReadAll => {
                let _ = stream.read_to_end(&mut input);
                note(std::mem::take(&mut input));
            }
            Act::Send(bytes) => {
                if stream.write_all(bytes).is_err() {
                    return;
                }
            }
            Act::Fin => drop(stream.shutdown(Shutdown::Write)),
            Act::Reset => {
                let socket = socket2::SockRef::from(&stream);
                socket.set_linger(Some(Duration::ZERO)).unwrap();
                return;
            }
            Act::Sleep(time) => thread::sleep(*time),
            Act::Stall => {
                let _ = stream.read_to_end(&mut input);
                return;
            }
        }
    }
}

fn more(stream: &mut TcpStream, input: &mut Vec<u8>) -> Option<()> {
    let mut buffer = [0; 4096];
    let bytes = stream.read(&mut buffer).ok().filter(|it| *it > 0)?;
    input.extend_from_slice(&buffer[..bytes]);
    Some(())
}

/// Where the head ends.
fn read_head(stream: &mut TcpStream, input: &mut Vec<u8>) -> Option<usize> {
    loop {
        if let Some(at) = input.windows(4).position(|it| it == b"\r\n\r\n") {
            return Some(at + 4);
        }
        more(stream, input)?;
    }
}

fn read_request(stream: &mut TcpStream, input: &mut Vec<u8>) -> Option<Vec<u8>> {
    let end = read_head(stream, input)?;
    let head = String::from_utf8_lossy(&input[..end]).to_ascii_lowercase();
    if head.contains("transfer-encoding: chunked") {
        // The last chunk, and perhaps fields.
        let has_ended = |body: &[u8]| {
            let last = body.windows(5).any(|it| it == b"\r\n0\r\n") || body.starts_with(b"0\r\n");
            last && body.ends_with(b"\r\n\r\n")
        };
        while !has_ended(&input[end..]) {
            more(stream, input)?;
        }
        return Some(std::mem::take(input));
    }
    let length = head
        .lines()
        .find_map(|it| it.strip_prefix("content-length: "));
    let length: usize = length.map_or(0, |it| it.parse().unwrap());
    while input.len() < end + length {
        more(stream, input)?;
    }
    Some(input.drain(..end + length).collect())
}
