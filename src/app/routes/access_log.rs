//! A line for every reply.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt::{self, Write as _};
use std::sync::{Mutex, PoisonError};

use super::middleware::Middleware;
use crate::app::exchange::record::Record;
use crate::app::exchange::reply_head::ReplyHead;
use crate::http::date::Date;

/// Writes a line for every reply: when, to whom, what was asked, the status,
/// the length of the body (`-` where it was not known), and the time from the
/// request's head to the reply's. A head that could not be read is `"-"`.
///
/// ```text
/// Sat, 21 Nov 2026 04:08:08 GMT 127.0.0.1:51514 "GET /hello" 200 13 84µs
/// ```
pub struct AccessLog {
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
            line: Mutex::new(String::new()),
            write: Box::new(write),
        }
    }
}

impl fmt::Debug for AccessLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessLog").finish_non_exhaustive()
    }
}

impl Middleware for AccessLog {
    fn after(&self, record: &Record, head: &mut ReplyHead<'_>) {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        line.clear();
        put(record, head, &mut line);
        (self.write)(&line);
    }
}

/// Writing to a String cannot fail. Method and path are visible ASCII, as they
/// have been parsed: nobody can forge a line.
fn put(record: &Record, head: &ReplyHead<'_>, line: &mut String) {
    let date = Date::from_unix(head.unix_seconds());
    let _ = write!(line, "{} ", date.as_str());
    let _ = match record.peer() {
        Some(peer) => write!(line, "{peer} "),
        None => line.write_str("- "),
    };
    let _ = match record.is_unread() {
        false => write!(line, "\"{} {}\" ", record.method().as_str(), record.path()),
        true => line.write_str("\"-\" "),
    };
    let _ = write!(line, "{} ", head.status().code());
    let _ = match head.length() {
        Some(length) => write!(line, "{length} "),
        None => line.write_str("- "),
    };
    let _ = writeln!(line, "{:?}", record.elapsed());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{FieldBuffer, Method, Status};
    use crate::net::Peer;
    use crate::wire::Instant;
    use alloc::sync::Arc;

    #[test]
    fn a_line_says_who_asked_what_and_what_came_of_it() {
        let seen = Arc::new(Mutex::new(String::new()));
        let sink = seen.clone();
        let log = AccessLog::to(move |line| sink.lock().unwrap().push_str(line));
        let mut record = Record::default();
        let peer = Peer::V4([127, 0, 0, 1].into(), 5);
        record.begin(Method::Get, Instant::from_nanos(1_000));
        record.remember("/a%20b", Some(peer));
        record.end(Instant::from_nanos(85_000));
        let mut fields = FieldBuffer::new();
        let mut head = ReplyHead {
            status: Status::OK,
            fields: &mut fields,
            length: Some(13),
            unix_seconds: 784_111_777,
        };
        log.after(&record, &mut head);
        let expected = "Sun, 06 Nov 1994 08:49:37 GMT 127.0.0.1:5 \"GET /a%20b\" 200 13 84µs\n";
        assert_eq!(*seen.lock().unwrap(), expected);

        seen.lock().unwrap().clear();
        record.begin(Method::Extension(""), Instant::START);
        record.remember("", None);
        record.end(Instant::START);
        head.status = Status::BAD_REQUEST;
        head.length = None;
        log.after(&record, &mut head);
        let expected = "Sun, 06 Nov 1994 08:49:37 GMT - \"-\" 400 - 0ns\n";
        assert_eq!(*seen.lock().unwrap(), expected);
    }
}
