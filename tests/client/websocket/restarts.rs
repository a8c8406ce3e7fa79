//! Reconnecting over real sockets: a server that is killed and comes back under traffic.

use core::time::Duration;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use barewire::client::{
    Canceller, Closed, Message, Receipt, ReceiptState, ReconnectLimits, ReconnectListener,
    ReconnectOptions, ReconnectSender, Reconnecting, WebSocketOptions,
};

use super::server::{
    EchoServer, PATIENCE, Script, read_frame, read_head, shake_hands, write_frame,
};

/// Hands on what it is told.
struct Told(Sender<String>);

impl Told {
    fn new() -> (Self, Receiver<String>) {
        let (sender, receiver) = channel();
        (Self(sender), receiver)
    }

    fn say(&self, text: String) {
        let _ = self.0.send(text);
    }
}

impl ReconnectListener for Told {
    fn opened(&mut self, _: &ReconnectSender, protocol: Option<&str>) {
        self.say(format!("opened {protocol:?}"));
    }

    fn message(&mut self, _: &ReconnectSender, message: Message) {
        self.say(format!("message {}", message.text().unwrap_or("binary")));
    }

    fn closed(&mut self, _: &ReconnectSender, closed: &Closed, unknown: &[Receipt]) {
        let how = match closed {
            Closed::ByPeer { code, .. } => format!("by peer {code}"),
            Closed::Lost(_) => "lost".into(),
            Closed::Refused { status, .. } => format!("refused {}", status.code()),
            Closed::Unreachable(_) => "unreachable".into(),
            other => format!("{other:?}"),
        };
        self.say(format!("closed {how}, unknown {}", unknown.len()));
    }

    fn waiting(&mut self, _: &ReconnectSender, _: Duration, attempt: u32) {
        self.say(format!("waiting {attempt}"));
    }

    fn gave_up(&mut self, _: &ReconnectSender, _: &Closed, unsent: &[Receipt]) {
        self.say(format!("gave up, unsent {}", unsent.len()));
    }

    fn finished(&mut self, _: &ReconnectSender, unsent: &[Receipt]) {
        self.say(format!("finished, unsent {}", unsent.len()));
    }
}

fn next(told: &Receiver<String>) -> String {
    told.recv_timeout(PATIENCE).unwrap()
}

fn soon() -> ReconnectOptions {
    let limits = ReconnectLimits::DEFAULT
        .with_first(Duration::from_millis(2))
        .with_longest(Duration::from_millis(20));
    ReconnectOptions::new().limits(limits)
}

#[test]
fn messages_are_confirmed_and_the_end_is_told() {
    let server = EchoServer::start();
    let (listener, told) = Told::new();
    let socket = Reconnecting::connect(&server.url(), soon(), listener).unwrap();
    let receipt = socket.send("one").unwrap(); // though it is not open yet
    assert_eq!(receipt.wait(PATIENCE).unwrap(), ReceiptState::Confirmed);
    assert_eq!(next(&told), "opened None");
    assert_eq!(next(&told), "message one");
    let receipt = socket.send(vec![1, 2, 3]).unwrap();
    socket.close().unwrap();
    assert_eq!(receipt.state(), ReceiptState::Confirmed);
    let rest: Vec<String> = told.iter().collect();
    assert_eq!(
        rest,
        [
            "message binary",
            "closed by peer 1000, unknown 0",
            "finished, unsent 0"
        ]
    );
}

#[test]
fn it_comes_back_and_asks_anew_for_each_attempt() {
    let script = Script::start(3, |nth, mut stream| match nth {
        0 => {
            let head = read_head(&mut stream);
            assert!(head.contains("X-Token: token 1"), "{head}");
            let busy = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(busy.as_bytes()).unwrap();
        }
        1 => shake_hands(&mut stream), // and it is gone
        _ => {
            let head = read_head(&mut stream);
            assert!(head.contains("X-Token: token 3"), "{head}");
            stream
                .write_all(super::server::answer(&head).as_bytes())
                .unwrap();
            write_frame(&mut stream, 0x88, b"\x03\xf0"); // 1008: do not come back
            read_frame(&mut stream).unwrap();
        }
    });
    let (listener, told) = Told::new();
    let url = script.url();
    let mut asked = 0;
    let ask = move |_: &barewire::client::ConnectAttempt| {
        asked += 1;
        let token = format!("token {asked}");
        let options = WebSocketOptions::new().header("X-Token", &token)?;
        Ok((url.clone(), options))
    };
    let socket = Reconnecting::connect_by(ask, soon(), listener).unwrap();
    socket.wait().unwrap();
    script.join();
    let told: Vec<String> = told.iter().collect();
    assert_eq!(
        told,
        [
            "closed refused 503, unknown 0",
            "waiting 2",
            "opened None",
            "closed lost, unknown 0",
            "waiting 3",
            "opened None",
            "closed by peer 1008, unknown 0",
            "gave up, unsent 0",
        ]
    );
}

#[test]
fn nobody_is_there_and_it_gives_up_after_its_attempts() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    drop(listener);
    let (listener, told) = Told::new();
    let socket = Reconnecting::connect(&url, soon().attempts(3), listener).unwrap();
    let receipt = socket.send("never").unwrap();
    socket.wait().unwrap();
    assert_eq!(receipt.state(), ReceiptState::Unsent);
    let told: Vec<String> = told.iter().collect();
    assert_eq!(told.len(), 6);
    assert_eq!(told[5], "gave up, unsent 1");
}

#[test]
fn a_long_wait_ends_when_somebody_asks_to_try_now_or_to_close() {
    let server = EchoServer::start();
    let limits = ReconnectLimits::DEFAULT
        .with_first(Duration::from_secs(86_400))
        .with_longest(Duration::from_secs(86_400));
    let options = || ReconnectOptions::new().limits(limits);
    let (listener, told) = Told::new();
    let url = server.url();
    let mut first = true;
    let ask = move |_: &barewire::client::ConnectAttempt| match std::mem::take(&mut first) {
        true => Err("no token yet".into()),
        false => Ok((url.clone(), WebSocketOptions::new())),
    };
    let socket = Reconnecting::connect_by(ask, options(), listener).unwrap();
    assert!(next(&told).starts_with("closed NotTried"));
    assert_eq!(next(&told), "waiting 2");
    while !socket.sender().try_now() {
        thread::yield_now();
    }
    assert_eq!(next(&told), "opened None");
    socket.close().unwrap();
    let (listener, told) = Told::new();
    let ask = |_: &barewire::client::ConnectAttempt| Err("never".into());
    let socket = Reconnecting::connect_by(ask, options(), listener).unwrap();
    assert!(next(&told).starts_with("closed NotTried"));
    assert_eq!(next(&told), "waiting 2");
    socket.close().unwrap();
    assert_eq!(next(&told), "finished, unsent 0");
}

#[test]
fn a_server_may_ask_to_reconnect_later() {
    let server = EchoServer::start();
    let (listener, told) = Told::new();
    let socket = Reconnecting::connect(&server.url(), soon(), listener).unwrap();
    assert_eq!(next(&told), "opened None");
    socket.sender().reconnect(Duration::from_millis(5));
    assert!(next(&told).starts_with("closed ToReconnect"));
    assert_eq!(next(&told), "waiting 2");
    assert_eq!(next(&told), "opened None");
    socket.close().unwrap();
}

#[test]
fn an_abort_ends_it_whatever_it_does() {
    let script = Script::start(1, |_, mut stream| {
        shake_hands(&mut stream);
        while read_frame(&mut stream).is_some() {} // it answers nothing
    });
    let (listener, told) = Told::new();
    let socket = Reconnecting::connect(&script.url(), soon(), listener).unwrap();
    assert_eq!(next(&told), "opened None");
    let receipt = socket.send("a").unwrap();
    while receipt.state() == ReceiptState::Queued {
        thread::yield_now();
    }
    socket.abort().unwrap();
    assert_eq!(receipt.state(), ReceiptState::Unknown);
    script.join();
}

#[test]
fn a_canceller_of_its_options_ends_it() {
    let server = EchoServer::start();
    let canceller = Canceller::new();
    let options = WebSocketOptions::new().canceller(&canceller);
    let url = server.url();
    let ask = move |_: &barewire::client::ConnectAttempt| Ok((url.clone(), options.clone()));
    for is_open in [true, false] {
        let (listener, told) = Told::new();
        let socket = Reconnecting::connect_by(ask.clone(), soon(), listener).unwrap();
        if is_open {
            assert_eq!(next(&told), "opened None");
            canceller.cancel();
        }
        socket.wait().unwrap();
        assert!(next(&told).starts_with("finished"));
    }
}

#[test]
fn a_listener_that_panics_ends_it_and_says_so() {
    struct Panics;
    impl ReconnectListener for Panics {
        fn opened(&mut self, _: &ReconnectSender, _: Option<&str>) {
            panic!("a test's");
        }
        fn message(&mut self, _: &ReconnectSender, _: Message) {}
    }
    let server = EchoServer::start();
    let socket = Reconnecting::connect(&server.url(), soon(), Panics).unwrap();
    let sender = socket.sender().clone();
    socket.wait().unwrap();
    assert!(sender.send("a").is_err());
}

/// A server that reads for a while, and is then killed: what it has read goes to `seen`.
fn killed(listener: &TcpListener, dice: &mut u64, seen: &Mutex<Vec<u64>>) {
    *dice = dice
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let serves = *dice >> 60; // up to 15 frames
    if serves == 0 {
        return; // not even the handshake
    }
    shake_hands(&mut stream);
    for _ in 0..serves {
        if !read_one(&mut stream, seen) {
            return;
        }
    }
}

fn read_one(stream: &mut TcpStream, seen: &Mutex<Vec<u64>>) -> bool {
    match read_frame(stream) {
        None => false,
        Some((0x89, payload)) => {
            write_frame(stream, 0x8a, &payload);
            true
        }
        Some((0x88, payload)) => {
            write_frame(stream, 0x88, &payload);
            false
        }
        Some((_, payload)) => {
            let text = String::from_utf8(payload).unwrap();
            seen.lock().unwrap().push(text.parse().unwrap());
            true
        }
    }
}

#[test]
fn a_server_killed_under_traffic_gets_no_message_twice_and_all_in_order() {
    const RESTARTS: usize = 100;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let by_server = seen.clone();
    let last_serves = Arc::new(AtomicBool::new(false));
    let serves = last_serves.clone();
    let serving = thread::spawn(move || {
        let mut dice = 7;
        for _ in 0..RESTARTS {
            killed(&listener, &mut dice, &by_server);
        }
        // The last one stays.
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        shake_hands(&mut stream);
        serves.store(true, Ordering::SeqCst);
        while read_one(&mut stream, &by_server) {}
    });
    let (told, events) = Told::new();
    let socket = Reconnecting::connect(&url, soon(), told).unwrap();
    let mut receipts = Vec::new();
    // Traffic until the last server serves, and a bit more.
    let mut left = 50;
    while left > 0 {
        match socket.send((receipts.len() + 1).to_string()) {
            Ok(receipt) => receipts.push(receipt),
            Err(_) => thread::yield_now(), // the queue is full
        }
        thread::sleep(Duration::from_micros(200));
        let is_last = last_serves.load(Ordering::SeqCst) && socket.sender().is_open();
        left -= i32::from(is_last);
    }
    drop(events);
    socket.close().unwrap();
    serving.join().unwrap();
    let seen = seen.lock().unwrap();
    assert!(
        seen.is_sorted_by(|a, b| a < b),
        "twice, or out of order: {seen:?}"
    );
    let mut counts = [0; 3];
    for receipt in &receipts {
        let has_come = seen.binary_search(&receipt.id()).is_ok();
        match receipt.state() {
            ReceiptState::Confirmed => {
                assert!(has_come, "{receipt:?}");
                counts[0] += 1;
            }
            ReceiptState::Unknown => counts[1] += 1,
            ReceiptState::Unsent => {
                assert!(!has_come, "{receipt:?}");
                counts[2] += 1;
            }
            state => panic!("{receipt:?}: {state:?}"),
        }
    }
    assert!(counts[0] > 0, "{counts:?}");
}

/// Texts of the messages that a connection brings, until it ends.
fn read_texts(stream: &mut TcpStream, seen: &Mutex<Vec<String>>) {
    while let Some((first, payload)) = read_frame(stream) {
        match first {
            0x81 => {
                let text = String::from_utf8(payload).unwrap();
                let text = text.trim_end_matches('x').into();
                seen.lock().unwrap().push(text);
            }
            0x89 => {
                let pong = [&[0x8a, 8], &payload[..]].concat();
                let _ = stream.write_all(&pong); // it may have been the last
            }
            0x88 => {
                let _ = stream.write_all(b"\x88\x00");
                return;
            }
            other => panic!("{other}"),
        }
    }
}

#[test]
fn what_still_leaves_after_the_end_is_not_sent_again() {
    let (stuck, is_stuck) = channel::<()>();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let by_server = seen.clone();
    let script = Script::start(2, move |nth, mut stream| {
        shake_hands(&mut stream);
        if nth == 0 {
            is_stuck.recv().unwrap();
            // Whenever it reads, the client writes what there is room for.
            for _ in 0..20 {
                write_frame(&mut stream, 0x81, b"fill it");
                thread::sleep(Duration::from_millis(10));
            }
            stream.write_all(b"\x83\x00").unwrap(); // no such frame
            // The client has found it before it can write more, most likely.
            thread::sleep(Duration::from_millis(300));
        }
        read_texts(&mut stream, &by_server);
    });
    let limits = ReconnectLimits::DEFAULT.with_first(Duration::ZERO);
    let limits = limits.with_messages(4096).with_bytes(64 << 20);
    let options = ReconnectOptions::new().limits(limits);
    let come_back = options.come_back(|_| barewire::client::ComeBack::Retry);
    let (listener, _told) = Told::new();
    let socket = Reconnecting::connect(&script.url(), come_back, listener).unwrap();
    // Many that are short: some lie in the output, and nothing of them has left.
    let padding = "x".repeat(8 << 10);
    let receipts: Vec<Receipt> = (0..3000)
        .map(|nth| socket.send(format!("{nth}{padding}")).unwrap())
        .collect();
    // Until no more goes into the kernel, most likely.
    let written = || {
        let states = receipts.iter().map(Receipt::state);
        states.filter(|&it| it != ReceiptState::Queued).count()
    };
    let mut before = 0;
    while before == 0 || written() > before {
        before = written();
        thread::sleep(Duration::from_millis(100));
    }
    stuck.send(()).unwrap();
    let last = receipts.last().unwrap();
    assert_eq!(last.wait(PATIENCE).unwrap(), ReceiptState::Confirmed);
    socket.close().unwrap();
    script.join();
    let seen = seen.lock().unwrap();
    for (nth, receipt) in receipts.iter().enumerate() {
        let count = seen.iter().filter(|it| **it == nth.to_string()).count();
        match receipt.state() {
            ReceiptState::Confirmed => assert_eq!(count, 1, "{nth}"),
            ReceiptState::Unknown => assert!(count <= 1, "{nth}"),
            state => panic!("{nth}: {state:?}"),
        }
    }
}
