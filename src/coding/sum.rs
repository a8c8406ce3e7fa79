//! CRC-32 of what stands after each other, without reading the first part again.

use alloc::boxed::Box;

use zlib_rs::crc32::{crc32, crc32_combine_gen, crc32_combine_op};

/// The CRC-32 of a text, prepared to be put after the sums of many others: one look into
/// four tables for each of them.
#[derive(Debug)]
pub(super) struct Appended {
    sum: u32,
    length: u32,
    /// For each byte of a sum, its value after so many further bytes.
    tables: Box<[[u32; 256]; 4]>,
}

impl Appended {
    pub(super) fn new(text: &[u8]) -> Self {
        let shift = crc32_combine_gen(text.len() as u64);
        let mut tables = Box::new([[0; 256]; 4]);
        // It is linear: what a byte becomes is put together of what its bits become.
        for (place, table) in tables.iter_mut().enumerate() {
            for bit in 0..8 {
                let one = 1_usize << bit;
                let moved = crc32_combine_op(1 << (8 * place + bit), 0, shift);
                for low in 0..one {
                    table[one + low] = table[low] ^ moved; // all below 256
                }
            }
        }
        Self {
            sum: crc32(0, text),
            length: text.len() as u32, // modulo 2³²
            tables,
        }
    }

    /// Sum and length of the text after another of which these are given.
    pub(super) fn behind(&self, sum: u32, length: u32) -> (u32, u32) {
        let [a, b, c, d] = sum.to_le_bytes();
        let [t0, t1, t2, t3] = &*self.tables;
        let moved =
            t0[usize::from(a)] ^ t1[usize::from(b)] ^ t2[usize::from(c)] ^ t3[usize::from(d)];
        (moved ^ self.sum, length.wrapping_add(self.length))
    }
}

#[cfg(test)]
mod tests;
