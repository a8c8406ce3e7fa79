//! The status of a call.

use core::fmt;

#[cfg(feature = "alloc")]
use alloc::{borrow::Cow, string::String, vec::Vec};

use crate::http;
use crate::wire::{Sink, ascii};

macro_rules! codes {
    ($($number:literal $name:ident $text:literal $doc:literal;)*) => {
        /// The code of a status: 0 to 16 (gRPC status codes).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Code {
            $(#[doc = concat!($text, ": ", $doc)] $name = $number,)*
        }

        impl Code {
            /// All codes, by number.
            pub const ALL: [Self; 17] = [$(Self::$name),*];

            /// The name in the specification: `NOT_FOUND`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

codes! {
    0 Ok "OK" "the call succeeded.";
    1 Cancelled "CANCELLED" "the call was cancelled, usually by the caller.";
    2 Unknown "UNKNOWN" "an error that says no more.";
    3 InvalidArgument "INVALID_ARGUMENT" "an argument is wrong whatever the state of the system.";
    4 DeadlineExceeded "DEADLINE_EXCEEDED" "the deadline passed before the call ended.";
    5 NotFound "NOT_FOUND" "something that was asked for is not there.";
    6 AlreadyExists "ALREADY_EXISTS" "what was to be created is there already.";
    7 PermissionDenied "PERMISSION_DENIED" "the caller may not do this.";
    8 ResourceExhausted "RESOURCE_EXHAUSTED" "a quota or a limit is used up.";
    9 FailedPrecondition "FAILED_PRECONDITION" "the system is not in the state that this needs.";
    10 Aborted "ABORTED" "a conflict with another call; a retry of the whole may help.";
    11 OutOfRange "OUT_OF_RANGE" "an argument lies past the valid range of now.";
    12 Unimplemented "UNIMPLEMENTED" "there is no such method here.";
    13 Internal "INTERNAL" "an invariant is broken.";
    14 Unavailable "UNAVAILABLE" "not now; a retry may help.";
    15 DataLoss "DATA_LOSS" "data is lost for good.";
    16 Unauthenticated "UNAUTHENTICATED" "the caller has no valid credentials.";
}

impl Code {
    /// The number of the code, 0 to 16.
    #[inline]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The code with this number; numbers beyond 16 are
    /// [`Unknown`](Self::Unknown), as the specification has it for codes that
    /// one does not know.
    #[inline]
    pub fn from_number(number: u64) -> Self {
        let code = usize::try_from(number).ok().and_then(|n| Self::ALL.get(n));
        code.copied().unwrap_or(Self::Unknown)
    }

    /// The value of a `grpc-status` field; `None` unless it is a number.
    #[inline]
    pub fn parse(value: &[u8]) -> Option<Self> {
        // A number beyond 64 bits is still a number.
        if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
            return None;
        }
        Some(Self::from_number(
            ascii::parse_decimal(value).unwrap_or(u64::MAX),
        ))
    }

    /// The code's digits, as `grpc-status` has them.
    pub const fn digits(self) -> &'static str {
        const DIGITS: [&str; 17] = [
            "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15",
            "16",
        ];
        DIGITS[self as usize] // 0 to 16
    }

    /// The code of a response that has this HTTP status and no `grpc-status`
    /// (gRPC HTTP status mapping).
    pub const fn from_http(status: http::Status) -> Self {
        match status.code() {
            400 => Self::Internal,
            401 => Self::Unauthenticated,
            403 => Self::PermissionDenied,
            404 => Self::Unimplemented,
            429 | 502 | 503 | 504 => Self::Unavailable,
            _ => Self::Unknown,
        }
    }

    /// The HTTP status that tells the same to a client which is not gRPC's.
    pub const fn to_http(self) -> http::Status {
        match self {
            Self::Ok => http::Status::OK,
            Self::InvalidArgument | Self::FailedPrecondition | Self::OutOfRange => {
                http::Status::BAD_REQUEST
            }
            Self::Unauthenticated => http::Status::UNAUTHORIZED,
            Self::PermissionDenied => http::Status::FORBIDDEN,
            Self::NotFound => http::Status::NOT_FOUND,
            Self::AlreadyExists | Self::Aborted => http::Status::CONFLICT,
            Self::ResourceExhausted => http::Status::TOO_MANY_REQUESTS,
            Self::Unimplemented => http::Status::NOT_IMPLEMENTED,
            Self::Unavailable => http::Status::SERVICE_UNAVAILABLE,
            Self::DeadlineExceeded => http::Status::GATEWAY_TIMEOUT,
            Self::Cancelled | Self::Unknown | Self::Internal | Self::DataLoss => {
                http::Status::INTERNAL_SERVER_ERROR
            }
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How a call ended: the code, and a message for developers.
///
/// The message is any text type: constant by default, borrowed or owned.
///
/// ```
/// use barewire::grpc::{Code, Status};
///
/// let constant: Status = Status::new(Code::NotFound, "no such user");
/// let owned = Status::new(Code::NotFound, format!("no user {}", 7));
/// assert_eq!(owned.to_string(), "NOT_FOUND: no user 7");
/// assert_eq!(Status::OK.message, "");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Status<M = &'static str> {
    /// The code.
    pub code: Code,
    /// The message: any text, percent-encoded on the wire.
    pub message: M,
}

impl Status {
    /// Success.
    pub const OK: Self = Self::new(Code::Ok, "");
}

impl<M> Status<M> {
    /// A status with a message.
    #[inline]
    pub const fn new(code: Code, message: M) -> Self {
        Self { code, message }
    }
}

impl<M: AsRef<str>> Status<M> {
    /// The status with its message borrowed.
    #[inline]
    pub fn as_ref(&self) -> Status<&str> {
        Status::new(self.code, self.message.as_ref())
    }
}

impl<M: AsRef<str>> fmt::Display for Status<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message.as_ref() {
            "" => write!(f, "{}", self.code),
            message => write!(f, "{}: {message}", self.code),
        }
    }
}

impl<M: AsRef<str> + fmt::Debug> core::error::Error for Status<M> {}

/// Appends `message` as the value of `grpc-message`: `%XX` for each byte that
/// is not printable ASCII, and for `%` (gRPC over HTTP2, Percent-Encoded).
///
/// ```
/// let mut out = Vec::new();
/// barewire::grpc::percent_encode("50 % ☺", &mut out);
/// assert_eq!(out, b"50 %25 %E2%98%BA");
/// ```
pub fn percent_encode(message: &str, out: &mut impl Sink) {
    for_each_encoded(message, &mut |part| out.put(part));
}

/// Gives the percent-encoded pieces of `message` to `put`.
pub(super) fn for_each_encoded(message: &str, put: &mut impl FnMut(&[u8])) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut rest = message.as_bytes();
    while !rest.is_empty() {
        let plain = rest.iter().position(|&b| !is_plain(b));
        let (before, from) = rest.split_at(plain.unwrap_or(rest.len()));
        put(before);
        let Some((&b, after)) = from.split_first() else {
            return;
        };
        let [high, low] = [b >> 4, b & 15].map(|digit| DIGITS[digit as usize]); // < 16
        put(&[b'%', high, low]);
        rest = after;
    }
}

const fn is_plain(b: u8) -> bool {
    matches!(b, b' '..=b'~') && b != b'%'
}

/// Decodes the value of `grpc-message`. A `%` without two hexadecimal digits
/// stands for itself, and what is not UTF-8 then becomes U+FFFD: a status is
/// never lost to its message (gRPC over HTTP2, Percent-Encoded). Borrows where
/// there is nothing to decode.
///
/// ```
/// use barewire::grpc::percent_decode;
///
/// assert_eq!(percent_decode(b"50 %25 %E2%98%BA"), "50 % ☺");
/// assert_eq!(percent_decode(b"50 %"), "50 %");
/// ```
#[cfg(feature = "alloc")]
pub fn percent_decode(value: &[u8]) -> Cow<'_, str> {
    if !value.contains(&b'%') {
        return String::from_utf8_lossy(value);
    }
    let mut octets = Vec::with_capacity(value.len());
    let mut rest = value;
    while let [b, after @ ..] = rest {
        let escape = match after {
            [high, low, ..] if *b == b'%' => ascii::hex_digit(*high).zip(ascii::hex_digit(*low)),
            _ => None,
        };
        let (octet, width) = match escape {
            Some((high, low)) => (high << 4 | low, 2),
            None => (*b, 0),
        };
        octets.push(octet);
        rest = after.get(width..).unwrap_or_default();
    }
    Cow::Owned(String::from_utf8_lossy(&octets).into_owned())
}
