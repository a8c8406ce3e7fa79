use super::*;
use alloc::vec::Vec;
use proptest::prelude::*;

#[test]
fn every_group_of_two_and_three_agrees_with_the_engine() {
    let characters = b"AQgw/+z=!-_\n\0\x80\xff9";
    for &a in characters {
        for &b in characters {
            for &c in characters {
                for &d in characters {
                    let group = [a, b, c, d];
                    let mut oracle = [0; 3];
                    let expect = STANDARD.decode_slice(group, &mut oracle).ok();
                    let got = decode_group(group);
                    assert_eq!(got.map(|(_, len)| len), expect, "{group:?}");
                    if let Some((bytes, len)) = got {
                        assert_eq!(bytes[..len], oracle[..len]);
                    }
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn text_survives_any_cut_on_both_sides(
        pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 0..10),
        finish in proptest::collection::vec(any::<bool>(), 10),
        cut in 1..9usize,
        take in 1..9usize,
    ) {
        let (mut encoder, mut text) = (TextEncoder::default(), Vec::new());
        for (piece, finish) in pieces.iter().zip(finish) {
            encoder.push(piece, &mut text);
            if finish {
                encoder.finish(&mut text);
            }
        }
        encoder.finish(&mut text);
        let (mut decoder, mut buffer, mut bytes) = (TextDecoder::new(), Vec::new(), Vec::new());
        for piece in text.chunks(cut) {
            buffer.extend_from_slice(piece);
            let start = decoder.advance(&mut buffer);
            buffer.drain(..start);
            while decoder.decoded() >= take {
                bytes.extend_from_slice(&buffer[..take]);
                let used = decoder.take(take);
                buffer.drain(..used);
            }
        }
        bytes.extend_from_slice(&buffer[..decoder.decoded()]);
        prop_assert!(!decoder.is_broken() && !decoder.is_open());
        prop_assert_eq!(bytes, pieces.concat());
    }
}
