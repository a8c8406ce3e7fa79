//! WebSocket: unmasking, frame heads, UTF-8, the accept key and whole text
//! messages, beside the crates that servers are made of. Every way is made to
//! show its result once before it is timed.

use std::hint::black_box;
use std::io::Cursor;

use barewire::http::{CallContext, OwnedScratch};
use barewire::websocket::extension::Reserved;
use barewire::websocket::frame::{Decoded, Head, Opcode};
use barewire::websocket::handshake::accept_key;
use barewire::websocket::{Connection, Event, Limits};
use barewire::wire::{Instant, Role, Step, Utf8, simd};
use barewire_peers::Endless;
use criterion::measurement::WallTime;
use criterion::{
    BatchSize, BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
};
use fastwebsockets::{FragmentCollector, WebSocket};
use futures_util::{FutureExt, StreamExt};
use sockudo_ws::{Config, WebSocketStream};
use soketto::base;
use soketto::connection::{Builder, Mode};
use tokio_websockets::ServerBuilder;
use tungstenite::protocol::frame::FrameHeader;
use wtx::collection::Vector;
use wtx::rng::Xorshift64;
use wtx::web_socket::{WebSocketBuffer, WebSocketOwned, WebSocketPayloadOrigin};
use yawc::Options;

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Where a payload usually begins in memory: nowhere in particular.
const OFFSET: usize = 14;

fn soketto_mask(bytes: &mut [u8], key: [u8; 4]) {
    let mut head = base::Header::new(base::OpCode::Binary);
    head.set_masked(true).set_mask(u32::from_be_bytes(key));
    base::Codec::apply_mask(&head, bytes);
}

fn unmask(c: &mut Criterion) {
    let mut group = c.benchmark_group("unmask");
    let ways: [(&str, fn(&mut [u8], [u8; 4])); 5] = [
        ("barewire", simd::mask),
        ("fastwebsockets", fastwebsockets::unmask),
        ("sockudo-ws", sockudo_ws::simd::apply_mask),
        ("soketto", soketto_mask),
        ("yawc", yawc::mask::apply_mask),
    ];
    for size in [16, 64, 1024, 1021, 64 << 10, 1 << 20] {
        let mut memory: Vec<u8> = (0..OFFSET + size).map(|at| at as u8).collect();
        let fresh = memory.clone();
        let masked = memory[OFFSET..].iter().zip(KEY.iter().cycle());
        let expected: Vec<u8> = masked.map(|(byte, key)| byte ^ key).collect();
        group.throughput(Throughput::Bytes(size as u64));
        for (name, way) in ways {
            // What was timed before left the bytes masked, or not.
            let mut shown = fresh.clone();
            way(&mut shown[OFFSET..], KEY);
            assert!(shown[OFFSET..] == expected, "{name}");
            group.bench_function(BenchmarkId::new(name, size), |b| {
                b.iter(|| way(black_box(&mut memory[OFFSET..]), black_box(KEY)));
            });
        }
    }
}

fn head(opcode: Opcode, length: u64) -> Vec<u8> {
    let head = Head {
        fin: true,
        reserved: Reserved::NONE,
        opcode,
        mask: Some(KEY),
        length,
    };
    head.encode().as_bytes().to_vec()
}

fn heads(c: &mut Criterion) {
    let mut group = c.benchmark_group("frame heads");
    for length in [16, 1024, 1 << 20] {
        let mut input = head(Opcode::Binary, length);
        input.resize(64, 0);
        let ours = |input: &[u8]| match Head::decode(input, Role::Client, Reserved::NONE) {
            Ok(Decoded::Head { head, .. }) => head.length,
            other => panic!("{other:?}"),
        };
        let tungstenite = |input: &[u8]| match FrameHeader::parse(&mut Cursor::new(input)) {
            Ok(Some((_, length))) => length,
            other => panic!("{other:?}"),
        };
        let mut codec = base::Codec::new();
        codec.set_max_data_size(1 << 20);
        let soketto = |input: &[u8]| match codec.decode_header(input) {
            Ok(soketto::Parsing::Done { value, .. }) => value.payload_len() as u64,
            _ => panic!("the head is whole"),
        };
        let ways: [(&str, &dyn Fn(&[u8]) -> u64); 3] = [
            ("barewire", &ours),
            ("tungstenite", &tungstenite),
            ("soketto", &soketto),
        ];
        for (name, way) in ways {
            assert_eq!(way(&input), length, "{name}");
        }
        // Not through the table: a call through a pointer would count.
        group.bench_function(BenchmarkId::new("barewire", length), |b| {
            b.iter(|| ours(black_box(&input)));
        });
        group.bench_function(BenchmarkId::new("tungstenite", length), |b| {
            b.iter(|| tungstenite(black_box(&input)));
        });
        group.bench_function(BenchmarkId::new("soketto", length), |b| {
            b.iter(|| soketto(black_box(&input)));
        });
    }
}

/// `size` bytes, of one byte a character or of one to three.
fn text(size: usize, ascii: bool) -> Vec<u8> {
    let text = if ascii {
        "The quick brown fox jumps over the lazy dog. "
    } else {
        "Größe und 大きさ, длина слова; "
    };
    let mut bytes = Vec::new();
    for character in text.chars().cycle() {
        let mut memory = [0; 4];
        let encoded = character.encode_utf8(&mut memory);
        if bytes.len() + encoded.len() > size {
            bytes.resize(size, b'.');
            return bytes;
        }
        bytes.extend_from_slice(encoded.as_bytes());
    }
    bytes
}

fn utf8(c: &mut Criterion) {
    let ways: [(&str, fn(&[u8]) -> bool); 3] = [
        ("barewire", |text| {
            let mut check = Utf8::new();
            check.push(text).is_ok() && check.is_complete()
        }),
        ("std", |text| std::str::from_utf8(text).is_ok()),
        ("simdutf8", |text| simdutf8::basic::from_utf8(text).is_ok()),
    ];
    for (kind, ascii) in [("ASCII", true), ("mixed", false)] {
        let mut group = c.benchmark_group(format!("UTF-8, {kind}"));
        for size in [16, 128, 1024, 64 << 10] {
            let text = text(size, ascii);
            let cut = [&text[..], b"\xe5\xa4"].concat();
            group.throughput(Throughput::Bytes(size as u64));
            for (name, way) in ways {
                assert!(way(&text) && !way(&cut), "{name}");
                group.bench_function(BenchmarkId::new(name, size), |b| {
                    b.iter(|| way(black_box(&text)));
                });
            }
        }
    }
}

fn handshake(c: &mut Criterion) {
    const NONCE: &[u8] = b"dGhlIHNhbXBsZSBub25jZQ==";
    const ACCEPT: &[u8] = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="; // RFC 6455 §1.3
    let derive = tungstenite::handshake::derive_accept_key;
    assert_eq!(accept_key(NONCE).as_slice(), ACCEPT);
    assert_eq!(derive(NONCE).as_bytes(), ACCEPT);
    let mut group = c.benchmark_group("accept key");
    group.bench_function("barewire", |b| b.iter(|| accept_key(black_box(NONCE))));
    group.bench_function("tungstenite", |b| b.iter(|| derive(black_box(NONCE))));
}

/// Reads a message from a peer that is polled: there is always input.
macro_rules! now {
    ($future:expr) => {
        $future.now_or_never().expect("input is there")
    };
}

/// Times a peer that reads for itself.
fn peer(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    expected: &[u8],
    mut read: impl FnMut(&mut dyn FnMut(&[u8])),
) {
    for _ in 0..3 {
        let mut right = false;
        read(&mut |payload| right = payload == expected);
        assert!(right, "{name}");
    }
    group.bench_function(BenchmarkId::new(name, expected.len()), |b| {
        b.iter(|| {
            read(&mut |payload| {
                black_box(payload.len());
            });
        });
    });
}

fn messages(c: &mut Criterion) {
    for (kind, ascii) in [("ASCII", true), ("mixed", false)] {
        let mut group = c.benchmark_group(format!("text messages, {kind}"));
        for size in [16, 128, 1024, 64 << 10] {
            let text = text(size, ascii);
            let mut frame = head(Opcode::Text, size as u64);
            let start = frame.len();
            frame.extend_from_slice(&text);
            simd::mask(&mut frame[start..], KEY);
            group.throughput(Throughput::Bytes(size as u64));
            ours(&mut group, &frame, &text);
            peers(&mut group, &frame, &text);
        }
    }
}

fn ours(group: &mut BenchmarkGroup<'_, WallTime>, frame: &[u8], text: &[u8]) {
    let limits = Limits::DEFAULT;
    let (mut scratch, mut out) = (OwnedScratch::new(0), Vec::new());
    let mut connection = Connection::new(Role::Server, Instant::START);
    let mut read = |input: &mut Vec<u8>, expected: Option<&[u8]>| {
        let lent = CallContext {
            now: Instant::START,
            date: None,
            mask_key: [0; 4],
            limits: &limits,
            scratch: scratch.lend(),
        };
        let received = connection.receive(input, lent, &mut out);
        match black_box(received.expect("a valid frame").step) {
            Step::Event(Event::Message { payload, .. }) => {
                assert!(expected.is_none_or(|expected| payload == expected));
            }
            other => panic!("{other:?}"),
        }
    };
    read(&mut frame.to_vec(), Some(text));
    // A message is unmasked where it lies: each needs fresh bytes.
    group.bench_function(BenchmarkId::new("barewire", text.len()), |b| {
        b.iter_batched_ref(
            || frame.to_vec(),
            |input| read(input, None),
            BatchSize::SmallInput,
        );
    });
}

fn peers(group: &mut BenchmarkGroup<'_, WallTime>, frame: &[u8], text: &[u8]) {
    let input = || Endless::new(frame);
    let role = tungstenite::protocol::Role::Server;
    let mut socket = tungstenite::protocol::WebSocket::from_raw_socket(input(), role, None);
    peer(group, "tungstenite", text, |look| {
        look(&socket.read().expect("a valid frame").into_data());
    });
    let socket = WebSocket::after_handshake(input(), fastwebsockets::Role::Server);
    let mut socket = FragmentCollector::new(socket);
    peer(group, "fastwebsockets", text, |look| {
        look(&now!(socket.read_frame()).expect("a valid frame").payload);
    });
    let mut socket = WebSocketStream::server(input(), Config::default());
    peer(group, "sockudo-ws", text, |look| {
        let message = now!(socket.next()).expect("no end").expect("a valid frame");
        look(message.as_bytes());
    });
    let mut socket = ServerBuilder::new().serve(input());
    peer(group, "tokio-websockets", text, |look| {
        let message = now!(socket.next()).expect("no end").expect("a valid frame");
        look(message.as_payload());
    });
    let options = Options::default().with_utf8();
    let mut socket = yawc::WebSocket::from_stream(input(), yawc::Role::Server, options)
        .expect("the options are valid");
    peer(group, "yawc", text, |look| {
        let frame = now!(socket.next_frame()).expect("a valid frame");
        look(frame.payload());
    });
    let random = Xorshift64::from(1);
    let mut socket =
        WebSocketOwned::<_, _, _, false>::new((), false, random, input(), WebSocketBuffer::new());
    let mut buffer = Vector::new();
    peer(group, "wtx", text, |look| {
        let frame = now!(socket.read_frame(&mut buffer, WebSocketPayloadOrigin::Adaptive));
        look(frame.expect("a valid frame").payload());
    });
    let (_, mut socket) = Builder::new(input(), Mode::Server).finish();
    let mut message = Vec::new();
    peer(group, "soketto", text, |look| {
        message.clear();
        now!(socket.receive_data(&mut message)).expect("a valid frame");
        look(&message);
    });
}

criterion_group!(benches, unmask, heads, utf8, handshake, messages);
criterion_main!(benches);
