//! Middleware for a part of the paths, or for one route.

use alloc::string::String;

use super::middleware::{Incoming, Middleware, Next};
use crate::app::exchange::record::Record;
use crate::app::exchange::reply::Reply;
use crate::app::exchange::reply_end::ReplyEnd;
use crate::app::exchange::reply_head::ReplyHead;
use crate::http::Method;
use crate::http::target::{Plus, percent_decode};
use crate::net::Error;

/// Middleware that sees the requests below one path, or those of [one route](Self::route), and
/// no other.
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
    only: Option<Only>,
    middleware: M,
}

/// One route: its method, and nothing below its path.
#[derive(Debug, Clone)]
struct Only {
    method: String,
}

impl<M: Middleware> Scoped<M> {
    /// `middleware` for what is below `prefix`, a path without escapes such as
    /// `/api`; below `/` is everything.
    pub fn new(prefix: &str, middleware: M) -> Self {
        Self {
            prefix: String::from(prefix.strip_suffix('/').unwrap_or(prefix)),
            only: None,
            middleware,
        }
    }

    /// `middleware` for one route, whatever that is: the same method and pattern. As all
    /// middleware, it decides before the request's body comes.
    ///
    /// ```
    /// use barewire::app::{App, OriginGuard, Scoped};
    /// use barewire::http::Method;
    ///
    /// App::new()
    ///     .with(Scoped::route(Method::POST, "/orders/{id}/cancel", OriginGuard::new()))
    ///     .post("/orders/{id}/cancel", |_request, reply| reply.empty());
    /// ```
    ///
    /// A segment `{name}` is any one, `{*name}` at the end all that follows. GET is also
    /// HEAD, and the CONNECT of a WebSocket over HTTP/2.
    pub fn route(method: Method<'_>, pattern: &str, middleware: M) -> Self {
        Self {
            prefix: pattern.into(),
            only: Some(Only {
                method: method.as_str().into(),
            }),
            middleware,
        }
    }

    fn holds(&self, method: Method<'_>, path: &str) -> bool {
        let mut segments = path.split('/');
        for own in self.prefix.split('/') {
            let is_all = self.only.is_some() && own.starts_with("{*");
            let Some(segment) = segments.next() else {
                return false;
            };
            if is_all {
                return self.is_for(method);
            }
            let is_any = self.only.is_some() && own.starts_with('{') && own.ends_with('}');
            if !is_any && percent_decode(segment, Plus::Kept).is_none_or(|it| it != own) {
                return false;
            }
        }
        self.only.is_none() || (segments.next().is_none() && self.is_for(method))
    }

    fn is_for(&self, method: Method<'_>) -> bool {
        self.only.as_ref().is_none_or(|only| {
            let is_like_get = method == Method::HEAD || method == Method::CONNECT;
            only.method == method.as_str() || (is_like_get && only.method == "GET")
        })
    }
}

impl<M: Middleware> Middleware for Scoped<M> {
    fn before(&self, request: &mut Incoming<'_, '_>, reply: Reply<'_, '_>) -> Next {
        match self.holds(request.method(), request.path()) {
            true => self.middleware.before(request, reply),
            false => Next::Continue,
        }
    }

    fn after(&self, record: &Record, head: &mut ReplyHead<'_>) {
        if self.holds(record.method(), record.path()) {
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
        if self.holds(record.method(), record.path()) {
            self.middleware.ended(record, end);
        }
    }

    fn ready(&self) -> Result<(), Error> {
        self.middleware.ready()
    }
}

#[cfg(test)]
mod tests;
