//! The table of places where four bytes were seen last.

use alloc::vec::Vec;

/// Where four bytes were seen last, by their hash.
#[derive(Debug, Default)]
pub(super) struct Table {
    places: Vec<u16>, // a power of two
}

impl Table {
    pub(super) const fn size(&self) -> usize {
        self.places.capacity() * size_of::<u16>()
    }

    /// Makes it one with 2 to the power of `bits` places that knows nothing.
    pub(super) fn begin(&mut self, bits: u32) {
        let size = 1 << bits;
        self.places.clear();
        self.places.reserve_exact(size);
        self.places.resize(size, 0);
    }

    pub(super) fn note(&mut self, plain: &[u8], start: u16) {
        let mut hashes = Hashes::of(self);
        for (at, word) in plain.windows(4).enumerate() {
            if let Ok(word) = word.try_into() {
                let word = u32::from_le_bytes(word);
                hashes.replace(word.into(), start.wrapping_add(at as u16));
            }
        }
    }
}

/// A table while it is worked with.
pub(super) struct Hashes<'t> {
    places: &'t mut [u16],
    shift: u32,
}

impl<'t> Hashes<'t> {
    pub(super) fn of(table: &'t mut Table) -> Self {
        Self {
            shift: 32 - table.places.len().ilog2().clamp(1, 16),
            places: &mut table.places,
        }
    }

    /// Notes that the lowest four bytes of `word` are at `at`, and says where they were
    /// before.
    #[inline(always)]
    pub(super) fn replace(&mut self, word: u64, at: u16) -> u16 {
        let hash = (word as u32).wrapping_mul(0x9e37_79b1) >> self.shift;
        match self.places.get_mut(hash as usize) {
            Some(place) => core::mem::replace(place, at),
            None => at,
        }
    }
}
