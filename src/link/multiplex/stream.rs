//! What a link remembers of one stream.

use alloc::boxed::Box;

use crate::http2::Numbered;
use crate::link::outbox::Outbox;
use crate::link::{BufferedRequest, EndReason};
use crate::websocket;
use crate::wire::Instant;

/// No length was announced.
pub(super) const UNKNOWN: u64 = u64::MAX;

/// What becomes of the content that the peer sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Intake {
    /// It is on offer: it waits in the inbox until the owner decides.
    Offered,
    /// It is put together with its head.
    Collected,
    /// It comes in events.
    Streamed,
    /// It is the inside of a WebSocket.
    Socket,
    /// Nobody wants it, or it has ended.
    Discarded,
}

/// One stream, from its head until both sides have ended it and the owner
/// knows.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) id: u32,
    /// The owner's own number for it.
    pub(super) tag: u32,
    pub(super) intake: Intake,
    /// Which of the limits of WebSockets holds.
    pub(super) websocket_limits: u16,
    /// Trailers that were left out.
    pub(super) dropped: u16,
    /// The owner has stopped the reading.
    pub(super) held: bool,
    /// The owner gives content back to the peer's window itself.
    pub(super) owner_consumes: bool,
    /// Content that comes in events keeps a pace.
    pub(super) paced: bool,
    /// Time has passed that is not held against the peer: it has a grace more.
    pub(super) excused: bool,
    /// A write answered `Wait`.
    pub(super) write_blocked: bool,
    /// The owner is to be told that it need not wait any more.
    pub(super) relieved: bool,
    /// A response is owed.
    pub(super) owes: bool,
    /// The peer's content has ended, and the owner has not been told.
    pub(super) ended: bool,
    /// The peer's message is complete.
    pub(super) complete: bool,
    /// The owner has ended our content.
    pub(super) finished: bool,
    /// Our content has no end of its own.
    pub(super) endless: bool,
    /// It stands in the queue of those that have something to send.
    pub(super) listed: bool,
    /// It stands in the queue of those that have something for their owner.
    pub(super) pending: bool,
    /// It waits for memory.
    pub(super) starved: bool,
    /// It stands in the list of those that are over.
    pub(super) over: bool,
    /// Our response is complete, and the rest of the request is dropped.
    pub(super) surplus: bool,
    /// The owner knows that it is over.
    pub(super) end_reported: bool,
    /// Why it is over, if not because both sides have ended it.
    pub(super) gone: Option<EndReason>,
    /// Bytes in the inbox that have not been given back to the peer's window.
    pub(super) unread: u32,
    /// Bytes that our content lacks, or [`UNKNOWN`].
    pub(super) lacks: u64,
    /// Bytes of our content that were given up with the stream.
    pub(super) unsent: u64,
    /// When the response is overdue, or the content too slow.
    pub(super) due: Instant,
    pub(super) outbox: Option<Box<Outbox>>,
    /// The request that is being collected; else the inbox.
    pub(super) kept: Option<Box<BufferedRequest>>,
    /// Trailers that wait behind the inbox.
    pub(super) trailers: Option<Box<BufferedRequest>>,
    pub(super) socket: Option<Box<websocket::Connection>>,
}

impl Stream {
    pub(super) const fn new(id: u32, intake: Intake) -> Self {
        Self {
            id,
            tag: 0,
            intake,
            websocket_limits: 0,
            dropped: 0,
            held: false,
            owner_consumes: false,
            paced: false,
            excused: false,
            write_blocked: false,
            relieved: false,
            owes: false,
            ended: false,
            complete: false,
            finished: false,
            endless: false,
            listed: false,
            pending: false,
            starved: false,
            over: false,
            surplus: false,
            end_reported: false,
            gone: None,
            unread: 0,
            lacks: UNKNOWN,
            unsent: 0,
            due: Instant::NEVER,
            outbox: None,
            kept: None,
            trailers: None,
            socket: None,
        }
    }

    /// Whether content is to come that has to keep a pace.
    pub(super) const fn is_timed(&self) -> bool {
        match self.intake {
            Intake::Collected => true,
            Intake::Streamed => self.paced && !self.complete,
            Intake::Discarded => self.surplus,
            Intake::Offered | Intake::Socket => false,
        }
    }

    /// Whether its owner takes what comes.
    pub(super) const fn is_fed(&self) -> bool {
        !self.held && !self.write_blocked && !self.starved
    }
}

impl Numbered for Stream {
    #[inline]
    fn number(&self) -> u32 {
        self.id
    }
}
