//! HPACK against an independent implementation, httlib-hpack.

use super::hpack::{LIST, List, decode_block};
use super::input::Input;
use barewire::hpack::{Decoder, Encoder, Growing, Indexing, ProtocolError};
use barewire::http::Field;
use httlib_hpack::{Decoder as Other, DecoderError, Encoder as OtherEncoder};

/// What the other decoder reads, without the flags of how it was sent.
fn other_list(other: &mut Other<'_>, block: &[u8]) -> Result<List, DecoderError> {
    let (mut block, mut read) = (block.to_vec(), Vec::new());
    other.decode(&mut block, &mut read)?;
    let fields = read.into_iter().map(|(name, value, _)| (name, value));
    Ok(fields.collect())
}

/// Any block: what we accept the other accepts as the same fields, and what it
/// alone accepts breaks a rule that it does not know.
fn blocks(input: &mut Input<'_>) {
    let (mut ours, mut other) = (Decoder::new(Growing::default()), Other::default());
    while !input.is_empty() {
        let block = input.run();
        match decode_block(&mut ours, block) {
            Ok((list, complete)) => match other_list(&mut other, block) {
                Ok(all) if complete => assert_eq!(list, all, "{block:x?}"),
                // What is above the limit counts for the table alone.
                Ok(all) => assert!(all.starts_with(&list), "{list:x?} {all:x?}"),
                // Five octets are its most, six are ours.
                Err(DecoderError::IntegerOverflow) => return,
                // Nor is it decoded, if it enters no table.
                Err(DecoderError::InvalidInput) if !complete => return,
                Err(error) => panic!("{error:?} in {block:x?}"),
            },
            // It counts on whole blocks.
            Err(ProtocolError::Truncated) => return,
            Err(violation) => {
                let known = matches!(
                    violation,
                    ProtocolError::Huffman
                        | ProtocolError::SizeUpdatePlace
                        | ProtocolError::Integer
                );
                assert!(
                    known || other_list(&mut other, block).is_err(),
                    "{violation} in {block:x?}"
                );
                return;
            }
        }
    }
}

/// Fields in any representation that one of the two can choose, while tables
/// shrink and grow: the other reads them as they were.
fn fields(input: &mut Input<'_>) {
    let (mut ours, mut our_reader) = (
        Encoder::new(Growing::default(), 4096),
        Decoder::new(Growing::default()),
    );
    let (mut other, mut other_reader) = (OtherEncoder::default(), Other::default());
    while !input.is_empty() {
        let act = input.byte();
        let (mut from_us, mut from_other) = (Vec::new(), Vec::new());
        let (mut list, mut left) = (List::new(), LIST as usize);
        if act & 0x80 != 0 {
            let size = u32::from(act & 0x78) * 34;
            other
                .update_max_dynamic_size(size, &mut from_other)
                .expect("a size is always sent");
            ours.set_ceiling(size);
        }
        ours.begin(&mut from_us);
        for _ in 0..act & 7 {
            let (how, name, value) = (input.byte(), input.run(), input.run());
            let size = name.len() + value.len() + 32;
            if size > left {
                continue;
            }
            left -= size;
            let indexing = match how >> 2 & 3 {
                0 => Indexing::Without,
                1 => Indexing::Incremental,
                2 => Indexing::Never,
                _ => Indexing::ByName,
            };
            ours.encode(Field { name, value }, indexing, &mut from_us);
            other
                .encode((name.to_vec(), value.to_vec(), how), &mut from_other)
                .expect("a literal is always sent");
            list.push((name.to_vec(), value.to_vec()));
        }
        let read = other_list(&mut other_reader, &from_us);
        assert_eq!(read.as_ref(), Ok(&list), "{from_us:x?}");
        let read = decode_block(&mut our_reader, &from_other);
        assert_eq!(read, Ok((list, true)), "{from_other:x?}");
    }
}

/// Either way of looking at it.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    match input.byte() & 1 {
        0 => blocks(&mut input),
        _ => fields(&mut input),
    }
}
