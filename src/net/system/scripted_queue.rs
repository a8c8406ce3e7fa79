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

/// A queue with what is in it.
#[derive(Debug)]
pub(super) struct Filled {
    pub(super) shape: KernelQueue,
    pub(in crate::net) bytes: VecDeque<u8>,
    read: u128, // of the bytes at the front, in bytes times nanoseconds
    fin: bool,  // lies behind the bytes
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

    /// Takes as much as there is room for.
    pub(super) fn put(&mut self, bytes: &[u8]) -> usize {
        let n = bytes.len().min(self.room());
        self.bytes.extend(&bytes[..n]);
        n
    }

    pub(in crate::net) fn room(&self) -> usize {
        self.shape.size.saturating_sub(self.bytes.len())
    }

    pub(super) fn finish(&mut self) {
        self.fin = !self.bytes.is_empty();
    }

    pub(super) fn under_way(&self) -> usize {
        self.bytes.len() + usize::from(self.fin)
    }

    /// Forgets all: the connection was reset.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.fin = false;
    }

    /// Whether so much is free that the system says so.
    pub(super) fn is_writable(&self) -> bool {
        self.room() * 3 >= self.shape.size
    }

    /// What the peer acknowledges within `time` goes to `output`.
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
mod tests {
    use super::*;
    use crate::net::{Fate, ListenOptions, Poller, Readiness, Scripted};
    use std::io::IoSlice;

    const QUEUE: KernelQueue = KernelQueue {
        size: 90,
        rate: 10,
        step: 20,
    };

    #[test]
    fn a_queue_drains_in_steps_and_says_so_when_a_third_is_free() {
        let world = Scripted::new();
        let mut system = world.clone();
        let (address, options) = ("0.0.0.0:0".parse().unwrap(), ListenOptions::DEFAULT);
        let mut listener = system.listen(&address, &options, 1).unwrap();
        let client = world.connect_client(0);
        let (mut stream, _) = system.accept(&mut listener).unwrap();
        system.register(&mut stream, 7).unwrap();
        world.set_kernel_queue(client, QUEUE);
        let polled = |system: &mut Scripted| {
            let mut ready: Vec<Readiness> = Vec::new();
            system.poll(&mut ready, None).unwrap();
            ready.iter().any(|event| event.token == 7 && event.writable)
        };
        polled(&mut system);
        let parts = [IoSlice::new(&[b'x'; 80]), IoSlice::new(&[b'y'; 80])];
        assert_eq!(system.write(&mut stream, &parts).unwrap(), 90);
        for (seconds, left, writable) in [(1, 90, false), (1, 70, false), (2, 50, true)] {
            world.advance(Duration::from_secs(seconds));
            assert_eq!(system.under_way(&stream), Some(left));
            assert_eq!(polled(&mut system), writable, "{left}");
        }
        system.shutdown_write(&mut stream).unwrap();
        assert_eq!(system.under_way(&stream), Some(51));
        world.tell_under_way(false);
        assert_eq!(system.under_way(&stream), None);
        system.close(stream);
        world.advance(Duration::from_secs(2));
        assert_eq!((world.output(client).len(), world.queued(client)), (60, 30));
        world.send(client, b"more");
        world.advance(Duration::from_secs(9));
        assert_eq!(world.output(client).len(), 60, "the rest is lost");
        assert_eq!(world.fate(client), Fate::Reset);
    }

    #[test]
    fn what_is_left_is_taken_together() {
        let (mut queue, mut output) = (Filled::new(QUEUE), Vec::new());
        assert_eq!(queue.put(&[1; 25]), 25);
        queue.pass(Duration::from_millis(2400), &mut output);
        assert_eq!(output.len(), 20);
        queue.pass(Duration::from_millis(100), &mut output);
        assert_eq!((output.len(), queue.under_way()), (25, 0));
        queue.pass(Duration::from_secs(100), &mut output);
        queue.put(&[1; 25]);
        queue.pass(Duration::from_secs(1), &mut output);
        assert_eq!(
            output.len(),
            25,
            "who has nothing to read reads nothing ahead"
        );
    }
}
