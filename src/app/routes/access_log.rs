//! A line for every reply that has ended.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use super::middleware::Middleware;
use crate::app::exchange::record::Record;
use crate::app::exchange::reply_end::ReplyEnd;
use crate::http::date::Date;
use crate::wire::partly_shown;

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

    /// Shows the query in lines as well: `"GET /hello?name=Ann"`. Queries often hold what
    /// should not stand in a log, keys and personal data; so they are left out by
    /// default.
    #[must_use]
    pub const fn query(mut self) -> Self {
        self.with_query = true;
        self
    }
}

partly_shown!(AccessLog);

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
/// have been parsed: no client can forge a line.
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
mod tests;
