//! A line for every reply that has ended.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt::{self, Write as _};
use std::sync::{Mutex, PoisonError};

use super::middleware::Middleware;
use crate::app::exchange::record::Record;
use crate::app::exchange::reply_end::ReplyEnd;
use crate::http::date::Date;

/// Writes a line for every reply when it has ended: when, to whom, what was
/// asked, the status, the bytes of content, and the milliseconds from the
/// request's head to the end. A head that could not be read is `"-"`.
///
/// ```text
/// Sat, 21 Nov 2026 04:08:08 GMT 127.0.0.1:51514 "GET /hello" 200 13 0.084ms
/// ```
///
/// A reply has ended when the system has taken its last byte to send, or no more
/// of it will leave: the bytes are those that have left
/// ([`ReplyEnd::bytes`]), also of a stream, and of a body that was cut. The line
/// of a WebSocket or an event stream is written when that is over. A request
/// whose client has gone before the reply was given has no line.
pub struct AccessLog {
    with_query: bool,
    line: Mutex<String>,
    write: Box<dyn Fn(&str) + Send + Sync>,
}

impl AccessLog {
    /// A log on the standard error stream.
    pub fn to_stderr() -> Self {
        use std::io::Write as _;
        // A log that cannot be written must not stop the server.
        Self::to(|line| drop(std::io::stderr().write_all(line.as_bytes())))
    }

    /// A log whose lines, each with its line feed, are given to `write`.
    pub fn to(write: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self {
            with_query: false,
            line: Mutex::new(String::new()),
            write: Box::new(write),
        }
    }

    /// Has lines show the query as well: `"GET /hello?name=Ann"`. Queries often
    /// hold what should not stand in a log, keys and personal data; so they are
    /// left out by default.
    #[must_use]
    pub const fn with_query(mut self) -> Self {
        self.with_query = true;
        self
    }
}

impl fmt::Debug for AccessLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessLog").finish_non_exhaustive()
    }
}

impl Middleware for AccessLog {
    fn watches_ends(&self) -> bool {
        true
    }

    fn ended(&self, record: &Record, end: &ReplyEnd) {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        line.clear();
        put(record, end, self.with_query, &mut line);
        (self.write)(&line);
    }
}

/// Writing to a String cannot fail. Method, path and query are visible ASCII, as they
/// have been parsed: nobody can forge a line.
fn put(record: &Record, end: &ReplyEnd, with_query: bool, line: &mut String) {
    let date = Date::from_unix(end.unix_seconds());
    let _ = write!(line, "{} ", date.as_str());
    let _ = match record.peer() {
        Some(peer) => write!(line, "{peer} "),
        None => line.write_str("- "),
    };
    let _ = match record.is_unread() {
        false => {
            let query = record.query().filter(|_| with_query);
            let (mark, query) = query.map_or(("", ""), |query| ("?", query));
            let (method, path) = (record.method(), record.path());
            write!(line, "\"{} {path}{mark}{query}\" ", method.as_str())
        }
        true => line.write_str("\"-\" "),
    };
    let (status, bytes) = (end.status().code(), end.bytes());
    let time = end.elapsed().as_secs_f64() * 1e3;
    let _ = writeln!(line, "{status} {bytes} {time:.3}ms");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Method, Status};
    use crate::net::Peer;
    use crate::wire::Instant;
    use alloc::sync::Arc;

    #[test]
    fn a_line_says_who_asked_what_and_what_came_of_it() {
        let seen = Arc::new(Mutex::new(String::new()));
        let sink = seen.clone();
        let log = AccessLog::to(move |line| sink.lock().unwrap().push_str(line));
        let ended = |log: &AccessLog, record: &Record, unsent| {
            let end = record.reply_end(unsent, Instant::from_nanos(85_000), 784_111_777);
            log.ended(record, &end);
            core::mem::take(&mut *seen.lock().unwrap())
        };
        let mut record = Record::default();
        let peer = Peer::V4([127, 0, 0, 1].into(), 5);
        record.begin(Method::GET, Instant::from_nanos(1_000));
        record.remember("/a%20b", Some("key=7"), Some(peer));
        record.reply(Status::OK, 10);
        record.wrote(3);
        let expected = "Sun, 06 Nov 1994 08:49:37 GMT 127.0.0.1:5 \"GET /a%20b\" 200 13 0.084ms\n";
        assert_eq!(ended(&log, &record, 0), expected);
        // What did not leave is not counted.
        assert!(ended(&log, &record, 5).contains(" 200 8 "));
        assert!(ended(&log, &record, 99).contains(" 200 0 "));

        let log = log.with_query();
        let line = ended(&log, &record, 0);
        assert!(line.contains("\"GET /a%20b?key=7\" 200"), "{line}");

        // What has no content has no bytes.
        for (method, status) in [
            (Method::HEAD, Status::OK),
            (Method::GET, Status::NOT_MODIFIED),
            (Method::GET, Status::NO_CONTENT),
        ] {
            record.begin(method, Instant::from_nanos(85_000));
            record.reply(status, 13);
            let line = ended(&log, &record, 0);
            let expected = alloc::format!(" {} 0 0.000ms\n", status.code());
            assert!(line.ends_with(&expected), "{line}");
        }

        record.begin(Method::Extension(""), Instant::from_nanos(85_000));
        record.remember("", None, None);
        record.reply(Status::BAD_REQUEST, 0);
        let expected = "Sun, 06 Nov 1994 08:49:37 GMT - \"-\" 400 0 0.000ms\n";
        assert_eq!(ended(&log, &record, 0), expected);
    }
}
