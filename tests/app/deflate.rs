//! Compressed WebSocket messages (RFC 7692) over real sockets: servers of `app`, clients of
//! `client`, rooms.

#![cfg(all(feature = "client", feature = "deflate"))]

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::app_support::{PATIENCE, Running, read_until};
use barewire::app::{App, Message, Socket, WebSocket, WebSocketRoute};
use barewire::client::{self, WebSocketError, WebSocketOptions};
use barewire::websocket::Limits;
use barewire::websocket::deflate::{ClientWindow, Offer, Policy, WindowBits};
use barewire::wire::codec::Compression;

struct Echo;

impl WebSocket for Echo {
    fn open(&mut self, socket: &mut Socket<'_, '_>) {
        socket.join("all").unwrap();
    }

    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        match message
            .as_text()
            .and_then(|text| text.strip_prefix("all: "))
        {
            Some(text) => {
                socket.publish("all", text);
            }
            None => {
                socket.send(message);
            }
        }
    }
}

fn route(policy: Policy, compression: Compression) -> WebSocketRoute<Echo> {
    WebSocketRoute::new(|_request| Ok(Echo)).deflate(policy, compression)
}

fn serve(policy: Policy, compression: Compression) -> Running {
    Running::start(App::new().websocket_route("/ws", route(policy, compression)))
}

fn url(running: &Running) -> String {
    let stream = running.connect();
    format!("ws://{}/ws", stream.peer_addr().unwrap())
}

/// A message of about this size that compresses well, and resembles the others.
fn json(seed: usize, size: usize) -> String {
    let mut text = format!("{{\"seed\":{seed},\"items\":[");
    for n in 0.. {
        if text.len() + 30 > size {
            break;
        }
        text += &format!("{{\"id\":{},\"price\":{}.5}},", seed * 7 + n, n * 13 % 1000);
    }
    text + "{}]}"
}

const DEDICATED: Compression = Compression {
    level: 6,
    threshold: 32,
    dedicated: true,
};

#[test]
fn echoes_are_whole_whatever_is_agreed_on() {
    let small = Offer {
        server_max_window_bits: WindowBits::new(9),
        client_max_window_bits: ClientWindow::AtMost(WindowBits::new(10).unwrap()),
        ..Offer::DEFAULT
    };
    let none = Offer {
        server_no_context_takeover: true,
        client_no_context_takeover: true,
        ..Offer::DEFAULT
    };
    for policy in [Policy::DEFAULT, Policy::TAKEOVER] {
        for compression in [Compression::DEFAULT, DEDICATED] {
            let running = serve(policy, compression);
            for http2 in [false, true] {
                for offers in [&[Offer::DEFAULT][..], &[small], &[none], &[]] {
                    let options = WebSocketOptions::new()
                        .http2_prior_knowledge(http2)
                        .deflate(offers, compression)
                        .no_proxy();
                    let mut socket =
                        client::WebSocket::connect_with(&url(&running), &options).unwrap();
                    for (seed, size) in [0, 10, 100, 1000, 20_000, 150_000].into_iter().enumerate()
                    {
                        for _ in 0..2 {
                            let text = json(seed, size);
                            socket.send(&*text).unwrap();
                            let back = socket.receive_within(PATIENCE).unwrap().unwrap();
                            assert_eq!(back.text(), Some(&*text));
                        }
                    }
                    let noise: Vec<u8> = (0..50_000_u32)
                        .map(|it| (it.wrapping_mul(2_654_435_761) >> 11) as u8)
                        .collect();
                    socket.send(&noise).unwrap();
                    let back = socket.receive_within(PATIENCE).unwrap().unwrap();
                    assert!(back.payload() == noise);
                    socket.close().unwrap();
                }
            }
        }
    }
}

/// Opens a WebSocket by hand, offering this; what the server agrees to.
fn open(running: &Running, offer: &str) -> (TcpStream, String) {
    let mut stream = running.connect();
    let request = format!(
        "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{offer}\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let head = read_until(&mut stream, "\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    let name = "Sec-WebSocket-Extensions: ";
    let line = head.lines().find_map(|line| line.strip_prefix(name));
    (stream, line.unwrap_or_default().to_owned())
}

/// Reads one frame of a server: its first byte and its payload.
fn read_frame(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let mut head = [0; 2];
    stream.read_exact(&mut head).unwrap();
    let length = match head[1] {
        126 => {
            let mut more = [0; 2];
            stream.read_exact(&mut more).unwrap();
            u16::from_be_bytes(more).into()
        }
        127 => {
            let mut more = [0; 8];
            stream.read_exact(&mut more).unwrap();
            u64::from_be_bytes(more) as usize
        }
        short => usize::from(short),
    };
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload).unwrap();
    (head[0], payload)
}

/// Sends one frame of a client, with a mask of zeros.
fn write_frame(stream: &mut TcpStream, first: u8, payload: &[u8]) {
    let mut frame = vec![first];
    match payload.len() {
        short @ ..126 => frame.push(0x80 | short as u8),
        _ => {
            frame.push(0x80 | 126);
            frame.extend((payload.len() as u16).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    stream.write_all(&frame).unwrap();
}

/// Inflates payloads behind each other, as a peer does that keeps its window.
fn inflate(state: &mut flate2::Decompress, payload: &[u8]) -> Vec<u8> {
    let input = [payload, &[0, 0, 0xff, 0xff]].concat();
    let mut out = Vec::with_capacity(1 << 20);
    state
        .decompress_vec(&input, &mut out, flate2::FlushDecompress::Sync)
        .unwrap();
    out
}

#[test]
fn a_route_agrees_to_what_its_policy_says() {
    let policy = Policy {
        client_window: WindowBits::new(12).unwrap(),
        ..Policy::TAKEOVER
    };
    let running = serve(policy, Compression::DEFAULT);
    let field = |value: &str| format!("Sec-WebSocket-Extensions: {value}\r\n");
    for (offer, agreed) in [
        (String::new(), ""),
        (field("x-other"), ""),
        (
            field("permessage-deflate; server_max_window_bits=8"),
            "permessage-deflate; client_no_context_takeover; server_max_window_bits=8",
        ),
        (
            field("permessage-deflate; client_max_window_bits"),
            "permessage-deflate; client_max_window_bits=12",
        ),
        // A client that does not say costs no window.
        (
            field("permessage-deflate"),
            "permessage-deflate; client_no_context_takeover",
        ),
    ] {
        assert_eq!(open(&running, &offer).1, agreed, "{offer}");
    }
    let plain = Running::start(App::new().websocket("/ws", |_| Ok(Echo)));
    let offer = field("permessage-deflate; client_max_window_bits");
    let (mut stream, agreed) = open(&plain, &offer);
    assert_eq!(agreed, "");
    write_frame(&mut stream, 0xc1, b"\0");
    assert_eq!(read_frame(&mut stream).1[..2], 1002_u16.to_be_bytes());
}

#[test]
fn a_message_to_a_room_is_compressed_once_for_each_window() {
    let running = serve(Policy::TAKEOVER, Compression::DEFAULT);
    let offer = |more: &str| format!("Sec-WebSocket-Extensions: permessage-deflate{more}\r\n");
    let (mut plain, _) = open(&running, "");
    let (mut large, _) = open(&running, &offer(""));
    let (mut small, _) = open(&running, &offer("; server_max_window_bits=9"));
    let (mut alike, _) = open(&running, &offer("; server_no_context_takeover"));
    let mut states: Vec<_> = (0..3).map(|_| flate2::Decompress::new(false)).collect();
    // What each has been sent before is in its window.
    let before = json(1, 600);
    for (stream, state) in [&mut large, &mut small].into_iter().zip(&mut states) {
        for _ in 0..2 {
            write_frame(stream, 0x81, before.as_bytes());
            let (first, payload) = read_frame(stream);
            assert_eq!(first, 0xc1);
            assert_eq!(inflate(state, &payload), before.as_bytes());
        }
    }
    let posted = json(2, 3000);
    let mut frames = Vec::new();
    write_frame(&mut plain, 0x81, format!("all: {posted}").as_bytes());
    assert_eq!(read_frame(&mut plain), (0x81, posted.clone().into_bytes()));
    for (at, stream) in [&mut large, &mut small, &mut alike].into_iter().enumerate() {
        let (first, payload) = read_frame(stream);
        assert_eq!(first, 0xc1);
        assert!(payload.len() < posted.len() / 2);
        // It refers to nothing before it, and those who keep a window keep it, too.
        let alone = inflate(&mut flate2::Decompress::new(false), &payload);
        assert_eq!(alone, posted.as_bytes());
        assert_eq!(inflate(&mut states[at], &payload), posted.as_bytes());
        frames.push(payload);
    }
    assert!(frames[0] == frames[2]);
    // Each own context begins anew behind it.
    for (at, stream) in [&mut large, &mut small].into_iter().enumerate() {
        for _ in 0..3 {
            write_frame(stream, 0x81, before.as_bytes());
            let (_, payload) = read_frame(stream);
            assert_eq!(inflate(&mut states[at], &payload), before.as_bytes());
        }
    }
    // Below the threshold it is plain for all.
    write_frame(&mut plain, 0x81, b"all: short");
    for stream in [&mut plain, &mut large, &mut small, &mut alike] {
        assert_eq!(read_frame(stream), (0x81, b"short".to_vec()));
    }
}

#[test]
fn publishing_reaches_members_over_http2_and_on_other_loops() {
    let app = App::new()
        .websocket_route("/ws", route(Policy::TAKEOVER, Compression::DEFAULT))
        .threads(2);
    let running = Running::start(app);
    let mut members: Vec<_> = (0..8)
        .map(|nth| {
            let offers = [Offer::DEFAULT];
            let options = WebSocketOptions::new()
                .http2_prior_knowledge(nth % 3 == 1)
                .deflate(
                    if nth % 4 == 3 { &[] } else { &offers },
                    Compression::DEFAULT,
                )
                .no_proxy();
            let mut socket = client::WebSocket::connect_with(&url(&running), &options).unwrap();
            socket.send("here").unwrap();
            assert_eq!(
                socket.receive_within(PATIENCE).unwrap().unwrap().text(),
                Some("here")
            );
            socket
        })
        .collect();
    for round in 0..4 {
        let posted = json(round, 2000);
        let own = json(round, 500);
        members[round].send(&*format!("all: {posted}")).unwrap();
        for member in &mut members {
            let got = member.receive_within(PATIENCE).unwrap().unwrap();
            assert_eq!(got.text(), Some(&*posted));
            member.send(&*own).unwrap();
            let got = member.receive_within(PATIENCE).unwrap().unwrap();
            assert_eq!(got.text(), Some(&*own));
        }
    }
}

#[test]
fn a_bomb_is_refused_at_the_limit() {
    let running = serve(Policy::DEFAULT, Compression::DEFAULT);
    let mut packed = Vec::with_capacity(40_000);
    let mut state = flate2::Compress::new(flate2::Compression::best(), false);
    let zeros = vec![0; 20 << 20];
    state
        .compress_vec(&zeros, &mut packed, flate2::FlushCompress::Sync)
        .unwrap();
    packed.truncate(packed.len() - 4);
    assert!(packed.len() < 65_536);
    let (mut stream, _) = open(&running, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
    write_frame(&mut stream, 0xc2, &packed);
    let (first, payload) = read_frame(&mut stream);
    assert_eq!((first, &payload[..2]), (0x88, &1009_u16.to_be_bytes()[..]));
    // And by a client, from a server whose limit is higher.
    let limits = Limits::DEFAULT.with_message(8 << 20).with_frame(8 << 20);
    let large = route(Policy::DEFAULT, Compression::DEFAULT).limits(limits);
    let running = Running::start(App::new().websocket_route("/ws", large));
    let options = WebSocketOptions::new()
        .deflate(&[Offer::DEFAULT], Compression::DEFAULT)
        .no_proxy();
    let mut socket = client::WebSocket::connect_with(&url(&running), &options).unwrap();
    socket.send(vec![0; 4 << 20]).unwrap();
    let error = socket.receive_within(PATIENCE).unwrap_err();
    assert!(!matches!(error, WebSocketError::Closed), "{error}");
    assert!(
        error.to_string().contains("longer than the limit"),
        "{error}"
    );
}

/// Counts what comes, and says how much it was.
#[derive(Default)]
struct Count(usize);

impl WebSocket for Count {
    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        match message.as_text() {
            Some(_) => {
                socket.send(&*self.0.to_string());
            }
            None => self.0 += message.payload().len(),
        }
    }
}

#[test]
fn a_gigabyte_from_a_thousand_tiny_messages_takes_the_memory_of_one() {
    const MIB: usize = 1 << 20;
    let route = WebSocketRoute::new(|_| Ok(Count::default()));
    let route = route.deflate(Policy::TAKEOVER, Compression::DEFAULT);
    let app = App::new().websocket_route("/ws", route);
    let metrics = app.metrics();
    let running = Running::start(app.threads(1));
    let mut packed = Vec::with_capacity(4096);
    let mut state = flate2::Compress::new(flate2::Compression::best(), false);
    state
        .compress_vec(&vec![0; MIB], &mut packed, flate2::FlushCompress::Sync)
        .unwrap();
    packed.truncate(packed.len() - 4);
    assert!(packed.len() < 1200);
    let (mut stream, _) = open(&running, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
    for _ in 0..1000 {
        write_frame(&mut stream, 0xc2, &packed);
    }
    // Others are served meanwhile.
    let (mut other, _) = open(&running, "");
    write_frame(&mut other, 0x81, b"how much");
    assert_eq!(read_frame(&mut other).1, b"0");
    write_frame(&mut stream, 0x81, b"how much");
    assert_eq!(
        read_frame(&mut stream).1,
        (1000 * MIB).to_string().as_bytes()
    );
    // One message, a window, states, and what a loop holds anyway.
    let snapshot = metrics.snapshot();
    let peak = snapshot.memory[0].peak();
    assert!(peak < 4 * MIB, "{peak}");
    let inflated = snapshot.compression[0].inflated();
    let bytes = (1000 * packed.len() as u64, 1000 * MIB as u64);
    assert_eq!(inflated.messages, 1000);
    assert_eq!((inflated.compressed_bytes, inflated.plain_bytes), bytes);
}
