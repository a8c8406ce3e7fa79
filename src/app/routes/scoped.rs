//! Middleware for a part of the paths.

use alloc::string::String;

use super::middleware::{Incoming, Middleware, Next};
use crate::app::exchange::record::Record;
use crate::app::exchange::reply::Reply;
use crate::app::exchange::reply_end::ReplyEnd;
use crate::app::exchange::reply_head::ReplyHead;
use crate::http::target::{Plus, percent_decode};
use crate::net::Error;

/// Middleware that sees the requests below one path, and no other.
///
/// ```
/// use barewire::app::{App, Scoped, Cors};
///
/// App::new()
///     .with(Scoped::new("/api", Cors::permissive()))
///     .get("/api/clients", |_request, reply| reply.json_text("[]")) // for every page
///     .get("/account", |_request, reply| reply.text("for ours alone"));
/// ```
///
/// `/api` has below it itself, `/api/` and `/api/clients`, and not `/apis`.
/// Paths are compared as routes compare them: segment by segment and decoded,
/// so that `/%61pi` is below it, too. A request is looked at where it is going,
/// after the middleware before has rewritten its path; its reply, where it was
/// sent ([`Record::path`]).
#[derive(Debug, Clone)]
pub struct Scoped<M> {
    prefix: String, // without a slash at its end
    middleware: M,
}

impl<M: Middleware> Scoped<M> {
    /// `middleware` for what is below `prefix`, a path without escapes such as
    /// `/api`; below `/` is everything.
    pub fn new(prefix: &str, middleware: M) -> Self {
        Self {
            prefix: String::from(prefix.strip_suffix('/').unwrap_or(prefix)),
            middleware,
        }
    }

    fn holds(&self, path: &str) -> bool {
        let mut segments = path.split('/');
        self.prefix.split('/').all(|own| {
            let decoded = segments
                .next()
                .and_then(|it| percent_decode(it, Plus::Kept));
            decoded.is_some_and(|it| it == own)
        })
    }
}

impl<M: Middleware> Middleware for Scoped<M> {
    fn before(&self, request: &mut Incoming<'_, '_>, reply: Reply<'_, '_>) -> Next {
        match self.holds(request.path()) {
            true => self.middleware.before(request, reply),
            false => Next::Continue,
        }
    }

    fn after(&self, record: &Record, head: &mut ReplyHead<'_>) {
        if self.holds(record.path()) {
            self.middleware.after(record, head);
        }
    }

    fn watches_ends(&self) -> bool {
        self.middleware.watches_ends()
    }

    fn watches_some_ends(&self) -> bool {
        self.middleware.watches_some_ends()
    }

    fn ended(&self, record: &Record, end: &ReplyEnd<'_>) {
        if self.holds(record.path()) {
            self.middleware.ended(record, end);
        }
    }

    fn ready(&self) -> Result<(), Error> {
        self.middleware.ready()
    }
}

#[cfg(test)]
mod tests;
