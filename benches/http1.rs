//! HTTP/1.1: heads with all framing decided, against httparse, which decides
//! none of it; and chunked bodies against httparse's chunk sizes.

mod inputs;

use std::hint::black_box;
use std::mem::MaybeUninit;

use barewire::http::{CallContext, Fields, Method, OwnedScratch, RequestHead, Target, Version};
use barewire::http1::{Connection, Event, Limits};
use barewire::wire::{Instant, Role, Step};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use inputs::{RESPONSE, requests};

/// What a machine is lent here.
macro_rules! lent {
    ($scratch:expr) => {
        CallContext {
            now: Instant::START,
            date: None,
            mask_key: [0; 4],
            limits: &Limits::DEFAULT,
            scratch: $scratch.lend(),
        }
    };
}

/// Names and values of a head.
type List = Vec<(Vec<u8>, Vec<u8>)>;

fn list(fields: &Fields<'_>) -> List {
    let pairs = fields
        .iter()
        .map(|field| (field.name.to_vec(), field.value.to_vec()));
    pairs.collect()
}

fn their_list(fields: &[httparse::Header<'_>]) -> List {
    let pairs = fields
        .iter()
        .map(|field| (field.name.as_bytes().to_vec(), field.value.to_vec()));
    pairs.collect()
}

/// Both find the same in the first head of an input.
fn assert_same_request(input: &mut [u8], scratch: &mut OwnedScratch, out: &mut Vec<u8>) {
    let mut fields = [httparse::EMPTY_HEADER; 100];
    let mut theirs = httparse::Request::new(&mut fields);
    theirs.parse(input).expect("the request is well-formed");
    let (method, path) = (
        theirs.method.map(str::to_owned),
        theirs.path.map(str::to_owned),
    );
    let expected = their_list(theirs.headers);
    let mut connection = Connection::new(Role::Server, Instant::START);
    let received = connection.receive(input, lent!(scratch), out);
    match received.expect("the request is well-formed").step {
        Step::Event(Event::Request { head, .. }) => {
            assert_eq!(Some(head.method.as_str()), method.as_deref());
            let query = head.target.query().map(|query| format!("?{query}"));
            let target = head.target.path().to_owned() + &query.unwrap_or_default();
            assert_eq!(Some(target), path);
            assert_eq!(list(&head.fields), expected);
        }
        other => panic!("{other:?}"),
    }
}

fn request_heads(c: &mut Criterion) {
    let mut group = c.benchmark_group("request heads");
    for (name, text) in requests() {
        let (mut input, mut scratch, mut out) =
            (text.into_bytes(), OwnedScratch::new(100), Vec::new());
        assert_same_request(&mut input, &mut scratch, &mut out);
        group.throughput(Throughput::Bytes(input.len() as u64));
        group.bench_function(BenchmarkId::new("barewire", name), |b| {
            b.iter(|| {
                let mut at = 0;
                while at < input.len() {
                    let mut connection = Connection::new(Role::Server, Instant::START);
                    let received = connection.receive(&mut input[at..], lent!(scratch), &mut out);
                    let received = received.expect("the request is well-formed");
                    assert!(matches!(
                        black_box(&received).step,
                        Step::Event(Event::Request { .. })
                    ));
                    at += received.used;
                }
            });
        });
        group.bench_function(BenchmarkId::new("httparse", name), |b| {
            b.iter(|| {
                let mut rest = &input[..];
                while !rest.is_empty() {
                    let mut fields = [const { MaybeUninit::uninit() }; 100];
                    let mut request = httparse::Request::new(&mut []);
                    let parsed = request.parse_with_uninit_headers(rest, &mut fields);
                    let used = parsed.expect("the request is well-formed").unwrap();
                    black_box(&request);
                    rest = &rest[used..];
                }
            });
        });
    }
}

fn response_head(c: &mut Criterion) {
    let mut group = c.benchmark_group("response heads");
    let (mut scratch, mut out) = (OwnedScratch::new(100), Vec::new());
    let host = [barewire::http::Field::new("Host", "example.com")];
    let head = RequestHead {
        method: Method::GET,
        target: Target::parse(b"/", Method::GET).expect("a path"),
        fields: Fields::new(&host),
        version: Version::Http11,
        protocol: None,
    };
    let mut asked = Connection::new(Role::Client, Instant::START);
    asked
        .send_request(&head, None, Instant::START, &mut out)
        .expect("nothing is under way");
    let mut input = RESPONSE.as_bytes().to_vec();
    let mut fields = [httparse::EMPTY_HEADER; 100];
    let mut theirs = httparse::Response::new(&mut fields);
    theirs
        .parse(RESPONSE.as_bytes())
        .expect("the response is well-formed");
    let received = asked
        .clone()
        .receive(&mut input, lent!(scratch), &mut out)
        .map(|received| received.step);
    match received.expect("the response is well-formed") {
        Step::Event(Event::Response { head, .. }) => {
            assert_eq!(list(&head.fields), their_list(theirs.headers))
        }
        other => panic!("{other:?}"),
    }
    group.throughput(Throughput::Bytes(input.len() as u64));
    group.bench_function("barewire", |b| {
        b.iter(|| {
            let received = asked.clone().receive(&mut input, lent!(scratch), &mut out);
            let received = received.expect("the response is well-formed");
            assert!(matches!(
                black_box(&received).step,
                Step::Event(Event::Response { .. })
            ));
        });
    });
    group.bench_function("httparse", |b| {
        b.iter(|| {
            let mut fields = [const { MaybeUninit::uninit() }; 100];
            let mut response = httparse::Response::new(&mut []);
            let parser = httparse::ParserConfig::default();
            let parsed = parser.parse_response_with_uninit_headers(
                &mut response,
                RESPONSE.as_bytes(),
                &mut fields,
            );
            black_box(parsed.expect("the response is well-formed").unwrap());
        });
    });
}

/// 256 chunks of 16 bytes: what a size line costs, the CRLF behind the data
/// and the event included on our side.
fn chunks(c: &mut Criterion) {
    const CHUNKS: usize = 256;
    let mut group = c.benchmark_group("chunks");
    let (mut scratch, mut out) = (OwnedScratch::new(100), Vec::new());
    let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let body = "10\r\n0123456789abcdef\r\n".repeat(CHUNKS) + "0\r\n\r\n";
    let mut input = (head.to_owned() + &body).into_bytes();
    let mut open = Connection::new(Role::Server, Instant::START);
    let received = open
        .receive(&mut input, lent!(scratch), &mut out)
        .expect("well-formed");
    let (at, _) = (received.used, received.step);
    open.accept_body(Instant::START, &mut out)
        .expect("a body is offered");
    let (mut connection, mut seen, mut came) = (open.clone(), at, Vec::new());
    while seen < input.len() {
        let received = connection.receive(&mut input[seen..], lent!(scratch), &mut out);
        let received = received.expect("the body is well-formed");
        if let Step::Event(Event::Body(piece)) = received.step {
            came.extend_from_slice(piece);
        }
        seen += received.used;
    }
    assert_eq!(came, b"0123456789abcdef".repeat(CHUNKS));
    group.throughput(Throughput::Elements(CHUNKS as u64));
    group.bench_function("barewire", |b| {
        b.iter(|| {
            let (mut connection, mut at) = (open.clone(), at);
            while at < input.len() {
                let received = connection.receive(&mut input[at..], lent!(scratch), &mut out);
                let received = received.expect("the body is well-formed");
                black_box(&received.step);
                at += received.used;
            }
        });
    });
    group.bench_function("httparse", |b| {
        b.iter(|| {
            let mut rest = body.as_bytes();
            while !rest.is_empty() {
                let parsed = httparse::parse_chunk_size(rest).expect("the body is well-formed");
                let (line, size) = parsed.unwrap();
                black_box(&rest[line..line + size as usize]);
                rest = &rest[line + size as usize + 2..];
            }
        });
    });
}

criterion_group!(benches, request_heads, response_head, chunks);
criterion_main!(benches);
