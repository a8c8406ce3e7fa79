//! The record of one stream.

use alloc::boxed::Box;

use crate::http2::Numbered;
use crate::link::EndReason;
use crate::link::exchanges::{Exchange, Intake, Receiving, Sending};
use crate::websocket;

/// A frame that the peer of a WebSocket is to answer: a ping, or a Close.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AwaitedAnswer {
    /// It waits in its stream's outbox, and ends after so many bytes.
    Waits(usize),
    /// It has left for the connection's output, where it ends after so many bytes of what
    /// streams have put out in this turn.
    Left(usize),
    /// It ends about here in the connection's output.
    Sent {
        end: u64,
        /// The peer has been looked at since, and did not have it.
        was_missing: bool,
    },
    Arrived,
}

/// One stream, from its head until both sides have ended it and the owner
/// knows.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) exchange: Exchange,
    pub(super) receiving: Receiving,
    pub(super) sending: Sending,
    pub(super) tag: u32,
    /// It stands in the queue of those that have something for their owner.
    pub(super) pending: bool,
    /// It stands in the list of those that are over.
    pub(super) over: bool,
    /// Our response is complete, and the rest of the request is dropped.
    pub(super) surplus: bool,
    pub(super) end_reported: bool,
    /// Why it is over, if not because both sides have ended it.
    pub(super) gone: Option<EndReason>,
    pub(super) socket: Option<Box<websocket::Connection>>,
    /// The answer that the peer of the WebSocket owes.
    pub(super) asked: Option<AwaitedAnswer>,
}

impl Stream {
    pub(super) const fn new(id: u32, intake: Intake) -> Self {
        Self {
            exchange: Exchange::new(id, intake),
            receiving: Receiving::NONE,
            sending: Sending::NONE,
            tag: 0,
            pending: false,
            over: false,
            surplus: false,
            end_reported: false,
            gone: None,
            socket: None,
            asked: None,
        }
    }

    /// Whether content is to come that has to keep a pace.
    pub(super) const fn is_timed(&self) -> bool {
        match self.exchange.intake {
            Intake::Collected => true,
            Intake::Streamed => self.receiving.paced && !self.receiving.complete,
            Intake::Discarded => self.surplus,
            Intake::Offered | Intake::Socket => false,
        }
    }

    /// Whether its owner takes what comes.
    pub(super) const fn is_fed(&self) -> bool {
        // An owner that gives windows back itself bounds what it keeps and writes: were
        // it not given content while it waits to write, both sides could wait for ever.
        let waits = self.sending.write_blocked && !self.receiving.owner_consumes;
        !self.receiving.held && !self.receiving.starved && !waits
    }
}

impl Numbered for Stream {
    #[inline]
    fn number(&self) -> u32 {
        self.exchange.id
    }
}
