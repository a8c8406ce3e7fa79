//! Sockets from systemd, and messages to it (sd_listen_fds(3), sd_notify(3)).

use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::thread::{Builder, sleep};

use sd_notify::{NotifyState, notify};

use super::builder::App;
use super::server::Server;
use crate::net::{Error, Listener};

impl App {
    /// Listens on all sockets that systemd hands over, or on `address` if there are none.
    /// While the service is restarted, connections wait in these sockets: none is refused.
    ///
    /// ```no_run
    /// use barewire::app::App;
    ///
    /// # fn main() -> Result<(), barewire::app::Error> {
    /// let app = App::new().get("/", |_request, reply| reply.text("hello"));
    /// let server = app.listen_systemd("127.0.0.1:8080")?.spawn()?;
    /// server.notify_systemd()?;
    /// server.join()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// To tell sockets apart by their names there is [`Listener::from_systemd`]. To be called
    /// before there are threads, as the variables are taken out of the environment.
    ///
    /// # Errors
    /// Those of [`Listener::from_systemd`] and of [`listen`](Self::listen).
    pub fn listen_systemd(self, address: &str) -> Result<Self, Error> {
        let handed = Listener::from_systemd()?;
        match handed.is_empty() {
            true => self.listen(address),
            false => Ok(handed.into_iter().fold(self, Self::listen_on)),
        }
    }
}

impl Server {
    /// Tells systemd that the server is ready (`Type=notify`), and, when it begins to leave,
    /// that it stops. Where the unit has a watchdog (`WatchdogSec=`), it is told three times in
    /// each period that all loops turn; not while one is held up. Without systemd nothing
    /// happens.
    ///
    /// # Errors
    /// [`Error::Io`] if `NOTIFY_SOCKET` cannot be reached.
    pub fn notify_systemd(&self) -> Result<(), Error> {
        let life = self.handle().life();
        life.when_leaving(|| {
            let _ = notify(&[NotifyState::Stopping]); // it sees the process end
        });
        notify(&[NotifyState::Ready])?;
        let Some(period) = sd_notify::watchdog_enabled() else {
            return Ok(());
        };
        let (life, remotes) = (Arc::downgrade(&life), self.remotes());
        let keep = move || {
            while life.strong_count() > 0 {
                tell_watchdog(period / 3, remotes.len(), |turned| {
                    remotes.iter().for_each(|it| it.probe(turned.clone()));
                });
            }
        };
        Builder::new()
            .name("barewire-watchdog".into())
            .spawn(keep)?;
        Ok(())
    }
}

/// Has all loops asked, and tells the watchdog if they have answered after a while.
fn tell_watchdog(pause: Duration, loops: usize, ask: impl FnOnce(&Arc<AtomicUsize>)) {
    let turned = Arc::new(AtomicUsize::new(0));
    ask(&turned);
    sleep(pause);
    if turned.load(Ordering::Relaxed) == loops {
        let _ = notify(&[NotifyState::Watchdog]); // it notices what is missing
    }
}
