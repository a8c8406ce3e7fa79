//! The machine: its parts, what is asked of it, and its beginning and end.

mod complete_response;
mod content;
mod receive;
mod send;
mod time;

use super::clock::Clock;
use super::decoding::Decoding;
use super::encoding::Encoding;
use super::flood::{Flood, Spent};
use super::flow::Flow;
use super::frame::PREFACE;
use super::goaway::GoAway;
use super::payload::{self, CONTROL_ROOM, DRAIN_PING};
use super::reading::Reading;
use super::settings::Settings;
use super::streams::Streams;
use super::{Limits, ProtocolError, UsageError};
use crate::wire::{Instant, Role, Sink};

/// One HTTP/2 connection, in either role.
///
/// It owns no buffer. Received bytes are lent as one slice, of which the
/// caller drops [`used`](crate::wire::Received::used) bytes after each call
/// and shows the rest again in front of what arrives next. Frames to be sent
/// are appended to an output that is lent as well.
///
/// # Calls, and their order
///
/// - **Opening**: [`open`](Self::open), which a server may leave to the first
///   `receive`.
/// - **Input**: [`receive`](Self::receive) when bytes have arrived, and again until it
///   gives no event; [`receive_eof`](Self::receive_eof) when no more will arrive. They
///   may open and end streams and change the answer of every other call.
/// - **Responses** (server): one for each [`Event::Request`](super::Event::Request), on
///   its stream: [`accept_body`](Self::accept_body) if its content follows,
///   [`send_informational`](Self::send_informational) as often as wanted,
///   [`send_response`](Self::send_response), then [`send_data`](Self::send_data) and
///   [`send_end`](Self::send_end) unless the head was all.
/// - **Requests** (client): [`send_request`](Self::send_request) opens a stream, then
///   `send_data` and `send_end`.
/// - **Flow**: [`consume`](Self::consume) once the bytes of an
///   [`Event::Data`](super::Event::Data) are used: before that, the peer's window stays
///   closed for them. [`ready`](Self::ready) after input and after each turn of a
///   stream, until it names none: the streams from which less was taken than they had.
/// - **One stream's end**: [`send_reset`](Self::send_reset). After it, and after an
///   [`Event::Reset`](super::Event::Reset) or
///   [`Event::StreamError`](super::Event::StreamError), every call for the stream is
///   refused.
/// - **Time**: [`deadline`](Self::deadline) before the caller waits, because every call
///   above may move it; [`elapsed`](Self::elapsed) when it has come, until it gives no
///   event.
/// - **The transport**: [`resume`](Self::resume) once our side takes input again that it
///   withheld; [`await_from`](Self::await_from) and [`under_way`](Self::under_way) while
///   the peer takes output. They move the deadline and change nothing else.
/// - **The end**: [`shutdown`](Self::shutdown) asks for it; the transport ends once
///   [`is_done`](Self::is_done) and the output is flushed.
///
/// All other calls take `&self`, and may come at any time.
///
/// ```
/// use barewire::http::{Fields, CallContext, OwnedScratch, ResponseHead, Status};
/// use barewire::http2::{BodyLength, Connection, Event, Limits, PREFACE};
/// use barewire::wire::{Instant, Role, Step};
///
/// let mut server = Connection::new(Role::Server, Instant::START);
/// let (mut scratch, mut out) = (OwnedScratch::new(100), Vec::new());
/// let mut input = PREFACE.to_vec();
/// input.extend(b"\0\0\0\x04\0\0\0\0\0"); // SETTINGS
/// input.extend(b"\0\0\x06\x01\x05\0\0\0\x01\x82\x86\x84\x41\x01a"); // GET http://a/
/// let mut at = 0;
/// loop {
///     let lent = CallContext {
///         now: Instant::START,
///         date: None,
///         mask_key: [0; 4],
///         limits: &Limits::DEFAULT,
///         scratch: scratch.lend(),
///     };
///     let received = server.receive(&mut input[at..], lent, &mut out).unwrap();
///     at += received.used;
///     match received.step {
///         Step::Event(Event::Request { stream, head, .. }) => {
///             assert_eq!(head.target.path(), "/");
///             let head = ResponseHead::new(Status::OK, Fields::EMPTY);
///             let length = Some(BodyLength::Known(5));
///             server.send_response(stream, &head, length, None, &mut out).unwrap();
///             let sent = server.send_data(stream, b"hello", true, Instant::START, &mut out);
///             assert_eq!(sent, Ok(5));
///         }
///         Step::Event(_) => {}
///         _ => break,
///     }
/// }
/// assert!(out.ends_with(b"\0\0\x05\0\x01\0\0\0\x01hello"));
/// ```
#[derive(Debug)]
pub struct Connection {
    role: Role,
    phase: Phase,
    reading: Reading,
    /// Both sides' settings, and how far they are acknowledged.
    settings: Settings,
    /// Header blocks that are received.
    decoding: Decoding,
    encoding: Encoding,
    /// The streams that are open, what is known of others, and turns to send.
    streams: Streams,
    /// The windows of the connection, and updates that are due.
    flow: Flow,
    /// The amounts that the peer has spent of the limits that count frames.
    flood: Flood,
    /// How far either side has announced the end.
    goaway: GoAway,
    clock: Clock,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Our preface is not out yet.
    New,
    Open,
    /// Nothing comes or goes any more.
    Done,
    Failed(ProtocolError),
}

impl Connection {
    /// A connection that has just been opened. [`Limits::header_timeout`] for
    /// the peer's preface counts from `now`.
    pub fn new(role: Role, now: Instant) -> Self {
        Self {
            role,
            phase: Phase::New,
            reading: Reading::new(role),
            settings: Settings::new(),
            decoding: Decoding::new(),
            encoding: Encoding::new(4096), // `open` knows the limit
            streams: Streams::new(role),
            flow: Flow::new(),
            flood: Flood::new(),
            goaway: GoAway::new(),
            clock: Clock::new(now),
        }
    }

    /// The side that this machine plays.
    #[inline]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Counts the peer's PINGs as keep-alives from now on, as servers of gRPC
    /// do: those that come before
    /// [`Limits::keep_alive_gap`] or [`Limits::keep_alive_idle_gap`] has
    /// passed are counted, until HEADERS or DATA are sent (gRPC A8).
    #[inline]
    pub fn judge_keep_alive(&mut self) {
        self.flood.judge_keep_alive();
    }

    /// How many streams are open.
    #[inline]
    pub const fn streams(&self) -> usize {
        self.streams.len()
    }

    /// How many streams the peer allows us to have open, as far as it is known.
    #[inline]
    pub const fn max_streams(&self) -> u32 {
        self.settings.peer().streams
    }

    /// Whether the peer takes extended CONNECT (RFC 8441 §3).
    #[inline]
    pub const fn allows_extended_connect(&self) -> bool {
        self.settings.peer().connect_protocol
    }

    /// Bytes that the windows allow to be sent on `stream` now; 0 if it cannot
    /// send at all.
    pub fn capacity(&self, stream: u32) -> usize {
        match self.streams.get(stream) {
            Some(stream) if stream.state.sends() => stream.send.open().min(self.flow.open()),
            _ => 0,
        }
    }

    /// Whether a stream is still open in at least one direction.
    #[inline]
    pub fn is_open(&self, stream: u32) -> bool {
        self.streams.get(stream).is_some()
    }

    /// Whether [`ready`](Self::ready) may name a stream.
    #[inline]
    pub fn has_ready(&self) -> bool {
        self.streams.has_queue() && self.flow.open() > 0
    }

    /// Bytes of memory held apart from the machine itself.
    pub fn memory(&self) -> usize {
        self.streams.memory() + self.decoding.memory() + self.encoding.memory()
    }

    /// Whether new streams are out of the question: one side is going away, or
    /// the connection has failed.
    #[inline]
    pub const fn is_closing(&self) -> bool {
        !matches!(self.phase, Phase::New | Phase::Open) || self.goaway.is_begun()
    }

    /// Whether nothing more will come or go: the transport ends once the
    /// output is flushed.
    #[inline]
    pub const fn is_done(&self) -> bool {
        matches!(self.phase, Phase::Done | Phase::Failed(_))
    }

    pub(crate) const fn spent(&self) -> Spent {
        self.flood.spent()
    }

    pub(crate) const fn begin_with(&mut self, spent: Spent) {
        self.flood.begin_with(spent);
    }

    /// Sends what a side sends first: a client its preface, both their
    /// SETTINGS and the window of the connection, all of it taken from
    /// `limits`. At most 100 octets. A server may leave it to the first
    /// [`receive`](Self::receive). Does nothing the second time.
    ///
    /// # Errors
    /// [`UsageError::NoRoom`], [`UsageError::NotOpen`] after the end.
    pub fn open(
        &mut self,
        limits: &Limits,
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        match self.phase {
            Phase::New => {}
            Phase::Open => return Ok(()),
            Phase::Done | Phase::Failed(_) => return Err(UsageError::NotOpen),
        }
        if out.room() < CONTROL_ROOM {
            return Err(UsageError::NoRoom);
        }
        if self.role == Role::Client {
            out.put(PREFACE);
        }
        self.settings.offer(limits, self.role, now, out);
        let own = self.settings.own();
        self.flow.enlarge(own.connection_window, out);
        // No block has been encoded yet, so that a new table is in step.
        self.encoding = Encoding::new(limits.encoder_table);
        self.clock.open(limits, now);
        self.phase = Phase::Open;
        Ok(())
    }

    /// Ends the connection gracefully (RFC 9113 §6.8): a server warns the
    /// peer, and names the last stream it serves one round trip later, so that
    /// no request is lost on its way; a client names it immediately. What is under
    /// way is finished; then [`is_done`](Self::is_done).
    ///
    /// # Errors
    /// [`UsageError::NoRoom`], [`UsageError::NotOpen`].
    pub fn shutdown(&mut self, now: Instant, out: &mut impl Sink) -> Result<(), UsageError> {
        if self.phase != Phase::Open {
            return Err(UsageError::NotOpen);
        }
        if out.room() < CONTROL_ROOM {
            return Err(UsageError::NoRoom);
        }
        match self.role {
            // A second call must not put off the end that the first one has announced.
            _ if self.goaway.is_ours() => {}
            Role::Server => {
                self.goaway.warn(now, out);
                self.put_ping(DRAIN_PING, out);
                self.clock.wake_by(now); // `elapsed` knows the limit
            }
            Role::Client => self.put_last_goaway("", out),
        }
        self.finish_drain();
        Ok(())
    }

    // ---- what several calls do ----

    /// Checks that frames of `octets` may be sent now.
    fn may_send(&self, octets: usize, out: &impl Sink) -> Result<(), UsageError> {
        if self.phase != Phase::Open {
            return Err(UsageError::NotOpen);
        }
        if out.room() < octets {
            return Err(UsageError::NoRoom);
        }
        Ok(())
    }

    fn put_ping(&mut self, opaque: [u8; 8], out: &mut impl Sink) {
        payload::put_ping(false, opaque, out);
        self.flood.pinged();
    }

    #[inline]
    fn put_updates(&mut self, out: &mut impl Sink) {
        let own = self.settings.own();
        self.flow.put_updates(&mut self.streams, own, out);
    }

    /// Tells the peer which of its streams is the last that is served, and ends the
    /// connection if none is open.
    fn put_last_goaway(&mut self, debug: &str, out: &mut impl Sink) {
        self.goaway.name_last(self.streams.last_peer(), debug, out);
        self.finish_drain();
    }

    /// Ends the connection once both sides know and nothing is under way.
    #[inline]
    fn finish_drain(&mut self) {
        if self.goaway.is_final() && self.streams.is_empty() && self.phase == Phase::Open {
            self.phase = Phase::Done;
            self.clock.stop();
        }
    }

    /// Forgets a stream. Its bytes that were not consumed no longer count.
    #[inline]
    fn remove(&mut self, id: u32, reset: bool, now: Instant) {
        if let Some(held) = self.streams.remove(id, reset) {
            self.flow.free(held);
            self.clock.note_active(now);
            self.finish_drain();
        }
    }

    /// Ends the connection over `violation`: GOAWAY is the last thing said
    /// (RFC 9113 §5.4.1).
    #[cold]
    fn fail(&mut self, violation: ProtocolError, out: &mut impl Sink) -> ProtocolError {
        let speaks = self.phase == Phase::Open && violation != ProtocolError::Incomplete;
        // The head of a frame, a stream and a code; without room the peer learns from the end
        // of the transport alone.
        if speaks && out.room() >= 17 + violation.reason().len() {
            let last = self.streams.last_peer();
            payload::put_goaway(last, violation.code(), violation.reason(), out);
        }
        self.phase = Phase::Failed(violation);
        self.clock.stop();
        violation
    }
}
