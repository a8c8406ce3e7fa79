use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use super::*;
use crate::client::{ReconnectOptions, Reconnecting};
use crate::websocket::handshake::accept_key;

struct Panics;

impl ReconnectListener for Panics {
    fn opened(&mut self, _: &ReconnectSender, _: Option<&str>) {
        panic!("a test's");
    }

    fn message(&mut self, _: &ReconnectSender, _: Message) {}
}

#[test]
fn a_panic_closes_the_socket_though_senders_live() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = alloc::format!("ws://{}/", listener.local_addr().unwrap());
    let socket = Reconnecting::connect(&url, ReconnectOptions::new(), Panics).unwrap();
    let sender = socket.sender().clone();
    let (mut stream, _) = listener.accept().unwrap();
    let key = BufReader::new(stream.try_clone().unwrap())
        .lines()
        .map_while(Result::ok)
        .find_map(|it| it.strip_prefix("Sec-WebSocket-Key: ").map(String::from))
        .unwrap();
    let accept = accept_key(key.as_bytes());
    stream
        .write_all(b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: upgrade\r\n")
        .unwrap();
    stream.write_all(b"Sec-WebSocket-Accept: ").unwrap();
    stream.write_all(&accept).unwrap();
    stream.write_all(b"\r\n\r\n").unwrap();
    socket.wait().unwrap();
    let held = sender.shared.lock();
    assert!(held.core.is_over() && held.duplex.is_none() && held.dialling.is_none());
}
