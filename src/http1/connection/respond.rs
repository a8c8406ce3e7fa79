//! Responses as they are written.

#[cfg(feature = "alloc")]
use bytes::Bytes;

use super::intake::Reading;
use super::send::room;
use super::{After, BodyDemand, Connection, RequestKind, Sending};
use crate::http::{
    ContentFraming, Fields, ResponseContent, ResponseHead, SentLength, Status, date::Date,
};
use crate::http1::encode::{self, Section};
use crate::http1::state::{Exchange, Input, Request, Response};
use crate::http1::{BodyLength, UsageError};
use crate::wire::{Instant, Role, Sink, shortcut};

impl Connection {
    /// Asks for the body that `Content::Follows` announced. A peer that waits
    /// for it is told `100 Continue`, whether or not it has sent some already.
    /// The body's pace counts from `now`.
    ///
    /// # Errors
    /// [`UsageError::State`] if no body is offered or the response has begun,
    /// [`UsageError::NoRoom`].
    pub fn accept_body(&mut self, now: Instant, out: &mut impl Sink) -> Result<(), UsageError> {
        if !self.is_body_offered() || self.exchange.response != Response::Owed {
            return Err(UsageError::State);
        }
        if self.intake.wanted == BodyDemand::Expected {
            room(out, encode::CONTINUE.len())?;
            out.put(encode::CONTINUE);
            self.intake.wanted = BodyDemand::Continued;
        } else {
            self.intake.wanted = BodyDemand::Accepted;
        }
        self.since = now;
        if matches!(self.intake.reading(), Reading::Chunked(_)) && self.after == After::KeepDraining
        {
            self.after = After::Keep; // how much is left of it is no longer known to be little
        }
        Ok(())
    }

    /// Says that the rest of an accepted body is not wanted after all. It is
    /// discarded if it is short, else the connection ends after the response.
    /// Without an effect where there is no body to refuse.
    pub const fn refuse_body(&mut self) {
        if matches!(self.exchange.request, Request::Body) {
            self.intake.wanted = match self.intake.wanted {
                BodyDemand::Expected => BodyDemand::Expected,
                BodyDemand::Offered
                | BodyDemand::Continued
                | BodyDemand::Accepted
                | BodyDemand::Refused => BodyDemand::Refused,
            };
        }
    }

    /// Sends an interim response: 102, 103 and the like. A peer of version 1.0
    /// knows none and is sent nothing.
    ///
    /// # Errors
    /// [`UsageError::State`] if no response is owed, [`UsageError::Status`] for 100
    /// (see [`accept_body`](Self::accept_body)), 101 and final ones,
    /// [`UsageError::InvalidField`], [`UsageError::ForbiddenField`],
    /// [`UsageError::NoRoom`].
    pub fn send_informational(
        &mut self,
        head: &ResponseHead<'_>,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        if self.role != Role::Server || self.exchange.response != Response::Owed {
            return Err(UsageError::State);
        }
        if !head.status.is_informational() || head.status.code() <= 101 {
            return Err(UsageError::Status);
        }
        let found = encode::check(head.fields, Section::Interim)?;
        room(out, found.room)?;
        // A client of version 1.0 would take it for the final response (RFC 9110 §15.2).
        if !self.intake.old {
            self.exchange.take(Input::Interim);
            encode::put_status_line(head.status, out);
            encode::put_fields(head.fields, out);
            out.put(b"\r\n");
        }
        Ok(())
    }

    /// Sends the head of the final response; [`send_body`](Self::send_body)
    /// and [`send_end`](Self::send_end) follow, also when the body turns out
    /// to be empty.
    ///
    /// Framing, Connection and `date` are added; a Date in the fields goes
    /// before `date`. The answer to HEAD has the fields that GET's would have.
    /// Where no content may follow the head, to HEAD and with 204, 205 and 304,
    /// the body is taken and dropped. A request body that is still arriving and
    /// was not accepted is discarded if it is at most
    /// [`Limits::drain`](crate::http1::Limits::drain), else the connection closes.
    ///
    /// # Errors
    /// [`UsageError::State`] if no response is owed, [`UsageError::Status`] for 1xx
    /// and for 2xx to CONNECT (see [`send_switching`](Self::send_switching)),
    /// [`UsageError::BodyTooLong`] for a 204 or 205 whose known length is not 0,
    /// [`UsageError::InvalidField`], [`UsageError::ForbiddenField`],
    /// [`UsageError::NoRoom`].
    pub fn send_response(
        &mut self,
        head: &ResponseHead<'_>,
        length: BodyLength,
        date: Option<&Date>,
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        self.respond(head, (length, false), date, now, out, 0)?;
        self.exchange.take(Input::ResponseHead { body: true });
        Ok(())
    }

    /// Sends the head like [`send_response`](Self::send_response), of a response whose rest
    /// follows before more of the request is read: what of that is left then is not wanted.
    #[cfg(feature = "alloc")]
    pub(crate) fn send_complete_head(
        &mut self,
        head: &ResponseHead<'_>,
        length: BodyLength,
        date: Option<&Date>,
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        self.respond(head, (length, true), date, now, out, 0)?;
        self.exchange.take(Input::ResponseHead { body: true });
        Ok(())
    }

    /// Sends a whole response: [`send_response`](Self::send_response),
    /// [`send_body`](Self::send_body) and [`send_end`](Self::send_end) in one.
    ///
    /// # Errors
    /// Those of [`send_response`](Self::send_response).
    #[inline(always)]
    pub fn send_whole(
        &mut self,
        head: &ResponseHead<'_>,
        body: &[u8],
        date: Option<&Date>,
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        if !self.send_usual(head, body.len(), body, date, now, out)
            && self.send_unusual_head(&{ *head }, body.len(), date, now, out)?
        {
            out.put(body);
        }
        Ok(())
    }

    /// [Sends](Self::send_whole) a whole response whose body is handed over by
    /// reference, so that the output may take it without a copy.
    ///
    /// # Errors
    /// Those of [`send_response`](Self::send_response).
    #[cfg(feature = "alloc")]
    #[inline(never)]
    pub fn send_whole_shared(
        &mut self,
        head: &ResponseHead<'_>,
        body: Bytes,
        date: Option<&Date>,
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        if self.send_usual(head, body.len(), b"", date, now, out)
            || self.send_unusual_head(head, body.len(), date, now, out)?
        {
            out.put_shared(body);
        }
        Ok(())
    }

    /// Sends the head of a whole response of any kind, and says whether its content
    /// is to follow, which is as good as sent.
    #[inline]
    fn send_unusual_head(
        &mut self,
        head: &ResponseHead<'_>,
        length: usize,
        date: Option<&Date>,
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<bool, UsageError> {
        let known = BodyLength::Known(length as u64);
        self.respond(head, (known, true), date, now, out, length)?;
        let follows = self.sending == Sending::Fixed;
        self.exchange.take(Input::ResponseHead { body: false });
        self.sending = Sending::Nothing;
        self.settle(now);
        Ok(follows)
    }

    /// Sends the head and `content` of a plain response: 200, to a complete request of 1.1, on
    /// a connection that stays open. `false` if the long way has to be gone.
    #[inline(always)]
    fn send_usual(
        &mut self,
        head: &ResponseHead<'_>,
        length: usize,
        content: &[u8],
        date: Option<&Date>,
        now: Instant,
        out: &mut impl Sink,
    ) -> bool {
        let is_usual = shortcut!("http1_response")
            && head.status == Status::OK
            && self.role == Role::Server
            && self.exchange == Exchange::ASKED
            && self.asked == RequestKind::Plain
            && matches!(self.after, After::Keep | After::KeepDraining)
            && !self.intake.old
            && !self.shutdown;
        let (true, Some(lines), Some(date)) = (is_usual, head.fields.plain_lines(), date) else {
            return false;
        };
        if out.room() < (encode::HEAD_ROOM + lines.len()).saturating_add(length) {
            return false;
        }
        encode::put_ok(date, length as u64, out);
        out.put_all([lines, b"\r\n", content]);
        self.sending = Sending::Nothing;
        self.exchange = Exchange::IDLE;
        self.wait_for_next(now);
        true
    }

    /// Checks and writes the head of a final response, with room for `more` bytes after it;
    /// settles framing and persistence. Whether it is complete before more of the request is
    /// read stands beside its length.
    fn respond(
        &mut self,
        head: &ResponseHead<'_>,
        (length, is_complete): (BodyLength, bool),
        date: Option<&Date>,
        now: Instant,
        out: &mut impl Sink,
        more: usize,
    ) -> Result<(), UsageError> {
        if self.role != Role::Server || self.exchange.response != Response::Owed {
            return Err(UsageError::State);
        }
        let status = head.status;
        let content = ResponseContent::to(self.asked.asks(), status);
        if status.is_informational() || content.framing == ContentFraming::Tunnel {
            return Err(UsageError::Status);
        }
        let place = match status {
            Status::UPGRADE_REQUIRED => Section::Upgrade,
            _ => Section::Response,
        };
        let found = encode::check(head.fields, place)?;
        let sending = self.framing(content, length)?;
        room(out, (encode::HEAD_ROOM + found.room).saturating_add(more))?;

        self.settle_body(sending, is_complete);
        match date.filter(|_| !found.date) {
            Some(date) if status == Status::OK => encode::put_ok_and_date(date, out),
            date => {
                encode::put_status_line(status, out);
                if let Some(date) = date {
                    encode::put_date(date, out);
                }
            }
        }
        self.put_connection(found.upgrade, out);
        self.put_framing(content, status, length, out);
        encode::put_fields(head.fields, out);
        out.put(b"\r\n");
        self.sending = sending;
        self.owed = match (sending, length) {
            (Sending::Fixed, BodyLength::Known(length)) => length,
            _ => 0,
        };
        // A body that is discarded from here on is timed from here on.
        if self.intake.wanted == BodyDemand::Refused {
            self.since = now;
        }
        Ok(())
    }

    /// How the body of a response is framed (RFC 9112 §6.3 seen from the
    /// sender).
    const fn framing(
        &self,
        content: ResponseContent,
        length: BodyLength,
    ) -> Result<Sending, UsageError> {
        let forbids = matches!(content.length, SentLength::Never | SentLength::Zero);
        Ok(match length {
            BodyLength::Known(1..) if forbids => return Err(UsageError::BodyTooLong),
            _ if !content.may_follow => Sending::Swallowed,
            BodyLength::Known(_) => Sending::Fixed,
            BodyLength::Unknown if self.intake.old => Sending::UntilClose,
            BodyLength::Unknown => Sending::Chunked,
        })
    }

    /// Settles what becomes of a request body that is still arriving, and of
    /// the connection.
    fn settle_body(&mut self, sending: Sending, is_complete: bool) {
        let is_accepted = matches!(
            self.intake.wanted,
            BodyDemand::Accepted | BodyDemand::Continued
        );
        // Chunks that were accepted may turn out to be few, and are counted.
        let is_read = is_accepted && (!is_complete || self.is_chunked());
        if self.exchange.request == Request::Body && !is_read {
            // A short body is discarded. One that is expected and was never asked for may come
            // or not (RFC 9110 §10.1.1): where the next request would begin cannot be told.
            self.after = match (self.intake.wanted, self.after) {
                (BodyDemand::Expected, _) => After::Linger,
                (_, After::KeepDraining) => After::KeepDraining,
                _ => After::Linger,
            };
            self.intake.wanted = BodyDemand::Refused;
        }
        if sending == Sending::UntilClose || self.shutdown {
            self.after = match self.after {
                After::Linger => After::Linger,
                After::KeepDraining if self.exchange.request == Request::Body => After::Linger,
                After::Keep | After::KeepDraining | After::Close => After::Close,
            };
        }
    }

    /// Writes Connection where the version alone does not say it.
    fn put_connection(&self, upgrade: bool, out: &mut impl Sink) {
        let keeps = matches!(self.after, After::Keep | After::KeepDraining);
        out.put(match (keeps, upgrade) {
            (true, false) if self.intake.old => b"Connection: keep-alive\r\n",
            (true, false) => return,
            (true, true) if self.intake.old => b"Connection: keep-alive, upgrade\r\n",
            (true, true) => b"Connection: upgrade\r\n",
            (false, false) => b"Connection: close\r\n",
            (false, true) => b"Connection: close, upgrade\r\n",
        });
    }

    /// Writes the framing field, for HEAD as for GET.
    fn put_framing(
        &self,
        content: ResponseContent,
        status: Status,
        length: BodyLength,
        out: &mut impl Sink,
    ) {
        let chunks =
            length == BodyLength::Unknown && status != Status::NOT_MODIFIED && !self.intake.old;
        match content.length_for(status, length.known()) {
            Some(length) => encode::put_content_length(length, out),
            None if chunks && content.length != SentLength::Never => {
                out.put(b"Transfer-Encoding: chunked\r\n");
            }
            None => {}
        }
    }

    /// Hands the connection to another protocol: `101 Switching Protocols` to
    /// an offered upgrade, `200 OK` to CONNECT. `fields` name the protocol in
    /// Upgrade (for CONNECT there is none); Connection is added. From here on
    /// [`receive`](Self::receive) answers [`Step::Done`](crate::wire::Step) and
    /// everything after the request belongs to the new protocol.
    ///
    /// # Errors
    /// [`UsageError::State`] if no response is owed or the request's body has not
    /// been read, [`UsageError::NoUpgrade`] if none was offered or the fields name
    /// none, [`UsageError::InvalidField`], [`UsageError::ForbiddenField`],
    /// [`UsageError::NoRoom`].
    pub fn send_switching(
        &mut self,
        fields: Fields<'_>,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        if self.role != Role::Server || self.exchange.after(Input::Switch).is_none() {
            return Err(UsageError::State);
        }
        let place = match self.asked {
            RequestKind::Upgrade => Section::Upgrade,
            RequestKind::Tunnel => Section::Response,
            RequestKind::Plain | RequestKind::Head => return Err(UsageError::NoUpgrade),
        };
        let found = encode::check(fields, place)?;
        if place == Section::Upgrade && !found.upgrade {
            return Err(UsageError::NoUpgrade);
        }
        room(out, encode::HEAD_ROOM + found.room)?;
        if place == Section::Upgrade {
            encode::put_status_line(Status::SWITCHING_PROTOCOLS, out);
            out.put(b"Connection: Upgrade\r\n");
        } else {
            encode::put_status_line(Status::OK, out);
        }
        encode::put_fields(fields, out);
        out.put(b"\r\n");
        self.exchange.take(Input::Switch);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
