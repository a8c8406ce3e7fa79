//! Whole header blocks: requests, responses, trailers, and frames that come
//! too late (RFC 9113 §5.1, §8.1).

use super::block::{Block, Decoded};
use super::connection::{Drain, Reading};
use super::flood::TOO_LARGE;
use super::frame::{HEAD, Head, Kind, flag};
use super::head::Judged;
use super::located_event::{LocatedEvent, LocatedRequest};
use super::receive::Context;
use super::state::{By, Frame, State};
use super::streams::{Past, Stream, UNKNOWN};
use super::{Connection, ErrorCode, ProtocolError, head, payload};
use crate::http::{Asks, ContentFraming, Expectation, ResponseContent, Scratch, Status, trailers};
use crate::wire::{Role, Sink};

impl Connection {
    /// A whole header block (RFC 9113 §8.1).
    pub(super) fn finish_block(
        &mut self,
        block: Block,
        octets: &[u8],
        context: &mut Context<'_, '_>,
        out: &mut impl Sink,
    ) -> Result<Option<LocatedEvent>, ProtocolError> {
        self.reading = Reading::Head;
        self.make_scratch(context.scratch)?;
        if let Some((list, judged)) = self.recall(&block, octets, context) {
            return self.take_request(block, list, Some(judged), context, out);
        }
        let changes = self.decoder.table().changes();
        let list = self.decode_block(&block, octets, context.limits, context.scratch)?;
        let id = block.stream;
        if let Some(stream) = self.streams.get(id) {
            let frame = Frame::Headers { end: block.end };
            let (state, answered) = (stream.state, stream.answered);
            let code = match state.after(By::Peer, frame) {
                Err(_) => ErrorCode::STREAM_CLOSED,
                Ok(_) if block.dependency == id => ErrorCode::PROTOCOL_ERROR,
                Ok(_) if !list.complete => {
                    self.flood.refusal(TOO_LARGE, context.limits, context.now)?;
                    ErrorCode::ENHANCE_YOUR_CALM
                }
                Ok(_) if self.role == Role::Client && !answered => {
                    return self.take_response(block, list, context, out).map(Some);
                }
                Ok(_) if !block.end => ErrorCode::PROTOCOL_ERROR,
                Ok(_) => match sift_trailers(list, context.scratch) {
                    Some((list, dropped)) => {
                        let refused = self.end_of_content(id, context, out)?;
                        let found = LocatedEvent::Trailers {
                            stream: id,
                            list,
                            dropped,
                        };
                        return Ok(Some(refused.unwrap_or(found)));
                    }
                    None => ErrorCode::PROTOCOL_ERROR,
                },
            };
            return self.stream_error(id, code, context, out).map(Some);
        }
        let is_own = id < self.next_own;
        match self.role {
            Role::Client if is_own && id % 2 == 1 => self.late(id, context).map(|()| None),
            Role::Client => Err(ProtocolError::IdleStream),
            Role::Server if id.is_multiple_of(2) => Err(ProtocolError::StreamOrder),
            Role::Server if id <= self.last_peer => match self.closed.find(id) {
                Past::Unknown if !self.closed.is_forgetful() => Err(ProtocolError::StreamOrder),
                _ => self.late(id, context).map(|()| None),
            },
            Role::Server => {
                let judged = match list.complete {
                    true => list
                        .list(context.scratch)
                        .judge_request(true, context.limits.strict_target)
                        .ok(),
                    false => None,
                };
                let same = self.decoder.table().changes() == changes && !block.skimmed;
                if let (Some(judged), true) = (judged, same) {
                    let scratch = &context.scratch;
                    self.known_heads
                        .note(changes, octets, &list, judged, scratch);
                }
                self.take_request(block, list, judged, context, out)
            }
        }
    }

    /// A request whose HEADERS stand at the front of `rest` in whole and with
    /// nothing but a block, if that is known: nothing else about them is to be
    /// judged. If they are not, nothing of `rest` is used, and they are to be
    /// looked at like any other frame.
    pub(super) fn known_request(
        &mut self,
        rest: &mut [u8],
        at: &mut usize,
        context: &mut Context<'_, '_>,
        out: &mut impl Sink,
    ) -> Result<Option<LocatedEvent>, ProtocolError> {
        const OTHERS: u8 = flag::PADDED | flag::PRIORITY;
        let Some(head) = Head::decode(rest).filter(|head| head.kind == Kind::Headers) else {
            return Ok(None);
        };
        let is_plain = head.flags & (flag::END_HEADERS | OTHERS) == flag::END_HEADERS;
        let end = HEAD + head.length as usize;
        if !is_plain || !self.greeted || head.length > self.own.frame {
            return Ok(None);
        }
        let Some(octets) = rest.get(HEAD..end) else {
            return Ok(None);
        };
        let block = Block {
            stream: head.stream,
            end: head.has(flag::END_STREAM),
            dependency: 0,
            assembled: head.length,
            frames: 0,
            skimmed: false,
        };
        let Some((list, judged)) = self.recall(&block, octets, context) else {
            return Ok(None);
        };
        *at += end;
        self.note_begun(false, context);
        let mut found = self.take_request(block, list, Some(judged), context, out)?;
        if let Some(found) = &mut found {
            self.complete(found, end, rest, at);
        }
        Ok(found)
    }

    /// The head of a request on a new stream, if its block is known.
    #[inline]
    fn recall(
        &self,
        block: &Block,
        octets: &[u8],
        context: &mut Context<'_, '_>,
    ) -> Option<(Decoded, Judged)> {
        let is_new = self.role == Role::Server
            && block.stream > self.last_peer
            && !block.stream.is_multiple_of(2)
            && !block.skimmed;
        if !is_new {
            return None;
        }
        let changes = self.decoder.table().changes();
        let fields = usize::from(context.limits.fields);
        self.known_heads
            .find(changes, octets, fields, context.scratch)
    }

    /// The head of a request on a new stream; not judged to be one if it is
    /// malformed.
    fn take_request(
        &mut self,
        block: Block,
        mut list: Decoded,
        judged: Option<Judged>,
        context: &mut Context<'_, '_>,
        out: &mut impl Sink,
    ) -> Result<Option<LocatedEvent>, ProtocolError> {
        let id = block.stream;
        if let Drain::Last(_) = self.drain {
            return Ok(None); // it was told (RFC 9113 §6.8)
        }
        self.last_peer = id;
        if self.streams.len() >= self.own.streams as usize {
            self.flood.refusal(1, context.limits, context.now)?;
            payload::put_reset(id, ErrorCode::REFUSED_STREAM, out);
            self.closed.push(id, true);
            return Ok(None);
        }
        if !list.complete {
            self.flood.refusal(TOO_LARGE, context.limits, context.now)?;
            let status = Status::REQUEST_HEADER_FIELDS_TOO_LARGE; // RFC 6585 §5
            return Ok(self.refuse(&block, status, context, out));
        }
        let judged = match judged {
            Some(judged) if block.dependency != id => judged,
            _ => return self.refuse_malformed(id, context, out),
        };
        if block.end && judged.content_length().is_some_and(|length| length > 0) {
            return self.refuse_malformed(id, context, out);
        }
        if judged.expects == Expectation::Unknown {
            self.flood.refusal(1, context.limits, context.now)?;
            let status = Status::EXPECTATION_FAILED; // RFC 9110 §10.1.1
            return Ok(self.refuse(&block, status, context, out));
        }
        let frame = Frame::Headers { end: block.end };
        let state = State::Idle.after(By::Peer, frame);
        let state = state.map_err(|_| ProtocolError::StreamOrder)?;
        let mut stream = Stream::new(id, state, self.peer.window, self.granted);
        stream.remaining = judged.content_length().unwrap_or(UNKNOWN);
        stream.expects = judged.expects == Expectation::Continue;
        stream.asks = judged.asks;
        self.streams.insert(stream);
        let (fields, Some(text)) = context.scratch.parts() else {
            return Err(ProtocolError::FieldTooLarge); // no list was decoded without it
        };
        if judged.has_cookies()
            && let Some(ranges) = fields.get_mut(..list.fields)
        {
            list.fields = head::join_cookies(text, list.text, ranges);
        }
        list.text = text.len().max(list.text);
        Ok(Some(LocatedEvent::Request(LocatedRequest {
            stream: id,
            list,
            judged,
            end: block.end,
            whole: None,
        })))
    }

    /// A request that the machine itself answers, with a status.
    fn refuse(
        &mut self,
        block: &Block,
        status: Status,
        context: &Context<'_, '_>,
        out: &mut impl Sink,
    ) -> Option<LocatedEvent> {
        self.put_refusal((block.stream, block.end), status, context.date, out);
        self.closed.push(block.stream, true);
        None
    }

    /// A request that is none: nobody but the peer hears of it.
    fn refuse_malformed(
        &mut self,
        id: u32,
        context: &Context<'_, '_>,
        out: &mut impl Sink,
    ) -> Result<Option<LocatedEvent>, ProtocolError> {
        self.flood.error(context.limits, context.now)?;
        payload::put_reset(id, ErrorCode::PROTOCOL_ERROR, out);
        self.closed.push(id, true);
        Ok(None)
    }

    /// The head of a response, interim or final.
    fn take_response(
        &mut self,
        block: Block,
        list: Decoded,
        context: &mut Context<'_, '_>,
        out: &mut impl Sink,
    ) -> Result<LocatedEvent, ProtocolError> {
        let (id, end) = (block.stream, block.end);
        let judged = list.list(context.scratch).judge_response();
        let Ok((judged, status)) = judged else {
            return self.stream_error(id, ErrorCode::PROTOCOL_ERROR, context, out);
        };
        let asks = self.streams.get(id).map_or(Asks::Content, |it| it.asks);
        let content = ResponseContent::to(asks, status);
        let length = match content.framing {
            ContentFraming::Nothing => Some(0),
            ContentFraming::ByFields => judged.content_length(),
            ContentFraming::Tunnel => None,
        };
        let found = LocatedEvent::Response {
            stream: id,
            list,
            status,
            length,
            end,
        };
        if status.is_informational() {
            if end || status == Status::SWITCHING_PROTOCOLS {
                return self.stream_error(id, ErrorCode::PROTOCOL_ERROR, context, out);
            }
            return Ok(found);
        }
        if let Some(stream) = self.streams.get_mut(id) {
            stream.answered = true;
            stream.remaining = length.unwrap_or(UNKNOWN);
        }
        if end && let Some(refused) = self.end_of_content(id, context, out)? {
            return Ok(refused);
        }
        Ok(found)
    }

    /// A frame for a stream that is not open: right if we have reset it, wrong
    /// if the peer has ended it, or nobody has opened it (RFC 9113 §5.1).
    pub(super) fn late(&mut self, id: u32, context: &Context<'_, '_>) -> Result<(), ProtocolError> {
        if self.is_idle(id) {
            return Err(ProtocolError::IdleStream);
        }
        if matches!(self.drain, Drain::Last(last) if self.role == Role::Server && id > last) {
            return Ok(());
        }
        match self.closed.find(id) {
            Past::Reset => Ok(()),
            Past::Unknown if self.closed.is_forgetful() => {
                self.flood.error(context.limits, context.now)
            }
            Past::Ended | Past::Unknown => Err(ProtocolError::ClosedStream),
        }
    }

    /// Whether a stream has never been opened.
    pub(super) fn is_idle(&self, id: u32) -> bool {
        if matches!(self.drain, Drain::Last(_)) && self.role == Role::Server {
            return id.is_multiple_of(2); // later ones may have been opened in vain
        }
        match self.role {
            Role::Server => id.is_multiple_of(2) || id > self.last_peer,
            Role::Client => id.is_multiple_of(2) || id >= self.next_own,
        }
    }

    /// Ends a stream over an error of the peer (RFC 9113 §5.4.2).
    pub(super) fn stream_error(
        &mut self,
        stream: u32,
        code: ErrorCode,
        context: &Context<'_, '_>,
        out: &mut impl Sink,
    ) -> Result<LocatedEvent, ProtocolError> {
        self.flood.error(context.limits, context.now)?;
        payload::put_reset(stream, code, out);
        self.remove(stream, true, context.now);
        Ok(LocatedEvent::Reset {
            stream,
            code,
            by_peer: false,
        })
    }
}

/// Judges trailers and leaves out what may not stand there: what is left, and
/// how many fields are not; `None` if they are malformed.
fn sift_trailers(mut list: Decoded, scratch: &mut Scratch<'_>) -> Option<(Decoded, u16)> {
    list.list(scratch).judge_trailers().ok()?;
    let (fields, text) = scratch.parts();
    let sifted = trailers::sift(text?, fields.get_mut(..list.fields)?)?;
    list.fields = sifted.kept;
    Some((list, sifted.dropped))
}
