//! Cross-origin requests (WHATWG Fetch §3.2).

use alloc::{string::String, vec::Vec};
use core::time::Duration;

use super::middleware::{Incoming, Middleware, Next};
use crate::app::exchange::reply::Reply;
use crate::http::{Method, Status};
use crate::wire::ascii::Decimal;

/// Lets pages from other origins use the app: answers preflights, and gives
/// every reply, also a refusal, the fields that a browser looks for.
///
/// ```
/// use barewire::app::{App, Cors};
///
/// let cors = Cors::origins(["https://example.com"]).expose("x-total").allow_credentials();
/// App::new().with(cors);
/// ```
///
/// For a part of the paths: [`Scoped`](crate::app::Scoped).
#[derive(Debug, Clone)]
pub struct Cors {
    origins: Option<Vec<String>>, // all if none
    methods: Option<String>,      // whatever is asked for if none
    headers: Option<String>,      // likewise
    exposed: String,
    credentials: bool,
    max_age: Duration,
}

impl Cors {
    /// Every origin may use every method and field, but without credentials;
    /// every field of a reply may be read.
    pub fn permissive() -> Self {
        Self {
            origins: None,
            methods: None,
            headers: None,
            exposed: String::from("*"),
            credentials: false,
            max_age: Duration::from_secs(600),
        }
    }

    /// Only these origins may, as a browser writes them:
    /// `https://example.com`, without a path.
    pub fn origins<T: Into<String>>(origins: impl IntoIterator<Item = T>) -> Self {
        let origins = origins.into_iter().map(Into::into).collect();
        Self {
            origins: Some(origins),
            exposed: String::new(),
            ..Self::permissive()
        }
    }

    /// Only these methods may be used.
    #[must_use]
    pub fn methods<'m>(mut self, methods: impl IntoIterator<Item = &'m str>) -> Self {
        self.methods = Some(join(String::new(), methods));
        self
    }

    /// Only these fields may be sent.
    #[must_use]
    pub fn headers<'h>(mut self, names: impl IntoIterator<Item = &'h str>) -> Self {
        self.headers = Some(join(String::new(), names));
        self
    }

    /// This field of a reply may be read, too.
    #[must_use]
    pub fn expose(mut self, name: &str) -> Self {
        let exposed = if self.exposed == "*" {
            String::new()
        } else {
            self.exposed
        };
        self.exposed = join(exposed, [name]);
        self
    }

    /// Cookies and the like may be sent. Each origin is then named in its
    /// reply, as `*` no longer counts; with [`permissive`](Self::permissive),
    /// that trusts every page there is.
    #[must_use]
    pub fn allow_credentials(mut self) -> Self {
        self.credentials = true;
        if self.exposed == "*" {
            self.exposed.clear();
        }
        self
    }

    /// How long a browser may remember the answer to a preflight. Default 10
    /// minutes.
    #[must_use]
    pub const fn max_age(mut self, time: Duration) -> Self {
        self.max_age = time;
        self
    }

    fn allows(&self, origin: &str) -> bool {
        self.origins
            .as_ref()
            .is_none_or(|list| list.iter().any(|it| it == origin))
    }

    /// Whether replies differ from origin to origin.
    const fn varies(&self) -> bool {
        self.origins.is_some() || self.credentials
    }

    fn preflight(&self, request: &Incoming<'_, '_>, mut reply: Reply<'_, '_>) -> Next {
        let asked = |name| request.header(name).unwrap_or_default();
        let method = asked("access-control-request-method");
        reply = reply.header(
            "Access-Control-Allow-Methods",
            self.methods.as_deref().unwrap_or(method),
        );
        let headers = asked("access-control-request-headers");
        let headers = self.headers.as_deref().unwrap_or(headers);
        if !headers.is_empty() {
            reply = reply.header("Access-Control-Allow-Headers", headers);
        }
        let seconds = Decimal::new(self.max_age.as_secs());
        reply = reply.header("Access-Control-Max-Age", seconds.as_bytes());
        reply
            .header(
                "Vary",
                "Access-Control-Request-Method, Access-Control-Request-Headers",
            )
            .status(Status::NO_CONTENT)
            .empty()
            .into()
    }
}

fn join<'n>(mut list: String, names: impl IntoIterator<Item = &'n str>) -> String {
    for name in names {
        if !list.is_empty() {
            list.push_str(", ");
        }
        list.push_str(name);
    }
    list
}

impl Middleware for Cors {
    fn before(&self, request: &mut Incoming<'_, '_>, reply: Reply<'_, '_>) -> Next {
        let mut reply = reply;
        if self.varies() {
            reply = reply.header("Vary", "Origin");
        }
        let Some(origin) = request
            .header("origin")
            .filter(|origin| self.allows(origin))
        else {
            return Next::Continue;
        };
        let allowed = if self.varies() { origin } else { "*" };
        reply = reply.header("Access-Control-Allow-Origin", allowed);
        if self.credentials {
            reply = reply.header("Access-Control-Allow-Credentials", "true");
        }
        let is_preflight = request.method() == Method::OPTIONS
            && request.headers().contains("access-control-request-method");
        if is_preflight {
            return self.preflight(request, reply);
        }
        if !self.exposed.is_empty() {
            drop(reply.header("Access-Control-Expose-Headers", &self.exposed));
        }
        Next::Continue
    }
}
