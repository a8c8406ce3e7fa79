//! The first lines of heads.
//!
//! ```text
//!  method SP request-target SP HTTP-version          a request's
//!  HTTP-version SP status-code SP [ reason-phrase ]  a response's
//! ```

use super::ProtocolError;
use crate::http::{Status, Version};
use crate::wire::ascii;

/// No method that is implemented anywhere is longer than this.
const LONGEST_METHOD: usize = 32;

/// The fault of a request line that has no end within the limit of a head.
#[cold]
fn fault_of_endless(line: &[u8]) -> ProtocolError {
    let method = line.iter().position(|&b| !ascii::is_tchar(b));
    match method.map(|end| (end, line.get(end))) {
        Some((1..=LONGEST_METHOD, Some(b' '))) => ProtocolError::TargetTooLong,
        Some((1.., Some(b' '))) | None => ProtocolError::MethodTooLong,
        Some(_) => ProtocolError::Method,
    }
}

/// A first line, which each kind of head has its own form of.
pub(crate) trait StartLine: Copy {
    /// The value that stands in its place before it was read.
    const EMPTY: Self;

    /// Whether a head of this kind begins with it.
    const IS_THERE: bool;

    fn parse(line: &[u8], longest_target: u32) -> Result<Self, ProtocolError>;

    /// Parses the line of a complete head; `None` unless of the usual form. Its middle may be
    /// checked later.
    fn parse_usual(line: &[u8], longest_target: u32) -> Option<Self>;

    /// The fault of a line that has no end within the limit of a head, if more can be
    /// said of it than that.
    fn fault_of_endless(_line: &[u8]) -> Option<ProtocolError> {
        None
    }
}

/// `method SP request-target SP HTTP-version` (RFC 9112 §3), as offsets: the
/// method is `[0, method_end)`, the target `[method_end + 1, target_end)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RequestLine {
    pub(crate) method_end: u32,
    pub(crate) target_end: u32,
    pub(crate) version: Version,
}

/// How `GET` and `POST` begin a line.
const GET: u32 = u32::from_le_bytes(*b"GET ");
const POST: u32 = u32::from_le_bytes(*b"POST");

impl StartLine for RequestLine {
    fn fault_of_endless(line: &[u8]) -> Option<ProtocolError> {
        Some(fault_of_endless(line))
    }

    const EMPTY: Self = Self {
        method_end: 0,
        target_end: 0,
        version: Version::Http11,
    };

    const IS_THERE: bool = true;

    fn parse(line: &[u8], longest_target: u32) -> Result<Self, ProtocolError> {
        let method_end = line.iter().position(|&b| !ascii::is_tchar(b));
        let method_end = method_end.unwrap_or(line.len());
        let rest = match line.get(method_end..) {
            Some([b' ', rest @ ..]) => rest,
            Some([_, ..]) => return Err(ProtocolError::Method),
            Some([]) | None => return Err(ProtocolError::RequestLine),
        };
        if method_end == 0 {
            return Err(ProtocolError::Method);
        }
        if method_end > LONGEST_METHOD {
            return Err(ProtocolError::MethodTooLong);
        }
        let target_len = rest.iter().position(|&b| b == b' ');
        let target_len = target_len.ok_or(ProtocolError::RequestLine)?;
        let (target, version) = rest.split_at(target_len); // found in the rest
        if target.is_empty() {
            return Err(ProtocolError::Target);
        }
        if target.len() > longest_target as usize {
            return Err(ProtocolError::TargetTooLong);
        }
        Ok(Self {
            method_end: method_end as u32,
            target_end: (method_end + 1 + target_len) as u32,
            version: version_of(version.get(1..).unwrap_or_default())?,
        })
    }

    #[inline(always)]
    fn parse_usual(line: &[u8], longest_target: u32) -> Option<Self> {
        const HTTP_1: u64 = u64::from_le_bytes(*b"HTTP/1.\0");
        let (rest, version) = line.split_last_chunk::<9>()?;
        let [b' ', version @ ..] = *version else {
            return None;
        };
        let version = match u64::from_le_bytes(version) ^ HTTP_1 {
            minor if minor == (b'1' as u64) << 56 => Version::Http11,
            minor if minor == (b'0' as u64) << 56 => Version::Http10,
            _ => return None,
        };
        let method_end = match u32::from_le_bytes(*rest.first_chunk()?) {
            GET => 3,
            POST if rest.get(4) == Some(&b' ') => 4,
            _ => method_end(rest)?,
        };
        let target_len = rest.len() - method_end - 1; // not below 0: a space is there
        (target_len > 0 && target_len <= longest_target as usize).then_some(Self {
            method_end: method_end as u32,
            target_end: rest.len() as u32,
            version,
        })
    }
}

/// Where a method ends that is a token of usual length with a space after it.
#[cold]
fn method_end(line: &[u8]) -> Option<usize> {
    let end = line.iter().position(|&b| !ascii::is_tchar(b))?;
    (matches!(end, 1..=LONGEST_METHOD) && line.get(end) == Some(&b' ')).then_some(end)
}

/// `HTTP-version SP status-code SP [ reason-phrase ]` (RFC 9112 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StatusLine {
    pub(crate) version: Version,
    pub(crate) status: Status,
}

impl StartLine for StatusLine {
    const EMPTY: Self = Self {
        version: Version::Http11,
        status: Status::OK,
    };

    const IS_THERE: bool = true;

    #[inline]
    fn parse(line: &[u8], _longest_target: u32) -> Result<Self, ProtocolError> {
        let (version, rest) = line.split_at_checked(8).ok_or(ProtocolError::StatusLine)?;
        let version = version_of(version)?;
        // The space before an empty reason is missing often enough.
        let [b' ', a, b, c, ..] = *rest else {
            return Err(ProtocolError::StatusLine);
        };
        if !matches!(rest.get(4), None | Some(b' ')) {
            return Err(ProtocolError::StatusLine);
        }
        let status = ascii::parse_decimal(&[a, b, c])
            .and_then(|code| u16::try_from(code).ok())
            .and_then(Status::new)
            .ok_or(ProtocolError::StatusLine)?;
        Ok(Self { version, status })
    }

    #[inline]
    fn parse_usual(line: &[u8], longest_target: u32) -> Option<Self> {
        Self::parse(line, longest_target).ok()
    }
}

/// A trailer section has no start line (RFC 9112 §7.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoLine;

impl StartLine for NoLine {
    const EMPTY: Self = Self;

    const IS_THERE: bool = false;

    #[inline]
    fn parse(_line: &[u8], _longest_target: u32) -> Result<Self, ProtocolError> {
        Ok(Self)
    }

    #[inline]
    fn parse_usual(_line: &[u8], _longest_target: u32) -> Option<Self> {
        Some(Self)
    }
}

/// `HTTP/1.0`, or `HTTP/1.` and a higher digit, which is spoken to as 1.1
/// (RFC 9112 §2.3, RFC 9110 §2.5).
#[inline]
fn version_of(text: &[u8]) -> Result<Version, ProtocolError> {
    match text {
        b"HTTP/1.1" => Ok(Version::Http11),
        _ => other_version(text),
    }
}

fn other_version(text: &[u8]) -> Result<Version, ProtocolError> {
    match text {
        b"HTTP/1.0" => Ok(Version::Http10),
        [
            b'H',
            b'T',
            b'T',
            b'P',
            b'/',
            major @ b'0'..=b'9',
            b'.',
            b'0'..=b'9',
        ] => {
            if *major == b'1' {
                Ok(Version::Http11)
            } else {
                Err(ProtocolError::UnsupportedVersion)
            }
        }
        _ => Err(ProtocolError::Version),
    }
}

#[cfg(test)]
mod tests;
