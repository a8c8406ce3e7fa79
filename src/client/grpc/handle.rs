//! The handle of a channel, and its end.

use alloc::sync::Arc;

use super::shared::Shared;
use crate::net::Remote;
use crate::wire::partly_shown;

/// A gRPC server that calls go to.
///
/// A channel connects when there is a call, and again when the connection is
/// lost, with growing pauses while the server cannot be reached. All its calls
/// share one connection. It may be cloned and used from any thread; the
/// connection ends when the last clone and the last call are gone.
///
/// [`connect`](Self::connect) runs a loop of its own on a thread: so pings are
/// answered, deadlines kept and windows opened also while the application is
/// busy elsewhere, and two threads may use one call. [`on`](Self::on) uses a
/// loop that is there already. A blocking call costs two wake-ups, the loop's
/// and its own.
///
/// ```no_run
/// use barewire::client::{CallOptions, Channel};
/// use core::time::Duration;
///
/// let channel = Channel::connect("http://127.0.0.1:50051")?;
/// let options = CallOptions::new().timeout(Duration::from_secs(5));
/// let response = channel.unary::<Vec<u8>, Vec<u8>>("/echo.Echo/Say", &b"hi".to_vec(), options)?;
/// assert_eq!(response.message, b"hi");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Channel {
    pub(super) shared: Arc<Shared>,
    pub(super) guard: Arc<Guard>,
}

impl Channel {
    /// The first handle. `private` is the loop that is the channel's own.
    pub(super) fn new(shared: Arc<Shared>, private: Option<Remote>) -> Self {
        let guard = Arc::new(Guard {
            shared: shared.clone(),
            private,
        });
        Self { shared, guard }
    }
}

/// Ends the channel when the last clone of it is dropped.
pub(super) struct Guard {
    shared: Arc<Shared>,
    /// The loop that is the channel's own.
    private: Option<Remote>,
}

partly_shown!(Channel);

impl Drop for Guard {
    fn drop(&mut self) {
        match &self.private {
            Some(remote) => remote.drain(None),
            None => self.shared.shutdown(),
        }
    }
}
