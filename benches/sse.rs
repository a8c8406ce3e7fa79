//! Server-sent events, both ways, against a scan for line ends and against
//! appending by hand.

use std::hint::black_box;

#[cfg(feature = "client")]
use barewire::client::{EventSourceCore, EventSourceOptions};
#[cfg(feature = "client")]
use barewire::http::Method;
use barewire::sse::{Decoded, Decoder, Event, Limits, Message};
#[cfg(feature = "client")]
use barewire::wire::Instant;
use barewire::wire::Step;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// Events in kind and size: a tick, a token of a language model, a full one,
/// a page.
fn events() -> [(&'static str, String); 4] {
    let token = "data: {\"id\":\"chatcmpl-0123456789\",\"object\":\"chat.completion.chunk\",\"created\":1720000000,\
        \"model\":\"a-model-of-some-size\",\"system_fingerprint\":\"fp_0123456789\",\"choices\":[{\"index\":0,\
        \"delta\":{\"content\":\" token\"},\"finish_reason\":null}]}\n\n";
    let full = "id: 1720000000-17\nevent: temperature\ndata: {\"sensor\":\"roof\",\"celsius\":21.5,\"humidity\":0.43}\n\
        data: {\"battery\":0.97,\"signal\":-61}\n\n";
    [
        ("tick", "data: 1720000000\n\n".into()),
        ("token", token.into()),
        ("id and event", full.into()),
        (
            "64 KiB",
            format!("data: {}\n\n", "0123456789abcdef".repeat(4096)),
        ),
    ]
}

/// The data of an event, its lines joined.
fn data_of(event: &str) -> String {
    let lines = event.lines().filter_map(|line| line.strip_prefix("data: "));
    lines.collect::<Vec<_>>().join("\n")
}

/// Reads all events of an input.
fn read(input: &mut [u8], limits: &Limits, mut each: impl FnMut(Message<'_>)) {
    let (mut decoder, mut at) = (Decoder::new(), 0);
    while at < input.len() {
        let received = decoder.receive(&mut input[at..], limits);
        let received = received.expect("within the limits");
        at += received.used;
        match received.step {
            Step::Event(Decoded::Message(message)) => each(message),
            Step::Event(_) => {}
            _ => break,
        }
    }
}

/// Reads all events of an input, as a client that would come back.
#[cfg(feature = "client")]
fn follow(source: &mut EventSourceCore, input: &mut [u8], mut each: impl FnMut(Message<'_>)) {
    let mut at = 0;
    while at < input.len() {
        let received = source.receive(&mut input[at..]);
        let received = received.expect("within the limits");
        at += received.used;
        match received.step {
            Step::Event(Decoded::Message(message)) => each(message),
            Step::Event(_) => {}
            _ => break,
        }
    }
}

/// A source whose stream is open.
#[cfg(feature = "client")]
fn open_source() -> EventSourceCore {
    let options = EventSourceOptions::new().end_data("[DONE]");
    let mut source = EventSourceCore::new(Method::GET, options).expect("an ID that can be sent");
    source.next(Instant::START);
    source.response(200, Some(b"text/event-stream"), None, Instant::START, 0);
    source
}

fn decode(c: &mut Criterion) {
    const EVENTS: usize = 64;
    let mut group = c.benchmark_group("events, decoded");
    let limits = Limits::DEFAULT;
    for (name, event) in events() {
        let mut input = event.repeat(EVENTS).into_bytes();
        let data = data_of(&event);
        let mut right = 0;
        read(&mut input, &limits, |message| {
            right += usize::from(message.data.decode() == data);
        });
        assert_eq!(right, EVENTS);
        group.throughput(Throughput::Elements(EVENTS as u64));
        group.bench_function(BenchmarkId::new("barewire", name), |b| {
            b.iter(|| {
                let mut count = 0;
                read(&mut input, &limits, |message| {
                    black_box(message);
                    count += 1;
                });
                assert_eq!(count, EVENTS);
            });
        });
        #[cfg(feature = "client")]
        group.bench_function(BenchmarkId::new("event source", name), |b| {
            let mut source = open_source();
            b.iter(|| {
                let mut count = 0;
                follow(&mut source, &mut input, |message| {
                    black_box(message);
                    count += 1;
                });
                assert_eq!(count, EVENTS);
            });
        });
        group.bench_function(BenchmarkId::new("line scan", name), |b| {
            b.iter(|| black_box(&input).split(|&byte| byte == b'\n').count());
        });
    }
}

/// Appends an event whose values are of one line.
fn by_hand(event: &Event<'_>, out: &mut Vec<u8>) {
    let fields = [
        ("event: ", event.event),
        ("id: ", event.id),
        ("data: ", event.data),
    ];
    for (field, value) in fields {
        if let Some(value) = value {
            out.extend_from_slice(field.as_bytes());
            out.extend_from_slice(value.as_bytes());
            out.push(b'\n');
        }
    }
    out.push(b'\n');
}

fn encode(c: &mut Criterion) {
    let mut group = c.benchmark_group("events, encoded");
    let token = &events()[1].1;
    let token = &token["data: ".len()..token.len() - 2];
    let cases = [
        ("tick", Event::new("1720000000")),
        ("token", Event::new(token)),
        (
            "id and event",
            Event::new("{\"sensor\":\"roof\"}")
                .event("temperature")
                .id("1720000000-17"),
        ),
    ];
    let mut out = Vec::with_capacity(4096);
    for (name, event) in cases {
        let (mut ours, mut expected) = (Vec::new(), Vec::new());
        event.encode(&mut ours).expect("a valid event");
        by_hand(&event, &mut expected);
        assert_eq!(ours, expected);
        group.bench_function(BenchmarkId::new("barewire", name), |b| {
            b.iter(|| {
                out.clear();
                black_box(&event).encode(&mut out).expect("a valid event");
                black_box(out.len())
            });
        });
        group.bench_function(BenchmarkId::new("by hand", name), |b| {
            b.iter(|| {
                out.clear();
                by_hand(black_box(&event), &mut out);
                black_box(out.len())
            });
        });
    }
}

criterion_group!(benches, decode, encode);
criterion_main!(benches);
