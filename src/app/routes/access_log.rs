//! A line for every reply that has ended.

use alloc::boxed::Box;
use alloc::string::String;
use std::sync::{Mutex, PoisonError};

mod forms;

use self::forms::{Agent, Form, put};
use super::middleware::{Incoming, Middleware, Next};
use crate::app::exchange::record::Record;
use crate::app::exchange::reply::Reply;
use crate::app::exchange::reply_end::ReplyEnd;
use crate::wire::partly_shown;

/// Writes a line for every reply when it has ended: when, to whom, what was
/// asked, the status, the bytes of content, and the milliseconds from the
/// request's head to the end. A head that could not be read is `"-"`.
///
/// ```text
/// Sat, 21 Nov 2026 04:08:08 GMT 127.0.0.1:51514 "GET /hello" 200 13 0.084ms
/// ```
///
/// [`common`](Self::common), [`combined`](Self::combined) and [`json`](Self::json) are the
/// forms that other programs read:
///
/// ```text
/// 127.0.0.1 - - [21/Nov/2026:04:08:08 +0000] "GET /hello HTTP/1.1" 200 13
/// 127.0.0.1 - - [21/Nov/2026:04:08:08 +0000] "GET /hello HTTP/1.1" 200 13 "-" "curl/8.5.0"
/// {"time":"2026-11-21T04:08:08Z","client":"127.0.0.1","method":"GET","path":"/hello",...}
/// ```
///
/// No form shows Authorization, cookies or any other field than Referer and User-Agent, of
/// each at most 512 bytes. What a client may have chosen is escaped: none can forge or end a
/// line.
///
/// A reply has ended when the system has taken its last byte to send, or no more
/// of it will leave: the bytes are those that have left
/// ([`ReplyEnd::bytes`]), also of a stream, and of a body that was cut. The line
/// of a WebSocket or an event stream is written when that is over. A request
/// whose client has gone before the reply was given has no line.
pub struct AccessLog {
    form: Form,
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
            form: Form::Own,
            with_query: false,
            line: Mutex::new(String::new()),
            write: Box::new(write),
        }
    }

    /// Shows the query in lines as well: `"GET /hello?name=Ann"`. Queries often hold what
    /// should not stand in a log, keys and personal data; so they are left out by
    /// default, those of referrers too.
    #[must_use]
    pub const fn query(mut self) -> Self {
        self.with_query = true;
        self
    }

    /// Writes lines in the common log format: address, time, request line, status and bytes
    /// of content, `-` for none.
    #[must_use]
    pub const fn common(mut self) -> Self {
        self.form = Form::Common;
        self
    }

    /// Writes lines in the combined log format: the common one, and Referer and User-Agent.
    #[must_use]
    pub const fn combined(mut self) -> Self {
        self.form = Form::Combined;
        self
    }

    /// Writes an object of JSON on each line: `time`, `client`, `method`, `path`, `version`,
    /// `route` (the pattern), `id` and `trace` (of [`RequestIds`](crate::app::RequestIds) and
    /// [`Traces`](crate::app::Traces)), `referer`, `user_agent`, `status`, `bytes` and `ms`.
    /// What is not known is left out.
    ///
    /// ```
    /// use barewire::app::{AccessLog, App, RequestIds};
    ///
    /// App::new().with(AccessLog::to_stderr().json()).with(RequestIds::new());
    /// ```
    #[must_use]
    pub const fn json(mut self) -> Self {
        self.form = Form::Json;
        self
    }
}

partly_shown!(AccessLog);

impl Middleware for AccessLog {
    fn watches_ends(&self) -> bool {
        true
    }

    fn before(&self, request: &mut Incoming<'_, '_>, _: Reply<'_, '_>) -> Next {
        if matches!(self.form, Form::Combined | Form::Json) {
            let agent = Agent::of(&request.headers(), self.with_query);
            request.insert(agent);
        }
        Next::Continue
    }

    fn ended(&self, record: &Record, end: &ReplyEnd<'_>) {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        line.clear();
        put(self.form, record, end, self.with_query, &mut line);
        (self.write)(&line);
    }
}

#[cfg(test)]
mod tests;
