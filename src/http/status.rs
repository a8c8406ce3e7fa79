//! Status codes.

use core::{fmt, str::FromStr};

/// A status code from 100 to 599 (RFC 9110 §15).
///
/// Codes outside the registry are legal and behave as the `x00` of their class.
///
/// ```
/// use barewire::http::Status;
///
/// assert_eq!(Status::try_from(404), Ok(Status::NOT_FOUND));
/// assert_eq!("204".parse(), Ok(Status::NO_CONTENT));
/// assert!("99".parse::<Status>().is_err() && Status::try_from(600).is_err());
/// assert_eq!(Status::NOT_FOUND.to_string(), "404 Not Found");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Status(u16);

macro_rules! registry {
    ($($code:literal $name:ident $reason:literal $section:literal;)*) => {
        impl Status {
            $(#[doc = concat!($code, " ", $reason, " (", $section, ").")]
            pub const $name: Self = Self($code);)*

            /// The registered reason phrase, or an empty text.
            pub const fn reason(self) -> &'static str {
                match self.0 {
                    $($code => $reason,)*
                    _ => "",
                }
            }
        }

        #[cfg(test)]
        static REGISTERED: &[Status] = &[$(Status::$name),*];
    };
}

registry! {
    100 CONTINUE "Continue" "RFC 9110 §15.2.1";
    101 SWITCHING_PROTOCOLS "Switching Protocols" "RFC 9110 §15.2.2";
    103 EARLY_HINTS "Early Hints" "RFC 8297 §2";
    200 OK "OK" "RFC 9110 §15.3.1";
    201 CREATED "Created" "RFC 9110 §15.3.2";
    202 ACCEPTED "Accepted" "RFC 9110 §15.3.3";
    203 NON_AUTHORITATIVE_INFORMATION "Non-Authoritative Information" "RFC 9110 §15.3.4";
    204 NO_CONTENT "No Content" "RFC 9110 §15.3.5";
    205 RESET_CONTENT "Reset Content" "RFC 9110 §15.3.6";
    206 PARTIAL_CONTENT "Partial Content" "RFC 9110 §15.3.7";
    300 MULTIPLE_CHOICES "Multiple Choices" "RFC 9110 §15.4.1";
    301 MOVED_PERMANENTLY "Moved Permanently" "RFC 9110 §15.4.2";
    302 FOUND "Found" "RFC 9110 §15.4.3";
    303 SEE_OTHER "See Other" "RFC 9110 §15.4.4";
    304 NOT_MODIFIED "Not Modified" "RFC 9110 §15.4.5";
    307 TEMPORARY_REDIRECT "Temporary Redirect" "RFC 9110 §15.4.8";
    308 PERMANENT_REDIRECT "Permanent Redirect" "RFC 9110 §15.4.9";
    400 BAD_REQUEST "Bad Request" "RFC 9110 §15.5.1";
    401 UNAUTHORIZED "Unauthorized" "RFC 9110 §15.5.2";
    402 PAYMENT_REQUIRED "Payment Required" "RFC 9110 §15.5.3";
    403 FORBIDDEN "Forbidden" "RFC 9110 §15.5.4";
    404 NOT_FOUND "Not Found" "RFC 9110 §15.5.5";
    405 METHOD_NOT_ALLOWED "Method Not Allowed" "RFC 9110 §15.5.6";
    406 NOT_ACCEPTABLE "Not Acceptable" "RFC 9110 §15.5.7";
    407 PROXY_AUTHENTICATION_REQUIRED "Proxy Authentication Required" "RFC 9110 §15.5.8";
    408 REQUEST_TIMEOUT "Request Timeout" "RFC 9110 §15.5.9";
    409 CONFLICT "Conflict" "RFC 9110 §15.5.10";
    410 GONE "Gone" "RFC 9110 §15.5.11";
    411 LENGTH_REQUIRED "Length Required" "RFC 9110 §15.5.12";
    412 PRECONDITION_FAILED "Precondition Failed" "RFC 9110 §15.5.13";
    413 CONTENT_TOO_LARGE "Content Too Large" "RFC 9110 §15.5.14";
    414 URI_TOO_LONG "URI Too Long" "RFC 9110 §15.5.15";
    415 UNSUPPORTED_MEDIA_TYPE "Unsupported Media Type" "RFC 9110 §15.5.16";
    416 RANGE_NOT_SATISFIABLE "Range Not Satisfiable" "RFC 9110 §15.5.17";
    417 EXPECTATION_FAILED "Expectation Failed" "RFC 9110 §15.5.18";
    421 MISDIRECTED_REQUEST "Misdirected Request" "RFC 9110 §15.5.20";
    422 UNPROCESSABLE_CONTENT "Unprocessable Content" "RFC 9110 §15.5.21";
    425 TOO_EARLY "Too Early" "RFC 8470 §5.2";
    426 UPGRADE_REQUIRED "Upgrade Required" "RFC 9110 §15.5.22";
    428 PRECONDITION_REQUIRED "Precondition Required" "RFC 6585 §3";
    429 TOO_MANY_REQUESTS "Too Many Requests" "RFC 6585 §4";
    431 REQUEST_HEADER_FIELDS_TOO_LARGE "Request Header Fields Too Large" "RFC 6585 §5";
    451 UNAVAILABLE_FOR_LEGAL_REASONS "Unavailable For Legal Reasons" "RFC 7725 §3";
    500 INTERNAL_SERVER_ERROR "Internal Server Error" "RFC 9110 §15.6.1";
    501 NOT_IMPLEMENTED "Not Implemented" "RFC 9110 §15.6.2";
    502 BAD_GATEWAY "Bad Gateway" "RFC 9110 §15.6.3";
    503 SERVICE_UNAVAILABLE "Service Unavailable" "RFC 9110 §15.6.4";
    504 GATEWAY_TIMEOUT "Gateway Timeout" "RFC 9110 §15.6.5";
    505 HTTP_VERSION_NOT_SUPPORTED "HTTP Version Not Supported" "RFC 9110 §15.6.6";
    507 INSUFFICIENT_STORAGE "Insufficient Storage" "RFC 4918 §11.5";
    511 NETWORK_AUTHENTICATION_REQUIRED "Network Authentication Required" "RFC 6585 §6";
}

impl Status {
    /// The status with this code; `None` outside 100 to 599.
    #[inline]
    pub const fn new(code: u16) -> Option<Self> {
        if code >= 100 && code <= 599 {
            Some(Self(code))
        } else {
            None
        }
    }

    /// The code as a number, 100 to 599.
    #[inline]
    pub const fn code(self) -> u16 {
        self.0
    }

    /// The code's three digits.
    #[inline]
    pub const fn digits(self) -> [u8; 3] {
        let n = self.0;
        [
            b'0' + (n / 100) as u8,
            b'0' + (n / 10 % 10) as u8,
            b'0' + (n % 10) as u8,
        ]
    }

    /// 1xx: an interim answer, a final one follows (RFC 9110 §15.2).
    #[inline]
    pub const fn is_informational(self) -> bool {
        self.0 < 200
    }

    /// 2xx (RFC 9110 §15.3).
    #[inline]
    pub const fn is_successful(self) -> bool {
        self.0 >= 200 && self.0 < 300
    }

    /// 4xx or 5xx.
    #[inline]
    pub const fn is_error(self) -> bool {
        self.0 >= 400
    }
}

/// The status code is not a number from 100 to 599 (RFC 9110 §15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a status code must be a number from 100 to 599")]
pub struct InvalidStatus;

impl TryFrom<u16> for Status {
    type Error = InvalidStatus;

    fn try_from(code: u16) -> Result<Self, InvalidStatus> {
        Self::new(code).ok_or(InvalidStatus)
    }
}

impl From<Status> for u16 {
    fn from(status: Status) -> Self {
        status.0
    }
}

/// `response.status() == 404`.
impl PartialEq<u16> for Status {
    fn eq(&self, code: &u16) -> bool {
        self.0 == *code
    }
}

/// Three digits, as in a status line.
impl FromStr for Status {
    type Err = InvalidStatus;

    fn from_str(text: &str) -> Result<Self, InvalidStatus> {
        if text.len() != 3 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(InvalidStatus);
        }
        text.parse().ok().and_then(Self::new).ok_or(InvalidStatus)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        match self.reason() {
            "" => Ok(()),
            reason => write!(f, " {reason}"),
        }
    }
}

#[cfg(test)]
mod tests;
