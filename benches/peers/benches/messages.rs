//! Unmasking and whole text messages beside fastwebsockets, sockudo-ws and
//! tokio-websockets.

use std::hint::black_box;

use barewire::http::{Lent, OwnedScratch};
use barewire::websocket::extension::Reserved;
use barewire::websocket::frame::{Head, Opcode};
use barewire::websocket::{Connection, Event, Limits};
use barewire::wire::{Instant, Role, Step, simd};
use barewire_peers::Endless;
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fastwebsockets::{FragmentCollector, WebSocket};
use futures_util::{FutureExt, StreamExt};
use sockudo_ws::{Config, WebSocketStream};
use tokio_websockets::ServerBuilder;

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Where a payload usually begins in memory: nowhere in particular.
const OFFSET: usize = 14;

fn unmask(c: &mut Criterion) {
    let mut group = c.benchmark_group("unmask");
    let ways: [(&str, fn(&mut [u8], [u8; 4])); 3] = [
        ("barewire", simd::mask),
        ("fastwebsockets", fastwebsockets::unmask),
        ("sockudo-ws", sockudo_ws::simd::apply_mask),
    ];
    for size in [16, 64, 1024, 1021, 64 << 10, 1 << 20] {
        let mut memory = vec![0x55; OFFSET + size];
        group.throughput(Throughput::Bytes(size as u64));
        for (name, way) in ways {
            group.bench_function(BenchmarkId::new(name, size), |b| {
                b.iter(|| way(black_box(&mut memory[OFFSET..]), black_box(KEY)));
            });
        }
    }
}

/// A text message of `size` bytes as a client sends it.
fn frame(text: &str, size: usize) -> Vec<u8> {
    let mut payload = String::new();
    for character in text.chars().cycle() {
        if payload.len() + character.len_utf8() > size {
            break;
        }
        payload.push(character);
    }
    let head = Head {
        fin: true,
        reserved: Reserved::NONE,
        opcode: Opcode::Text,
        mask: Some(KEY),
        length: payload.len() as u64,
    };
    let mut frame = head.encode().as_bytes().to_vec();
    let start = frame.len();
    frame.extend_from_slice(payload.as_bytes());
    simd::mask(&mut frame[start..], KEY);
    frame
}

fn messages(c: &mut Criterion) {
    let texts = [
        ("ASCII", "The quick brown fox jumps over the lazy dog. "),
        ("mixed", "Größe und 大きさ, длина слова; "),
    ];
    for (kind, text) in texts {
        let mut group = c.benchmark_group(format!("text messages, {kind}"));
        for size in [16, 128, 1024, 64 << 10] {
            let frame = frame(text, size);
            group.throughput(Throughput::Bytes(size as u64));
            let limits = Limits::DEFAULT;
            let (mut scratch, mut out) = (OwnedScratch::new(0), Vec::new());
            let mut connection = Connection::new(Role::Server, Instant::START);
            // A message is unmasked where it lies: each needs fresh bytes.
            group.bench_function(BenchmarkId::new("barewire", size), |b| {
                b.iter_batched_ref(
                    || frame.clone(),
                    |input| {
                        let lent = Lent {
                            now: Instant::START,
                            date: None,
                            chance: [0; 4],
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
            let socket =
                WebSocket::after_handshake(Endless::new(&frame), fastwebsockets::Role::Server);
            let mut peer = FragmentCollector::new(socket);
            group.bench_function(BenchmarkId::new("fastwebsockets", size), |b| {
                b.iter(|| {
                    let read = peer.read_frame().now_or_never().expect("input is there");
                    black_box(read.expect("a valid frame").payload.len())
                });
            });
            let mut peer = WebSocketStream::server(Endless::new(&frame), Config::default());
            group.bench_function(BenchmarkId::new("sockudo-ws", size), |b| {
                b.iter(|| {
                    let read = peer.next().now_or_never().expect("input is there");
                    black_box(read.expect("no end").expect("a valid frame"))
                });
            });
            let mut peer = ServerBuilder::new().serve(Endless::new(&frame));
            group.bench_function(BenchmarkId::new("tokio-websockets", size), |b| {
                b.iter(|| {
                    let read = peer.next().now_or_never().expect("input is there");
                    black_box(read.expect("no end").expect("a valid frame"))
                });
            });
        }
    }
}

criterion_group!(benches, unmask, messages);
criterion_main!(benches);
