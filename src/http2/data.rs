//! DATA: content under two windows (RFC 9113 §6.1, §6.9).

use super::connection::{Data, Reading};
use super::frame::{HEAD, Head, Kind, flag};
use super::located_event::LocatedEvent;
use super::receive::Context;
use super::state::{By, Frame, Refused, State};
use super::streams::UNKNOWN;
use super::{Connection, ErrorCode, ProtocolError};
use crate::wire::{Role, Sink};

impl Connection {
    /// The head of a DATA frame: windows and state (RFC 9113 §6.1, §6.9).
    pub(super) fn begin_data(
        &mut self,
        head: Head,
        context: &mut Context<'_, '_>,
        out: &mut impl Sink,
    ) -> Result<Option<LocatedEvent>, ProtocolError> {
        let (id, len, end) = (head.stream, head.length, head.has(flag::END_STREAM));
        self.receive.take(len).ok_or(ProtocolError::FlowControl)?;
        let pad_unread = head.has(flag::PADDED);
        let data = Data {
            stream: id,
            left: len,
            padding: 0,
            pad_unread,
            end,
        };
        let Some(stream) = self.streams.get_mut(id) else {
            self.receive.free(len);
            self.updates_due = true;
            self.reading = Reading::Data(data); // its padding is judged all the same
            return self.late(id, context).map(|()| None);
        };
        let code = match stream.state.after(By::Peer, Frame::Data { end }) {
            Err(Refused::Idle | Refused::Ended | Refused::Closed) => ErrorCode::STREAM_CLOSED,
            Ok(_) if self.role == Role::Client && !stream.answered => ErrorCode::PROTOCOL_ERROR,
            Ok(_) if stream.receive.take(len).is_none() => ErrorCode::FLOW_CONTROL_ERROR,
            Ok(_) => {
                if self.receive.is_shut() {
                    (self.withheld, self.shut) = (true, context.now);
                }
                self.reading = Reading::Data(data);
                if !pad_unread {
                    return self.judge_length(data, context, out);
                }
                return Ok(None);
            }
        };
        self.receive.free(len);
        self.reading = Reading::Data(data);
        self.stream_error(id, code, context, out).map(Some)
    }

    /// Judges how much content a DATA frame has, once that is known.
    fn judge_length(
        &mut self,
        data: Data,
        context: &mut Context<'_, '_>,
        out: &mut impl Sink,
    ) -> Result<Option<LocatedEvent>, ProtocolError> {
        if data.left == 0 && !data.end {
            self.flood.empty_data(context.limits, context.now)?;
        }
        let Some(stream) = self.streams.get_mut(data.stream) else {
            return Ok(None);
        };
        let left = u64::from(data.left);
        if stream.remaining != UNKNOWN {
            match stream.remaining.checked_sub(left) {
                Some(remaining) => stream.remaining = remaining,
                None => {
                    self.reading = Reading::Skip(data.left + u32::from(data.padding));
                    let code = ErrorCode::PROTOCOL_ERROR;
                    return self.stream_error(data.stream, code, context, out).map(Some);
                }
            }
        }
        Ok(None)
    }

    /// The inside of a DATA frame, as far as it is here.
    pub(super) fn data(
        &mut self,
        mut data: Data,
        rest: &mut [u8],
        at: &mut usize,
        context: &mut Context<'_, '_>,
        out: &mut impl Sink,
    ) -> Result<Option<LocatedEvent>, ProtocolError> {
        let is_open = self.streams.get(data.stream).is_some();
        if !is_open && !data.pad_unread {
            // It is closed, and its bytes were given back then.
            self.reading = Reading::Skip(data.left + u32::from(data.padding));
            return Ok(None);
        }
        if data.pad_unread {
            let Some(&padding) = rest.first() else {
                return Ok(Some(LocatedEvent::Need(1)));
            };
            data.pad_unread = false;
            data.padding = padding;
            let rest = data.left.checked_sub(1 + u32::from(padding));
            data.left = rest.ok_or(ProtocolError::Padding)?;
            *at += 1;
            self.reading = Reading::Data(data);
            self.consume_quietly(data.stream, 1 + u32::from(padding));
            return self.judge_length(data, context, out);
        }
        let n = rest.len().min(data.left as usize);
        if n > 0 {
            data.left -= n as u32; // n <= left
            *at += n;
            self.reading = Reading::Data(data);
            let mut to = n;
            if data.left == 0 && data.padding == 0 && !data.end {
                to = self.join(data.stream, n, rest, at);
            }
            let stream = data.stream;
            return Ok(Some(LocatedEvent::Data {
                stream,
                from: 0,
                to,
            }));
        }
        if data.left > 0 {
            return Ok(Some(LocatedEvent::Need(1)));
        }
        if data.padding > 0 {
            let n = rest.len().min(usize::from(data.padding));
            data.padding -= n as u8; // n <= padding
            *at += n;
            self.reading = Reading::Data(data);
            if data.padding > 0 {
                return Ok(Some(LocatedEvent::Need(usize::from(data.padding))));
            }
        }
        self.reading = Reading::Head;
        if !data.end {
            return Ok(None);
        }
        self.end_of_content(data.stream, context, out)
            .map(|refused| {
                Some(refused.unwrap_or(LocatedEvent::End {
                    stream: data.stream,
                }))
            })
    }

    /// Joins small frames of one stream that lie one after the other to one
    /// piece: `n` octets stand at the front of `rest`, `at` is behind them.
    /// Returns how long the piece is.
    fn join(&mut self, id: u32, n: usize, rest: &mut [u8], at: &mut usize) -> usize {
        let (mut to, mut from) = (n, n);
        self.reading = Reading::Head;
        let Some(stream) = self.streams.get_mut(id) else {
            return to;
        };
        loop {
            let next = rest.get(from..).unwrap_or_default();
            let Some(head) = Head::decode(next) else {
                break;
            };
            let len = head.length as usize;
            let plain = head.kind == Kind::Data
                && head.stream == id
                && !head.has(flag::PADDED | flag::END_STREAM)
                && (1..=self.own.frame).contains(&head.length)
                && stream.remaining >= u64::from(head.length)
                && next.len() >= HEAD + len;
            if !plain || self.receive.take(head.length).is_none() {
                break;
            }
            if stream.receive.take(head.length).is_none() {
                // It is judged on its own; until then it has not come.
                self.receive.put_back(head.length);
                break;
            }
            if stream.remaining != UNKNOWN {
                stream.remaining -= u64::from(head.length);
            }
            rest.copy_within(from + HEAD..from + HEAD + len, to);
            to += len;
            from += HEAD + len;
        }
        *at += from - n;
        to
    }

    /// The peer has ended its side of a stream: the reset, if that was not
    /// right.
    pub(super) fn end_of_content(
        &mut self,
        id: u32,
        context: &mut Context<'_, '_>,
        out: &mut impl Sink,
    ) -> Result<Option<LocatedEvent>, ProtocolError> {
        let Some(stream) = self.streams.get_mut(id) else {
            return Ok(None);
        };
        if stream.remaining != UNKNOWN && stream.remaining > 0 {
            let code = ErrorCode::PROTOCOL_ERROR;
            return self.stream_error(id, code, context, out).map(Some);
        }
        match stream.state.after(By::Peer, Frame::Data { end: true }) {
            Ok(State::Closed) => self.remove(id, false, context.now),
            Ok(state) => stream.state = state,
            Err(_) => debug_assert!(false, "its DATA was let in"),
        }
        Ok(None)
    }
}
