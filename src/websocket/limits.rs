//! The limits of what a WebSocket peer may cost.

use core::time::Duration;

use crate::wire::{Rate, setters};

/// The limits of one listener or dialler, lent to its connections.
///
/// A duration of about 49 days (2³² ms) or more means *never*.
///
/// ```
/// use barewire::websocket::Limits;
///
/// let limits = Limits::DEFAULT.with_message(64 * 1024);
/// assert_eq!(limits.message, 65_536);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of payload in one frame; judged on the frame head, before any of
    /// the payload has arrived.
    ///
    /// Stops: a head that announces 2⁶³ bytes. The peer sees: 1009.
    pub frame: u64,
    /// Bytes of payload in one message, over all its fragments; judged on each
    /// frame head. Of a compressed message it counts the bytes that it inflates to, and
    /// is met at the first one too many, before memory is taken for it; what arrives may
    /// be longer by a sixteenth, as not everything can be compressed. Holds in streaming mode too. A message that is held whole
    /// has at most 2 GiB - 1 bytes, whatever is set here.
    ///
    /// Stops: small fragments without an end. The peer sees: 1009.
    pub message: u64,
    /// How many times as long as it arrives a compressed message may become, beyond the
    /// first 4 KiB: at most about 1,030 times is possible. `u32::MAX`, the default, is
    /// any: the limit of a message holds all the same.
    ///
    /// Stops: messages that are nothing but work. The peer sees: 1009.
    pub inflate_ratio: u32,
    /// Final blocks in one compressed message. Most senders write none.
    ///
    /// Stops: messages of nothing else, each of which has inflating begin anew. The peer
    /// sees: 1008.
    pub final_blocks: u32,
    /// Time without a message in either direction, after which what was sent is
    /// forgotten: the next message that is compressed refers to nothing before it.
    ///
    /// Saves: the memory that a sleeping connection needs to refer to earlier messages.
    /// The peer sees nothing of it.
    pub deflate_idle: Duration,
    /// Frames that one message may be cut into.
    ///
    /// Stops: empty fragments without an end, which no limit of bytes catches.
    /// The peer sees: 1008.
    pub fragments: u32,
    /// From the first frame head of a message to its last byte, where these do
    /// not arrive together.
    ///
    /// Holds in streaming mode too: raise it for messages that carry a stream
    /// without an end.
    ///
    /// Stops: a message that trickles in and pins its memory. The peer sees:
    /// 1008.
    pub message_timeout: Duration,
    /// Pings that the peer may send, and pongs that answer no ping of ours.
    /// For each ping that was sent one pong is free.
    ///
    /// Stops: a flood of pings, each of which costs an answer. The peer sees:
    /// 1008, after the pongs that it is owed.
    pub control_rate: Rate,
    /// Silence after which a ping is sent. Every byte that is part of a frame
    /// ends a silence.
    ///
    /// Finds: peers that are lost without a FIN or RST. The peer sees: a ping
    /// without payload.
    pub ping_interval: Duration,
    /// Further silence after that ping.
    ///
    /// Stops: dead connections that hold their memory for ever. The peer, if
    /// it lives, sees: 1011.
    pub pong_timeout: Duration,
    /// Time without a message in either direction; pings and pongs do not
    /// count. Off by default, because a silent peer that answers pings is an
    /// honest one.
    ///
    /// Stops: connections that are kept open for nothing. The peer sees: 1001.
    pub idle_timeout: Duration,
    /// From our Close frame to the peer's; a client waits as long again for
    /// the server to end the connection.
    ///
    /// Stops: a peer that never lets a closed connection go. The peer sees:
    /// the end of the transport.
    pub close_timeout: Duration,
}

impl Limits {
    /// Safe on the open internet.
    pub const DEFAULT: Self = Self {
        frame: 1024 * 1024,
        message: 1024 * 1024,
        inflate_ratio: u32::MAX,
        final_blocks: 1024,
        deflate_idle: Duration::from_secs(60),
        fragments: 65_536,
        message_timeout: Duration::from_secs(60),
        control_rate: Rate {
            burst: 256,
            per_second: 32,
        },
        ping_interval: Duration::from_secs(30),
        pong_timeout: Duration::from_secs(20),
        idle_timeout: Duration::MAX,
        close_timeout: Duration::from_secs(5),
    };

    setters! {
        with_frame frame: u64,
        /// The limit of one frame is not touched.
        with_message message: u64,
        with_inflate_ratio inflate_ratio: u32,
        with_final_blocks final_blocks: u32,
        with_deflate_idle deflate_idle: Duration,
        with_fragments fragments: u32,
        with_message_timeout message_timeout: Duration,
        with_control_rate control_rate: Rate,
        with_ping_interval ping_interval: Duration,
        with_pong_timeout pong_timeout: Duration,
        with_idle_timeout idle_timeout: Duration,
        with_close_timeout close_timeout: Duration,
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
