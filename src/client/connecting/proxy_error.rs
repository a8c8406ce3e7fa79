//! Errors of proxies.

use super::UrlError;
use crate::http::Status;

/// Why a proxy cannot be used, or does not reach a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// Its scheme is none that is spoken.
    #[error("the proxy's scheme is not http, socks5 or socks5h")]
    Scheme,
    /// Its address is none.
    #[error("the proxy's address: {0}")]
    Address(UrlError),
    /// There is something behind its address.
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

/// What a code of SOCKS5 means.
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
