//! gRPC's message framing beside tonic's, with a codec that leaves the bytes
//! alone. Either shows its messages once before it is timed.

use std::hint::black_box;
use std::pin::pin;

use barewire::grpc::Limits;
use barewire::grpc::frame::{Compression, Decoder, Frame, encode_message};
use barewire::wire::Step;
use bytes::{Buf, BufMut, Bytes};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use futures_util::{FutureExt, stream};
use http_body_util::{BodyExt, Full};
use tonic::Status;
use tonic::codec::{
    DecodeBuf, Decoder as TonicDecoder, EncodeBody, EncodeBuf, Encoder,
    SingleMessageCompressionOverride, Streaming,
};

const MESSAGES: usize = 64;
const SIZES: [usize; 3] = [16, 100, 4096];

struct Raw;

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put(item);
        Ok(())
    }
}

impl TonicDecoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}

fn body(message: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for _ in 0..MESSAGES {
        encode_message(message, &mut body).expect("the message is short");
    }
    body
}

fn ours(input: &mut [u8], limits: &Limits, mut each: impl FnMut(&[u8])) {
    let (mut decoder, mut at) = (Decoder::native(Compression::Absent), 0);
    while at < input.len() {
        let received = decoder.receive(&mut input[at..], limits);
        let received = received.expect("a valid body");
        at += received.used;
        if let Step::Event(Frame::Message(message)) = received.step {
            each(message.bytes);
        }
    }
}

fn tonic(input: Bytes, mut each: impl FnMut(&[u8])) {
    let mut messages = Streaming::new_request(Raw, Full::new(input), None, None);
    while let Some(read) = messages.message().now_or_never() {
        match read {
            Ok(Some(message)) => each(&message),
            Ok(None) => return,
            Err(status) => panic!("{status}"),
        }
    }
}

fn decode(c: &mut Criterion) {
    let mut group = c.benchmark_group("gRPC messages, decoded");
    let limits = Limits::DEFAULT;
    for size in SIZES {
        let message = vec![0x2a; size];
        let mut input = body(&message);
        let shared = Bytes::from(input.clone());
        let mut counts = [0; 2];
        ours(&mut input, &limits, |came| {
            counts[0] += usize::from(came == message)
        });
        tonic(shared.clone(), |came| {
            counts[1] += usize::from(came == message)
        });
        assert_eq!(counts, [MESSAGES; 2]);
        let look = |message: &[u8]| {
            black_box(message.len());
        };
        group.throughput(Throughput::Elements(MESSAGES as u64));
        group.bench_function(BenchmarkId::new("barewire", size), |b| {
            b.iter(|| ours(&mut input, &limits, look));
        });
        group.bench_function(BenchmarkId::new("tonic", size), |b| {
            b.iter(|| tonic(shared.clone(), look));
        });
    }
}

fn encode(c: &mut Criterion) {
    let mut group = c.benchmark_group("gRPC messages, encoded");
    for size in SIZES {
        let message = Bytes::from(vec![0x2a; size]);
        let mut out = Vec::with_capacity(MESSAGES * (size + 5));
        let mut ours = || {
            out.clear();
            for _ in 0..MESSAGES {
                encode_message(black_box(&message), &mut out).expect("the message is short");
            }
            out.len()
        };
        let messages = || vec![Ok::<_, Status>(message.clone()); MESSAGES];
        let tonic = |messages: Vec<Result<Bytes, Status>>| {
            let normal = SingleMessageCompressionOverride::default();
            let mut body = pin!(EncodeBody::new_server(
                Raw,
                stream::iter(messages),
                None,
                normal,
                None
            ));
            let mut length = 0;
            while let Some(Some(frame)) = body.frame().now_or_never() {
                // Behind the last message come trailers.
                if let Ok(data) = frame.expect("no failure").into_data() {
                    length += data.len();
                }
            }
            length
        };
        let expected = body(&message).len();
        assert_eq!(ours(), expected);
        assert_eq!(tonic(messages()), expected);
        group.throughput(Throughput::Elements(MESSAGES as u64));
        group.bench_function(BenchmarkId::new("barewire", size), |b| b.iter(&mut ours));
        group.bench_function(BenchmarkId::new("tonic", size), |b| {
            b.iter_batched(messages, tonic, BatchSize::SmallInput);
        });
    }
}

criterion_group!(benches, decode, encode);
criterion_main!(benches);
