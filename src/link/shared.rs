//! Questions and calls to a connection that many exchanges share.
//! Where there is one exchange at a time, each of these has a simple answer.

use super::protocol::Protocol;
use super::{EndReason, Link, UsageError};
use crate::wire::{Instant, Sink};

impl Link {
    /// The owner's own number for an exchange that shares its connection;
    /// `None` where the connection's own number is the exchange's too.
    #[inline]
    pub fn tag(&self, stream: u32) -> Option<u32> {
        match &self.protocol {
            Protocol::Http2(many) => many.tag(stream),
            _ => None,
        }
    }

    /// Sets that number; `false` where the connection's own is to be set.
    #[inline]
    pub fn set_tag(&mut self, stream: u32, tag: u32) -> bool {
        match &mut self.protocol {
            Protocol::Http2(many) if stream != 0 => {
                many.set_tag(stream, tag);
                true
            }
            _ => false,
        }
    }

    /// Stops or resumes the reading of one stream; `false` where all of the
    /// input is to be withheld.
    pub fn set_reading(&mut self, stream: u32, reading: bool, now: Instant) -> bool {
        match &mut self.protocol {
            Protocol::Http2(many) => {
                many.set_reading(stream, reading, now);
                true
            }
            _ => false,
        }
    }

    /// Keeps the content that the peer sends in an exchange counted against its window
    /// until [`consume`](Self::consume) gives it back, and not only until the owner has
    /// seen it: for owners that keep content. They are given content also while what they
    /// write waits, so that neither side waits for the other for ever. `false` where
    /// windows are not known.
    pub fn let_owner_consume(&mut self, stream: u32) -> bool {
        match &mut self.protocol {
            Protocol::Http2(many) => {
                many.let_owner_consume(stream);
                true
            }
            _ => false,
        }
    }

    /// Opens the peer's window again for `bytes` of content that the owner has done with,
    /// after [`let_owner_consume`](Self::let_owner_consume). For an exchange that is
    /// over, the rest is given back by itself.
    pub fn consume(&mut self, stream: u32, bytes: usize, out: &mut impl Sink) {
        if let Protocol::Http2(many) = &mut self.protocol {
            many.machine_mut().consume(stream, bytes, out);
        }
    }

    /// Ends an exchange immediately, with an error code of HTTP/2; other protocols
    /// have to end their connection. Its owner is told `gone`.
    ///
    /// # Errors
    /// [`UsageError::OtherProtocol`] unless the exchange has a stream of its own,
    /// [`UsageError::Over`] if it is over.
    pub fn reset(
        &mut self,
        stream: u32,
        code: u32,
        gone: EndReason,
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        match &mut self.protocol {
            Protocol::Http2(many) if stream != 0 => {
                let code = crate::http2::ErrorCode::new(code);
                many.reset(stream, code, gone, now, out)
            }
            _ => Err(UsageError::OtherProtocol),
        }
    }

    /// Bytes that wait for the stream of an exchange to take them.
    #[inline]
    pub fn queued(&self, stream: u32) -> usize {
        match &self.protocol {
            Protocol::Http2(many) => many.queued(stream),
            _ => 0,
        }
    }

    /// Bytes that waited for the stream of an exchange when it was reset, and
    /// are not sent.
    pub fn unsent(&self, stream: u32) -> u64 {
        match &self.protocol {
            Protocol::Http2(many) => many.unsent(stream),
            _ => 0,
        }
    }

    /// Notes that the writer of one stream was asked to wait, or with 0 the caller that
    /// sends requests; `false` where the whole connection waits.
    pub fn wait(&mut self, stream: u32) -> bool {
        match &mut self.protocol {
            Protocol::Http2(many) => {
                many.wait(stream);
                true
            }
            _ => false,
        }
    }

    /// Says how many bytes of content may be put out from here on. Heads and
    /// control frames are not counted.
    #[inline]
    pub fn set_room(&mut self, room: usize) {
        if let Protocol::Http2(many) = &mut self.protocol {
            many.set_room(room)
        }
    }

    /// Puts out what waits for its stream, in fair turns, as far as windows
    /// and room allow. A writer that waits need not any more once no more than
    /// `low` bytes wait on its stream.
    #[inline]
    pub fn pump(&mut self, low: usize, now: Instant, out: &mut impl Sink) {
        if let Protocol::Http2(many) = &mut self.protocol {
            many.pump(low, now, out)
        }
    }

    /// Whether [`pump`](Self::pump) could put out something.
    #[inline]
    pub fn has_output(&self) -> bool {
        match &self.protocol {
            Protocol::Http2(many) => many.has_output(),
            _ => false,
        }
    }

    /// Whether [`receive`](Self::receive) has something to give without any
    /// input.
    #[inline]
    pub fn is_pending(&self) -> bool {
        match &self.protocol {
            Protocol::Http1(machine) => machine.has_end(),
            Protocol::Http2(many) => many.is_pending(),
            Protocol::WebSocket(_) | Protocol::Raw { .. } => false,
        }
    }

    /// Whether it speaks a one-exchange protocol and [`receive`](Self::receive) would do
    /// nothing without input.
    #[cfg(feature = "client")]
    #[inline]
    pub(crate) fn is_quiet(&self) -> bool {
        self.over.is_none()
            && match &self.protocol {
                Protocol::Http1(machine) => machine.awaits_input(),
                Protocol::WebSocket(machine) => !machine.is_closing(),
                Protocol::Http2(_) | Protocol::Raw { .. } => false,
            }
    }

    /// The next exchange, by its stream, whose owner does not know yet that
    /// the connection is over, and why it is over itself, if it was before.
    /// `None` where the connection's end says it all.
    pub fn take_live(&mut self) -> Option<(u32, Option<EndReason>)> {
        match &mut self.protocol {
            Protocol::Http2(many) => many.take_live(),
            _ => None,
        }
    }

    /// How many further exchanges the peer allows us at the moment: those of
    /// an HTTP/2 connection that it serves at a time.
    pub fn allowance(&self) -> usize {
        match &self.protocol {
            Protocol::Http1(machine) => usize::from(machine.is_idle()),
            Protocol::Http2(many) => {
                let machine = many.machine();
                match machine.is_closing() {
                    true => 0,
                    false => (machine.max_streams() as usize).saturating_sub(machine.streams()),
                }
            }
            Protocol::WebSocket(_) | Protocol::Raw { .. } => 0,
        }
    }

    /// How many exchanges the peer allows at one time, those under way included; none if it
    /// takes no more.
    #[cfg(feature = "client")]
    pub(crate) const fn exchanges_allowed(&self) -> usize {
        match &self.protocol {
            Protocol::Http2(many) if !many.machine().is_closing() => {
                many.machine().max_streams() as usize
            }
            _ => 0,
        }
    }

    /// Whether it may carry further exchanges, perhaps later.
    pub(crate) const fn takes_exchanges(&self) -> bool {
        matches!(&self.protocol, Protocol::Http2(many) if !many.machine().is_closing())
    }
}
