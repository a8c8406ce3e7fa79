//! The options of a client.

use alloc::string::String;
use alloc::sync::Arc;

use super::error::{Error, ErrorKind};
use super::limits::ClientLimits;
use super::policy::Policy;
use super::redirect::RedirectPolicy;
use super::retry::RetryPolicy;
use crate::client::connecting::{Phase, ProxyChoice, Resolver, Url, proxy_setters};
#[cfg(feature = "tls")]
use crate::tls;
use crate::wire::builder;
use crate::wire::partly_shown;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Versions {
    Http1,
    Both,
    Http2,
}

/// How a [`Client`](crate::client::Client) is made.
///
/// ```
/// use barewire::client::{Client, ClientLimits, ClientOptions, RedirectPolicy};
/// use core::time::Duration;
///
/// let limits = ClientLimits::DEFAULT.with_total_time(Duration::from_secs(30));
/// let options = ClientOptions::new()
///     .base_url("http://127.0.0.1:8080/api/")
///     .header("X-Tenant", "7")
///     .user_agent("inventory/1.2")
///     .redirects(RedirectPolicy::follow(3))
///     .limits(limits);
/// let client = Client::with(options)?;
/// # Ok::<(), barewire::client::Error>(())
/// ```
pub struct ClientOptions {
    pub(super) policy: Policy,
    pub(super) limits: ClientLimits,
    pub(super) base: Option<Url>,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<tls::Client>,
    #[cfg(unix)]
    pub(super) unix: Option<std::path::PathBuf>,
    pub(super) proxies: ProxyChoice,
    pub(super) resolver: Option<Arc<dyn Resolver>>,
    pub(super) versions: Versions,
    pub(super) fault: Option<Error>,
}

impl ClientOptions {
    /// [`ClientLimits::DEFAULT`], ten redirects, and nothing else.
    pub fn new() -> Self {
        let mut new = Self {
            policy: Policy::new(ClientLimits::DEFAULT),
            limits: ClientLimits::DEFAULT,
            base: None,
            #[cfg(feature = "tls")]
            tls: None,
            #[cfg(unix)]
            unix: None,
            proxies: ProxyChoice::new(),
            resolver: None,
            versions: Versions::Both,
            fault: None,
        };
        new = new.user_agent(concat!("barewire/", env!("CARGO_PKG_VERSION")));
        new.header("Accept", "*/*")
    }

    /// Sets what the limits are.
    #[must_use]
    pub const fn limits(mut self, limits: ClientLimits) -> Self {
        self.policy.limits = limits;
        self.limits = limits;
        self
    }

    builder! {
        /// Sets which redirects are followed.
        const fn redirects(redirects: RedirectPolicy) => policy.redirects = redirects;

        /// Sets which responses have a request made again: by default none.
        const fn retries(retries: RetryPolicy) => policy.retries = retries;
    }

    /// Sets the URL that those of requests are joined to: `GET items` of a client with
    /// the base `https://a/v1/` asks for `https://a/v1/items`.
    #[must_use]
    pub fn base_url(mut self, url: &str) -> Self {
        match Url::parse(url) {
            Ok(url) => self.base = Some(url),
            Err(error) => self.blame(ErrorKind::Url(error)),
        }
        self
    }

    /// Adds a header to all requests that do not have one of that name. Replaces a
    /// default of that name.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        if let Err(invalid) = self.policy.fields.set(name, value) {
            self.blame(ErrorKind::Field(invalid));
        }
        self
    }

    /// Sets the User-Agent. By default it names this crate and its version; an empty one
    /// is not sent.
    #[must_use]
    pub fn user_agent(mut self, agent: impl Into<String>) -> Self {
        let agent = agent.into();
        if agent.is_empty() {
            self.policy.fields.remove("user-agent");
            return self;
        }
        self.header("User-Agent", agent)
    }

    builder! {
        /// Sets how TLS is spoken. By default the system's roots are trusted.
        #[cfg(feature = "tls")]
        fn tls(tls: tls::Client) => tls = Some(tls);

        /// Connects to a Unix socket, whatever host a URL names.
        #[cfg(unix)]
        fn unix_socket(path: impl Into<std::path::PathBuf>) => unix = Some(path.into());
    }

    proxy_setters! {
        /// Connects through a proxy. Without this and [`no_proxy`](Self::no_proxy) the
        /// environment says: `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`, or the
        /// same in capitals.
    }

    builder! {
        /// Speaks HTTP/1.1 only. By default servers of `https` are offered HTTP/2 as well.
        const fn http1_only() => versions = Versions::Http1;

        /// Speaks HTTP/2 only, also where TLS does not agree on it: servers of `http` have to
        /// be known to speak it (RFC 9113 §3.3). Proxies that forward requests to `http` are
        /// spoken to by HTTP/1.1.
        const fn http2_prior_knowledge() => versions = Versions::Http2;

        /// Keeps cookies in a jar, and sends them. By default there is no jar.
        #[cfg(feature = "cookies")]
        fn cookies(jar: Arc<super::cookies::CookieJar>) => policy.cookies = Some(jar);

        /// Sets who resolves names: by default the system.
        fn resolver(resolver: impl Resolver + 'static) => resolver = Some(Arc::new(resolver));
    }

    fn blame(&mut self, kind: ErrorKind) {
        self.fault.get_or_insert(Error::new(Phase::Request, kind));
    }
}

partly_shown!(it: ClientOptions { policy, base, proxies });

impl Default for ClientOptions {
    fn default() -> Self {
        Self::new()
    }
}
