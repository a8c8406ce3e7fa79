//! How an encoder finds the entries of its table.
//!
//! ```text
//!   bucket of the name  ->  the newest entry of that bucket
//!   each entry          ->  the one before it in its bucket
//! ```
//!
//! All are told as distances: the newest entry of the table is at 1. What went
//! out of the table is further away than the table is long, and so is what is
//! behind it, so that nothing has to be taken out of a chain. A number that has
//! come round may lead into another bucket's chain; what is found there is
//! compared like any other entry.

const BUCKETS: usize = 32;

/// The newest entry of each bucket.
#[derive(Debug)]
pub(super) struct Buckets {
    newest: [u16; BUCKETS], // as counted by `inserted`
    inserted: u16,          // comes round
}

impl Buckets {
    pub(super) const EMPTY: Self = Self {
        newest: [0; BUCKETS],
        inserted: 0,
    };

    /// How far away the newest entry is whose name is stirred to `name`: 1 to
    /// 65,536.
    #[inline]
    pub(super) fn distance(&self, name: u64) -> u32 {
        let newest = self.newest[Self::bucket(name)];
        u32::from(self.inserted.wrapping_sub(newest)) + 1
    }

    /// Notes that an entry of this name has become the newest one.
    #[inline]
    pub(super) fn insert(&mut self, name: u64) {
        self.inserted = self.inserted.wrapping_add(1);
        self.newest[Self::bucket(name)] = self.inserted;
    }

    #[inline]
    const fn bucket(name: u64) -> usize {
        (name >> (64 - BUCKETS.trailing_zeros())) as usize
    }
}
