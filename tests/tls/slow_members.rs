//! Members of channels over TLS that do not take what is published.

use std::io::{Read, Write};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use barewire::app::{App, EventStream, Events, Message, Socket, WebSocket};

use crate::support::{Authority, connect, port_of, stop};

struct Member;

impl WebSocket for Member {
    fn open(&mut self, socket: &mut Socket<'_, '_>) {
        socket.join("tea").unwrap();
    }

    fn message(&mut self, _socket: &mut Socket<'_, '_>, _message: Message<'_>) {}
}

impl Events for Member {
    fn open(&mut self, stream: &mut EventStream<'_, '_>) {
        stream.join("tea").unwrap();
    }
}

#[test]
fn members_that_stand_still_are_sent_away_and_get_all_up_to_there() {
    let authority = Authority::new("slow");
    let app = App::new()
        .websocket("/ws", |_request| Ok(Member))
        .events("/events", |_request| Ok(Member));
    let (hub, metrics) = (app.hub(), app.metrics());
    let server = app
        .listen_tls("127.0.0.1:0", authority.certificates(&["localhost"]))
        .unwrap()
        .spawn()
        .unwrap();
    let config = Arc::new(authority.client(&["http/1.1"]));
    let mut socket = connect(port_of(&server, 0), "localhost", &config);
    socket
        .write_all(
            b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
              Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
              Sec-WebSocket-Version: 13\r\n\r\n",
        )
        .unwrap();
    let mut stream = connect(port_of(&server, 0), "localhost", &config);
    stream
        .write_all(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    while hub.member_count("tea") < 2 {
        sleep(Duration::from_millis(5));
    }
    // As much as the kernel takes, and more than may wait beside that.
    let mut count = 0;
    while metrics.snapshot().slow_members_closed < 2 {
        count += 1;
        hub.publish("tea", &format!("<{count:05}>{}", "x".repeat(60_000)));
        sleep(Duration::from_millis(1));
    }
    // 1013, and the end of an event stream.
    let close = [&[0x88, 10, 0x03, 0xf5][..], b"too slow"].concat();
    for (client, end) in [
        (&mut socket, &close[..]),
        (&mut stream, &b"\r\n0\r\n\r\n"[..]),
    ] {
        let (mut all, mut bytes) = (Vec::new(), vec![0; 1 << 16]);
        while !all.ends_with(end) {
            let read = client.read(&mut bytes).unwrap();
            assert!(read > 0, "it ends otherwise");
            all.extend_from_slice(&bytes[..read]);
        }
        let text = String::from_utf8_lossy(&all);
        let texts = text.split('<').skip(1);
        let numbers: Vec<usize> = texts.map(|it| it[..5].parse().unwrap()).collect();
        assert_eq!(numbers, Vec::from_iter(1..=numbers.len()), "no gap");
        assert!(numbers.len() <= count);
    }
    drop((socket, stream));
    stop(server);
}
