use super::*;
use proptest::prelude::*;

proptest! {
    #[test]
    fn pieces_are_masked_as_the_whole(
        key: [u8; 4],
        payload in proptest::collection::vec(any::<u8>(), 0..80),
        cuts in proptest::collection::vec(0..80usize, 0..5),
    ) {
        let expected: alloc::vec::Vec<u8> =
            payload.iter().enumerate().map(|(i, b)| b ^ key[i % 4]).collect();
        let (mut pieces, mut mask) = (payload, Mask::new(key));
        let mut rest = &mut pieces[..];
        for cut in cuts {
            let (piece, tail) = rest.split_at_mut(cut.min(rest.len()));
            mask.apply(piece);
            rest = tail;
        }
        mask.apply(rest);
        prop_assert_eq!(pieces, expected);
    }
}
