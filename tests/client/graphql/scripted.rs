//! Servers of HTTP and of WebSockets that follow a script.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Message, WebSocket};

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A request as it came: head and body.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn has(&self, line: &str) -> bool {
        let mut lines = self.head.lines();
        lines.any(|it| it.eq_ignore_ascii_case(line))
    }

    pub(crate) fn line(&self) -> &str {
        self.head.lines().next().unwrap()
    }
}

fn read_request(stream: &mut TcpStream) -> Seen {
    let mut bytes = Vec::new();
    let end = loop {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        bytes.push(byte[0]);
        if bytes.ends_with(b"\r\n\r\n") {
            break bytes.len();
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let length = head.lines().find_map(|it| {
        let (name, value) = it.split_once(':')?;
        let is_it = name.eq_ignore_ascii_case("content-length");
        is_it.then(|| value.trim().parse::<usize>().unwrap())
    });
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).unwrap();
    let body = String::from_utf8(body).unwrap();
    Seen { head, body }
}

/// A server that gives one of these answers to each request, on a connection of its own, and
/// what it has seen.
pub(crate) fn http(answers: Vec<String>) -> (String, JoinHandle<Vec<Seen>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/graphql", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let serve = |answer: String| {
            let (mut stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            let seen = read_request(&mut stream);
            stream.write_all(answer.as_bytes()).unwrap();
            seen
        };
        answers.into_iter().map(serve).collect()
    });
    (url, server)
}

/// An answer with this status and content type.
pub(crate) fn answer(status: &str, content_type: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    )
}

pub(crate) fn json(body: &str) -> String {
    answer(
        "200 OK",
        "application/graphql-response+json; charset=utf-8",
        body,
    )
}

/// A WebSocket of the server, in the hands of a script.
pub(crate) struct Socket(WebSocket<TcpStream>);

impl Socket {
    pub(crate) fn expect(&mut self, text: &str) {
        let got = self.read();
        assert_eq!(got, text);
    }

    pub(crate) fn read(&mut self) -> String {
        loop {
            match self.0.read().unwrap() {
                Message::Text(text) => return text.to_string(),
                Message::Close(frame) => return format!("closed {frame:?}"),
                _ => {}
            }
        }
    }

    pub(crate) fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).unwrap();
    }

    /// The introduction, and the acknowledgement.
    pub(crate) fn begin(&mut self, payload: &str) {
        self.expect(&format!(r#"{{"type":"connection_init"{payload}}}"#));
        self.send(r#"{"type":"connection_ack"}"#);
    }

    /// Closes with a code, and waits for the answer.
    pub(crate) fn close(mut self, code: u16) {
        let code = CloseCode::from(code);
        let reason = "".into();
        self.0.close(Some(CloseFrame { code, reason })).unwrap();
        while self.0.read().is_ok() {}
    }

    /// Reads until the client closes it: with which code, and which words.
    pub(crate) fn closed(mut self) -> (u16, String) {
        loop {
            if let Message::Close(frame) = self.0.read().unwrap() {
                while self.0.read().is_ok() {}
                let frame = frame.unwrap();
                return (frame.code.into(), frame.reason.to_string());
            }
        }
    }

    /// Ends it without a word.
    pub(crate) fn lose(self) {
        drop(self);
    }

    /// Reads until the client closes it.
    pub(crate) fn wait(mut self) {
        while self.0.read().is_ok() {}
    }
}

/// What a server does on each of its connections.
pub(crate) type Scripts = Vec<Box<dyn FnOnce(Socket) + Send>>;

/// A server of WebSockets that speaks this subprotocol, or the `FIRST` that is offered, or none,
/// and follows a script for each connection; the heads of the handshakes.
pub(crate) fn sockets(
    protocol: &'static str,
    scripts: Scripts,
) -> (SocketAddr, Receiver<String>, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (heads, seen) = channel();
    let server = thread::spawn(move || {
        for script in scripts {
            let (stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            #[expect(clippy::result_large_err, reason = "its error is tungstenite's")]
            let judge = |request: &Request, mut response: Response| {
                heads.send(format!("{:?}", request.headers())).unwrap();
                let offered = request.headers()["Sec-WebSocket-Protocol"]
                    .to_str()
                    .unwrap();
                let chosen = match protocol {
                    "FIRST" => offered.split(',').next().unwrap(),
                    name => name,
                };
                let fields = response.headers_mut();
                fields.insert("Set-Cookie", "seen=7; Path=/".parse().unwrap());
                if !chosen.is_empty() {
                    fields.insert("Sec-WebSocket-Protocol", chosen.parse().unwrap());
                }
                Ok::<_, ErrorResponse>(response)
            };
            script(Socket(tungstenite::accept_hdr(stream, judge).unwrap()));
        }
    });
    (address, seen, server)
}
