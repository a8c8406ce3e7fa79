//! The reasons for which a connection is not read from.

/// Why a connection is not read from, nor its link fed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Holds(u8);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    Owner = 1,
    /// It waits for memory: only exchanges that share it are still served.
    Memory = 2,
    /// Its output waits: a write was answered `Wait`.
    Output = 4,
}

const ANY: u8 = Hold::Owner as u8 | Hold::Memory as u8 | Hold::Output as u8;

/// Output that waits is no reason.
const DUPLEX: u8 = 8;

/// Something has come since its owner asked to be told so: no reason either.
const HEARD: u8 = 16;

impl Holds {
    pub(super) const NONE: Self = Self(0);

    /// Whether this is one of the reasons.
    #[inline]
    pub(crate) const fn has(self, hold: Hold) -> bool {
        self.0 & hold as u8 != 0
    }

    #[inline]
    pub(super) const fn add(&mut self, hold: Hold) {
        self.0 |= hold as u8;
    }

    #[inline]
    pub(super) const fn end(&mut self, hold: Hold) {
        self.0 &= !(hold as u8);
    }

    /// Whether there is no reason.
    #[inline]
    pub(super) const fn is_none(self) -> bool {
        self.0 & ANY == 0
    }

    /// Reads from it even while its output waits.
    pub(super) const fn ignore_output(&mut self) {
        self.0 |= DUPLEX;
    }

    #[inline]
    pub(super) const fn hear(&mut self) {
        self.0 |= HEARD;
    }

    #[cfg(feature = "client")]
    pub(crate) const fn forget_heard(&mut self) {
        self.0 &= !HEARD;
    }

    /// Whether something has come since that was forgotten.
    #[cfg(feature = "client")]
    pub(crate) const fn has_heard(self) -> bool {
        self.0 & HEARD != 0
    }

    /// Whether it is read from also while its output waits.
    #[inline]
    pub(super) const fn ignores_output(self) -> bool {
        self.0 & DUPLEX != 0
    }

    /// Whether it may be read from, which several exchanges may share.
    #[inline]
    pub(super) const fn lets_read(self, is_shared: bool) -> bool {
        !self.has(Hold::Owner)
            && (is_shared || !self.has(Hold::Memory))
            && (self.ignores_output() || !self.has(Hold::Output))
    }
}

#[cfg(test)]
mod tests;
