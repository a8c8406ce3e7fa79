//! WebSockets over HTTP/2 (RFC 8441), with prior knowledge.

use core::time::Duration;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::mpsc::channel;
use std::thread;

use barewire::client::{
    Message, ReceiptState, ReconnectLimits, ReconnectListener, ReconnectOptions, ReconnectSender,
    Reconnecting, WebSocket, WebSocketOptions,
};
use barewire::websocket::CloseCode;

use super::server::{EchoServer, PATIENCE, Script, shake_hands};

fn over_http2() -> WebSocketOptions {
    WebSocketOptions::new().http2_prior_knowledge(true)
}

#[test]
fn messages_of_all_sizes_come_back() {
    let server = EchoServer::start();
    let mut socket = WebSocket::connect_with(&server.url(), &over_http2()).unwrap();
    for size in [0, 1, 125, 126, 65_535, 65_536, 300_000, 1_000_000] {
        let bytes: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
        socket.send(&bytes).unwrap();
        let message = socket.receive_within(PATIENCE).unwrap().unwrap();
        assert!(message == Message::Binary(bytes), "{size}");
    }
    socket.send("close me").unwrap();
    assert_eq!(socket.receive().unwrap(), None);
    assert_eq!(socket.closed().unwrap().code.get(), 4001);
}

#[test]
fn one_thread_sends_far_more_than_a_window_before_it_receives() {
    const FRAMES: u8 = 8;
    let server = EchoServer::start();
    let mut socket = WebSocket::connect_with(&server.url(), &over_http2()).unwrap();
    for nth in 0..FRAMES {
        socket.send(vec![nth; 100_000]).unwrap();
    }
    for nth in 0..FRAMES {
        let message = socket.receive_within(PATIENCE).unwrap().unwrap();
        assert!(message.payload() == vec![nth; 100_000], "{nth}");
    }
    assert_eq!(socket.close().unwrap().code, CloseCode::NORMAL);
}

#[test]
fn senders_and_a_receiver_share_the_window() {
    const THREADS: u8 = 4;
    let server = EchoServer::start();
    let socket = WebSocket::connect_with(&server.url(), &over_http2()).unwrap();
    let (sender, mut receiver) = socket.split().unwrap();
    let senders: Vec<_> = (0..THREADS)
        .map(|nth| {
            let sender = sender.clone();
            thread::spawn(move || {
                for _ in 0..10 {
                    sender.send(vec![nth; 60_000]).unwrap();
                }
            })
        })
        .collect();
    let mut counts = [0; THREADS as usize];
    for _ in 0..THREADS * 10 {
        let message = receiver.receive_within(PATIENCE).unwrap().unwrap();
        let nth = message.payload()[0];
        assert!(message.payload() == vec![nth; 60_000]);
        counts[usize::from(nth)] += 1;
    }
    assert_eq!(counts, [10; THREADS as usize]);
    senders.into_iter().for_each(|it| it.join().unwrap());
}

/// A frame: its type, its flags, its stream and its payload.
fn read_frame(stream: &mut TcpStream) -> Option<(u8, u8, u32, Vec<u8>)> {
    let mut head = [0; 9];
    stream.read_exact(&mut head).ok()?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let id = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
    let mut payload = vec![0; length as usize];
    stream.read_exact(&mut payload).ok()?;
    Some((head[3], head[4], id, payload))
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Takes an extended CONNECT; the stream has this window, and its number is told.
fn accept(stream: &mut TcpStream, window: u32) -> u32 {
    let mut preface = [0; 24];
    stream.read_exact(&mut preface).unwrap();
    assert_eq!(&preface, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    let mut settings = vec![0, 8, 0, 0, 0, 1, 0, 4]; // ENABLE_CONNECT_PROTOCOL, INITIAL_WINDOW_SIZE
    settings.extend(window.to_be_bytes());
    stream.write_all(&frame(4, 0, 0, &settings)).unwrap();
    loop {
        match read_frame(stream).unwrap() {
            (4, 0, ..) => stream.write_all(&frame(4, 1, 0, b"")).unwrap(),
            (1, _, id, _) => {
                stream.write_all(&frame(1, 4, id, b"\x88")).unwrap(); // 200
                return id;
            }
            _ => {}
        }
    }
}

/// Opens the window of the stream, and of the connection.
fn open_window(stream: &mut TcpStream, id: u32, bytes: u32) {
    stream
        .write_all(&frame(8, 0, id, &bytes.to_be_bytes()))
        .unwrap();
    stream
        .write_all(&frame(8, 0, 0, &bytes.to_be_bytes()))
        .unwrap();
}

/// Content of the stream, until so many bytes have come.
fn read_content(stream: &mut TcpStream, bytes: usize) -> Vec<u8> {
    let mut content = Vec::new();
    while content.len() < bytes {
        match read_frame(stream) {
            Some((0, _, _, payload)) => content.extend(payload),
            Some(_) => {}
            None => break,
        }
    }
    content
}

#[test]
fn a_server_that_gives_no_window_is_sent_no_more_than_one_message() {
    let (ready, is_ready) = channel::<()>();
    let script = Script::start(1, move |_, mut stream| {
        let id = accept(&mut stream, 100);
        is_ready.recv().unwrap();
        open_window(&mut stream, id, 1 << 20);
        // Header and mask are 8 bytes, a Close frame has 8.
        let content = read_content(&mut stream, 1008 + 8);
        assert_eq!(content.len(), 1008 + 8);
        assert_eq!(content[..2], [0x82, 0xfe]);
        assert_eq!(content[1008], 0x88);
        stream
            .write_all(&frame(0, 1, id, b"\x88\x02\x03\xe8"))
            .unwrap();
        while read_frame(&mut stream).is_some() {}
    });
    let options = over_http2().send_time(Duration::from_millis(50));
    let mut socket = WebSocket::connect_with(&script.url(), &options).unwrap();
    let error = socket.send(vec![1; 1000]).unwrap_err();
    assert!(error.is_timeout(), "{error}");
    // More does not pile up behind it.
    for _ in 0..3 {
        let error = socket.send(vec![2; 100_000]).unwrap_err();
        assert!(error.is_timeout(), "{error}");
    }
    ready.send(()).unwrap();
    socket.close().unwrap();
    script.join();
}

struct Quiet;

impl ReconnectListener for Quiet {
    fn message(&mut self, _: &ReconnectSender, _: Message) {}
}

#[test]
fn what_waits_for_its_window_has_not_left_and_goes_on_the_next_connection() {
    let (asked, is_asked) = channel::<()>();
    let (seen, sees) = channel();
    let script = Script::start(2, move |nth, mut stream| {
        if nth == 1 {
            let id = accept(&mut stream, 1 << 16);
            let content = read_content(&mut stream, 4 + 6 + 4);
            seen.send(content.len()).unwrap();
            stream.write_all(&frame(3, 0, id, &[0, 0, 0, 8])).unwrap();
            while read_frame(&mut stream).is_some() {}
            return;
        }
        accept(&mut stream, 0);
        is_asked.recv().unwrap();
        // Its answer is output, behind which nothing of the message stands.
        for _ in 0..3 {
            stream.write_all(&frame(6, 0, 0, &[7; 8])).unwrap();
            while !matches!(read_frame(&mut stream), Some((6, 1, ..))) {}
        }
        seen.send(0).unwrap();
        is_asked.recv().unwrap();
    });
    let limits = ReconnectLimits::DEFAULT.with_first(Duration::ZERO);
    let options = ReconnectOptions::new().limits(limits);
    let socket = Reconnecting::connect_with(&script.url(), over_http2(), options, Quiet).unwrap();
    while !socket.sender().is_open() {
        thread::yield_now();
    }
    let receipts = [socket.send("held").unwrap(), socket.send("next").unwrap()];
    asked.send(()).unwrap();
    assert_eq!(sees.recv_timeout(PATIENCE).unwrap(), 0);
    thread::sleep(Duration::from_millis(50)); // most likely the thread has looked
    for receipt in &receipts {
        assert_eq!(receipt.state(), ReceiptState::Queued);
    }
    assert_eq!(socket.sender().held(), (2, 8));
    asked.send(()).unwrap(); // it goes
    assert!(sees.recv_timeout(PATIENCE).unwrap() >= 14);
    socket.abort().unwrap();
    script.join();
}

#[test]
fn receipts_are_confirmed_through_a_narrow_window() {
    let server = EchoServer::start();
    let options = ReconnectOptions::new().limits(
        ReconnectLimits::DEFAULT
            .with_bytes(16 << 20)
            .with_messages(64),
    );
    let socket = Reconnecting::connect_with(&server.url(), over_http2(), options, Quiet).unwrap();
    let receipts: Vec<_> = (0..40)
        .map(|nth| socket.send(vec![nth; 100_000]).unwrap())
        .collect();
    for receipt in &receipts {
        assert_eq!(receipt.wait(PATIENCE).unwrap(), ReceiptState::Confirmed);
    }
    socket.close().unwrap();
}

#[test]
fn a_server_without_websockets_over_http2_is_asked_over_http1() {
    let script = Script::start(2, |nth, mut stream| {
        if nth == 1 {
            return shake_hands(&mut stream);
        }
        let mut preface = [0; 24];
        stream.read_exact(&mut preface).unwrap();
        stream.write_all(&frame(4, 0, 0, b"")).unwrap();
        while read_frame(&mut stream).is_some() {}
    });
    WebSocket::connect_with(&script.url(), &over_http2()).unwrap();
    script.join();
}
