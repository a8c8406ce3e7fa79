//! Signals that end a process.

use core::time::Duration;
use std::thread::Builder;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::server::Server;
use crate::net::Error;

impl Server {
    /// Has SIGTERM and SIGINT end the server: the first one has it be ready no more, and drain
    /// after `grace` ([`ServerHandle::drain_after`](crate::app::ServerHandle::drain_after)); a
    /// second one has it stop immediately. [`join`](Self::join) then returns.
    ///
    /// ```no_run
    /// use barewire::app::App;
    /// use std::time::Duration;
    ///
    /// # fn main() -> Result<(), barewire::app::Error> {
    /// let app = App::new().health("/healthz", "/readyz");
    /// let server = app.listen("127.0.0.1:8080")?.spawn()?;
    /// server.drain_on_signals(Duration::from_secs(5))?;
    /// server.join()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Io`] if the system refuses.
    pub fn drain_on_signals(&self, grace: Duration) -> Result<(), Error> {
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        let handle = self.handle();
        let attend = move || {
            let mut coming = signals.forever();
            if coming.next().is_some() {
                handle.drain_after(grace, None);
            }
            for _ in coming {
                handle.shutdown(Duration::ZERO);
            }
        };
        Builder::new()
            .name("barewire-signals".into())
            .spawn(attend)?;
        Ok(())
    }
}
