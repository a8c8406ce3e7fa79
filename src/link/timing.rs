//! The deadlines of a link, and what happens then.

use super::multiplex::PeerProgress;
use super::protocol::Protocol;
use super::{CallContext, Closing, Event, Limits, Link, ProtocolError};
use crate::wire::{Instant, Sink};

impl Link {
    /// When [`elapsed`](Self::elapsed) is to be called. Any other call may
    /// change the answer.
    #[inline]
    pub fn deadline(&self, limits: &Limits) -> Option<Instant> {
        let own = match &self.protocol {
            Protocol::Http1(machine) => machine.deadline(&limits.http1),
            Protocol::Http2(many) => many.deadline(),
            Protocol::WebSocket(machine) => machine.deadline(),
            Protocol::Raw { .. } => None,
        };
        sooner(own, self.exchange.due)
    }

    /// Whether [`elapsed`](Self::elapsed) does more than set the deadline anew, as far as is
    /// known.
    pub(crate) fn is_due(&self, limits: &Limits, now: Instant) -> bool {
        match &self.protocol {
            Protocol::WebSocket(machine) if self.exchange.due > now => {
                machine.is_due(now, limits.websocket_of(self.exchange.websocket_limits))
            }
            _ => true,
        }
    }

    /// Looks at the time while our own side withholds the input: the peer's time stands
    /// still, ours does not.
    pub fn deadline_withheld(&self) -> Option<Instant> {
        let own = match &self.protocol {
            Protocol::WebSocket(machine) if machine.is_closing() => machine.deadline(),
            Protocol::Http2(many) => many.deadline_withheld(),
            Protocol::Http1(_) | Protocol::WebSocket(_) | Protocol::Raw { .. } => None,
        };
        sooner(own, self.exchange.due)
    }

    /// The deadline has come: does what the protocol asks for then.
    ///
    /// # Errors
    /// [`ProtocolError`] if the peer's time is up; `out` then ends with the
    /// protocol's goodbye.
    ///
    /// To be called again where there was an event.
    pub fn elapsed(
        &mut self,
        lent: CallContext<'_>,
        out: &mut impl Sink,
    ) -> Result<Option<Event<'static>>, ProtocolError> {
        if self.exchange.elapsed(lent.now) {
            return Ok(Some(Event::Overdue));
        }
        match &mut self.protocol {
            Protocol::Http1(machine) => {
                let (lent, ..) = lent.pass(|limits| &limits.http1);
                // No event of HTTP/1.1 comes from time alone.
                machine.elapsed(lent, out)?;
                Ok(None)
            }
            Protocol::Http2(many) => {
                let (lent, _, limits) = lent.pass(|limits| &limits.http2);
                match many.elapsed(lent, limits, out) {
                    Ok(None) => Ok(None),
                    Ok(Some((stream, event))) => {
                        self.exchange.id = stream;
                        Ok(Some(event))
                    }
                    Err(violation) => {
                        self.over = Some(Closing::Linger);
                        Err(violation)
                    }
                }
            }
            Protocol::WebSocket(machine) => {
                let (mut lent, _, limits) = lent.pass(|limits| &limits.websocket);
                lent.limits = limits.websocket_of(self.exchange.websocket_limits);
                match machine.elapsed(lent, out) {
                    Ok(event) => Ok(event.map(Event::from)),
                    Err(violation) => {
                        self.over = Some(Closing::Linger);
                        Err(violation.into())
                    }
                }
            }
            Protocol::Raw { .. } => Ok(None),
        }
    }

    /// Since when the peer owes us an answer to something that we have sent, in
    /// milliseconds of the clock that wrap; `None` while it owes none, and where
    /// the protocol asks for none.
    pub fn awaited(&self) -> Option<u32> {
        match &self.protocol {
            Protocol::Http2(many) => many.machine().awaited(),
            Protocol::WebSocket(machine) => machine.awaited(),
            Protocol::Http1(_) | Protocol::Raw { .. } => None,
        }
    }

    pub(crate) const fn asks(&self) -> bool {
        match &self.protocol {
            Protocol::Http1(_) | Protocol::Raw { .. } => false,
            Protocol::Http2(_) | Protocol::WebSocket(_) => true,
        }
    }

    /// Says that the peer gets the question to this answer at `at` and not before: the
    /// time to answer counts from there. A caller that knows nothing of the way to
    /// the peer does not call this, and the time counts from when the question was
    /// written.
    pub fn await_from(&mut self, at: Instant) {
        match &mut self.protocol {
            Protocol::Http2(many) => many.machine_mut().await_from(at),
            Protocol::WebSocket(machine) => machine.await_from(at),
            Protocol::Http1(_) | Protocol::Raw { .. } => {}
        }
    }

    /// Whether WebSockets inside streams have sent frames to be answered, since
    /// [`note_end`](Self::note_end).
    #[inline]
    pub(crate) fn has_left(&self) -> bool {
        matches!(&self.protocol, Protocol::Http2(many) if many.has_left())
    }

    /// Says how long the connection's output was before the last
    /// [`pump`](Self::pump).
    pub(crate) fn note_end(&mut self, before: u64) {
        if let Protocol::Http2(many) = &mut self.protocol {
            many.note_end(before);
        }
    }

    pub(crate) fn has_asked(&self) -> bool {
        matches!(&self.protocol, Protocol::Http2(many) if many.has_asked())
    }

    /// Says how far the peer has taken the output, for pings inside streams.
    pub(crate) fn has_taken(&mut self, taken: PeerProgress, now: Instant) {
        if let Protocol::Http2(many) = &mut self.protocol {
            many.has_taken(taken, now);
        }
    }

    /// Says that output is still on its way, and that the peer takes it: it is
    /// not idle, and does not have all that it is to act on.
    pub fn under_way(&mut self, now: Instant) {
        match &mut self.protocol {
            Protocol::Http1(machine) => machine.under_way(now),
            Protocol::Http2(many) => many.under_way(now),
            Protocol::WebSocket(machine) => machine.under_way(now),
            Protocol::Raw { .. } => {}
        }
    }

    /// Whether our side withheld input of exchange `stream` after `since`, as far as is known.
    pub(crate) fn was_withheld(&mut self, stream: u32, since: Instant) -> bool {
        match &mut self.protocol {
            Protocol::Http1(_) => u64::from(self.resumed) > since.as_secs(),
            Protocol::Http2(many) => many.was_withheld(stream, since),
            Protocol::WebSocket(_) | Protocol::Raw { .. } => false,
        }
    }

    /// Says that our own side withheld the input until `now`: the time that
    /// has passed is not counted against the peer.
    #[inline]
    pub fn resume(&mut self, now: Instant) {
        match &mut self.protocol {
            Protocol::Http1(machine) => {
                machine.resume(now);
                self.resumed = u32::try_from(now.as_secs() + 1).unwrap_or(u32::MAX);
            }
            Protocol::Http2(many) => many.resume(now),
            Protocol::WebSocket(machine) => machine.resume(now),
            Protocol::Raw { .. } => {}
        }
    }
}

fn sooner(own: Option<Instant>, due: Instant) -> Option<Instant> {
    let first = own.map_or(due, |own| own.min(due));
    (first != Instant::NEVER).then_some(first)
}
