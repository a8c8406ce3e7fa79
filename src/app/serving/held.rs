//! Handlers that hold their loop up.

use core::time::Duration;

use super::handler::AppHandler;
use crate::app::exchange::subject::Subject;
use crate::net::Context;
use crate::net::report::report;

impl AppHandler {
    /// The last call took this long. `is_session` if it was to a session, and not
    /// to a route's closure.
    #[cold]
    #[inline(never)]
    pub(super) fn held(&mut self, context: &Context<'_>, time: Duration, is_session: bool) {
        self.loop_state.metrics.held();
        const ADVICE: &str = "work that blocks belongs into `Reply::blocking`";
        let seconds = time.as_secs_f64();
        if !is_session {
            let subject = Subject {
                watch: &*self.loop_state.watch,
                record: self.running.record.as_deref(),
            };
            report!(
                Warn,
                "{subject}: held its loop up for {seconds:.3} s; {ADVICE}"
            );
            return;
        }
        let connection = context.exchange().connection;
        let entry = self.sessions.get_mut(context.tag(), connection);
        let kind = entry.and_then(|entry| entry.session.as_ref().map(|it| it.kind()));
        let kind = kind.map_or("", |kind| kind.as_str());
        report!(
            Warn,
            "a session ({kind}) held its loop up for {seconds:.3} s; {ADVICE}"
        );
    }
}
