//! WebSockets on streams (RFC 8441).

use alloc::boxed::Box;

use bytes::Bytes;

use super::buffered_event::BufferedEvent;
use super::state::Multiplex;
use super::stream::AwaitedAnswer;
use crate::http::{self, Fields, ResponseHead, Status, date::Date};
use crate::http2::{self, BodyLength};
use crate::link::exchanges::{Intake, Outbox};
use crate::link::{BufferedRequest, EndReason, Limits, ProtocolError, UsageError};
use crate::websocket::deflate::Session;
use crate::websocket::{self, CloseCode};
use crate::wire::{Instant, Sink};

impl Multiplex {
    pub(crate) fn upgrade_websocket(
        &mut self,
        id: u32,
        fields: Fields<'_>,
        streaming: bool,
        date: Option<&Date>,
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        self.offered(id)?;
        let head = ResponseHead::new(Status::OK, fields);
        let length = Some(BodyLength::Unknown);
        self.machine.send_response(id, &head, length, date, out)?;
        self.become_socket(id, streaming, now)
    }

    pub(crate) fn become_socket(
        &mut self,
        id: u32,
        streaming: bool,
        now: Instant,
    ) -> Result<(), UsageError> {
        let role = self.machine.role();
        let stream = self.open_stream(id)?;
        let machine = websocket::Connection::new(role, now).streaming(streaming);
        stream.socket = Some(Box::new(machine));
        stream.exchange.intake = Intake::Socket;
        (stream.sending.owes, stream.exchange.endless) = (false, true);
        stream.exchange.due = Instant::NEVER;
        self.has_sockets = true;
        self.wake_by(now); // the first call of `elapsed` knows the limits
        self.queue(id);
        Ok(())
    }

    /// Makes the WebSocket on a stream subject to others of the limits.
    pub(crate) fn choose_websocket_limits(&mut self, id: u32, nth: u16) -> Result<(), UsageError> {
        let stream = self.open_stream(id)?;
        if stream.socket.is_none() {
            return Err(UsageError::OtherProtocol);
        }
        stream.exchange.websocket_limits = nth;
        Ok(())
    }

    pub(crate) fn compress(&mut self, id: u32, session: Session) -> Result<(), UsageError> {
        let stream = self.open_stream(id)?;
        let socket = stream.socket.as_mut().ok_or(UsageError::OtherProtocol)?;
        socket.set_compression(session);
        Ok(())
    }

    pub(crate) fn forget_sent(&mut self, id: u32) {
        if let Some(socket) = self.streams.get_mut(id).and_then(|it| it.socket.as_mut()) {
            socket.forget_sent();
        }
    }

    /// Lets the WebSocket on a stream write to its outbox.
    pub(crate) fn with_socket<R>(
        &mut self,
        id: u32,
        act: impl FnOnce(&mut websocket::Connection, &mut Outbox) -> Result<R, websocket::UsageError>,
    ) -> Result<R, UsageError> {
        self.open_stream(id)?;
        self.on_socket(id, act).ok_or(UsageError::OtherProtocol)?
    }

    fn on_socket<R, E>(
        &mut self,
        id: u32,
        act: impl FnOnce(&mut websocket::Connection, &mut Outbox) -> Result<R, E>,
    ) -> Option<Result<R, UsageError>>
    where
        UsageError: From<E>,
    {
        let mut socket = self.streams.get_mut(id)?.socket.take()?;
        let before = socket.awaited();
        let outbox = self.outbox(id)?;
        let done = act(&mut socket, outbox);
        let (len, is_done) = (outbox.len(), socket.is_done());
        let (awaited, wake) = (socket.awaited(), socket.deadline());
        if socket.lacks_meter()
            && let Some(account) = self.charge.account()
        {
            socket.meter_compression(Box::new(account.charge(0)));
        }
        if let Some(stream) = self.streams.get_mut(id) {
            stream.socket = Some(socket);
            if awaited != before {
                stream.asked = awaited.map(|_| AwaitedAnswer::Waits(len));
                self.wake_by(wake.unwrap_or(Instant::NEVER));
            }
        }
        self.after_socket(id, is_done);
        Some(done.map_err(UsageError::from))
    }

    /// Sends what a WebSocket has written, and ends its stream after the last frame.
    fn after_socket(&mut self, id: u32, ends: bool) {
        let Some(stream) = self.streams.get_mut(id) else {
            return;
        };
        if ends && !stream.sending.finished {
            stream.sending.finished = true;
            stream.gone.get_or_insert(EndReason::Finished);
            if let Some(outbox) = &mut stream.sending.outbox {
                outbox.end(Fields::EMPTY);
            }
            self.queue(id);
        }
        let idle = |outbox: &mut Box<Outbox>| outbox.is_empty() && !outbox.is_ended();
        let stream = self.streams.get_mut(id);
        match stream.and_then(|stream| stream.sending.outbox.take_if(idle)) {
            Some(outbox) => self.spare_outbox(outbox),
            None => self.list(id),
        }
    }

    /// Sends a Close frame, if none has been sent. With `ends` nothing is waited for
    /// after it.
    pub(super) fn close_socket(
        &mut self,
        id: u32,
        code: CloseCode,
        ends: bool,
        mask_key: [u8; 4],
        now: Instant,
    ) {
        // Refused only where a Close frame has been sent already.
        let _ = self.on_socket(id, |socket, outbox| {
            socket.send_close(code, "", mask_key, now, outbox)
        });
        if ends && self.outbox(id).is_some() {
            self.after_socket(id, true);
        }
        if let Some(socket) = self.socket(id)
            && let Some(at) = socket.deadline()
        {
            self.wake_by(at);
        }
    }

    /// Looks for the next event in the inbox of a WebSocket, which is then
    /// shown.
    pub(super) fn give_message(
        &mut self,
        id: u32,
        lent: &mut http::CallContext<'_, websocket::Limits>,
        shown: &mut Option<Box<BufferedRequest>>,
        out: &mut impl Sink,
    ) -> Option<BufferedEvent> {
        let stream = self.streams.get_mut(id)?;
        let unread = stream.receiving.take_unread();
        let kept = stream.exchange.kept.take();
        let (wake, ended) = (stream.socket.as_ref()?.deadline(), stream.receiving.ended);
        self.machine.consume(id, unread as usize, out);
        if let Some(at) = wake {
            self.wake_by(at);
        }
        let Some(mut kept) = kept else {
            return ended.then(|| self.socket_lost(id));
        };
        let mut found = None;
        self.on_socket(id, |socket, outbox| {
            found = Some(socket.locate(kept.unused(), lent, outbox));
            Ok::<_, UsageError>(())
        });
        match found? {
            Ok((used, found)) if found.is_event() => {
                *shown = Some(kept);
                self.shown = Some((id, used));
                self.queue(id);
                Some(BufferedEvent::Socket(found))
            }
            Ok((used, _)) => {
                if kept.advance(used)
                    && let Some(stream) = self.streams.get_mut(id)
                {
                    stream.exchange.kept = Some(kept);
                }
                ended.then(|| self.socket_lost(id))
            }
            Err(violation) => Some(self.socket_fails(id, violation)),
        }
    }

    /// The peer has ended its side without a word.
    fn socket_lost(&mut self, id: u32) -> BufferedEvent {
        let gone = EndReason::Disconnected;
        if let Some(stream) = self.streams.get_mut(id) {
            stream.gone.get_or_insert(gone);
        }
        self.outbox(id);
        self.after_socket(id, true);
        self.tell(id, gone)
    }

    /// The peer broke WebSocket inside a stream; the Close frame is the last thing sent on it.
    pub(super) fn socket_fails(
        &mut self,
        id: u32,
        violation: websocket::ProtocolError,
    ) -> BufferedEvent {
        let gone = EndReason::ProtocolError(ProtocolError::WebSocket(violation));
        if let Some(stream) = self.streams.get_mut(id) {
            stream.gone = Some(gone);
        }
        self.outbox(id);
        self.after_socket(id, true);
        self.tell(id, gone)
    }

    /// Puts an encoded message after what waits for the WebSocket on a stream.
    pub(crate) fn deliver(
        &mut self,
        id: u32,
        frame: &Bytes,
        now: Instant,
    ) -> Result<(), UsageError> {
        self.with_socket(id, |socket, outbox| {
            socket.book_message(now)?;
            outbox.publish(frame.clone());
            Ok(())
        })
    }

    /// Lets the deadline of the WebSocket on a stream take effect.
    pub(super) fn socket_elapsed(
        &mut self,
        id: u32,
        lent: http::CallContext<'_, websocket::Limits>,
    ) -> Option<BufferedEvent> {
        let mut failed = None;
        if let Some(stream) = self.streams.get_mut(id)
            && let (Some(AwaitedAnswer::Waits(_)), Some(socket)) =
                (stream.asked, &mut stream.socket)
        {
            socket.await_from(lent.now); // it has not even left
        }
        self.on_socket(id, |socket, outbox| {
            // No event comes from time alone.
            failed = socket.elapsed(lent, outbox).err();
            Ok::<_, UsageError>(())
        });
        failed.map(|violation| self.socket_fails(id, violation))
    }
}

/// The context of a call for a WebSocket inside a stream.
pub(super) fn lend<'l>(
    around: http::CallContext<'l, http2::Limits>,
    limits: &'l Limits,
    nth: u16,
) -> http::CallContext<'l, websocket::Limits> {
    http::CallContext {
        now: around.now,
        date: None,
        mask_key: around.mask_key,
        limits: limits.websocket_of(nth),
        scratch: around.scratch,
    }
}
