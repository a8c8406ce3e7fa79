//! Everything that an app serves, over TLS.

use std::fs;
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

use barewire::app::{App, Broadcaster, Event, Message, Server, Socket, WebSocket};
use tungstenite::Message as Text;

use crate::support::{Authority, Client, connect, port_of, stop};

struct Echo;

impl WebSocket for Echo {
    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        socket.send(message);
    }
}

/// Reads until this is in what has come.
fn read_until(client: &mut Client, end: &[u8]) -> Vec<u8> {
    let (mut all, mut piece) = (Vec::new(), vec![0; 1 << 16]);
    while !all.windows(end.len()).any(|it| it == end) {
        let n = client.read(&mut piece).unwrap();
        assert!(n > 0, "{}", String::from_utf8_lossy(&all));
        all.extend_from_slice(&piece[..n]);
    }
    all
}

/// Reads until this ends what has come.
fn read_to_end_of(client: &mut Client, end: &[u8]) -> Vec<u8> {
    let (mut all, mut piece) = (Vec::new(), vec![0; 1 << 16]);
    while !all.ends_with(end) {
        let n = client.read(&mut piece).unwrap();
        assert!(n > 0, "{} bytes", all.len());
        all.extend_from_slice(&piece[..n]);
    }
    all
}

fn run(app: App, authority: &Authority) -> (Server, Client) {
    let certificates = authority.certificates(&["localhost"]);
    let app = app.listen_tls("127.0.0.1:0", certificates).unwrap();
    let server = app.spawn().unwrap();
    let config = Arc::new(authority.client(&["http/1.1"]));
    let client = connect(port_of(&server, 0), "localhost", &config);
    let patience = Some(Duration::from_secs(20));
    client.sock.set_read_timeout(patience).unwrap();
    (server, client)
}

#[test]
fn websockets_of_pages_of_the_same_origin() {
    let authority = Authority::new("one");
    let app = App::new().websocket("/echo", |_request| Ok(Echo));
    let (server, client) = run(app, &authority);
    let address = format!("wss://localhost:{}/echo", port_of(&server, 0));
    let mut request = tungstenite::client::IntoClientRequest::into_client_request(address).unwrap();
    let origin = format!("https://localhost:{}", port_of(&server, 0));
    request
        .headers_mut()
        .insert("Origin", origin.parse().unwrap());
    let (mut socket, _) = tungstenite::client(request, client).unwrap();
    for len in [0, 1, 125, 126, 70_000, 700_000] {
        socket.send(Text::text("x".repeat(len))).unwrap();
        assert_eq!(socket.read().unwrap(), Text::text("x".repeat(len)));
    }
    socket.close(None).unwrap();
    while socket.read().is_ok() {}
    stop(server);
}

#[test]
fn event_streams() {
    let authority = Authority::new("one");
    let news = Broadcaster::new();
    let subscribed = news.clone();
    let app = App::new().events("/news", move |_request| {
        Ok(subscribed.subscription("reader")?)
    });
    let (server, mut client) = run(app, &authority);
    write!(client, "GET /news HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let head = read_until(&mut client, b"\r\n\r\n");
    assert!(head.starts_with(b"HTTP/1.1 200 OK\r\n"));
    for number in 0..3 {
        news.send(&Event::new(&format!("event {number}"))).unwrap();
        read_until(&mut client, format!("event {number}\n\n").as_bytes());
    }
    stop(server);
}

#[cfg(all(unix, feature = "files"))]
#[test]
fn files_and_long_bodies_both_ways() {
    let authority = Authority::new("one");
    let folder = std::env::temp_dir().join(format!("barewire-tls-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let content: Vec<u8> = (0..300_000u32).map(|at| (at % 251) as u8).collect();
    fs::write(folder.join("a.bin"), &content).unwrap();
    let app = App::new().files("/files", &*folder);
    let app = app.post("/echo", |request, reply| reply.body("a/b", request.body()));
    let (server, mut client) = run(app, &authority);
    for _ in 0..2 {
        write!(
            client,
            "GET /files/a.bin HTTP/1.1\r\nHost: localhost\r\n\r\n"
        )
        .unwrap();
        assert!(read_to_end_of(&mut client, &content).starts_with(b"HTTP/1.1 200 OK\r\n"));
        let len = content.len();
        write!(
            client,
            "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len}\r\n\r\n"
        )
        .unwrap();
        client.write_all(&content).unwrap();
        assert!(read_to_end_of(&mut client, &content).starts_with(b"HTTP/1.1 200 OK\r\n"));
    }
    fs::remove_dir_all(&folder).unwrap();
    stop(server);
}
