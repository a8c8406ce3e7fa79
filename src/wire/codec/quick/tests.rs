use super::*;
use alloc::borrow::ToOwned;
use alloc::vec;
use proptest::prelude::*;

/// What `data` inflates to behind `window`, by another codec.
fn inflated(data: &[u8], window: &[u8], size: usize) -> Vec<u8> {
    let mut state = flate2::Decompress::new(false);
    if !window.is_empty() {
        state.set_dictionary(window).unwrap();
    }
    let mut plain = vec![0; size + 1];
    let status = state.decompress(data, &mut plain, flate2::FlushDecompress::Sync);
    status.unwrap();
    assert_eq!(state.total_in(), data.len() as u64);
    plain.truncate(state.total_out() as usize);
    plain
}

/// Text, as it is sent, and bytes that nothing can be done with.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        "[a-z]{1,9}",
        "[0-9]{1,12}",
        Just("{\"id\":".to_owned()),
        Just(",\"customer\":\"".to_owned()),
        Just("\"},".to_owned())
    ];
    prop_oneof![
        4 => prop::collection::vec(word, 0..900).prop_map(|words| words.concat().into_bytes()),
        2 => prop::collection::vec(any::<u8>(), 0..3000),
        1 => (any::<u8>(), 0..100_000_usize).prop_map(|(byte, size)| vec![byte; size]),
        1 => (1..40_000_usize, prop::collection::vec(any::<u8>(), 1..40))
            .prop_map(|(size, piece)| piece.into_iter().cycle().take(size).collect()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_is_deflated_inflates(
        bits in 8_u8..=15,
        messages in prop::collection::vec((message(), 0..4_u8), 1..12),
    ) {
        let (mut quick, mut kept) = (Quick::boxed(), Kept::new(bits));
        let (mut window, mut behind) = (Vec::new(), Vec::new());
        for (message, way) in &messages {
            let (mut out, message) = (Vec::new(), &message[..]);
            match way {
                // By itself, behind a window, and behind earlier messages.
                0 => {
                    quick.deflate(bits, &[], message, &mut out);
                    prop_assert_eq!(&inflated(&out, &[], message.len()), message);
                }
                1 => {
                    quick.deflate(bits, &window, message, &mut out);
                    prop_assert_eq!(&inflated(&out, &window, message.len()), message);
                }
                _ => {
                    quick.deflate_behind(&mut kept, message, &mut out);
                    prop_assert_eq!(&inflated(&out, &behind, message.len()), message);
                    behind.extend_from_slice(message);
                    behind.drain(..behind.len().saturating_sub(1 << bits));
                }
            }
            prop_assert!(out.ends_with(&[0, 0, 0xff, 0xff]));
            prop_assert!(out.len() <= message.len() + message.len() / 4096 + 16);
            window.extend_from_slice(message);
            window.drain(..window.len().saturating_sub(1 << bits));
            prop_assert!(kept.size() <= (5 << bits) / 2 + (1 << bits.saturating_sub(9)) * 1024);
        }
    }

    #[test]
    fn any_counts_get_codes_that_fill_the_space(
        counts in prop::collection::vec(prop_oneof![2 => Just(0_u32), 3 => 1..9_u32, 1 => 1..4096_u32], 1..286),
        most in 9..=15_usize,
    ) {
        let mut codes = [lengths::Code::NONE; lengths::LITERALS];
        lengths::set_lengths(&counts, &mut codes, most);
        let used = counts.iter().filter(|&&count| count > 0).count();
        let sum: u32 = codes.iter().filter(|it| it.length > 0).map(|it| 1 << (15 - it.length)).sum();
        prop_assert_eq!(codes.iter().filter(|it| it.length > 0).count(), used);
        prop_assert!(codes.iter().all(|it| usize::from(it.length) <= most));
        prop_assert_eq!(sum, match used { 0 => 0, 1 => 1 << 14, _ => 1 << 15 });
    }
}

#[test]
fn what_nothing_matches_is_stored_and_what_stands_behind_it_is_found() {
    let mut state = 1_u64;
    let mut noise = |size| -> Vec<u8> {
        let byte = |_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        };
        (0..size).map(byte).collect()
    };
    for size in [
        1, 7, 255, 256, 257, 511, 512, 1000, 4095, 4096, 4097, 100_000,
    ] {
        let (message, mut out) = (noise(size), Vec::new());
        Quick::boxed().deflate(15, &[], &message, &mut out);
        assert_eq!(inflated(&out, &[], size), message);
        let stored = size + 5 * size.div_ceil(4096) + 5;
        assert!(out.len() <= stored, "{size}: {}", out.len());
    }
    // Every letter is used, and some more: codes of their own pay.
    let letters: Vec<u8> = noise(20_000).into_iter().map(|it| it % 64 + 32).collect();
    let mut out = Vec::new();
    Quick::boxed().deflate(15, &[], &letters, &mut out);
    assert!(out.len() < 15_300, "{}", out.len());
    // Text behind noise.
    let text = b"a text that comes again and again. ".repeat(100);
    let message = [noise(5000), text.clone()].concat();
    out.clear();
    Quick::boxed().deflate(15, &[], &message, &mut out);
    assert_eq!(inflated(&out, &[], message.len()), message);
    assert!(out.len() < 5300, "{}", out.len());
}
