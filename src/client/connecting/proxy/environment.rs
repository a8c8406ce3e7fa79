//! The proxy of a request: by the environment, or as was said.

use alloc::string::String;
use std::env;

use super::Proxy;
use super::exclusions::Exclusions;
use crate::client::ProxyError;

/// The options of a client for proxies.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProxyChoice {
    /// Those of the environment otherwise.
    given: Option<ProxyRules>,
    /// Servers that are reached directly in any case.
    except: String,
}

impl ProxyChoice {
    pub(crate) const fn new() -> Self {
        Self {
            given: None,
            except: String::new(),
        }
    }

    /// One for all servers, or none at all.
    pub(crate) fn set(&mut self, proxy: Option<Proxy>) {
        self.given = Some(proxy.map_or_else(ProxyRules::default, ProxyRules::all));
    }

    /// But none for these, as `NO_PROXY` has them.
    pub(crate) fn except(&mut self, servers: &str) {
        self.except = String::from(servers);
    }

    /// The rules that follow.
    ///
    /// # Errors
    /// Those of [`ProxyRules::from_environment`].
    pub(crate) fn rules(&self) -> Result<ProxyRules, ProxyError> {
        let rules = match &self.given {
            Some(rules) => rules.clone(),
            None => ProxyRules::from_environment()?,
        };
        Ok(rules.except(&self.except))
    }
}

/// The setters of options with `proxies`, a [`ProxyChoice`]; the docs are of the first.
macro_rules! proxy_setters {
    ($(#[$doc:meta])*) => {
        $crate::wire::builder! {
            $(#[$doc])*
            fn proxy(proxy: $crate::client::Proxy) => proxies.set(Some(proxy));

            /// Connects to these servers directly, whether the proxy was set here or by the
            /// environment. They are given in the form of `no_proxy`: names with all below
            /// them, addresses and networks, each with a port or without, separated by commas.
            fn proxy_except(servers: &str) => proxies.except(servers);

            /// Uses no proxy, whatever the environment says.
            fn no_proxy() => proxies.set(None);
        }
    };
}

pub(in crate::client) use proxy_setters;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ProxyRules {
    http: Option<Proxy>,
    https: Option<Proxy>,
    no: Exclusions,
}

impl ProxyRules {
    fn all(proxy: Proxy) -> Self {
        Self {
            http: Some(proxy.clone()),
            https: Some(proxy),
            no: Exclusions::default(),
        }
    }

    fn except(mut self, servers: &str) -> Self {
        self.no.add(servers);
        self
    }

    /// Reads `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`, or their capitals. An
    /// empty one is no proxy.
    ///
    /// `HTTP_PROXY` is ignored under CGI (`REQUEST_METHOD` is set), where a request sets it.
    ///
    /// # Errors
    /// [`ProxyError`] for an invalid proxy: going without might leak traffic.
    fn from_environment() -> Result<Self, ProxyError> {
        Self::read(|name| env::var(name).ok())
    }

    fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self, ProxyError> {
        let is_cgi = get("REQUEST_METHOD").is_some();
        let either = |small: &str, capital: &str| match get(small) {
            Some(text) => Some(text),
            None if is_cgi && capital == "HTTP_PROXY" => None,
            None => get(capital),
        };
        let all = either("all_proxy", "ALL_PROXY");
        let proxy = |own: Option<String>| match own.or_else(|| all.clone()) {
            Some(text) if !text.trim().is_empty() => Proxy::parse(text.trim()).map(Some),
            Some(_) | None => Ok(None),
        };
        let no = either("no_proxy", "NO_PROXY").unwrap_or_default();
        Ok(Self {
            http: proxy(either("http_proxy", "HTTP_PROXY"))?,
            https: proxy(either("https_proxy", "HTTPS_PROXY"))?,
            no: Exclusions::parse(&no),
        })
    }

    pub(crate) fn find(&self, is_secure: bool, host: &str, port: u16) -> Option<&Proxy> {
        let proxy = match is_secure {
            true => self.https.as_ref(),
            false => self.http.as_ref(),
        };
        proxy.filter(|_| !self.no.contain(host, port))
    }
}

#[cfg(test)]
mod tests;
