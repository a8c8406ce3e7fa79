//! An independent implementation agrees: tungstenite's frame heads and
//! messages.
#![cfg(feature = "alloc")]

use std::io::Cursor;

use crate::versus_tungstenite::{oracle, told};
use crate::websocket_support::{Driver, ROLES, Seen, frames};
use barewire::websocket::extension::Reserved;
use barewire::websocket::frame::{Decoded, Head};
use barewire::websocket::{CloseCode, Connection, Kind};
use barewire::wire::{Instant, Role};
use proptest::prelude::*;
use tungstenite::protocol::Message;
use tungstenite::protocol::frame::FrameHeader;

/// Frames that are mostly part of a legal sequence.
fn frame_list() -> impl Strategy<Value = Vec<(u8, Vec<u8>)>> {
    let text = prop_oneof![
        8 => "[ -~é😀]{0,50}".prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..8),
        1 => proptest::collection::vec(any::<u8>(), 120..140),
    ];
    let first = prop_oneof![
        4 => Just(0x81u8), 3 => Just(0x01), 3 => Just(0x00), 3 => Just(0x80),
        2 => Just(0x82), 1 => Just(0x02), 2 => Just(0x89), 1 => Just(0x8a), 1 => Just(0x83),
    ];
    proptest::collection::vec((first, text), 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn both_see_the_same_events_and_refuse_the_same_frames(list in frame_list(), client: bool) {
        let role = if client { Role::Client } else { Role::Server };
        let list: Vec<_> = list.iter().map(|(first, p)| (*first, &p[..])).collect();
        let input = frames(role, &list);
        let mut driver = Driver::new(role, false);
        driver.feed(&input);
        let refuses = matches!(driver.seen.last(), Some(Seen::Failed(_)));
        if refuses {
            driver.seen.pop();
        }
        prop_assert_eq!((driver.seen, refuses), told(role, &input));
    }

    #[test]
    fn both_write_the_same_heads(
        fin: bool,
        opcode in prop_oneof![0u8..3, 8u8..11],
        mask: Option<[u8; 4]>,
        length in prop_oneof![0..300u64, 65_000..66_000u64, 0..(1u64 << 63)],
    ) {
        let fin = fin || opcode >= 8;
        let length = if opcode >= 8 { length.min(125) } else { length };
        let header = FrameHeader {
            is_final: fin,
            opcode: opcode.into(),
            mask,
            ..FrameHeader::default()
        };
        let mut theirs = Vec::new();
        header.format(length, &mut theirs).unwrap();
        let sender = if mask.is_some() { Role::Client } else { Role::Server };
        let Ok(Decoded::Head { head, size }) = Head::decode(&theirs, sender, Reserved::NONE) else {
            panic!("refused {theirs:x?}");
        };
        prop_assert_eq!((head.fin, head.opcode as u8, head.mask), (fin, opcode, mask));
        prop_assert_eq!((head.length, size), (length, theirs.len()));
        let ours = head.encode();
        prop_assert_eq!(ours.as_bytes(), &theirs[..]);
        let parsed = FrameHeader::parse(&mut Cursor::new(ours.as_bytes())).unwrap();
        prop_assert_eq!(parsed, Some((header, length)));
    }

    #[test]
    fn whatever_is_accepted_is_read_alike(bytes in proptest::collection::vec(any::<u8>(), 2..20)) {
        for sender in ROLES {
            let claimed = Reserved::RSV1.and(Reserved::RSV2).and(Reserved::RSV3);
            if let Ok(Decoded::Head { head, size }) = Head::decode(&bytes, sender, claimed) {
                let mut cursor = Cursor::new(&bytes);
                let (header, length) = FrameHeader::parse(&mut cursor).unwrap().unwrap();
                prop_assert_eq!(cursor.position() as usize, size);
                prop_assert_eq!((length, header.mask), (head.length, head.mask));
                prop_assert_eq!(header.is_final, head.fin);
                prop_assert_eq!(u8::from(header.opcode), head.opcode as u8);
                prop_assert_eq!(header.rsv1, head.reserved.covers(Reserved::RSV1));
                prop_assert_eq!(header.rsv2, head.reserved.covers(Reserved::RSV2));
                prop_assert_eq!(header.rsv3, head.reserved.covers(Reserved::RSV3));
            }
        }
    }
}

#[test]
fn whole_conversations_are_understood_both_ways() {
    for (ours, theirs) in [(Role::Client, Role::Server), (Role::Server, Role::Client)] {
        let (mut machine, mut wire) = (Connection::new(ours, Instant::START), Vec::new());
        let mask_key = [0xde, 0xad, 0xbe, 0xef];
        let long = "naïve ".repeat(20_000);
        let now = Instant::START;
        machine
            .send_message(Kind::Text, long.as_bytes(), mask_key, now, &mut wire)
            .unwrap();
        machine
            .send_chunk(Kind::Binary, &[1; 200], false, mask_key, now, &mut wire)
            .unwrap();
        machine.send_ping(b"hi", mask_key, &mut wire).unwrap();
        machine
            .send_chunk(Kind::Binary, &[], true, mask_key, now, &mut wire)
            .unwrap();
        machine
            .send_close(CloseCode::NORMAL, "fin", mask_key, now, &mut wire)
            .unwrap();
        let expected = vec![
            Seen::Message(Kind::Text, long.clone().into_bytes()),
            Seen::Ping(b"hi".to_vec()),
            Seen::Message(Kind::Binary, vec![1; 200]),
            Seen::Close(Some(1000), "fin".into()),
        ];
        assert_eq!(told(theirs, &wire), (expected, false));

        let mut socket = oracle(theirs, Vec::new());
        socket.send(Message::text(long.clone())).unwrap();
        socket.send(Message::binary(vec![2; 70_000])).unwrap();
        socket
            .send(Message::Ping(b"there?".to_vec().into()))
            .unwrap();
        socket.close(None).unwrap();
        let mut driver = Driver::new(ours, false);
        for piece in socket.get_ref().output.chunks(4096) {
            driver.feed(piece);
        }
        let expected = [
            Seen::Message(Kind::Text, long.into_bytes()),
            Seen::Message(Kind::Binary, vec![2; 70_000]),
            Seen::Ping(b"there?".to_vec()),
            Seen::Close(None, String::new()),
        ];
        assert_eq!(driver.seen, expected);
    }
}
