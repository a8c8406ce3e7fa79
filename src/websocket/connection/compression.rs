//! The compression of a connection (RFC 7692).

use alloc::boxed::Box;

use super::Connection;
use crate::http::CallContext;
use crate::websocket::deflate::{Context, Meter, Session, Window, inflate_message, worthwhile};
use crate::websocket::{
    Kind, Limits, ProtocolError, UsageError,
    extension::Reserved,
    frame::{Decoded, Head, Opcode, message_head},
    located_event::{LocatedEvent, What},
    mask::Mask,
    message::{Progress, longer},
    timer::{Action, Due, Tick},
};
use crate::wire::codec::Deflater;
use crate::wire::{FAST, Instant, Sink};

impl Connection {
    /// Compresses messages, as client and server have agreed on. To be chosen before
    /// anything is received. What comes compressed is inflated by what is lent with
    /// [`Scratch::with_inflater`](crate::http::Scratch::with_inflater); what is sent is
    /// compressed by [`send_message_deflated`](Self::send_message_deflated).
    #[must_use]
    pub const fn compressed(mut self, session: Session) -> Self {
        self.deflate = Some(session);
        self
    }

    /// The compression that was agreed on, if any was.
    #[inline]
    pub const fn compression(&self) -> Option<Session> {
        self.deflate
    }

    /// Chooses the compression of a connection that has just begun.
    pub(crate) const fn set_compression(&mut self, session: Session) {
        self.deflate = Some(session);
    }

    /// Bytes of memory that it keeps for its compression: the ends of earlier messages,
    /// states of its own, and that of a message that is arriving in pieces.
    pub fn compression_memory(&self) -> usize {
        self.context
            .as_ref()
            .map_or(0, |it| it.held() + size_of::<Context>())
    }

    /// Has `meter` told of that memory whenever it changes.
    pub(crate) fn meter_compression(&mut self, meter: Box<dyn Meter>) {
        if let Some(context) = &mut self.context {
            context.set_meter(meter);
        }
    }

    /// Whether it keeps memory that no account was told of.
    #[inline]
    pub(crate) fn lacks_meter(&self) -> bool {
        self.context.as_ref().is_some_and(|it| it.lacks_meter())
    }

    /// [Sends](Self::send_message) one whole message, compressed where that was agreed on,
    /// the message is not below the [threshold](crate::wire::codec::Compression::threshold), and it
    /// becomes shorter; with takeover, text also where it does not, as the next message may
    /// refer to it. The output needs room for the message and 64 bytes.
    ///
    /// # Errors
    /// Those of `send_message`.
    pub fn send_message_deflated(
        &mut self,
        kind: Kind,
        payload: &[u8],
        mask_key: [u8; 4],
        now: Instant,
        deflater: &mut Deflater,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        let Some(session) = self.deflate else {
            return self.send_message(kind, payload, mask_key, now, out);
        };
        let compression = deflater.compression(session.compression());
        let bits = session.sending_window().get();
        if payload.len() < compression.threshold as usize || !deflater.can_do(bits) {
            deflater.tally.left_plain += 1;
            return self.send_message(kind, payload, mask_key, now, out);
        }
        self.may_send_message(payload.len() + payload.len() / 64 + 64, out)?;
        let packed = match session.sends_with_takeover() {
            true => {
                let context = self.context.get_or_insert_default();
                context.deflate(&session, compression, (kind, payload), deflater)
            }
            false => {
                let packed = deflater.deflate(compression.level, bits, &[], payload);
                worthwhile(packed, payload.len())
            }
        };
        match packed {
            Some(packed) => {
                let head = Head {
                    reserved: Reserved::RSV1,
                    ..message_head(kind, packed.len())
                };
                self.put_payload(head, packed, mask_key, out);
                let size = packed.len();
                deflater.tally.add(payload.len(), size, true);
            }
            None => {
                self.put_payload(message_head(kind, payload.len()), payload, mask_key, out);
                deflater.tally.left_plain += 1;
            }
        }
        deflater.trim();
        self.active = Tick::at(now);
        Ok(())
    }

    #[inline]
    pub(super) const fn claimed(&self) -> Reserved {
        match self.deflate {
            Some(_) => Reserved::RSV1,
            None => Reserved::NONE,
        }
    }

    /// Takes what the assembly has found of a compressed message: `front` begins with it.
    pub(super) fn inflate(
        &mut self,
        progress: Progress,
        front: &[u8],
        used: &mut usize,
        lent: &mut CallContext<'_, Limits>,
    ) -> Result<Option<LocatedEvent>, ProtocolError> {
        let is_streaming = self.assembly.is_streaming();
        let (ready, last) = match progress {
            Progress::Ready { ready, last, .. } => (ready, last),
            Progress::FrameEnd => return Ok(None),
            Progress::Need(more) => return Ok(Some(LocatedEvent::need(more))),
        };
        let (Some(session), Some(kind)) = (self.deflate, self.assembly.kind()) else {
            return Err(ProtocolError::ReservedBits); // it was checked with its head
        };
        let message = front.get(..ready).unwrap_or_default();
        if !is_streaming {
            let length = self.inflate_whole(&session, (kind, message), lent)?;
            *used += self.assembly.give(ready, true);
            return Ok(Some(LocatedEvent {
                what: What::Inflated(kind),
                from: 0,
                to: length,
            }));
        }
        let inflater = lent.scratch.inflater();
        let inflater = inflater.ok_or(ProtocolError::NoInflater)?;
        let context = self.context.get_or_insert_default();
        let piece = (kind, message, last);
        let piece = context.inflate_piece(&session, piece, lent.limits, inflater)?;
        if piece.last {
            self.active = Tick::at(lent.now);
            *used += self.assembly.give(ready, true);
        } else {
            *used += self.assembly.give_part(piece.read, ready);
        }
        if piece.plain > 0 || piece.last {
            let last = piece.last;
            return Ok(Some(LocatedEvent {
                what: What::InflatedChunk { kind, last },
                from: 0,
                to: piece.plain,
            }));
        }
        Ok(match self.assembly.in_frame() {
            true => Some(LocatedEvent::need(1)),
            false => None, // the next head says
        })
    }

    /// Inflates a complete message; how long it is.
    fn inflate_whole(
        &mut self,
        session: &Session,
        message: (Kind, &[u8]),
        lent: &mut CallContext<'_, Limits>,
    ) -> Result<usize, ProtocolError> {
        let inflater = lent.scratch.inflater();
        let inflater = inflater.ok_or(ProtocolError::NoInflater)?;
        self.active = Tick::at(lent.now);
        if self.context.is_none() && !session.receives_with_takeover() {
            let most = session.receiving_window().bytes();
            return inflate_message(&Window::NONE, most, message, lent.limits, inflater, None);
        }
        let context = self.context.get_or_insert_default();
        context.inflate(session, message, lent.limits, inflater)
    }

    /// The usual case: one frame with a compressed message at the front. Otherwise the input is
    /// unchanged.
    pub(super) fn find_compressed(
        &mut self,
        input: &mut [u8],
        lent: &mut CallContext<'_, Limits>,
    ) -> Result<Option<(usize, LocatedEvent)>, ProtocolError> {
        let Some(session) = self.deflate else {
            return Ok(None);
        };
        if !FAST || self.assembly.is_open() || self.assembly.is_streaming() {
            return Ok(None);
        }
        let head = Head::decode(input, self.sender(), Reserved::RSV1);
        let Ok(Decoded::Head { head, size }) = head else {
            return Ok(None); // in pieces, it is found why
        };
        let kind = match head.opcode {
            Opcode::Text if head.fin => Kind::Text,
            Opcode::Binary if head.fin => Kind::Binary,
            _ => return Ok(None),
        };
        let end = match usize::try_from(head.length) {
            Ok(length) if length <= input.len() - size => size + length, // size <= len
            _ => return Ok(None),
        };
        let Some(payload) = input.get_mut(size..end) else {
            return Ok(None);
        };
        if head.reserved == Reserved::NONE {
            return Ok(None);
        }
        let most = (longer(lent.limits.frame), longer(lent.limits.message));
        self.assembly.judge(&head, Some(kind), lent.limits, most)?;
        Mask::new(head.mask.unwrap_or_default()).apply(payload);
        self.heard(lent.now);
        let to = self.inflate_whole(&session, (kind, payload), lent)?;
        let what = What::Inflated(kind);
        Ok(Some((end, LocatedEvent { what, from: 0, to })))
    }

    /// The sooner of `due` and the time at which the window of sent messages is
    /// forgotten.
    pub(super) fn or_forget(&self, due: Due, now: Instant, limits: &Limits) -> Due {
        match &self.context {
            Some(context) if context.keeps_sent() => {
                let forget = Due::after(Action::Forget, self.active, limits.deflate_idle, now);
                due.or(forget)
            }
            _ => due,
        }
    }

    /// Forgets what was sent: the next message refers to nothing before it, and the memory
    /// is given back. May be called at any time.
    pub fn forget_sent(&mut self) {
        if let Some(context) = &mut self.context {
            context.forget_sent();
            if context.is_empty() {
                self.context = None;
            }
        }
    }

    /// Gives back all memory: nothing more is received or sent.
    pub(super) fn forget_all(&mut self) {
        self.context = None;
    }

    /// Whether there is nothing of its compression that a rest would lose.
    pub(super) fn keeps_nothing(&self) -> bool {
        self.context.as_ref().is_none_or(|it| it.is_empty())
    }
}
