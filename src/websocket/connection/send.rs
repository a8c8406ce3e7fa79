//! Sending.

#[cfg(feature = "alloc")]
use bytes::Bytes;

use super::{Connection, Phase};
use crate::websocket::{
    CloseCode, Kind, UsageError,
    extension::Reserved,
    frame::{Head, MAX_CONTROL, MAX_HEAD, Opcode, message_head},
    mask::Mask,
    timer::Tick,
};
use crate::wire::{FAST, Instant, Role, Sink};

/// From this size on a shared payload is worth a reference of its own.
#[cfg(feature = "alloc")]
const SHARED: usize = 4096;

impl Connection {
    /// Sends one whole message in one frame. The payload of a text must be
    /// UTF-8; that is not checked. A client masks with `mask_key`, four
    /// unpredictable bytes for this frame alone (RFC 6455 §10.3); a server
    /// ignores it.
    ///
    /// # Errors
    /// [`UsageError::Closed`], [`UsageError::MessageOpen`], [`UsageError::NoRoom`].
    #[inline(always)]
    pub fn send_message(
        &mut self,
        kind: Kind,
        payload: &[u8],
        mask_key: [u8; 4],
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        self.may_send_message(payload.len(), out)?;
        self.put_payload(message_head(kind, payload.len()), payload, mask_key, out);
        self.active = Tick::at(now);
        Ok(())
    }

    /// [Sends](Self::send_message) one whole message; a server gives a large payload to
    /// the output by reference, without a copy.
    ///
    /// # Errors
    /// Those of `send_message`.
    #[cfg(feature = "alloc")]
    pub fn send_message_shared(
        &mut self,
        kind: Kind,
        payload: Bytes,
        mask_key: [u8; 4],
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        if self.role == Role::Client || payload.len() < SHARED {
            return self.send_message(kind, &payload, mask_key, now, out);
        }
        self.may_send_message(payload.len(), out)?;
        message_head(kind, payload.len()).encode().put(out);
        out.put_shared(payload);
        self.active = Tick::at(now);
        Ok(())
    }

    /// Books a whole message that was encoded by
    /// [`encode_message`](crate::websocket::encode_message), and that the caller sends on
    /// this connection now: publishing encodes once for all.
    ///
    /// # Errors
    /// [`UsageError::Closed`], [`UsageError::MessageOpen`]: it must not be sent.
    #[inline]
    pub const fn book_message(&mut self, now: Instant) -> Result<(), UsageError> {
        if self.is_closing() {
            return Err(UsageError::Closed);
        }
        if self.sending.is_some() {
            return Err(UsageError::MessageOpen);
        }
        self.active = Tick::at(now);
        Ok(())
    }

    /// Sends the next fragment of a message; the first one opens it, the one
    /// with `last` ends it. Control frames may be sent in between, other
    /// messages not (RFC 6455 §5.4).
    ///
    /// # Errors
    /// [`UsageError::Closed`], [`UsageError::NoRoom`]; [`UsageError::MessageOpen`] if the
    /// open message is of the other kind.
    pub fn send_chunk(
        &mut self,
        kind: Kind,
        payload: &[u8],
        last: bool,
        mask_key: [u8; 4],
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        let opcode = match self.sending {
            None => kind.into(),
            Some(open) if open == kind => Opcode::Continuation,
            Some(_) => return Err(UsageError::MessageOpen),
        };
        self.may_send(payload.len(), out)?;
        let head = Head {
            fin: last,
            opcode,
            ..message_head(kind, payload.len())
        };
        self.put_payload(head, payload, mask_key, out);
        self.sending = if last { None } else { Some(kind) };
        self.active = Tick::at(now);
        Ok(())
    }

    /// Sends a ping of at most 125 bytes. Its pong comes as an event; the
    /// connection's own keep-alive is not touched.
    ///
    /// # Errors
    /// [`UsageError::Closed`], [`UsageError::ControlTooLong`], [`UsageError::NoRoom`].
    pub fn send_ping(
        &mut self,
        payload: &[u8],
        mask_key: [u8; 4],
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        self.may_send_control(payload.len(), out)?;
        self.put_ping(payload, mask_key, out);
        Ok(())
    }

    /// Sends a pong that answers no ping, of at most 125 bytes: a sign of life
    /// (RFC 6455 §5.5.3). Pings are answered without this.
    ///
    /// # Errors
    /// Those of [`send_ping`](Self::send_ping).
    pub fn send_pong(
        &mut self,
        payload: &[u8],
        mask_key: [u8; 4],
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        self.may_send_control(payload.len(), out)?;
        self.put_control(Opcode::Pong, [payload, &[]], mask_key, out);
        Ok(())
    }

    /// Starts the end of the connection: sends a Close frame with a code, or
    /// without one and then without a reason. What the peer still sends is
    /// received, until its own Close frame comes or
    /// [`Limits::close_timeout`](crate::websocket::Limits::close_timeout) has passed.
    ///
    /// # Errors
    /// [`UsageError::Closed`] if one was sent before; [`UsageError::InvalidCloseCode`];
    /// [`UsageError::ControlTooLong`] for a reason of more than 123 bytes;
    /// [`UsageError::NoRoom`].
    pub fn send_close(
        &mut self,
        code: impl Into<Option<CloseCode>>,
        reason: &str,
        mask_key: [u8; 4],
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        let code = code.into();
        if !code.map_or(reason.is_empty(), CloseCode::is_sendable) {
            return Err(UsageError::InvalidCloseCode);
        }
        self.may_send_control(2 + reason.len(), out)?;
        self.put_close(code, reason, mask_key, out);
        self.phase = Phase::CloseSent;
        self.since = Tick::at(now);
        self.wake = now; // `elapsed` knows how long to wait
        Ok(())
    }

    #[inline]
    pub(super) fn may_send_message(
        &self,
        length: usize,
        out: &impl Sink,
    ) -> Result<(), UsageError> {
        if self.sending.is_some() {
            return Err(UsageError::MessageOpen);
        }
        self.may_send(length, out)
    }

    #[inline]
    fn may_send(&self, length: usize, out: &impl Sink) -> Result<(), UsageError> {
        if self.is_closing() {
            return Err(UsageError::Closed);
        }
        if out.room() < length.saturating_add(MAX_HEAD) {
            return Err(UsageError::NoRoom);
        }
        Ok(())
    }

    fn may_send_control(&self, length: usize, out: &impl Sink) -> Result<(), UsageError> {
        if length > MAX_CONTROL {
            return Err(UsageError::ControlTooLong);
        }
        self.may_send(length, out)
    }

    /// Appends a ping of at most 125 bytes, whose pong is then owed; the room
    /// is there.
    pub(super) fn put_ping(&mut self, payload: &[u8], mask_key: [u8; 4], out: &mut impl Sink) {
        self.pings = self.pings.saturating_add(1);
        self.put_control(Opcode::Ping, [payload, &[]], mask_key, out);
    }

    /// Appends a control frame of at most 125 bytes; the room is there.
    pub(super) fn put_control(
        &self,
        opcode: Opcode,
        payload: [&[u8]; 2],
        mask_key: [u8; 4],
        out: &mut impl Sink,
    ) {
        let head = Head {
            fin: true,
            reserved: Reserved::NONE,
            opcode,
            mask: None,
            length: (payload[0].len() + payload[1].len()) as u64,
        };
        self.put_frame(head, payload, mask_key, out);
    }

    /// Appends a Close frame: the room is there, the code sendable, the reason at most 123
    /// bytes.
    pub(super) fn put_close(
        &self,
        code: Option<CloseCode>,
        reason: &str,
        mask_key: [u8; 4],
        out: &mut impl Sink,
    ) {
        let code = code.map(|code| code.get().to_be_bytes());
        let code = code.as_ref().map_or(&[][..], |code| &code[..]);
        self.put_control(Opcode::Close, [code, reason.as_bytes()], mask_key, out);
    }

    #[inline(always)]
    pub(super) fn put_payload(
        &self,
        head: Head,
        payload: &[u8],
        mask_key: [u8; 4],
        out: &mut impl Sink,
    ) {
        if FAST
            && self.role == Role::Server
            && let Some(short) = head.encode_short()
        {
            return out.put_all([&short, payload]);
        }
        self.put_long_payload(head, payload, mask_key, out);
    }

    #[inline(never)]
    fn put_long_payload(&self, head: Head, payload: &[u8], mask_key: [u8; 4], out: &mut impl Sink) {
        if FAST {
            if self.role == Role::Server
                && let Some(medium) = head.encode_medium()
            {
                return out.put_all([&medium, payload]);
            }
            self.put_frame(head, [payload], mask_key, out);
        } else {
            self.put_frame(head, [payload, &[]], mask_key, out); // as control frames are
        }
    }

    /// Appends one frame of a payload in parts, masked if we are the client.
    #[inline]
    fn put_frame<const N: usize>(
        &self,
        mut head: Head,
        payload: [&[u8]; N],
        mask_key: [u8; 4],
        out: &mut impl Sink,
    ) {
        if self.role == Role::Client {
            head.mask = Some(mask_key);
        }
        head.encode().put(out);
        let mut mask = Mask::new(mask_key);
        for part in &payload {
            if self.role == Role::Server {
                out.put(part);
            } else if let Some(place) = out.space(part.len()).get_mut(..part.len()) {
                place.copy_from_slice(part); // the room is there
                mask.apply(place);
            }
        }
    }
}
