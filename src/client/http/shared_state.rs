//! The state that all clones of a client share.

use alloc::borrow::ToOwned as _;
use alloc::sync::Arc;
use alloc::vec::Vec;
#[cfg(feature = "tls")]
use std::sync::OnceLock;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::error::ErrorKind;
use super::limits::ClientLimits;
use super::metrics::{Counters, Metrics};
use super::options::{ClientOptions, Versions};
use super::policy::Policy;
use super::pool::Pool;
use crate::client::connecting::{Names, Place, Proxy, ProxyError, ProxyRules, Route, Secure, Url};
use crate::link;
use crate::net::Speaks;
#[cfg(feature = "tls")]
use crate::tls;

/// State shared by all clones of a client.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) policy: Arc<Policy>,
    pub(super) pool: Arc<Pool>,
    pub(super) counters: Counters,
    /// Those of the loops that the client is on.
    of_loops: Mutex<Vec<Arc<Counters>>>,
    pub(super) base: Option<Url>,
    #[cfg(feature = "tls")]
    tls: OnceLock<Result<tls::Client, Arc<tls::Error>>>,
    #[cfg(unix)]
    unix: Option<std::path::PathBuf>,
    proxies: Result<ProxyRules, ProxyError>,
    pub(super) names: Arc<Names>,
    versions: Versions,
    /// The limits of connections, which all of them share.
    pub(super) link: Arc<link::Limits>,
}

impl Shared {
    pub(super) fn new(mut options: ClientOptions) -> Self {
        let limits = options.limits;
        let policy = &mut options.policy;
        policy.given.note_all(policy.fields.as_fields());
        #[cfg(feature = "tls")]
        let tls = match options.tls {
            Some(tls) => OnceLock::from(Ok(tls)),
            None => OnceLock::new(),
        };
        Self {
            pool: Arc::new(Pool::new(limits)),
            counters: Counters::default(),
            of_loops: Mutex::default(),
            base: options.base,
            #[cfg(feature = "tls")]
            tls,
            #[cfg(unix)]
            unix: options.unix,
            proxies: options.proxies.rules(),
            names: Arc::new(Names::new(options.resolver, limits.dns_cache_time)),
            versions: options.versions,
            link: Arc::new(limits.link()),
            policy: Arc::new(options.policy),
        }
    }

    /// The fields that the handshake of a WebSocket has of the client's own.
    #[cfg(feature = "graphql")]
    pub(super) fn upgrade_fields(&self) -> &crate::http::FieldBuffer {
        &self.policy.fields
    }

    #[cfg(all(feature = "graphql", feature = "cookies"))]
    pub(super) fn cookie_jar(&self) -> Option<Arc<super::cookies::CookieJar>> {
        self.policy.cookies.clone()
    }

    /// Counters for a loop that the client is on from now on.
    pub(super) fn join_loop(&self) -> Arc<Counters> {
        let counters = Arc::new(Counters::of_loop());
        self.of_loops().push(counters.clone());
        counters
    }

    /// A loop that the client was on is gone.
    pub(super) fn leave_loop(&self, counters: &Arc<Counters>) {
        let mut of_loops = self.of_loops();
        of_loops.retain(|it| !Arc::ptr_eq(it, counters));
        self.counters.add_all(counters);
    }

    fn of_loops(&self) -> MutexGuard<'_, Vec<Arc<Counters>>> {
        self.of_loops.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What all have counted, and connections now, and how many of them are at rest.
    pub(super) fn metrics(&self, connections: (usize, usize)) -> Metrics {
        let all = Counters::default();
        let of_loops = self.of_loops();
        for counters in of_loops.iter().map(|it| &**it).chain([&self.counters]) {
            all.add_all(counters);
        }
        all.read(connections)
    }

    pub(super) fn pool_limits(&self) -> &ClientLimits {
        &self.policy.limits
    }

    /// Where connections for `url` go.
    pub(super) fn route(&self, url: &Url) -> Result<Route, ErrorKind> {
        let host = url.host();
        let literal = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        let host = literal.unwrap_or(host);
        #[cfg(unix)]
        let unix = self.unix.clone().map(Place::Unix);
        #[cfg(not(unix))]
        let unix = None;
        Ok(Route {
            place: unix.unwrap_or_else(|| Place::Host {
                host: host.to_owned(),
                port: url.port(),
            }),
            secure: match url.is_secure() {
                true => Some(self.secure(host.strip_suffix('.').unwrap_or(host))?),
                false => None,
            },
            speaks: match self.may_share(url) && self.versions == Versions::Http2 {
                true => Speaks::Http2,
                false => Speaks::Http1,
            },
            proxy: self.proxy(url)?.cloned(),
            tunnel: false,
        })
    }

    /// Whether HTTP/2 may be spoken for `url`: over TLS where the server agrees, else where
    /// it is known to speak it. A proxy that forwards requests is spoken to by HTTP/1.1.
    pub(super) fn may_share(&self, url: &Url) -> bool {
        match self.versions {
            Versions::Http1 => false,
            Versions::Both => url.is_secure(),
            Versions::Http2 => url.is_secure() || self.forwarder(url).is_none(),
        }
    }

    /// The proxy for requests to `url`, if there is one.
    fn proxy(&self, url: &Url) -> Result<Option<&Proxy>, ErrorKind> {
        #[cfg(unix)]
        if self.unix.is_some() {
            return Ok(None);
        }
        match &self.proxies {
            Ok(rules) => Ok(rules.find(url.is_secure(), url.host(), url.port())),
            Err(error) => Err(ErrorKind::Proxy(*error)),
        }
    }

    /// The proxy that requests to `url` are sent to, which forwards them.
    pub(super) fn forwarder(&self, url: &Url) -> Option<&Proxy> {
        let proxy = self.proxy(url).ok().flatten()?;
        (!url.is_secure() && proxy.forwards()).then_some(proxy)
    }

    #[cfg(feature = "tls")]
    fn secure(&self, name: &str) -> Result<Secure, ErrorKind> {
        let made = self
            .tls
            .get_or_init(|| tls::Client::new(tls::ClientOptions::new()).map_err(Arc::new));
        match made {
            Ok(client) => Ok(Secure {
                client: client.clone(),
                name: name.to_owned(),
                protocols: match self.versions {
                    Versions::Http1 => &["http/1.1"],
                    Versions::Both => &["h2", "http/1.1"],
                    Versions::Http2 => &["h2"],
                },
            }),
            Err(error) => Err(ErrorKind::Tls(error.clone())),
        }
    }

    #[cfg(not(feature = "tls"))]
    fn secure(&self, _: &str) -> Result<Secure, ErrorKind> {
        let text = "this build has no TLS, which https needs (feature `tls`)";
        Err(ErrorKind::Usage(text))
    }
}
