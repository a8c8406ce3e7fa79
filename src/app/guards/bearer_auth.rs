//! Tokens with each request: Bearer authentication (RFC 6750).

use alloc::string::String;
use alloc::sync::Arc;
use core::any::Any;

use super::credentials::{Challenge, Presented, constant_time_eq};
use crate::app::exchange::reply::Reply;
use crate::app::routes::middleware::{Incoming, Middleware, Next};
use crate::http::Status;
use crate::net::Error;
use crate::wire::partly_shown;

/// Lets those in who carry a token in `Authorization: Bearer` (RFC 6750 §2.1). What it
/// stands for stays with the request.
///
/// ```
/// use barewire::app::{App, BearerAuth};
/// use barewire::http::Status;
/// # fn look_up(_token: &str) -> Option<User> { None }
///
/// struct User(String);
///
/// App::new()
///     .with(BearerAuth::new("api", |token| look_up(token)))
///     .get("/me", |request, reply| {
///         let user = request.extensions().get::<User>().ok_or(Status::UNAUTHORIZED)?;
///         reply.text(&user.0).ok()
///     });
/// ```
///
/// | request | answer (RFC 6750 §3.1) |
/// |---|---|
/// | no Authorization, or one of another scheme | 401, with the realm |
/// | a token that stands for nothing | 401, `invalid_token` |
/// | not a token (§2.1), or more than one Authorization | 400, `invalid_request` |
///
/// Tokens in bodies and queries (§2.2, §2.3) are not looked for: they end up in logs.
/// Preflights of [`Cors`](crate::app::Cors) carry none: it comes first.
#[derive(Clone)]
pub struct BearerAuth {
    challenge: Challenge,
    verify: Arc<Verify>,
}

/// Attaches the identity that a token stands for; false if there is none.
type Verify = dyn Fn(&str, &mut Incoming<'_, '_>) -> bool + Send + Sync;

partly_shown!(it: BearerAuth { challenge });

impl BearerAuth {
    /// Asks `verify` what a token stands for. What it returns is attached to the request
    /// ([`Incoming::insert`]); with `None` the request is refused. It runs on the loop, so that
    /// it should not wait. Compare secrets by [`constant_time_eq`].
    pub fn new<T: Any + Send + Sync>(
        realm: &str,
        verify: impl Fn(&str) -> Option<T> + Send + Sync + 'static,
    ) -> Self {
        let verify = Arc::new(move |token: &str, to: &mut Incoming<'_, '_>| {
            let identity = verify(token);
            let is_known = identity.is_some();
            identity.and_then(|it| to.insert(it));
            is_known
        });
        Self {
            challenge: Challenge::new("Bearer", realm),
            verify,
        }
    }

    /// Lets in who has this one token, compared in constant time: for a service that has
    /// a single client, or metrics that only the collector may read. Attaches nothing.
    pub fn token(realm: &str, token: impl Into<String>) -> Self {
        let own = token.into();
        Self {
            challenge: Challenge::new("Bearer", realm),
            verify: Arc::new(move |token, _| constant_time_eq(&own, token)),
        }
    }
}

/// `b64token` of RFC 6750 §2.1.
fn as_token(text: &[u8]) -> Option<&str> {
    let end = text.iter().rposition(|&b| b != b'=')?;
    let is_of_it = |b: &u8| b.is_ascii_alphanumeric() || b"-._~+/".contains(b);
    let is_token = text[..=end].iter().all(is_of_it);
    is_token.then(|| core::str::from_utf8(text).ok())?
}

impl Middleware for BearerAuth {
    fn before(&self, request: &mut Incoming<'_, '_>, _reply: Reply<'_, '_>) -> Next {
        let challenge = &self.challenge;
        let fields = request.headers();
        let token = match Presented::to("Bearer", fields) {
            Presented::Nothing => return challenge.refuse(Status::UNAUTHORIZED).into(),
            Presented::Credentials(text) => as_token(text).map(String::from),
            Presented::Ambiguous => None,
        };
        let Some(token) = token else {
            let challenge = challenge.with("error", "invalid_request");
            return challenge.refuse(Status::BAD_REQUEST).into();
        };
        match (self.verify)(&token, request) {
            true => Next::Continue,
            false => {
                let challenge = challenge.with("error", "invalid_token");
                challenge.refuse(Status::UNAUTHORIZED).into()
            }
        }
    }

    fn ready(&self) -> Result<(), Error> {
        self.challenge.check()
    }
}
