//! The kernel between the loop and its peers, as a test scripts it.

use super::scripted::{Client, Scripted};
use super::scripted_queue::{Filled, KernelQueue};

impl Scripted {
    /// Has the kernel hold what is written to a peer, until that takes it as
    /// time passes ([`advance`](Self::advance)). Set again, the queue keeps what
    /// is in it. At first there is no queue: what is written is taken.
    pub fn set_kernel_queue(&self, client: Client, shape: KernelQueue) {
        self.with(client, |stream| match &mut stream.queue {
            Some(queue) => queue.shape = shape,
            None => stream.queue = Some(Filled::new(shape)),
        });
    }

    /// Bytes that were written to a peer and that it has not taken.
    pub fn queued(&self, client: Client) -> usize {
        self.with(client, |stream| {
            let queue = stream.queue.as_ref();
            queue.map_or(0, |queue| queue.bytes.len())
        })
    }

    /// Whether the system says what is under way
    /// ([`Poller::under_way`](crate::net::Poller::under_way)), as it does at first.
    pub fn tell_under_way(&self, tells: bool) {
        self.world.borrow_mut().tells_under_way = tells;
    }
}
