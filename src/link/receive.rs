//! From the machines' events to the one vocabulary.

use alloc::boxed::Box;

use super::Limits;
use super::exchanges::Intake;
use super::multiplex::{Multiplex, ReceiveContext};
use super::protocol::Protocol;
use super::{BufferedRequest, CallContext, Closing, Event, Link, ProtocolError};
use crate::wire::{Instant, Received, Role, Sink, Step};
use crate::{http, http2};
use crate::{http1, websocket};

/// The type of a record with messages of a handshake of TLS (RFC 8446 §5.1).
const HANDSHAKE: u8 = 22;
/// A record of TLS 1.0, as hellos have it: a fatal alert, `handshake_failure`
/// (RFC 8446 §6).
const HANDSHAKE_FAILURE: &[u8] = &[21, 3, 1, 0, 2, 2, 40];

impl Link {
    /// Passes on what the machine of HTTP/1.1 has answered.
    pub(super) fn took_http1<'b>(
        &mut self,
        received: Result<Received<http1::Event<'b>>, http1::ProtocolError>,
        due: Instant,
        shown: &'b mut Option<Box<BufferedRequest>>,
    ) -> Result<Received<Event<'b>>, ProtocolError> {
        let Received { used, step } = received?;
        let step = self.http1_step(step, due, shown);
        Ok(Received { used, step })
    }

    #[inline]
    pub(super) fn took_websocket<'b>(
        &mut self,
        received: Result<Received<websocket::Event<'b>>, websocket::ProtocolError>,
    ) -> Result<Received<Event<'b>>, ProtocolError> {
        match received {
            Ok(received) => Ok(received.map(Event::from)),
            Err(violation) => {
                self.over = Some(Closing::Linger);
                Err(violation.into())
            }
        }
    }

    /// Passes on what the machine of HTTP/2 has found in `input`.
    pub(super) fn took_http2<'b>(
        &mut self,
        found: Result<(usize, http2::LocatedEvent), http2::ProtocolError>,
        input: &'b mut [u8],
        lent: http::CallContext<'b, http2::Limits>,
        (shown, limits): (&'b mut Option<Box<BufferedRequest>>, &'b Limits),
        out: &mut impl Sink,
    ) -> Result<Received<Event<'b>>, ProtocolError> {
        let Protocol::Http2(many) = &mut self.protocol else {
            let step = Step::Done; // only a multiplexed link is asked
            return Ok(Received { used: 0, step });
        };
        let around = ReceiveContext {
            shown,
            limits,
            stream: &mut self.exchange.id,
        };
        let received = many.took(found, input, lent, around, out);
        if received.is_err() {
            self.over = Some(Closing::Linger);
        }
        received
    }

    /// Takes at most one event from the front of `input`.
    ///
    /// Bytes past [`used`](Received::used) are to come again, as the call left
    /// them. What the protocol itself must answer is in `out` before this
    /// returns. A call may use bytes without an event (a piece of a collected
    /// body): while it does, it is worth calling again immediately, as it is after
    /// [`Step::Need`] of 0.
    ///
    /// # Errors
    /// [`ProtocolError`] if the peer broke the protocol; `out` then ends with the
    /// protocol's goodbye.
    pub fn receive<'b>(
        &mut self,
        input: &'b mut [u8],
        lent: CallContext<'b>,
        out: &mut impl Sink,
    ) -> Result<Received<Event<'b>>, ProtocolError> {
        if self.over.is_some() {
            return Ok(Received {
                used: input.len(),
                step: Step::Done,
            });
        }
        if self.exchange.id == 0 && self.is_preface(input) {
            let mut many = Box::new(Multiplex::new(self.role, lent.now));
            if let Some(account) = &self.account {
                many.charge_to(account);
                many.open(&lent.limits.http2, lent.now, out);
            }
            self.protocol = Protocol::Http2(many);
            if self.before.is_some() {
                self.hand_on();
            }
        }
        if self.is_hello(input) {
            return self.refuse_hello(input, out);
        }
        match &mut self.protocol {
            Protocol::Http1(machine) => {
                let now = lent.now;
                let (lent, shown, limits) = lent.pass(|limits| &limits.http1);
                let received = machine.receive(input, lent, out);
                self.took_http1(received, now + limits.reply, shown)
            }
            Protocol::Http2(many) => {
                let (lent, shown, limits) = lent.pass(|limits| &limits.http2);
                let around = ReceiveContext {
                    shown,
                    limits,
                    stream: &mut self.exchange.id,
                };
                let received = many.receive(input, lent, around, out);
                if received.is_err() {
                    self.over = Some(Closing::Linger);
                }
                received
            }
            Protocol::WebSocket(machine) => {
                let (mut lent, _, limits) = lent.pass(|limits| &limits.websocket);
                lent.limits = limits.websocket_of(self.exchange.websocket_limits);
                let received = machine.receive(input, lent, out);
                self.took_websocket(received)
            }
            Protocol::Raw { .. } if input.is_empty() => Ok(Received::need(0, 1)),
            Protocol::Raw { .. } => Ok(Received::event(input.len(), Event::Data(input))),
        }
    }

    /// Tells the machine that the peer has sent its last byte; `input` is what
    /// it has left unused. To be called until it answers with no event.
    ///
    /// # Errors
    /// [`ProtocolError`] if the input ended where it must not.
    pub fn receive_eof<'b>(
        &mut self,
        input: &'b mut [u8],
        lent: CallContext<'b>,
        out: &mut impl Sink,
    ) -> Result<Received<Event<'b>>, ProtocolError> {
        if self.over.is_some() {
            return Ok(Received {
                used: input.len(),
                step: Step::Done,
            });
        }
        match &mut self.protocol {
            Protocol::Http1(machine) => {
                let now = lent.now;
                let (lent, shown, limits) = lent.pass(|limits| &limits.http1);
                let due = now + limits.reply;
                let Received { used, step } = machine.receive_eof(input, lent, out)?;
                if self.exchange.endless {
                    self.over = Some(Closing::Now);
                }
                Ok(Received {
                    used,
                    step: self.http1_step(step, due, shown),
                })
            }
            Protocol::Http2(many) => {
                let (lent, shown, limits) = lent.pass(|limits| &limits.http2);
                let around = ReceiveContext {
                    shown,
                    limits,
                    stream: &mut self.exchange.id,
                };
                let received = many.receive_eof(lent, around, out);
                if received.is_err() {
                    self.over = Some(Closing::Linger);
                }
                received
            }
            Protocol::WebSocket(machine) => {
                self.over = Some(Closing::Now);
                machine.receive_eof()?;
                Ok(Received {
                    used: input.len(),
                    step: Step::Done,
                })
            }
            Protocol::Raw { half_closed } => {
                Ok(match core::mem::replace(half_closed, true) {
                    false => Received::event(0, Event::HalfClosed),
                    true => Received {
                        used: 0,
                        step: Step::Paused, // the owner continues, or finishes
                    },
                })
            }
        }
    }

    /// Does what [`receive`](Self::receive) would do without input, if that brings no event;
    /// returns whether only further input can. A `false` may be cautious, and then nothing was
    /// done.
    #[inline]
    pub(crate) fn catch_up(&mut self, out: &mut impl Sink) -> bool {
        if self.over.is_some() {
            return false;
        }
        match &mut self.protocol {
            Protocol::Http1(machine) => machine.is_idle(),
            Protocol::WebSocket(machine) => !machine.is_closing(),
            Protocol::Http2(many) => {
                let caught_up = many.catch_up(out);
                if caught_up {
                    self.exchange.id = 0; // as after any call without an event
                }
                caught_up
            }
            Protocol::Raw { .. } => false,
        }
    }

    /// Whether `input` makes this a shared connection that has no account yet: see
    /// [`charge_to`](Self::charge_to).
    #[inline]
    pub(crate) fn wants_account(&self, input: &[u8]) -> bool {
        self.exchange.id == 0 && self.account.is_none() && self.is_preface(input)
    }

    /// Whether the input is the front of HTTP/2's preface, as far as tells it from HTTP/1.1
    /// (RFC 9113 §3.4).
    #[inline]
    pub(super) fn is_preface(&self, input: &[u8]) -> bool {
        self.exchange.id == 0
            && self.role == Role::Server
            && input.starts_with(b"PRI * HTTP/2.0\r\n")
            && !self.is_settled
            && matches!(&self.protocol, Protocol::Http1(machine) if !machine.has_skipped_lines())
    }

    /// Whether the input is the front of a handshake of TLS, which no method begins as.
    #[inline]
    pub(super) fn is_hello(&self, input: &[u8]) -> bool {
        self.exchange.id == 0
            && self.role == Role::Server
            && matches!(input, [HANDSHAKE] | [HANDSHAKE, 3, ..])
            && matches!(&self.protocol, Protocol::Http1(machine) if machine.is_idle())
    }

    /// Refuses TLS by an alert: a client could not read HTTP.
    #[cold]
    fn refuse_hello<'b>(
        &mut self,
        input: &[u8],
        out: &mut impl Sink,
    ) -> Result<Received<Event<'b>>, ProtocolError> {
        if input.len() < 2 {
            return Ok(Received::need(0, 1));
        }
        if out.room() >= HANDSHAKE_FAILURE.len() {
            out.put(HANDSHAKE_FAILURE);
        }
        self.over = Some(Closing::Linger);
        Err(ProtocolError::Tls)
    }

    /// Takes back what the last event has shown: an inbox may have a rest that
    /// comes again. What is needed no more comes back, for the
    /// [`RequestPool`](super::RequestPool).
    pub fn reclaim(&mut self, shown: Box<BufferedRequest>) -> Option<Box<BufferedRequest>> {
        if let Protocol::Http2(many) = &mut self.protocol {
            return many.reclaim(shown);
        }
        Some(shown)
    }

    /// Keeps the books of the exchange, and collects its body if asked to.
    fn http1_step<'b>(
        &mut self,
        step: Step<http1::Event<'b>>,
        due: Instant,
        shown: &'b mut Option<Box<BufferedRequest>>,
    ) -> Step<Event<'b>> {
        let event = match step {
            Step::Event(event) => event,
            Step::Need(more) => return Step::Need(more),
            Step::Paused => return Step::Paused,
            Step::Full => return Step::Full,
            Step::Done => return Step::Done,
        };
        match event {
            http1::Event::Request { head, content } => {
                self.open(due);
                Step::Event(Event::Request { head, content })
            }
            http1::Event::Response { head, content } => {
                Step::Event(Event::Response { head, content })
            }
            http1::Event::Informational(head) => Step::Event(Event::Informational(head)),
            http1::Event::Body(piece) if self.exchange.intake != Intake::Collected => {
                Step::Event(Event::Body(piece))
            }
            http1::Event::Body(piece) => {
                if self.exchange.append(piece, due, shown) {
                    return Step::Need(1);
                }
                // Now, so that how much of it is read does not depend on where the
                // piece ended.
                if let Protocol::Http1(machine) = &mut self.protocol {
                    machine.refuse_body();
                }
                Step::Event(Event::TooLarge)
            }
            http1::Event::End { trailers, dropped } => {
                let owed = self.owes_response(self.exchange.id);
                self.exchange.complete(owed, due);
                let event = match self.exchange.intake {
                    Intake::Collected => {
                        self.dropped = dropped;
                        self.exchange.give(shown)
                    }
                    _ => None,
                };
                Step::Event(event.unwrap_or(Event::End { trailers, dropped }))
            }
        }
    }

    #[inline]
    pub(super) const fn open(&mut self, due: Instant) {
        self.exchange.id += 1; // below the last: the connection ends with that
        if self.exchange.id == LAST_NUMBER {
            self.end_with_this();
        }
        self.exchange.endless = false;
        self.exchange.due = due;
    }
}

/// The number of a connection's last exchange: none repeats, so that a late reply never reaches
/// another request.
pub(super) const LAST_NUMBER: u32 = u32::MAX - 1;

impl Link {
    /// Ends the connection after the exchange that has just begun.
    #[cold]
    const fn end_with_this(&mut self) {
        if let Protocol::Http1(machine) = &mut self.protocol {
            machine.shutdown();
        }
    }
}

impl<'b> From<websocket::Event<'b>> for Event<'b> {
    #[inline]
    fn from(event: websocket::Event<'b>) -> Self {
        match event {
            websocket::Event::Message { kind, payload } => Self::Message { kind, payload },
            websocket::Event::Chunk {
                kind,
                payload,
                last,
            } => Self::Chunk {
                kind,
                payload,
                last,
            },
            websocket::Event::Ping(payload) => Self::Ping(payload),
            websocket::Event::Pong(payload) => Self::Pong(payload),
            websocket::Event::Close { code, reason } => Self::Close { code, reason },
        }
    }
}

#[cfg(test)]
mod tests;
