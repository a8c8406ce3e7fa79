//! An owner's calls on an exchange.

use bytes::Bytes;

use super::protocol::Protocol;
use super::receive::LAST_NUMBER;
use super::{Body, Closing, Link, RequestPool, UsageError};
use crate::http::{BodyLength, Fields, RequestHead, ResponseHead, date::Date};
use crate::http1;
use crate::websocket::CloseCode;
use crate::wire::{Instant, Role, Sink};

/// A copy of a link's state from before its owner was called with a response owed: to
/// go back to, should the owner fail.
#[derive(Debug)]
pub struct Snapshot(http1::Connection);

impl Snapshot {
    #[inline]
    pub(super) fn of(machine: &http1::Connection) -> Self {
        Self(machine.clone())
    }
}

fn announced(fields: Fields<'_>) -> Option<u64> {
    let last = fields.get_str("Content-Length")?.rsplit(',').next()?;
    last.trim_ascii().parse().ok()
}

/// Writes a piece by these methods of HTTP/1.1, of an outbox and of the output.
macro_rules! written {
    ($link:ident, $stream:ident, $data:ident, $out:ident: $send:ident, $keep:ident, $put:ident) => {
        match &mut $link.protocol {
            Protocol::Http1(machine) => Ok(machine.$send($data, $out)?),
            Protocol::Http2(many) => many.write($stream, $data.len(), |it| it.$keep($data)),
            Protocol::Raw { .. } if $link.over.is_some() => Err(UsageError::Over),
            Protocol::Raw { .. } => {
                $out.$put($data);
                Ok(())
            }
            Protocol::WebSocket(_) => Err(UsageError::OtherProtocol),
        }
    };
}

impl Link {
    /// Collects the body of the request that was offered with
    /// [`Content::Follows`](crate::http::Content::Follows): the request comes
    /// again with its complete body, or [`TooLarge`](super::Event::TooLarge) if a body of
    /// unknown length exceeds `limit` bytes. The rest of that is not wanted,
    /// and the connection ends with the response.
    ///
    /// # Errors
    /// [`UsageError::BodyTooLarge`] if a longer body is announced: nothing of it is
    /// asked for, and the response is still owed. Other [`UsageError`] unless a
    /// body is on offer.
    pub fn collect(
        &mut self,
        stream: u32,
        head: &RequestHead<'_>,
        limit: usize,
        request_pool: &mut RequestPool,
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        if announced(head.fields).is_some_and(|length| length > limit as u64) {
            return Err(UsageError::BodyTooLarge);
        }
        if let Protocol::Http2(many) = &mut self.protocol {
            return many.collect(stream, head, limit, request_pool, out);
        }
        self.http1()?.accept_body(now, out)?;
        self.exchange.due = Instant::NEVER; // until the body is complete
        let buffered_request = request_pool.park(head, limit, self.account.as_ref());
        self.exchange.collect(buffered_request);
        Ok(())
    }

    /// Streams the offered body as [`Body`](super::Event::Body) events.
    ///
    /// # Errors
    /// [`UsageError`] unless a body is on offer.
    pub fn accept_body(
        &mut self,
        stream: u32,
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        if let Protocol::Http2(many) = &mut self.protocol {
            return many.accept_body(stream, true, now, out);
        }
        self.http1()?.accept_body(now, out)?;
        self.exchange.due = Instant::NEVER; // until the body is complete
        Ok(())
    }

    /// Accepts a body that consists of messages, between which the peer may
    /// rest as long as it likes: over HTTP/2 it keeps no pace.
    ///
    /// # Errors
    /// [`UsageError`] unless a body is on offer.
    pub fn accept_messages(
        &mut self,
        stream: u32,
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        if let Protocol::Http2(many) = &mut self.protocol {
            return many.accept_body(stream, false, now, out);
        }
        self.accept_body(stream, now, out)
    }

    /// Sends an interim response: 1xx, but not 101.
    ///
    /// # Errors
    /// [`UsageError`] unless a response is owed.
    pub fn inform(
        &mut self,
        stream: u32,
        head: &ResponseHead<'_>,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        if let Protocol::Http2(many) = &mut self.protocol {
            return many.inform(stream, head, out);
        }
        Ok(self.http1()?.send_informational(head, out)?)
    }

    /// Sends the response, or its head if the body is streamed. A request that
    /// is still being collected is given up.
    ///
    /// # Errors
    /// [`UsageError`] unless a response is owed; nothing is sent then.
    #[inline(always)]
    pub fn respond(
        &mut self,
        stream: u32,
        head: &ResponseHead<'_>,
        body: Body<'_>,
        date: Option<&Date>,
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        let machine = match &mut self.protocol {
            Protocol::Http1(machine) => machine,
            Protocol::Http2(many) => {
                return many.respond(stream, &{ *head }, body, date, now, out);
            }
            Protocol::WebSocket(_) | Protocol::Raw { .. } => return Err(UsageError::OtherProtocol),
        };
        let (length, endless) = (body.length(), body.is_endless());
        match body {
            Body::Whole(body) => machine.send_whole(head, body, date, now, out)?,
            Body::Shared(body) => machine.send_whole_shared(head, body.clone(), date, now, out)?,
            Body::Trailed { bytes, trailers } => {
                machine.send_complete_head(head, length, date, now, out)?;
                let sent = machine.send_body(bytes, out);
                if sent
                    .and_then(|()| machine.send_end(trailers, now, out))
                    .is_err()
                {
                    self.over = Some(Closing::Reset); // the head is out
                }
            }
            Body::Streamed { .. } => machine.send_response(head, length, date, now, out)?,
        }
        self.exchange.answered(endless, false);
        Ok(())
    }

    /// Sends a request, or its head if the body is streamed, and returns the
    /// number of its exchange.
    ///
    /// # Errors
    /// [`UsageError`] unless the connection is an HTTP client's and free: on HTTP/2
    /// within the number of streams that the peer allows.
    pub fn request(
        &mut self,
        head: &RequestHead<'_>,
        body: Option<Body<'_>>,
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<u32, UsageError> {
        if let Protocol::Http2(many) = &mut self.protocol {
            return many.request(head, body, now, out);
        }
        let is_last = self.exchange.id + 1 == LAST_NUMBER; // below it: the connection ends with it
        let machine = self.http1()?;
        if is_last {
            machine.shutdown_after_next();
        }
        let length = body.as_ref().map(Body::length);
        machine.send_request(head, length, now, out)?;
        let trailers = match body {
            None | Some(Body::Streamed { .. }) => None,
            // A body of no bytes has ended with the head.
            Some(_) if length == Some(BodyLength::Known(0)) => None,
            Some(Body::Whole(bytes)) => {
                machine.send_body(bytes, out)?;
                Some(Fields::EMPTY)
            }
            Some(Body::Shared(bytes)) => {
                machine.send_body_shared(bytes.clone(), out)?;
                Some(Fields::EMPTY)
            }
            Some(Body::Trailed { bytes, trailers }) => {
                machine.send_body(bytes, out)?;
                Some(trailers)
            }
        };
        if let Some(trailers) = trailers {
            machine.send_end(trailers, now, out)?;
        }
        self.exchange.id += 1;
        Ok(self.exchange.id)
    }

    /// Sends a piece of a streamed body, or bytes on a raw connection.
    ///
    /// # Errors
    /// [`UsageError`] unless one is open, or if it exceeds the length announced.
    pub fn write(
        &mut self,
        stream: u32,
        data: &[u8],
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        written!(self, stream, data, out: send_body, put, put)
    }

    /// Writes a piece like [`write`](Self::write), by reference where the output can.
    ///
    /// # Errors
    /// Those of [`write`](Self::write).
    pub fn write_shared(
        &mut self,
        stream: u32,
        data: Bytes,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        written!(self, stream, data, out: send_body_shared, share, put_shared)
    }

    /// Writes by reference bytes that many peers get, and that are charged
    /// elsewhere.
    ///
    /// # Errors
    /// Those of [`write`](Self::write).
    pub fn write_published(
        &mut self,
        stream: u32,
        data: Bytes,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        match &mut self.protocol {
            Protocol::Http2(many) => many.write(stream, data.len(), |outbox| outbox.publish(data)),
            _ => self.write_shared(stream, data, out),
        }
    }

    /// Writes `len` bytes that `put` appends itself. It is not called if they will not be
    /// sent. HTTP/2 frames every piece, and answers [`UsageError::OtherProtocol`].
    ///
    /// # Errors
    /// Those of [`write`](Self::write).
    pub fn write_by<S: Sink>(
        &mut self,
        len: usize,
        out: &mut S,
        put: impl FnOnce(&mut S),
    ) -> Result<(), UsageError> {
        match &mut self.protocol {
            Protocol::Http1(machine) => Ok(machine.send_body_by(len, out, put)?),
            Protocol::Raw { .. } if self.over.is_some() => Err(UsageError::Over),
            Protocol::Raw { .. } => {
                put(out);
                Ok(())
            }
            Protocol::Http2(_) => Err(UsageError::OtherProtocol), // it frames each piece
            Protocol::WebSocket(_) => Err(UsageError::OtherProtocol),
        }
    }

    /// Ends a streamed body; on a raw connection, closes it once all is sent.
    ///
    /// # Errors
    /// [`UsageError`] unless one is open, or if less was sent than announced.
    pub fn finish(
        &mut self,
        stream: u32,
        trailers: Fields<'_>,
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        match &mut self.protocol {
            Protocol::Http1(machine) => {
                machine.send_end(trailers, now, out)?;
                self.exchange.endless = false;
                Ok(())
            }
            Protocol::Http2(many) => many.finish(stream, trailers, now, out),
            Protocol::Raw { .. } => {
                self.over = Some(Closing::Linger);
                Ok(())
            }
            Protocol::WebSocket(_) => Err(UsageError::OtherProtocol),
        }
    }

    fn http1(&mut self) -> Result<&mut http1::Connection, UsageError> {
        match &mut self.protocol {
            Protocol::Http1(machine) => Ok(machine),
            Protocol::Http2(_) => Err(UsageError::OtherProtocol),
            Protocol::WebSocket(_) | Protocol::Raw { .. } => Err(UsageError::OtherProtocol),
        }
    }

    /// Whether we owe a response in this exchange and none of it has been
    /// written.
    #[inline]
    pub fn owes_response(&self, stream: u32) -> bool {
        match &self.protocol {
            Protocol::Http1(machine) => self.role == Role::Server && machine.awaits_response(),
            Protocol::Http2(many) => many.owes_response(stream),
            Protocol::WebSocket(_) | Protocol::Raw { .. } => false,
        }
    }

    /// A copy of the state that [`fail`](Self::fail) goes back to, if a response is
    /// owed and its bytes can be taken back: not on HTTP/2, where the streams share the
    /// compression.
    #[inline]
    pub fn snapshot(&self) -> Option<Snapshot> {
        match &self.protocol {
            Protocol::Http1(machine) if self.owes_response(self.exchange.id) => {
                Some(Snapshot::of(machine))
            }
            _ => None,
        }
    }

    /// The owner cannot go on with this exchange. If a response was owed
    /// before it was called (the caller has taken back what was written since),
    /// `head` is the answer, with its reason as JSON, and the last one of the
    /// connection; else the connection is cut, so that the peer sees a broken
    /// body and no complete one. A WebSocket closes with 1011 (RFC 6455 §7.4.1).
    ///
    /// On HTTP/2 the other streams go on: this one is answered with `head` if
    /// that is still owed, else reset with INTERNAL_ERROR.
    #[expect(clippy::too_many_arguments, reason = "all of it is lent")]
    pub fn fail(
        &mut self,
        stream: u32,
        head: &ResponseHead<'_>,
        unanswered: Option<Snapshot>,
        date: Option<&Date>,
        mask_key: [u8; 4],
        now: Instant,
        out: &mut impl Sink,
    ) {
        if let Protocol::Http2(many) = &mut self.protocol {
            return many.fail(stream, head, date, mask_key, now, out);
        }
        self.exchange.close();
        if let Some(Snapshot(mut machine)) = unanswered {
            machine.shutdown();
            let text = alloc::format!("{{\"error\":\"{}\"}}", head.status.reason());
            let sent = machine.send_whole(head, text.as_bytes(), date, now, out);
            self.protocol = Protocol::Http1(machine);
            // Refused only where `out` has no room for it.
            self.over = sent.is_err().then_some(Closing::Reset);
            return;
        }
        self.over = Some(match &mut self.protocol {
            Protocol::WebSocket(machine) => {
                // Refused only where a close frame has been sent already.
                let _ = machine.send_close(CloseCode::INTERNAL_ERROR, "", mask_key, now, out);
                Closing::Linger
            }
            _ => Closing::Reset,
        });
    }

    /// Finishes what runs and starts nothing: the next response says
    /// `Connection: close`, an idle connection is done immediately (with `asks`,
    /// when a request is known or expected to be on its way, after that), a
    /// WebSocket is closed with 1001. HTTP/2 says GOAWAY, in two steps
    /// (RFC 9113 §6.8).
    pub fn drain(&mut self, asks: bool, mask_key: [u8; 4], now: Instant, out: &mut impl Sink) {
        match &mut self.protocol {
            Protocol::Http1(machine) if asks => machine.shutdown_after_next(),
            Protocol::Http1(machine) => machine.shutdown(),
            Protocol::Http2(many) => many.drain(mask_key, now, out),
            Protocol::WebSocket(machine) => {
                // Refused only where a close frame has been sent already.
                let _ = machine.send_close(CloseCode::GOING_AWAY, "", mask_key, now, out);
            }
            Protocol::Raw { .. } => {}
        }
    }

    /// Ends the connection without a word more.
    pub const fn abort(&mut self) {
        self.over = Some(Closing::Reset);
    }
}
