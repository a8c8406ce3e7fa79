//! HPACK on the public corpus of header stories, per field.

use std::hint::black_box;
use std::io::Read;

use barewire::hpack::{Decoder, Encoder, Growing, Indexing, Room};
use barewire::http::{Field, FieldRange, Fields};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::Value;

type List = Vec<(Vec<u8>, Vec<u8>)>;

/// One connection: its lists of fields.
struct Story(Vec<List>);

fn stories() -> Vec<Story> {
    let packed = include_bytes!("../tests/data/hpack-test-case-nghttp2.tar.gz");
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&packed[..]));
    let mut stories = Vec::new();
    for entry in archive.entries().expect("the archive is whole") {
        let mut entry = entry.expect("the archive is whole");
        let is_story = entry
            .path()
            .is_ok_and(|path| path.extension().is_some_and(|end| end == "json"));
        if is_story {
            let mut text = String::new();
            entry.read_to_string(&mut text).expect("stories are text");
            let story: Value = serde_json::from_str(&text).expect("stories are JSON");
            stories.push(Story(
                story["cases"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(list)
                    .collect(),
            ));
        }
    }
    stories
}

fn list(case: &Value) -> List {
    let fields = case["headers"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .flatten();
    fields
        .map(|(name, value)| {
            (
                name.clone().into(),
                value.as_str().unwrap_or_default().into(),
            )
        })
        .collect()
}

fn encode(
    story: &Story,
    encoder: &mut Encoder<Growing>,
    indexing: Indexing,
    mut each: impl FnMut(&mut Vec<u8>),
) {
    let mut block = Vec::with_capacity(16 << 10);
    for list in &story.0 {
        block.clear();
        encoder.begin(&mut block);
        for (name, value) in list {
            encoder.encode(Field { name, value }, indexing, &mut block);
        }
        each(&mut block);
    }
}

/// Where a list is decoded to.
type Scratch = (Vec<u8>, Vec<FieldRange>);

/// Decodes the blocks of one connection.
fn decode(blocks: &[Vec<u8>], scratch: &mut Scratch, mut each: impl FnMut(&Fields<'_>)) {
    let mut decoder = Decoder::new(Growing::default());
    for block in blocks {
        let room = Room {
            text: &mut scratch.0,
            fields: &mut scratch.1,
            list_limit: 64 << 10,
        };
        let decoded = decoder.decode(block, room).expect("the block is ours");
        each(&decoded.fields());
    }
}

fn corpus(c: &mut Criterion) {
    let stories = stories();
    let fields: usize = stories
        .iter()
        .flat_map(|story| &story.0)
        .map(Vec::len)
        .sum();
    let mut group = c.benchmark_group("HPACK, per field");
    group
        .throughput(Throughput::Elements(fields as u64))
        .sample_size(20);
    group.bench_function("encode", |b| {
        b.iter(|| {
            for story in &stories {
                let mut encoder = Encoder::new(Growing::default(), 4096);
                encode(story, &mut encoder, Indexing::ByName, |block| {
                    black_box(block);
                });
            }
        });
    });
    for (name, indexing) in [
        ("decode, indexed", Indexing::ByName),
        ("decode, literals", Indexing::Without),
    ] {
        let blocks: Vec<Vec<Vec<u8>>> = stories
            .iter()
            .map(|story| {
                let (mut blocks, mut encoder) =
                    (Vec::new(), Encoder::new(Growing::default(), 4096));
                encode(story, &mut encoder, indexing, |block| {
                    blocks.push(block.clone())
                });
                blocks
            })
            .collect();
        let mut scratch = (vec![0; 64 << 10], vec![FieldRange::EMPTY; 256]);
        for (story, blocks) in stories.iter().zip(&blocks) {
            let mut lists = story.0.iter();
            decode(blocks, &mut scratch, |fields| {
                let fields = fields.iter().map(|field| (field.name, field.value));
                let list = lists.next().into_iter().flatten();
                assert!(fields.eq(list.map(|(name, value)| (&name[..], &value[..]))));
            });
            assert!(lists.next().is_none());
        }
        group.bench_function(name, |b| {
            b.iter(|| {
                for blocks in &blocks {
                    decode(blocks, &mut scratch, |fields| {
                        black_box(fields.len());
                    });
                }
            });
        });
    }
}

criterion_group!(benches, corpus);
criterion_main!(benches);
