//! Slow readers over real sockets, where the kernel holds what they have not
//! taken. Limits are short, so that they are long over before all is read; no
//! test fails because a machine is slow.
#![cfg(feature = "net")]

use core::time::Duration;
use std::io::{Read, Write};
use std::net::TcpStream;

use crate::app_support::{PATIENCE, Running};
use barewire::app::{App, Message, Socket, WebSocket};
use barewire::net::{Address, Limits};
use barewire::websocket::CloseCode;
use barewire::{http1, http2, link, websocket};
use socket2::{Domain, Socket as Raw, Type};

const SIZE: usize = 1_000_000;
/// So little that a peer has no time beyond the limits to read what it has taken:
/// only what the kernel says to be under way keeps the connection.
const FEW: usize = 60_000;
/// How long a reader rests behind 2,000 bytes: so that it needs seconds for `FEW`.
const LONG: Duration = Duration::from_millis(120);
const BRIEF: Duration = Duration::from_millis(4);
const SHORT: Duration = Duration::from_millis(200);

/// Limits that are over before a slow reader has read anything to speak of, but
/// for the one that says who takes nothing.
fn app() -> App {
    let protocols = link::Limits::DEFAULT
        .with_http1(http1::Limits::DEFAULT.with_idle_timeout(SHORT))
        .with_http2(http2::Limits::DEFAULT.with_idle_timeout(SHORT))
        .with_websocket(
            websocket::Limits::DEFAULT
                .with_ping_interval(SHORT)
                .with_pong_timeout(SHORT)
                .with_close_timeout(SHORT),
        );
    App::new()
        .limits(
            Limits::DEFAULT
                .with_linger_time(SHORT)
                .with_write_progress(PATIENCE),
        )
        .protocol_limits(protocols)
        .get("/bytes", |_request, reply| {
            reply.bytes("x/y", vec![b'x'; SIZE].into())
        })
        .get("/few", |_request, reply| {
            reply.bytes("x/y", vec![b'x'; FEW].into())
        })
        .get("/hello", |_request, reply| reply.text("hello"))
        .websocket("/", |_request| Ok(Speaker))
}

/// Says much when it is asked, and closes when it is asked.
struct Speaker;

impl WebSocket for Speaker {
    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        match message.payload() {
            b"much" => drop(socket.send(&vec![b'x'; SIZE][..])),
            b"close" => {
                socket.send(&vec![b'x'; FEW][..]);
                let _ = socket.close(CloseCode::new(4000), "");
            }
            _ => {}
        }
    }
}

/// A connection with a receive buffer of a few KiB, so that the server's kernel
/// holds what is not read.
fn connect(running: &Running) -> TcpStream {
    let [Address::Tcp(address)] = running.server().local_addresses() else {
        panic!()
    };
    let raw = Raw::new(Domain::IPV4, Type::STREAM, None).unwrap();
    raw.set_recv_buffer_size(4096).unwrap();
    raw.connect(&(*address).into()).unwrap();
    let stream = TcpStream::from(raw);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Reads on until so many bytes are there, rests behind each piece, and calls `talk`
/// now and then.
fn read(
    stream: &mut TcpStream,
    wanted: usize,
    rest: Duration,
    mut talk: impl FnMut(&mut TcpStream, usize),
) -> Vec<u8> {
    let (mut all, mut piece) = (Vec::new(), [0; 2000]);
    while all.len() < wanted {
        let room = piece.len().min(wanted - all.len());
        match stream.read(&mut piece[..room]) {
            Ok(0) => panic!("ended with {} of {wanted} bytes", all.len()),
            Ok(n) => all.extend(&piece[..n]),
            Err(error) => panic!("{error} with {} of {wanted} bytes", all.len()),
        }
        std::thread::sleep(rest);
        talk(stream, all.len());
    }
    all
}

fn head(stream: &mut TcpStream) -> String {
    let (mut byte, mut head) = ([0], Vec::new());
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

fn socket(running: &Running) -> TcpStream {
    let mut stream = connect(running);
    let request = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    assert!(head(&mut stream).starts_with("HTTP/1.1 101 "));
    stream
}

fn text(payload: &str) -> Vec<u8> {
    let mut frame = vec![0x81, 0x80 | payload.len() as u8, 0, 0, 0, 0];
    frame.extend(payload.as_bytes());
    frame
}

/// Calls `talk` once every `every` bytes.
fn each(every: usize, mut talk: impl FnMut(&mut TcpStream)) -> impl FnMut(&mut TcpStream, usize) {
    let mut next = every;
    move |stream, read| {
        if read >= next {
            next = read + every;
            talk(stream);
        }
    }
}

#[test]
fn what_was_sent_before_a_close_arrives_while_the_peer_talks() {
    let running = Running::start(app());
    let mut stream = socket(&running);
    stream.write_all(&text("close")).unwrap();
    // Whatever it says: a closed socket would answer with a reset.
    let talk = each(4000, |stream| drop(stream.write_all(&text("hello"))));
    let all = read(&mut stream, 4 + FEW + 4, LONG, talk);
    assert!(all.ends_with(&[0x88, 2, 0x0f, 0xa0]));
}

#[test]
fn who_reads_on_is_not_stalled_though_the_kernel_says_nothing() {
    // The kernel says that there is room once a third of its queue is free, which
    // takes longer here than a peer that takes nothing has.
    let limits = Limits::DEFAULT.with_write_progress(Duration::from_secs(2));
    let app = App::new().limits(limits).get("/", |_request, reply| {
        reply.bytes("x/y", vec![b'x'; 8 << 20].into())
    });
    let running = Running::start(app);
    let mut stream = connect(&running);
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    assert!(head(&mut stream).starts_with("HTTP/1.1 200 "));
    let all = read(&mut stream, FEW * 5 / 2, LONG / 2, |_, _| {});
    assert!(all.iter().all(|&byte| byte == b'x'));
}

#[test]
fn the_next_request_behind_a_slow_answer_is_answered() {
    let running = Running::start(app());
    let mut stream = connect(&running);
    stream
        .write_all(b"GET /few HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    assert!(head(&mut stream).starts_with("HTTP/1.1 200 "));
    let mut asked = false;
    let all = read(&mut stream, FEW, LONG, |stream, read| {
        if read > FEW * 3 / 4 && !std::mem::replace(&mut asked, true) {
            let request = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
            stream.write_all(request).unwrap();
        }
    });
    assert!(all.iter().all(|&byte| byte == b'x'));
    assert!(head(&mut stream).starts_with("HTTP/1.1 200 "));
    let mut hello = [0; 5];
    stream.read_exact(&mut hello).unwrap();
    assert_eq!(&hello, b"hello");
}

#[test]
fn a_ping_that_cannot_be_seen_yet_is_not_missed() {
    let running = Running::start(app());
    let mut stream = socket(&running);
    stream.write_all(&text("much")).unwrap();
    let mut all = read(&mut stream, 10, BRIEF, |_, _| {});
    // A ping may stand in front of it.
    while !all
        .windows(2)
        .any(|pair| pair == [0x82, 127] || pair == [0x81, 127])
    {
        all.extend(read(&mut stream, 2, BRIEF, |_, _| {}));
    }
    read(&mut stream, SIZE - 100, BRIEF, |_, _| {});
    stream.write_all(&[0x8a, 0x80, 0, 0, 0, 0]).unwrap();
    // The session is alive and answers.
    stream.write_all(&text("much")).unwrap();
    read(&mut stream, SIZE / 10, BRIEF, |_, _| {});
}

#[cfg(feature = "alloc")]
#[test]
fn the_end_of_a_response_over_http2_is_not_lost() {
    let frame = |kind: u8, flags: u8, stream: u32, payload: &[u8]| {
        let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
        frame.extend([kind, flags]);
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        frame
    };
    let running = Running::start(app());
    let mut stream = connect(&running);
    let mut bytes = http2::PREFACE.to_vec();
    bytes.extend(frame(4, 0, 0, &[0, 4, 0, 0x40, 0, 0])); // windows of 4 MiB
    bytes.extend(frame(8, 0, 0, &(1_u32 << 29).to_be_bytes()));
    bytes.extend(frame(4, 1, 0, b""));
    bytes.extend(frame(1, 5, 1, b"\x82\x86\x04\x04/few\x01\x01a"));
    stream.write_all(&bytes).unwrap();
    // Not a sign that anything is read, but a reset follows if the socket is closed.
    let ping = frame(6, 0, 0, b"12345678");
    let talk = each(4000, move |stream| drop(stream.write_all(&ping)));
    read(&mut stream, FEW, LONG, talk);
}
