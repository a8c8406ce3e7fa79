//! The limits of what an HTTP/1.1 peer may cost.

use core::time::Duration;

use crate::wire::setters;

/// The limits that the peer of a [`Connection`](super::Connection) is subject to.
/// One value serves a whole listener; it is lent to every call.
///
/// Each number names the attack it stops and what the peer sees. Sizes are in
/// bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A whole head, from its first byte to the empty line that ends it; also
    /// each head of a client's responses. Stops heads without end that fill
    /// the read buffer. The peer sees 431, or 414 if the request line alone is
    /// that long. Default 16 KiB.
    pub head: u32,
    /// Fields in a head, and again in a trailer section. Stops floods of tiny
    /// fields, each of which costs more to handle than to send. The scratch's
    /// own length is a limit beside it. The peer sees 431. Default 100.
    pub fields: u16,
    /// A request target. Stops targets that routers and logs choke on. The
    /// peer sees 414. Default 8 KiB.
    pub target: u32,
    /// Takes request targets of RFC 3986 alone, without what browsers send beyond
    /// it ([`Target::is_rfc3986`](crate::http::Target::is_rfc3986)). For servers
    /// in front of others that are confused by it. The peer sees 400. Default
    /// false.
    pub strict_target: bool,
    /// All chunk extensions of one body together, white space before them
    /// included. Stops bodies that are nothing but ignored extensions
    /// (RFC 9112 §7.1.1). The peer sees 400. Default 1 KiB.
    pub chunk_extensions: u32,
    /// A trailer section. Stops trailers without end. The peer sees 431.
    /// Default 8 KiB.
    pub trailers: u32,
    /// The longest body that is not wanted and is still read and discarded, to keep
    /// the connection. Stops peers that make us read for nothing: with a longer
    /// body the answer says `Connection: close`, and chunks that turn out
    /// longer end the connection after it. Also the longest body that
    /// comes as [`Content::Whole`](crate::http::Content::Whole), so that the
    /// fate of the connection does not depend on how the bytes were cut.
    /// Default 64 KiB.
    pub drain: u64,
    /// From a head's first byte to its last; for a first request from the
    /// start of the connection. Stops heads that trickle in (Slowloris). The
    /// peer sees 408, or an end without an answer if it sent nothing. Default
    /// 10 s.
    pub head_timeout: Duration,
    /// From the end of one exchange to the first byte of the next. Stops idle
    /// connections from piling up. The peer sees the connection closed.
    /// Default 60 s.
    pub idle_timeout: Duration,
    /// From the end of a client's request to the head of its response. Stops
    /// servers that never answer. Default 60 s.
    pub response_timeout: Duration,
    /// The slowest average pace of a body in bytes a second; 0 for none. Stops
    /// bodies that trickle in (R.U.D.Y.). The peer sees 408. Default 500.
    pub body_rate: u32,
    /// How far a body may fall behind its pace, and thus also the longest
    /// silence in the middle of one. Default 10 s.
    pub body_grace: Duration,
}

impl Limits {
    /// Limits that are safe on the open internet.
    pub const DEFAULT: Self = Self {
        head: 16 << 10,
        fields: 100,
        target: 8 << 10,
        strict_target: false,
        chunk_extensions: 1 << 10,
        trailers: 8 << 10,
        drain: 64 << 10,
        head_timeout: Duration::from_secs(10),
        idle_timeout: Duration::from_secs(60),
        response_timeout: Duration::from_secs(60),
        body_rate: 500,
        body_grace: Duration::from_secs(10),
    };

    setters! {
        with_head head: u32,
        with_fields fields: u16,
        with_target target: u32,
        with_strict_target strict_target: bool,
        with_chunk_extensions chunk_extensions: u32,
        with_trailers trailers: u32,
        with_drain drain: u64,
        with_head_timeout head_timeout: Duration,
        with_idle_timeout idle_timeout: Duration,
        with_response_timeout response_timeout: Duration,
        with_body_rate body_rate: u32,
        with_body_grace body_grace: Duration,
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
