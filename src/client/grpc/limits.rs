//! The limits of a channel.

use core::time::Duration;

use crate::wire::{Rate, setters};
use crate::{grpc, http1, http2, link};

/// Streams that a server resets cost us what we have asked for ourselves.
const NO_RATE: Rate = Rate {
    burst: 1 << 30,
    per_second: 1 << 30,
};

/// How long a connection of HTTP/1.1 is at rest.
const HTTP1_IDLE: Duration = Duration::from_secs(4);

/// How often the time between pings is doubled at most.
const SLOWED: u32 = 10;

/// The limits of one channel.
///
/// Sizes are in bytes. What the server is told in SETTINGS is taken from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelLimits {
    /// One message of a response, checked at its prefix. Stops servers that announce
    /// more than we want to hold: the call ends with RESOURCE_EXHAUSTED and RST_STREAM.
    /// Default 4 MiB.
    pub message: usize,
    /// The fields of a response's head, or of its trailers, counted with 32 bytes a
    /// field. The call ends with RESOURCE_EXHAUSTED. Default 16 KiB.
    pub metadata: u32,
    /// How many fields that may be. The call ends with RESOURCE_EXHAUSTED. Default 100.
    pub fields: u16,
    /// Bytes that a server may send on one call before the application has taken it,
    /// apart from one unfinished message. The server must wait. Default 256 KiB.
    pub window: u32,
    /// Calls at one time, those included that wait for a stream or a connection. A
    /// further one ends with RESOURCE_EXHAUSTED. Default 10,000.
    pub calls: usize,
    /// Bytes of a call that may wait to be sent before its sender is told to wait,
    /// after those that wait on its stream
    /// ([`net::Limits::backlog_high`](crate::net::Limits::backlog_high)). One message
    /// is taken whatever its size. Default 64 KiB.
    pub unsent: usize,
    /// Bytes of a call that are kept after they were sent, so that a call which no
    /// server has looked at can be sent again. Beyond it the call ends with
    /// UNAVAILABLE instead. Default 256 KiB.
    pub replay: usize,
    /// Connections at one time over HTTP/1.1, where each carries one call. Further calls
    /// wait until one is free. Stops a burst of calls from taking all sockets. Default 64.
    pub connections: usize,
    /// From the connection's beginning to the server's SETTINGS. Default 10 s.
    pub greeting: Duration,
    /// How long the connection lives on which there is no call. Over HTTP/1.1 that is 4 s
    /// at most: servers end what is at rest, many of them after 5 s, and a call that is
    /// sent just then is lost. Default 1,800 s.
    pub idle: Duration,
    /// How long the server may be silent during a call before it is pinged. Servers
    /// end connections that are pinged more often than they allow, which is once in
    /// 300 s by default (gRPC keepalive). Default: never.
    pub keep_alive: Duration,
    /// How long the answer to that ping may take, from when the server has taken all
    /// that was sent up to it. The connection's calls end with UNAVAILABLE. Default
    /// 20 s.
    pub keep_alive_timeout: Duration,
    /// The longest time between two attempts to connect. Default 120 s.
    pub backoff: Duration,
}

impl ChannelLimits {
    /// Limits for servers that one has chosen, but does not trust.
    pub const DEFAULT: Self = Self {
        message: 4 << 20,
        metadata: 16 << 10,
        fields: 100,
        window: 256 << 10,
        calls: 10_000,
        unsent: 64 << 10,
        replay: 256 << 10,
        connections: 64,
        greeting: Duration::from_secs(10),
        idle: Duration::from_secs(1800),
        keep_alive: Duration::MAX,
        keep_alive_timeout: Duration::from_secs(20),
        backoff: Duration::from_secs(120),
    };

    setters! {
        with_message message: usize,
        with_metadata metadata: u32,
        with_fields fields: u16,
        with_window window: u32,
        with_calls calls: usize,
        with_unsent unsent: usize,
        with_replay replay: usize,
        with_connections connections: usize,
        with_greeting greeting: Duration,
        with_idle idle: Duration,
        with_keep_alive keep_alive: Duration,
        with_keep_alive_timeout keep_alive_timeout: Duration,
        with_backoff backoff: Duration,
    }

    /// The limits of a connection, after servers have asked `slowed` times for half
    /// the pings.
    pub(super) fn link(&self, slowed: u32) -> link::Limits {
        let times = 1 << slowed.min(SLOWED);
        let http2 = http2::Limits {
            stream_window: self.window,
            // Calls whose messages nobody takes must not hold up the others; each
            // of them is held back by its own window.
            connection_window: (1 << 31) - 1,
            header_list: self.metadata,
            fields: self.fields,
            reset_rate: NO_RATE,
            error_rate: NO_RATE,
            header_timeout: self.greeting,
            settings_timeout: self.greeting,
            idle_timeout: self.idle,
            // A call's deadline decides how long it may stand still.
            stall_timeout: Duration::MAX,
            ping_interval: self.keep_alive.saturating_mul(times),
            ping_timeout: self.keep_alive_timeout,
            ..http2::Limits::DEFAULT
        };
        let http1 = http1::Limits {
            head: self.metadata,
            fields: self.fields,
            trailers: self.metadata,
            idle_timeout: self.idle.min(HTTP1_IDLE),
            // As above.
            head_timeout: Duration::MAX,
            response_timeout: Duration::MAX,
            body_rate: 0,
            ..http1::Limits::DEFAULT
        };
        link::Limits::DEFAULT.with_http1(http1).with_http2(http2)
    }

    /// The limits of connections: one for each number of times that servers may
    /// have asked for fewer pings.
    pub(super) fn links(self) -> impl Iterator<Item = link::Limits> {
        let most = match self.keep_alive {
            Duration::MAX => 0, // nobody is pinged
            _ => SLOWED,
        };
        (0..=most).map(move |slowed| self.link(slowed))
    }

    /// The limits of the bodies of responses.
    pub(super) const fn grpc(&self) -> grpc::Limits {
        grpc::Limits::DEFAULT.with_message(self.message)
    }
}

impl Default for ChannelLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
