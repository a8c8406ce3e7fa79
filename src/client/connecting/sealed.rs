//! The transport of a connection without I/O: it opens the link's input and seals its
//! output.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Range;
use std::io::IoSlice;

use super::spare;
use crate::link::{EndReason, Unreachable};
use crate::net::{self, Speaks, Transport, TransportDetails, TransportError, TransportLimit};
use crate::wire::partly_shown;
use crate::wire::{Instant, Received, Step};

/// A transport, and the bytes on both sides of it.
pub(super) struct Sealed {
    transport: Box<dyn Transport + Send>,
    /// The protocol if the transport leaves it open.
    speaks: Speaks,
    /// Input that cannot be opened yet: the front of a record.
    pub(super) kept: Vec<u8>,
    /// Output that waits to be written.
    pub(super) out: Vec<u8>,
    /// When the handshake has to be over.
    until: Instant,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Handshake,
    Open,
    /// The server has closed the transport, as it should.
    Ended,
    /// Nothing more can be said.
    Closed,
    Failed(EndReason),
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Opened {
    Agreed(Speaks),
    /// Content, and where in the input it lies.
    Content(Range<usize>),
    End,
    Own,
}

impl Sealed {
    /// The handshake begins, and has until then.
    pub(super) fn new(
        transport: Box<dyn Transport + Send>,
        speaks: Speaks,
        until: Instant,
    ) -> Self {
        let mut new = Self {
            transport,
            speaks,
            kept: Vec::new(),
            out: Vec::new(),
            until,
            phase: Phase::Handshake,
        };
        if new.transport.open(&mut [], &mut new.out).is_err() {
            new.fail();
        }
        new
    }

    /// Opens what is at the front of `input`, and says how much was used.
    pub(super) fn open(&mut self, input: &mut [u8]) -> Result<(usize, Opened), EndReason> {
        let limit = net::Limits::DEFAULT.unopened;
        let was_open = self.phase == Phase::Open;
        let opened = self.transport.open(input, &mut self.out);
        let opened = opened.and_then(|Received { used, step }| match step {
            Step::Event(found) if was_open && found.end <= used && used <= input.len() => {
                Ok((used, Opened::Content(found)))
            }
            Step::Event(_) => Err(TransportError::new("content is not that of a record")),
            Step::Done => Ok((used.min(input.len()), Opened::End)),
            _ if used == 0 && input.len() > limit => {
                self.transport.end_at(TransportLimit::Record, &mut self.out);
                Err(TransportError::new("a record is too long"))
            }
            _ => Ok((used.min(input.len()), Opened::Own)),
        });
        match (opened, was_open) {
            (Err(_), _) => Err(self.fail()),
            (Ok((used, Opened::End)), true) => {
                self.phase = Phase::Ended;
                Ok((used, Opened::End))
            }
            (Ok((_, Opened::End)), false) => Err(self.fail()),
            (Ok(opened), true) => Ok(opened),
            (Ok((used, _)), false) => Ok((used, self.look())),
        }
    }

    /// Whether the handshake is over now.
    fn look(&mut self) -> Opened {
        let Some(agreed) = self.transport.agreed() else {
            return Opened::Own;
        };
        self.phase = Phase::Open;
        Opened::Agreed(agreed.speaks.unwrap_or(self.speaks))
    }

    /// The bytes have ended: why that is the end of the connection, unless the server
    /// has said so before.
    pub(super) fn cut_off(&mut self) -> Option<EndReason> {
        match self.phase {
            Phase::Ended | Phase::Closed => None,
            Phase::Open if self.transport.ends_with_socket() => {
                self.phase = Phase::Ended;
                None
            }
            Phase::Handshake | Phase::Failed(_) => Some(self.fail()),
            Phase::Open => {
                self.fail();
                Some(EndReason::Reset)
            }
        }
    }

    /// Nothing more can be opened or said; why that is so.
    fn fail(&mut self) -> EndReason {
        let gone = match self.phase {
            Phase::Failed(gone) => gone,
            Phase::Handshake => EndReason::Unreachable(Unreachable::Handshake),
            Phase::Open | Phase::Ended | Phase::Closed => EndReason::Transport,
        };
        self.phase = Phase::Failed(gone);
        self.kept = Vec::new();
        gone
    }

    /// Why the connection is over, if it has failed or its handshake had its time.
    pub(super) fn fault(&mut self, now: Instant) -> Option<EndReason> {
        match self.phase {
            Phase::Failed(gone) => Some(gone),
            Phase::Handshake if self.until <= now => {
                let gone = EndReason::Unreachable(Unreachable::HandshakeTimedOut);
                self.transport.end_at(TransportLimit::Time, &mut self.out);
                self.phase = Phase::Failed(gone);
                Some(gone)
            }
            _ => None,
        }
    }

    /// Until when the handshake has to be over; `None` if it is.
    pub(super) fn deadline(&self) -> Option<Instant> {
        (self.phase == Phase::Handshake).then_some(self.until)
    }

    /// Seals what the link has said, and with `last`, that nothing follows.
    pub(super) fn seal(&mut self, plain: &mut Vec<u8>, last: bool) {
        let may_seal = matches!(self.phase, Phase::Open | Phase::Ended);
        if may_seal && !plain.is_empty() {
            spare::fit_output(&mut self.out);
            let sealed = self.transport.seal(&[IoSlice::new(plain)], &mut self.out);
            if sealed.is_err() {
                self.fail();
            }
        }
        if plain.capacity() > 0 {
            spare::give_output(plain);
        }
        if last && matches!(self.phase, Phase::Open | Phase::Ended) {
            self.transport.close(&mut self.out);
            self.phase = Phase::Closed;
        }
    }

    pub(super) fn details(&self) -> Option<TransportDetails> {
        self.transport.details()
    }
}

partly_shown!(it: Sealed { phase, kept: it.kept.len() });
