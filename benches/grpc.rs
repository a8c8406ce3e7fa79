//! gRPC's message framing against a bare reading of the five bytes.

use std::hint::black_box;

use barewire::grpc::frame::{Decoder, Frame, encode_message};
use barewire::grpc::{Compression, Limits};
use barewire::wire::Step;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const MESSAGES: usize = 64;

fn stream(size: usize) -> Vec<u8> {
    let (message, mut body) = (vec![0x2a; size], Vec::new());
    for _ in 0..MESSAGES {
        encode_message(&message, &mut body).expect("the message is short");
    }
    body
}

/// Reads all messages of a body.
fn read(input: &mut [u8], limits: &Limits, mut each: impl FnMut(&[u8])) {
    let (mut decoder, mut at) = (Decoder::native(Compression::Absent), 0);
    while at < input.len() {
        let received = decoder.receive(&mut input[at..], limits);
        let received = received.expect("a valid body");
        at += received.used;
        match received.step {
            Step::Event(Frame::Message(message)) => each(message.bytes),
            other => panic!("{other:?}"),
        }
    }
}

/// The same without a check of anything.
fn by_hand(input: &[u8], mut each: impl FnMut(&[u8])) {
    let mut rest = input;
    while let Some((&[_, a, b, c, d], body)) = rest.split_first_chunk() {
        let (message, behind) = body.split_at(u32::from_be_bytes([a, b, c, d]) as usize);
        each(message);
        rest = behind;
    }
}

fn decode(c: &mut Criterion) {
    let mut group = c.benchmark_group("gRPC messages, decoded");
    let limits = Limits::DEFAULT;
    for size in [16, 100, 4096] {
        let mut input = stream(size);
        let (message, mut ours, mut theirs) = (vec![0x2a; size], 0, 0);
        read(&mut input, &limits, |bytes| {
            ours += usize::from(bytes == message);
        });
        by_hand(&input, |bytes| theirs += usize::from(bytes == message));
        assert_eq!([ours, theirs], [MESSAGES; 2]);
        let look = |bytes: &[u8]| {
            black_box(bytes);
        };
        group.throughput(Throughput::Elements(MESSAGES as u64));
        group.bench_function(BenchmarkId::new("barewire", size), |b| {
            b.iter(|| read(&mut input, &limits, look));
        });
        group.bench_function(BenchmarkId::new("by hand", size), |b| {
            b.iter(|| by_hand(&input, look));
        });
    }
}

fn encode(c: &mut Criterion) {
    let mut group = c.benchmark_group("gRPC messages, encoded");
    for size in [16, 100, 4096] {
        let (message, mut out) = (vec![0x2a; size], Vec::with_capacity(8192));
        encode_message(&message, &mut out).expect("the message is short");
        assert_eq!(out[..5], [&[0], &(size as u32).to_be_bytes()[..]].concat());
        assert_eq!(out[5..], message);
        group.bench_function(BenchmarkId::new("barewire", size), |b| {
            b.iter(|| {
                out.clear();
                encode_message(black_box(&message), &mut out).expect("the message is short");
                black_box(out.len())
            });
        });
        group.bench_function(BenchmarkId::new("by hand", size), |b| {
            b.iter(|| {
                out.clear();
                let message = black_box(&message);
                out.push(0);
                out.extend_from_slice(&(message.len() as u32).to_be_bytes());
                out.extend_from_slice(message);
                black_box(out.len())
            });
        });
    }
}

criterion_group!(benches, decode, encode);
criterion_main!(benches);
