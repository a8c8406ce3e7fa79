//! The route that shows the metrics.

use crate::app::Metrics;
use crate::app::exchange::refusal::Done;
use crate::app::exchange::reply::Reply;
use crate::app::exchange::request::Request;

impl Metrics {
    /// A route that shows the counters in Prometheus' text format.
    ///
    /// ```
    /// use barewire::app::App;
    ///
    /// let app = App::new();
    /// let metrics = app.metrics();
    /// app.get("/metrics", metrics.route());
    /// ```
    pub fn route(&self) -> impl Fn(&Request<'_>, Reply<'_, '_>) -> Done + Send + Sync + 'static {
        let metrics = self.clone();
        move |_request, reply| {
            let text = metrics.snapshot().to_prometheus();
            reply.body("text/plain; version=0.0.4; charset=utf-8", text)
        }
    }
}
