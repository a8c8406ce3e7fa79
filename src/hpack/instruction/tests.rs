use super::*;
use crate::wire::Slice;
use proptest::prelude::*;

fn decoded(bytes: &[u8], bits: u32) -> Result<(u32, usize), ProtocolError> {
    let mut cursor = Cursor::new(bytes);
    let first = cursor.byte().ok_or(ProtocolError::Truncated)?;
    decode(first, bits, &mut cursor).map(|value| (value, cursor.position()))
}

#[test]
fn values_beyond_32_bits_and_endless_octets_are_refused() {
    assert_eq!(
        decoded(b"\x7f\x80\xff\xff\xff\x0f", 7),
        Ok((u32::MAX, 6)),
        "127 + 0xffffff80"
    );
    assert_eq!(
        decoded(b"\x7f\x81\xff\xff\xff\x0f", 7),
        Err(ProtocolError::Integer)
    );
    assert_eq!(
        decoded(b"\x7f\x80\x80\x80\x80\x80\x00", 7),
        Err(ProtocolError::Integer)
    );
    assert_eq!(decoded(b"\x7f\x80\x80", 7), Err(ProtocolError::Truncated));
    assert_eq!(
        decoded(b"\x1f\x80\x00", 5),
        Ok((31, 3)),
        "zeros within reason"
    );
}

proptest! {
    #[test]
    fn integers_survive_a_round_trip(value: u32, shift in 0..32u32, bits in 1..=8u32) {
        let value = value >> shift;
        let mut memory = [0; 8];
        let mut out = Slice::new(&mut memory);
        encode(value, bits, 0, &mut out);
        let len = out.written().len();
        prop_assert_eq!(decoded(out.written(), bits), Ok((value, len)));
    }
}
