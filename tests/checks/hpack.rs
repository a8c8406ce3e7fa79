//! HPACK: blocks from anywhere, and what the encoder writes.

use super::input::Input;
use barewire::hpack::{
    Borrowed, Decoder, Encoder, Entry, Growing, Indexing, Memory, ProtocolError, Room,
};
use barewire::http::{Field, FieldRange};

pub type List = Vec<(Vec<u8>, Vec<u8>)>;

pub const LIST: u32 = 2048;

pub fn decode_block<M: Memory>(
    decoder: &mut Decoder<M>,
    block: &[u8],
) -> Result<(List, bool), ProtocolError> {
    let mut text = vec![0xee; 8192];
    let mut fields = [FieldRange::EMPTY; 32];
    let room = Room {
        text: &mut text,
        fields: &mut fields,
        list_limit: LIST,
    };
    let decoded = decoder.decode(block, room)?;
    let list: List = decoded
        .fields()
        .iter()
        .map(|f| (f.name.to_vec(), f.value.to_vec()))
        .collect();
    let size: usize = list
        .iter()
        .map(|(name, value)| name.len() + value.len() + 32)
        .sum();
    assert!(size <= LIST as usize, "a list of {size}");
    Ok((list, decoded.complete))
}

/// Blocks are decoded alike over both kinds of memory, tables and lists stay
/// within their limits, and what was decoded can be sent again.
pub fn decode(data: &[u8]) {
    let mut input = Input::new(data);
    let flags = input.byte();
    let (mut text, mut entries) = ([0; 4096], [Entry::EMPTY; 128]);
    let mut growing = Decoder::new(Growing::default());
    let mut borrowed = Decoder::new(Borrowed {
        text: &mut text,
        entries: &mut entries,
    });
    let mut encoder = Encoder::new(Growing::default(), 4096);
    let mut reader = Decoder::new(Growing::default());
    while !input.is_empty() {
        if flags & 1 != 0 {
            let ceiling = u32::from(input.byte()) * 16;
            growing.set_ceiling(ceiling);
            borrowed.set_ceiling(ceiling);
        }
        let block = input.run();
        let decoded = decode_block(&mut growing, block);
        assert_eq!(decode_block(&mut borrowed, block), decoded, "{block:x?}");
        assert_eq!(growing.table().capacity(), borrowed.table().capacity());
        let Ok((list, _)) = decoded else { return };
        let mut again = Vec::new();
        encoder.begin(&mut again);
        for (name, value) in &list {
            encoder.encode(Field { name, value }, Indexing::ByName, &mut again);
        }
        assert_eq!(decode_block(&mut reader, &again), Ok((list, true)));
    }
}

/// What the encoder writes is what the decoder reads, while both move the
/// ceiling of the table.
pub fn roundtrip(data: &[u8]) {
    let mut input = Input::new(data);
    let own = u32::from(input.byte()) * 32;
    let mut encoder = Encoder::new(Growing::default(), own);
    let mut decoder = Decoder::new(Growing::default());
    while !input.is_empty() {
        let act = input.byte();
        if act & 0x80 != 0 {
            let ceiling = u32::from(act & 0x7f) * 40;
            decoder.set_ceiling(ceiling);
            encoder.set_ceiling(ceiling);
        }
        let (mut block, mut list, mut left) = (Vec::new(), List::new(), LIST as usize);
        encoder.begin(&mut block);
        for _ in 0..act & 7 {
            let (how, name, value) = (input.byte(), input.run(), input.run());
            let indexing = match how & 3 {
                0 => Indexing::ByName,
                1 => Indexing::Incremental,
                2 => Indexing::Without,
                _ => Indexing::Never,
            };
            let field = Field { name, value };
            if name.len() + value.len() + 32 > left {
                continue;
            }
            left -= name.len() + value.len() + 32;
            let before = block.len();
            encoder.encode(field, indexing, &mut block);
            assert!(block.len() - before <= Encoder::<Growing>::bound(field));
            list.push((name.to_vec(), value.to_vec()));
        }
        assert_eq!(
            decode_block(&mut decoder, &block),
            Ok((list, true)),
            "{block:x?}"
        );
    }
}
