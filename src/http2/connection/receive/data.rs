//! DATA: content under two windows (RFC 9113 §6.1, §6.9).

use super::{Outcome, Receiving};
use crate::http2::data_frames;
use crate::http2::frame;
use crate::http2::frame::Head;
use crate::http2::located_event::LocatedEvent;
use crate::http2::reading::{Data, Reading};
use crate::http2::state::{By, Frame, Refused};
use crate::http2::{ProtocolError, StreamError};
use crate::wire::{Role, Sink};

impl<O: Sink> Receiving<'_, '_, O> {
    pub(super) fn begin_data(&mut self, head: Head) -> Outcome {
        let connection = &mut *self.connection;
        let (id, len, end) = (head.stream, head.length, head.has(frame::END_STREAM));
        // It counts for the connection whatever becomes of its stream (RFC 9113 §6.9).
        connection
            .flow
            .take(len)
            .ok_or(ProtocolError::FlowControl)?;
        let data = Data {
            stream: id,
            left: len,
            padding: 0,
            pad_unread: head.has(frame::PADDED),
            end,
        };
        connection.reading = Reading::Data(data); // its padding is checked in any case
        let Some(stream) = connection.streams.get_mut(id) else {
            // Nothing of it is given out, so that nothing else would give it back.
            connection.flow.free(len);
            let late = connection.streams.late(id, &connection.goaway)?;
            return self.late(late);
        };
        let error = match stream.state.after(By::Peer, Frame::Data { end }) {
            Err(Refused::Idle | Refused::Ended | Refused::Closed) => StreamError::ClosedStream,
            Ok(_) if connection.role == Role::Client && !stream.answered => StreamError::Malformed,
            Ok(_) if stream.receive.take(len).is_none() => StreamError::FlowControl,
            Ok(_) => {
                connection.flow.note_shut(self.now);
                return match data.pad_unread {
                    true => Ok(None),
                    false => self.count_content(data),
                };
            }
        };
        connection.flow.free(len);
        self.stream_error(id, error)
    }

    fn count_content(&mut self, data: Data) -> Outcome {
        let connection = &mut *self.connection;
        if data.left == 0 && !data.end {
            connection.flood.empty_data(self.limits, self.now)?;
        }
        let stream = connection.streams.get_mut(data.stream);
        if stream.is_some_and(|stream| !stream.count_content(data.left.into())) {
            connection.reading = data.rest();
            return self.stream_error(data.stream, StreamError::Malformed);
        }
        Ok(None)
    }

    /// The inside of a DATA frame, as far as it is received.
    pub(super) fn data(&mut self, mut data: Data) -> Outcome {
        let is_open = self.connection.streams.get(data.stream).is_some();
        if !is_open && !data.pad_unread {
            // It is closed, and its bytes were given back then.
            self.connection.reading = data.rest();
            return Ok(None);
        }
        if data.pad_unread {
            return self.padding_length(data);
        }
        let from = self.at;
        let here = self.rest().len();
        let n = here.min(data.left as usize);
        if n > 0 {
            data.left -= n as u32; // n <= left
            self.at += n;
            self.connection.reading = Reading::Data(data);
            let is_complete = data.left == 0 && data.padding == 0;
            let to = match is_complete && !data.end {
                true => self.join(data.stream, from),
                false => self.at,
            };
            let stream = data.stream;
            return Ok(Some(LocatedEvent::Data { stream, from, to }));
        }
        if data.left > 0 {
            return Ok(Some(LocatedEvent::Need(1)));
        }
        if data.padding > 0 {
            let n = here.min(usize::from(data.padding));
            data.padding -= n as u8; // n <= padding
            self.at += n;
            self.connection.reading = Reading::Data(data);
            if data.padding > 0 {
                return Ok(Some(LocatedEvent::Need(usize::from(data.padding))));
            }
        }
        self.connection.reading = Reading::Head;
        let stream = data.stream;
        match data.end {
            true => self.end_of_content(stream, LocatedEvent::End { stream }),
            false => Ok(None),
        }
    }

    /// The padding length. Padding counts for the windows (RFC 9113 §6.1) and is used when
    /// read.
    fn padding_length(&mut self, mut data: Data) -> Outcome {
        let Some(&padding) = self.rest().first() else {
            return Ok(Some(LocatedEvent::Need(1)));
        };
        self.at += 1;
        let padded = 1 + u32::from(padding);
        data.pad_unread = false;
        data.padding = padding;
        let left = data.left.checked_sub(padded);
        data.left = left.ok_or(ProtocolError::Padding)?;
        let connection = &mut *self.connection;
        connection.reading = Reading::Data(data);
        let streams = &mut connection.streams;
        connection.flow.consume(streams, data.stream, padded);
        self.count_content(data)
    }

    /// Joins the DATA frames of one stream behind the content that began at `from`; returns
    /// where it ends.
    fn join(&mut self, id: u32, from: usize) -> usize {
        let connection = &mut *self.connection;
        connection.reading = Reading::Head;
        let Some(stream) = connection.streams.get_mut(id) else {
            return self.at;
        };
        let most = connection.settings.own().frame;
        let rest = &mut self.input[from..]; // it was looked at
        let len = self.at - from;
        let (to, end) = data_frames::join_next(rest, len, stream, &mut connection.flow, most);
        self.at = from + end;
        from + to
    }

    /// The peer has ended its side of a stream: `found` if that is right.
    pub(super) fn end_of_content(&mut self, id: u32, found: LocatedEvent) -> Outcome {
        let connection = &mut *self.connection;
        let stream = connection.streams.get(id);
        if stream.is_some_and(|stream| stream.lacks_content()) {
            return self.stream_error(id, StreamError::Malformed);
        }
        if connection.streams.end(id, By::Peer) {
            connection.remove(id, false, self.now);
        }
        Ok(Some(found))
    }
}
