use super::super::{Job, swar::Words};
use super::*;
use alloc::vec::Vec;
use proptest::prelude::*;

/// The three answers about the bytes from a place on.
struct Judge;

impl Job for Judge {
    type Destination<'p> = usize;
    type Output = [u64; 3];

    #[inline(always)]
    fn run<B: Blocks>(self, blocks: B, text: &[u8], at: usize) -> [u64; 3] {
        [
            blocks.window(text, at, |window| blocks.unusual(window)),
            blocks.window(text, at, |window| blocks.other_than(Class::TOKEN, window)),
            blocks.window(text, at, |window| {
                blocks.other_than(Class::PLAIN_NAME, window)
            }),
        ]
    }
}

/// The answers of all back ends that this processor has.
fn answers(text: &[u8], at: usize) -> Vec<[u64; 3]> {
    let mut answers = Vec::from([Judge.run(Words, text, at)]);
    #[cfg(target_arch = "x86_64")]
    {
        use super::super::x86_64::{Avx2, Ssse3};
        answers.extend(Avx2::new().map(|blocks| blocks.run(Judge, text, at)));
        answers.extend(Ssse3::new().map(|blocks| blocks.run(Judge, text, at)));
    }
    answers.push(super::super::dispatch(Judge, text, at));
    answers
}

fn naive(text: &[u8], at: usize) -> [u64; 3] {
    let mut masks = [0; 3];
    for (i, &b) in text[at..].iter().take(WINDOW).enumerate() {
        let plain_name = b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
        let kinds = [!matches!(b, b' '..=b'~'), !ascii::is_tchar(b), !plain_name];
        for (mask, kind) in masks.iter_mut().zip(kinds) {
            *mask |= u64::from(kind) << i;
        }
    }
    masks
}

#[test]
fn every_back_end_judges_every_octet_as_the_naive_loop_does() {
    for b in 0..=255 {
        for len in [32, 33, 63, 64, 65, 100] {
            let mut text = alloc::vec![b'a'; len];
            text[len / 3] = b;
            text[len - 1] = b;
            for at in [0, 1, len / 2, len - 1, len] {
                for answer in answers(&text, at) {
                    assert_eq!(answer, naive(&text, at), "{b} {len} {at}");
                }
            }
        }
    }
}

#[test]
fn nothing_is_known_of_a_text_shorter_than_a_window() {
    for len in 0..WINDOW {
        for answer in answers(&[b'a'; WINDOW][..len], len / 2) {
            assert_eq!(answer, [!0; 3]);
        }
    }
}

proptest! {
    #[test]
    fn every_back_end_gives_the_same_masks(
        text in proptest::collection::vec(any::<u8>(), WINDOW..200), at in 0..200usize,
    ) {
        let at = at.min(text.len());
        for answer in answers(&text, at) {
            prop_assert_eq!(answer, naive(&text, at));
        }
    }

    #[test]
    fn a_run_ends_where_the_naive_loop_ends_it(
        text in proptest::collection::vec(prop_oneof![20 => b'a'..=b'z', 1 => any::<u8>()], WINDOW..200),
        at in 0..200usize,
    ) {
        let at = at.min(text.len() - 1);
        let naive = text[at..].iter().take_while(|&&b| ascii::is_tchar(b)).count();
        let run = Words.run_of(Class::TOKEN, &text, at);
        prop_assert!(run == naive || (naive >= WINDOW.min(text.len() - at) && run >= WINDOW.min(text.len() - at)));
        #[cfg(target_arch = "x86_64")]
        if let Some(blocks) = super::super::x86_64::Ssse3::new() {
            let run = blocks.run_of(Class::TOKEN, &text, at);
            prop_assert!(run == naive || (naive >= WINDOW.min(text.len() - at) && run >= WINDOW.min(text.len() - at)));
        }
    }
}
