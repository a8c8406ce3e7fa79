//! Names and passwords with each request: Basic authentication (RFC 7617).

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::any::Any;

use base64::Engine;
use base64::engine::DecodePaddingMode::Indifferent;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use super::credentials::{Challenge, Presented, constant_time_eq};
use crate::app::exchange::reply::Reply;
use crate::app::routes::middleware::{Incoming, Middleware, Next};
use crate::http::Status;
use crate::net::Error;
use crate::wire::partly_shown;

/// Lets those in who have a name and a password (RFC 7617), and answers others with 401 and
/// `WWW-Authenticate: Basic`. What was found out stays with the request.
///
/// ```
/// use barewire::app::{App, BasicAuth, BasicUser, Scoped};
/// use barewire::http::Status;
///
/// let staff = BasicAuth::users("staff", [("ann", "correct horse"), ("bob", "battery staple")]);
/// App::new()
///     .with(Scoped::new("/admin", staff))
///     .get("/admin/me", |request, reply| {
///         let user = request.extensions().get::<BasicUser>().ok_or(Status::UNAUTHORIZED)?;
///         reply.text(&user.0).ok()
///     });
/// ```
///
/// The password is readable to everyone between: serve it over TLS. A browser sends it with
/// every request of its pages: where those change something, put an
/// [`OriginGuard`](crate::app::OriginGuard) beside. Preflights of
/// [`Cors`](crate::app::Cors) carry no credentials: it comes first.
#[derive(Clone)]
pub struct BasicAuth {
    challenge: Challenge,
    verify: Arc<Verify>,
}

/// Attaches the identity that name and password prove; false if they prove none.
type Verify = dyn Fn(&str, &str, &mut Incoming<'_, '_>) -> bool + Send + Sync;

partly_shown!(it: BasicAuth { challenge });

/// The name of a user whom [`BasicAuth::users`] has let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasicUser(pub String);

impl BasicAuth {
    /// Asks `verify` whom a name and a password belong to. What it returns is attached to the
    /// request ([`Incoming::insert`]); with `None` the request is refused.
    ///
    /// It runs on the loop: a function that is slow on purpose, as those for stored
    /// passwords are, holds up all clients. Check such a password in a route for the login by
    /// [`Reply::blocking`], and give out a token for [`BearerAuth`](crate::app::BearerAuth).
    /// Compare secrets by [`constant_time_eq`].
    pub fn new<T: Any + Send + Sync>(
        realm: &str,
        verify: impl Fn(&str, &str) -> Option<T> + Send + Sync + 'static,
    ) -> Self {
        let challenge = Challenge::new("Basic", realm).with("charset", "UTF-8");
        let verify = Arc::new(
            move |name: &str, password: &str, to: &mut Incoming<'_, '_>| {
                let identity = verify(name, password);
                let is_known = identity.is_some();
                identity.and_then(|it| to.insert(it));
                is_known
            },
        );
        Self { challenge, verify }
    }

    /// Lets these users in, by names and passwords, and attaches a [`BasicUser`]. How long it
    /// takes does not tell which of both was wrong.
    pub fn users<N: Into<String>, P: Into<String>>(
        realm: &str,
        users: impl IntoIterator<Item = (N, P)>,
    ) -> Self {
        let users = users.into_iter().map(|(name, it)| (name.into(), it.into()));
        let users: Vec<(String, String)> = users.collect();
        Self::new(realm, move |name, password| {
            // All are looked at, also behind the one that is right.
            let is_it = |(its, word): &(String, String)| {
                constant_time_eq(its, name) & constant_time_eq(word, password)
            };
            let known = users.iter().filter(|user| is_it(user)).count() > 0;
            known.then(|| BasicUser(name.into()))
        })
    }

    /// Whether the request proves an identity, which is attached to it.
    fn admit(&self, request: &mut Incoming<'_, '_>) -> bool {
        let fields = request.headers();
        let Presented::Credentials(text) = Presented::to("Basic", fields) else {
            return false;
        };
        let Some(plain) = decode(text) else {
            return false;
        };
        let pair = core::str::from_utf8(&plain).ok();
        let pair = pair.and_then(|it| it.split_once(':'));
        pair.is_some_and(|(name, password)| (self.verify)(name, password, request))
    }
}

/// RFC 7617 §2 has padding; some clients leave it out.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    const CONFIG: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(Indifferent);
    const ENGINE: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::STANDARD, CONFIG);
    let mut plain = vec![0; text.len().div_ceil(4) * 3];
    let length = ENGINE.decode_slice(text, &mut plain).ok()?;
    plain.truncate(length);
    Some(plain)
}

impl Middleware for BasicAuth {
    fn before(&self, request: &mut Incoming<'_, '_>, _reply: Reply<'_, '_>) -> Next {
        match self.admit(request) {
            true => Next::Continue,
            false => self.challenge.refuse(Status::UNAUTHORIZED).into(),
        }
    }

    fn ready(&self) -> Result<(), Error> {
        self.challenge.check()
    }
}
