//! Server-sent events both ways beside sse-core, sse-stream and
//! eventsource-stream. Every way shows its events once before it is timed.

use std::convert::Infallible;
use std::hint::black_box;

use barewire::sse::{Decoded, Decoder, Event, Limits};
use barewire::wire::Step;
use bytes::Bytes;
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use eventsource_stream::Eventsource;
use futures_util::{FutureExt, StreamExt, stream};
use http_body_util::BodyExt;
use sse_core::{SseDecoder, SseEvent};
use sse_stream::{Sse, SseBody, SseByteStream};

const EVENTS: usize = 64;

/// An event in parts, so that every crate can be asked for them.
struct Case {
    name: &'static str,
    id: Option<&'static str>,
    event: Option<&'static str>,
    data: String,
}

impl Case {
    fn text(&self) -> String {
        let mut text = String::new();
        for (field, value) in [("id", self.id), ("event", self.event)] {
            if let Some(value) = value {
                text.push_str(&format!("{field}: {value}\n"));
            }
        }
        text + &format!("data: {}\n\n", self.data)
    }
}

fn cases() -> [Case; 4] {
    let plain = |name, data| Case {
        name,
        id: None,
        event: None,
        data,
    };
    [
        plain("tick, 18 B", "1720000000".into()),
        plain("token, 238 B", "{\"token\":\"abc\"} ".repeat(15)),
        Case {
            name: "id, event, data, 128 B",
            id: Some("1720000000-17"),
            event: Some("temperature"),
            data: "0123456789".repeat(8),
        },
        plain("64 KiB", "0123456789abcdef".repeat(4096)),
    ]
}

/// Reads all events, calls `each` with their data.
fn ours(input: &mut [u8], limits: &Limits, mut each: impl FnMut(&str)) {
    let (mut decoder, mut at) = (Decoder::new(), 0);
    while at < input.len() {
        let received = decoder.receive(&mut input[at..], limits);
        let received = received.expect("within the limits");
        at += received.used;
        match received.step {
            Step::Event(Decoded::Message(message)) => each(&message.data.decode()),
            Step::Event(_) => {}
            _ => break,
        }
    }
}

fn sse_core(mut input: Bytes, mut each: impl FnMut(&str)) {
    let mut decoder = SseDecoder::new();
    while let Some(event) = decoder.next(&mut input) {
        if let SseEvent::Message(message) = event.expect("within the limits") {
            each(&message.data);
        }
    }
}

fn pieces(input: Bytes) -> impl futures_util::Stream<Item = Result<Bytes, Infallible>> + Unpin {
    stream::iter([Ok(input)])
}

fn eventsource_stream(input: Bytes, mut each: impl FnMut(&str)) {
    let mut events = pieces(input).eventsource();
    while let Some(Some(event)) = events.next().now_or_never() {
        each(&event.expect("within the limits").data);
    }
}

fn sse_stream(input: Bytes, mut each: impl FnMut(&str)) {
    let mut events = SseByteStream::new(pieces(input));
    while let Some(Some(event)) = events.next().now_or_never() {
        let event = event.expect("within the limits");
        each(event.data.as_deref().unwrap_or_default());
    }
}

/// Counts the events that are what they must be.
fn right<'e>(data: &'e str, count: &'e mut usize) -> impl FnMut(&str) + 'e {
    move |came| *count += usize::from(came == data)
}

fn decode(c: &mut Criterion) {
    let limits = Limits::DEFAULT;
    let mut group = c.benchmark_group("events, decoded");
    for case in cases() {
        let mut input = case.text().repeat(EVENTS).into_bytes();
        let shared = Bytes::from(input.clone());
        let mut counts = [0; 4];
        ours(&mut input, &limits, right(&case.data, &mut counts[0]));
        sse_core(shared.clone(), right(&case.data, &mut counts[1]));
        eventsource_stream(shared.clone(), right(&case.data, &mut counts[2]));
        sse_stream(shared.clone(), right(&case.data, &mut counts[3]));
        assert_eq!(counts, [EVENTS; 4]);
        let look = |data: &str| {
            black_box(data.len());
        };
        group.throughput(Throughput::Elements(EVENTS as u64));
        group.bench_function(BenchmarkId::new("barewire", case.name), |b| {
            b.iter(|| ours(&mut input, &limits, look));
        });
        group.bench_function(BenchmarkId::new("sse-core", case.name), |b| {
            b.iter(|| sse_core(shared.clone(), look));
        });
        group.bench_function(BenchmarkId::new("eventsource-stream", case.name), |b| {
            b.iter(|| eventsource_stream(shared.clone(), look));
        });
        group.bench_function(BenchmarkId::new("sse-stream", case.name), |b| {
            b.iter(|| sse_stream(shared.clone(), look));
        });
    }
}

/// The worst cut of all: a byte comes at a time, and stays where it is until
/// it is used.
fn byte_by_byte(c: &mut Criterion) {
    let limits = Limits::DEFAULT;
    let [_, _, case, _] = cases();
    let mut input = case.text().repeat(EVENTS).into_bytes();
    let mut read = |each: &mut dyn FnMut(&str)| {
        let (mut decoder, mut used) = (Decoder::new(), 0);
        for came in 1..=input.len() {
            while used < came {
                let received = decoder.receive(&mut input[used..came], &limits);
                let received = received.expect("within the limits");
                used += received.used;
                match received.step {
                    Step::Event(Decoded::Message(message)) => each(&message.data.decode()),
                    Step::Event(_) => {}
                    _ => break,
                }
            }
        }
    };
    let mut count = 0;
    read(&mut right(&case.data, &mut count));
    assert_eq!(count, EVENTS);
    let mut group = c.benchmark_group("events, byte by byte");
    group.throughput(Throughput::Elements((EVENTS * case.text().len()) as u64));
    group.bench_function("barewire", |b| {
        b.iter(|| {
            read(&mut |data| {
                black_box(data.len());
            });
        });
    });
}

fn encode(c: &mut Criterion) {
    let mut group = c.benchmark_group("events, encoded");
    for case in cases().into_iter().take(3) {
        let mut event = Event::new(&case.data);
        let mut theirs = Sse::default().data(case.data.clone());
        if let (Some(id), Some(name)) = (case.id, case.event) {
            event = event.id(id).event(name);
            theirs = theirs.id(id).event(name);
        }
        let mut out = Vec::with_capacity(EVENTS * 4096);
        let mut ours = || {
            out.clear();
            for _ in 0..EVENTS {
                black_box(&event).encode(&mut out).expect("a valid event");
            }
            out.len()
        };
        let events = || vec![theirs.clone(); EVENTS];
        let sse_stream = |events: Vec<Sse>| {
            let mut body = SseBody::new(stream::iter(events.into_iter().map(Ok::<_, Infallible>)));
            let mut length = 0;
            while let Some(Some(frame)) = body.frame().now_or_never() {
                let data = frame.expect("no failure").into_data();
                length += data.expect("no trailers").len();
            }
            length
        };
        let expected = case.text().len() * EVENTS;
        assert_eq!(ours(), expected);
        assert_eq!(sse_stream(events()), expected);
        group.throughput(Throughput::Elements(EVENTS as u64));
        group.bench_function(BenchmarkId::new("barewire", case.name), |b| {
            b.iter(&mut ours);
        });
        group.bench_function(BenchmarkId::new("sse-stream", case.name), |b| {
            b.iter_batched(events, sse_stream, BatchSize::SmallInput);
        });
    }
}

criterion_group!(benches, decode, byte_by_byte, encode);
criterion_main!(benches);
