//! Against the client that blocks.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;

use barewire::client::{Message, WebSocket, WebSocketError, WebSocketOptions};
use barewire::link::Limits;
use tokio::net::TcpListener;

static LIMITS: Limits = Limits::DEFAULT;

/// Serves on a thread of its own.
fn start() -> SocketAddr {
    let (told, hears) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            told.send(listener.local_addr().unwrap()).unwrap();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                tokio::spawn(in_tokio::serve(socket, &LIMITS));
            }
        });
    });
    hears.recv().unwrap()
}

#[test]
fn messages_come_back_over_http1_and_http2() {
    let url = format!("ws://{}/", start());
    for http2 in [false, true] {
        let options = WebSocketOptions::new()
            .no_proxy()
            .http2_prior_knowledge(http2);
        let mut socket = WebSocket::connect_with(&url, &options).unwrap();
        for size in [0, 1, 126, 65_536, 300_000] {
            let bytes: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
            socket.send(&bytes).unwrap();
            assert!(
                socket.receive().unwrap() == Some(Message::Binary(bytes)),
                "{size}"
            );
        }
        socket.ping(b"are you there").unwrap();
        socket.send("text").unwrap();
        assert_eq!(socket.receive().unwrap(), Some("text".into()));
        socket.close().unwrap();
    }
}

#[test]
fn other_requests_and_foreign_pages_are_refused() {
    let address = start();
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 426 "), "{answer}");
    let options = WebSocketOptions::new()
        .no_proxy()
        .header("Origin", "http://elsewhere.example")
        .unwrap();
    let error = WebSocket::connect_with(&format!("ws://{address}/"), &options).unwrap_err();
    assert_eq!(error.status().unwrap().code(), 403);
}

#[test]
fn what_breaks_the_protocol_is_told_why() {
    let mut stream = TcpStream::connect(start()).unwrap();
    stream
        .write_all(
            b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
              Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\
              \x81\x01a", // without a mask
        )
        .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let at = answer.windows(4).position(|it| it == b"\r\n\r\n").unwrap();
    assert_eq!(answer[at + 4..at + 8], [0x88, answer[at + 5], 0x03, 0xea]);
    let error = WebSocket::connect("ws://127.0.0.1:1/").unwrap_err();
    assert!(matches!(error, WebSocketError::Dial { .. }));
}
