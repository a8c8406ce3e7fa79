//! The machine: its state, its beginning and end, and its deadlines.

#[cfg(feature = "alloc")]
mod compression;
mod receive;
#[cfg(feature = "alloc")]
pub(super) mod resting;
mod send;
#[cfg(not(feature = "alloc"))]
mod uncompressed;
#[cfg(feature = "alloc")]
mod waiting;

#[cfg(feature = "alloc")]
use alloc::boxed::Box;
use core::time::Duration;

#[cfg(feature = "alloc")]
use super::deflate::{Context, Session};
use super::{
    CloseCode, Event, Kind, Limits, ProtocolError,
    frame::MAX_CONTROL,
    located_event::LocatedEvent,
    message::Assembly,
    timer::{Action, Due, Tick, later},
};
use crate::http::CallContext;
use crate::wire::{Budget, Instant, Received, Role, Sink, Step};

/// Room that every call may need for its one answer: a control frame.
const CONTROL_ROOM: usize = 2 + 4 + MAX_CONTROL;

/// How long a ping waits that found no room in the output.
const RETRY: Duration = Duration::from_secs(1);

/// One WebSocket connection, either side, after its handshake.
///
/// It owns no buffer. Received bytes are lent as one slice, of which the
/// caller drops [`used`](Received::used) bytes after each call and shows the
/// rest again in front of what arrives next. Frames to be sent are appended to
/// an output that is lent as well.
///
/// # Calls, and their order
///
/// - **Before all**: [`streaming`](Self::streaming), if messages are not to be held
///   whole.
/// - **Input**: [`receive`](Self::receive) when bytes have arrived, and again until it
///   gives no event; [`receive_eof`](Self::receive_eof) when no more will arrive. They
///   may close the connection, after which nothing can be sent.
/// - **Messages**: [`send_message`](Self::send_message), or
///   [`send_chunk`](Self::send_chunk) until the last one: no other message may be sent
///   between. [`send_ping`](Self::send_ping) and [`send_pong`](Self::send_pong) may come
///   at any time; pings of the peer are answered by `receive`.
/// - **Time**: [`deadline`](Self::deadline) before the caller waits, because every call
///   above may move it; [`elapsed`](Self::elapsed) when it has come.
/// - **The transport**: [`resume`](Self::resume) once our side takes input again that it
///   withheld; [`await_from`](Self::await_from) and [`under_way`](Self::under_way) while
///   the peer takes output. They move the deadline and change nothing else.
/// - **The end**: [`send_close`](Self::send_close), then input until
///   [`is_done`](Self::is_done). The server ends the transport, so that the side of
///   which there are many waits out TCP's TIME_WAIT less often (RFC 6455 §7.1.1).
///
/// ```text
///   Open ------- silence ------> Pinged
///    | ^------ any byte --------- |
///    | send_close                 | pong timeout
///    v                            v
///   CloseSent -- violation --> Failed <-- violation, from anywhere
///    |                            ^
///    | peer's Close               | close timeout
///    v                            |
///   Closed -- (client only) ------'
/// ```
///
/// ```
/// use barewire::http::{CallContext, OwnedScratch};
/// use barewire::websocket::{Connection, Event, Kind, Limits};
/// use barewire::wire::{Instant, Role, Step};
///
/// let mut server = Connection::new(Role::Server, Instant::START);
/// let mut scratch = OwnedScratch::new(0);
/// let lent = CallContext {
///     now: Instant::START,
///     date: None,
///     mask_key: [0; 4], // a server masks nothing
///     limits: &Limits::DEFAULT,
///     scratch: scratch.lend(),
/// };
/// let mut input = *b"\x81\x82\x01\x02\x03\x04ik";
/// let mut out = Vec::new();
/// let received = server.receive(&mut input, lent, &mut out).unwrap();
/// assert_eq!(received.used, 8);
/// let Step::Event(Event::Message { kind: Kind::Text, payload }) = received.step else { panic!() };
/// assert_eq!(payload, b"hi");
/// server.send_message(Kind::Text, payload, [0; 4], Instant::START, &mut out).unwrap();
/// assert_eq!(out, b"\x81\x02hi");
/// ```
#[derive(Debug)]
pub struct Connection {
    assembly: Assembly,
    wake: Instant, // no later than the next deadline; NEVER: there is none
    since: Tick,   // when the phase's own wait began
    active: Tick,  // when the last message passed, either way
    control: Budget,
    pings: u16, // sent and not answered
    phase: Phase,
    role: Role,
    sending: Option<Kind>, // the open message that is sent in chunks
    #[cfg(feature = "alloc")]
    deflate: Option<Session>,
    /// The state of the compression between messages, if any.
    #[cfg(feature = "alloc")]
    context: Option<Box<Context>>,
}

/// The phase of the connection's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Messages pass both ways. The wait: until a ping is due.
    Open,
    /// Messages pass both ways, and a ping of ours waits for a sign of life.
    Pinged,
    CloseSent,
    Closed,
    /// The peer broke a rule or was lost.
    Failed(ProtocolError),
}

impl Connection {
    /// A connection whose handshake has just ended, for the side `role`.
    pub const fn new(role: Role, now: Instant) -> Self {
        Self {
            assembly: Assembly::EMPTY,
            wake: now, // the first call of `elapsed` knows the limits
            since: Tick::at(now),
            active: Tick::at(now),
            control: Budget::new(),
            pings: 0,
            phase: Phase::Open,
            role,
            sending: None,
            #[cfg(feature = "alloc")]
            deflate: None,
            #[cfg(feature = "alloc")]
            context: None,
        }
    }

    pub(crate) const fn spent(&self) -> Budget {
        self.control
    }

    pub(crate) const fn begin_with(&mut self, spent: Budget) {
        self.control = spent;
    }

    /// Has messages given as [`Event::Chunk`]s while they arrive rather than whole. To be chosen before anything is received.
    #[must_use]
    pub const fn streaming(mut self, streaming: bool) -> Self {
        self.assembly.set_streaming(streaming);
        self
    }

    /// The side that this machine plays.
    #[inline]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Whether a Close frame has been sent or the connection has failed:
    /// nothing can be sent any more.
    #[inline]
    pub const fn is_closing(&self) -> bool {
        !matches!(self.phase, Phase::Open | Phase::Pinged)
    }

    /// Whether both Close frames have passed. A server then ends the transport
    /// once its output is flushed; a client waits for the server to do so, at
    /// most until its [`deadline`](Self::deadline) (RFC 6455 §7.1.1).
    #[inline]
    pub const fn is_done(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    /// Takes at most one event from the front of `input`.
    ///
    /// Bytes past [`used`](Received::used) must be shown again as this call
    /// left them, with whatever arrives behind them. Pongs and the answer to a
    /// Close frame are in `out` when the call returns; a client masks them with
    /// [`CallContext::mask_key`].
    ///
    /// [`Step::Need`] tells how many bytes the open frame lacks; text is worth
    /// a call for every byte, because it is refused at the first one that
    /// cannot be UTF-8.
    ///
    /// # Errors
    /// The fault of the peer. The Close frame that says so is the last thing
    /// in `out`, and every later call returns the same error.
    #[inline]
    pub fn receive<'b>(
        &mut self,
        input: &'b mut [u8],
        lent: CallContext<'b, Limits>,
        out: &mut impl Sink,
    ) -> Result<Received<Event<'b>>, ProtocolError> {
        if !self.has_room(out) {
            return Ok(Received {
                used: 0,
                step: Step::Full,
            });
        }
        let mut lent = lent;
        let (used, found) = self.locate(input, &mut lent, out)?;
        let step = found.borrow(input, lent.scratch);
        Ok(Received { used, step })
    }

    /// Whether the output has room for the answer that receiving may need.
    #[inline]
    pub(crate) fn has_room(&self, out: &impl Sink) -> bool {
        out.room() >= CONTROL_ROOM || matches!(self.phase, Phase::Closed | Phase::Failed(_))
    }

    /// [Receives](Self::receive) an event as a place in the input. The output [has
    /// room](Self::has_room).
    pub(crate) fn locate(
        &mut self,
        input: &mut [u8],
        lent: &mut CallContext<'_, Limits>,
        out: &mut impl Sink,
    ) -> Result<(usize, LocatedEvent), ProtocolError> {
        match self.phase {
            Phase::Open | Phase::Pinged | Phase::CloseSent => {}
            Phase::Closed => return Ok((input.len(), LocatedEvent::DONE)),
            Phase::Failed(violation) => return Err(violation),
        }
        let mask_key = lent.mask_key;
        let found = self.find(input, lent, out);
        found.map_err(|violation| self.fail(violation, mask_key, out))
    }

    /// Takes the end of the transport's input.
    ///
    /// # Errors
    /// [`ProtocolError::UnexpectedEof`] unless both Close frames have passed: what
    /// applications know as 1006 (RFC 6455 §7.1.5). After a failure, that
    /// failure.
    pub const fn receive_eof(&mut self) -> Result<(), ProtocolError> {
        let violation = match self.phase {
            Phase::Open | Phase::Pinged | Phase::CloseSent => ProtocolError::UnexpectedEof,
            Phase::Closed => {
                self.wake = Instant::NEVER;
                return Ok(());
            }
            Phase::Failed(violation) => violation,
        };
        self.phase = Phase::Failed(violation);
        self.wake = Instant::NEVER;
        Err(violation)
    }

    /// Whether it is open with no message under way either way: until the next such moment its
    /// deadline only moves on.
    #[inline]
    pub(crate) fn is_between_messages(&self) -> bool {
        matches!(self.phase, Phase::Open | Phase::Pinged)
            && self.sending.is_none()
            && !self.assembly.is_open()
            && !self.assembly.in_frame()
            && self.assembly.span() == 0
    }

    /// When [`elapsed`](Self::elapsed) wants to be called; `None` if it never
    /// does. It may be earlier than anything is due: `elapsed` then does
    /// nothing but set it anew. Changes with any call that takes `&mut self`.
    #[inline]
    pub fn deadline(&self) -> Option<Instant> {
        (self.wake != Instant::NEVER).then_some(self.wake)
    }

    /// Whether [`elapsed`](Self::elapsed) has more to do than to set the deadline
    /// anew.
    pub(crate) fn is_due(&self, now: Instant, limits: &Limits) -> bool {
        match self.phase {
            Phase::Open | Phase::Pinged => self.due(now, limits).left.is_zero(),
            Phase::CloseSent | Phase::Closed | Phase::Failed(_) => true,
        }
    }

    /// Does what time has made due: a ping after silence, the polite end of an
    /// idle connection. Gives no event at present.
    ///
    /// # Errors
    /// [`ProtocolError::MessageTimeout`], [`ProtocolError::PongTimeout`] or
    /// [`ProtocolError::CloseTimeout`]; after a failure, that failure.
    pub fn elapsed(
        &mut self,
        lent: CallContext<'_, Limits>,
        out: &mut impl Sink,
    ) -> Result<Option<Event<'static>>, ProtocolError> {
        let (now, limits) = (lent.now, lent.limits);
        let due = match self.phase {
            Phase::Open | Phase::Pinged => self.due(now, limits),
            Phase::Closed if self.wake == Instant::NEVER => return Ok(None),
            Phase::CloseSent | Phase::Closed => {
                Due::after(Action::CloseTimeout, self.since, limits.close_timeout, now)
            }
            Phase::Failed(violation) => return Err(violation),
        };
        if !due.left.is_zero() {
            let left = match self.phase {
                // A pong lets the time to the next ping begin.
                Phase::Pinged => due.left.min(limits.ping_interval),
                _ => due.left,
            };
            self.wake = later(now, left);
            return Ok(None);
        }
        match due.action {
            Action::Forget => {
                self.forget_sent();
                self.wake = later(now, self.due(now, limits).left);
                Ok(None)
            }
            Action::MessageTimeout => {
                Err(self.fail(ProtocolError::MessageTimeout, lent.mask_key, out))
            }
            Action::PongTimeout => Err(self.fail(ProtocolError::PongTimeout, lent.mask_key, out)),
            Action::CloseTimeout => Err(self.fail(ProtocolError::CloseTimeout, lent.mask_key, out)),
            Action::Ping | Action::Idle if out.room() < CONTROL_ROOM => {
                self.wake = now + RETRY;
                Ok(None)
            }
            Action::Ping => {
                self.put_ping(&[], lent.mask_key, out);
                self.phase = Phase::Pinged;
                self.since = Tick::at(now);
                // A pong lets the time to the next ping begin.
                let left = self.due(now, limits).left.min(limits.ping_interval);
                self.wake = later(now, left);
                Ok(None)
            }
            Action::Idle => {
                self.put_close(Some(CloseCode::GOING_AWAY), "idle", lent.mask_key, out);
                self.phase = Phase::CloseSent;
                self.since = Tick::at(now);
                self.wake = later(now, limits.close_timeout);
                Ok(None)
            }
        }
    }

    /// Says that our own side withheld the input until `now`: the time that
    /// has passed is not counted against the peer.
    pub const fn resume(&mut self, now: Instant) {
        self.heard(now);
        self.assembly.restart(now);
    }

    fn due(&self, now: Instant, limits: &Limits) -> Due {
        let wait = match self.phase {
            Phase::Pinged => Due::after(Action::PongTimeout, self.since, limits.pong_timeout, now),
            _ => Due::after(Action::Ping, self.since, limits.ping_interval, now),
        };
        let idle = Due::after(Action::Idle, self.active, limits.idle_timeout, now);
        let first = self.or_forget(wait.or(idle), now, limits);
        if !self.assembly.is_open() {
            return first;
        }
        let (opened, limit) = (self.assembly.opened(), limits.message_timeout);
        Due::after(Action::MessageTimeout, opened, limit, now).or(first)
    }

    #[inline]
    const fn heard(&mut self, now: Instant) {
        if let Phase::Open | Phase::Pinged = self.phase {
            self.phase = Phase::Open;
            self.since = Tick::at(now);
        }
    }

    /// Has `elapsed` called within `time`.
    fn wake_within(&mut self, time: Duration, now: Instant) {
        self.wake = self.wake.min(later(now, time));
    }

    /// Ends the connection with a Close frame of the violation's code, unless ours was sent or
    /// it would not be read.
    #[cold]
    fn fail(
        &mut self,
        violation: ProtocolError,
        mask_key: [u8; 4],
        out: &mut impl Sink,
    ) -> ProtocolError {
        let code = violation.close_code();
        let open = matches!(self.phase, Phase::Open | Phase::Pinged);
        if open && code.is_sendable() && out.room() >= CONTROL_ROOM {
            self.put_close(Some(code), violation.reason(), mask_key, out);
        }
        self.phase = Phase::Failed(violation);
        self.wake = Instant::NEVER;
        self.forget_all();
        violation
    }
}
