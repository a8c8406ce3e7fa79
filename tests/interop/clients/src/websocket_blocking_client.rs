//! An echo over `client::WebSocket`, which the Autobahn test suite drives.
//!
//! usage: `websocket_blocking_client URL [--cases]`: with `--cases` every case of the
//! suite's fuzzing server.

use std::env;
use std::time::Duration;

use barewire::client::{WebSocket, WebSocketError, WebSocketOptions};
use barewire::websocket::Limits;
use barewire::websocket::deflate::Offer;
use barewire::wire::codec::Compression;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let usage = "usage: websocket_blocking_client URL [--cases]";
    let url = env::args().nth(1).ok_or(usage)?;
    if env::args().nth(2).as_deref() != Some("--cases") {
        return Ok(echo(&url)?);
    }
    let mut socket = connect(&format!("{url}/getCaseCount"))?;
    let count = socket.receive()?.ok_or("no count")?;
    let count: u32 = count.text().ok_or("no count")?.parse()?;
    for case in 1..=count {
        // Many cases break the protocol: an error is what they are for.
        if let Err(error) = echo(&format!("{url}/runCase?case={case}&agent=barewire")) {
            println!("case {case}: {error}");
        }
    }
    let mut socket = connect(&format!("{url}/updateReports?agent=barewire"))?;
    while socket.receive()?.is_some() {}
    Ok(())
}

fn connect(url: &str) -> std::result::Result<WebSocket, WebSocketError> {
    let limits = Limits::DEFAULT
        .with_frame(16 << 20)
        .with_message(16 << 20)
        .with_fragments(1 << 20);
    let options = WebSocketOptions::new()
        .limits(limits)
        .send_time(Duration::from_secs(120))
        .deflate(&[Offer::DEFAULT], Compression::DEFAULT)
        .no_proxy();
    WebSocket::connect_with(url, &options)
}

/// Sends back every message, to the end.
fn echo(url: &str) -> std::result::Result<(), WebSocketError> {
    let mut socket = connect(url)?;
    while let Some(message) = socket.receive()? {
        socket.send(message)?;
    }
    Ok(())
}
