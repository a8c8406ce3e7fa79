//! Proxies, as an application names them.

use super::UrlError;
use crate::http::Status;

mod environment;
mod exclusions;

use alloc::format;
use alloc::string::{String, ToString as _};
use core::fmt;
use core::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub(in crate::client) use environment::{ProxyChoice, ProxyRules, proxy_setters};

use super::Url;

/// A proxy that requests go through.
///
/// ```
/// use barewire::client::Proxy;
///
/// let proxy: Proxy = "http://user:secret@proxy.example:3128".parse()?;
/// assert_eq!(proxy.to_string(), "http://proxy.example:3128");
/// let proxy: Proxy = "socks5h://127.0.0.1".parse()?;
/// assert_eq!(proxy.to_string(), "socks5h://127.0.0.1:1080");
/// assert!("ftp://proxy.example".parse::<Proxy>().is_err());
/// # Ok::<(), barewire::client::ProxyError>(())
/// ```
///
/// [`Display`](fmt::Display) and [`Debug`] never show user and password.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Proxy {
    kind: Kind,
    host: String,
    port: u16,
    credentials: Option<(String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// HTTP/1.1: requests to `http` servers in absolute form, tunnels to others.
    Http,
    /// SOCKS5 (RFC 1928), and the client resolves names.
    Socks5,
    /// SOCKS5, and the proxy resolves names.
    Socks5h,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Socks5 => "socks5",
            Self::Socks5h => "socks5h",
        }
    }
}

impl Proxy {
    /// Reads `http://host:port`, `socks5://host:port` or `socks5h://host:port`, with user
    /// and password in front of the host where the proxy asks for them. Without a scheme
    /// it is an HTTP proxy. The port is 80 or, of SOCKS, 1080 if it is left out.
    ///
    /// With `socks5h` the proxy resolves the names of servers, with `socks5` the client.
    ///
    /// # Errors
    /// [`ProxyError::Scheme`] or [`ProxyError::Address`].
    pub fn parse(text: &str) -> Result<Self, ProxyError> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let kinds = [Kind::Http, Kind::Socks5, Kind::Socks5h];
        let mut kinds = kinds.into_iter();
        let kind = kinds.find(|kind| scheme.eq_ignore_ascii_case(kind.as_str()));
        let kind = kind.ok_or(ProxyError::Scheme)?;
        let url = Url::parse(&format!("http://{rest}")).map_err(ProxyError::Address)?;
        if url.path() != "/" || url.query().is_some() {
            return Err(ProxyError::Path);
        }
        let port = match (kind, names_port(rest)) {
            (Kind::Http, _) | (_, true) => url.port(),
            (Kind::Socks5 | Kind::Socks5h, false) => 1080, // RFC 1928 §3
        };
        let new = Self {
            kind,
            host: without_brackets(url.host()).into(),
            port,
            credentials: None,
        };
        match (url.username(), url.password()) {
            (None, None) => Ok(new),
            (user, password) => {
                new.with_credentials(user.unwrap_or_default(), password.unwrap_or_default())
            }
        }
    }

    /// Tells the proxy who asks.
    ///
    /// # Errors
    /// [`ProxyError::Credentials`] if the proxy's protocol cannot say them: a colon in a
    /// user for HTTP, and for SOCKS an empty one, or more than 255 bytes of either.
    pub fn with_credentials(mut self, user: &str, password: &str) -> Result<Self, ProxyError> {
        let fits = match self.kind {
            Kind::Http => !user.contains(':'),
            Kind::Socks5 | Kind::Socks5h => {
                (1..=255).contains(&user.len()) && password.len() <= 255
            }
        };
        if !fits {
            return Err(ProxyError::Credentials);
        }
        self.credentials = Some((user.into(), password.into()));
        Ok(self)
    }

    pub(super) const fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn credentials(&self) -> Option<(&str, &str)> {
        let (user, password) = self.credentials.as_ref()?;
        Some((user, password))
    }

    /// Whether it forwards requests to `http` servers.
    pub(crate) fn forwards(&self) -> bool {
        self.kind == Kind::Http
    }

    /// The value of `Proxy-Authorization` for an HTTP proxy (RFC 7617), if it gets one.
    pub(crate) fn authorization(&self) -> Option<String> {
        let (user, password) = self.credentials()?;
        Some(basic(user, password))
    }
}

/// Credentials as HTTP says them (RFC 7617 §2).
pub(crate) fn basic(user: &str, password: &str) -> String {
    let both = format!("{user}:{password}");
    let mut encoded = alloc::vec![0; both.len().div_ceil(3) * 4];
    let written = STANDARD.encode_slice(&both, &mut encoded).unwrap_or(0); // there is room
    encoded.truncate(written);
    format!("Basic {}", String::from_utf8_lossy(&encoded))
}

fn names_port(rest: &str) -> bool {
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = rest.get(..end).unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |it| it.1);
    let behind = host.rsplit_once(']').map_or(host, |it| it.1);
    behind.rsplit_once(':').is_some_and(|it| !it.1.is_empty())
}

pub(super) fn without_brackets(host: &str) -> &str {
    let bare = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    bare.unwrap_or(host)
}

impl FromStr for Proxy {
    type Err = ProxyError;

    fn from_str(text: &str) -> Result<Self, ProxyError> {
        Self::parse(text)
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, host, port) = (self.kind.as_str(), &self.host, self.port);
        match host.contains(':') {
            true => write!(f, "{scheme}://[{host}]:{port}"),
            false => write!(f, "{scheme}://{host}:{port}"),
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({:?})", self.to_string())
    }
}

/// Why a proxy cannot be used, or does not reach a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// Its scheme is not supported.
    #[error("the proxy's scheme is not http, socks5 or socks5h")]
    Scheme,
    /// Its address is not valid.
    #[error("the proxy's address: {0}")]
    Address(UrlError),
    /// Something follows its address.
    #[error("a proxy has neither path nor query")]
    Path,
    /// User and password are such as its protocol cannot say.
    #[error("the proxy's protocol cannot say this user and password")]
    Credentials,
    /// It wants to know who asks, or does not believe it: 407, or what SOCKS has for it.
    #[error("the proxy does not accept user and password, or asks for them")]
    Unauthorized,
    /// An HTTP proxy has answered with this status, which is not of success.
    #[error("the proxy has answered with status {}", .0.code())]
    Refused(Status),
    /// A SOCKS proxy has answered with this code (RFC 1928 §6).
    #[error("the proxy has answered: {}", socks_text(*.0))]
    Socks(u8),
    /// It does not speak the protocol.
    #[error("the proxy does not speak {0}")]
    Protocol(&'static str),
    /// The name of the server is longer than SOCKS can say.
    #[error("the server's name is too long for the proxy")]
    TooLong,
    /// It has closed the connection instead of an answer.
    #[error("the proxy has closed the connection")]
    Closed,
}

const fn socks_text(code: u8) -> &'static str {
    match code {
        1 => "general failure",
        2 => "the rules do not allow it",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection refused",
        6 => "TTL expired",
        7 => "command not supported",
        8 => "address type not supported",
        _ => "an unknown code",
    }
}

#[cfg(test)]
mod tests;
