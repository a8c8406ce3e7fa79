//! Receiving: a connection's way through its input.

use core::ops::Range;

use super::{Connection, Phase};
use crate::http::CallContext;
use crate::websocket::{
    Kind, Limits, ProtocolError, close,
    extension::Reserved,
    frame::{Decoded, Head, Opcode},
    located_event::{LocatedEvent, What},
    mask::Mask,
    message::Progress,
    timer::Tick,
};
use crate::wire::{FAST, Instant, Role, Sink, simd};

impl Connection {
    /// Finds the next event, or what it needs, and the bytes done with.
    #[inline(always)]
    pub(super) fn find(
        &mut self,
        input: &mut [u8],
        lent: &mut CallContext<'_, Limits>,
        out: &mut impl Sink,
    ) -> Result<(usize, LocatedEvent), ProtocolError> {
        if FAST
            && !self.assembly.is_open()
            && let Some((kind, Range { start, end })) = self.find_whole(input, lent.limits)
        {
            self.heard(lent.now);
            self.active = Tick::at(lent.now);
            let what = match self.assembly.is_streaming() {
                true => What::Chunk { kind, last: true },
                false => What::Message(kind),
            };
            let (from, to) = (start, end);
            return Ok((end, LocatedEvent { what, from, to }));
        }
        self.find_in_pieces(input, lent, out)
    }

    /// [Receives](Self::receive) a complete message at the front of the input. `None` if
    /// something else comes first.
    #[cfg(feature = "alloc")]
    #[inline(always)]
    pub(crate) fn take_message(
        &mut self,
        input: &mut [u8],
        limits: &Limits,
        now: Instant,
    ) -> Option<(Kind, Range<usize>)> {
        let is_open = matches!(self.phase, Phase::Open | Phase::Pinged | Phase::CloseSent);
        let is_usual = FAST && is_open && !self.assembly.is_open() && !self.assembly.is_streaming();
        if !is_usual {
            return None;
        }
        let found = self.find_whole(input, limits)?;
        self.heard(now);
        self.active = Tick::at(now);
        Some(found)
    }

    /// Finds the message at the front of `input` right after [`receive`](Self::receive) gave
    /// one at the same time. `None` if something else comes first, which `receive` then finds.
    #[cfg(feature = "alloc")]
    #[inline(always)]
    pub(crate) fn find_further(
        &self,
        input: &mut [u8],
        limits: &Limits,
    ) -> Option<(Kind, Range<usize>)> {
        let is_open = FAST
            && self.phase == Phase::Open
            && !self.assembly.is_open()
            && !self.assembly.is_streaming();
        match is_open {
            true => self.find_whole(input, limits),
            false => None,
        }
    }

    /// The usual case: one uncompressed frame that is a whole message at the front; unmasks it.
    /// Otherwise the input is unchanged. Inlined, so that its event is made in place.
    #[inline(always)]
    fn find_whole(&self, input: &mut [u8], limits: &Limits) -> Option<(Kind, Range<usize>)> {
        let (kind, place, mask) = Head::decode_message(input, self.sender())?;
        if !self.assembly.takes_message(place.len(), limits) {
            return None;
        }
        let payload = input.get_mut(place.clone())?;
        let is_plain = match kind {
            Kind::Text => simd::mask_is_ascii(payload, mask),
            Kind::Binary if mask == [0; 4] => true,
            Kind::Binary => {
                simd::mask(payload, mask);
                true
            }
        };
        if !is_plain && !simd::is_utf8(payload) {
            simd::mask(payload, mask); // in pieces, it is found where the fault is
            return None;
        }
        Some((kind, place))
    }

    /// Frame by frame, until there is an event or the input has ended.
    #[inline(never)]
    fn find_in_pieces(
        &mut self,
        input: &mut [u8],
        lent: &mut CallContext<'_, Limits>,
        out: &mut impl Sink,
    ) -> Result<(usize, LocatedEvent), ProtocolError> {
        #[cfg(feature = "alloc")]
        if let Some(found) = self.find_compressed(input, lent)? {
            return Ok(found);
        }
        let mut used = 0;
        loop {
            used += self
                .assembly
                .close_gap(input.get_mut(used..).unwrap_or_default(), 0);
            let front = input.get_mut(used..).unwrap_or_default();
            if self.assembly.in_frame() || self.assembly.has_kept() {
                match self.advance(front, &mut used, lent)? {
                    Some(found) => return Ok((used, found)),
                    None => continue,
                }
            }
            let at = self.assembly.span();
            let rest = front.get_mut(at..).unwrap_or_default();
            let claimed = self.claimed();
            let (head, size) = match Head::decode(rest, self.sender(), claimed)? {
                Decoded::Head { head, size } => (head, size),
                Decoded::Need(more) => return Ok((used, LocatedEvent::need(more))),
            };
            // Only the first frame of a message says that it is compressed (RFC 7692 §6).
            if head.reserved != Reserved::NONE
                && !matches!(head.opcode, Opcode::Text | Opcode::Binary)
            {
                return Err(ProtocolError::ReservedBits);
            }
            let start = match head.opcode {
                Opcode::Text => Some(Kind::Text),
                Opcode::Binary => Some(Kind::Binary),
                Opcode::Continuation => None,
                Opcode::Close | Opcode::Ping | Opcode::Pong => {
                    let length = head.length as usize; // <= 125
                    let Some(payload) = rest.get_mut(size..size + length) else {
                        return Ok((used, LocatedEvent::need(size + length - rest.len())));
                    };
                    let what = self.control(&head, payload, lent, out)?;
                    let reason = matches!(what, What::Close(Some(_))) as usize * 2;
                    let from = used + at + size;
                    let found = LocatedEvent {
                        what,
                        from: from + reason,
                        to: from + length,
                    };
                    used += self.assembly.skip(size + length);
                    return Ok((used, found));
                }
            };
            self.heard(lent.now);
            self.assembly.begin(&head, start, lent.now, lent.limits)?;
            used += self.assembly.skip(size);
            if start.is_some() && !self.is_closing() {
                self.wake_within(lent.limits.message_timeout, lent.now);
            }
        }
    }

    /// Takes what has arrived of an open frame; `None` if the next frame is to
    /// be looked at.
    fn advance(
        &mut self,
        front: &mut [u8],
        used: &mut usize,
        lent: &mut CallContext<'_, Limits>,
    ) -> Result<Option<LocatedEvent>, ProtocolError> {
        let (now, before) = (lent.now, *used);
        if front.len() > self.assembly.span() {
            self.heard(now);
        }
        let progress = self.assembly.advance(front, used)?;
        #[cfg(feature = "alloc")]
        if self.assembly.is_compressed() {
            let front = front.get_mut(*used - before..).unwrap_or_default();
            return self.inflate(progress, front, used, lent);
        }
        #[cfg(not(feature = "alloc"))]
        let _ = before;
        Ok(Some(match progress {
            Progress::FrameEnd => return Ok(None),
            Progress::Need(more) => LocatedEvent::need(more),
            Progress::Ready { kind, ready, last } => {
                if last {
                    self.active = Tick::at(now);
                }
                let what = match self.assembly.is_streaming() {
                    true => What::Chunk { kind, last },
                    false => What::Message(kind),
                };
                let (from, to) = (*used, *used + ready);
                *used += self.assembly.give(ready, last);
                LocatedEvent { what, from, to }
            }
        }))
    }

    fn control(
        &mut self,
        head: &Head,
        payload: &mut [u8],
        lent: &CallContext<'_, Limits>,
        out: &mut impl Sink,
    ) -> Result<What, ProtocolError> {
        self.heard(lent.now);
        Mask::new(head.mask.unwrap_or_default()).apply(payload);
        if head.opcode == Opcode::Close {
            let (code, _) = close::parse(payload)?;
            if self.phase != Phase::CloseSent {
                self.put_close(code, "", lent.mask_key, out);
            }
            self.phase = Phase::Closed;
            self.forget_all();
            self.since = Tick::at(lent.now);
            self.wake = match self.role {
                Role::Client => lent.now + lent.limits.close_timeout,
                Role::Server => Instant::NEVER,
            };
            return Ok(What::Close(code));
        }
        if head.opcode == Opcode::Pong && self.pings > 0 {
            self.pings -= 1; // a ping of ours asked for it
            return Ok(What::Pong);
        }
        if !self.control.spend(1, lent.limits.control_rate, lent.now) {
            return Err(ProtocolError::ControlFlood);
        }
        if head.opcode == Opcode::Pong {
            return Ok(What::Pong);
        }
        // Also after a Close of ours: only one that was received excuses the
        // pong (RFC 6455 §5.5.2).
        self.put_control(Opcode::Pong, [payload, &[]], lent.mask_key, out);
        Ok(What::Ping)
    }

    #[inline]
    pub(super) const fn sender(&self) -> Role {
        match self.role {
            Role::Client => Role::Server,
            Role::Server => Role::Client,
        }
    }
}
