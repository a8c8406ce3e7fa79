//! The calls of one channel, without I/O: the side of the application.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use super::call::{Call, CallState};
use super::machine::{Form, Machine};
use super::queue::Queue;
use super::{CallOptions, ChannelLimits, Ending, UsageError};
use crate::client::connecting::Pool;
use crate::grpc::connect::Shape;
use crate::grpc::{Code, Encoding, Protocol, Status, frame};
use crate::http::FieldBuffer;
use crate::net::{Flow, Key, Slab, Timers};
use crate::wire::Instant;

/// Many gRPC calls on one HTTP/2 connection at a time, without I/O.
///
/// `T` is what the owner remembers of each call. The one side starts calls,
/// sends messages and takes those that came; the other side, a *driver*, owns
/// the connections:
///
/// ```text
///   start, send, close_sending, cancel          dial ──► a connection
///   next, head, ending  ◄── changed ──  Calls   event ◄── what comes of it
///                                               flush ──► RequestSender
///                                               deadline ──► elapsed
/// ```
///
/// After whatever the one side has done, the driver asks [`dial`](Self::dial)
/// whether to connect, and has each connection [`flush`](Self::flush). Calls wait
/// in a queue while there is no connection, or the server allows no further
/// stream. A connection that the server takes leave of finishes its calls beside
/// its successor; calls on it that the server has not looked at are sent again,
/// once.
///
/// ```
/// use barewire::client::{CallOptions, Calls, Connection, ChannelLimits, NextMessage};
/// use barewire::grpc::Code;
/// use barewire::link::{Event, EndReason, Unreachable};
/// use barewire::wire::Instant;
///
/// let mut calls = Calls::new("127.0.0.1:50051", ChannelLimits::DEFAULT, 7);
/// let now = Instant::START;
/// let call = calls.start("/greeter.Greeter/Hello", &CallOptions::new(), (), now)?;
/// calls.send(call, b"hi").unwrap();
/// calls.close_sending(call);
///
/// let link = calls.dial(now).unwrap();
/// let mut connection = Connection::http2(calls.link_limits(), now);
/// let refused = EndReason::Unreachable(Unreachable::Refused);
/// connection.closed(refused, |wire, stream, event| {
///     calls.event(link, stream, event, wire, now);
/// });
/// assert_eq!(calls.changed(), Some(call));
/// assert!(matches!(calls.next(call), NextMessage::Over));
/// let ending = calls.ending(call).unwrap();
/// assert_eq!(ending.code(), Code::Unavailable);
/// let message = "cannot connect to 127.0.0.1:50051: connection refused";
/// assert_eq!(ending.status.message, message);
/// # Ok::<(), barewire::client::Ending>(())
/// ```
#[derive(Debug)]
pub struct Calls<T> {
    pub(super) calls: Slab<Call<T>>,
    pub(super) pool: Pool,
    /// Calls without a stream.
    pub(super) waiting: Queue,
    pub(super) offered: VecDeque<Key>,
    /// Calls that have news for their owner.
    pub(super) changed: VecDeque<Key>,
    pub(super) deadlines: Timers<Key>,
    pub(super) spare: Vec<Vec<u8>>,
    pub(super) limits: ChannelLimits,
    /// How often servers have asked for fewer pings.
    pub(super) slowed: u32,
    /// The fields that all requests have, first, and after them those of the one that is
    /// sent.
    pub(super) fields: FieldBuffer,
    /// How many are in front, and for calls of which form; none before the first request.
    pub(super) common: Option<(usize, Form)>,
    pub(super) protocol: Protocol,
    /// Requests go over TLS.
    pub(super) is_https: bool,
    pub(super) authority: String,
    pub(super) agent: String,
    /// No call begins any more, nor is one sent again.
    pub(super) closing: bool,
    /// The latest time that anyone has told.
    pub(super) now: Instant,
}

impl<T> Calls<T> {
    /// No calls yet, to a server that is named `authority`. `jitter` is any
    /// number; it spreads the attempts of many clients to connect.
    pub fn new(authority: &str, limits: ChannelLimits, jitter: u64) -> Self {
        Self {
            calls: Slab::new(),
            pool: Pool::new(authority, limits.backoff, jitter),
            waiting: Queue::new(),
            offered: VecDeque::new(),
            changed: VecDeque::new(),
            deadlines: Timers::new(),
            spare: Vec::new(),
            limits,
            slowed: 0,
            fields: FieldBuffer::new(),
            common: None,
            protocol: Protocol::Grpc,
            is_https: false,
            authority: authority.into(),
            agent: String::new(),
            closing: false,
            now: Instant::START,
        }
    }

    /// Puts the application's own name in front of the user agent.
    #[must_use]
    pub fn with_user_agent(mut self, name: &str) -> Self {
        self.agent = alloc::format!("{name} ");
        self
    }

    /// Makes the calls in another protocol than gRPC.
    #[must_use]
    pub const fn with_protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = protocol;
        self
    }

    /// Has each connection carry one call at a time, over HTTP/1.1.
    pub(super) const fn over_http1(mut self) -> Self {
        self.pool.set_unshared(self.limits.connections);
        self
    }

    /// Says in requests that they go over TLS: their `:scheme` is `https`.
    #[must_use]
    pub const fn with_https(mut self) -> Self {
        self.is_https = true;
        self
    }

    /// Says in errors where the server is, if that is not its authority.
    #[must_use]
    pub fn with_server(mut self, place: &str) -> Self {
        self.pool.server = place.into();
        self
    }

    /// Calls that have not been [removed](Self::remove).
    pub const fn len(&self) -> usize {
        self.calls.len()
    }

    /// How long a message of a response may be.
    pub(super) const fn message_limit(&self) -> usize {
        self.limits.message
    }

    /// Whether there is no call.
    pub const fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Begins a call of the method at `path`, `/package.Service/Method`.
    ///
    /// # Errors
    /// The ending of a call that cannot begin: INTERNAL for metadata that
    /// cannot be sent, RESOURCE_EXHAUSTED beyond [`ChannelLimits::calls`], UNAVAILABLE
    /// after [`shutdown`](Self::shutdown), and between two attempts to connect
    /// to a server that cannot be reached.
    pub fn start(
        &mut self,
        path: &str,
        options: &CallOptions,
        owner: T,
        now: Instant,
    ) -> Result<Key, Ending> {
        let form = Form::of::<Vec<u8>>(Shape::Streaming);
        self.begin((path, options), form, owner, None, now)
    }

    /// Begins a call of a method with one request and one response, and sends that request.
    /// Connect sends such calls otherwise than those that are [started](Self::start).
    ///
    /// # Errors
    /// Those of [`start`](Self::start), and INTERNAL for a request of more than 4 GiB.
    pub fn unary(
        &mut self,
        path: &str,
        options: &CallOptions,
        request: &[u8],
        owner: T,
        now: Instant,
    ) -> Result<Key, Ending> {
        let frame = framed(request, false).map_err(|misuse| {
            Ending::from(Status::new(Code::Internal, alloc::format!("{misuse}")))
        })?;
        let form = Form::of::<Vec<u8>>(Shape::Unary);
        self.begin((path, options), form, owner, Some(frame), now)
    }

    /// Begins a call with messages of this form, which sends `only` and nothing else if that
    /// is here.
    pub(super) fn begin(
        &mut self,
        (path, options): (&str, &CallOptions),
        form: Form,
        owner: T,
        only: Option<Vec<u8>>,
        now: Instant,
    ) -> Result<Key, Ending> {
        self.now = now;
        if let Some(fault) = options.fault {
            return Err(Status::new(Code::Internal, alloc::format!("{fault}")).into());
        }
        if self.closing {
            return Err(Ending::constant(Code::Unavailable, "channel is closed"));
        }
        if self.calls.len() >= self.limits.calls {
            let code = Code::ResourceExhausted;
            return Err(Ending::constant(code, "too many calls on the channel"));
        }
        if let Some(why) = self.pool.is_down(now)
            && !options.wait_for_ready
        {
            return Err(Ending::unavailable(why.clone()));
        }
        let Some(mut machine) = Machine::new(self.protocol, form, options.by_get) else {
            let message = "the name of the codec is no token of at most 14 bytes";
            return Err(Ending::constant(Code::Internal, message));
        };
        if options.compress {
            machine.announce(Encoding::Gzip);
        }
        let inbox = self.spare.pop().unwrap_or_default();
        let texts = (path, options.metadata.clone());
        let mut call = Call::new(owner, texts, (form, machine), inbox);
        call.wait_for_ready = options.wait_for_ready;
        if let Some(frame) = only {
            call.push_only(frame);
        }
        call.deadline = options.timeout.map(|timeout| now + timeout);
        let deadline = call.deadline;
        let key = self.calls.insert(call);
        if let Some(deadline) = deadline {
            let timer = self.deadlines.after(deadline, key);
            if let Some(call) = self.calls.get_mut(key) {
                call.timer = Some(timer);
            }
        }
        self.waiting.push(key);
        Ok(key)
    }

    /// Sends a message. [`Flow::Wait`] asks for no more until the call is named
    /// by [`changed`](Self::changed) and [`has_room`](Self::has_room).
    ///
    /// # Errors
    /// [`UsageError`]; nothing is taken then.
    pub fn send(&mut self, call: Key, message: &[u8]) -> Result<Flow, UsageError> {
        self.send_flagged(call, message, false)
    }

    /// Sends a message that the owner has compressed with gzip. The call's
    /// options [say so](CallOptions::compression).
    ///
    /// # Errors
    /// [`UsageError`]; nothing is taken then.
    #[cfg(feature = "gzip")]
    pub fn send_compressed(&mut self, call: Key, message: &[u8]) -> Result<Flow, UsageError> {
        match self.calls.get_mut(call) {
            Some(it) if it.machine.encoding() == Encoding::Identity => {
                Err(UsageError::EncodingNotSent)
            }
            Some(_) | None => self.send_flagged(call, message, true),
        }
    }

    fn send_flagged(
        &mut self,
        call: Key,
        message: &[u8],
        compressed: bool,
    ) -> Result<Flow, UsageError> {
        let frame = framed(message, compressed)?;
        self.send_frame(call, frame)
    }

    /// Sends a message that already follows its prefix.
    pub(super) fn send_frame(&mut self, key: Key, frame: Vec<u8>) -> Result<Flow, UsageError> {
        let unsent = self.limits.unsent;
        let call = self.calls.get_mut(key).ok_or(UsageError::Over)?;
        if call.place == CallState::Over {
            return Err(UsageError::Over);
        }
        if call.outbox.closed {
            return Err(UsageError::SendingClosed);
        }
        if call.outbox.waiting() >= unsent {
            call.wants_room = true;
            return Err(UsageError::NoRoom);
        }
        call.outbox.push(frame);
        call.wants_room = call.outbox.waiting() >= unsent;
        let flow = if call.wants_room {
            Flow::Wait
        } else {
            Flow::Go
        };
        self.offer(key);
        Ok(flow)
    }

    /// Whether [`send`](Self::send) would take a message.
    pub fn has_room(&self, call: Key) -> bool {
        self.calls.get(call).is_some_and(|call| {
            let outbox = &call.outbox;
            !outbox.closed && call.place != CallState::Over && outbox.waiting() < self.limits.unsent
        })
    }

    /// Says that no message follows.
    pub fn close_sending(&mut self, call: Key) {
        if let Some(record) = self.calls.get_mut(call)
            && record.place != CallState::Over
        {
            record.outbox.closed = true;
            self.offer(call);
        }
    }

    /// Ends a call with CANCELLED, unless it is over.
    pub fn cancel(&mut self, call: Key) {
        let ending = Ending::constant(Code::Cancelled, "cancelled by the caller");
        self.give_up(call, ending);
    }

    /// Ends a call with a status of ours: of a message that cannot be read, say.
    /// One that the server has ended with OK is no success then; any other
    /// ending stays.
    pub fn fail(&mut self, call: Key, ending: Ending) {
        if let Some(record) = self.calls.get_mut(call)
            && let Some(told) = &mut record.ending
        {
            if told.code() == Code::Ok {
                *told = ending;
                record.inbox.clear();
            }
            return;
        }
        self.give_up(call, ending);
    }
}

/// A message behind its prefix.
fn framed(message: &[u8], compressed: bool) -> Result<Vec<u8>, UsageError> {
    let prefix = frame::encode_prefix(message.len(), compressed);
    let prefix = prefix.map_err(|_| UsageError::MessageTooLong)?;
    Ok([&prefix[..], message].concat())
}
