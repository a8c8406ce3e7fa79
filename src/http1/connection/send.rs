//! Bodies as they are written, in either role.

#[cfg(feature = "alloc")]
use bytes::Bytes;

use super::{Connection, Sending};
use crate::http::Fields;
use crate::http1::UsageError;
use crate::http1::encode::{self, Section};
use crate::http1::state::{Input, Request, Response};
use crate::wire::{Instant, Role, Sink, ascii};

/// The longest frame around a chunk: 16 digits and two CRLFs.
const CHUNK_ROOM: usize = 20;

impl Connection {
    /// Sends a piece of the body.
    ///
    /// # Errors
    /// [`UsageError::State`] if no body is being sent, [`UsageError::BodyTooLong`] if
    /// it goes beyond the announced length, [`UsageError::NoRoom`].
    pub fn send_body(&mut self, data: &[u8], out: &mut impl Sink) -> Result<(), UsageError> {
        self.send_body_by(data.len(), out, |out| out.put(data))
    }

    /// Sends a piece of the body by reference.
    ///
    /// # Errors
    /// Those of [`send_body`](Self::send_body).
    #[cfg(feature = "alloc")]
    pub fn send_body_shared(&mut self, data: Bytes, out: &mut impl Sink) -> Result<(), UsageError> {
        self.send_body_by(data.len(), out, |out| out.put_shared(data))
    }

    /// Sends a piece of the body that `put` appends itself, `len` bytes of it:
    /// for outputs that hold more than bytes, a part of a file. `put` is not
    /// called where the body is swallowed, as to HEAD.
    ///
    /// # Errors
    /// Those of [`send_body`](Self::send_body).
    pub fn send_body_by<S: Sink>(
        &mut self,
        len: usize,
        out: &mut S,
        put: impl FnOnce(&mut S),
    ) -> Result<(), UsageError> {
        if !self.sends_body() {
            return Err(UsageError::State);
        }
        match self.sending {
            // An empty chunk would end the body.
            _ if len == 0 => {}
            Sending::Nothing => return Err(UsageError::BodyTooLong),
            Sending::Swallowed => {}
            Sending::Fixed => {
                let left = self.owed.checked_sub(len as u64);
                let left = left.ok_or(UsageError::BodyTooLong)?;
                room(out, len)?;
                self.owed = left;
                put(out);
            }
            Sending::Chunked => {
                room(out, len.saturating_add(CHUNK_ROOM))?;
                ascii::put_hex(len as u64, out);
                out.put(b"\r\n");
                put(out);
                out.put(b"\r\n");
            }
            Sending::UntilClose => {
                room(out, len)?;
                put(out);
            }
        }
        Ok(())
    }

    /// Ends the body. Trailers go out with a chunked body and are dropped with
    /// any other, which has no place for them.
    ///
    /// # Errors
    /// [`UsageError::State`] if no body is being sent, [`UsageError::BodyTooShort`] if
    /// less was sent than announced: such a connection can only be cut.
    /// [`UsageError::InvalidField`], [`UsageError::ForbiddenField`],
    /// [`UsageError::NoRoom`].
    pub fn send_end(
        &mut self,
        trailers: Fields<'_>,
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        if !self.sends_body() {
            return Err(UsageError::State);
        }
        // The peer would take what follows for the rest of the body.
        if self.sending == Sending::Fixed && self.owed > 0 {
            return Err(UsageError::BodyTooShort);
        }
        let found = encode::check(trailers, Section::Trailers)?;
        if self.sending == Sending::Chunked {
            room(out, found.room.saturating_add(CHUNK_ROOM))?;
            out.put(b"0\r\n");
            encode::put_fields(trailers, out);
            out.put(b"\r\n");
        }
        self.sending = Sending::Nothing;
        match self.role {
            Role::Server => self.exchange.take(Input::ResponseEnd),
            Role::Client => {
                self.since = now;
                self.exchange.take(Input::RequestEnd)
            }
        };
        self.settle(now);
        Ok(())
    }

    const fn sends_body(&self) -> bool {
        match self.role {
            Role::Server => matches!(self.exchange.response, Response::Body),
            Role::Client => matches!(self.exchange.request, Request::Body),
        }
    }
}

/// Checks that `out` has room for `bytes`.
pub(super) fn room(out: &impl Sink, bytes: usize) -> Result<(), UsageError> {
    match out.room() >= bytes {
        true => Ok(()),
        false => Err(UsageError::NoRoom),
    }
}
