//! Output that repeats itself.

use std::io::{self, ErrorKind, Write};

use crate::Placed;

/// One unit of output, as often as wanted: nothing is built while the clock
/// runs, and many units leave in one write.
#[derive(Debug)]
pub struct Periodic {
    bytes: Placed,
    period: usize,
}

/// How far the output of one connection has come.
#[derive(Debug, Default, Clone, Copy)]
pub struct Progress {
    /// Bytes that are still to be written.
    owed: u64,
    /// Where in a unit the next byte lies.
    at: usize,
}

impl Periodic {
    /// Repeats `unit`, up to `most` of them in one write.
    pub fn new(unit: &[u8], most: usize) -> Self {
        let fitting = (256 << 10) / unit.len();
        let units = fitting.clamp(1, most.max(1)) + 1;
        Self {
            bytes: Placed::from(&unit.repeat(units)[..]),
            period: unit.len(),
        }
    }

    /// Bytes of one unit.
    pub fn period(&self) -> usize {
        self.period
    }

    /// What comes next at `at`, at most `most` bytes of it.
    pub fn from(&self, at: usize, most: usize) -> &[u8] {
        &self.bytes[at..self.bytes.len().min(at + most)]
    }

    /// Owes the peer another `units`.
    pub fn owe(&self, progress: &mut Progress, units: u64) {
        progress.owed += units * self.period as u64;
    }

    /// Writes what is owed until all of it has left or the peer takes no more.
    ///
    /// # Errors
    /// Those of the transport, but neither `WouldBlock` nor `Interrupted`.
    pub fn write(&self, progress: &mut Progress, to: &mut impl Write) -> io::Result<()> {
        while progress.owed > 0 {
            let most = usize::try_from(progress.owed).unwrap_or(usize::MAX);
            let next = self.from(progress.at, most.min(self.bytes.len()));
            match to.write(next) {
                Ok(written) => {
                    progress.owed -= written as u64;
                    progress.at = (progress.at + written) % self.period;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
