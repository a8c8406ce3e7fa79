//! The fast paths of `wire` against what anyone can see to be right.

use super::input::{Input, pieces};
use barewire::websocket::mask::Mask;
use barewire::wire::{Utf8, simd};

/// Text in pieces is judged as the standard library judges it in one, and a
/// fault is found at the byte that makes it impossible.
pub fn utf8(data: &[u8]) {
    let mut input = Input::new(data);
    let manner = input.byte();
    let text = input.rest();
    let expected = core::str::from_utf8(text);
    for from in 0..text.len().min(9) {
        let whole = core::str::from_utf8(&text[from..]);
        assert_eq!(simd::as_text(&text[from..]), whole.ok());
    }
    // Windows are used for long texts alone.
    let long = text.repeat(1 + 70 / text.len().max(1));
    assert_eq!(simd::is_utf8(&long), core::str::from_utf8(&long).is_ok());
    for cut in [&[text][..], &pieces(text, manner), &pieces(text, 0)] {
        let (mut check, mut at) = (Utf8::new(), 0);
        let mut fault = None;
        for piece in cut {
            if let Err(invalid) = check.push(piece) {
                fault = Some(at + invalid.at);
                break;
            }
            at += piece.len();
        }
        match (expected, fault) {
            (Ok(_), None) => assert!(check.is_complete() && check.pending() == 0),
            (Err(error), None) => {
                assert_eq!(error.error_len(), None);
                assert_eq!(check.pending(), text.len() - error.valid_up_to());
                assert!(!check.is_complete());
            }
            (Err(error), Some(at)) => {
                // The standard library counts the bytes before the impossible
                // one to the fault.
                let len = error.error_len().expect("not merely cut");
                assert!((error.valid_up_to()..=error.valid_up_to() + len).contains(&at));
                assert!(
                    core::str::from_utf8(&text[..at]).is_ok_and(|_| at == error.valid_up_to())
                        || core::str::from_utf8(&text[..at])
                            .is_err_and(|e| e.error_len().is_none())
                );
            }
            (Ok(_), Some(at)) => panic!("refused at {at}"),
        }
    }
}

/// Masking is the exclusive or with the repeated key, at every alignment, in
/// pieces and in one, by the chosen kernel and by the portable one.
pub fn mask(data: &[u8]) {
    let mut input = Input::new(data);
    let (manner, key) = (input.byte(), input.array::<4>());
    let plain = input.rest();
    let naive: Vec<u8> = plain
        .iter()
        .zip(key.iter().cycle())
        .map(|(b, k)| b ^ k)
        .collect();
    for offset in 0..plain.len().min(9) {
        let mut memory = plain.to_vec();
        simd::mask(&mut memory[offset..], key);
        let tail: Vec<u8> = plain[offset..]
            .iter()
            .zip(key.iter().cycle())
            .map(|(b, k)| b ^ k)
            .collect();
        assert_eq!(memory[offset..], tail);
        assert_eq!(memory[..offset], plain[..offset]);
        let mut portable = plain.to_vec();
        simd::swar::mask(&mut portable[offset..], key);
        assert_eq!(portable, memory);
    }
    let (mut all, mut mask) = (Vec::new(), Mask::new(key));
    for piece in pieces(plain, manner) {
        let mut piece = piece.to_vec();
        mask.apply(&mut piece);
        all.extend(piece);
    }
    assert_eq!(all, naive);
}
