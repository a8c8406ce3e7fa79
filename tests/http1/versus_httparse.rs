//! Heads against an independent parser, httparse: random ones, and ones with
//! damage to them.
#![cfg(feature = "alloc")]

use crate::reference::{Read, check, ours};
use proptest::prelude::*;

const SEEDS: [&str; 5] = [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /echo?x=%20 HTTP/1.1\r\nhost: example.org:80\r\ncontent-length: 5\r\nX:\r\nY: \t a b \t\r\n\r\nhello",
    "OPTIONS * HTTP/1.0\r\nConnection: keep-alive, Upgrade\r\nUpgrade: x/1\r\n\r\n",
    "\r\nGET http://a:1/b?c HTTP/1.1\r\nHost: a:1\r\nAccept: text/html;q=0.9, */*\r\nX: \u{e9}\r\n\r\n",
    "PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n5\r\nhello\r\n",
];

#[test]
fn the_seeds_are_read_alike() {
    for seed in SEEDS {
        assert!(matches!(ours(seed.as_bytes()), Read::Head { .. }), "{seed}");
        for end in 0..=seed.len() {
            check(&seed.as_bytes()[..end]);
        }
    }
}

#[test]
fn every_byte_in_every_place_is_judged_alike() {
    for seed in SEEDS {
        for at in 0..seed.len() {
            for b in 0..=255 {
                let mut input = seed.as_bytes().to_vec();
                input[at] = b;
                check(&input);
                input.insert(at, seed.as_bytes()[at]);
                check(&input);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_heads_are_read_alike(
        seed in 0..SEEDS.len(),
        edits in proptest::collection::vec((any::<u16>(), 0..3_u8, prop_oneof![
            any::<u8>(), Just(b'\r'), Just(b'\n'), Just(b' '), Just(b'\t'), Just(b':'), Just(0), Just(0x7f)
        ]), 1..6),
    ) {
        let mut input = SEEDS[seed].as_bytes().to_vec();
        for (at, edit, byte) in edits {
            let at = usize::from(at) % input.len();
            match edit {
                0 => input[at] = byte,
                1 => input.insert(at, byte),
                _ => drop(input.remove(at)),
            }
        }
        check(&input);
    }
}
