//! What HPACK does with hostile, cut and random input.
#![cfg(feature = "alloc")]

use barewire::hpack::{
    Borrowed, Decoder, Encoder, Entry, Growing, Indexing, NeverIndexed, ProtocolError, Room,
};
use barewire::http::{Field, FieldRange};
use proptest::prelude::*;

type List = Vec<(Vec<u8>, Vec<u8>)>;

struct Memory {
    text: Vec<u8>,
    fields: Vec<FieldRange>,
    limit: u32,
}

impl Memory {
    fn new(limit: u32) -> Self {
        Self {
            text: vec![0xee; 16 * 1024],
            fields: vec![FieldRange::EMPTY; 100],
            limit,
        }
    }

    fn room(&mut self) -> Room<'_> {
        Room {
            text: &mut self.text,
            fields: &mut self.fields,
            list_limit: self.limit,
        }
    }
}

fn decode(decoder: &mut Decoder<Growing>, block: &[u8]) -> Result<(List, bool), ProtocolError> {
    let mut memory = Memory::new(16 * 1024);
    let decoded = decoder.decode(block, memory.room())?;
    let list = decoded.fields().iter();
    let list = list.map(|f| (f.name.to_vec(), f.value.to_vec())).collect();
    Ok((list, decoded.complete))
}

fn new() -> Decoder<Growing> {
    Decoder::new(Growing::default())
}

fn refused(block: &[u8]) -> ProtocolError {
    decode(&mut new(), block).unwrap_err()
}

#[test]
fn broken_blocks_are_named() {
    for (block, violation) in [
        (&b"\x80"[..], ProtocolError::Index),
        (b"\xbe", ProtocolError::Index),
        (b"\xff\x80\x80\x80\x80\x7f", ProtocolError::Integer),
        (b"\x7f\x00\x01a", ProtocolError::Index),
        (b"\x40\x01a", ProtocolError::Truncated),
        (b"\x40\x01a\x05b", ProtocolError::Truncated),
        (b"\x82\xff", ProtocolError::Truncated),
        (b"\x40\x81\x00\x01a", ProtocolError::Huffman),
        (b"\x40\x84\xff\xff\xff\xff\x01a", ProtocolError::Huffman),
        (b"\x3f\xe2\x1f", ProtocolError::SizeUpdate),
        (b"\x82\x20", ProtocolError::SizeUpdatePlace),
    ] {
        assert_eq!(refused(block), violation, "{block:x?}");
    }
}

#[test]
fn hpack_size_update_flood_ends_at_the_third() {
    assert!(decode(&mut new(), b"\x20\x3f\xe1\x1f\x82").is_ok());
    assert_eq!(refused(b"\x20\x20\x20"), ProtocolError::SizeUpdatePlace);
    assert_eq!(refused(&[0x20; 8000]), ProtocolError::SizeUpdatePlace);
}

#[test]
fn a_lowered_ceiling_must_be_followed_in_the_next_block() {
    let mut decoder = new();
    decoder.set_ceiling(100);
    let error = decode(&mut decoder, b"\x82").unwrap_err();
    assert_eq!(error, ProtocolError::SizeUpdateMissing);
    let mut decoder = new();
    decoder.set_ceiling(100);
    assert!(decode(&mut decoder, b"\x3f\x45\x82").is_ok());
    assert_eq!(decoder.table().capacity(), 100);
    assert!(decode(&mut decoder, b"\x82").is_ok());
}

#[test]
fn hpack_bomb_is_cut_at_the_limit_and_the_table_stays_in_step() {
    let mut block = vec![0x40, 1, b'x', 0x7f, 0x81, 0x1e]; // x: 3,968 octets
    block.extend([b'v'; 3968]);
    block.extend([0xbe; 12_000]);
    block.extend(b"\x40\x04last\x05value");
    let (mut decoder, mut memory) = (new(), Memory::new(8192));
    let decoded = decoder.decode(&block, memory.room()).unwrap();
    assert!(!decoded.complete);
    let written = memory.text.iter().rposition(|&b| b != 0xee).unwrap();
    assert!(written < 8192, "{written}");
    assert_eq!(decoder.table().size(), 32 + 3969 + 32 + 9);
    let (list, complete) = decode(&mut decoder, b"\xbe").unwrap();
    assert_eq!((list[0].0.as_slice(), complete), (&b"last"[..], true));
}

#[test]
fn every_field_counts_32_octets_and_a_place() {
    let mut memory = Memory::new(32 * 10);
    let empty = [0x00, 0, 0].repeat(11);
    let decoded = new()
        .decode(&empty[..30], memory.room())
        .map(|d| (d.ranges.len(), d.complete));
    assert_eq!(decoded, Ok((10, true)));
    let decoded = new().decode(&empty, memory.room());
    let decoded = decoded.map(|d| (d.complete, d.too_many));
    assert_eq!(decoded, Ok((false, false)));
    let mut memory = Memory::new(16 * 1024);
    for (fields, complete) in [(100, true), (101, false), (105, false)] {
        let decoded = new().decode(&vec![0x82; fields], memory.room());
        let decoded = decoded.map(|d| (d.complete, d.too_many));
        assert_eq!(decoded, Ok((complete, !complete)), "{fields}");
    }
}

#[test]
fn a_field_beyond_the_room_still_empties_or_enters_the_table() {
    // 4,065 octets and 32 are more than the table: it is emptied.
    let mut block = b"\x40\x01a\x01b\x40\x00\x7f\xe2\x1e".to_vec();
    block.extend([b'v'; 4065]);
    let (mut decoder, mut memory) = (new(), Memory::new(60));
    assert!(!decoder.decode(&block, memory.room()).unwrap().complete);
    assert_eq!(decoder.table().len(), 0);
    // One octet less fits, although the list may only have 60.
    let mut block = b"\x40\x00\x7f\xe1\x1e".to_vec();
    block.extend([b'v'; 4064]);
    let mut decoder = new();
    assert!(!decoder.decode(&block, memory.room()).unwrap().complete);
    assert_eq!(decoder.table().size(), 4096);
    // Room below the table's capacity cannot keep it in step.
    memory.text.truncate(4000);
    let outcome = new().decode(&block, memory.room()).map(|d| d.complete);
    assert_eq!(outcome, Err(ProtocolError::NoRoom));
}

#[test]
fn never_indexed_literals_are_kept_apart() {
    let mut encoder = Encoder::new(Growing::default(), 4096);
    let mut block = Vec::new();
    for (field, indexing) in [
        (Field::new(":method", "GET"), Indexing::ByName),
        (Field::new("authorization", "Basic abc"), Indexing::ByName),
        (Field::new("cookie", "short"), Indexing::ByName),
        (Field::new("x-key", "secret"), Indexing::Never),
        (Field::new("x-key", "secret"), Indexing::Without),
        (Field::new("x-key", "public"), Indexing::Incremental),
        (Field::new("x-key", "public"), Indexing::Never),
        (Field::new(":method", "GET"), Indexing::Never),
    ] {
        encoder.encode(field, indexing, &mut block);
    }
    let (mut decoder, mut memory) = (new(), Memory::new(4096));
    let never = decoder.decode(&block, memory.room()).unwrap().never_indexed;
    let kept: Vec<_> = (0..8).map(|index| never.contains(index)).collect();
    assert_eq!(kept, [false, true, true, true, false, false, true, true]);
    assert_eq!(decoder.table().len(), 1);
    let rest: Vec<_> = (0..6).map(|index| never.after(2).contains(index)).collect();
    assert_eq!(rest, kept[2..]);
}

#[test]
fn never_indexed_fields_beyond_the_63rd_share_one_answer() {
    let mut never = NeverIndexed::NONE;
    never.insert(70);
    for index in 0..63 {
        assert!(!never.contains(index));
    }
    assert!(never.contains(63) && never.contains(70) && never.contains(1000));
    assert!(never.after(3).contains(60) && never.after(3).contains(67));
    assert!(!never.after(3).contains(59));
    assert!(never.after(64).contains(0));
}

#[test]
fn borrowed_memory_serves_like_allocated_memory() {
    let (mut text, mut entries) = ([0; 4096], [Entry::EMPTY; 128]);
    let memory = Borrowed {
        text: &mut text,
        entries: &mut entries,
    };
    let (mut fixed, mut growing) = (Decoder::new(memory), new());
    let mut encoder = Encoder::new(Growing::default(), 4096);
    for n in 0..2000u32 {
        let value = format!("{}", n * 7919 % 611);
        let mut block = Vec::new();
        encoder.encode(Field::new("x-number", &value), Indexing::ByName, &mut block);
        let mut memory = Memory::new(1000);
        let decoded = fixed.decode(&block, memory.room()).unwrap();
        assert_eq!(decoded.fields().get("x-number"), Some(value.as_bytes()));
        assert_eq!(
            decode(&mut growing, &block).unwrap().0[0].1,
            value.as_bytes()
        );
    }
}

fn list() -> impl Strategy<Value = Vec<(String, String, u8)>> {
    let name = prop_oneof!["[a-d]{1,2}", Just("cookie".into()), Just(":path".into())];
    let field = (name, "[ -~é]{0,30}|[x]{3000}", 0..4u8);
    proptest::collection::vec(field, 0..12)
}

proptest! {
    #[test]
    fn lists_survive_a_round_trip(lists in proptest::collection::vec(list(), 1..12), own in 0..5000u32) {
        let mut encoder = Encoder::new(Growing::default(), own);
        let mut decoder = new();
        for list in lists {
            let mut block = Vec::new();
            encoder.begin(&mut block);
            for (name, value, indexing) in &list {
                let indexing = [Indexing::ByName, Indexing::Incremental, Indexing::Without, Indexing::Never][*indexing as usize];
                let field = Field::new(name, value);
                let before = block.len();
                encoder.encode(field, indexing, &mut block);
                prop_assert!(block.len() - before <= Encoder::<Growing>::bound(field));
            }
            let (text, mut memory) = (vec![0; 64 * 1024], Memory::new(64 * 1024));
            memory.text = text;
            let decoded = decoder.decode(&block, memory.room()).unwrap();
            let got: List = decoded.fields().iter().map(|f| (f.name.to_vec(), f.value.to_vec())).collect();
            let sent: List = list.into_iter().map(|(n, v, _)| (n.into_bytes(), v.into_bytes())).collect();
            prop_assert_eq!(got, sent);
            prop_assert_eq!(decoder.table().size(), encoder.table().size());
        }
    }

    #[test]
    fn skimming_in_any_pieces_keeps_the_table_in_step(
        block in proptest::collection::vec(
            prop_oneof![Just(0x40u8), Just(0x82), Just(0xbe), Just(1), Just(2), Just(0x81), Just(0x07), any::<u8>()], 0..60),
        cut in 0..60usize,
    ) {
        let (mut whole, mut pieces) = (new(), new());
        let expected = decode(&mut whole, &block).map(|_| ());
        let cut = cut.min(block.len());
        let mut text = vec![0; 4096];
        let got = pieces.skim(&block[..cut], &mut text).and_then(|used| {
            decode(&mut pieces, &block[used..]).map(|_| ())
        });
        // A string that is not wanted is not decoded unless it enters the
        // table, so skimming may pass what decoding refuses.
        if expected.is_ok() {
            prop_assert_eq!(got, expected);
            prop_assert_eq!(whole.table().size(), pieces.table().size());
        }
    }

    #[test]
    fn any_octets_are_decoded_or_refused(block in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut decoder = new();
        let _ = decode(&mut decoder, &block);
        prop_assert!(decoder.table().size() <= 4096);
    }
}
