//! Characters of UTF-8, byte by byte (RFC 3629 §4).

/// The character that is open at the end of a text.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Character {
    missing: u8, // continuation bytes that it still needs, 0 to 3
    seen: u8,    // its bytes so far, 0 to 3
    low: u8,     // the range of its next byte; only meaningful while missing > 0
    high: u8,
}

impl Character {
    pub(super) const NONE: Self = Self {
        missing: 0,
        seen: 0,
        low: 0,
        high: 0,
    };

    #[inline]
    pub(super) const fn is_whole(self) -> bool {
        self.missing == 0
    }

    /// Its bytes so far, 0 to 3.
    #[inline]
    pub(super) const fn seen(self) -> usize {
        self.seen as usize
    }

    /// One step of the automaton of Unicode table 3-7; `false` if `b` cannot
    /// stand here.
    pub(super) const fn step(&mut self, b: u8) -> bool {
        if self.missing > 0 {
            if b < self.low || b > self.high {
                return false;
            }
            self.missing -= 1;
            self.seen = if self.missing == 0 { 0 } else { self.seen + 1 };
            (self.low, self.high) = (0x80, 0xbf);
            return true;
        }
        if b < 0x80 {
            return true;
        }
        if b < 0xc2 || b > 0xf4 {
            return false;
        }
        self.missing = 1 + (b >= 0xe0) as u8 + (b >= 0xf0) as u8;
        self.low = match b {
            0xe0 => 0xa0,
            0xf0 => 0x90,
            _ => 0x80,
        };
        self.high = match b {
            0xed => 0x9f,
            0xf4 => 0x8f,
            _ => 0xbf,
        };
        self.seen = 1;
        true
    }

    /// Steps through `text`: all of it, or up to the byte at the place returned,
    /// which cannot stand there.
    pub(super) fn step_through(&mut self, text: &[u8]) -> Option<usize> {
        text.iter().position(|&b| !self.step(b))
    }
}
