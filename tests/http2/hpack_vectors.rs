//! HPACK against the vectors of RFC 7541 appendix C and the public corpus of
//! header stories.
#![cfg(feature = "alloc")]

use std::io::Read;

use barewire::hpack::{Decoder, Encoder, Growing, Indexing, Room};
use barewire::http::{Field, FieldRange};
use serde_json::Value;

type List = Vec<(Vec<u8>, Vec<u8>)>;

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn decode(decoder: &mut Decoder<Growing>, block: &[u8]) -> List {
    let (mut text, mut fields) = (vec![0; 64 * 1024], vec![FieldRange::EMPTY; 256]);
    let room = Room {
        text: &mut text,
        fields: &mut fields,
        list_limit: 64 * 1024,
    };
    let decoded = decoder.decode(block, room).unwrap();
    assert!(decoded.complete);
    let fields = decoded.fields();
    fields
        .iter()
        .map(|field| (field.name.to_vec(), field.value.to_vec()))
        .collect()
}

fn encode(encoder: &mut Encoder<Growing>, list: &List) -> Vec<u8> {
    let mut block = Vec::new();
    encoder.begin(&mut block);
    for (name, value) in list {
        encoder.encode(Field { name, value }, Indexing::ByName, &mut block);
    }
    block
}

fn pair(name: &Value, value: &Value) -> (Vec<u8>, Vec<u8>) {
    let bytes = |text: &Value| text.as_str().unwrap().as_bytes().to_vec();
    (bytes(name), bytes(value))
}

#[test]
fn every_vector_of_appendix_c_decodes() {
    let vectors: Value =
        serde_json::from_str(include_str!("../data/rfc7541-appendix-c.json")).unwrap();
    let mut cases = 0;
    for group in vectors["groups"].as_array().unwrap() {
        let size = group["header_table_size"].as_u64().unwrap() as u32;
        let mut decoder = Decoder::new(Growing::default());
        if size < 4096 {
            // The examples start with a table of 256 bytes on both sides.
            decoder.set_ceiling(size);
            let update = [0x3f, (size - 31) as u8 | 0x80, ((size - 31) >> 7) as u8];
            assert!(decode(&mut decoder, &update).is_empty());
        }
        for case in group["cases"].as_array().unwrap() {
            let list = decode(&mut decoder, &unhex(case["wire"].as_str().unwrap()));
            let headers = case["headers"].as_array().unwrap();
            let expected: List = headers.iter().map(|h| pair(&h[0], &h[1])).collect();
            assert_eq!(list, expected, "{}", case["id"]);
            let after = case["dynamic_table_size_after"].as_u64().unwrap();
            assert_eq!(u64::from(decoder.table().size()), after, "{}", case["id"]);
            cases += 1;
        }
    }
    assert!(cases >= 16);
}

/// The corpus: (directory, file, story).
fn stories() -> Vec<(String, Value)> {
    let packed = include_bytes!("../data/hpack-test-case-nghttp2.tar.gz");
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&packed[..]));
    let mut stories = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().display().to_string();
        if path.ends_with(".json") {
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            stories.push((path, serde_json::from_str(&text).unwrap()));
        }
    }
    stories
}

fn list_of(case: &Value) -> List {
    let mut list = List::new();
    for header in case["headers"].as_array().unwrap() {
        for (name, value) in header.as_object().unwrap() {
            list.push((
                name.clone().into_bytes(),
                value.as_str().unwrap().as_bytes().to_vec(),
            ));
        }
    }
    list
}

#[test]
fn every_story_of_every_encoder_decodes() {
    let (mut blocks, mut fields) = (0, 0);
    for (path, story) in stories() {
        let mut decoder = Decoder::new(Growing::default());
        for case in story["cases"].as_array().unwrap() {
            let Some(wire) = case["wire"].as_str() else {
                continue;
            };
            if let Some(size) = case["header_table_size"].as_u64() {
                decoder.set_ceiling(size as u32);
            }
            let list = decode(&mut decoder, &unhex(wire));
            assert_eq!(list, list_of(case), "{path} {}", case["seqno"]);
            blocks += 1;
            fields += list.len();
        }
    }
    assert_eq!((blocks, fields), (16_686, 194_151));
}

#[test]
fn the_stories_take_at_most_361_kilobytes_and_decode_again() {
    let mut total = 0;
    for (path, story) in stories() {
        if !path.starts_with("raw-data/") {
            continue;
        }
        let mut encoder = Encoder::new(Growing::default(), 4096);
        let mut decoder = Decoder::new(Growing::default());
        for case in story["cases"].as_array().unwrap() {
            let list = list_of(case);
            let block = encode(&mut encoder, &list);
            assert_eq!(decode(&mut decoder, &block), list, "{path}");
            assert_eq!(decoder.table().size(), encoder.table().size());
            total += block.len();
        }
    }
    println!("{total} octets");
    assert!(total <= 361_000, "{total}");
}

#[test]
fn the_stories_survive_changes_of_the_table_size() {
    for (path, story) in stories() {
        if !path.starts_with("raw-data/") {
            continue;
        }
        let mut encoder = Encoder::new(Growing::default(), 8192);
        let mut decoder = Decoder::new(Growing::default());
        for (n, case) in story["cases"].as_array().unwrap().iter().enumerate() {
            let sizes: &[u32] = match n % 5 {
                0 => &[0, 8192],
                1 => &[100],
                2 => &[300, 50, 2048],
                _ => &[],
            };
            for &size in sizes {
                decoder.set_ceiling(size);
                encoder.set_ceiling(size);
            }
            let list = list_of(case);
            let block = encode(&mut encoder, &list);
            assert_eq!(decode(&mut decoder, &block), list, "{path} {n}");
        }
    }
}
