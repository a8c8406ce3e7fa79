//! What an HTTP/1.1 peer may cost.

use core::time::Duration;

/// The limits that a [`Connection`](super::Connection) judges its peer by. One
/// value serves a whole listener; it is lent to every call.
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
    /// A body that nobody wants and that is read and discarded to keep the
    /// connection. Stops peers that make us read for nothing: with a longer
    /// body the answer says `Connection: close`, and chunks that turn out
    /// longer end the connection behind it. Also the longest body that
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

    /// The same with another [`head`](Self::head).
    #[must_use]
    pub const fn with_head(mut self, bytes: u32) -> Self {
        self.head = bytes;
        self
    }

    /// The same with another number of [`fields`](Self::fields).
    #[must_use]
    pub const fn with_fields(mut self, count: u16) -> Self {
        self.fields = count;
        self
    }

    /// The same with another [`target`](Self::target).
    #[must_use]
    pub const fn with_target(mut self, bytes: u32) -> Self {
        self.target = bytes;
        self
    }

    /// The same with or without [`strict_target`](Self::strict_target).
    #[must_use]
    pub const fn with_strict_target(mut self, strict: bool) -> Self {
        self.strict_target = strict;
        self
    }

    /// The same with other [`chunk_extensions`](Self::chunk_extensions).
    #[must_use]
    pub const fn with_chunk_extensions(mut self, bytes: u32) -> Self {
        self.chunk_extensions = bytes;
        self
    }

    /// The same with other [`trailers`](Self::trailers).
    #[must_use]
    pub const fn with_trailers(mut self, bytes: u32) -> Self {
        self.trailers = bytes;
        self
    }

    /// The same with another [`drain`](Self::drain).
    #[must_use]
    pub const fn with_drain(mut self, bytes: u64) -> Self {
        self.drain = bytes;
        self
    }

    /// The same with another [`head_timeout`](Self::head_timeout).
    #[must_use]
    pub const fn with_head_timeout(mut self, time: Duration) -> Self {
        self.head_timeout = time;
        self
    }

    /// The same with another [`idle_timeout`](Self::idle_timeout).
    #[must_use]
    pub const fn with_idle_timeout(mut self, time: Duration) -> Self {
        self.idle_timeout = time;
        self
    }

    /// The same with another [`response_timeout`](Self::response_timeout).
    #[must_use]
    pub const fn with_response_timeout(mut self, time: Duration) -> Self {
        self.response_timeout = time;
        self
    }

    /// The same with another [`body_rate`](Self::body_rate).
    #[must_use]
    pub const fn with_body_rate(mut self, bytes_per_second: u32) -> Self {
        self.body_rate = bytes_per_second;
        self
    }

    /// The same with another [`body_grace`](Self::body_grace).
    #[must_use]
    pub const fn with_body_grace(mut self, time: Duration) -> Self {
        self.body_grace = time;
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
