use super::*;
use proptest::prelude::*;

proptest! {
    /// The first bytes of a head ask for more, or are judged as all of it.
    #[test]
    fn a_part_of_a_head_asks_for_more_or_is_judged_like_all_of_it(
        mut bytes: [u8; MAX_HEAD], opcode in 0_u8..11, long in 0_u8..4, client: bool
    ) {
        bytes[0] = (bytes[0] & 0x8f) | opcode;
        bytes[1] = if long > 1 { (bytes[1] & 0x80) | (124 + long) } else { bytes[1] };
        let sender = if client { Role::Client } else { Role::Server };
        let decode = |bytes| Head::decode(bytes, sender, Reserved::NONE);
        let whole = decode(&bytes);
        for len in 0..bytes.len() {
            match decode(&bytes[..len]) {
                Ok(Decoded::Need(more)) => prop_assert!(0 < more && len + more <= MAX_HEAD),
                early => prop_assert_eq!(early, whole),
            }
        }
    }

    #[test]
    fn heads_survive_the_wire(head in any::<(bool, u8, Option<[u8; 4]>, u64, u8)>()) {
        let (fin, opcode, mask, length, shift) = head;
        let opcodes = [Opcode::Continuation, Opcode::Text, Opcode::Binary];
        let head = Head {
            fin,
            reserved: Reserved::NONE,
            opcode: opcodes[opcode as usize % 3],
            mask,
            length: (length >> 1) >> (shift % 64),
        };
        let sender = if mask.is_some() { Role::Client } else { Role::Server };
        let encoded = head.encode();
        let size = encoded.as_bytes().len();
        match (head.encode_short(), head.encode_medium()) {
            (Some(short), None) => prop_assert_eq!(encoded.as_bytes(), short),
            (None, Some(medium)) => prop_assert_eq!(encoded.as_bytes(), medium),
            (one, other) => {
                prop_assert!(one.is_none() && other.is_none());
                prop_assert!(mask.is_some() || size > 4);
            }
        }
        let decoded = Head::decode(encoded.as_bytes(), sender, Reserved::NONE);
        prop_assert_eq!(decoded, Ok(Decoded::Head { head, size }));
    }
}
