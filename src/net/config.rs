//! The limits of a loop.

use core::time::Duration;

use super::{Error, Share, Slab};
use crate::wire::setters;

/// Descriptors of a process that are neither connections nor bodies in files:
/// standard streams, listeners, pollers, what the application has open.
const OTHERS: u64 = 64;

/// Limits of a loop, whatever its connections speak. The protocols have limits of their
/// own.
///
/// Every number holds for one loop; a server of several loops bears them
/// several times.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Connections at one time. Stops: exhaustion by connecting. Effect: a
    /// further one is closed as soon as it is accepted. Default 10,000.
    pub connections: u32,
    /// Connections at one time from one IPv4 address or one IPv6 /64. Stops:
    /// one machine that takes all [`connections`](Self::connections). Effect:
    /// a further one is closed as soon as it is accepted. Unix domain sockets
    /// are not counted, nor are proxies that
    /// [`ListenOptions::proxies`](crate::net::ListenOptions::proxies) lists. Default
    /// 1,024. A loop over the operating system lowers it to three quarters of the
    /// descriptors that the process may open (RLIMIT_NOFILE), and says so on the log.
    pub per_address: u32,
    /// Bytes that may be held for all peers together. Stops: many peers that
    /// each stay below their own limit. Effect: from seven eighths on, connections
    /// that move too little of what they hold are closed, those first whose bytes
    /// have lain there for the longest; bodies and messages wait for room. At the
    /// limit requests wait or are refused. Default 256 MiB.
    pub memory: usize,
    /// Bytes a second that a peer has to send or to take for each MiB begun
    /// that is held for it, so that it is not closed when memory is short.
    /// Default 4 KiB.
    pub memory_pace: u32,
    /// How long a peer may pause before it is below that pace. Default 2 s.
    pub memory_grace: Duration,
    /// How long what needs memory waits for it. Effect: a request is answered
    /// 503, a WebSocket closed with 1013, a stream reset. Default 5 s.
    pub memory_wait: Duration,
    /// Output waiting for a peer from which on nothing more is read from it
    /// and handlers are asked to wait. Stops: pipelined requests for large
    /// bodies. Default 64 KiB.
    pub backlog_high: usize,
    /// Output waiting below which the peer is read from again and handlers may write.
    /// Default 16 KiB.
    pub backlog_low: usize,
    /// Output waiting that ends the connection. Stops: a peer that asks and
    /// never reads. Default 1 MiB.
    pub backlog_cap: usize,
    /// Time for a peer to take a byte of what is sent to it: of what waits
    /// here, and of what the kernel has taken. Stops: a peer that holds output
    /// for ever. Effect: a connection whose output waits is reset; where a
    /// deadline has waited for what is under way, it waits no longer. Default
    /// 30 s.
    pub write_progress: Duration,
    /// Bytes of one read: the size of the loop's read buffer, and the most
    /// that a paused connection holds. Default 65 KiB: a message of 64 KiB and
    /// its head arrive in one.
    pub read_size: usize,
    /// Reads of one connection in one turn. Stops: a fast peer that starves
    /// the others. Effect: it is served again in the next turn. Default 4.
    pub rounds: u32,
    /// Connections accepted from one listener in one turn. Stops: a storm of
    /// connections that starves those which are there. Effect: the others
    /// wait in the kernel for the next turn. Default 64.
    pub accepts: u32,
    /// Time to wait for a peer to close after the last reply, so that it
    /// reads the reply and not a reset (RFC 9112 §9.6). Counts from when the
    /// peer has taken all, and until then
    /// [`write_progress`](Self::write_progress) decides. Default 5 s.
    pub linger_time: Duration,
    /// Bytes read and dropped while waiting for that. Stops: an upload
    /// without end that was refused. Effect: no more is read, and the
    /// connection is closed as soon as the peer has taken all. Default 1 MiB.
    pub linger_bytes: usize,
    /// Time for running exchanges to finish when the loop is asked to stop.
    /// Effect: what is left is reset and counted. Default 30 s.
    pub drain_time: Duration,
    /// Messages from other threads that may wait for a turn. Stops: a
    /// publisher that is faster than the loop. Effect: published messages are
    /// dropped, then replies; both are counted. Default 16,384.
    pub mailbox: usize,
    /// Bytes of those messages together. Stops: a publisher of large messages
    /// that is faster than the loop. Effect: as above; one message alone may be
    /// larger. Default 32 MiB.
    pub mailbox_memory: usize,
    /// One-shot timers of all handlers at one time. Stops: a handler that
    /// sets one per message of a peer that sends many, and a peer with many
    /// connections that takes them all. Effect: no further timer is set, and
    /// what needs one ends. Default 100,000, of which 10,000 for one address
    /// and 1,024 for one connection.
    pub timers: Share,
    /// Exchanges that are not over when their handler has returned: WebSockets,
    /// event streams, calls, streamed and deferred replies. Stops: one peer
    /// that opens them all. Effect: a further one is refused with 503, or
    /// RESOURCE_EXHAUSTED in gRPC. Default 100,000, of which 10,000 for one
    /// address; a connection has at most as many as it has streams.
    pub sessions: Share,
    /// Places that sessions have in rooms and broadcasters. Stops: one peer
    /// that joins, or makes up, rooms without end. Effect: the handler sees
    /// [`Exhausted`](crate::net::Exhausted). Default 1,000,000, of which 20,000
    /// for one address and 1,024 for one connection.
    pub memberships: Share,
    /// Requests that wait for blocking work, in its queue or while it is done.
    /// Stops: one peer that fills the queue for all. Effect: 503, or
    /// RESOURCE_EXHAUSTED in gRPC. Default 4,096, of which 256 for one address and
    /// 128 for one connection.
    pub jobs: Share,
    /// Files that are held open for bodies, each until it has been sent. Stops: one
    /// address that asks for files and never takes them. Effect: 503. Default
    /// 4,096, of which 512 for one address and 128 for one connection. A loop over
    /// the operating system lowers the share of an address to an eighth of the
    /// descriptors that the process may open.
    pub files: Share,
    /// Futures that are kept until they are ready, and tasks. Stops: one peer that asks
    /// again and again for what takes long. Effect: a further one is dropped, and answered
    /// with 503, or RESOURCE_EXHAUSTED in gRPC. Default 100,000, of which 10,000 for one
    /// address and 1,024 for one connection.
    pub futures: Share,
    /// Bytes of a header of the PROXY protocol
    /// ([`ListenOptions::proxy_protocol`](crate::net::ListenOptions::proxy_protocol)),
    /// at most those of a read. Stops: a header that fills the buffer. Effect:
    /// the connection is closed. Default 1 KiB.
    pub proxy_header: usize,
    /// Time for that header to come. Stops: a connection that says nothing.
    /// Effect: the connection is reset. Default 5 s.
    pub proxy_time: Duration,
    /// Time for the handshake of a transport ([`Transport`](crate::net::Transport)),
    /// from when a connection is accepted or has been dialled. Stops: a connection
    /// that says nothing, or little at a time. Effect: the transport says so, and the
    /// connection is closed; a dial fails. Default 10 s.
    pub handshake_time: Duration,
    /// Handshakes of transports in flight at one time. Stops: a storm of them that takes
    /// memory and the processor. Effect: those that have waited for their peer for over
    /// a second are ended; while there is no room, or memory is short, further
    /// connections wait in the kernel. Default 2,048.
    pub handshakes: u32,
    /// How much of a turn handshakes may take, when there are more of them. Stops: a
    /// storm of handshakes, each as dear as hundreds of requests, that starves those who
    /// are connected. Effect: they go on in the next turn, addresses taking turns.
    /// Default 2 ms.
    pub handshake_part: Duration,
    /// Bytes that a peer may send for one handshake. Stops: a handshake without an end.
    /// Effect: the transport says so, and the connection is closed. Default 80 KiB.
    pub handshake_bytes: usize,
    /// Bytes that are kept of a peer until its transport can open them: of one record,
    /// or of one message of a handshake. Stops: a record without an end. Effect: the
    /// transport says so, and the connection is closed. Default 80 KiB.
    pub unopened: usize,
    /// Time for a record of a transport to come, from its first byte. Stops: records that
    /// trickle in, whose content no other deadline sees. Effect: the transport says so, and
    /// the connection is closed. Default 20 s: a peer that sends 4 KiB a second and pauses for 10 s has time.
    pub record_time: Duration,
    /// Names that may wait to be resolved. Stops: dials to names whose
    /// servers do not answer. Effect: a further dial fails immediately.
    /// Default 1,024.
    pub resolving: usize,
    /// Time to connect to one address of a dial. Effect: it is given up. Default 5 s.
    pub connect_time: Duration,
    /// Time that an attempt of a dial has before the next address is tried beside it
    /// (RFC 8305), at least 10 ms. Effect: the next address is tried, too. Default 250 ms.
    pub attempt_delay: Duration,
    /// Time for a whole dial, with resolving and all addresses. Default 30 s.
    pub dial_time: Duration,
    /// Bytes of empty buffers kept for the next connection that needs one.
    /// Default 4 MiB.
    pub spare_memory: usize,
    /// Connections that stay as they are while they rest, because they are
    /// likely to be used again. Effect: of more than that, those at rest are
    /// packed to 40 bytes, and expanded when they are used; those that are
    /// used every second stay whole. Default 256.
    pub warm: usize,
}

impl Limits {
    /// Safe for a server on the internet with a few hundred MiB to spare.
    pub const DEFAULT: Self = Self {
        connections: 10_000,
        per_address: 1_024,
        memory: 256 << 20,
        memory_pace: 4 << 10,
        memory_grace: Duration::from_secs(2),
        memory_wait: Duration::from_secs(5),
        backlog_high: 64 << 10,
        backlog_low: 16 << 10,
        backlog_cap: 1 << 20,
        write_progress: Duration::from_secs(30),
        read_size: 65 << 10,
        rounds: 4,
        accepts: 64,
        linger_time: Duration::from_secs(5),
        linger_bytes: 1 << 20,
        drain_time: Duration::from_secs(30),
        mailbox: 16_384,
        mailbox_memory: 32 << 20,
        timers: Share {
            all: 100_000,
            address: 10_000,
            connection: 1_024,
        },
        sessions: Share {
            all: 100_000,
            address: 10_000,
            connection: 10_000,
        },
        memberships: Share {
            all: 1_000_000,
            address: 20_000,
            connection: 1_024,
        },
        jobs: Share {
            all: 4_096,
            address: 256,
            connection: 128,
        },
        files: Share {
            all: 4096,
            address: 512,
            connection: 128,
        },
        futures: Share {
            all: 100_000,
            address: 10_000,
            connection: 1_024,
        },
        proxy_header: 1 << 10,
        proxy_time: Duration::from_secs(5),
        handshake_time: Duration::from_secs(10),
        handshakes: 2_048,
        handshake_part: Duration::from_millis(2),
        handshake_bytes: 80 << 10,
        unopened: 80 << 10,
        record_time: Duration::from_secs(20),
        resolving: 1_024,
        connect_time: Duration::from_secs(5),
        attempt_delay: Duration::from_millis(250),
        dial_time: Duration::from_secs(30),
        spare_memory: 4 << 20,
        warm: 256,
    };

    setters! {
        with_connections connections: u32,
        with_per_address per_address: u32,
        with_memory memory: usize,
        with_memory_pace memory_pace: u32,
        with_memory_grace memory_grace: Duration,
        with_memory_wait memory_wait: Duration,
        with_backlog_high backlog_high: usize,
        with_backlog_low backlog_low: usize,
        with_backlog_cap backlog_cap: usize,
        with_write_progress write_progress: Duration,
        with_read_size read_size: usize,
        with_rounds rounds: u32,
        with_accepts accepts: u32,
        with_linger_time linger_time: Duration,
        with_linger_bytes linger_bytes: usize,
        with_drain_time drain_time: Duration,
        with_mailbox mailbox: usize,
        with_mailbox_memory mailbox_memory: usize,
        with_timers timers: Share,
        with_sessions sessions: Share,
        with_memberships memberships: Share,
        with_jobs jobs: Share,
        with_files files: Share,
        with_futures futures: Share,
        with_proxy_header proxy_header: usize,
        with_proxy_time proxy_time: Duration,
        with_handshake_time handshake_time: Duration,
        with_handshakes handshakes: u32,
        with_handshake_part handshake_part: Duration,
        with_handshake_bytes handshake_bytes: usize,
        with_unopened unopened: usize,
        with_record_time record_time: Duration,
        with_resolving resolving: usize,
        with_connect_time connect_time: Duration,
        with_attempt_delay attempt_delay: Duration,
        with_dial_time dial_time: Duration,
        with_spare_memory spare_memory: usize,
        with_warm warm: usize,
    }

    /// These limits for one of so many loops of a process that may open so many
    /// descriptors: no address takes all of them.
    pub(super) fn within(self, descriptors: u64, loops: usize) -> Self {
        let others = OTHERS.min(descriptors / 2);
        let all = (descriptors - others) / loops.max(1) as u64;
        let most = |given: u32, eighths: u64| {
            let most = u32::try_from(all.saturating_mul(eighths) / 8);
            given.min(most.map_or(u32::MAX, |most| most.max(1)))
        };
        Self {
            per_address: most(self.per_address, 6),
            files: Share {
                address: most(self.files.address, 1),
                ..self.files
            },
            ..self
        }
    }

    /// Whether these numbers can work together; the first that cannot is
    /// named.
    pub const fn check(&self) -> Result<(), Error> {
        let wrong = if self.connections == 0 || self.connections as usize > Slab::<()>::MAX {
            "connections must not be 0, nor beyond what the slab can number"
        } else if self.per_address == 0 {
            "per_address must not be 0"
        } else if self.backlog_low > self.backlog_high {
            "backlog_low must not be above backlog_high"
        } else if self.backlog_high > self.backlog_cap {
            "backlog_high must not be above backlog_cap"
        } else if self.read_size < 1024 || self.read_size > 16 << 20 {
            "read_size must be 1 KiB to 16 MiB"
        } else if self.proxy_header < 16 || self.proxy_header > self.read_size {
            "proxy_header must be 16 bytes to read_size"
        } else if self.rounds == 0 {
            "rounds must not be 0"
        } else if self.accepts == 0 {
            "accepts must not be 0"
        } else if self.handshakes == 0 {
            "handshakes must not be 0"
        } else if self.mailbox == 0 {
            "mailbox must not be 0"
        } else {
            return Ok(());
        };
        Err(Error::Config(wrong))
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests;
