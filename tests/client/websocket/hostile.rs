//! Servers that lie, stall, end and reset.

use core::time::Duration;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use barewire::client::{Message, WebSocket, WebSocketError, WebSocketOptions};
use barewire::websocket::Limits;
use barewire::websocket::handshake::Refused;

use super::server::{Script, answer, read_frame, read_head, shake_hands};

type Deed = fn(TcpStream, &str);

/// What becomes of an answer.
fn refused(deed: Deed) -> WebSocketError {
    let script = Script::start(1, move |_, mut stream| {
        let head = read_head(&mut stream);
        deed(stream, &head);
    });
    let options = WebSocketOptions::new().connect_time(Duration::from_secs(5));
    let error = WebSocket::connect_with(&script.url(), &options).unwrap_err();
    script.join();
    error
}

fn say(mut stream: TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).unwrap();
}

#[test]
fn an_answer_that_is_none_is_refused_with_its_fault() {
    let deeds: [(Deed, Refused); 4] = [
        (
            |stream, head| {
                say(
                    stream,
                    &answer(head).replace("Upgrade: websocket", "Upgrade: x"),
                )
            },
            Refused::Upgrade,
        ),
        (
            |stream, head| say(stream, &answer(head).replace("Accept: ", "Accept: x")),
            Refused::Accept,
        ),
        (
            |stream, head| {
                let field = "\r\nSec-WebSocket-Protocol: other\r\n\r\n";
                say(stream, &format!("{}{field}", answer(head).trim_end()));
            },
            Refused::Protocol,
        ),
        (
            |stream, head| {
                let field = "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
                say(stream, &format!("{}{field}", answer(head).trim_end()));
            },
            Refused::Extension,
        ),
    ];
    for (deed, fault) in deeds {
        let error = refused(deed);
        let WebSocketError::Refused { reason, .. } = error else {
            panic!("{error}")
        };
        assert_eq!(reason, fault);
    }
}

#[test]
fn another_status_is_told_with_the_time_to_wait() {
    let error = refused(|stream, _| {
        say(
            stream,
            "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
        );
    });
    assert_eq!(error.status().unwrap().code(), 503);
    let WebSocketError::Refused { retry_after, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(retry_after, Some(Duration::from_secs(7)));
    let error = refused(|stream, _| {
        say(
            stream,
            "HTTP/1.1 302 Found\r\nLocation: ws://b/\r\nContent-Length: 0\r\n\r\n",
        );
    });
    assert_eq!(error.status().unwrap().code(), 302);
}

#[test]
fn interim_responses_have_an_end() {
    let many = refused(|mut stream, head| {
        for _ in 0..17 {
            let hint = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
            let _ = stream.write_all(hint.as_bytes()); // it may be gone
        }
        let _ = stream.write_all(answer(head).as_bytes());
    });
    assert!(matches!(many, WebSocketError::Informational), "{many}");
    let script = Script::start(1, |_, mut stream| {
        let head = read_head(&mut stream);
        for _ in 0..16 {
            stream
                .write_all(b"HTTP/1.1 103 Early Hints\r\n\r\n")
                .unwrap();
        }
        stream.write_all(answer(&head).as_bytes()).unwrap();
    });
    WebSocket::connect(&script.url()).unwrap();
    script.join();
}

#[test]
fn what_is_no_answer_at_all_ends_in_an_error() {
    let nonsense = refused(|stream, _| say(stream, "what?\r\n\r\n"));
    assert!(
        matches!(nonsense, WebSocketError::Protocol(_)),
        "{nonsense}"
    );
    let endless = refused(|mut stream, _| {
        let head = "HTTP/1.1 101 Switching Protocols\r\n";
        let _ = stream.write_all(head.as_bytes());
        let field = format!("X: {}\r\n", "y".repeat(1000));
        while stream.write_all(field.as_bytes()).is_ok() {}
    });
    assert!(matches!(endless, WebSocketError::Protocol(_)), "{endless}");
    let gone = refused(|stream, _| drop(stream));
    assert!(
        matches!(gone, WebSocketError::Lost(_) | WebSocketError::Protocol(_)),
        "{gone}"
    );
    let half = refused(|stream, head| say(stream, &answer(head)[..40]));
    assert!(
        matches!(half, WebSocketError::Lost(_) | WebSocketError::Protocol(_)),
        "{half}"
    );
}

#[test]
fn a_server_that_says_nothing_has_its_time() {
    let script = Script::start(1, |_, mut stream| {
        read_head(&mut stream);
        assert_eq!(stream.read(&mut [0]).unwrap(), 0); // until the client goes
    });
    let options = WebSocketOptions::new().connect_time(Duration::from_millis(100));
    let error = WebSocket::connect_with(&script.url(), &options).unwrap_err();
    assert!(error.is_timeout(), "{error}");
    script.join();
}

/// What becomes of frames, and the code that the server is told.
fn told(frames: &'static [u8], limits: Limits) -> (Vec<Message>, WebSocketError, u16) {
    let (sender, code) = std::sync::mpsc::channel();
    let script = Script::start(1, move |_, mut stream| {
        shake_hands(&mut stream);
        stream.write_all(frames).unwrap();
        let (first, payload) = read_frame(&mut stream).unwrap();
        assert_eq!(first, 0x88);
        let code = u16::from_be_bytes([payload[0], payload[1]]);
        sender.send(code).unwrap();
    });
    let options = WebSocketOptions::new().limits(limits);
    let mut socket = WebSocket::connect_with(&script.url(), &options).unwrap();
    let mut messages = Vec::new();
    let error = loop {
        match socket.receive() {
            Ok(message) => messages.push(message.unwrap()),
            Err(error) => break error,
        }
    };
    script.join();
    (messages, error, code.recv().unwrap())
}

#[test]
fn a_breach_of_the_protocol_is_told_to_both_sides() {
    let small = Limits::DEFAULT.with_message(10);
    let cases: [(&'static [u8], Limits, u16); 6] = [
        (b"\x81\x81\0\0\0\0a", Limits::DEFAULT, 1002), // masked
        (b"\x83\x00", Limits::DEFAULT, 1002),
        (b"\x80\x00", Limits::DEFAULT, 1002),
        (b"\x81\x02\xc3\x28", Limits::DEFAULT, 1007),
        (
            b"\x82\x7f\0\xff\xff\xff\xff\xff\xff\xff",
            Limits::DEFAULT,
            1009,
        ),
        (b"\x82\x0b12345678901", small, 1009),
    ];
    for (frames, limits, expected) in cases {
        let (messages, error, code) = told(frames, limits);
        assert!(messages.is_empty());
        assert!(matches!(error, WebSocketError::Protocol(_)), "{error}");
        assert_eq!(code, expected, "{frames:?}");
    }
    let (messages, error, code) = told(b"\x81\x02hi\x8b\x00", Limits::DEFAULT);
    assert_eq!((messages, code), (vec!["hi".into()], 1002));
    assert!(matches!(error, WebSocketError::Protocol(_)));
}

#[test]
fn a_message_is_answered_before_what_follows_it_is_looked_at() {
    let script = Script::start(1, |_, mut stream| {
        let head = read_head(&mut stream);
        let mut bytes = answer(&head).into_bytes();
        bytes.extend_from_slice(b"\x81\x01a\x89\x01p\x81\x01b\x83\x00"); // in one piece
        stream.write_all(&bytes).unwrap();
        let first: Vec<_> = std::iter::from_fn(|| read_frame(&mut stream)).collect();
        let expected = [
            (0x81, b"a".to_vec()),
            (0x8a, b"p".to_vec()),
            (0x81, b"b".to_vec()),
        ];
        assert_eq!(first[..3], expected);
        assert_eq!((first[3].0, &first[3].1[..2]), (0x88, &b"\x03\xea"[..]));
    });
    let mut socket = WebSocket::connect(&script.url()).unwrap();
    for expected in ["a", "b"] {
        let message = socket.receive().unwrap().unwrap();
        assert_eq!(message.text(), Some(expected));
        socket.send(message).unwrap();
    }
    let error = socket.receive().unwrap_err();
    assert!(matches!(error, WebSocketError::Protocol(_)), "{error}");
    script.join();
}

#[test]
fn an_answer_that_has_come_counts_though_nobody_has_looked_in_time() {
    let script = Script::start(1, |_, mut stream| {
        shake_hands(&mut stream);
        while let Some((first, _)) = read_frame(&mut stream) {
            let answer = if first == 0x89 { 0x8a } else { first };
            stream.write_all(&[answer, 0]).unwrap();
        }
    });
    let limits = Limits::DEFAULT
        .with_ping_interval(Duration::from_millis(20))
        .with_pong_timeout(Duration::from_millis(20));
    let options = WebSocketOptions::new().limits(limits);
    let mut socket = WebSocket::connect_with(&script.url(), &options).unwrap();
    std::thread::sleep(Duration::from_millis(30));
    let none = Duration::ZERO;
    assert!(socket.receive_within(none).unwrap_err().is_timeout()); // it asks
    std::thread::sleep(Duration::from_millis(100)); // the application is busy
    let error = socket.receive_within(none).unwrap_err();
    assert!(matches!(error, WebSocketError::TimedOut), "{error}");
    socket.close().unwrap();
    script.join();
}

#[test]
fn an_end_without_a_close_frame_is_a_loss() {
    let script = Script::start(2, |nth, mut stream| {
        shake_hands(&mut stream);
        stream.write_all(b"\x81\x02hi\x81\x05ha").unwrap();
        if nth == 1 {
            // What nobody has read makes it a reset.
            let mut one = [0];
            stream.read_exact(&mut one).unwrap();
        }
    });
    for nth in 0..2 {
        let mut socket = WebSocket::connect(&script.url()).unwrap();
        if nth == 1 {
            socket.send("something unread").unwrap();
        }
        match socket.receive() {
            Ok(message) => assert_eq!(message, Some("hi".into())),
            Err(error) => {
                assert!(nth == 1, "{error}"); // a reset may overtake what came before
                continue;
            }
        }
        let error = socket.receive().unwrap_err();
        assert!(matches!(error, WebSocketError::Lost(_)), "{error}");
        assert!(socket.closed().is_none());
    }
    script.join();
}

#[test]
fn a_peer_that_never_answers_a_close_is_left_in_time() {
    let script = Script::start(1, |_, mut stream| {
        shake_hands(&mut stream);
        while read_frame(&mut stream).is_some() {}
    });
    let limits = Limits::DEFAULT.with_close_timeout(Duration::from_millis(100));
    let options = WebSocketOptions::new().limits(limits);
    let socket = WebSocket::connect_with(&script.url(), &options).unwrap();
    let error = socket.close().unwrap_err();
    assert!(error.is_timeout(), "{error}");
    script.join();
}
