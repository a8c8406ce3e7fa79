//! A thread that sees to connections at rest.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::io;
use std::thread::{self, Thread};

use super::client::Client;

const LEAST: Duration = Duration::from_millis(1);

/// A thread that sees to a [`Client`]'s connections at rest, until this is dropped:
/// [`Client::drive_in_background`].
#[derive(Debug)]
#[must_use = "the thread ends when this is dropped"]
pub struct BackgroundDriver {
    thread: Thread,
    is_over: Arc<AtomicBool>,
}

impl Client {
    /// Has a thread of its own look at the connections at rest, as
    /// [`close_dead`](Self::close_dead) does, after each `pause`: over HTTP/2 the pings of
    /// servers are answered, and what a server has closed, or what has grown too old, is
    /// closed, also between calls. A second will do for what servers are known to
    /// expect.
    ///
    /// The thread ends when what is returned is dropped, and behind the last clone of the
    /// client.
    ///
    /// ```
    /// use barewire::client::Client;
    /// use core::time::Duration;
    ///
    /// let client = Client::new();
    /// let driver = client.drive_in_background(Duration::from_secs(1))?;
    /// // ... calls, and long pauses between them
    /// drop(driver);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// The system has no thread to give.
    pub fn drive_in_background(&self, pause: Duration) -> io::Result<BackgroundDriver> {
        let pool = Arc::downgrade(&self.0.pool);
        let is_over = Arc::new(AtomicBool::new(false));
        let (ends, pause) = (is_over.clone(), pause.max(LEAST));
        let running = thread::Builder::new()
            .name("barewire-client".into())
            .spawn(move || {
                loop {
                    thread::park_timeout(pause);
                    match pool.upgrade() {
                        Some(pool) if !ends.load(Ordering::Acquire) => pool.close_dead(),
                        Some(_) | None => return,
                    }
                }
            })?;
        Ok(BackgroundDriver {
            thread: running.thread().clone(),
            is_over,
        })
    }
}

impl Drop for BackgroundDriver {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        self.thread.unpark();
    }
}
