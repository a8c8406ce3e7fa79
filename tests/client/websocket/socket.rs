//! One WebSocket, on a thread that waits.

use core::time::Duration;
use std::time::Instant;

use barewire::client::{Canceller, Message, WebSocket, WebSocketError, WebSocketOptions};
use barewire::websocket::{CloseCode, Limits};

use super::server::{
    EchoServer, PATIENCE, Script, answer, read_frame, read_head, shake_hands, write_frame,
};

#[test]
fn messages_of_all_sizes_come_back() {
    let server = EchoServer::start();
    let mut socket = WebSocket::connect(&server.url()).unwrap();
    assert_eq!(socket.protocol(), None);
    for size in [0, 1, 125, 126, 65_535, 65_536, 300_000] {
        let bytes: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
        socket.send(&bytes).unwrap();
        let message = socket.receive().unwrap().unwrap();
        assert!(message == Message::Binary(bytes), "{size}");
    }
    socket.send("größer").unwrap();
    assert_eq!(socket.receive().unwrap().unwrap().text(), Some("größer"));
    let frame = socket.close().unwrap();
    assert_eq!(frame.code, CloseCode::NORMAL);
}

#[test]
fn messages_that_are_sent_together_come_in_order() {
    let server = EchoServer::start();
    let mut socket = WebSocket::connect(&server.url()).unwrap();
    socket.send_all::<&str>(&[]).unwrap();
    // More than leaves in one write.
    let messages: Vec<_> = (0..600).map(|n| vec![n as u8; n]).collect();
    socket.send_all(&messages).unwrap();
    for message in &messages {
        assert_eq!(socket.receive().unwrap().unwrap().payload(), message);
    }
    let (sender, mut receiver) = socket.split().unwrap();
    sender.send_all(&["a", "b"]).unwrap();
    for text in ["a", "b"] {
        assert_eq!(receiver.receive().unwrap().unwrap().text(), Some(text));
    }
    sender.close(CloseCode::NORMAL, "").unwrap();
    assert_eq!(receiver.receive().unwrap(), None);
    assert!(matches!(
        sender.send_all(&["c"]),
        Err(WebSocketError::Closed)
    ));
}

#[test]
fn the_peer_closes_and_its_reason_is_told() {
    let server = EchoServer::start();
    let mut socket = WebSocket::connect(&server.url()).unwrap();
    socket.send("close me").unwrap();
    assert_eq!(socket.receive().unwrap(), None);
    assert_eq!(socket.receive().unwrap(), None);
    let frame = socket.closed().unwrap();
    assert_eq!((frame.code.get(), &*frame.reason), (4001, "as you wish"));
    assert!(matches!(socket.send("x"), Err(WebSocketError::Closed)));
}

#[test]
fn a_wait_has_its_time_and_changes_nothing() {
    let server = EchoServer::start();
    let mut socket = WebSocket::connect(&server.url()).unwrap();
    for millis in [0, 1, 80] {
        let time = Duration::from_millis(millis);
        let began = Instant::now();
        let error = socket.receive_within(time).unwrap_err();
        assert!(error.is_timeout(), "{error}");
        assert!(began.elapsed() >= time);
    }
    socket.send("a").unwrap();
    assert_eq!(socket.receive_within(PATIENCE).unwrap(), Some("a".into()));
}

#[test]
fn fields_subprotocols_and_credentials_are_sent_and_the_choice_is_told() {
    let script = Script::start(1, |_, mut stream| {
        let head = read_head(&mut stream);
        assert!(
            head.starts_with("GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:"),
            "{head}"
        );
        for line in [
            "Sec-WebSocket-Protocol: v2, v1",
            "X-Token: 7",
            "Authorization: Basic dXNlcjpzZWNyZXQ=",
        ] {
            assert!(head.lines().any(|it| it == line), "{line}: {head}");
        }
        let answer = answer(&head);
        let answer = answer.trim_end();
        let answer = format!("{answer}\r\nSec-WebSocket-Protocol: v1\r\n\r\n\u{1}");
        use std::io::Write as _;
        // The first frame comes with the answer, in two pieces.
        let mut bytes = answer.into_bytes();
        bytes.pop();
        bytes.extend_from_slice(b"\x81\x05Hel");
        stream.write_all(&bytes).unwrap();
        stream.write_all(b"lo").unwrap();
        assert_eq!(
            read_frame(&mut stream).unwrap(),
            (0x88, b"\x03\xe8".to_vec())
        );
        write_frame(&mut stream, 0x88, b"\x03\xe8");
    });
    let options = WebSocketOptions::new()
        .protocols(["v2", "v1"])
        .header("X-Token", "7")
        .unwrap();
    let url = format!("ws://user:secret@{}/a?b=c#d", script.address);
    let mut socket = WebSocket::connect_with(&url, &options).unwrap();
    assert_eq!(socket.protocol(), Some("v1"));
    assert_eq!(socket.receive().unwrap(), Some("Hello".into()));
    socket.close().unwrap();
    script.join();
}

#[test]
fn pings_are_answered_and_a_silent_peer_is_found() {
    let script = Script::start(1, |_, mut stream| {
        shake_hands(&mut stream);
        write_frame(&mut stream, 0x89, b"are you there");
        assert_eq!(
            read_frame(&mut stream).unwrap(),
            (0x8a, b"are you there".to_vec())
        );
        // Then it is silent, but for reading: a ping, and the goodbye.
        assert_eq!(read_frame(&mut stream).unwrap(), (0x89, Vec::new()));
        let (first, payload) = read_frame(&mut stream).unwrap();
        assert_eq!((first, &payload[..2]), (0x88, &1011_u16.to_be_bytes()[..]));
    });
    let limits = Limits::DEFAULT
        .with_ping_interval(Duration::from_millis(60))
        .with_pong_timeout(Duration::from_millis(40));
    let options = WebSocketOptions::new().limits(limits);
    let mut socket = WebSocket::connect_with(&script.url(), &options).unwrap();
    let error = socket.receive().unwrap_err();
    assert!(error.is_timeout(), "{error}");
    script.join();
}

#[test]
fn a_canceller_ends_a_wait_and_a_connecting_one() {
    let server = EchoServer::start();
    let canceller = Canceller::new();
    let options = WebSocketOptions::new().canceller(&canceller);
    let mut socket = WebSocket::connect_with(&server.url(), &options).unwrap();
    let waiting = std::thread::spawn(move || socket.receive());
    std::thread::sleep(Duration::from_millis(20)); // most likely it waits now
    canceller.cancel();
    assert!(waiting.join().unwrap().unwrap_err().is_cancelled());
    let error = WebSocket::connect_with(&server.url(), &options).unwrap_err();
    assert!(error.is_cancelled(), "{error}");
}

#[test]
fn what_is_no_url_is_an_error_before_anything_is_sent() {
    for bad in [
        "",
        "ws://",
        "ws://a b/",
        "gopher://a/",
        "ws://a:70000/",
        "nonsense",
    ] {
        let error = WebSocket::connect(bad).unwrap_err();
        assert!(matches!(error, WebSocketError::Url(_)), "{bad}: {error}");
    }
}

#[test]
fn nobody_listens_there_and_the_error_says_so_without_secrets() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = WebSocket::connect(&format!("ws://u:secret@{address}/a?token=secret")).unwrap_err();
    assert!(error.is_connect(), "{error}");
    let text = error.to_string();
    assert!(text.contains(&format!("{address}/a?...")), "{text}");
    assert!(!text.contains("secret") && !format!("{error:?}").contains("secret"));
}

#[test]
fn a_proxy_is_asked_for_a_tunnel_and_the_handshake_goes_through_it() {
    let script = Script::start(1, |_, mut stream| {
        use std::io::Write as _;
        let head = read_head(&mut stream);
        assert!(
            head.starts_with("CONNECT far.example:80 HTTP/1.1\r\n"),
            "{head}"
        );
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        let head = read_head(&mut stream);
        assert!(
            head.starts_with("GET /x HTTP/1.1\r\nHost: far.example\r\n"),
            "{head}"
        );
        stream.write_all(answer(&head).as_bytes()).unwrap();
        write_frame(&mut stream, 0x81, b"hi");
        read_frame(&mut stream).unwrap();
        write_frame(&mut stream, 0x88, b"");
    });
    let proxy = barewire::client::Proxy::parse(&format!("http://{}", script.address)).unwrap();
    let options = WebSocketOptions::new().proxy(proxy);
    let mut socket = WebSocket::connect_with("ws://far.example/x", &options).unwrap();
    assert_eq!(socket.receive().unwrap(), Some("hi".into()));
    assert_eq!(socket.close().unwrap().code, CloseCode::NO_STATUS);
    script.join();
}
