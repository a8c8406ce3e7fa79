//! Headers that have browsers guard the pages that they show.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::app::exchange::record::Record;
use crate::app::exchange::reply::Reply;
use crate::app::exchange::reply_head::ReplyHead;
use crate::app::routes::middleware::{Incoming, Middleware, Next};
use crate::net::Error;
use crate::wire::ascii;

/// Gives every reply the headers by which browsers guard it, unless its route has set its own.
///
/// ```
/// use barewire::app::{App, SecurityHeaders};
///
/// let headers = SecurityHeaders::new()
///     .content_security_policy("default-src 'self'")
///     .set("Permissions-Policy", "camera=(), microphone=()");
/// App::new().with(headers).get("/", |_request, reply| reply.html("<h1>hello</h1>"));
/// ```
///
/// | header | value | has a browser |
/// |---|---|---|
/// | X-Content-Type-Options | `nosniff` | take content for what its type says, not for what it looks like |
/// | X-Frame-Options | `DENY` | show the page in no frame, where others could have it clicked on |
/// | Referrer-Policy | `same-origin` | tell other sites no address of a page |
/// | Strict-Transport-Security | `max-age=31536000` | come by TLS alone, for a year; sent over TLS alone (RFC 6797 §7.2), which may end at a [trusted proxy](crate::app::TrustedProxies) |
///
/// [`set`](Self::set) and [`remove`](Self::remove) change them. A Content-Security-Policy is
/// different for each site, so that there is none until one is chosen; it gets
/// `frame-ancestors 'none'` unless it names some.
#[derive(Debug, Clone)]
pub struct SecurityHeaders {
    fields: Vec<(String, String)>,
    transport: Option<String>,
}

const FRAMES: &str = "X-Frame-Options";
const POLICY: &str = "Content-Security-Policy";
const TRANSPORT: &str = "Strict-Transport-Security";

impl Default for SecurityHeaders {
    fn default() -> Self {
        Self::new()
    }
}

impl SecurityHeaders {
    /// Those of the table.
    pub fn new() -> Self {
        let empty = Self {
            fields: Vec::new(),
            transport: Some(String::from("max-age=31536000")),
        };
        empty
            .set("X-Content-Type-Options", "nosniff")
            .set(FRAMES, "DENY")
            .set("Referrer-Policy", "same-origin")
    }

    /// Sets a header, in place of any other of that name. An app does not start with one
    /// that cannot stand on the wire.
    #[must_use]
    pub fn set(self, name: &str, value: &str) -> Self {
        let mut all = self.remove(name);
        match name.eq_ignore_ascii_case(TRANSPORT) {
            true => all.transport = Some(value.into()),
            false => all.fields.push((name.into(), value.into())),
        }
        all
    }

    /// Leaves a header out.
    #[must_use]
    pub fn remove(mut self, name: &str) -> Self {
        self.fields
            .retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        if name.eq_ignore_ascii_case(TRANSPORT) {
            self.transport = None;
        }
        self
    }

    /// Says what a page may load and run (W3C CSP 3).
    #[must_use]
    pub fn content_security_policy(self, policy: &str) -> Self {
        let policy = policy.trim().trim_end_matches(';');
        match policy.contains("frame-ancestors") {
            true => self.set(POLICY, policy),
            false => self.set(POLICY, &format!("{policy}; frame-ancestors 'none'")),
        }
    }

    /// Lets pages of these sources, such as `'self'` or `https://example.com`, show the
    /// app's in a frame: `frame-ancestors` in place of X-Frame-Options, which knows no list.
    #[must_use]
    pub fn frame_ancestors(self, sources: &str) -> Self {
        let named = self.fields.iter().find(|(name, _)| name == POLICY);
        let named = named.map_or("", |(_, policy)| policy);
        let others = named.split(';').map(str::trim);
        let others = others.filter(|it| !it.is_empty() && !it.starts_with("frame-ancestors"));
        let mut policy: Vec<String> = others.map(String::from).collect();
        policy.push(format!("frame-ancestors {sources}"));
        self.remove(FRAMES).set(POLICY, &policy.join("; "))
    }

    /// For how long browsers that came by TLS come by nothing else; with all names below
    /// the host's if `subdomains` says so.
    #[must_use]
    pub fn strict_transport(self, max_age: Duration, subdomains: bool) -> Self {
        let below = if subdomains {
            "; includeSubDomains"
        } else {
            ""
        };
        self.set(TRANSPORT, &format!("max-age={}{below}", max_age.as_secs()))
    }
}

impl Middleware for SecurityHeaders {
    fn before(&self, request: &mut Incoming<'_, '_>, reply: Reply<'_, '_>) -> Next {
        if request.scheme() == "https"
            && let Some(value) = &self.transport
        {
            drop(reply.header(TRANSPORT, value));
        }
        Next::Continue
    }

    fn after(&self, _record: &Record, head: &mut ReplyHead<'_>) {
        for (name, value) in &self.fields {
            if !head.headers().contains(name) {
                // They can stand there: an app with others does not start.
                let _ = head.add_header(name, value);
            }
        }
    }

    fn ready(&self) -> Result<(), Error> {
        let can_stand = |name: &str, value: &str| {
            ascii::is_token(name.as_bytes()) && ascii::is_field_value(value.as_bytes())
        };
        let transport = self.transport.as_deref().unwrap_or_default();
        let all = self.fields.iter().map(|(name, value)| (&**name, &**value));
        match all
            .chain([(TRANSPORT, transport)])
            .all(|(name, value)| can_stand(name, value))
        {
            true => Ok(()),
            false => Err(Error::Config(
                "a header for browsers cannot stand on the wire",
            )),
        }
    }
}
