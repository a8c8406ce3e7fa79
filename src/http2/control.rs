//! Frames about the connection and its streams: SETTINGS, PING, GOAWAY,
//! RST_STREAM, WINDOW_UPDATE, PRIORITY (RFC 9113 §6).

use core::time::Duration;

use super::connection::{ALIVE_PING, CONTROL_ROOM, DRAIN_PING, Drain};
use super::flood::Spent;
use super::frame::{HEAD, Head, Kind, flag};
use super::located_event::LocatedEvent;
use super::receive::Context;
use super::settings;
use super::state::{By, Frame, State};
use super::streams::Sending;
use super::{Connection, ErrorCode, ProtocolError, UsageError, payload};
use crate::wire::{Instant, Role, Sink};

impl Connection {
    /// What the peer has spent of its rates.
    #[cfg(feature = "net")]
    pub(crate) const fn spent(&self) -> Spent {
        self.flood.spent()
    }

    /// Begins with what the peer has spent on connections before this.
    pub(crate) const fn begin_with(&mut self, spent: Spent) {
        self.flood.begin_with(spent);
    }

    /// A whole frame of one of these kinds.
    pub(super) fn control(
        &mut self,
        head: Head,
        body: &[u8],
        context: &mut Context<'_, '_>,
        out: &mut impl Sink,
    ) -> Result<Option<LocatedEvent>, ProtocolError> {
        let id = head.stream;
        match head.kind {
            Kind::Settings if head.has(flag::ACK) => {
                self.settings_acknowledged(context)?;
                Ok(None)
            }
            Kind::Settings => self.settings(body, context, out).map(Some),
            Kind::Ping => {
                let opaque = body.first_chunk().copied().unwrap_or_default(); // 8 octets: checked
                if head.has(flag::ACK) {
                    // What answers our pings is free, anything else is a flood.
                    self.flood.answer(context.limits, context.now)?;
                    let ours = self.take_pong(opaque, out);
                    self.finish_drain();
                    return Ok((!ours).then_some(LocatedEvent::Pong(opaque)));
                }
                let idle = self.streams.is_empty();
                self.flood.ping(idle, context.limits, context.now)?;
                payload::put_ping(true, opaque, out);
                Ok(Some(LocatedEvent::Ping(opaque)))
            }
            Kind::GoAway => {
                let last_stream = payload::number(body);
                let above = self.refused_above.unwrap_or(u32::MAX).min(last_stream);
                self.refused_above = Some(above);
                if self.role == Role::Server && !matches!(self.drain, Drain::Last(_)) {
                    self.put_last_goaway("", out);
                }
                self.finish_drain();
                Ok(Some(LocatedEvent::GoAway {
                    last_stream,
                    code: payload::code(body.get(4..).unwrap_or_default()),
                    from: HEAD + 8,
                    to: HEAD + body.len(),
                }))
            }
            Kind::RstStream => self.reset(id, payload::code(body), context),
            Kind::WindowUpdate => self.window_update(id, payload::number(body), context, out),
            Kind::Priority if payload::number(body) == id => Err(ProtocolError::SelfDependency),
            // The others never come here: they are told apart before.
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
    fn settings(
        &mut self,
        body: &[u8],
        context: &mut Context<'_, '_>,
        out: &mut impl Sink,
    ) -> Result<LocatedEvent, ProtocolError> {
        self.flood.settings(context.limits, context.now)?;
        let peer = self.peer.after(body, self.role)?;
        let by = i64::from(peer.window) - i64::from(self.peer.window);
        if by != 0 {
            for stream in self.streams.iter_mut() {
                stream.send.grow(by).ok_or(ProtocolError::SettingWindow)?;
            }
        }
        if peer.header_table != self.peer.header_table {
            self.encoder.set_ceiling(peer.header_table);
        }
        self.peer = peer;
        if by > 0 {
            self.wake_streams();
        }
        settings::put_ack(out);
        if !self.greeted {
            self.greeted = true;
            self.frame_since = None;
        }
        Ok(LocatedEvent::Settings)
    }

    /// Our settings take effect once they are acknowledged.
    fn settings_acknowledged(
        &mut self,
        context: &mut Context<'_, '_>,
    ) -> Result<(), ProtocolError> {
        if self.settings_since.take().is_none() {
            return self.flood.settings(context.limits, context.now);
        }
        self.decoder.set_ceiling(self.own.header_table);
        self.known_heads.clear(); // the next block may have to shrink the table
        let by = i64::from(self.own.window) - i64::from(self.granted);
        self.granted = self.own.window;
        for stream in self.streams.iter_mut() {
            stream.receive.resize(by);
        }
        Ok(())
    }

    fn reset(
        &mut self,
        stream: u32,
        code: ErrorCode,
        context: &Context<'_, '_>,
    ) -> Result<Option<LocatedEvent>, ProtocolError> {
        let after = self.state(stream).after(By::Peer, Frame::Reset);
        after.map_err(|_| ProtocolError::IdleStream)?;
        self.flood.reset(context.limits, context.now)?;
        if self.streams.get(stream).is_none() {
            return Ok(None);
        }
        self.remove(stream, false, context.now);
        Ok(Some(LocatedEvent::Reset {
            stream,
            code,
            by_peer: true,
        }))
    }

    fn window_update(
        &mut self,
        id: u32,
        increment: u32,
        context: &Context<'_, '_>,
        out: &mut impl Sink,
    ) -> Result<Option<LocatedEvent>, ProtocolError> {
        if id == 0 {
            if increment == 0 {
                return Err(ProtocolError::WindowIncrement);
            }
            let shut = self.send.open() == 0;
            let unused = self.full.saturating_sub(self.send.open() as u32); // < 2^31
            let grown = self.send.grow(i64::from(increment));
            grown.ok_or(ProtocolError::WindowOverflow)?;
            self.full = self.full.max(self.send.open() as u32);
            self.used(increment.min(unused), context.now);
            if shut {
                self.wake_streams();
            }
            return Ok(None);
        }
        let after = self.state(id).after(By::Peer, Frame::WindowUpdate);
        after.map_err(|_| ProtocolError::IdleStream)?;
        let Some(stream) = self.streams.get_mut(id) else {
            return Ok(None);
        };
        let code = match increment {
            0 => ErrorCode::PROTOCOL_ERROR,
            _ if stream.send.grow(i64::from(increment)).is_none() => ErrorCode::FLOW_CONTROL_ERROR,
            _ => {
                if stream.waiting && !stream.queued && stream.send.open() > 0 {
                    stream.queued = true;
                    if self.send.open() > 0 {
                        stream.stalled = Instant::NEVER;
                    }
                    self.schedule.push(id);
                }
                return Ok(None);
            }
        };
        self.stream_error(id, code, context, out).map(Some)
    }

    /// Where a stream is, open or not.
    fn state(&self, id: u32) -> State {
        match self.streams.get(id) {
            Some(stream) => stream.state,
            None if self.is_idle(id) => State::Idle,
            None => State::Closed,
        }
    }

    /// Puts every stream into the queue that waits and has a window again.
    fn wake_streams(&mut self) {
        for stream in self.streams.iter_mut() {
            if stream.waiting && stream.send.open() > 0 {
                stream.stalled = Instant::NEVER;
                if !stream.queued {
                    stream.queued = true;
                    self.schedule.push(stream.id);
                }
            }
        }
    }

    /// A stream of ours that the peer will not look at, as it has said in
    /// GOAWAY.
    pub(super) fn next_refused(&mut self, now: Instant) -> Option<LocatedEvent> {
        let above = self.refused_above?;
        // What a client names is the last stream that a server has pushed, and
        // we push none.
        if above >= self.next_own || self.role == Role::Server {
            return None;
        }
        let refused = self.streams.iter().map(|stream| stream.id);
        // Lowest first, so that the order does not depend on the table's.
        let stream = refused.filter(|&id| id > above && id % 2 == 1).min()?;
        self.remove(stream, false, now);
        Some(LocatedEvent::Reset {
            stream,
            code: ErrorCode::REFUSED_STREAM,
            by_peer: true,
        })
    }

    /// Whether our side has held so much, since this was asked last, that the
    /// peer could send nothing, whatever the windows of its streams.
    pub(crate) const fn was_withheld(&mut self) -> bool {
        core::mem::replace(&mut self.withheld, self.receive.is_shut())
    }

    /// When the peer could last send nothing because our side held what it had
    /// sent, or read nothing: the clock's start if never, `NEVER` if it is so now.
    #[cfg(feature = "net")]
    pub(crate) const fn shut(&self) -> Instant {
        match self.receive.is_shut() {
            true => Instant::NEVER,
            false => self.shut,
        }
    }

    /// Gives the peer back `bytes` of the windows of `stream` and of the
    /// connection: our side has used them, and holds them no longer. What
    /// was not given back when a stream ends is then, by itself.
    pub fn consume(&mut self, stream: u32, bytes: usize, out: &mut impl Sink) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.consume_quietly(stream, bytes);
        if out.room() < CONTROL_ROOM {
            self.stream_updates_due = true;
            return;
        }
        let window = self.own.window;
        if let Some(stream) = self.streams.get_mut(stream)
            && stream.state.receives()
        {
            let back = stream.receive.give_back(window);
            if back > 0 {
                payload::put_window_update(stream.id, back, out);
            }
        }
        self.put_updates(out);
    }

    /// As `consume`, but the peer hears of it with the next call only.
    pub(crate) fn consume_later(&mut self, stream: u32, bytes: u32) {
        self.consume_quietly(stream, bytes);
        self.stream_updates_due = true;
    }

    /// The same without a word to the peer yet.
    pub(super) fn consume_quietly(&mut self, stream: u32, bytes: u32) {
        if let Some(stream) = self.streams.get_mut(stream) {
            let freed = stream.receive.free(bytes);
            self.receive.free(freed);
            self.updates_due = true;
        }
    }

    /// Sends the window updates that are due, as far as there is room.
    pub(super) fn put_updates(&mut self, out: &mut impl Sink) {
        self.updates_due = false;
        let back = self.receive.give_back(self.own.connection_window);
        if back > 0 {
            payload::put_window_update(0, back, out);
        }
        if !self.stream_updates_due {
            return;
        }
        self.stream_updates_due = false;
        for stream in self.streams.iter_mut() {
            if !stream.state.receives() {
                continue;
            }
            if out.room() < CONTROL_ROOM {
                self.stream_updates_due = true;
                self.updates_due = true;
                return;
            }
            let back = stream.receive.give_back(self.own.window);
            if back > 0 {
                payload::put_window_update(stream.id, back, out);
            }
        }
    }

    /// Takes the answer to a ping that was not the application's; `false` if
    /// it was.
    pub(super) fn take_pong(&mut self, opaque: [u8; 8], out: &mut impl Sink) -> bool {
        if opaque == DRAIN_PING && matches!(self.drain, Drain::Warned(_)) {
            self.put_last_goaway("", out);
            return true;
        }
        opaque == ALIVE_PING
    }

    /// Sends a ping of ours.
    pub(super) fn put_ping(&mut self, opaque: [u8; 8], out: &mut impl Sink) {
        payload::put_ping(false, opaque, out);
        self.flood.pinged();
    }

    /// How long the rest of a request is dropped before its stream is reset.
    pub(crate) const fn early_reset(&self) -> Duration {
        match self.early_reset {
            u16::MAX => Duration::MAX,
            tenths => Duration::from_millis(tenths as u64 * 100),
        }
    }

    /// Whether content of ours on a stream is taken and dropped: the head has
    /// ended it.
    pub(crate) fn is_swallowed(&self, id: u32) -> bool {
        let stream = self.streams.get(id);
        stream.is_some_and(|stream| stream.sending == Sending::Swallowed)
    }

    /// Sends a ping of the application; its answer comes as
    /// [`Event::Pong`](super::Event::Pong).
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
        let state = self.state(stream);
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
}
