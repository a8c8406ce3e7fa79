//! Complete header blocks: requests, responses, trailers (RFC 9113 §8.1).

use core::ops::Range;

use super::{Outcome, Receiving};
use crate::http::{Asks, ContentFraming, Expectation, ResponseContent, Scratch, Status, trailers};
use crate::http2::block::{Block, Decoded};
use crate::http2::data_frames;
use crate::http2::decoding::make_scratch;
use crate::http2::flood::TOO_LARGE;
use crate::http2::frame;
use crate::http2::frame::{HEAD, Head, Kind};
use crate::http2::head::{self, Judged};
use crate::http2::located_event::{LocatedEvent, LocatedRequest};
use crate::http2::payload;
use crate::http2::state::{By, Frame, State};
use crate::http2::stream::{Stream, UNKNOWN};
use crate::http2::{ErrorCode, ProtocolError, StreamError};
use crate::wire::{Role, Sink};

impl<O: Sink> Receiving<'_, '_, O> {
    /// A request whose complete HEADERS at the front of the input hold one known block.
    /// Otherwise uses nothing.
    pub(super) fn known_request(&mut self) -> Outcome {
        const OTHERS: u8 = frame::PADDED | frame::PRIORITY;
        let start = self.at;
        let rest = self.rest();
        let Some(head) = Head::decode(rest).filter(|head| head.kind == Kind::Headers) else {
            return Ok(None);
        };
        let is_plain = head.flags & (frame::END_HEADERS | OTHERS) == frame::END_HEADERS;
        let end = HEAD + head.length as usize;
        let is_here = rest.len() >= end;
        let settings = &self.connection.settings;
        let fits = settings.is_greeted() && head.length <= settings.own().frame;
        if !(is_plain && is_here && fits) {
            return Ok(None);
        }
        let block = Block {
            stream: head.stream,
            end: head.has(frame::END_STREAM),
            dependency: 0,
            assembled: head.length,
            frames: 0,
            skimmed: false,
        };
        let Some((list, judged)) = self.recall(&block, start + HEAD..start + end) else {
            return Ok(None);
        };
        self.at = start + end;
        self.note_begun(false);
        self.take_request(block, list, Some(judged))
    }

    /// A complete header block, its octets at this place in the input.
    pub(super) fn finish_block(&mut self, block: Block, octets: Range<usize>) -> Outcome {
        // A head that is known is put into the scratch without being decoded.
        make_scratch(self.connection.settings.own(), self.scratch)?;
        if let Some((list, judged)) = self.recall(&block, octets.clone()) {
            return self.take_request(block, list, Some(judged));
        }
        let connection = &mut *self.connection;
        let octets = self.input.get(octets).unwrap_or_default();
        let changes = connection.decoding.changes();
        let own = connection.settings.own();
        let decoding = &mut connection.decoding;
        let list = decoding.decode(&block, octets, own, self.limits, self.scratch)?;
        let (id, streams) = (block.stream, &connection.streams);
        if streams.get(id).is_some() {
            return self.block_on_stream(block, list);
        }
        if connection.role == Role::Client {
            let late = streams.late(id, &connection.goaway)?;
            return self.late(late);
        }
        if !streams.is_next_of_peer(id) {
            let late = streams.late_request(id, &connection.goaway)?;
            return self.late(late);
        }
        let strict = self.limits.strict_target;
        let judged = match list.complete {
            true => list.list(self.scratch).judge_request(true, strict).ok(),
            false => None,
        };
        if let (Some(judged), false) = (judged, block.skimmed) {
            let decoding = &mut connection.decoding;
            decoding.note(changes, octets, &list, judged, self.scratch);
        }
        self.take_request(block, list, judged)
    }

    fn block_on_stream(&mut self, block: Block, list: Decoded) -> Outcome {
        let connection = &mut *self.connection;
        let id = block.stream;
        let Some(stream) = connection.streams.get(id) else {
            return Ok(None); // the caller has looked
        };
        let error = match stream
            .state
            .after(By::Peer, Frame::Headers { end: block.end })
        {
            Err(_) => StreamError::ClosedStream,
            Ok(_) if block.dependency == id => StreamError::SelfDependency,
            Ok(_) if !list.complete => {
                let flood = &mut connection.flood;
                flood.refusal(TOO_LARGE, self.limits, self.now)?;
                match list.too_many {
                    true => StreamError::TooManyFields,
                    false => StreamError::ListTooLarge,
                }
            }
            Ok(_) if connection.role == Role::Client && !stream.answered => {
                return self.take_response(block, list);
            }
            // A second list of fields ends the message, or is none that HTTP knows.
            Ok(_) if !block.end => StreamError::Malformed,
            Ok(_) => match sift_trailers(list, self.scratch) {
                Some((list, dropped)) => {
                    let found = LocatedEvent::Trailers {
                        stream: id,
                        list,
                        dropped,
                    };
                    return self.end_of_content(id, found);
                }
                None => StreamError::Malformed,
            },
        };
        self.stream_error(id, error)
    }

    /// The head of a request on a new stream, if its block is known.
    #[inline]
    fn recall(&mut self, block: &Block, octets: Range<usize>) -> Option<(Decoded, Judged)> {
        let connection = &*self.connection;
        if !connection.streams.is_next_of_peer(block.stream) || block.skimmed {
            return None;
        }
        let octets = self.input.get(octets)?;
        let decoding = &connection.decoding;
        decoding.recall(octets, self.limits, self.scratch)
    }

    /// The head of a request on a new stream; not judged to be one if it is
    /// malformed.
    fn take_request(&mut self, block: Block, mut list: Decoded, judged: Option<Judged>) -> Outcome {
        let connection = &mut *self.connection;
        let id = block.stream;
        if connection.goaway.last().is_some() {
            return Ok(None); // the peer was told (RFC 9113 §6.8)
        }
        // Also if it is refused: the peer may not use the number again.
        connection.streams.note_opened(id);
        if connection.streams.len() >= connection.settings.own().streams as usize {
            connection.flood.refusal(1, self.limits, self.now)?;
            return Ok(self.refuse_unseen(id, ErrorCode::REFUSED_STREAM));
        }
        if !list.complete {
            let flood = &mut connection.flood;
            flood.refusal(TOO_LARGE, self.limits, self.now)?;
            let status = Status::REQUEST_HEADER_FIELDS_TOO_LARGE; // RFC 6585 §5
            return Ok(self.refuse(&block, status));
        }
        // A request that is none: only the peer hears of it.
        let has_content = |judged: &Judged| judged.content_length().is_some_and(|n| n > 0);
        let judged = match judged {
            Some(judged) if block.dependency != id && !(block.end && has_content(&judged)) => {
                judged
            }
            Some(_) | None => {
                connection.flood.error(self.limits, self.now)?;
                return Ok(self.refuse_unseen(id, ErrorCode::PROTOCOL_ERROR));
            }
        };
        if judged.expects == Expectation::Unknown {
            connection.flood.refusal(1, self.limits, self.now)?;
            let status = Status::EXPECTATION_FAILED; // RFC 9110 §10.1.1
            return Ok(self.refuse(&block, status));
        }
        let state = State::Idle.after(By::Peer, Frame::Headers { end: block.end });
        let state = state.map_err(|_| ProtocolError::StreamOrder)?;
        let settings = &connection.settings;
        let mut stream = Stream::new(id, state, settings.peer().window, settings.granted());
        stream.remaining = judged.content_length().unwrap_or(UNKNOWN);
        stream.expects = judged.expects == Expectation::Continue;
        stream.asks = judged.asks;
        connection.streams.insert(stream);
        let (fields, Some(text)) = self.scratch.parts() else {
            return Err(ProtocolError::FieldTooLarge); // no list was decoded without it
        };
        if judged.has_cookies()
            && let Some(ranges) = fields.get_mut(..list.fields)
        {
            list.fields = head::join_cookies(text, list.text, ranges);
        }
        // Joined cookies stand after the rest of the text.
        list.text = text.len().max(list.text);
        let whole = match judged.may_be_whole() && !block.end {
            true => self.take_whole(id),
            false => None,
        };
        Ok(Some(LocatedEvent::Request(LocatedRequest {
            stream: id,
            list,
            judged,
            end: block.end,
            whole,
        })))
    }

    /// The place of a new request's content, if all of it follows the head.
    #[inline]
    fn take_whole(&mut self, id: u32) -> Option<(usize, usize)> {
        let connection = &mut *self.connection;
        let stream = connection.streams.get_mut(id)?;
        let rest = self.input.get_mut(self.at..)?;
        let (flow, own) = (&mut connection.flow, connection.settings.own());
        let (content, octets) = data_frames::take_whole(rest, stream, flow, own)?;
        let from = self.at + HEAD;
        self.at += octets;
        Some((from, from + content))
    }

    /// A request that the machine itself answers, with a status.
    fn refuse(&mut self, block: &Block, status: Status) -> Option<LocatedEvent> {
        let connection = &mut *self.connection;
        connection.put_refusal((block.stream, block.end), status, self.date, self.out);
        connection.streams.refuse(block.stream);
        None
    }

    /// A request that is reset before it is looked at.
    fn refuse_unseen(&mut self, id: u32, code: ErrorCode) -> Option<LocatedEvent> {
        payload::put_reset(id, code, self.out);
        self.connection.streams.refuse(id);
        None
    }

    fn take_response(&mut self, block: Block, list: Decoded) -> Outcome {
        let connection = &mut *self.connection;
        let (id, end) = (block.stream, block.end);
        let Ok((judged, status)) = list.list(self.scratch).judge_response() else {
            return self.stream_error(id, StreamError::Malformed);
        };
        let asks = connection
            .streams
            .get(id)
            .map_or(Asks::Content, |it| it.asks);
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
                return self.stream_error(id, StreamError::Malformed);
            }
            return Ok(Some(found));
        }
        if let Some(stream) = connection.streams.get_mut(id) {
            stream.answered = true;
            stream.remaining = length.unwrap_or(UNKNOWN);
        }
        match end {
            true => self.end_of_content(id, found),
            false => Ok(Some(found)),
        }
    }
}

/// Leaves out of trailers what may not stand there; returns the rest and how many were left
/// out, `None` if malformed.
fn sift_trailers(mut list: Decoded, scratch: &mut Scratch<'_>) -> Option<(Decoded, u16)> {
    list.list(scratch).judge_trailers().ok()?;
    let (fields, text) = scratch.parts();
    let sifted = trailers::sift(text?, fields.get_mut(..list.fields)?)?;
    list.fields = sifted.kept;
    Some((list, sifted.dropped))
}
