//! One connection of a client without I/O.

mod opening;
mod receiving;

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem;

use super::sealed::Sealed;
use super::{Wire, spare};
use crate::http::OwnedScratch;
use crate::link::{BufferedRequest, CallContext, EndReason, Event, Limits};
use crate::net::TransportDetails;
use crate::wire::{Instant, Received, Step};

/// One connection of a client without I/O: a [`Link`](crate::link::Link), and what waits in front of
/// it and after it.
///
/// Its owner has a socket, or whatever else carries bytes. It gives what arrives to
/// [`receive`](Self::receive), and the end of that to
/// [`receive_eof`](Self::receive_eof) or [`closed`](Self::closed); writes
/// [`output`](Self::output) after each [`flush`](Self::flush); and calls
/// [`elapsed`](Self::elapsed) at the [`deadline`](Self::deadline). All of them but
/// `output` tell what has happened, each event with the stream that it is for and
/// the [`Wire`] to act on. What is done on the [`wire`](Self::wire) apart from them
/// is to be followed by a `flush`.
///
/// ```
/// use barewire::client::{Connection, RequestSender};
/// use barewire::link::{Event, Limits};
/// use barewire::wire::Instant;
///
/// let now = Instant::START;
/// let mut connection = Connection::http2(Limits::DEFAULT, now);
/// assert!(connection.output().starts_with(b"PRI * HTTP/2.0"));
/// let mut settings = *b"\0\0\0\x04\0\0\0\0\0";
/// connection.receive(&mut settings, now, |wire, stream, event| {
///     assert!(matches!((stream, event), (0, Event::Writable)));
///     assert!(wire.allowance() > 0);
/// });
/// ```
#[derive(Debug)]
pub struct Connection {
    wire: Wire,
    limits: Arc<Limits>,
    shown: Option<Box<BufferedRequest>>,
    /// The input that the link has not used, after the first `used` bytes.
    input: Vec<u8>,
    used: u32,
    /// The server's last byte has come.
    ended: bool,
    /// It has come while the owner had paused.
    ends: bool,
    received: u64,
    /// The transport, if the connection is not bare.
    sealed: Option<Box<Sealed>>,
}

impl Connection {
    /// The details of the transport, like those of
    /// [`Context::transport_details`](crate::net::Context::transport_details).
    pub fn transport_details(&self) -> Option<TransportDetails> {
        self.sealed.as_ref()?.details()
    }

    /// Whether many exchanges share it: it speaks HTTP/2.
    pub(crate) const fn is_multiplexed(&self) -> bool {
        self.wire.link.is_multiplexed()
    }

    /// Bytes of the protocol that have come, without those of a transport in front of it.
    pub(crate) const fn received(&self) -> u64 {
        self.received
    }

    /// Whether it can carry another request: nothing is under way, and nothing unasked has
    /// come.
    pub(crate) fn is_at_rest(&mut self) -> bool {
        !self.wire.told
            && self.wire.link.is_idle()
            && !self.has_unused()
            && self.output().is_empty()
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.deadline().is_some_and(|at| at <= now)
    }

    /// Whether the server has sent what is of no use yet.
    pub(super) fn has_unused(&self) -> bool {
        !self.input.is_empty() || self.sealed.as_ref().is_some_and(|it| !it.kept.is_empty())
    }

    /// Whether it can carry another request, though output may wait to be written over
    /// HTTP/2.
    pub(crate) fn can_go_on(&mut self) -> bool {
        match self.is_multiplexed() {
            true => !self.wire.told && !self.is_leaving(),
            false => self.is_at_rest(),
        }
    }

    /// Whether it speaks HTTP/2, and takes no further requests.
    pub(crate) const fn is_leaving(&self) -> bool {
        self.is_multiplexed() && !self.wire.link.takes_exchanges()
    }

    pub(crate) fn is_handshaking(&self) -> bool {
        let sealed = self.sealed.as_ref();
        sealed.is_some_and(|it| it.deadline().is_some())
    }

    pub(super) const fn limits(&self) -> &Arc<Limits> {
        &self.limits
    }

    /// Whether the next bytes reach the link as they are: no transport, and no input kept.
    pub(crate) const fn is_bare(&self) -> bool {
        self.sealed.is_none() && self.input.is_empty()
    }

    /// The side that sends.
    pub const fn wire(&mut self) -> &mut Wire {
        &mut self.wire
    }

    /// The connection has ended, and nothing can be sent either.
    pub fn closed(&mut self, why: EndReason, mut owner: impl FnMut(&mut Wire, u32, Event<'_>)) {
        self.tell_gone(why, &mut owner);
    }

    /// Puts into the output what may be sent now, up to some 64 KiB; whether there
    /// is anything to write. To be called until there is not.
    pub fn flush(
        &mut self,
        now: Instant,
        mut owner: impl FnMut(&mut Wire, u32, Event<'_>),
    ) -> bool {
        self.wire.now = now;
        self.see_to_transport(&mut owner);
        if !self.is_handshaking() {
            self.feed(&mut [], &mut owner);
            if let Some(stream) = self.wire.take_relieved() {
                owner(&mut self.wire, stream, Event::Writable);
            }
        }
        !self.output().is_empty()
    }

    /// Whether nothing can come of the link without any input.
    #[inline]
    fn is_quiet(&mut self) -> bool {
        let Wire { link, out, .. } = &mut self.wire;
        !self.ended && (link.is_quiet() || link.is_multiplexed() && link.catch_up(out))
    }

    /// Ends the connection if its transport cannot go on.
    fn see_to_transport(&mut self, owner: &mut impl FnMut(&mut Wire, u32, Event<'_>)) {
        let now = self.wire.now;
        if let Some(gone) = self.sealed.as_mut().and_then(|it| it.fault(now)) {
            self.tell_gone(gone, owner);
        }
    }

    /// The bytes to write. The owner takes them from the front, as many as the
    /// transport has room for.
    pub fn output(&mut self) -> &mut Vec<u8> {
        let Some(sealed) = &mut self.sealed else {
            return &mut self.wire.out;
        };
        sealed.seal(&mut self.wire.out, self.wire.told);
        &mut sealed.out
    }

    /// Whether the transport is to be closed once the output is written.
    pub const fn is_over(&self) -> bool {
        self.wire.told
    }

    /// When [`elapsed`](Self::elapsed) is to be called; `None` if never. Any other
    /// call may change the answer.
    pub fn deadline(&self) -> Option<Instant> {
        match self.wire.told {
            true => None,
            false => match self.sealed.as_ref().and_then(|it| it.deadline()) {
                Some(until) => Some(until),
                None => self.wire.link.deadline(&self.limits),
            },
        }
    }

    /// Does what time has made due: pings, and the end of a connection that is
    /// idle or whose server is silent.
    pub fn elapsed(&mut self, now: Instant, mut owner: impl FnMut(&mut Wire, u32, Event<'_>)) {
        self.wire.now = now;
        self.see_to_transport(&mut owner);
        if self.is_handshaking() {
            return;
        }
        let mut scratch = self.take_scratch();
        while self.deadline().is_some_and(|at| at <= now) {
            let context = CallContext {
                now,
                date: None,
                mask_key: self.wire.mask_key(),
                limits: &self.limits,
                scratch: scratch.lend(),
                shown: &mut self.shown,
            };
            match self.wire.link.elapsed(context, &mut self.wire.out) {
                Ok(Some(event)) => {
                    let stream = self.wire.link.stream();
                    owner(&mut self.wire, stream, event);
                }
                Ok(None) => break,
                Err(error) => self.tell_gone(EndReason::ProtocolError(error), &mut owner),
            }
        }
        spare::give_scratch(scratch);
        self.feed(&mut [], &mut owner);
    }

    fn take_scratch(&self) -> Box<OwnedScratch> {
        let limits = &self.limits;
        let fields = limits.http2.fields.max(limits.http1.fields);
        spare::take_scratch(usize::from(fields) + 8)
    }

    /// Says that output which the owner has taken still waits on our side. To be
    /// called before [`elapsed`](Self::elapsed): a ping after it is not with the
    /// server, whose time to answer counts from the last such call. How long
    /// output may wait is for the owner to limit.
    pub fn output_waits(&mut self, now: Instant) {
        self.wire.link.resume(now);
    }

    /// Gives the link its input, until nothing more comes of it; returns how much
    /// was used.
    fn feed(
        &mut self,
        input: &mut [u8],
        owner: &mut impl FnMut(&mut Wire, u32, Event<'_>),
    ) -> usize {
        self.wire.behind = self.sealed.as_ref().map_or(0, |it| it.out.len());
        if self.wire.told {
            return input.len();
        }
        if input.is_empty() && self.is_quiet() {
            self.wire.pump();
            return 0;
        }
        let mut scratch = self.take_scratch();
        let used = self.feed_with(&mut scratch, input, owner);
        spare::give_scratch(scratch);
        used
    }

    fn feed_with(
        &mut self,
        scratch: &mut OwnedScratch,
        input: &mut [u8],
        owner: &mut impl FnMut(&mut Wire, u32, Event<'_>),
    ) -> usize {
        let (mut at, mut at_end) = (0, false);
        loop {
            if self.wire.told {
                return input.len();
            }
            if self.wire.is_paused || at == input.len() && self.is_quiet() {
                self.wire.pump();
                return at;
            }
            let rest = input.get_mut(at..).unwrap_or_default();
            let context = CallContext {
                now: self.wire.now,
                date: None,
                mask_key: self.wire.mask_key(),
                limits: &self.limits,
                scratch: scratch.lend(),
                shown: &mut self.shown,
            };
            let received = match at_end {
                false => self.wire.link.receive(rest, context, &mut self.wire.out),
                true => self
                    .wire
                    .link
                    .receive_eof(rest, context, &mut self.wire.out),
            };
            let goes_on = match received {
                Ok(Received { used, step }) => {
                    at += used;
                    let goes_on = used > 0 || matches!(step, Step::Need(0) | Step::Event(_));
                    if let Step::Event(event) = step {
                        let stream = self.wire.link.stream();
                        owner(&mut self.wire, stream, event);
                    }
                    goes_on
                }
                Err(error) => {
                    self.tell_gone(EndReason::ProtocolError(error), owner);
                    continue;
                }
            };
            if let Some(shown) = self.shown.take() {
                self.wire.link.reclaim(shown);
            }
            if goes_on {
                continue;
            }
            self.wire.pump();
            if self.wire.link.closing().is_some() {
                let gone = match self.ended {
                    true => EndReason::Disconnected,
                    false => EndReason::Finished,
                };
                self.tell_gone(gone, owner);
            } else if !self.wire.link.is_pending() {
                if at_end || !self.ended {
                    return at;
                }
                at_end = true;
            }
        }
    }

    /// Tells the owner, once, that the connection is over: in each exchange, then
    /// for the connection.
    fn tell_gone(&mut self, gone: EndReason, owner: &mut impl FnMut(&mut Wire, u32, Event<'_>)) {
        if mem::replace(&mut self.wire.told, true) {
            return;
        }
        self.input = Vec::new();
        while let Some((stream, own)) = self.wire.link.take_live() {
            owner(&mut self.wire, stream, Event::Ended(own.unwrap_or(gone)));
        }
        owner(&mut self.wire, 0, Event::Ended(gone));
    }
}

#[cfg(test)]
mod tests;
