//! WebSocket: unmasking, frame heads, whole text messages against tungstenite, the lending of
//! states to compress with, compressed echoes, UTF-8 and the accept key.

#[path = "servers/src/bin/load/json.rs"]
#[allow(
    unreachable_pub,
    reason = "the load of the servers is made of them, too"
)]
mod json;

use std::hint::black_box;
use std::io::{self, Cursor, Read, Write};
use std::time::{Duration, SystemTime};

use barewire::http::{CallContext, OwnedScratch};
use barewire::websocket::deflate::{Agreement, Session};
use barewire::websocket::extension::Reserved;
use barewire::websocket::frame::{Decoded, Head, Opcode};
use barewire::websocket::handshake::accept_key;
use barewire::websocket::{Connection, Event, Kind, Limits};
use barewire::wire::codec::{
    Compression, Deflate, Deflater, Inflate, Inflated, Inflater, InvalidData,
};
use barewire::wire::{Instant, Role, Step, Utf8, simd};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tungstenite::protocol::{Role as PeerRole, WebSocket};

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
const SIZES: [usize; 6] = [16, 64, 1024, 1021, 64 << 10, 1 << 20];

/// Where a payload usually begins in memory: nowhere in particular.
const OFFSET: usize = 14;

fn unmask(c: &mut Criterion) {
    let mut group = c.benchmark_group("unmask");
    for size in SIZES {
        let mut memory = vec![0x55; OFFSET + size];
        let mut copy = vec![0; OFFSET + size];
        let expected: Vec<u8> = (0..size).map(|at| 0x55 ^ KEY[at & 3]).collect();
        simd::mask(&mut memory[OFFSET..], KEY);
        assert!(memory[OFFSET..] == expected && memory[..OFFSET] == [0x55; OFFSET]);
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(BenchmarkId::new("barewire", size), |b| {
            b.iter(|| simd::mask(black_box(&mut memory[OFFSET..]), black_box(KEY)));
        });
        group.bench_function(BenchmarkId::new("byte by byte", size), |b| {
            b.iter(|| {
                for (at, byte) in black_box(&mut memory[OFFSET..]).iter_mut().enumerate() {
                    *byte ^= black_box(KEY)[at & 3];
                }
            });
        });
        group.bench_function(BenchmarkId::new("memcpy", size), |b| {
            b.iter(|| black_box(&mut copy[OFFSET..]).copy_from_slice(black_box(&memory[OFFSET..])));
        });
    }
}

fn heads(c: &mut Criterion) {
    let mut group = c.benchmark_group("frame heads");
    for length in [16, 1024, 1 << 20] {
        let head = Head {
            fin: true,
            reserved: Reserved::NONE,
            opcode: Opcode::Binary,
            mask: Some(KEY),
            length,
        };
        let mut input = head.encode().as_bytes().to_vec();
        input.resize(64, 0);
        let decoded = Head::decode(&input, Role::Client, Reserved::NONE);
        assert!(matches!(decoded, Ok(Decoded::Head { head: shown, .. }) if shown == head));
        group.bench_function(BenchmarkId::new("decode", length), |b| {
            b.iter(|| Head::decode(black_box(&input), Role::Client, Reserved::NONE));
        });
        group.bench_function(BenchmarkId::new("encode", length), |b| {
            b.iter(|| black_box(&head).encode());
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

/// A text message as a client sends it.
fn frame(payload: &[u8]) -> Vec<u8> {
    let head = Head {
        fin: true,
        reserved: Reserved::NONE,
        opcode: Opcode::Text,
        mask: Some(KEY),
        length: payload.len() as u64,
    };
    let mut frame = head.encode().as_bytes().to_vec();
    let start = frame.len();
    frame.extend_from_slice(payload);
    simd::mask(&mut frame[start..], KEY);
    frame
}

/// Input that never ends, for a peer that reads for itself.
struct Endless {
    bytes: Vec<u8>,
    at: usize,
}

impl Read for Endless {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = Cursor::new(&self.bytes[self.at..]).read(into)?;
        self.at = (self.at + length) % self.bytes.len();
        Ok(length)
    }
}

impl Write for Endless {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        Ok(from.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The machine gives what is in the frame.
fn assert_shows(connection: &mut Connection, frame: &[u8], text: &[u8]) {
    let (mut input, mut scratch) = (frame.to_vec(), OwnedScratch::new(0));
    let lent = CallContext {
        now: Instant::START,
        date: None,
        mask_key: [0; 4],
        limits: &Limits::DEFAULT,
        scratch: scratch.lend(),
    };
    let received = connection.receive(&mut input, lent, &mut Vec::new());
    match received.expect("a valid frame").step {
        Step::Event(Event::Message { payload, .. }) => assert!(payload == text),
        other => panic!("{other:?}"),
    }
}

fn messages(c: &mut Criterion) {
    let limits = Limits::DEFAULT;
    for (kind, ascii) in [("ASCII", true), ("mixed", false)] {
        let mut group = c.benchmark_group(format!("text messages, {kind}"));
        for size in [16, 128, 1024, 64 << 10] {
            let frame = frame(&text(size, ascii));
            group.throughput(Throughput::Bytes(size as u64));
            let (mut scratch, mut out) = (OwnedScratch::new(0), Vec::new());
            let mut connection = Connection::new(Role::Server, Instant::START);
            assert_shows(&mut connection, &frame, &text(size, ascii));
            // A message is unmasked where it lies: each needs fresh bytes.
            group.bench_function(BenchmarkId::new("barewire", size), |b| {
                b.iter_batched_ref(
                    || frame.clone(),
                    |input| {
                        let lent = CallContext {
                            now: Instant::START,
                            date: None,
                            mask_key: [0; 4],
                            limits: &limits,
                            scratch: scratch.lend(),
                        };
                        let received = connection
                            .receive(input, lent, &mut out)
                            .expect("a valid frame");
                        assert!(matches!(
                            black_box(received.step),
                            Step::Event(Event::Message { .. })
                        ));
                    },
                    BatchSize::SmallInput,
                );
            });
            let endless = Endless {
                bytes: frame.repeat(((64 << 10) / frame.len()).max(1)),
                at: 0,
            };
            let mut peer = WebSocket::from_raw_socket(endless, PeerRole::Server, None);
            let shown = peer.read().expect("a valid frame").into_data();
            assert!(shown == text(size, ascii));
            group.bench_function(BenchmarkId::new("tungstenite", size), |b| {
                b.iter(|| black_box(peer.read().expect("a valid frame")));
            });
        }
    }
}

/// Codecs that do nothing, so that what is left is the cost to take one.
#[derive(Debug)]
struct Nothing;

impl Inflate for Nothing {
    fn begin(&mut self, _window: [&[u8]; 2]) {}

    fn inflate(&mut self, input: &[u8], _out: &mut [u8]) -> (Inflated, Result<(), InvalidData>) {
        let step = Inflated {
            read: input.len(),
            written: 0,
            ended: input.first() == Some(&1),
        };
        (step, Ok(()))
    }

    fn size(&self) -> usize {
        47 << 10
    }
}

impl Deflate for Nothing {
    fn begin(&mut self, _level: u8, _window: &[u8]) {}

    fn deflate(&mut self, _input: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(&[0, 0, 0, 0xff, 0xff]);
    }

    fn size(&self) -> usize {
        47 << 10
    }
}

/// A short message each way, plain and through a codec that does nothing.
fn lending(c: &mut Criterion) {
    let mut group = c.benchmark_group("lent states");
    let agreement = Agreement {
        server_no_context_takeover: true,
        client_no_context_takeover: true,
        ..Agreement::default()
    };
    let session = Session::new(&agreement, Role::Server);
    let (limits, inflater) = (Limits::DEFAULT, Inflater::with(|| Box::new(Nothing)));
    let mut scratch = OwnedScratch::new(0).with_inflater(inflater);
    let mut deflater = Deflater::with(8, |_| Box::new(Nothing));
    let (mut out, now) = (Vec::new(), Instant::START);
    for (what, first) in [("plain", 0x82), ("compressed", 0xc2)] {
        let mut connection = Connection::new(Role::Server, now);
        if what == "compressed" {
            connection = connection.compressed(session);
        }
        group.bench_function(BenchmarkId::new("received", what), |b| {
            b.iter_batched_ref(
                || vec![first, 0x81, 0, 0, 0, 0, 7],
                |input| {
                    let lent = CallContext {
                        now,
                        date: None,
                        mask_key: [0; 4],
                        limits: &limits,
                        scratch: scratch.lend(),
                    };
                    let received = connection
                        .receive(input, lent, &mut out)
                        .expect("a valid frame");
                    assert!(matches!(
                        black_box(received.step),
                        Step::Event(Event::Message { .. })
                    ));
                },
                BatchSize::SmallInput,
            );
        });
        let message = [b'a'; 64];
        group.bench_function(BenchmarkId::new("sent", what), |b| {
            b.iter(|| {
                out.clear();
                let message = black_box(&message);
                connection
                    .send_message_deflated(
                        Kind::Binary,
                        message,
                        [0; 4],
                        now,
                        &mut deflater,
                        &mut out,
                    )
                    .expect("it is open");
                black_box(&out);
            });
        });
    }
}

/// Different texts that are echoed in turn.
const TEXTS: u64 = 1024;
/// Connections that are served in turn.
const CONNECTIONS: usize = 16;

/// The processor time of this thread, so that what else the machine does counts little; where
/// the system does not tell, the time of day.
fn processor_time() -> Duration {
    std::thread::yield_now(); // else it is told as of the last tick
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.and_then(|it| it.split(' ').next()?.parse().ok());
    let since_1970 = || SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    nanos.map_or_else(since_1970, Duration::from_nanos)
}

/// Echoes by the machine alone, plain and in each mode: their difference is what the codec
/// takes of an echo.
fn compressed(c: &mut Criterion) {
    let dedicated = Compression {
        dedicated: true,
        ..Compression::DEFAULT
    };
    for size in [128, 1 << 10, 16 << 10] {
        let mut group = c.benchmark_group(format!("echoes of {size} B of JSON"));
        let modes = [
            ("plain", None),
            ("no takeover", Some(false)),
            ("takeover", Some(true)),
        ];
        for (mode, takeover) in modes {
            let mut deflater = Deflater::new();
            let number = deflater.add(dedicated);
            let make = |role| {
                let connection = Connection::new(role, Instant::START);
                let Some(takeover) = takeover else {
                    return connection;
                };
                let agreement = Agreement {
                    server_no_context_takeover: !takeover,
                    client_no_context_takeover: !takeover,
                    ..Agreement::default()
                };
                connection.compressed(Session::new(&agreement, role).compressing(number))
            };
            let (mut client, now) = (make(Role::Client), Instant::START);
            let frames: Vec<Vec<u8>> = (0..TEXTS)
                .map(|at| {
                    let (text, mut frame) = (json::json(at, size), Vec::new());
                    client
                        .send_message_deflated(
                            Kind::Text,
                            text.as_bytes(),
                            KEY,
                            now,
                            &mut deflater,
                            &mut frame,
                        )
                        .expect("it is open");
                    frame
                })
                .collect();
            let mut scratch = OwnedScratch::new(0);
            let mut servers: Vec<Connection> = Vec::new();
            let (mut at, mut input, mut out) = (0, Vec::new(), Vec::new());
            let mut echo = || {
                let (text, connection) = (at / CONNECTIONS, at % CONNECTIONS);
                if at == 0 {
                    // What comes first again refers to nothing.
                    servers = (0..CONNECTIONS).map(|_| make(Role::Server)).collect();
                }
                at = (at + 1) % (frames.len() * CONNECTIONS);
                input.clear();
                input.extend_from_slice(&frames[text]);
                out.clear();
                let lent = CallContext {
                    now,
                    date: None,
                    mask_key: [0; 4],
                    limits: &Limits::DEFAULT,
                    scratch: scratch.lend(),
                };
                let received = servers[connection]
                    .receive(&mut input, lent, &mut out)
                    .expect("a valid frame");
                let Step::Event(Event::Message { kind, payload }) = received.step else {
                    panic!("no message")
                };
                assert_eq!(payload.len(), size);
                servers[connection]
                    .send_message_deflated(kind, payload, [0; 4], now, &mut deflater, &mut out)
                    .expect("it is open");
                black_box(&out);
            };
            group.bench_function(mode, |b| {
                b.iter_custom(|times| {
                    let before = processor_time();
                    (0..times).for_each(|_| echo());
                    processor_time().saturating_sub(before)
                });
            });
        }
    }
}

fn is_utf8(bytes: &[u8]) -> bool {
    let mut check = Utf8::new();
    check.push(bytes).is_ok() && check.is_complete()
}

fn utf8(c: &mut Criterion) {
    for (kind, ascii) in [("ASCII", true), ("mixed", false)] {
        let mut group = c.benchmark_group(format!("UTF-8, {kind}"));
        for size in [16, 128, 1024, 64 << 10] {
            let text = text(size, ascii);
            let cut = [&text[..size - 1], &[0xe5]].concat();
            assert!(is_utf8(&text) && !is_utf8(&cut));
            group.throughput(Throughput::Bytes(size as u64));
            group.bench_function(BenchmarkId::new("barewire", size), |b| {
                b.iter(|| assert!(is_utf8(black_box(&text))));
            });
            group.bench_function(BenchmarkId::new("std", size), |b| {
                b.iter(|| {
                    std::str::from_utf8(black_box(&text))
                        .expect("valid text")
                        .len()
                });
            });
        }
    }
}

fn handshake(c: &mut Criterion) {
    // RFC 6455 §1.3.
    const NONCE: &[u8; 24] = b"dGhlIHNhbXBsZSBub25jZQ==";
    let theirs = tungstenite::handshake::derive_accept_key;
    assert_eq!(accept_key(NONCE).as_slice(), theirs(NONCE).as_bytes());
    c.bench_function("accept key/barewire", |b| {
        b.iter(|| accept_key(black_box(NONCE)));
    });
    c.bench_function("accept key/tungstenite", |b| {
        b.iter(|| theirs(black_box(NONCE)));
    });
}

criterion_group!(
    benches, unmask, heads, messages, lending, compressed, utf8, handshake
);
criterion_main!(benches);
