use super::*;
use crate::hpack::Growing;
use alloc::vec::Vec;
use proptest::prelude::*;

/// The lowest index of the field in the dynamic table.
fn place(encoder: &Encoder<Growing>, name: &[u8], value: &[u8]) -> Option<u8> {
    (0..encoder.table.len())
        .position(|index| {
            let stored = encoder.table.get(index).unwrap();
            let mut text = std::vec![0; stored.len()];
            stored.copy(stored.len(), &mut text).unwrap();
            stored.name_len() == name.len() && text == [name, value].concat()
        })?
        .try_into()
        .ok()
}

fn check(encoder: &mut Encoder<Growing>, name: &[u8], value: &[u8]) {
    let expected = place(encoder, name, value);
    let mut out = Vec::new();
    encoder.encode(Field { name, value }, Indexing::Incremental, &mut out);
    match expected {
        Some(index) => assert_eq!(out, [0x80 | (62 + index)]),
        None => assert_eq!(out[0] & 0xc0, 0x40),
    }
}

proptest! {
    #[test]
    fn whatever_is_in_the_table_is_found(
        steps in proptest::collection::vec((0..40u8, 0..4u8, 0..30u8), 1..200),
        capacity in 100..2000u32,
    ) {
        let mut encoder = Encoder::new(Growing::default(), capacity);
        for (name, value, step) in steps {
            if step == 0 {
                encoder.set_ceiling(u32::from(value) * 100);
                encoder.set_ceiling(capacity);
            }
            let name = match name {
                0 => &b"age"[..],
                1 => b"accept-encoding",
                _ => &[b'x', name],
            };
            check(&mut encoder, name, &[b'v', value]);
        }
    }
}

#[test]
fn entries_are_found_when_their_numbers_have_come_round() {
    let mut encoder = Encoder::new(Growing::default(), 4096);
    let mut out = Vec::new();
    for n in 0..200_000u32 {
        out.clear();
        let name = [b'n', (n % 61) as u8];
        let (name, value) = (&name[..], &n.to_be_bytes()[..]);
        encoder.encode(Field { name, value }, Indexing::Incremental, &mut out);
        if n % 1000 > 990 {
            check(&mut encoder, name, value);
            let older = n - 40;
            check(
                &mut encoder,
                &[b'n', (older % 61) as u8],
                &older.to_be_bytes(),
            );
        }
    }
}
