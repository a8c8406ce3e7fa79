//! SHA-1 and base64 in little code, for programs without `std` (RFC 3174,
//! RFC 4648 §4). Nothing secret depends on either.

/// The SHA-1 of `parts`, one after the other.
pub(super) fn sha1(parts: [&[u8]; 2]) -> [u8; 20] {
    let mut state: [u32; 5] = [
        0x6745_2301,
        0xefcd_ab89,
        0x98ba_dcfe,
        0x1032_5476,
        0xc3d2_e1f0,
    ];
    let end = (parts[0].len() + parts[1].len() + 8) / 64 * 64 + 64;
    let mut words = [0; 16];
    for at in 0..end {
        let word = &mut words[at / 4 % 16];
        *word = *word << 8 | u32::from(padded(parts, end, at));
        if at % 64 == 63 {
            step(&mut state, &mut words);
        }
    }
    let mut digest = [0; 20];
    for (place, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(&state) {
        *place = word.to_be_bytes();
    }
    digest
}

/// The byte at `at` of the message padded to `end` bytes: a bit, zeros, and the length in bits.
#[inline(never)] // smaller so
fn padded(parts: [&[u8]; 2], end: usize, at: usize) -> u8 {
    let [first, second] = parts;
    if let Some(byte) = first.get(at) {
        return *byte;
    }
    if let Some(byte) = second.get(at - first.len()) {
        return *byte;
    }
    let length = first.len() + second.len();
    match end - 1 - at {
        _ if at == length => 0x80,
        behind @ 0..8 => ((length as u64 * 8) >> (behind * 8)) as u8,
        _ => 0,
    }
}

/// One block into the state. A used word makes room for the one 16 steps later.
fn step(state: &mut [u32; 5], words: &mut [u32; 16]) {
    let [mut a, mut b, mut c, mut d, mut e] = *state;
    for i in 0..80 {
        let (mix, constant) = match i / 20 {
            0 => (d ^ (b & (c ^ d)), 0x5a82_7999),
            1 => (b ^ c ^ d, 0x6ed9_eba1),
            2 => ((b & c) | (d & (b | c)), 0x8f1b_bcdc),
            _ => (b ^ c ^ d, 0xca62_c1d6_u32),
        };
        let word = words[i % 16];
        let later = word ^ words[(i + 2) % 16] ^ words[(i + 8) % 16] ^ words[(i + 13) % 16];
        words[i % 16] = later.rotate_left(1);
        let sum = e.wrapping_add(mix).wrapping_add(constant);
        let sum = sum.wrapping_add(word).wrapping_add(a.rotate_left(5));
        (a, b, c, d, e) = (sum, a, b.rotate_left(30), c, d);
    }
    for (whole, part) in state.iter_mut().zip(&[a, b, c, d, e]) {
        *whole = whole.wrapping_add(*part);
    }
}

/// Writes the base64 of `bytes` over the padding in `text`, of the right length.
pub(super) fn base64(bytes: &[u8], text: &mut [u8]) {
    let byte = |at: usize| bytes.get(at).copied().map(u16::from);
    for (i, place) in text.iter_mut().enumerate() {
        // Six bits of two bytes.
        let Some(first) = byte(i * 6 / 8) else { break };
        let pair = first << 8 | byte(i * 6 / 8 + 1).unwrap_or(0);
        *place = match (pair >> (10 - i * 6 % 8) & 63) as u8 {
            n @ 0..=25 => b'A' + n,
            n @ 26..=51 => b'a' + n - 26,
            n @ 52..=61 => b'0' + n - 52,
            62 => b'+',
            _ => b'/',
        };
    }
}

#[cfg(test)]
mod tests;
