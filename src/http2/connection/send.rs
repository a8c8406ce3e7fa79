//! Heads, trailers and control frames that are sent.

use super::{Connection, Phase};
use crate::http::{
    Asks, ContentFraming, Fields, RequestHead, ResponseContent, ResponseHead, SentLength, Status,
    date::Date,
};
use crate::http2::cost::Parts;
use crate::http2::encoding::Weighed;
use crate::http2::fields::{self, Pseudo, Section};
use crate::http2::frame::MAX_31;
use crate::http2::payload::{self, CONTROL_ROOM};
use crate::http2::state::{By, Frame, State};
use crate::http2::stream::{Sending, Stream, UNKNOWN};
use crate::http2::{BodyLength, ErrorCode, UsageError};
use crate::wire::{Instant, Role, Sink};

impl Connection {
    /// Sends a request (client role) and returns its stream. With `None` for
    /// `length` the request ends with its head; else its content follows by
    /// [`send_data`](Self::send_data), and a known length is told. Host, or
    /// the target's own authority, becomes `:authority`; without a scheme in
    /// the target `:scheme` is `http`.
    ///
    /// # Errors
    /// [`UsageError::NotOpen`] before [`open`](Self::open), [`UsageError::State`] in
    /// the role of a server, [`UsageError::GoingAway`], [`UsageError::TooManyStreams`],
    /// [`UsageError::Request`], [`UsageError::NoExtendedConnect`],
    /// [`UsageError::InvalidField`], [`UsageError::ForbiddenField`],
    /// [`UsageError::ListTooLarge`], [`UsageError::NoRoom`].
    pub fn send_request(
        &mut self,
        head: &RequestHead<'_>,
        length: Option<BodyLength>,
        out: &mut impl Sink,
    ) -> Result<u32, UsageError> {
        if self.role == Role::Server {
            return Err(UsageError::State);
        }
        if self.phase == Phase::Open && self.is_closing() {
            return Err(UsageError::GoingAway);
        }
        let (id, peer) = (self.streams.next_own(), self.settings.peer());
        if id > MAX_31 || self.streams.len() >= peer.streams as usize {
            return Err(UsageError::TooManyStreams);
        }
        if head.protocol.is_some() && !peer.connect_protocol {
            return Err(UsageError::NoExtendedConnect);
        }
        let pseudo = Pseudo::new(head)?;
        let mut cost = fields::check(head.fields, Section::Request)?;
        pseudo.cost(&mut cost);
        cost.fits(peer.header_list)?;
        // Content-Length is not in the cost yet.
        self.may_send(peer.framed(cost.octets + 32), out)?;

        let end = matches!(length, None | Some(BodyLength::Known(0)));
        let state = State::Idle.after(By::Us, Frame::Headers { end });
        let state = state.map_err(|_| UsageError::State)?;
        let settings = &self.settings;
        let mut stream = Stream::new(id, state, settings.peer().window, settings.granted());
        stream.asks = Asks::of(head.method);
        stream.owed = owed(length);
        self.streams.insert_own(stream);
        self.encoding.encode_request(&pseudo, head.fields, length);
        self.put_block(id, end, out);
        Ok(id)
    }

    /// Sends an interim response: 100, 103 and the like, but not 101, which
    /// HTTP/2 does not have.
    ///
    /// # Errors
    /// [`UsageError::NoStream`], [`UsageError::State`] if the final response has
    /// begun, [`UsageError::Status`], [`UsageError::InvalidField`],
    /// [`UsageError::ForbiddenField`], [`UsageError::ListTooLarge`],
    /// [`UsageError::NotOpen`], [`UsageError::NoRoom`].
    pub fn send_informational(
        &mut self,
        stream: u32,
        head: &ResponseHead<'_>,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        self.streams.may_respond(stream)?;
        if !head.status.is_informational() || head.status == Status::SWITCHING_PROTOCOLS {
            return Err(UsageError::Status);
        }
        let parts = Parts::new(Some(head.status), head.fields);
        let weighed = self.weigh(&parts)?;
        self.may_send(self.settings.peer().framed(weighed.cost.octets), out)?;
        self.encoding.encode(&parts, weighed);
        self.put_block(stream, false, out);
        Ok(())
    }

    /// Tells a peer that waits for it, by `Expect: 100-continue`, that its
    /// content is wanted (RFC 9110 §10.1.1). Does nothing if it does not wait.
    ///
    /// # Errors
    /// Those of [`send_informational`](Self::send_informational).
    pub fn accept_body(&mut self, stream: u32, out: &mut impl Sink) -> Result<(), UsageError> {
        if !self.streams.may_respond(stream)?.expects {
            return Ok(());
        }
        let head = ResponseHead::new(Status::CONTINUE, Fields::EMPTY);
        self.send_informational(stream, &head, out)?;
        if let Some(stream) = self.streams.get_mut(stream) {
            stream.expects = false;
        }
        Ok(())
    }

    /// Sends the head of a response (server role). With `None` for `length`
    /// the response ends with its head and says nothing of its length; so it
    /// does with a known length of 0. Else its content follows by
    /// [`send_data`](Self::send_data).
    ///
    /// Content-Length and `date` are added; a Date in the fields goes before
    /// `date`. The answer to HEAD has the fields that GET's would have. Where no
    /// content may follow the head, to HEAD and with 204, 205 and 304, the
    /// response ends with its head, and content is taken and dropped.
    ///
    /// # Errors
    /// [`UsageError::NoStream`], [`UsageError::State`] if the response has begun,
    /// [`UsageError::Status`] for 1xx and for 2xx to CONNECT with a known length,
    /// [`UsageError::BodyTooLong`] for a 204 or 205 whose known length is not 0
    /// (RFC 9110 §15.3.5, §15.3.6), [`UsageError::InvalidField`],
    /// [`UsageError::ForbiddenField`], [`UsageError::ListTooLarge`],
    /// [`UsageError::NotOpen`], [`UsageError::NoRoom`].
    pub fn send_response(
        &mut self,
        stream: u32,
        head: &ResponseHead<'_>,
        length: Option<BodyLength>,
        date: Option<&Date>,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        let asks = self.streams.may_respond(stream)?.asks;
        let content = ResponseContent::to(asks, head.status);
        // A tunnel's data is no content of the response: it has no length (RFC 9110 §9.3.6).
        let is_tunnel = content.framing == ContentFraming::Tunnel;
        let swallows = !content.may_follow && !is_tunnel;
        let known = length.and_then(BodyLength::known);
        if head.status.is_informational() || (is_tunnel && known.is_some()) {
            return Err(UsageError::Status);
        }
        let forbids = matches!(content.length, SentLength::Never | SentLength::Zero);
        if forbids && matches!(known, Some(1..)) {
            return Err(UsageError::BodyTooLong);
        }
        let told = content.length_for(head.status, known);
        let parts = Parts {
            status: Some(head.status),
            fields: head.fields,
            length: told,
            date,
        };
        let weighed = self.weigh(&parts)?;
        let mut cost = weighed.cost;
        cost.add(32, 64); // Date and Content-Length
        self.may_send(self.settings.peer().framed(cost.octets), out)?;

        let empty = matches!(length, None | Some(BodyLength::Known(0)));
        self.encoding.encode(&parts, weighed);
        self.put_block(stream, empty || swallows, out);
        if let Some(stream) = self.streams.get_mut(stream) {
            stream.answered = true;
            stream.owed = owed(length);
            if swallows && !empty {
                stream.sending = Sending::Swallowed;
            }
        }
        if empty {
            self.end_ours(stream);
        }
        Ok(())
    }

    /// Ends the content of a stream, with trailers if there are any. Whatever
    /// was offered before must have been taken.
    ///
    /// # Errors
    /// [`UsageError::NoStream`], [`UsageError::State`] before the head or after the
    /// end, [`UsageError::BodyTooShort`], [`UsageError::InvalidField`],
    /// [`UsageError::ForbiddenField`], [`UsageError::ListTooLarge`],
    /// [`UsageError::NotOpen`], [`UsageError::NoRoom`].
    pub fn send_end(
        &mut self,
        stream: u32,
        trailers: Fields<'_>,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        let sender = *self.streams.may_send_data(stream)?;
        let parts = Parts::new(None, trailers);
        let weighed = self.weigh(&parts)?;
        if sender.sending == Sending::Content {
            sender.check_length(0, true)?;
        }
        self.may_send(self.settings.peer().framed(weighed.cost.octets), out)?;
        match (sender.sending, trailers.is_empty()) {
            (Sending::Swallowed, _) => {}
            (Sending::Content, true) => {
                payload::put_data_head(stream, 0, true, out);
            }
            (Sending::Content, false) => {
                self.encoding.encode(&parts, weighed);
                self.put_block(stream, true, out);
            }
        }
        self.end_ours(stream);
        Ok(())
    }

    /// Sends a ping of the application; its answer comes as
    /// [`Event::Pong`](crate::http2::Event::Pong).
    ///
    /// # Errors
    /// [`UsageError::NotOpen`], [`UsageError::NoRoom`].
    pub fn send_ping(&mut self, opaque: [u8; 8], out: &mut impl Sink) -> Result<(), UsageError> {
        self.may_send(CONTROL_ROOM, out)?;
        self.put_ping(opaque, out);
        Ok(())
    }

    /// Resets a stream: nothing more comes of it. [`ErrorCode::CANCEL`] says
    /// that it is not wanted any more, [`ErrorCode::NO_ERROR`] after a whole
    /// response that the rest of the request is not needed (RFC 9113 §8.1).
    ///
    /// # Errors
    /// [`UsageError::NoStream`], [`UsageError::NotOpen`], [`UsageError::NoRoom`].
    pub fn send_reset(
        &mut self,
        stream: u32,
        code: ErrorCode,
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        self.may_send(CONTROL_ROOM, out)?;
        let state = self.streams.state(stream, &self.goaway);
        let after = state.after(By::Us, Frame::Reset);
        after.map_err(|_| UsageError::NoStream)?;
        // Both sides have ended a stream whose content is only taken and dropped.
        let is_over = state == State::HalfClosedRemote && self.is_swallowed(stream);
        if !is_over {
            payload::put_reset(stream, code, out);
        }
        self.remove(stream, !is_over, now);
        Ok(())
    }

    // ---- what several calls do ----

    /// Judges the parts of a response or of trailers, by what the peer takes.
    #[inline]
    fn weigh(&self, parts: &Parts<'_>) -> Result<Weighed, UsageError> {
        let list = self.settings.peer().header_list;
        self.encoding.weigh(parts, list)
    }

    fn put_block(&mut self, stream: u32, end: bool, out: &mut impl Sink) {
        let most = self.settings.peer().frame;
        self.encoding.put_block(stream, end, most, out);
        self.flood.sent();
    }

    /// Answers a request that only the machine hears of, and the stream is over. At
    /// most 80 octets.
    pub(super) fn put_refusal(
        &mut self,
        (stream, ended): (u32, bool),
        status: Status,
        date: Option<&Date>,
        out: &mut impl Sink,
    ) {
        let parts = Parts {
            status: Some(status),
            fields: Fields::EMPTY,
            length: Some(0),
            date,
        };
        // Whatever the peer says that it takes.
        let weighed = self.weigh(&parts).unwrap_or(Weighed::HEAVY);
        self.encoding.encode(&parts, weighed);
        self.put_block(stream, true, out);
        if !ended {
            payload::put_reset(stream, ErrorCode::NO_ERROR, out);
        }
    }
}

const fn owed(length: Option<BodyLength>) -> u64 {
    match length {
        Some(BodyLength::Known(length)) => length,
        Some(BodyLength::Unknown) => UNKNOWN,
        None => 0,
    }
}
