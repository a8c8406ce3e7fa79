//! Fetches a URL of `http` with the client that has no I/O, over a socket of `std::net`:
//! the body goes to standard output.
//!
//! ```text
//! cargo run --example http_codec -- http://127.0.0.1:8080/hello/world
//! ```
//!
//! It exits with 0 for a status of 2xx, and with 1 for any other and for an error.

use std::error::Error;
use std::io::{self, ErrorKind, Read as _, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use barewire::client::{Client, HttpCall, HttpEvent, Phase, Url};
use barewire::http::Status;
use barewire::wire::Instant;

fn main() -> ExitCode {
    let Some(url) = std::env::args().nth(1) else {
        eprintln!("usage: http_codec URL");
        return ExitCode::FAILURE;
    };
    match fetch(&url, &mut io::stdout()) {
        Ok(status) if status.is_successful() => ExitCode::SUCCESS,
        Ok(status) => {
            eprintln!("{status}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Writes the body of what a GET brings, after redirects, and returns the status.
pub fn fetch(url: &str, body: &mut impl Write) -> Result<Status, Box<dyn Error>> {
    let start = std::time::Instant::now();
    let now = || Instant::START + start.elapsed();
    let mut call = Client::new().get(url).into_call(now())?;
    let mut socket = None;
    let mut status = Status::OK;
    loop {
        match call.next_event(now())? {
            HttpEvent::Connect { url, at, .. } => {
                thread::sleep(at.saturating_since(now()));
                match connect(url) {
                    Ok(opened) => {
                        socket = Some(opened);
                        call.connected(now());
                    }
                    Err(error) => call.unreachable(Phase::Connect, error, now()),
                }
            }
            HttpEvent::Wait => {
                // There is one: before, the call has asked for it.
                if let Some(socket) = &mut socket {
                    carry(&mut call, socket, now)?;
                }
            }
            HttpEvent::Response(head) => status = head.status,
            HttpEvent::Body(piece) => body.write_all(piece)?,
            HttpEvent::End(_) => return Ok(status),
            _ => {}
        }
    }
}

/// Opens a socket. `https` would go over the session of a `tls::Client`, which is given to
/// `HttpCall::connected_over`.
fn connect(url: &Url) -> io::Result<TcpStream> {
    if url.is_secure() {
        let text = "this example speaks no TLS";
        return Err(io::Error::new(ErrorKind::Unsupported, text));
    }
    let host = url.host().trim_matches(['[', ']']); // of an IPv6 address
    TcpStream::connect((host, url.port()))
}

/// Writes what is to be written; if there is nothing, reads until the call's deadline.
fn carry(call: &mut HttpCall, socket: &mut TcpStream, now: impl Fn() -> Instant) -> io::Result<()> {
    // A wait of no time at all is an error.
    let left = call.deadline().saturating_since(now());
    let left = left.max(Duration::from_millis(1));
    let output = call.output(now());
    if !output.is_empty() {
        socket.set_write_timeout(Some(left))?;
        match socket.write(output) {
            Ok(taken) => call.sent(taken, now()),
            Err(error) if is_timeout(&error) => call.elapsed(now()),
            Err(_) => call.failed(now()),
        }
        return Ok(());
    }
    socket.set_read_timeout(Some(left))?;
    let mut buffer = [0; 16 << 10];
    match socket.read(&mut buffer) {
        Ok(0) => call.receive_eof(now()),
        Ok(length) => call.receive(&mut buffer[..length], now()),
        Err(error) if is_timeout(&error) => call.elapsed(now()),
        Err(_) => call.failed(now()),
    }
    Ok(())
}

fn is_timeout(error: &io::Error) -> bool {
    use ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}
