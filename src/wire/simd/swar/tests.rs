use super::*;
use alloc::vec::Vec;

type Masking = fn(&mut [u8], [u8; 4]) -> bool;

#[test]
fn masking_agrees_with_the_naive_loop_at_every_length() {
    let key = [0x12, 0x34, 0x56, 0x78];
    for len in 0..400 {
        let plain: Vec<u8> = (0..len).map(|i| (i * 7) as u8 & 0x7f).collect();
        let naive: Vec<u8> = plain
            .iter()
            .enumerate()
            .map(|(i, b)| b ^ key[i & 3])
            .collect();
        let ways: [Masking; 5] = [
            mask_is_ascii,
            |payload, key| {
                mask_short(payload, key);
                payload.is_ascii()
            },
            |payload, key| mask_long(payload, key, mask_steps),
            super::super::mask_is_ascii,
            |payload, key| {
                super::super::mask(payload, key);
                payload.is_ascii()
            },
        ];
        for way in ways {
            let mut masked = plain.clone();
            assert_eq!(way(&mut masked, key), naive.is_ascii(), "{len}");
            assert_eq!(masked, naive, "{len}");
            let mut masked = naive.clone();
            assert!(!way(&mut masked, key) || plain.is_ascii(), "{len}");
            assert_eq!(masked, plain, "{len}");
        }
        let mut masked = plain.clone();
        mask(&mut masked, key);
        assert_eq!(masked, naive, "{len}");
        mask(&mut masked, key);
        assert_eq!(masked, plain, "{len}");
    }
}

#[test]
fn long_payloads_are_masked_wherever_they_begin() {
    let key = [0x12, 0x34, 0x56, 0x78];
    for len in [511, 512, 513, 575, 1000, 1024, 4097] {
        for from in 0..70 {
            for odd in [0, len / 2, len - 1] {
                let mut plain: Vec<u8> = (0..from + len).map(|i| i as u8 & 0x7f).collect();
                plain[from + odd] |= (len as u8 & 1) << 7;
                let mut masked = plain.clone();
                for (byte, k) in masked[from..].iter_mut().zip(key.iter().cycle()) {
                    *byte ^= k;
                }
                let (mut judged, mut wide) = (masked.clone(), masked.clone());
                super::super::mask(&mut masked[from..], key);
                assert_eq!(masked, plain, "{len} {from}");
                let is_ascii = super::super::mask_is_ascii(&mut judged[from..], key);
                assert_eq!(
                    (&judged, is_ascii),
                    (&plain, plain.is_ascii()),
                    "{len} {from}"
                );
                let is_ascii = mask_long(&mut wide[from..], key, mask_steps);
                assert_eq!(
                    (&wide, is_ascii),
                    (&plain, plain.is_ascii()),
                    "{len} {from}"
                );
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn words_and_vectors_judge_targets_alike() {
    for b in 0..=255 {
        for at in 0..HALF {
            let mut block = [b'a'; HALF];
            block[at] = b;
            let vectors = super::super::x86_64::target_bytes(&block);
            assert_eq!(target_bytes(&block), vectors, "{b} {at}");
        }
    }
}
