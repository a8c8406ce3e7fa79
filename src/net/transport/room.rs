//! How much a socket is likely to take, so that no more is sealed.

/// The most that is sealed for one write: several records, and less than a socket
/// usually takes. What reads in parts of 64 KiB sends such a part with a head: both
/// leave in one write.
const BATCH: usize = 68 * 1024;
/// The least that is worth a write: a record.
pub(super) const LEAST: usize = 16 * 1024;

/// What a socket took until it was full, and has taken since. What is sealed and not
/// taken cannot be taken back, and is held beside what it was sealed from.
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

    /// Notes a write.
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
mod tests {
    use super::*;

    #[test]
    fn it_follows_what_the_socket_takes() {
        let mut room = Room::UNKNOWN;
        assert_eq!(room.batch(), BATCH);
        room.note(BATCH, BATCH);
        assert_eq!(room.batch(), BATCH);
        room.note(BATCH, 10_000);
        assert_eq!(room.batch(), BATCH, "79,632 until it was full");
        room.note(BATCH, 30_000);
        assert_eq!(room.batch(), 30_000);
        // The rest of what was sealed is taken, and there is room for less.
        room.note(10_000, 10_000);
        assert_eq!(room.batch(), 20_000);
        room.note(20_000, 20_000);
        assert_eq!(room.batch(), LEAST);
        room.note(LEAST, 5_000);
        assert_eq!(room.batch(), 35_000);
        // One that takes nothing is offered a record.
        room.note(LEAST, 0);
        assert_eq!(room.batch(), LEAST);
        // One that is not full any more is offered more each time.
        room.begin();
        room.note(LEAST, LEAST);
        room.note(LEAST, LEAST);
        room.begin();
        assert_eq!(room.batch(), 2 * LEAST);
    }
}
