//! The backplane of Redis beside a scripted broker: the wire prepared, Redis taken out.
//!
//! Prints what the thread of the backplane takes for a message of 128 B, with the kernel's part,
//! and how many come in a second; then what reading the same bytes takes alone.

use std::hint::black_box;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use barewire::app::{Backplane, Inlet, RedisBackplane, RedisOptions};
use barewire::redis::{Incoming, Message, Names, Session};

const COUNT: usize = 2_000_000;

/// A push of a message of 128 B.
fn push() -> Vec<u8> {
    let names = Names::new("barewire", "news");
    let channel = std::str::from_utf8(names.channel()).unwrap();
    let message = Message {
        is_text: true,
        node: 77,
        id: b"1234567",
        unix_millis: 1_767_225_600_000,
        payload: &[b'x'; 128],
        ..Message::default()
    };
    let message = String::from_utf8(message.encode()).unwrap();
    let (at, length) = (channel.len(), message.len());
    format!(">3\r\n$8\r\nsmessage\r\n${at}\r\n{channel}\r\n${length}\r\n{message}\r\n").into_bytes()
}

/// Answers what a backplane asks at first, and then publishes.
fn broker(mut socket: TcpStream) {
    let mut seen = String::new();
    let mut buffer = [0; 4_096];
    let answer = |socket: &mut TcpStream, text: &str| {
        let answer = format!("${}\r\n{text}\r\n", text.len());
        socket.write_all(answer.as_bytes()).unwrap();
    };
    while !seen.contains("SSUBSCRIBE") {
        let read = socket.read(&mut buffer).unwrap();
        let new = String::from_utf8_lossy(&buffer[..read]).into_owned();
        if new.contains("HELLO") {
            socket.write_all(b"%0\r\n").unwrap();
            answer(&mut socket, "run_id:00\r\n");
            answer(&mut socket, "role:master\r\nmaster_replid:00\r\n");
        }
        seen += &new;
    }
    let names = Names::new("barewire", "news");
    let channel = std::str::from_utf8(names.channel()).unwrap();
    let at = channel.len();
    let subscribed = format!(">3\r\n$10\r\nssubscribe\r\n${at}\r\n{channel}\r\n:1\r\n");
    socket.write_all(subscribed.as_bytes()).unwrap();
    let many = push().repeat(1_000);
    for _ in 0..COUNT / 1_000 {
        socket.write_all(&many).unwrap();
    }
    thread::sleep(Duration::from_secs(1));
}

/// Processor time of the backplane's thread, in seconds.
fn processor_time() -> f64 {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let stats = tasks.filter_map(|it| fs::read_to_string(it.ok()?.path().join("stat")).ok());
    let stat = stats.into_iter().find(|it| it.contains("(barewire-redis)"));
    let stat = stat.expect("the thread runs");
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    ticks / 100.0
}

fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || broker(listener.accept().unwrap().0));
    let backplane = RedisBackplane::new(RedisOptions::at(&address).unwrap()).unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counts = count.clone();
    let deliver = move |it| {
        black_box(&it);
        counts.fetch_add(1, Ordering::Relaxed);
    };
    let line = backplane.subscribe("news", None, Inlet::new(deliver, |_| {}));
    line.first_member();
    while count.load(Ordering::Relaxed) == 0 {
        thread::yield_now();
    }
    let (begun, before) = (Instant::now(), count.load(Ordering::Relaxed));
    let time = processor_time();
    while count.load(Ordering::Relaxed) < COUNT {
        thread::sleep(Duration::from_millis(1));
    }
    let (passed, came) = (begun.elapsed().as_secs_f64(), (COUNT - before) as f64);
    let time = (processor_time() - time) / came * 1e6;
    println!(
        "received  {time:.3} us of processor time a message, {:.0} a second",
        came / passed
    );

    let many = push().repeat(1_000);
    let mut session = Session::<()>::new(1 << 20);
    let begun = Instant::now();
    for _ in 0..COUNT / 1_000 {
        let read = session.receive(&many, |_, incoming| {
            if let Incoming::Message { message, .. } = incoming {
                black_box(Message::parse(message));
            }
            Ok(())
        });
        read.unwrap();
    }
    let time = begun.elapsed().as_secs_f64() / COUNT as f64 * 1e6;
    println!("read      {time:.3} us a message: the reply, and the message in it");
}
