//! The machine: what it remembers, and time.

use alloc::vec::Vec;

use super::block::Block;
use super::flood::Flood;
use super::frame::{MAX_31, PREFACE};
use super::known_blocks::KnownBlocks;
use super::known_heads::KnownHeads;
use super::schedule::Schedule;
use super::settings::{DEFAULT_WINDOW, Own, Peer};
use super::streams::{Closed, Stream};
use super::table::Table;
use super::window::{ReceiveWindow, SendWindow};
use super::{ErrorCode, Limits, ProtocolError, UsageError, payload};
use crate::hpack::{Decoder, Encoder, Growing};
use crate::wire::{Instant, Role, Sink};

/// Room that every call may need for its own answers: the opening, or the
/// answer to a frame and a GOAWAY.
pub(super) const CONTROL_ROOM: usize = 160;

/// The pings that are our own.
pub(super) const DRAIN_PING: [u8; 8] = *b"draining";
pub(super) const ALIVE_PING: [u8; 8] = *b"alive???";

/// One HTTP/2 connection, in either role.
///
/// It owns no buffer. Received bytes are lent as one slice, of which the
/// caller drops [`used`](crate::wire::Received::used) bytes after each call
/// and shows the rest again in front of what arrives next. Frames to be sent
/// are appended to an output that is lent as well. Call
/// [`receive`](Self::receive) whenever bytes have arrived, until it needs more;
/// then serve the streams that [`ready`](Self::ready) names.
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
    pub(super) role: Role,
    pub(super) phase: Phase,
    pub(super) reading: Reading,
    pub(super) own: Own,
    pub(super) peer: Peer,
    pub(super) decoder: Decoder<Growing>,
    pub(super) encoder: Encoder<Growing>,
    pub(super) known_heads: KnownHeads,
    pub(super) known_blocks: KnownBlocks,
    /// The header block that is being sent; empty between calls.
    pub(super) block: Vec<u8>,
    pub(super) streams: Table<Stream>,
    pub(super) closed: Closed,
    pub(super) schedule: Schedule,
    pub(super) flood: Flood,
    pub(super) send: SendWindow,
    /// What that window is once the peer has used all that we have sent.
    pub(super) full: u32,
    pub(super) receive: ReceiveWindow,
    /// The peer has had to stop since somebody asked.
    pub(super) withheld: bool,
    /// When the input was withheld last, by a window or altogether.
    pub(super) shut: Instant,
    /// The window that new streams of the peer start with.
    pub(super) granted: u32,
    /// The highest stream that the peer has opened.
    pub(super) last_peer: u32,
    /// The next stream that we would open.
    pub(super) next_own: u32,
    /// Our streams above this one are refused: the peer is going away.
    pub(super) refused_above: Option<u32>,
    pub(super) drain: Drain,
    /// The peer's SETTINGS have come.
    pub(super) greeted: bool,
    /// The connection's window may be due for an update.
    pub(super) updates_due: bool,
    /// So may the windows of streams, for want of room in the output.
    pub(super) stream_updates_due: bool,
    /// The peer has sent its last byte: no window will open any more.
    pub(super) ended: bool,
    /// No later than the next deadline; NEVER: there is none.
    pub(super) wake: Instant,
    /// When a server's connection is too old; not known before the limits are.
    pub(super) retires: Option<Instant>,
    /// When the last byte came.
    pub(super) heard: Instant,
    /// When the last stream was closed, or until when what the peer has used
    /// since then is worth it.
    pub(super) active: Instant,
    /// When our settings were sent that are not acknowledged yet.
    pub(super) settings_since: Option<Instant>,
    /// When the frame or block began that is not all there.
    pub(super) frame_since: Option<Instant>,
    /// When our sign-of-life ping was sent, if it was not answered; else NEVER.
    pub(super) ping_since: Instant,
    /// How long the rest of a request is dropped behind an early answer, in tenths
    /// of a second, rounded up; `u16::MAX` is never.
    pub(super) early_reset: u16,
}

/// How far the connection's life has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Our preface is not out yet.
    New,
    Open,
    /// Nothing comes or goes any more.
    Done,
    Failed(ProtocolError),
}

/// What stands at the front of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// The client's preface.
    Preface,
    /// The head of a frame.
    Head,
    /// The inside of a DATA frame.
    Data(Data),
    /// This many octets of a frame that nobody wants.
    Skip(u32),
    /// A header block, as far as it is assembled, and then a frame's head.
    Block(Block),
}

/// The inside of a DATA frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Data {
    pub(super) stream: u32,
    /// Octets still to come, those of padding apart once it is known.
    pub(super) left: u32,
    pub(super) padding: u8,
    /// The octet that tells the padding is still to come.
    pub(super) pad_unread: bool,
    /// END_STREAM.
    pub(super) end: bool,
}

/// A graceful end of our own making.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Drain {
    No,
    /// The peer was warned; streams that are on their way are still served.
    Warned(Instant),
    /// The peer knows the last stream that is served.
    Last(u32),
}

impl Connection {
    /// A connection that has just been opened. [`Limits::header_timeout`] for
    /// the peer's preface counts from `now`.
    pub fn new(role: Role, now: Instant) -> Self {
        Self {
            role,
            phase: Phase::New,
            reading: match role {
                Role::Server => Reading::Preface,
                Role::Client => Reading::Head,
            },
            own: Own::new(&Limits::DEFAULT),
            peer: Peer::INITIAL,
            decoder: Decoder::new(Growing::default()),
            encoder: Encoder::new(Growing::default(), 4096),
            known_heads: KnownHeads::default(),
            known_blocks: KnownBlocks::default(),
            block: Vec::new(),
            streams: Table::new(),
            closed: Closed::new(),
            schedule: Schedule::new(),
            flood: Flood::new(),
            send: SendWindow::new(DEFAULT_WINDOW),
            full: DEFAULT_WINDOW,
            receive: ReceiveWindow::new(DEFAULT_WINDOW),
            withheld: false,
            shut: Instant::START,
            granted: DEFAULT_WINDOW,
            last_peer: 0,
            next_own: 1,
            refused_above: None,
            drain: Drain::No,
            greeted: false,
            updates_due: false,
            stream_updates_due: false,
            ended: false,
            wake: now, // the first call of `elapsed` knows the limits
            retires: None,
            heard: now,
            active: now,
            settings_since: None,
            frame_since: Some(now),
            ping_since: Instant::NEVER,
            early_reset: 0, // `open` knows the limits
        }
    }

    /// The side that this machine plays.
    #[inline]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Judges the peer's PINGs as keep-alives from now on, as servers of gRPC
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

    /// How many streams the peer allows us at once, as far as it is known.
    #[inline]
    pub const fn max_streams(&self) -> u32 {
        self.peer.streams
    }

    /// Whether the peer takes extended CONNECT (RFC 8441 §3).
    #[inline]
    pub const fn allows_extended_connect(&self) -> bool {
        self.peer.connect_protocol
    }

    /// Bytes that the windows allow to be sent on `stream` now; 0 if it cannot
    /// send at all.
    pub fn capacity(&self, stream: u32) -> usize {
        match self.streams.get(stream) {
            Some(stream) if stream.state.sends() => stream.send.open().min(self.send.open()),
            _ => 0,
        }
    }

    /// Whether a stream goes on in at least one direction.
    #[inline]
    pub fn is_open(&self, stream: u32) -> bool {
        self.streams.get(stream).is_some()
    }

    /// Whether [`ready`](Self::ready) may name a stream.
    #[inline]
    pub fn has_ready(&self) -> bool {
        !self.schedule.is_empty() && self.send.open() > 0
    }

    /// Bytes of memory held apart from the machine itself.
    pub fn memory(&self) -> usize {
        self.streams.memory()
            + self.decoder.memory()
            + self.encoder.memory()
            + self.known_heads.memory()
            + self.known_blocks.memory()
            + self.block.capacity()
            + self.schedule.memory()
    }

    /// Whether new streams are out of the question: one side is going away, or
    /// the connection has failed.
    #[inline]
    pub const fn is_closing(&self) -> bool {
        !matches!(self.phase, Phase::New | Phase::Open)
            || !matches!(self.drain, Drain::No)
            || self.refused_above.is_some()
    }

    /// Whether nothing more will come or go: the transport ends once the
    /// output is flushed.
    #[inline]
    pub const fn is_done(&self) -> bool {
        matches!(self.phase, Phase::Done | Phase::Failed(_))
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
        self.own = Own::new(limits);
        let tenths = limits.early_reset.as_millis().div_ceil(100);
        self.early_reset = u16::try_from(tenths).unwrap_or(u16::MAX);
        self.encoder = Encoder::new(Growing::default(), limits.encoder_table);
        if self.role == Role::Client {
            out.put(PREFACE);
        }
        self.own.put(self.role, out);
        let more = self.own.connection_window - DEFAULT_WINDOW;
        if more > 0 {
            payload::put_window_update(0, more, out);
            self.receive.resize(i64::from(more));
        }
        self.settings_since = Some(now);
        self.wake_within(limits.settings_timeout, now);
        self.phase = Phase::Open;
        Ok(())
    }

    /// Ends the connection gracefully (RFC 9113 §6.8): a server warns the
    /// peer, and names the last stream it serves one round trip later, so that
    /// no request is lost on its way; a client names it at once. What is under
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
        match (self.drain, self.role) {
            (Drain::No, Role::Server) => {
                payload::put_goaway(MAX_31, ErrorCode::NO_ERROR, "", out);
                self.put_ping(DRAIN_PING, out);
                self.drain = Drain::Warned(now);
                self.wake = now; // `elapsed` knows the limit
            }
            (Drain::No, Role::Client) => self.put_last_goaway("", out),
            (Drain::Warned(_) | Drain::Last(_), _) => {}
        }
        self.finish_drain();
        Ok(())
    }

    /// Tells the peer which of its streams is the last that is served.
    pub(super) fn put_last_goaway(&mut self, debug: &str, out: &mut impl Sink) {
        payload::put_goaway(self.last_peer, ErrorCode::NO_ERROR, debug, out);
        self.drain = Drain::Last(self.last_peer);
    }

    /// Ends the connection once both sides know and nothing is under way.
    pub(super) fn finish_drain(&mut self) {
        let ending = matches!(self.drain, Drain::Last(_)) || self.refused_above.is_some();
        if ending && self.streams.is_empty() && self.phase == Phase::Open {
            self.phase = Phase::Done;
            self.wake = Instant::NEVER;
        }
    }

    /// Forgets a stream. Its bytes that nobody has consumed no longer count.
    pub(super) fn remove(&mut self, id: u32, reset: bool, now: Instant) {
        let (mut held, mut queued) = (0, false);
        let removed = self.streams.remove_if(id, |stream| {
            (held, queued) = (stream.receive.held(), stream.queued);
            true
        });
        if !removed {
            return;
        }
        self.receive.free(held);
        self.updates_due = true;
        if queued {
            self.schedule.remove(id);
        }
        self.closed.push(id, reset);
        self.active = now;
        self.finish_drain();
    }

    /// Ends the connection over `violation`: GOAWAY is the last thing said
    /// (RFC 9113 §5.4.1).
    #[cold]
    pub(super) fn fail(&mut self, violation: ProtocolError, out: &mut impl Sink) -> ProtocolError {
        let speaks = self.phase == Phase::Open && violation != ProtocolError::Incomplete;
        if speaks && out.room() >= 17 + violation.reason().len() {
            payload::put_goaway(self.last_peer, violation.code(), violation.reason(), out);
        }
        self.phase = Phase::Failed(violation);
        self.wake = Instant::NEVER;
        violation
    }
}
