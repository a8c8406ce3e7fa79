//! Server-sent events, decoded, beside eventsource-stream and sse-stream.

use std::convert::Infallible;
use std::hint::black_box;

use barewire::sse::{Decoded, Decoder, Limits};
use barewire::wire::Step;
use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use eventsource_stream::Eventsource;
use futures_util::{FutureExt, StreamExt, stream};
use sse_stream::SseByteStream;

const EVENTS: usize = 64;

fn decode(c: &mut Criterion) {
    let cases = [
        ("18 B", "data: 1720000000\n\n".to_owned()),
        (
            "238 B",
            format!("data: {}\n\n", "{\"token\":\"abc\"} ".repeat(15)),
        ),
        (
            "128 B",
            format!(
                "id: 1720000000-17\nevent: temperature\ndata: {}\n\n",
                "0123456789".repeat(8)
            ),
        ),
        (
            "64 KiB",
            format!("data: {}\n\n", "0123456789abcdef".repeat(4096)),
        ),
    ];
    let limits = Limits::DEFAULT;
    let mut group = c.benchmark_group("events, decoded");
    for (name, event) in cases {
        let mut input = event.repeat(EVENTS).into_bytes();
        let shared = Bytes::from(input.clone());
        let pieces = || stream::iter([Ok::<_, Infallible>(shared.clone())]);
        group.throughput(Throughput::Elements(EVENTS as u64));
        group.bench_function(BenchmarkId::new("barewire", name), |b| {
            b.iter(|| {
                let (mut decoder, mut at, mut count) = (Decoder::new(), 0, 0);
                while at < input.len() {
                    let received = decoder
                        .receive(&mut input[at..], &limits)
                        .expect("within the limits");
                    at += received.used;
                    match received.step {
                        Step::Event(Decoded::Message(message)) => {
                            black_box(message);
                            count += 1;
                        }
                        Step::Event(_) => {}
                        _ => break,
                    }
                }
                assert_eq!(count, EVENTS);
            });
        });
        group.bench_function(BenchmarkId::new("eventsource-stream", name), |b| {
            b.iter(|| {
                let count = pieces().eventsource().map(black_box).count().now_or_never();
                assert_eq!(count, Some(EVENTS));
            });
        });
        group.bench_function(BenchmarkId::new("sse-stream", name), |b| {
            b.iter(|| {
                let events = SseByteStream::new(pieces());
                assert_eq!(events.map(black_box).count().now_or_never(), Some(EVENTS));
            });
        });
    }
}

criterion_group!(benches, decode);
criterion_main!(benches);
