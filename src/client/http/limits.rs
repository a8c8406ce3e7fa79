//! The limits of an HTTP client.

use core::time::Duration;

use crate::coding::decode::DecodeLimits;
use crate::http::{Field, Fields, Version};
use crate::wire::setters;
use crate::{http1, http2, link};

/// Limits on what a server may cost a client, and on how long it may take.
///
/// Sizes are in bytes. A time of [`Duration::MAX`] is never over. The limits of a client
/// hold for all its requests. `RequestBuilder::limits` replaces them for one request, with
/// two exceptions. Of `head`, `fields` and `informational` the lower value applies, as a
/// connection has those of its client. `dns_cache_time`, and those of the pool and of
/// connections, stay the client's: all from `connections` to `http2_window`.
///
/// ```
/// use barewire::client::{Client, ClientLimits, ClientOptions};
/// use std::time::Duration;
///
/// let limits = ClientLimits::DEFAULT
///     .with_connect_time(Duration::from_secs(2))
///     .with_total_time(Duration::from_secs(10));
/// let client = Client::with(ClientOptions::new().limits(limits))?;
/// # Ok::<(), barewire::client::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientLimits {
    /// The head of a response, and of each interim one. Stops heads without end. The
    /// request fails. Default 64 KiB.
    pub head: u32,
    /// The fields in a head, and again in trailers. Stops floods of tiny fields. The
    /// request fails. Default 200.
    pub fields: u16,
    /// Interim responses (1xx) to one request. Stops servers that never come to the
    /// final one. The request fails. Default 16.
    pub informational: u16,
    /// A body that is received as a whole: `text`, `bytes` and `json` of a response.
    /// Stops bodies that fill the memory. Reading it fails. Default 64 MiB.
    pub collected: u64,
    /// A body that is decoded by its Content-Encoding, after each coding, however it is
    /// read. Stops decompression bombs. Reading it fails. Default 1 GiB.
    pub decoded: u64,
    /// Content codings that lie on each other (`Content-Encoding: gzip, deflate`), of which
    /// each multiplies. Stops nested decompression bombs. The request fails. Default 3.
    pub codings: u8,
    /// How far back a coding may refer to what it has brought, which is kept so long: gzip
    /// and deflate 32 KiB, zstd and br as the body says. A response with a coding that needs
    /// more fails, br once it has brought so much. Default 8 MiB (RFC 9659).
    pub decoding_window: u32,
    /// Members of a gzip body, and frames of zstd, without content that follow each other. Stops bodies of
    /// nothing, which cost time. Reading it fails. Default 64.
    pub empty_members: u16,
    /// Bytes still received of an unwanted body, to keep the connection. A connection
    /// with more to come is closed. Default 64 KiB.
    pub drain: u64,
    /// How long the end of such a body is waited for, where its announced length is within
    /// `drain`, or the status is an error: opening a connection takes longer. Default 50 ms.
    pub drain_time: Duration,
    /// How often a request goes again that no server has looked at: its connection broke
    /// before a byte of it was taken, or its server says so (REFUSED_STREAM, GOAWAY). The
    /// first time is immediately, the next ones after pauses, drawn up to 10 ms, 20 ms and
    /// so on, at most a second. Stops servers that refuse for ever. The request fails.
    /// Default 10.
    pub unseen_attempts: u16,
    /// Resolving a name. Default 10 s.
    pub resolve_time: Duration,
    /// Connecting to a server or proxy, all its addresses together. Default 10 s.
    pub connect_time: Duration,
    /// How long an attempt to connect has before the server's next address is tried
    /// beside it (RFC 8305 §5). Default 250 ms.
    pub attempt_delay: Duration,
    /// How long the addresses of a name are kept. Default 10 s.
    pub dns_cache_time: Duration,
    /// The handshake of TLS, and what is said to a proxy. Default 10 s.
    pub handshake_time: Duration,
    /// How long the system may take nothing of a request at all. Stops servers that do not
    /// read. Default 60 s.
    pub head_time: Duration,
    /// How long the system may take nothing further of a request while some is left to
    /// send. Stops servers that do not read the body. Default 60 s.
    pub send_time: Duration,
    /// From the end of a request to the head of its response. Stops servers that never
    /// answer. Default 60 s.
    pub response_time: Duration,
    /// Between two pieces of a response's body, while the caller waits for one. Stops
    /// servers that fall silent. Default 60 s.
    pub silence_time: Duration,
    /// The whole call, from `send` to the last byte of the body, with everything that it
    /// takes: connections, redirects, further attempts. Default: never over.
    pub total_time: Duration,
    /// How long a body is held back for `100 Continue`, where the request expects that.
    /// Then it is sent all the same (RFC 9110 §10.1.1). Default 1 s.
    pub continue_time: Duration,
    /// Connections at one time, those at rest included. A further request closes one at
    /// rest, or waits. Default 1,024.
    pub connections: usize,
    /// Connections to one origin at one time. A further request waits. Default 256.
    pub connections_per_origin: usize,
    /// Connections to one origin that are kept at rest. Default 64.
    pub idle: usize,
    /// How long a connection is kept at rest. Default 60 s.
    pub idle_time: Duration,
    /// How long a connection may have been at rest to be used for a request that must
    /// not be sent twice. Servers close connections at rest, and what is sent just then
    /// may have been acted on or not. Default 5 s.
    pub unrepeatable_idle_time: Duration,
    /// How old a connection may be to be used again. Default: any age.
    pub connection_age: Duration,
    /// Connections of HTTP/2 to one origin at one time. Requests share one; a further one
    /// is opened when no more streams are allowed on those there are, up to this many.
    /// Then requests wait. Default 1 (RFC 9113 §9.1).
    pub http2_connections: usize,
    /// Requests on one connection of HTTP/2 at one time, where its server allows more.
    /// Default 128.
    pub http2_streams: u32,
    /// The body of one response over HTTP/2 that is received and not taken yet. The
    /// server waits with the rest. Together with `http2_streams` it bounds what a
    /// connection holds. Default 256 KiB.
    pub http2_window: u32,
}

impl ClientLimits {
    /// Limits for servers that one has chosen, but does not trust.
    pub const DEFAULT: Self = Self {
        head: 64 << 10,
        fields: 200,
        informational: 16,
        collected: 64 << 20,
        decoded: 1 << 30,
        codings: 3,
        decoding_window: 8 << 20,
        empty_members: 64,
        drain: 64 << 10,
        drain_time: Duration::from_millis(50),
        unseen_attempts: 10,
        resolve_time: Duration::from_secs(10),
        connect_time: Duration::from_secs(10),
        attempt_delay: Duration::from_millis(250),
        dns_cache_time: Duration::from_secs(10),
        handshake_time: Duration::from_secs(10),
        head_time: Duration::from_secs(60),
        send_time: Duration::from_secs(60),
        response_time: Duration::from_secs(60),
        silence_time: Duration::from_secs(60),
        total_time: Duration::MAX,
        continue_time: Duration::from_secs(1),
        connections: 1024,
        connections_per_origin: 256,
        idle: 64,
        idle_time: Duration::from_secs(60),
        unrepeatable_idle_time: Duration::from_secs(5),
        connection_age: Duration::MAX,
        http2_connections: 1,
        http2_streams: 128,
        http2_window: 256 << 10,
    };

    setters! {
        with_head head: u32,
        with_fields fields: u16,
        with_informational informational: u16,
        with_collected collected: u64,
        with_decoded decoded: u64,
        with_codings codings: u8,
        with_decoding_window decoding_window: u32,
        with_empty_members empty_members: u16,
        with_drain drain: u64,
        with_drain_time drain_time: Duration,
        with_unseen_attempts unseen_attempts: u16,
        with_resolve_time resolve_time: Duration,
        with_connect_time connect_time: Duration,
        with_attempt_delay attempt_delay: Duration,
        with_dns_cache_time dns_cache_time: Duration,
        with_handshake_time handshake_time: Duration,
        with_head_time head_time: Duration,
        with_send_time send_time: Duration,
        with_response_time response_time: Duration,
        with_silence_time silence_time: Duration,
        with_total_time total_time: Duration,
        with_continue_time continue_time: Duration,
        with_connections connections: usize,
        with_connections_per_origin connections_per_origin: usize,
        with_idle idle: usize,
        with_idle_time idle_time: Duration,
        with_unrepeatable_idle_time unrepeatable_idle_time: Duration,
        with_connection_age connection_age: Duration,
        with_http2_connections http2_connections: usize,
        with_http2_streams http2_streams: u32,
        with_http2_window http2_window: u32,
    }

    /// These limits for one request of a client with the limits `client`.
    pub(super) fn below(&self, client: &Self) -> Self {
        Self {
            head: self.head.min(client.head),
            fields: self.fields.min(client.fields),
            informational: self.informational.min(client.informational),
            ..*self
        }
    }

    pub(super) const fn decoding(&self) -> DecodeLimits {
        DecodeLimits {
            codings: self.codings,
            decoded: self.decoded,
            window: self.decoding_window,
            empty: self.empty_members,
        }
    }

    pub(super) fn exceeded(&self, fields: Fields<'_>, version: Version) -> Option<&'static str> {
        if fields.len() > usize::from(self.fields) {
            return Some("fields");
        }
        let extra = match version {
            Version::Http2 => 32, // RFC 9113 §6.5.2
            Version::Http10 | Version::Http11 => 4,
        };
        let size = |it: Field<'_>| it.name.len() + it.value.len() + extra;
        let size: usize = fields.iter().map(size).sum();
        (size > self.head as usize).then_some("head")
    }

    /// A connection's limits. Calls bound how long anything takes.
    pub(super) fn link(&self) -> link::Limits {
        let http1 = http1::Limits {
            head: self.head,
            fields: self.fields,
            trailers: self.head,
            idle_timeout: Duration::MAX,
            head_timeout: Duration::MAX,
            response_timeout: Duration::MAX,
            body_rate: 0,
            ..http1::Limits::DEFAULT
        };
        // Twice what all streams can hold: as long as half of it is free, it is not given
        // back, and no stream waits for room that another's reader holds.
        let all = u64::from(self.http2_window) * u64::from(self.http2_streams.max(1)) * 2;
        let http2 = http2::Limits {
            header_list: self.head,
            fields: self.fields,
            stream_window: self.http2_window,
            connection_window: u32::try_from(all)
                .unwrap_or(u32::MAX)
                .clamp(65_535, 0x7fff_ffff),
            idle_timeout: Duration::MAX,
            stall_timeout: Duration::MAX,
            ..http2::Limits::DEFAULT
        };
        link::Limits::DEFAULT.with_http1(http1).with_http2(http2)
    }
}

impl Default for ClientLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
