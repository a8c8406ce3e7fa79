//! The memory of what messages are compressed and inflated with.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::state::State;
use crate::http::OwnedScratch;
use crate::link::{Account, Charge};
use crate::net::Key;
use crate::wire::codec::{Deflater, Tally};

/// A message of this size may have come as a few bytes: after it the clock is read.
pub(super) const LONG: usize = 32 << 10;

/// Counts of the WebSocket messages that a loop compressed and inflated (RFC 7692). Any thread may
/// look; the numbers are those of the last connection that was read.
///
/// ```
/// use barewire::net::{Limits, Loop};
///
/// # fn main() -> Result<(), barewire::net::Error> {
/// let events = Loop::new(Limits::DEFAULT)?;
/// assert_eq!(events.compression().deflated().messages, 0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct CompressionCounts(Arc<[Counts; 2]>);

#[derive(Debug, Default)]
struct Counts {
    messages: AtomicU64,
    plain_bytes: AtomicU64,
    compressed_bytes: AtomicU64,
    left_plain: AtomicU64,
}

impl CompressionCounts {
    /// Of messages that were received.
    pub fn inflated(&self) -> Tally {
        self.0[0].read()
    }

    /// Of messages that were sent.
    pub fn deflated(&self) -> Tally {
        self.0[1].read()
    }
}

impl Counts {
    fn read(&self) -> Tally {
        Tally {
            messages: self.messages.load(Relaxed),
            plain_bytes: self.plain_bytes.load(Relaxed),
            compressed_bytes: self.compressed_bytes.load(Relaxed),
            left_plain: self.left_plain.load(Relaxed),
        }
    }

    fn write(&self, tally: Tally) {
        self.messages.store(tally.messages, Relaxed);
        self.plain_bytes.store(tally.plain_bytes, Relaxed);
        self.compressed_bytes.store(tally.compressed_bytes, Relaxed);
        self.left_plain.store(tally.left_plain, Relaxed);
    }
}

/// A loop's codecs, the charge for their memory, and what they did.
#[derive(Debug)]
pub(crate) struct Codecs {
    inflating: Charge,
    deflating: Charge,
    counts: Arc<[Counts; 2]>,
    /// The part of its counts that can change without held memory.
    left_plain: u64,
}

impl Codecs {
    pub(crate) fn new(account: &Account) -> Self {
        Self {
            inflating: account.charge(0),
            deflating: account.charge(0),
            counts: Arc::default(),
            left_plain: 0,
        }
    }

    pub(crate) fn counts(&self) -> CompressionCounts {
        CompressionCounts(self.counts.clone())
    }

    /// After a connection was fed: frees memory that is seldom needed, and charges the
    /// rest to the loop.
    #[inline]
    pub(super) fn book(&mut self, scratch: &mut OwnedScratch, deflater: Option<&Deflater>) {
        let inflating = scratch.inflater().map_or(0, |it| it.held());
        let (deflating, left_plain) =
            deflater.map_or((0, 0), |it| (it.held(), it.tally().left_plain));
        if inflating | deflating > 0 || left_plain != self.left_plain {
            self.left_plain = left_plain;
            self.charge(scratch, deflater);
        }
    }

    #[cold]
    fn charge(&mut self, scratch: &mut OwnedScratch, deflater: Option<&Deflater>) {
        if let Some(inflater) = scratch.inflater() {
            inflater.trim();
            self.inflating.set(inflater.held());
            self.counts[0].write(inflater.tally());
        }
        if let Some(deflater) = deflater {
            self.counts[1].write(deflater.tally());
            self.deflating.set(deflater.held());
        }
    }
}

impl State {
    /// Charges a connection for what its compression keeps between messages.
    #[cold]
    pub(super) fn meter_compression(&mut self, key: Key) {
        self.account_of(key);
        if let Some(connection) = self.connections.get_mut(key) {
            connection.link.meter_compression();
        }
    }
}
