//! The query of a call by GET.
//!
//! ```text
//!  ?connect=v1&base64=1&compression=gzip&encoding=proto&message=CgNCdWY
//! ```

use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE_NO_PAD, URL_SAFE_NO_PAD_INDIFFERENT};

use crate::grpc::Encoding;
use crate::http::target::{Plus, percent_decode};

/// A call by GET, as its query tells it (Connect, Unary-Get-Request).
///
/// ```
/// use barewire::grpc::connect::Query;
///
/// let query = Query::parse("message=%7B%7D&encoding=json&connect=v1&page=2").unwrap();
/// assert_eq!((&*query.codec, &*query.message), ("json", &b"{}"[..]));
/// assert!(query.is_versioned && query.encoding.is_some());
///
/// let mut out = String::new();
/// query.write(&mut out);
/// assert_eq!(out, "connect=v1&encoding=json&message=%7B%7D");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The codec: `encoding`.
    pub codec: String,
    /// The message, as it is encoded and compressed.
    pub message: Vec<u8>,
    /// How it is compressed: `compression`; `None` in a way that this build does not read.
    pub encoding: Option<Encoding>,
    /// Whether it says `connect=v1`.
    pub is_versioned: bool,
}

/// A query that is no call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidQuery {
    /// It names no codec.
    #[error("no encoding in the query (Connect, Encoding-Query)")]
    NoEncoding,
    /// It has no message.
    #[error("no message in the query (Connect, Message-Query)")]
    NoMessage,
    /// Its message is not base64, although it says so.
    #[error("message in the query is not base64 (RFC 4648 section 5)")]
    InvalidBase64,
    /// It is not percent-encoded UTF-8.
    #[error("query is not percent-encoded UTF-8 (Connect, Message-Query)")]
    Escape,
    /// It is of another version of the protocol.
    #[error("version in the query is not v1 (Connect, Connect-Version-Query)")]
    Version,
}

impl Query {
    /// Reads a query, without its `?`. Parameters come in any order, and those that are
    /// unknown do not matter; of several of one name the first counts.
    ///
    /// # Errors
    /// [`InvalidQuery`]: the call ends with INVALID_ARGUMENT.
    pub fn parse(query: &str) -> Result<Self, InvalidQuery> {
        let value = |wanted: &str| {
            let parameters = query
                .split('&')
                .map(|it| it.split_once('=').unwrap_or((it, "")));
            let mut named = parameters.filter(|(name, _)| *name == wanted);
            let decode = |text| percent_decode(text, Plus::Space).ok_or(InvalidQuery::Escape);
            named.next().map(|(_, text)| decode(text)).transpose()
        };
        let is_versioned = match value("connect")?.as_deref() {
            None => false,
            Some("v1") => true,
            Some(_) => return Err(InvalidQuery::Version),
        };
        let codec = value("encoding")?.filter(|codec| !codec.is_empty());
        let codec = codec.ok_or(InvalidQuery::NoEncoding)?;
        let text = value("message")?.ok_or(InvalidQuery::NoMessage)?;
        let message = match value("base64")?.as_deref() {
            Some("1") => {
                let mut octets = alloc::vec![0; text.len() / 4 * 3 + 3];
                let len = URL_SAFE_NO_PAD_INDIFFERENT.decode_slice(&*text, &mut octets);
                octets.truncate(len.map_err(|_| InvalidQuery::InvalidBase64)?);
                octets
            }
            Some(_) | None => text.into_owned().into_bytes(),
        };
        let encoding = match value("compression")?.as_deref() {
            None | Some("") => Some(Encoding::Identity),
            Some(name) => Encoding::parse(name.as_bytes()),
        };
        Ok(Self {
            codec: codec.into_owned(),
            message,
            encoding,
            is_versioned,
        })
    }

    /// Appends the query, its parameters in the order that serves caches best. JSON that is
    /// not compressed is percent-encoded, everything else base64.
    pub fn write(&self, out: &mut String) {
        if self.is_versioned {
            out.push_str("connect=v1&");
        }
        let encoding = self.encoding.unwrap_or_default();
        let is_text = self.codec == "json" && encoding == Encoding::Identity;
        let text = core::str::from_utf8(&self.message).ok().filter(|_| is_text);
        if text.is_none() {
            out.push_str("base64=1&");
        }
        if encoding != Encoding::Identity {
            out.push_str("compression=");
            out.push_str(encoding.name());
            out.push('&');
        }
        out.push_str("encoding=");
        put_escaped(&self.codec, out);
        out.push_str("&message=");
        match text {
            Some(text) => put_escaped(text, out),
            None => {
                let mut octets = alloc::vec![0; self.message.len().div_ceil(3) * 4];
                let len = URL_SAFE_NO_PAD.encode_slice(&self.message, &mut octets);
                octets.truncate(len.unwrap_or(0)); // four for three fit
                out.push_str(core::str::from_utf8(&octets).unwrap_or_default()); // ASCII
            }
        }
    }
}

/// Appends what may stand in a query as it is, and all else as `%XX` (RFC 3986 §2.3).
fn put_escaped(text: &str, out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in text.as_bytes() {
        match byte {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            _ => {
                let [high, low] = [byte >> 4, byte & 15].map(|digit| DIGITS[digit as usize]); // < 16
                out.extend(['%', char::from(high), char::from(low)]);
            }
        }
    }
}

#[cfg(test)]
mod tests;
