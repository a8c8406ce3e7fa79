//! HPACK on the public corpus of header stories, per field, beside the codecs
//! of other crates. The h2 crate shows its own only through frames, and makes a
//! map of the fields. Each decodes what the others do before it is timed.

use std::hint::black_box;
use std::io::Read;

use barewire::hpack::{Decoder, Encoder, Growing, Indexing, Room};
use barewire::http::{Field, FieldRange};
use barewire_peers::Endless;
use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use futures_util::{FutureExt, StreamExt};
use h2::Codec;
use h2::frame::Frame;
use serde_json::Value;

type List = Vec<(Vec<u8>, Vec<u8>)>;

/// One connection: its lists of fields.
type Story = Vec<List>;

fn stories() -> Vec<Story> {
    let packed = include_bytes!("../../../tests/data/hpack-test-case-nghttp2.tar.gz");
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&packed[..]));
    let mut stories = Vec::new();
    for entry in archive.entries().expect("the archive is whole") {
        let mut entry = entry.expect("the archive is whole");
        let path = entry.path().expect("the archive is whole");
        if path.extension().is_some_and(|end| end == "json") {
            let mut text = String::new();
            entry.read_to_string(&mut text).expect("stories are text");
            let story: Value = serde_json::from_str(&text).expect("stories are JSON");
            let cases = story["cases"].as_array().into_iter().flatten();
            stories.push(cases.map(list).collect());
        }
    }
    stories
}

/// What HTTP/2 forbids (RFC 9113 §8.2.2), and the h2 crate with it.
const FORBIDDEN: [&str; 6] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// The fields of a list, as far as they may stand in HTTP/2, in its order.
fn list(case: &Value) -> List {
    let fields = case["headers"].as_array().into_iter().flatten();
    let pairs = fields.filter_map(Value::as_object).flatten();
    let mut list: List = pairs
        .filter(|(name, _)| !FORBIDDEN.contains(&name.as_str()))
        .map(|(name, value)| {
            (
                name.clone().into(),
                value.as_str().unwrap_or_default().into(),
            )
        })
        .collect();
    list.sort_by_key(|(name, _)| !name.starts_with(b":"));
    list
}

/// The blocks of a story as our encoder writes them. Without indexing nearly
/// all is Huffman code.
fn ours_encoded(story: &Story, indexing: Indexing) -> Vec<Vec<u8>> {
    let mut encoder = Encoder::new(Growing::default(), 4096);
    story
        .iter()
        .map(|list| {
            let mut block = Vec::with_capacity(1 << 10);
            encoder.begin(&mut block);
            for (name, value) in list {
                encoder.encode(Field { name, value }, indexing, &mut block);
            }
            block
        })
        .collect()
}

/// The blocks of a story as literals without Huffman code and without a name
/// from a table (RFC 7541 §6.2.2).
fn plain(story: &Story) -> Vec<Vec<u8>> {
    let text = |text: &[u8], block: &mut Vec<u8>| {
        // RFC 7541 §5.1, with a prefix of seven bits.
        let mut rest = text.len();
        if rest < 127 {
            block.push(rest as u8);
        } else {
            block.push(127);
            rest -= 127;
            while rest >= 128 {
                block.push(rest as u8 | 128);
                rest >>= 7;
            }
            block.push(rest as u8);
        }
        block.extend_from_slice(text);
    };
    let encoded = |list: &List| {
        let mut block = Vec::new();
        for (name, value) in list {
            block.push(0);
            text(name, &mut block);
            text(value, &mut block);
        }
        block
    };
    story.iter().map(encoded).collect()
}

fn loona_encoded(story: &Story) -> Vec<Vec<u8>> {
    let mut encoder = loona_hpack::Encoder::new();
    story
        .iter()
        .map(|list| encoder.encode(list.iter().map(|(name, value)| (&name[..], &value[..]))))
        .collect()
}

fn httlib_encoded(story: &Story) -> Vec<Vec<u8>> {
    use httlib_hpack::Encoder;
    let mut encoder = Encoder::with_dynamic_size(4096);
    let flags = Encoder::BEST_FORMAT
        | Encoder::WITH_INDEXING
        | Encoder::HUFFMAN_NAME
        | Encoder::HUFFMAN_VALUE;
    story
        .iter()
        .map(|list| {
            let mut block = Vec::new();
            for (name, value) in list {
                let field = (name.clone(), value.clone(), flags);
                encoder.encode(field, &mut block).expect("a field");
            }
            block
        })
        .collect()
}

/// Calls `each` with every field.
type Each<'e> = &'e mut dyn FnMut(&[u8], &[u8]);

fn ours(blocks: &[Vec<u8>], memory: &mut (Vec<u8>, Vec<FieldRange>), each: Each<'_>) {
    let mut decoder = Decoder::new(Growing::default());
    for block in blocks {
        let room = Room {
            text: &mut memory.0,
            fields: &mut memory.1,
            list_limit: 64 << 10,
        };
        let decoded = decoder.decode(block, room).expect("a valid block");
        for field in decoded.fields().iter() {
            each(field.name, field.value);
        }
    }
}

fn loona(blocks: &[Vec<u8>], each: Each<'_>) {
    let mut decoder = loona_hpack::Decoder::new();
    for block in blocks {
        let decoded = decoder.decode_with_cb(block, |name, value| each(&name, &value));
        decoded.expect("a valid block");
    }
}

fn httlib(blocks: &[Vec<u8>], each: Each<'_>) {
    let mut decoder = httlib_hpack::Decoder::with_dynamic_size(4096);
    for block in blocks {
        let mut fields = Vec::new();
        let decoded = decoder.decode(&mut block.clone(), &mut fields);
        decoded.expect("a valid block");
        for (name, value, _) in &fields {
            each(name, value);
        }
    }
}

/// The blocks in HEADERS frames, one a stream.
fn frames(blocks: &[Vec<u8>]) -> Vec<u8> {
    let mut frames = Vec::new();
    for (index, block) in blocks.iter().enumerate() {
        frames.extend_from_slice(&(block.len() as u32).to_be_bytes()[1..]);
        frames.extend_from_slice(&[1, 5]);
        frames.extend_from_slice(&(2 * index as u32 + 1).to_be_bytes());
        frames.extend_from_slice(block);
    }
    frames
}

/// How many fields the h2 crate finds. Its map has another order.
fn h2(frames: &[u8], count: usize) -> usize {
    let mut codec: Codec<_, Bytes> = Codec::new(Endless::new(frames));
    codec.set_max_recv_header_list_size(64 << 10);
    let mut fields = 0;
    for _ in 0..count {
        let frame = codec.next().now_or_never().expect("input is there");
        match frame.expect("no end") {
            Ok(Frame::Headers(headers)) => {
                let (pseudo, map) = black_box(headers.into_parts());
                let parts = [
                    pseudo.method.is_some(),
                    pseudo.scheme.is_some(),
                    pseudo.authority.is_some(),
                    pseudo.path.is_some(),
                    pseudo.status.is_some(),
                ];
                fields += map.len() + parts.into_iter().filter(|&part| part).count();
            }
            other => panic!("{other:?}"),
        }
    }
    fields
}

/// Whether a way of decoding gives the fields of a story.
fn gives(story: &Story, decode: impl FnOnce(Each<'_>)) -> bool {
    let mut expected = story.iter().flatten();
    let mut right = true;
    decode(&mut |name, value| {
        right &= expected
            .next()
            .is_some_and(|field| field.0 == name && field.1 == value);
    });
    right && expected.next().is_none()
}

fn encode(c: &mut Criterion) {
    let stories = stories();
    let fields: usize = stories.iter().flatten().map(Vec::len).sum();
    let mut group = c.benchmark_group("HPACK, encoded, per field");
    group
        .throughput(Throughput::Elements(fields as u64))
        .sample_size(10);
    let ways: [(&str, fn(&Story) -> Vec<Vec<u8>>); 3] = [
        ("barewire", |story| ours_encoded(story, Indexing::ByName)),
        ("loona-hpack", loona_encoded),
        ("httlib-hpack", httlib_encoded),
    ];
    for (name, way) in ways {
        let mut memory = (vec![0; 64 << 10], vec![FieldRange::EMPTY; 256]);
        let mut size = 0;
        for story in &stories {
            let blocks = way(story);
            size += blocks.iter().map(Vec::len).sum::<usize>();
            assert!(
                gives(story, |each| ours(&blocks, &mut memory, each)),
                "{name}"
            );
        }
        println!("{name}: {size} bytes");
        group.bench_function(name, |b| {
            b.iter(|| {
                stories
                    .iter()
                    .map(|story| black_box(way(story)).len())
                    .sum::<usize>()
            });
        });
    }
}

fn decode(c: &mut Criterion) {
    let stories = stories();
    let fields: usize = stories.iter().flatten().map(Vec::len).sum();
    let mut group = c.benchmark_group("HPACK, decoded, per field");
    group
        .throughput(Throughput::Elements(fields as u64))
        .sample_size(10);
    let mut memory = (vec![0; 64 << 10], vec![FieldRange::EMPTY; 256]);
    let kinds: [(&str, fn(&Story) -> Vec<Vec<u8>>); 3] = [
        ("indexed", |story| ours_encoded(story, Indexing::ByName)),
        ("Huffman", |story| ours_encoded(story, Indexing::Without)),
        ("plain", plain),
    ];
    for (kind, encoded) in kinds {
        let encoded: Vec<Vec<Vec<u8>>> = stories.iter().map(encoded).collect();
        let framed: Vec<Vec<u8>> = encoded.iter().map(|blocks| frames(blocks)).collect();
        for ((story, blocks), frames) in stories.iter().zip(&encoded).zip(&framed) {
            assert!(
                gives(story, |each| ours(blocks, &mut memory, each)),
                "barewire"
            );
            assert!(gives(story, |each| loona(blocks, each)), "loona-hpack");
            assert!(gives(story, |each| httlib(blocks, each)), "httlib-hpack");
            let count: usize = story.iter().map(Vec::len).sum();
            assert_eq!(h2(frames, blocks.len()), count, "h2");
        }
        let look: Each<'_> = &mut |name, value| {
            black_box((name.len(), value.len()));
        };
        group.bench_function(BenchmarkId::new("barewire", kind), |b| {
            b.iter(|| {
                encoded
                    .iter()
                    .for_each(|blocks| ours(blocks, &mut memory, look))
            });
        });
        group.bench_function(BenchmarkId::new("loona-hpack", kind), |b| {
            b.iter(|| encoded.iter().for_each(|blocks| loona(blocks, look)));
        });
        group.bench_function(BenchmarkId::new("httlib-hpack", kind), |b| {
            b.iter(|| encoded.iter().for_each(|blocks| httlib(blocks, look)));
        });
        group.bench_function(BenchmarkId::new("h2, frames and maps", kind), |b| {
            b.iter(|| {
                let both = encoded.iter().zip(&framed);
                both.map(|(blocks, frames)| h2(frames, blocks.len()))
                    .sum::<usize>()
            });
        });
    }
}

criterion_group!(benches, encode, decode);
criterion_main!(benches);
