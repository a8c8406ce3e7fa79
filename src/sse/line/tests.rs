use super::*;
use alloc::vec;
use proptest::prelude::*;

#[test]
fn every_place_of_every_end_is_found() {
    for len in 0..200 {
        let mut text = vec![b'x'; len];
        assert_eq!(line_end(&text), None);
        for at in 0..len {
            for end in [CR, LF] {
                text[at] = end;
                assert_eq!(line_end(&text), Some(at));
                text[at] = b'x';
            }
        }
    }
}

proptest! {
    #[test]
    fn the_search_agrees_with_the_naive_loop(
        text in proptest::collection::vec(prop_oneof![20 => any::<u8>(), 1 => Just(CR), 1 => Just(LF), 40 => 8..16u8], 0..300),
    ) {
        let mut text = text;
        while !text.is_empty() {
            let naive = text.iter().position(|&b| b == CR || b == LF);
            prop_assert_eq!(line_end(&text), naive);
            text.drain(..=naive.unwrap_or(text.len() - 1));
        }
    }
}
