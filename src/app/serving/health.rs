//! Routes that tell whether an app lives and wants requests.

use super::builder::App;
use super::life::Readiness;
use crate::http::Status;

impl App {
    /// Whether the app wants requests; for other threads.
    pub fn readiness(&self) -> Readiness {
        self.readiness.clone()
    }

    /// Serves two routes for those who look after the process: `live` answers 200 as long as
    /// a loop turns; `ready` answers 200 while requests are wanted, and 503 otherwise. The
    /// second turns before a drain begins, so that a load balancer sends no more in time
    /// ([`ServerHandle::drain_after`](crate::app::ServerHandle::drain_after)).
    ///
    /// ```no_run
    /// use barewire::app::App;
    /// use std::time::Duration;
    ///
    /// # fn main() -> Result<(), barewire::app::Error> {
    /// let app = App::new().health("/healthz", "/readyz");
    /// let readiness = app.readiness(); // `set(false)` while a database is away
    /// let server = app.listen("127.0.0.1:8080")?.spawn()?;
    /// server.handle().drain_after(Duration::from_secs(5), None);
    /// # drop(readiness);
    /// # server.join().map(drop)
    /// # }
    /// ```
    #[must_use]
    pub fn health(self, live: &str, ready: &str) -> Self {
        let readiness = self.readiness();
        self.get(live, |_request, reply| {
            reply.header("Cache-Control", "no-store").text("alive")
        })
        .get(ready, move |_request, reply| {
            let reply = reply.header("Cache-Control", "no-store");
            match readiness.is_ready() {
                true => reply.text("ready"),
                false => reply.status(Status::SERVICE_UNAVAILABLE).text("not ready"),
            }
        })
    }
}
