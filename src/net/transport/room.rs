//! The room that a socket is likely to have, so that no more is sealed.

/// The most sealed for one write: several records, less than a socket usually takes, and a part
/// of 64 KiB with a head.
const BATCH: usize = 68 * 1024;
/// The least that is worth a write: a record.
pub(super) const LEAST: usize = 16 * 1024;

/// The bytes that a socket took until full, and since. Sealed bytes cannot be taken back, and
/// are held beside their source.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// Until it was full last; `u32::MAX` if it never was.
    last: u32,
    taken: u32,
}

impl Room {
    /// A socket that was never full.
    pub(super) const UNKNOWN: Self = Self {
        last: u32::MAX,
        taken: 0,
    };

    /// How many bytes to seal for the next write.
    pub(super) fn batch(self) -> usize {
        (self.last.saturating_sub(self.taken) as usize).clamp(LEAST, BATCH)
    }

    pub(super) fn note(&mut self, offered: usize, taken: usize) {
        self.taken = self
            .taken
            .saturating_add(u32::try_from(taken).unwrap_or(u32::MAX));
        if taken < offered {
            (self.last, self.taken) = (self.taken, 0);
        }
    }

    /// Nothing waits: the socket may take more than last time.
    pub(super) fn begin(&mut self) {
        self.last = self.last.max(self.taken);
        self.taken = 0;
    }
}

#[cfg(test)]
mod tests;
