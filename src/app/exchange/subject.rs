//! An exchange as the log names it.

use core::fmt;

use super::record::Record;
use super::reply_head::Watch;
use super::session::SessionContext;
use crate::http::Field;
use crate::net::report::report;

/// Method and route pattern (`GET /users/{id}`), or the path while no route is found.
pub(crate) struct Subject<'a> {
    pub(crate) watch: &'a dyn Watch,
    pub(crate) record: Option<&'a Record>,
}

impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(record) = self.record else {
            return f.write_str("a request");
        };
        // Method, pattern and path are one line: they have been parsed.
        let place = self.watch.pattern(record.route);
        let place = place.unwrap_or_else(|| record.path());
        match (record.is_unread(), place) {
            (true, _) => f.write_str("an unreadable request"),
            (false, "") => f.write_str(record.method().as_str()),
            (false, place) => write!(f, "{} {place}", record.method().as_str()),
        }
    }
}

impl SessionContext<'_, '_> {
    /// The name of the exchange in the log.
    pub(crate) fn subject(&self) -> Subject<'_> {
        Subject {
            watch: &*self.loop_state.watch,
            record: self.record.as_deref(),
        }
    }

    /// The reply has been given a field that cannot stand on the wire: 500 goes
    /// in its place.
    #[cold]
    pub(super) fn spoil(&mut self, name: &str, value: &[u8], why: &dyn fmt::Display) {
        if let Some(record) = self.record.as_deref_mut() {
            record.faulty = true;
        }
        let field = Field {
            name: name.as_bytes(),
            value: value.get(..SHOWN).unwrap_or(value),
        };
        let subject = self.subject();
        report!(
            Error,
            "{subject}: 500 in place of the reply, as it was given {field:?}: {why}"
        );
    }
}

/// Bytes of a value that the log shows.
const SHOWN: usize = 256;
