//! Bodies that come and go in pieces.
//!
//! ```text
//!                     reply.stream(object)            reply.receive(object)
//!  request  ──chunk──►┐                     ──chunk──►┐
//!  body     ───end───►│ object                ──end───►│ object
//!                     │   │ write ──► Go              │   │ respond
//!                     │   │ write ──► Wait            │   │ or start, then write
//!           writable─►│   │ finish                    │   ▼
//! ```

mod coding;
mod failing;

use alloc::boxed::Box;
use core::any::Any;
use core::time::Duration;

use bytes::Bytes;

use super::coded::CodedBody;
use super::record::RouteNumber;
use super::refusal::Refusal;
use super::response::Response;
use super::session::{After, Session, SessionContext};
use crate::http::{FieldBuffer, Fields, Status};
use crate::link::{Charge, EndReason, UsageError};
use crate::net::{Claim, Flow, Peer};

/// The state of one exchange whose bodies come and go in pieces.
///
/// Every part has a default, so that a producer needs [`writable`](Self::writable)
/// alone.
///
/// ```
/// use barewire::app::{App, Flow, Stream, Streaming};
///
/// /// So many zeros.
/// struct Zeros(u64);
///
/// impl Streaming for Zeros {
///     fn writable(&mut self, stream: &mut Stream<'_, '_>) {
///         const PIECE: [u8; 16 * 1024] = [0; 16 * 1024];
///         while self.0 > 0 {
///             let piece = self.0.min(PIECE.len() as u64);
///             self.0 -= piece;
///             if stream.write(&PIECE[..piece as usize]) != Flow::Go {
///                 return; // called again when there is room
///             }
///         }
///         stream.finish();
///     }
/// }
///
/// App::new().get("/zeros", |_request, reply| reply.length(1 << 30).stream(Zeros(1 << 30)));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not stream a body",
    note = "implement `Streaming` for it: `writable` writes a reply's body, `chunk` and `end` take a request's"
)]
pub trait Streaming {
    /// A piece of the request's body.
    fn chunk(&mut self, stream: &mut Stream<'_, '_>, data: &mut [u8]) {
        let _ = (stream, data);
    }

    /// The request's body is complete. On a route that streams, this comes for
    /// every request, also for one without a body.
    fn end(&mut self, stream: &mut Stream<'_, '_>, trailers: Fields<'_>) {
        let _ = (stream, trailers);
    }

    /// The reply's body may be written: after the head has been sent and the
    /// request is complete, and again after a write has answered
    /// [`Flow::Wait`], also while the request is still coming. Not called where the reply has no body: to HEAD, or with
    /// 204, 205 and 304.
    fn writable(&mut self, stream: &mut Stream<'_, '_>) {
        let _ = stream;
    }

    /// A timer set with [`Stream::after`] went off.
    fn timer(&mut self, stream: &mut Stream<'_, '_>, token: u32) {
        let _ = (stream, token);
    }

    /// Something was sent here through a [`StreamHandle`](crate::app::StreamHandle).
    fn mail(&mut self, stream: &mut Stream<'_, '_>, mail: Box<dyn Any + Send>) {
        let _ = (stream, mail);
    }

    /// Something on this loop has woken it, by [`Stream::waker`] or
    /// [`Reply::waker`](crate::app::Reply::waker): a listener of a client's call, say.
    fn woken(&mut self, stream: &mut Stream<'_, '_>) {
        let _ = stream;
    }

    /// The loop is draining. What runs may finish; endless streams should.
    fn draining(&mut self, stream: &mut Stream<'_, '_>) {
        let _ = stream;
    }

    /// The exchange ended before [`Stream::finish`]. Nothing follows.
    fn closed(&mut self, why: EndReason) {
        let _ = why;
    }
}

/// How far the reply has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Owing,
    Writing,
    Finished,
}

/// An exchange's reply in pieces: what a [`Streaming`] object writes to.
pub struct Stream<'a, 'c> {
    pub(crate) at: SessionContext<'a, 'c>,
    pub(super) state: &'a mut State,
}

impl core::fmt::Debug for Stream<'_, '_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Stream")
            .field("state", self.state)
            .finish_non_exhaustive()
    }
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) peer: Option<Peer>,
    stage: Stage,
    receiving: bool, // the request's body is still coming
    waiting: bool,   // a write answered `Wait`
    is_unseen: bool, // no content may follow the head of the reply
    sent: u64,       // bytes of the reply's body
    coded: Option<Box<CodedBody>>,
}

impl Stream<'_, '_> {
    /// Writes a piece of the body. It is never dropped for want of room: after
    /// [`Flow::Wait`] it has been taken, and [`Streaming::writable`] says when
    /// to go on. Meanwhile nothing is read from the client. Where nobody will
    /// see a body, to HEAD or with a status that has none (204, 205, 304), a write
    /// is dropped and answers [`Flow::Wait`] as well, and the reply is finished
    /// once the request is complete.
    ///
    /// More than [`Limits::backlog_cap`](crate::net::Limits::backlog_cap) may be written
    /// in one piece, but nothing after it before `writable`: a writer that continues then
    /// loses the exchange.
    pub fn write(&mut self, data: &[u8]) -> Flow {
        if self.state.coded.is_some() {
            return self.write_coded(data);
        }
        let flow = self.at.context.write(data);
        self.note(flow, data.len())
    }

    /// Writes a piece like [`write`](Self::write), without copying a large one.
    pub fn write_shared(&mut self, data: Bytes) -> Flow {
        if self.state.coded.is_some() {
            return self.write_coded(&data);
        }
        let length = data.len();
        let flow = self.at.context.write_shared(data);
        self.note(flow, length)
    }

    fn note(&mut self, flow: Flow, bytes: usize) -> Flow {
        if self.state.is_unseen && flow.is_taken() {
            return Flow::Wait; // or a writer without an end would never return
        }
        if flow.is_taken() {
            self.at.loop_state.metrics.sent_body(bytes);
            self.state.sent += bytes as u64;
        }
        self.state.waiting = flow == Flow::Wait;
        flow
    }

    /// Ends the body. If less was written than announced, the connection is
    /// cut, so that the client does not take the part for the whole.
    pub fn finish(&mut self) {
        self.finish_with(Fields::EMPTY);
    }

    /// Ends a chunked body with trailers (RFC 9112 §7.1.2).
    pub fn finish_with(&mut self, trailers: Fields<'_>) {
        if self.state.stage != Stage::Writing {
            return;
        }
        self.state.stage = Stage::Finished;
        if !self.end_coded() {
            return self.at.context.abort();
        }
        match self.at.context.finish(trailers) {
            Ok(()) | Err(UsageError::Over) => {}
            Err(_) => self.at.context.abort(),
        }
    }

    /// Sends the whole reply, where none has been started.
    pub fn respond(&mut self, response: Response) {
        if self.state.stage == Stage::Owing {
            self.state.stage = Stage::Finished;
            response.answer(&mut self.at);
        }
    }

    /// Refuses the request, where no reply has been started.
    pub fn refuse(&mut self, refusal: impl Into<Refusal>) {
        if self.state.stage == Stage::Owing {
            self.state.stage = Stage::Finished;
            self.at.refuse(&refusal.into());
        }
    }

    /// Starts the reply, where none has been started: its head, with the length
    /// of the body where that is known.
    pub fn start(&mut self, status: Status, fields: &FieldBuffer, length: Option<u64>) {
        if self.state.stage != Stage::Owing {
            return;
        }
        if let Some(record) = self.at.record.as_deref_mut() {
            // Each of them has been checked.
            let _ = record.fields.extend(fields.as_fields());
        }
        self.state.is_unseen = !self.at.may_have_content(status);
        self.state.stage = match self.at.begin_coded(status, length) {
            Some(coded) => {
                self.state.coded = coded;
                Stage::Writing
            }
            None => Stage::Finished,
        };
    }

    /// Whether nothing is owed any more.
    pub fn is_finished(&self) -> bool {
        self.state.stage == Stage::Finished
    }

    /// Holds the client back, by its own flow control, or lets it go on.
    pub fn set_reading(&mut self, reading: bool) {
        self.at.context.set_reading(reading);
    }

    /// Sets off [`Streaming::timer`] with this token after `time`. Where there
    /// may be no further timer ([`Limits::timers`](crate::net::Limits::timers)),
    /// the exchange is [aborted](Self::abort).
    pub fn after(&mut self, time: Duration, token: u32) {
        if !self.at.context.after(time, u64::from(token)) {
            self.abort();
        }
    }

    /// A charge for what the handler keeps for this client: empty, and given back
    /// when it is dropped, so that it belongs beside what is kept.
    ///
    /// The server's own buffers are charged already. Memory in which a handler
    /// gathers a client's messages is not, and nothing else bounds it: call
    /// [`Charge::try_grow`] before taking more. Charged bytes count for
    /// [`Limits::memory`](crate::net::Limits::memory). While memory is short, a client
    /// is ended that has much charged and moves little.
    ///
    /// ```
    /// use barewire::app::{Charge, Response, Stream, Streaming};
    /// use barewire::http::{Fields, Status};
    ///
    /// /// Gathers a body and says how long it was.
    /// #[derive(Default)]
    /// struct Gather {
    ///     bytes: Vec<u8>,
    ///     charge: Charge,
    /// }
    ///
    /// impl Streaming for Gather {
    ///     fn chunk(&mut self, stream: &mut Stream<'_, '_>, data: &mut [u8]) {
    ///         if self.charge.account().is_none() {
    ///             self.charge = stream.charge();
    ///         }
    ///         match self.charge.try_grow(data.len()) {
    ///             Ok(()) => self.bytes.extend_from_slice(data),
    ///             Err(_full) => stream.respond(Response::text("busy").status(Status::SERVICE_UNAVAILABLE)),
    ///         }
    ///     }
    ///
    ///     fn end(&mut self, stream: &mut Stream<'_, '_>, _trailers: Fields<'_>) {
    ///         stream.respond(Response::text(&self.bytes.len().to_string()));
    ///     }
    /// }
    /// ```
    pub fn charge(&mut self) -> Charge {
        self.at.context.charge()
    }
}

pub(super) struct StreamSession {
    object: Box<dyn Streaming>,
    state: State,
    _claim: Claim,
}

impl StreamSession {
    pub(super) fn new(
        object: Box<dyn Streaming>,
        stage: Stage,
        receiving: bool,
        is_unseen: bool,
        (claim, peer): (Claim, Option<Peer>),
        coded: Option<Box<CodedBody>>,
    ) -> Self {
        Self {
            _claim: claim,
            object,
            state: State {
                peer,
                stage,
                receiving,
                waiting: false,
                is_unseen,
                sent: 0,
                coded,
            },
        }
    }
}

impl StreamSession {
    fn call(
        &mut self,
        at: &mut SessionContext<'_, '_>,
        call: impl FnOnce(&mut Box<dyn Streaming>, &mut Stream<'_, '_>),
    ) -> After {
        let Self { object, state, .. } = self;
        let mut stream = Stream {
            at: at.reborrow(),
            state,
        };
        call(object, &mut stream);
        if stream.state.is_unseen {
            stream.offer(object);
        }
        if stream.state.coded.is_some() {
            stream.flush_coded();
        }
        match self.state.stage {
            Stage::Finished => After::End,
            _ => After::Keep,
        }
    }
}

impl Session for StreamSession {
    fn is_receiving(&self) -> bool {
        self.state.receiving
    }

    fn content(&self) -> u64 {
        self.state.sent
    }

    fn opened(&mut self, at: &mut SessionContext<'_, '_>) -> After {
        self.call(at, |object, stream| stream.offer(object))
    }

    fn body(&mut self, at: &mut SessionContext<'_, '_>, piece: &mut [u8]) -> After {
        self.call(at, |object, stream| {
            stream.at.loop_state.metrics.received_body(piece.len());
            object.chunk(stream, piece);
        })
    }

    fn end(
        &mut self,
        at: &mut SessionContext<'_, '_>,
        trailers: Fields<'_>,
        dropped: u16,
    ) -> After {
        self.call(at, |object, stream| {
            stream.at.loop_state.metrics.dropped_trailers(dropped);
            stream.state.receiving = false;
            object.end(stream, trailers);
            stream.offer(object);
        })
    }

    fn writable(&mut self, at: &mut SessionContext<'_, '_>) -> After {
        self.call(at, |object, stream| {
            // A writer that writes while the request comes continues as soon as there is room.
            if core::mem::take(&mut stream.state.waiting) {
                stream.go_on(object);
            }
        })
    }

    fn timer(&mut self, at: &mut SessionContext<'_, '_>, token: u64) -> After {
        match u32::try_from(token) {
            Ok(token) => self.call(at, |object, stream| object.timer(stream, token)),
            Err(_) => self.writable(at), // `timer_token::RESUME`
        }
    }

    fn mail(&mut self, at: &mut SessionContext<'_, '_>, mail: Box<dyn Any + Send>) -> After {
        self.call(at, |object, stream| object.mail(stream, mail))
    }

    fn woken(&mut self, at: &mut SessionContext<'_, '_>) -> After {
        self.call(at, |object, stream| object.woken(stream))
    }

    fn draining(&mut self, at: &mut SessionContext<'_, '_>) -> After {
        self.call(at, |object, stream| object.draining(stream))
    }

    fn ended(&mut self, _: &mut SessionContext<'_, '_>, why: EndReason) -> After {
        if self.state.stage != Stage::Finished {
            self.object.closed(why);
        }
        After::End
    }
}

impl Stream<'_, '_> {
    pub(super) fn route_name(&self, route: RouteNumber) -> &str {
        let pattern = self.at.loop_state.watch.pattern(route);
        pattern.unwrap_or("a reply")
    }

    fn offer(&mut self, object: &mut Box<dyn Streaming>) {
        if !self.state.waiting && !self.state.receiving {
            self.go_on(object);
        }
    }

    fn go_on(&mut self, object: &mut Box<dyn Streaming>) {
        match (self.state.stage, self.state.is_unseen) {
            (Stage::Writing, true) if self.state.receiving => {}
            (Stage::Writing, true) => self.finish(),
            (Stage::Writing, false) => object.writable(self),
            (Stage::Owing | Stage::Finished, _) => {}
        }
    }
}
