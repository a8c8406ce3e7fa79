//! Rate limits by key (GCRA), answered with 429 (RFC 6585 §4).

use alloc::string::String;
use alloc::sync::Arc;
use core::hash::{BuildHasher, Hash, Hasher};
use core::net::IpAddr;
use core::time::Duration;

use super::allowances::{Allowance, Allowances, Quota};
use crate::app::exchange::refusal::Refusal;
use crate::app::exchange::reply::Reply;
use crate::app::routes::middleware::{Incoming, Middleware, Next};
use crate::http::Status;
use crate::net::{Error, Peer};
use crate::wire::ascii::Decimal;
use crate::wire::{Instant, partly_shown};

/// Lets each client ask only so often; others are not held up by one that asks more.
///
/// ```
/// use barewire::app::{App, RateLimit, Scoped};
/// use barewire::http::Method;
///
/// App::new()
///     .with(RateLimit::per_second(50).burst(200))
///     .with(Scoped::route(Method::POST, "/login", RateLimit::per_minute(5)))
///     .post("/login", |_request, reply| reply.text("welcome"));
/// ```
///
/// A request over the limit is answered with 429 and Retry-After. It is counted when its
/// head has come, before its body and its route.
///
/// # Whom it counts
///
/// By default the address: an IPv4 address, or the /64 that an IPv6 host commonly has; all of a
/// Unix domain socket are one. Behind [trusted proxies](crate::app::App::trust_proxies) that is the
/// client's. [`by_header`](Self::by_header) and [`by`](Self::by) count by something
/// else. Clones count together, also of several apps.
///
/// # How it counts
///
/// By the generic cell rate algorithm: what was used comes back evenly, one request at a time,
/// and not at the end of a window, in which twice as many could be placed around that end.
/// [`KEYS`](Self::KEYS) keys are remembered, 16 bytes for each, whatever their length; where
/// there are more at one time, those that have used the least are forgotten first, so that
/// ever new keys cannot clear one that is over its limit.
#[derive(Clone)]
pub struct RateLimit {
    quota: Quota,
    keys: usize,
    key: Key,
    policy: Option<Policy>,
    allowances: Arc<Allowances>,
}

#[derive(Clone)]
enum Key {
    Address,
    Header(String),
    Own(Arc<OwnKey>),
}

/// Hashes the key of a request; false if it has none.
type OwnKey = dyn Fn(&Incoming<'_, '_>, &mut dyn Hasher) -> bool + Send + Sync;

/// The name under which clients are told of the limit.
#[derive(Clone)]
struct Policy(String);

partly_shown!(it: RateLimit { quota, keys });

impl RateLimit {
    /// How many keys are remembered, where [`keys`](Self::keys) does not say otherwise.
    pub const KEYS: usize = 1 << 16;

    /// So many requests a second.
    pub fn per_second(requests: u32) -> Self {
        Self::new(requests, Duration::from_secs(1))
    }

    /// So many requests a minute.
    pub fn per_minute(requests: u32) -> Self {
        Self::new(requests, Duration::from_secs(60))
    }

    /// So many requests an hour.
    pub fn per_hour(requests: u32) -> Self {
        Self::new(requests, Duration::from_secs(3600))
    }

    /// So many requests in each period. An app does not start with none of them, or with more
    /// than one in a nanosecond.
    pub fn new(requests: u32, period: Duration) -> Self {
        let period = u64::try_from(period.as_nanos()).unwrap_or(u64::MAX);
        Self {
            quota: Quota {
                interval: period.checked_div(u64::from(requests)).unwrap_or(0),
                burst: requests,
            },
            keys: Self::KEYS,
            key: Key::Address,
            policy: None,
            allowances: Arc::new(Allowances::new(Self::KEYS)),
        }
    }

    /// How many requests may come in one moment after a pause; by default those of a period.
    #[must_use]
    pub const fn burst(mut self, requests: u32) -> Self {
        self.quota.burst = requests;
        self
    }

    /// How many keys are remembered, rounded up to a multiple of 128; each takes 16 bytes.
    /// Stops: addresses and headers without end that fill the memory. Default 65,536.
    #[must_use]
    pub fn keys(mut self, most: usize) -> Self {
        self.keys = most;
        self.allowances = Arc::new(Allowances::new(most));
        self
    }

    /// Counts by the value of a header, and by the address where it is missing. For one
    /// that was judged before, such as an API key: a client that may write what it likes has
    /// a new limit with each value.
    #[must_use]
    pub fn by_header(mut self, name: &str) -> Self {
        self.key = Key::Header(name.into());
        self
    }

    /// Counts by what `key` gives; a request that it gives nothing for is not limited.
    ///
    /// ```
    /// use barewire::app::{App, BearerAuth, RateLimit};
    ///
    /// struct User(u64);
    ///
    /// let by_user = RateLimit::per_minute(600)
    ///     .by(|request| request.extensions().get::<User>().map(|user| user.0));
    /// App::new()
    ///     .with(BearerAuth::new("api", |token| (token == "42").then_some(User(42))))
    ///     .with(by_user);
    /// ```
    #[must_use]
    pub fn by<K: Hash>(
        mut self,
        key: impl Fn(&Incoming<'_, '_>) -> Option<K> + Send + Sync + 'static,
    ) -> Self {
        self.key = Key::Own(Arc::new(move |request, mut hasher| {
            let key = key(request);
            key.hash(&mut hasher);
            key.is_some()
        }));
        self
    }

    /// Tells clients where they stand, on every reply: RateLimit-Policy and RateLimit
    /// (draft-ietf-httpapi-ratelimit-headers), under this name.
    ///
    /// ```text
    /// RateLimit-Policy: "api";q=200;w=4
    /// RateLimit: "api";r=199;t=1
    /// ```
    #[must_use]
    pub fn fields(mut self, name: &str) -> Self {
        self.policy = Some(Policy(name.into()));
        self
    }

    /// Counts one request of a key for a handler of its own: a login that counts what fails
    /// by the name of its user, for example. `now` is [`Reply::now`].
    ///
    /// ```
    /// use barewire::app::{App, RateLimit, Refusal};
    ///
    /// let tries = RateLimit::per_hour(10);
    /// App::new().post("/login/{name}", move |request, reply| {
    ///     tries.take(request.param("name"), reply.now())?;
    ///     Ok::<_, Refusal>(reply.text("welcome"))
    /// });
    /// ```
    ///
    /// # Errors
    /// [`RateLimited`] for one over the limit, which becomes a [`Refusal`] with 429.
    pub fn take(&self, key: impl Hash, now: Instant) -> Result<Allowance, RateLimited> {
        let taken = self.allowances.take(key, self.quota, now);
        taken.map_err(|retry_after| RateLimited { retry_after })
    }

    /// The hash of a request's key.
    fn hash(&self, request: &Incoming<'_, '_>) -> Option<u64> {
        let mut hasher = self.allowances.hasher().build_hasher();
        let has_key = match &self.key {
            Key::Own(key) => key(request, &mut hasher),
            Key::Header(name) => {
                match request.headers().get(name) {
                    Some(value) => (true, value).hash(&mut hasher),
                    None => (false, origin(request.peer())).hash(&mut hasher),
                }
                true
            }
            Key::Address => {
                hasher.write_u64(origin(request.peer()));
                true
            }
        };
        has_key.then(|| hasher.finish())
    }

    fn tell(&self, policy: &Policy, allowance: Allowance, mut reply: Reply<'_, '_>) {
        let name = &policy.0;
        let window = Duration::from_nanos(self.quota.window());
        let burst = self.quota.burst;
        let (window, reset) = (seconds(window), seconds(allowance.reset));
        let left = allowance.remaining;
        let of = alloc::format!("\"{name}\";q={burst};w={window}");
        reply = reply.header("RateLimit-Policy", of);
        drop(reply.header("RateLimit", alloc::format!("\"{name}\";r={left};t={reset}")));
    }
}

/// What counts as one address: an IPv6 host commonly has a /64 (RFC 6177 §2). The first half of
/// an IPv4 address as IPv6 (RFC 4291 §2.5.5.2) is no one's, so that these stand apart.
fn origin(peer: Option<Peer>) -> u64 {
    match peer.and_then(Peer::ip) {
        Some(IpAddr::V4(ip)) => u64::from(ip.to_bits()) | 1 << 32,
        Some(IpAddr::V6(ip)) => (ip.to_bits() >> 64) as u64,
        None => 0,
    }
}

/// Whole seconds, of which there are enough.
fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

impl Middleware for RateLimit {
    fn before(&self, request: &mut Incoming<'_, '_>, reply: Reply<'_, '_>) -> Next {
        let Some(hash) = self.hash(request) else {
            return Next::Continue;
        };
        let taken = self.allowances.take_hashed(hash, self.quota, reply.now());
        if let Some(policy) = &self.policy {
            let allowance = taken.unwrap_or_else(|reset| Allowance {
                remaining: 0,
                reset,
            });
            self.tell(policy, allowance, reply);
        }
        match taken {
            Ok(_) => Next::Continue,
            Err(retry_after) => Next::Refused(RateLimited { retry_after }.into()),
        }
    }

    fn ready(&self) -> Result<(), Error> {
        let is_name = |byte: u8| byte.is_ascii_graphic() && !b"\"\\".contains(&byte);
        let fault = if self.quota.interval == 0 || self.quota.burst == 0 {
            "a rate limit lets at least one request pass, and at most one in a nanosecond"
        } else if self.keys == 0 {
            "a rate limit remembers at least one key"
        } else if self
            .policy
            .as_ref()
            .is_some_and(|it| !it.0.bytes().all(is_name))
        {
            "the name of a rate limit has neither quotes nor spaces"
        } else {
            return Ok(());
        };
        Err(Error::Config(fault))
    }
}

/// A request over its [`RateLimit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many requests: the next one may come in {retry_after:?}")]
pub struct RateLimited {
    /// The time after which a request would be allowed.
    pub retry_after: Duration,
}

impl From<RateLimited> for Refusal {
    fn from(limited: RateLimited) -> Self {
        let refusal = Self::new(Status::TOO_MANY_REQUESTS);
        let wait = Decimal::new(seconds(limited.retry_after));
        // Digits can stand on the wire.
        let told = refusal.clone().header("Retry-After", wait.as_str());
        told.unwrap_or(refusal)
    }
}
