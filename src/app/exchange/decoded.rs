//! The session of a request whose body is decoded.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::coded_request::{CodedRequest, count, refusal};
use super::loop_state::LoopState;
use super::refusal::Refusal;
use super::session::{After, Session, SessionContext};
use crate::app::telemetry::metrics::Kind;
use crate::coding::decode::Decoding;
use crate::http::Status;
use crate::link::{Charge, EndReason, Event};
use crate::net::Exchange;
use crate::websocket::Kind as MessageKind;

pub(crate) fn decoded(
    session: Box<dyn Session>,
    coded: &CodedRequest,
    charge: Charge,
) -> Result<Box<dyn Session>, Refusal> {
    match coded.decoding().map_err(refusal)? {
        Some(decoding) => Ok(Box::new(Decoded {
            session,
            decoding,
            window: coded.window(),
            charge,
            kept: Vec::new(),
            is_broken: false,
        })),
        None => Ok(session),
    }
}

/// A session that gets the body of its request decoded.
struct Decoded {
    session: Box<dyn Session>,
    decoding: Decoding,
    window: usize,
    charge: Charge,
    /// Bytes received and not used: less than a block's head.
    kept: Vec<u8>,
    is_broken: bool,
}

impl Decoded {
    fn advance(&mut self, at: &mut SessionContext<'_, '_>, input: &[u8], ended: bool) -> After {
        if self.is_broken {
            return After::Keep;
        }
        let held = self.decoding.memory() + self.kept.len() + input.len();
        self.charge.set(held);
        if self.charge.try_grow(self.window).is_err() {
            return self.refuse(at, &Status::SERVICE_UNAVAILABLE.into());
        }
        self.kept.extend_from_slice(input);
        let after = self.decode(at, ended);
        self.charge
            .set(self.decoding.memory() + self.kept.capacity());
        after
    }

    fn decode(&mut self, at: &mut SessionContext<'_, '_>, ended: bool) -> After {
        loop {
            match self.decoding.advance(&self.kept, ended) {
                Ok(used) => drop(self.kept.drain(..used)),
                Err(fault) => return self.refuse(at, &refusal(fault)),
            }
            count(&at.loop_state.metrics, &mut self.decoding);
            let mut piece = Vec::from(self.decoding.piece());
            if piece.is_empty() {
                return After::Keep;
            }
            let after = self.session.body(at, &mut piece);
            self.decoding.consume(piece.len());
            if after == After::End {
                return After::End;
            }
        }
    }

    /// Refuses the request, or cuts a response that has begun.
    fn refuse(&mut self, at: &mut SessionContext<'_, '_>, refusal: &Refusal) -> After {
        self.is_broken = true;
        self.session.ended(at, EndReason::Aborted);
        let is_owed = at.record.as_ref().is_some_and(|record| !record.answered);
        match is_owed {
            true => drop(at.refuse(refusal)),
            false => at.context.abort(),
        }
        After::End
    }
}

impl Session for Decoded {
    fn event(&mut self, at: &mut SessionContext<'_, '_>, event: Event<'_>) -> After {
        match event {
            Event::Body(piece) => self.advance(at, piece, false),
            Event::End { trailers, dropped } => match self.advance(at, &[], true) {
                After::Keep => self.session.end(at, trailers, dropped),
                After::End => After::End,
            },
            event => self.session.event(at, event),
        }
    }

    fn messages(
        &mut self,
        at: &mut SessionContext<'_, '_>,
        kind: MessageKind,
        payload: &mut [u8],
    ) -> After {
        self.session.messages(at, kind, payload)
    }

    fn content(&self) -> u64 {
        self.session.content()
    }

    fn kind(&self) -> Kind {
        self.session.kind()
    }

    fn is_receiving(&self) -> bool {
        self.session.is_receiving()
    }

    fn lost(&mut self, exchange: Exchange, loop_state: &mut LoopState) {
        self.session.lost(exchange, loop_state);
    }
}
