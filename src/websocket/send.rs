//! How a connection sends.

#[cfg(feature = "alloc")]
use bytes::Bytes;

use super::{
    CloseCode, Connection, Kind, Misuse,
    close::Payload,
    connection::Phase,
    extension::Reserved,
    frame::{Head, MAX_CONTROL, MAX_HEAD, Opcode, message_head},
    mask::Mask,
    timer::Tick,
};
use crate::wire::{Instant, Role, Sink};

/// From this size on a shared payload is worth a reference of its own.
#[cfg(feature = "alloc")]
const SHARED: usize = 4096;

impl Connection {
    /// Sends one whole message in one frame. The payload of a text must be
    /// UTF-8; that is not checked. A client masks with `chance`, four
    /// unpredictable bytes for this frame alone (RFC 6455 §10.3); a server
    /// ignores it.
    ///
    /// # Errors
    /// [`Misuse::Closed`], [`Misuse::MessageOpen`], [`Misuse::NoRoom`].
    #[inline]
    pub fn send_message(
        &mut self,
        kind: Kind,
        payload: &[u8],
        chance: [u8; 4],
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<(), Misuse> {
        self.may_send_message(payload.len(), out)?;
        self.put_frame(message_head(kind, payload.len()), payload, chance, out);
        self.active = Tick::at(now);
        Ok(())
    }

    /// As [`send_message`](Self::send_message), but a server gives a large
    /// payload to the output by reference, without a copy.
    ///
    /// # Errors
    /// As `send_message`.
    #[cfg(feature = "alloc")]
    pub fn send_message_shared(
        &mut self,
        kind: Kind,
        payload: Bytes,
        chance: [u8; 4],
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<(), Misuse> {
        if self.role == Role::Client || payload.len() < SHARED {
            return self.send_message(kind, &payload, chance, now, out);
        }
        self.may_send_message(payload.len(), out)?;
        out.put(message_head(kind, payload.len()).encode().as_bytes());
        out.put_shared(payload);
        self.active = Tick::at(now);
        Ok(())
    }

    /// Books a whole message that was encoded by
    /// [`encode_message`](super::encode_message), and that the caller sends on
    /// this connection now: publishing encodes once for all.
    ///
    /// # Errors
    /// [`Misuse::Closed`], [`Misuse::MessageOpen`]: it must not be sent.
    #[inline]
    pub const fn book_message(&mut self, now: Instant) -> Result<(), Misuse> {
        if self.is_closing() {
            return Err(Misuse::Closed);
        }
        if self.sending.is_some() {
            return Err(Misuse::MessageOpen);
        }
        self.active = Tick::at(now);
        Ok(())
    }

    /// Sends the next fragment of a message; the first one opens it, the one
    /// with `last` ends it. Control frames may be sent in between, other
    /// messages not (RFC 6455 §5.4).
    ///
    /// # Errors
    /// [`Misuse::Closed`], [`Misuse::NoRoom`]; [`Misuse::MessageOpen`] if the
    /// open message is of the other kind.
    pub fn send_chunk(
        &mut self,
        kind: Kind,
        payload: &[u8],
        last: bool,
        chance: [u8; 4],
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<(), Misuse> {
        let opcode = match self.sending {
            None => kind.into(),
            Some(open) if open == kind => Opcode::Continuation,
            Some(_) => return Err(Misuse::MessageOpen),
        };
        self.may_send(payload.len(), out)?;
        let head = Head {
            fin: last,
            opcode,
            ..message_head(kind, payload.len())
        };
        self.put_frame(head, payload, chance, out);
        self.sending = if last { None } else { Some(kind) };
        self.active = Tick::at(now);
        Ok(())
    }

    /// Sends a ping of at most 125 bytes. Its pong comes as an event; the
    /// connection's own keep-alive is not touched.
    ///
    /// # Errors
    /// [`Misuse::Closed`], [`Misuse::ControlTooLong`], [`Misuse::NoRoom`].
    pub fn send_ping(
        &mut self,
        payload: &[u8],
        chance: [u8; 4],
        out: &mut impl Sink,
    ) -> Result<(), Misuse> {
        self.send_control(Opcode::Ping, payload, chance, out)
    }

    /// Sends a pong that nobody asked for, of at most 125 bytes: a sign of
    /// life (RFC 6455 §5.5.3). Pings are answered without this.
    ///
    /// # Errors
    /// As [`send_ping`](Self::send_ping).
    pub fn send_pong(
        &mut self,
        payload: &[u8],
        chance: [u8; 4],
        out: &mut impl Sink,
    ) -> Result<(), Misuse> {
        self.send_control(Opcode::Pong, payload, chance, out)
    }

    /// Starts the end of the connection: sends a Close frame with a code, or
    /// without one and then without a reason. What the peer still sends goes
    /// on to be received, until its own Close frame comes or
    /// [`Limits::close_timeout`](super::Limits::close_timeout) has passed.
    ///
    /// # Errors
    /// [`Misuse::Closed`] if one was sent before; [`Misuse::InvalidCloseCode`];
    /// [`Misuse::ControlTooLong`] for a reason of more than 123 bytes;
    /// [`Misuse::NoRoom`].
    pub fn send_close(
        &mut self,
        code: impl Into<Option<CloseCode>>,
        reason: &str,
        chance: [u8; 4],
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<(), Misuse> {
        let code = code.into();
        if !code.map_or(reason.is_empty(), CloseCode::is_sendable) {
            return Err(Misuse::InvalidCloseCode);
        }
        let payload = Payload::new(code, reason).ok_or(Misuse::ControlTooLong)?;
        self.send_control(Opcode::Close, payload.as_bytes(), chance, out)?;
        self.phase = Phase::CloseSent;
        self.since = Tick::at(now);
        self.wake = now; // `elapsed` knows how long to wait
        Ok(())
    }

    #[inline]
    fn may_send_message(&self, length: usize, out: &impl Sink) -> Result<(), Misuse> {
        if self.sending.is_some() {
            return Err(Misuse::MessageOpen);
        }
        self.may_send(length, out)
    }

    #[inline]
    fn may_send(&self, length: usize, out: &impl Sink) -> Result<(), Misuse> {
        if self.is_closing() {
            return Err(Misuse::Closed);
        }
        if out.room() < length.saturating_add(MAX_HEAD) {
            return Err(Misuse::NoRoom);
        }
        Ok(())
    }

    fn send_control(
        &mut self,
        opcode: Opcode,
        payload: &[u8],
        chance: [u8; 4],
        out: &mut impl Sink,
    ) -> Result<(), Misuse> {
        if payload.len() > MAX_CONTROL {
            return Err(Misuse::ControlTooLong);
        }
        self.may_send(payload.len(), out)?;
        self.put_control(opcode, payload, chance, out);
        Ok(())
    }

    /// Appends a control frame of at most 125 bytes; the room is there.
    pub(super) fn put_control(
        &self,
        opcode: Opcode,
        payload: &[u8],
        chance: [u8; 4],
        out: &mut impl Sink,
    ) {
        let head = Head {
            fin: true,
            reserved: Reserved::NONE,
            opcode,
            mask: None,
            length: payload.len() as u64,
        };
        self.put_frame(head, payload, chance, out);
    }

    /// Appends a Close frame; the room is there and the code is sendable.
    pub(super) fn put_close(
        &self,
        code: Option<CloseCode>,
        reason: &'static str,
        chance: [u8; 4],
        out: &mut impl Sink,
    ) {
        // Our own reasons are shorter than 123 bytes.
        if let Some(payload) = Payload::new(code, reason) {
            self.put_control(Opcode::Close, payload.as_bytes(), chance, out);
        }
    }

    /// Appends one frame, masked if we are the client.
    #[inline]
    fn put_frame(&self, mut head: Head, payload: &[u8], chance: [u8; 4], out: &mut impl Sink) {
        match self.role {
            Role::Server => {
                out.put(head.encode().as_bytes());
                out.put(payload);
            }
            Role::Client => {
                head.mask = Some(chance);
                out.put(head.encode().as_bytes());
                let place = out.space(payload.len());
                // Equal lengths, as the room was checked.
                let n = place.len().min(payload.len());
                place[..n].copy_from_slice(&payload[..n]);
                Mask::new(chance).apply(place);
            }
        }
    }
}
