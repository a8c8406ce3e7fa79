//! The counters of a loop.

/// Counts of one loop since it began. Read them with
/// [`Context::counters`](super::Context::counters).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Counters {
    /// Connections accepted.
    pub accepted: u64,
    /// Connections refused by a cap.
    pub refused: u64,
    /// Times that accepting paused because the system was out of descriptors
    /// or memory.
    pub accept_pauses: u64,
    /// Connections dialled with success.
    pub dialled: u64,
    /// Connections open now.
    pub active: u64,
    /// Bytes read.
    pub bytes_in: u64,
    /// Bytes written.
    pub bytes_out: u64,
    /// Peers that broke a protocol.
    pub violations: u64,
    /// Connections ended because the peer took nothing.
    pub stalled: u64,
    /// Handlers that panicked.
    pub panics: u64,
    /// Connections from proxies without a readable PROXY protocol header.
    pub proxy_faults: u64,
    /// Connections whose transport could not go on: a handshake that failed, bytes
    /// that cannot be opened.
    pub transport_faults: u64,
    /// Times that a share of timers, sessions or memberships was used up.
    pub exhausted: u64,
    /// Published messages lost because the mailbox was full.
    pub lost_publishes: u64,
    /// Replies lost because the mailbox was full of replies.
    pub lost_replies: u64,
}
