//! Frames about the connection and its streams: SETTINGS, PING, GOAWAY,
//! RST_STREAM, WINDOW_UPDATE, PRIORITY (RFC 9113 §6).

use core::ops::Range;

use super::{Outcome, Receiving};
use crate::http2::frame;
use crate::http2::frame::{Head, Kind};
use crate::http2::located_event::LocatedEvent;
use crate::http2::payload::{self, ALIVE_PING, DRAIN_PING};
use crate::http2::settings;
use crate::http2::state::{By, Frame};
use crate::http2::{ErrorCode, ProtocolError};
use crate::wire::{Role, Sink};

impl<O: Sink> Receiving<'_, '_, O> {
    /// A frame of one of these kinds, with its payload at `body` in the input.
    pub(super) fn control(&mut self, head: Head, body: Range<usize>) -> Outcome {
        let payload = self.input.get(body.clone()).unwrap_or_default();
        match head.kind {
            Kind::Settings if head.has(frame::ACK) => self.settings_acknowledged(),
            Kind::Settings => self.settings(body),
            Kind::Ping => {
                let opaque = payload.first_chunk().copied().unwrap_or_default(); // 8: checked
                self.ping(opaque, head.has(frame::ACK))
            }
            Kind::GoAway => {
                let code = payload::code(payload.get(4..).unwrap_or_default());
                let last_stream = payload::number(payload);
                self.go_away(last_stream);
                Ok(Some(LocatedEvent::GoAway {
                    last_stream,
                    code,
                    from: body.start + 8,
                    to: body.end,
                }))
            }
            Kind::RstStream => {
                let code = payload::code(payload);
                self.reset(head.stream, code)
            }
            Kind::WindowUpdate => {
                let increment = payload::number(payload);
                self.window_update(head.stream, increment)
            }
            Kind::Priority if payload::number(payload) == head.stream => {
                Err(ProtocolError::SelfDependency)
            }
            // `Reading::frame` gives no others here.
            Kind::Priority
            | Kind::Data
            | Kind::Headers
            | Kind::PushPromise
            | Kind::Continuation
            | Kind::Unknown(_) => Ok(None),
        }
    }

    /// The peer's settings take effect before they are acknowledged (RFC 9113
    /// §6.5.3).
    fn settings(&mut self, body: Range<usize>) -> Outcome {
        let connection = &mut *self.connection;
        connection.flood.settings(self.limits, self.now)?;
        let was_greeted = connection.settings.is_greeted();
        let payload = self.input.get(body).unwrap_or_default();
        let change = connection.settings.receive(payload, connection.role)?;
        // Streams that are open follow, too, and may go below zero (RFC 9113 §6.9.2).
        connection.streams.grow_all(change.window)?;
        if let Some(size) = change.header_table {
            connection.encoding.set_ceiling(size);
        }
        settings::put_ack(self.out);
        if !was_greeted {
            connection.clock.note_complete(); // the preface with it
        }
        Ok(Some(LocatedEvent::Settings))
    }

    fn settings_acknowledged(&mut self) -> Outcome {
        let connection = &mut *self.connection;
        match connection.settings.acknowledged() {
            Some(by) => {
                let size = connection.settings.own().header_table;
                connection.decoding.set_ceiling(size);
                connection.streams.resize_all(by);
            }
            None => connection.flood.settings(self.limits, self.now)?,
        }
        Ok(None)
    }

    fn ping(&mut self, opaque: [u8; 8], is_answer: bool) -> Outcome {
        let connection = &mut *self.connection;
        if !is_answer {
            let is_idle = connection.streams.is_empty();
            connection.flood.ping(is_idle, self.limits, self.now)?;
            payload::put_ping(true, opaque, self.out);
            return Ok(Some(LocatedEvent::Ping(opaque)));
        }
        // What answers our pings is free, anything else is a flood.
        connection.flood.answer(self.limits, self.now)?;
        let is_drain = opaque == DRAIN_PING && connection.goaway.warned().is_some();
        if is_drain {
            connection.put_last_goaway("", self.out);
        }
        let is_ours = is_drain || opaque == ALIVE_PING;
        Ok((!is_ours).then_some(LocatedEvent::Pong(opaque)))
    }

    /// The peer is going away: a server does so, too.
    fn go_away(&mut self, last_stream: u32) {
        let connection = &mut *self.connection;
        // What a client names is a push of ours, of which there are none; that it goes is
        // what counts.
        connection.goaway.receive(last_stream);
        if connection.role == Role::Server && connection.goaway.last().is_none() {
            connection.put_last_goaway("", self.out);
        }
        connection.finish_drain();
    }

    fn reset(&mut self, stream: u32, code: ErrorCode) -> Outcome {
        let connection = &mut *self.connection;
        let state = connection.streams.state(stream, &connection.goaway);
        let after = state.after(By::Peer, Frame::Reset);
        after.map_err(|_| ProtocolError::IdleStream)?;
        // Also for a stream that is closed: the request before it has cost as much.
        connection.flood.reset(self.limits, self.now)?;
        if connection.streams.get(stream).is_none() {
            return Ok(None);
        }
        connection.remove(stream, false, self.now);
        Ok(Some(LocatedEvent::Reset { stream, code }))
    }

    fn window_update(&mut self, id: u32, increment: u32) -> Outcome {
        let connection = &mut *self.connection;
        if id == 0 {
            let grown = connection.flow.grow(increment)?;
            connection.clock.note_used(grown.used, self.now);
            if grown.was_shut {
                connection.streams.wake();
            }
            return Ok(None);
        }
        let state = connection.streams.state(id, &connection.goaway);
        let after = state.after(By::Peer, Frame::WindowUpdate);
        after.map_err(|_| ProtocolError::IdleStream)?;
        let is_open = connection.flow.open() > 0;
        match connection.streams.grow(id, increment, is_open) {
            Ok(()) => Ok(None),
            Err(error) => self.stream_error(id, error),
        }
    }
}
