//! The faults of a text that is no URL.

/// A text that is no URL, by the part that is at fault. Its message holds nothing of the
/// text, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// There is no text.
    #[error("the URL is empty")]
    Empty,
    /// A space, a tab, a line end or another control byte.
    #[error("the URL has whitespace or a control byte at {at}, which has to be percent-encoded")]
    Whitespace {
        /// How many bytes stand in front of it.
        at: usize,
    },
    /// It does not begin with a scheme.
    #[error("the URL has no scheme: expected http://, https://, ws:// or wss:// in front")]
    NoScheme,
    /// It has a scheme that is not spoken here.
    #[error("the scheme of the URL is not http, https, ws or wss")]
    Scheme,
    /// The user or the password cannot stand in a URL.
    #[error("the user information of the URL is malformed: percent-encode it")]
    UserInfo,
    /// There is no host.
    #[error("the URL has no host")]
    NoHost,
    /// The host is no name (RFC 1123 §2.1, and `_`).
    #[error("the host of the URL is neither a name nor an address")]
    Host,
    /// The host is not in ASCII.
    #[error("the host of the URL is not ASCII, and this build has no IDNA (feature `idna`)")]
    NotAscii,
    /// The host ends in a number, as an IPv4 address alone does, and is not one of four
    /// decimal numbers.
    #[error("the host of the URL ends in a number and is not an IPv4 address")]
    Ipv4,
    /// The text in brackets is not an IPv6 address.
    #[error("the host of the URL is in brackets and is not an IPv6 address")]
    Ipv6,
    /// The port is no number from 1 to 65535.
    #[error("the port of the URL is not a number from 1 to 65535")]
    Port,
    /// The path has a `%` without two hexadecimal digits.
    #[error("the path of the URL has a % without two hexadecimal digits behind it")]
    Path,
    /// The query has a `%` without two hexadecimal digits.
    #[error("the query of the URL has a % without two hexadecimal digits behind it")]
    Query,
    /// The fragment has a `%` without two hexadecimal digits.
    #[error("the fragment of the URL has a % without two hexadecimal digits behind it")]
    Fragment,
}
