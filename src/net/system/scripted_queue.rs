//! Bytes that a scripted kernel holds on their way to the peer.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

const SECOND: u128 = 1_000_000_000;

/// The queue between the loop and one peer of a
/// [`Scripted`](crate::net::Scripted) world: what the loop writes lies there, and
/// the peer takes it as time passes.
///
/// Like on Linux, an event says that there is room only once a third of the queue
/// is free, and what is taken shows in steps: a receiver opens its window, and
/// acknowledges, when it has read enough.
///
/// ```
/// use barewire::net::{KernelQueue, ListenOptions, Poller, Scripted};
/// use core::time::Duration;
/// use std::io::IoSlice;
///
/// let world = Scripted::new();
/// let mut system = world.clone();
/// let mut listener = system.listen(&"0.0.0.0:80".parse()?, &ListenOptions::DEFAULT, 1)?;
/// let client = world.connect_client(0);
/// let (mut stream, _) = system.accept(&mut listener)?;
///
/// world.set_kernel_queue(client, KernelQueue { size: 100, rate: 10, step: 1 });
/// assert_eq!(system.write(&mut stream, &[IoSlice::new(&[b'x'; 150])])?, 100);
/// world.advance(Duration::from_secs(3));
/// assert_eq!(system.under_way(&stream), Some(70));
/// assert_eq!(world.output(client).len(), 30);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KernelQueue {
    /// Bytes that it has room for.
    pub size: usize,
    /// Bytes that the peer reads in a second; 0: it does not read.
    pub rate: usize,
    /// Bytes that the peer reads before it acknowledges them, at least 1; what
    /// is left in the queue at its end is acknowledged together.
    pub step: usize,
}

#[derive(Debug)]
pub(super) struct Filled {
    pub(super) shape: KernelQueue,
    pub(crate) bytes: VecDeque<u8>,
    read: u128, // of the bytes at the front, in bytes times nanoseconds
    fin: bool,  // lies after the bytes
}

impl Filled {
    pub(super) fn new(shape: KernelQueue) -> Self {
        Self {
            shape,
            bytes: VecDeque::new(),
            read: 0,
            fin: false,
        }
    }

    pub(super) fn put(&mut self, bytes: &[u8]) -> usize {
        let n = bytes.len().min(self.room());
        self.bytes.extend(&bytes[..n]);
        n
    }

    pub(crate) fn room(&self) -> usize {
        self.shape.size.saturating_sub(self.bytes.len())
    }

    pub(super) fn finish(&mut self) {
        self.fin = !self.bytes.is_empty();
    }

    pub(super) fn under_way(&self) -> usize {
        self.bytes.len() + usize::from(self.fin)
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.fin = false;
    }

    pub(super) fn is_writable(&self) -> bool {
        self.room() * 3 >= self.shape.size
    }

    /// Moves what the peer acknowledges within `time` to `output`.
    pub(super) fn pass(&mut self, time: Duration, output: &mut Vec<u8>) {
        self.read += self.shape.rate as u128 * time.as_nanos();
        let read = usize::try_from(self.read / SECOND).unwrap_or(usize::MAX);
        let taken = match read >= self.bytes.len() {
            true => self.bytes.len(),
            false => read - read % self.shape.step.max(1),
        };
        output.extend(self.bytes.drain(..taken));
        self.read -= taken as u128 * SECOND;
        if self.bytes.is_empty() {
            (self.read, self.fin) = (0, false);
        }
    }
}

#[cfg(test)]
mod tests;
