//! How a connection sends: heads, content in fair shares, ends.

use bytes::Bytes;

use super::connection::Phase;
use super::cost::Parts;
use super::fields::{self, Pseudo, Section};
use super::frame::{HEAD, Head, Kind, MAX_31, flag};
use super::state::{By, Frame, State};
use super::streams::{Sending, Stream, UNKNOWN};
use super::{BodyLength, Connection, UsageError};
use crate::http::{
    Asks, ContentFraming, Fields, RequestHead, ResponseContent, ResponseHead, SentLength, Status,
    date::Date,
};
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
        let id = self.next_own;
        if id > MAX_31 || self.streams.len() >= self.peer.streams as usize {
            return Err(UsageError::TooManyStreams);
        }
        if head.protocol.is_some() && !self.peer.connect_protocol {
            return Err(UsageError::NoExtendedConnect);
        }
        let pseudo = Pseudo::new(head)?;
        let mut cost = fields::check(head.fields, Section::Request)?;
        pseudo.cost(&mut cost);
        cost.fits(self.peer.header_list)?;
        self.may_send(self.framed(cost.octets + 32), out)?;

        let end = matches!(length, None | Some(BodyLength::Known(0)));
        let state = State::Idle.after(By::Us, Frame::Headers { end });
        let state = state.map_err(|_| UsageError::State)?;
        self.encode_request(&pseudo, head.fields, length);
        self.put_block(id, end, out);
        let mut stream = Stream::new(id, state, self.peer.window, self.granted);
        stream.asks = Asks::of(head.method);
        stream.owed = owed(length);
        self.streams.insert(stream);
        self.next_own = id + 2;
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
        self.may_respond(stream)?;
        if !head.status.is_informational() || head.status == Status::SWITCHING_PROTOCOLS {
            return Err(UsageError::Status);
        }
        let parts = Parts {
            status: Some(head.status),
            fields: head.fields,
            length: None,
            date: None,
        };
        let weighed = self.weigh(&parts)?;
        self.may_send(self.framed(weighed.cost.octets), out)?;
        self.encode_parts(&parts, weighed);
        self.put_block(stream, false, out);
        Ok(())
    }

    /// Tells a peer that waits for it, by `Expect: 100-continue`, that its
    /// content is wanted (RFC 9110 §10.1.1). Does nothing if it does not wait.
    ///
    /// # Errors
    /// As [`send_informational`](Self::send_informational).
    pub fn accept_body(&mut self, stream: u32, out: &mut impl Sink) -> Result<(), UsageError> {
        if !self.may_respond(stream)?.expects {
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
        let asks = self.may_respond(stream)?.asks;
        let content = ResponseContent::to(asks, head.status);
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
        self.may_send(self.framed(cost.octets), out)?;

        let empty = matches!(length, None | Some(BodyLength::Known(0)));
        self.encode_parts(&parts, weighed);
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

    /// Sends as much of `data` as the windows, the room and a fair share
    /// allow, and says how much that was; `end` says that nothing follows it.
    /// If less than all was taken, the stream waits for its turn: offer the
    /// rest when [`ready`](Self::ready) names it.
    ///
    /// # Errors
    /// [`UsageError::NoStream`], [`UsageError::State`] before the head or after the
    /// end, [`UsageError::BodyTooLong`], [`UsageError::BodyTooShort`],
    /// [`UsageError::NotOpen`], [`UsageError::NoRoom`] only for an end without data.
    pub fn send_data(
        &mut self,
        stream: u32,
        data: &[u8],
        end: bool,
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<usize, UsageError> {
        let n = self.share(stream, data.len(), end, now, out)?;
        let most = self.data_frame();
        let mut rest = match self.is_swallowed(stream) {
            true => &[],
            false => data.get(..n).unwrap_or_default(),
        };
        while !rest.is_empty() {
            let (piece, more) = rest.split_at(rest.len().min(most));
            let last = end && n == data.len() && more.is_empty();
            self.put_data_head(stream, piece.len(), last, out);
            out.put(piece);
            rest = more;
        }
        self.finish_data(stream, n, data.len(), end, out);
        Ok(n)
    }

    /// The same with data that is handed over by reference.
    ///
    /// # Errors
    /// As [`send_data`](Self::send_data).
    pub fn send_data_shared(
        &mut self,
        stream: u32,
        data: &Bytes,
        end: bool,
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<usize, UsageError> {
        let n = self.share(stream, data.len(), end, now, out)?;
        let most = self.data_frame();
        let mut at = if self.is_swallowed(stream) { n } else { 0 };
        while at < n {
            let next = n.min(at + most);
            let last = end && next == data.len();
            self.put_data_head(stream, next - at, last, out);
            out.put_shared(data.slice(at..next)); // at < next <= data.len()
            at = next;
        }
        self.finish_data(stream, n, data.len(), end, out);
        Ok(n)
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
        let sender = *self.may_send_data(stream)?;
        let parts = Parts {
            status: None,
            fields: trailers,
            length: None,
            date: None,
        };
        let weighed = self.weigh(&parts)?;
        let is_short = sender.owed != UNKNOWN && sender.owed > 0;
        if is_short && sender.sending == Sending::Content {
            return Err(UsageError::BodyTooShort);
        }
        self.may_send(self.framed(weighed.cost.octets), out)?;
        match (sender.sending, trailers.is_empty()) {
            (Sending::Swallowed, _) => {}
            (Sending::Content, true) => {
                self.put_data_head(stream, 0, true, out);
            }
            (Sending::Content, false) => {
                self.encode_parts(&parts, weighed);
                self.put_block(stream, true, out);
            }
        }
        self.end_ours(stream);
        Ok(())
    }

    /// The stream whose turn it is to send: it has offered more than was
    /// taken, and now has a window. Its rest is to be offered at once: it is
    /// not named again before. `None` if there is none; any call that takes
    /// `&mut self` may change that.
    pub fn ready(&mut self) -> Option<u32> {
        if self.send.open() == 0 {
            return None;
        }
        while let Some(id) = self.schedule.pop() {
            if let Some(stream) = self.streams.get_mut(id) {
                stream.queued = false;
                if stream.send.open() > 0 {
                    return Some(id);
                }
            }
        }
        None
    }

    /// How much of `len` bytes a stream may send now.
    fn share(
        &mut self,
        id: u32,
        len: usize,
        end: bool,
        now: Instant,
        out: &impl Sink,
    ) -> Result<usize, UsageError> {
        let stream = *self.may_send_data(id)?;
        if self.phase != Phase::Open {
            return Err(UsageError::NotOpen);
        }
        if stream.owed != UNKNOWN {
            if len as u64 > stream.owed {
                return Err(UsageError::BodyTooLong);
            }
            if end && (len as u64) < stream.owed {
                return Err(UsageError::BodyTooShort);
            }
        }
        if stream.sending == Sending::Swallowed {
            return Ok(len);
        }
        let windows = stream.send.open().min(self.send.open());
        let most = self.data_frame();
        let frames = out.room() / (most + HEAD);
        let tail = (out.room() % (most + HEAD)).saturating_sub(HEAD);
        let room = frames.saturating_mul(most).saturating_add(tail);
        if len == 0 && end && out.room() < HEAD {
            return Err(UsageError::NoRoom);
        }
        let n = len.min(windows).min(room).min(self.schedule.share());
        let frames = n.div_ceil(most).max(1);
        debug_assert!(n == 0 || n + frames * HEAD <= out.room());
        self.note_progress(id, n, len, now);
        Ok(n)
    }

    /// Notes whether a stream has to wait, and for what.
    fn note_progress(&mut self, id: u32, n: usize, len: usize, now: Instant) {
        let Some(stream) = self.streams.get_mut(id) else {
            return;
        };
        if n > 0 {
            stream.stalled = Instant::NEVER;
            stream.send.take(n);
            self.send.take(n);
            self.flood.sent();
            if stream.owed != UNKNOWN {
                stream.owed -= n as u64; // n <= len <= owed: checked by the caller
            }
        }
        stream.waiting = n < len;
        if !stream.waiting {
            return;
        }
        let is_shut = stream.send.open() == 0 || self.send.open() == 0;
        if is_shut && stream.stalled == Instant::NEVER {
            stream.stalled = now;
            self.wake = self.wake.min(now);
        }
        if !stream.queued && stream.send.open() > 0 {
            stream.queued = true;
            self.schedule.push(id);
        }
    }

    /// Takes what is swallowed, and ends the stream if all was taken.
    fn finish_data(&mut self, id: u32, n: usize, len: usize, end: bool, out: &mut impl Sink) {
        let Some(stream) = self.streams.get_mut(id) else {
            return;
        };
        let swallowed = stream.sending == Sending::Swallowed;
        if swallowed && stream.owed != UNKNOWN {
            stream.owed = stream.owed.saturating_sub(n as u64);
        }
        if !end || n < len {
            return;
        }
        if len == 0 && !swallowed {
            self.put_data_head(id, 0, true, out);
        }
        self.end_ours(id);
    }

    /// The longest DATA frame that is sent: short ones let streams alternate.
    pub(super) fn data_frame(&self) -> usize {
        self.peer.frame.min(16 << 10) as usize
    }

    fn put_data_head(&self, stream: u32, len: usize, end: bool, out: &mut impl Sink) {
        let flags = if end { flag::END_STREAM } else { 0 };
        out.put(&Head::new(Kind::Data, flags, stream, len).encode());
    }

    /// Our side of a stream has ended. The response to HEAD ended with its
    /// head, and its content was swallowed.
    fn end_ours(&mut self, id: u32) {
        let Some(stream) = self.streams.get_mut(id) else {
            return;
        };
        match stream.state.after(By::Us, Frame::Data { end: true }) {
            Ok(State::Closed) => self.remove(id, false, self.heard),
            Ok(state) => stream.state = state,
            Err(_) => debug_assert!(false, "the caller has checked"),
        }
    }

    /// A stream on which a final response is owed.
    fn may_respond(&self, id: u32) -> Result<&Stream, UsageError> {
        let stream = self.streams.get(id).ok_or(UsageError::NoStream)?;
        if self.role == Role::Client || stream.answered || !stream.state.sends() {
            return Err(UsageError::State);
        }
        Ok(stream)
    }

    /// A stream whose head is out and whose content is not.
    fn may_send_data(&self, id: u32) -> Result<&Stream, UsageError> {
        let stream = self.streams.get(id).ok_or(UsageError::NoStream)?;
        let headed = self.role == Role::Client || stream.answered;
        if !headed || !stream.state.sends() {
            return Err(UsageError::State);
        }
        Ok(stream)
    }

    pub(super) fn may_send(&self, octets: usize, out: &impl Sink) -> Result<(), UsageError> {
        if self.phase != Phase::Open {
            return Err(UsageError::NotOpen);
        }
        if out.room() < octets {
            return Err(UsageError::NoRoom);
        }
        Ok(())
    }
}

/// Bytes that a length promises.
const fn owed(length: Option<BodyLength>) -> u64 {
    match length {
        Some(BodyLength::Known(length)) => length,
        Some(BodyLength::Unknown) => UNKNOWN,
        None => 0,
    }
}
