//! Heads of requests and responses, whichever version carries them.

use core::{fmt, str::FromStr};

use super::{Fields, Method, Status, Target};

/// The version a message was sent in (RFC 9110 §2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// HTTP/1.0 (RFC 1945).
    Http10,
    /// HTTP/1.1 (RFC 9112).
    Http11,
    /// HTTP/2 (RFC 9113).
    Http2,
}

impl Version {
    /// The version as it stands in a message of HTTP/1.1 (RFC 9112 §2.3), and `HTTP/2.0`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
            Self::Http2 => "HTTP/2.0",
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The version is none of HTTP/1.0, HTTP/1.1 and HTTP/2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a version of HTTP that is not spoken here")]
pub struct InvalidVersion;

/// `HTTP/1.0`, `HTTP/1.1`, and `HTTP/2` or `HTTP/2.0`.
///
/// ```
/// use barewire::http::Version;
///
/// assert_eq!("HTTP/1.1".parse(), Ok(Version::Http11));
/// assert_eq!(Version::Http2.to_string().parse(), Ok(Version::Http2));
/// assert!("HTTP/3".parse::<Version>().is_err());
/// ```
impl FromStr for Version {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        match text {
            "HTTP/1.0" => Ok(Self::Http10),
            "HTTP/1.1" => Ok(Self::Http11),
            "HTTP/2" | "HTTP/2.0" => Ok(Self::Http2),
            _ => Err(InvalidVersion),
        }
    }
}

/// The head of a request.
#[derive(Debug, Clone, Copy)]
pub struct RequestHead<'b> {
    /// The method.
    pub method: Method<'b>,
    /// The target, in one of its four forms.
    pub target: Target<'b>,
    /// The version.
    pub version: Version,
    /// The protocol that an extended CONNECT asks for (`:protocol`, RFC 8441 §4).
    pub protocol: Option<&'b str>,
    /// The fields.
    pub fields: Fields<'b>,
}

impl<'b> RequestHead<'b> {
    /// The host and port that the request is meant for: the target's own
    /// authority where it has one, else the Host field (RFC 9112 §3.3). `None`
    /// if neither is there or the Host field is empty.
    pub fn authority(&self) -> Option<&'b str> {
        let own = self.target.authority();
        own.or_else(|| self.fields.get_str("host"))
            .filter(|text| !text.is_empty())
    }
}

/// The head of a response.
#[derive(Debug, Clone, Copy)]
pub struct ResponseHead<'b> {
    /// The status.
    pub status: Status,
    /// The version it was sent in; replies that are to be sent leave it at
    /// [`Version::Http11`], the machine puts its own.
    pub version: Version,
    /// The fields.
    pub fields: Fields<'b>,
}

impl<'b> ResponseHead<'b> {
    /// A head to be sent.
    #[inline]
    pub const fn new(status: Status, fields: Fields<'b>) -> Self {
        Self {
            status,
            version: Version::Http11,
            fields,
        }
    }
}

/// The content of a message as far as it came with its head (RFC 9110 §6.4).
#[derive(Debug, PartialEq, Eq)]
pub enum Content<'b> {
    /// There is none.
    None,
    /// All of it was received with the head.
    Whole(&'b mut [u8]),
    /// It follows in events of its own, once it is asked for.
    Follows {
        /// Its length in bytes, where the head told it.
        length: Option<u64>,
    },
}
