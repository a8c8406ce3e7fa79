//! The coding of what a stream sends of its own.

use alloc::boxed::Box;
use core::mem;

use crate::app::exchange::session::SessionContext;
use crate::app::telemetry::codings::{Codec, Direction};
use crate::app::telemetry::metrics::Kind;
use crate::coding::encode::Encoder;
use crate::coding::lent::Made;
use crate::coding::stream::{Ownership, Position};
use crate::coding::work::Purpose;
use crate::link::{Charge, UsageError};
use crate::net::Flow;

/// The state of a stream that is coded, once it has sent something of its own: in it each
/// event refers to those before.
#[derive(Debug)]
pub(super) struct OwnState {
    may_be: bool,
    state: Option<Box<(Encoder, Charge)>>,
}

impl OwnState {
    /// None yet; there never is one unless it `may_be`.
    pub(super) const fn new(may_be: bool) -> Self {
        Self {
            may_be,
            state: None,
        }
    }

    /// Gives its memory back: what follows begins anew.
    pub(super) fn rest(&mut self) {
        self.state = None;
    }

    /// Codes an event or a comment, and writes it so that the client sees it.
    pub(super) fn write(
        &mut self,
        at: &mut SessionContext<'_, '_>,
        position: &Position,
        text: &[u8],
    ) -> Flow {
        if !at.context.is_open() {
            return Flow::Over(UsageError::Over);
        }
        let made = Made {
            coding: position.coding(),
            level: position.level(),
            purpose: Purpose::Events,
        };
        let mut out = mem::take(&mut at.loop_state.coding.room);
        let is_new = self.state.is_none() && self.take_memory(at, made);
        let coded = match &mut self.state {
            Some(own) => {
                let whose = if is_new {
                    Ownership::New
                } else {
                    Ownership::Own
                };
                position.put_own(text, (&mut own.0, whose), &mut out).ok()
            }
            None => at.loop_state.coding.lent.with(made, |encoder| {
                position.put_own(text, (encoder, Ownership::Lent), &mut out)
            }),
        };
        let flow = match coded {
            Some(()) => {
                count(at, position, text.len(), out.len());
                at.context.write(&out)
            }
            None => {
                at.context.abort(); // the library has no memory
                Flow::Over(UsageError::Over)
            }
        };
        at.loop_state.coding.keep(out);
        flow
    }

    /// Takes a state of its own, if there is room for it in what the connection may take.
    fn take_memory(&mut self, at: &mut SessionContext<'_, '_>, made: Made) -> bool {
        if !self.may_be {
            return false;
        }
        let Some(encoder) = at.loop_state.coding.lent.take(made) else {
            return false;
        };
        let mut charge = at.context.charge();
        match charge.try_grow(encoder.memory()) {
            Ok(()) => self.state = Some(Box::new((encoder, charge))),
            Err(_) => at.loop_state.coding.lent.give_back(made, encoder),
        }
        self.state.is_some()
    }

    pub(super) fn end(&mut self, at: &mut SessionContext<'_, '_>, position: &Position) {
        let mut out = mem::take(&mut at.loop_state.coding.room);
        position.put_end(&mut out);
        count(at, position, 0, out.len());
        let _ = at.context.write(&out); // refused where it is over already
        at.loop_state.coding.keep(out);
        self.rest();
    }
}

fn count(at: &SessionContext<'_, '_>, position: &Position, plain: usize, coded: usize) {
    let way = (
        Kind::Events,
        Codec::from(position.coding()),
        Direction::Sent,
    );
    at.loop_state.metrics.coded(way, plain, coded);
}
