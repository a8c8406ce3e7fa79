//! One thread receives, others send.

use core::time::Duration;
use std::collections::BTreeMap;
use std::thread;
use std::time::Instant;

use barewire::client::{WebSocket, WebSocketError, WebSocketOptions};
use barewire::websocket::{CloseCode, Limits};

use super::server::{EchoServer, PATIENCE, Script, read_frame, shake_hands, write_frame};

#[test]
fn senders_send_while_the_receiver_waits_and_keep_their_order() {
    const THREADS: usize = 4;
    const EACH: usize = 500;
    let server = EchoServer::start();
    let (sender, mut receiver) = WebSocket::connect(&server.url()).unwrap().split().unwrap();
    let receiving = thread::spawn(move || {
        let mut seen: BTreeMap<usize, usize> = BTreeMap::new();
        for _ in 0..THREADS * EACH {
            let message = receiver.receive_within(PATIENCE).unwrap().unwrap();
            let text = message.text().unwrap();
            let (thread, nth) = text.split_once(' ').unwrap();
            let next = seen.entry(thread.parse().unwrap()).or_default();
            assert_eq!(nth.trim_end_matches('x').parse::<usize>().unwrap(), *next);
            *next += 1;
        }
        receiver
    });
    let senders: Vec<_> = (0..THREADS)
        .map(|thread| {
            let sender = sender.clone();
            thread::spawn(move || {
                for nth in 0..EACH {
                    let padding = "x".repeat(nth % 97 * 11);
                    sender.send(format!("{thread} {nth}{padding}")).unwrap();
                }
            })
        })
        .collect();
    senders.into_iter().for_each(|it| it.join().unwrap());
    let mut receiver = receiving.join().unwrap();
    sender.close(CloseCode::NORMAL, "").unwrap();
    assert_eq!(receiver.receive().unwrap(), None);
    assert!(matches!(sender.send("x"), Err(WebSocketError::Closed)));
}

#[test]
fn a_close_is_an_earlier_deadline_for_the_receiver_that_waits() {
    let script = Script::start(1, |_, mut stream| {
        shake_hands(&mut stream);
        while read_frame(&mut stream).is_some() {} // it never answers
    });
    let limits = Limits::DEFAULT.with_close_timeout(Duration::from_millis(100));
    let options = WebSocketOptions::new().limits(limits);
    let socket = WebSocket::connect_with(&script.url(), &options).unwrap();
    let (sender, mut receiver) = socket.split().unwrap();
    let receiving = thread::spawn(move || {
        let began = Instant::now();
        (receiver.receive().unwrap_err(), began.elapsed())
    });
    thread::sleep(Duration::from_millis(30)); // most likely it waits now
    sender.close(CloseCode::NORMAL, "").unwrap();
    let (error, _) = receiving.join().unwrap();
    assert!(error.is_timeout(), "{error}");
    script.join();
}

#[test]
fn much_goes_both_ways_though_both_sides_are_slow() {
    // The server echoes only once it has got all: what is sent fills the kernel.
    const FRAMES: usize = 400;
    let script = Script::start(1, |_, mut stream| {
        shake_hands(&mut stream);
        thread::sleep(Duration::from_millis(50));
        for nth in 0..FRAMES {
            let (_, payload) = read_frame(&mut stream).unwrap();
            assert_eq!(payload.len(), 60_000);
            assert!(payload.iter().all(|&b| b == nth as u8));
            write_frame(&mut stream, 0x82, &payload[..100]);
        }
        read_frame(&mut stream).unwrap();
        write_frame(&mut stream, 0x88, b"");
    });
    let socket = WebSocket::connect(&script.url()).unwrap();
    let (sender, mut receiver) = socket.split().unwrap();
    let sending = thread::spawn(move || {
        for nth in 0..FRAMES {
            sender.send(vec![nth as u8; 60_000]).unwrap();
        }
        sender
    });
    for _ in 0..FRAMES / 2 {
        receiver.receive().unwrap().unwrap();
    }
    let sender = sending.join().unwrap(); // nobody receives meanwhile
    for _ in FRAMES / 2..FRAMES {
        receiver.receive().unwrap().unwrap();
    }
    sender.close(CloseCode::NORMAL, "").unwrap();
    assert_eq!(receiver.receive().unwrap(), None);
    script.join();
}

#[test]
fn a_message_that_nobody_takes_has_its_time() {
    let script = Script::start(1, |_, mut stream| {
        shake_hands(&mut stream);
        thread::sleep(Duration::from_millis(400));
        drop(stream);
    });
    let options = WebSocketOptions::new().send_time(Duration::from_millis(50));
    let mut socket = WebSocket::connect_with(&script.url(), &options).unwrap();
    let error = socket.send(vec![0; 64 << 20]).unwrap_err();
    assert!(error.is_timeout(), "{error}");
    script.join();
}

#[test]
fn a_server_that_takes_nothing_is_found_by_who_receives() {
    let (done, is_done) = std::sync::mpsc::channel::<()>();
    let script = Script::start(1, move |_, mut stream| {
        shake_hands(&mut stream);
        is_done.recv().unwrap();
    });
    let options = WebSocketOptions::new().send_time(Duration::from_millis(50));
    let mut socket = WebSocket::connect_with(&script.url(), &options).unwrap();
    assert!(socket.send(vec![0; 64 << 20]).unwrap_err().is_timeout());
    let error = socket.receive_within(PATIENCE).unwrap_err();
    assert!(matches!(error, WebSocketError::Lost(_)), "{error}");
    assert!(error.is_timeout() && socket.send("more").is_err());
    done.send(()).unwrap();
    script.join();
}

#[test]
fn who_only_sends_is_told_that_the_server_is_gone() {
    let script = Script::start(1, |_, mut stream| shake_hands(&mut stream));
    let mut socket = WebSocket::connect(&script.url()).unwrap();
    script.join();
    let error = (0..10_000).find_map(|_| {
        thread::sleep(Duration::from_millis(1));
        socket.send("is anybody there").err()
    });
    assert!(matches!(error, Some(WebSocketError::Closed)), "{error:?}");
}
