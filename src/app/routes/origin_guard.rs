//! Requests of foreign pages (WHATWG Fetch §3.1, W3C Fetch Metadata §2.4).

use alloc::{string::String, vec::Vec};
use core::fmt;

use super::middleware::{Incoming, Middleware, Next};
use crate::app::exchange::refusal::Refusal;
use crate::app::exchange::reply::Reply;
use crate::app::exchange::session::SessionContext;
use crate::http::{Fields, InvalidOrigin, Origin, RequestHead, Status};
use crate::net::Error;
use crate::net::report::report;

/// Refuses what foreign pages have a browser send, with 403: requests with
/// methods that change something, and WebSockets.
///
/// A browser sends requests to every server that a page names, from the network
/// that the browser is in and with the user's cookies; that the page cannot read
/// the answer, if no [`Cors`](crate::app::Cors) lets it, does not undo what the
/// request has done. So the server has to tell its own pages from others.
///
/// ```
/// use barewire::app::{App, OriginGuard};
///
/// App::new()
///     .with(OriginGuard::new().allow("https://admin.example.com"))
///     .post("/orders", |_request, reply| reply.text("ordered"));
/// ```
///
/// Used as middleware, it looks at methods that are not safe (all but GET, HEAD,
/// OPTIONS and TRACE, RFC 9110 §9.2.1), in this order:
///
/// | request | answer |
/// |---|---|
/// | more than one Origin or Sec-Fetch-Site | 403 |
/// | `Sec-Fetch-LoopState: same-origin` or `none` (the user's own doing) | passes |
/// | another Sec-Fetch-Site | passes if the origin is [allowed](Self::allow), else 403 |
/// | no Origin: not a browser, as all of them send it with such methods | passes |
/// | an origin whose host and port are the request's authority, or an allowed one | passes |
/// | any other origin, `null`, or what is no origin | 403 |
///
/// Host names are compared without regard to case, IPv6 addresses as addresses,
/// and a missing port is that of the origin's scheme. The scheme makes no
/// difference, as a proxy may have ended TLS ([`Origin::is_at`]). Behind a
/// proxy that sends another Host than the browser, the host is that of its fields if the
/// proxy is trusted ([`App::trust_proxies`](crate::app::App::trust_proxies)); else the public
/// origin needs to be allowed.
///
/// [WebSocket routes](crate::app::WebSocketRoute) have a guard of their own, which
/// is on by default; so as middleware the guard leaves handshakes alone. For a part
/// of the paths there is [`Scoped`](crate::app::Scoped); a handler can call
/// [`check`](Self::check) itself. After [`Cors`](crate::app::Cors), refusals can be
/// read by those pages that Cors lets read.
#[derive(Debug, Clone, Default)]
pub struct OriginGuard {
    allowed: Vec<String>,
}

impl OriginGuard {
    /// A guard that lets pages of the server's own origin pass, and no other.
    pub const fn new() -> Self {
        Self {
            allowed: Vec::new(),
        }
    }

    /// Lets pages of this origin pass, too: `https://example.com`, as a browser
    /// writes it, without a path or a slash at the end. An app does not start
    /// with a text that is none.
    #[must_use]
    pub fn allow(mut self, origin: impl Into<String>) -> Self {
        self.allowed.push(origin.into());
        self
    }

    /// Judges a request by its method, Sec-Fetch-Site and Origin, as the
    /// middleware does.
    ///
    /// # Errors
    /// [`ForeignOrigin`] for a foreign page's, which becomes a [`Refusal`]:
    ///
    /// ```
    /// use barewire::app::{App, OriginGuard};
    ///
    /// let guard = OriginGuard::new();
    /// App::new().delete("/orders/{id}", move |request, reply| {
    ///     guard.check(request.head())?;
    ///     Ok::<_, barewire::app::Refusal>(reply.empty())
    /// });
    /// ```
    pub fn check<'b>(&self, head: &RequestHead<'b>) -> Result<(), ForeignOrigin<'b>> {
        if head.method.is_safe() || head.protocol.is_some() {
            return Ok(());
        }
        let mut sites = head.fields.get_all("sec-fetch-site");
        match (sites.next(), sites.next()) {
            (None, _) => self.check_origin(head),
            (Some(b"same-origin" | b"none"), None) if has_one_origin(head) => Ok(()),
            (Some(_), None) if self.is_allowed(head) => Ok(()),
            _ => Err(ForeignOrigin::of(head)),
        }
    }

    /// Judges a request by its Origin alone, whatever its method.
    pub(crate) fn check_origin<'b>(&self, head: &RequestHead<'b>) -> Result<(), ForeignOrigin<'b>> {
        let passes = match Origin::of(&head.fields) {
            Ok(None) => true,
            Ok(Some(origin)) => {
                let own = head.authority();
                own.is_some_and(|own| origin.is_at(own)) || self.allows(origin)
            }
            Err(InvalidOrigin) => false,
        };
        match passes {
            true => Ok(()),
            false => Err(ForeignOrigin::of(head)),
        }
    }

    pub(crate) fn fault(&self) -> Option<Error> {
        let is_wrong = |text: &String| Origin::parse(text.as_bytes()).is_err();
        let fault = "an origin is written as a browser sends it: https://example.com";
        let is_faulty = self.allowed.iter().any(is_wrong);
        is_faulty.then_some(Error::Config(fault))
    }

    fn is_allowed(&self, head: &RequestHead<'_>) -> bool {
        matches!(Origin::of(&head.fields), Ok(Some(origin)) if self.allows(origin))
    }

    fn allows(&self, origin: Origin<'_>) -> bool {
        let is_it = |text: &String| Origin::parse(text.as_bytes()) == Ok(origin);
        self.allowed.iter().any(is_it)
    }
}

const SHOWN: usize = 128;

/// Whether a request has at most one Origin. A page with the policy `no-referrer` sends `null`
/// even to its own server.
fn has_one_origin(head: &RequestHead<'_>) -> bool {
    head.fields.get_all("origin").nth(1).is_none()
}

impl Middleware for OriginGuard {
    fn before(&self, request: &mut Incoming<'_, '_>, mut reply: Reply<'_, '_>) -> Next {
        match self.check(&request.head()) {
            Ok(()) => Next::Continue,
            Err(foreign) => {
                foreign.report(reply.at());
                Next::Refused(foreign.into())
            }
        }
    }

    fn ready(&self) -> Result<(), Error> {
        self.fault().map_or(Ok(()), Err)
    }
}

/// A request that an [`OriginGuard`] does not let pass. Its text says what was
/// compared, for a log; the peer is told no more than 403.
#[derive(Clone, Copy)]
pub struct ForeignOrigin<'b> {
    fields: Fields<'b>,
    authority: Option<&'b str>,
}

impl<'b> ForeignOrigin<'b> {
    pub(crate) fn of(head: &RequestHead<'b>) -> Self {
        Self {
            fields: head.fields,
            authority: head.authority(),
        }
    }

    /// Writes on the log what was compared.
    #[cold]
    pub(crate) fn report(&self, at: &SessionContext<'_, '_>) {
        let subject = at.subject();
        report!(Warn, "{subject}: 403, as a foreign page asks: {self}");
    }

    fn put(&self, f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
        write!(f, "{name}")?;
        let mut values = self.fields.get_all(name).peekable();
        if values.peek().is_none() {
            return f.write_str(" is missing");
        }
        values.take(2).try_for_each(|value| {
            let start = value.get(..SHOWN).unwrap_or(value);
            write!(f, " \"{}\"", start.escape_ascii())
        })
    }
}

impl fmt::Display for ForeignOrigin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.put(f, "Origin")?;
        if self.fields.contains("sec-fetch-site") {
            f.write_str(", ")?;
            self.put(f, "Sec-Fetch-Site")?;
        }
        let authority = self.authority.unwrap_or_default();
        let authority = authority.get(..SHOWN).unwrap_or(authority);
        write!(f, ": not a page of {authority:?}, and no allowed one")
    }
}

impl fmt::Debug for ForeignOrigin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ForeignOrigin({self})")
    }
}

impl core::error::Error for ForeignOrigin<'_> {}

impl From<ForeignOrigin<'_>> for Refusal {
    fn from(_: ForeignOrigin<'_>) -> Self {
        Self::new(Status::FORBIDDEN).because("origin not allowed")
    }
}

#[cfg(test)]
mod tests;
