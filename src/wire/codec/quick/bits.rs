//! Bits in the order of DEFLATE: the first one is the lowest of its byte (RFC 1951 §3.1.1).

use alloc::vec::Vec;

/// Room that is made at a time, in bytes.
const ROOM: usize = 256;

/// Appends bits to bytes.
pub(super) struct Bits<'o> {
    out: &'o mut Vec<u8>,
    /// Bytes that are complete; behind them `out` is room.
    end: usize,
    waiting: u64,
    /// How many wait, fewer than 8 between two calls.
    count: u32,
}

impl<'o> Bits<'o> {
    /// Appends to these bytes, of which there will probably be so many more.
    pub(super) fn new(out: &'o mut Vec<u8>, more: usize) -> Self {
        let end = out.len();
        out.resize(end + more.max(ROOM), 0);
        Self {
            out,
            end,
            waiting: 0,
            count: 0,
        }
    }

    /// Appends the bits that `of` makes of each item: at most 56, and how many they are.
    #[inline(always)]
    pub(super) fn put_each<T>(&mut self, items: &[T], of: impl Fn(&T) -> (u64, u32)) {
        let (mut end, mut waiting, mut count) = (self.end, self.waiting, self.count);
        for items in items.chunks(ROOM / 8) {
            if self.out.len() < end + ROOM {
                self.out.resize(end + end / 2 + 2 * ROOM, 0);
            }
            let room = self.out.as_mut_slice();
            for item in items {
                let (bits, more) = of(item);
                waiting |= bits << count;
                count += more;
                if let Some(place) = room.get_mut(end..).and_then(<[u8]>::first_chunk_mut) {
                    *place = waiting.to_le_bytes();
                }
                end += count as usize / 8;
                waiting >>= count & !7;
                count %= 8;
            }
        }
        (self.end, self.waiting, self.count) = (end, waiting, count);
    }

    /// Appends the lowest `count` bits, at most 32; the others are 0.
    pub(super) fn put(&mut self, bits: u32, count: u32) {
        self.put_each(&[(bits, count)], |&(bits, count)| (bits.into(), count));
    }

    /// How many bits are missing to the end of a byte.
    pub(super) const fn missing(&self) -> u32 {
        self.count.wrapping_neg() % 8
    }

    /// Appends so many zeros, more up to the end of a byte, and bytes behind it.
    pub(super) fn put_bytes(&mut self, zeros: u32, parts: [&[u8]; 2]) {
        let zeros = zeros + (self.count + zeros).wrapping_neg() % 8;
        if zeros > 0 {
            self.put(0, zeros);
        }
        self.out.truncate(self.end);
        for part in parts {
            self.out.extend_from_slice(part);
        }
        self.end = self.out.len();
    }

    pub(super) fn finish(mut self) {
        self.put_bytes(0, [&[], &[]]);
    }
}
