//! Which proxy a request goes through: as the environment has it, or as was said.

use alloc::string::String;
use std::env;

use super::Proxy;
use super::exclusions::Exclusions;
use crate::client::ProxyError;

/// Which proxy is used for which server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::client) struct ProxyRules {
    http: Option<Proxy>,
    https: Option<Proxy>,
    no: Exclusions,
}

impl ProxyRules {
    /// One for all servers.
    pub(in crate::client) fn all(proxy: Proxy) -> Self {
        Self {
            http: Some(proxy.clone()),
            https: Some(proxy),
            no: Exclusions::default(),
        }
    }

    /// But none for these, as `NO_PROXY` has them.
    #[must_use]
    pub(in crate::client) fn except(mut self, servers: &str) -> Self {
        self.no = Exclusions::parse(servers);
        self
    }

    /// Reads `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`, and those in capitals
    /// where those are not set. One that is empty is no proxy.
    ///
    /// `HTTP_PROXY` in capitals is left alone under CGI (`REQUEST_METHOD` is set): there it
    /// is what a request says in a field `Proxy`.
    ///
    /// # Errors
    /// [`ProxyError`] for a proxy that is none: going without it might tell the server,
    /// and others, what should go through it.
    pub(in crate::client) fn from_environment() -> Result<Self, ProxyError> {
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

    /// The proxy for a server, if there is one.
    pub(in crate::client) fn find(&self, is_secure: bool, host: &str, port: u16) -> Option<&Proxy> {
        let proxy = match is_secure {
            true => self.https.as_ref(),
            false => self.http.as_ref(),
        };
        proxy.filter(|_| !self.no.contain(host, port))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;

    fn rules(variables: &[(&str, &str)]) -> Result<ProxyRules, ProxyError> {
        ProxyRules::read(|name| {
            let found = variables.iter().find(|it| it.0 == name);
            found.map(|it| it.1.to_string())
        })
    }

    fn found(variables: &[(&str, &str)], is_secure: bool, host: &str) -> Option<String> {
        let rules = rules(variables).unwrap();
        let proxy = rules.find(is_secure, host, 80);
        proxy.map(|it| it.to_string())
    }

    #[test]
    fn each_scheme_has_its_own_and_all_have_one() {
        let variables = [
            ("http_proxy", "http://small:1"),
            ("HTTP_PROXY", "http://capital:1"),
            ("HTTPS_PROXY", "other:2"),
            ("NO_PROXY", ".local"),
        ];
        assert_eq!(found(&variables, false, "a").unwrap(), "http://small:1");
        assert_eq!(found(&variables, true, "a").unwrap(), "http://other:2");
        assert_eq!(found(&variables, true, "b.local"), None);
        let all = [("ALL_PROXY", "socks5h://s"), ("https_proxy", "")];
        assert_eq!(found(&all, false, "a").unwrap(), "socks5h://s:1080");
        assert_eq!(found(&all, true, "a"), None, "an empty one is none");
        assert_eq!(found(&[], false, "a"), None);
        let one = ProxyRules::all(Proxy::parse("p:1").unwrap()).except("b");
        assert!(one.find(true, "a", 443).is_some() && one.find(false, "b", 80).is_none());
    }

    #[test]
    fn a_request_to_a_cgi_program_sets_no_proxy() {
        let mut variables = [("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "http://evil:1")];
        assert_eq!(found(&variables, false, "a"), None);
        variables[1].0 = "http_proxy"; // a server does not write those
        assert!(found(&variables, false, "a").is_some());
        variables[1].0 = "HTTPS_PROXY"; // there is no such field as a scheme to it
        assert!(found(&variables, true, "a").is_some());
    }

    #[test]
    fn a_proxy_that_is_none_is_an_error() {
        let error = rules(&[("all_proxy", "gopher://a")]).unwrap_err();
        assert_eq!(error, ProxyError::Scheme);
    }
}
