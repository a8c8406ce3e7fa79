//! An app's own form of refusals.

use alloc::boxed::Box;

use super::builder::App;
use crate::app::exchange::record::Record;
use crate::app::exchange::refusal::Refusal;
use crate::app::exchange::response::Response;

impl App {
    /// Has `render` make the responses of refusals: of those that routes and middleware give,
    /// of what [`Request`](crate::app::Request) does not hold, and of the app's own, 404, 405
    /// and 413 for example. Without it they are JSON, `{"error":"..."}`.
    /// [`problem_json`](crate::app::problem_json) makes problem details (RFC 9457).
    ///
    /// ```
    /// use barewire::app::{App, Response};
    ///
    /// App::new().render_errors(|refusal, record| {
    ///     let (code, reason) = (refusal.status().code(), refusal.reason());
    ///     Response::text(format!("{code} at {}: {reason}\n", record.path()))
    /// });
    /// ```
    ///
    /// The status and the fields are the refusal's; those of the response go beside them, and
    /// its status counts for nothing. What is refused before there is a request (a head that
    /// cannot be read, say) and the 500 after a panic stay as they are, and so do errors of
    /// the protocols above HTTP.
    #[must_use]
    pub fn render_errors(
        mut self,
        render: impl Fn(&Refusal, &Record) -> Response + Send + Sync + 'static,
    ) -> Self {
        self.render = Some(Box::new(render));
        self
    }
}
