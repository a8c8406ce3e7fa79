//! The calls of one channel, without I/O: the side of the application.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use super::call::{Call, CallState};
use super::queue::Queue;
use super::{CallOptions, ChannelLimits, Ending, UsageError};
use crate::client::connecting::Pool;
use crate::grpc::{Code, Encoding, Message, Status, frame};
use crate::http::{FieldBuffer, Fields};
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
    /// How many are in front; 0 before the first request.
    pub(super) common: usize,
    /// Requests go over TLS.
    pub(super) is_https: bool,
    pub(super) authority: String,
    pub(super) agent: String,
    /// No call begins any more, nor is one sent again.
    pub(super) closing: bool,
    /// The latest time that anyone has told.
    pub(super) now: Instant,
}

/// The next part of a response.
#[derive(Debug)]
pub enum NextMessage<'b> {
    /// A message. It may be compressed with gzip if this build reads that
    /// ([`Encoding::ACCEPTED`]).
    Message(Message<'b>),
    /// Nothing yet: [`Calls::changed`] names the call when there is.
    Wait,
    /// The call is over: [`Calls::ending`] says how.
    Over,
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
            common: 0,
            is_https: false,
            authority: authority.into(),
            agent: String::from(super::AGENT),
            closing: false,
            now: Instant::START,
        }
    }

    /// Puts the application's own name in front of the user agent.
    #[must_use]
    pub fn with_user_agent(mut self, name: &str) -> Self {
        self.agent = alloc::format!("{name} {}", super::AGENT);
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
        let inbox = self.spare.pop().unwrap_or_default();
        let mut call = Call::new(owner, path, options.metadata.clone(), inbox);
        call.wait_for_ready = options.wait_for_ready;
        if options.compress {
            call.machine.announce(Encoding::Gzip);
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
        let prefix = frame::encode_prefix(message.len(), compressed);
        let prefix = prefix.map_err(|_| UsageError::MessageTooLong)?;
        let mut frame = Vec::with_capacity(prefix.len() + message.len());
        frame.extend_from_slice(&prefix);
        frame.extend_from_slice(message);
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

    /// The next call that has news for its owner: a head, a message, room to
    /// send, or its end.
    pub fn changed(&mut self) -> Option<Key> {
        loop {
            let key = self.changed.pop_front()?;
            if let Some(call) = self.calls.get_mut(key) {
                call.changed = false;
                return Some(key);
            }
        }
    }

    /// Takes the next message of a response.
    pub fn next(&mut self, call: Key) -> NextMessage<'_> {
        let Some(record) = self.calls.get_mut(call) else {
            return NextMessage::Over;
        };
        let Some((size, compressed, freed)) = record.inbox.take() else {
            return match record.ending {
                None => NextMessage::Wait,
                Some(_) => NextMessage::Over,
            };
        };
        self.release(call, freed);
        let Some(record) = self.calls.get_mut(call) else {
            return NextMessage::Over;
        };
        NextMessage::Message(Message {
            compressed,
            bytes: record.inbox.message(size),
        })
    }

    /// The fields at the head of the response, once they are here. A call that
    /// ends with its head has only the [trailers](Ending::trailers).
    pub fn head(&self, call: Key) -> Option<Fields<'_>> {
        let head = self.calls.get(call)?.head.as_ref()?;
        Some(head.as_fields())
    }

    /// How a call has ended. Messages may still be waiting to be taken.
    pub fn ending(&self, call: Key) -> Option<&Ending> {
        self.calls.get(call)?.ending.as_ref()
    }

    pub(super) fn take_head(&mut self, call: Key) -> Option<FieldBuffer> {
        self.calls.get_mut(call)?.head.take()
    }

    /// Whether there is room again for a sender that was told to wait; once.
    pub(super) fn take_relief(&mut self, call: Key) -> bool {
        let call = self.calls.get_mut(call);
        call.is_some_and(|call| core::mem::take(&mut call.relieved))
    }

    /// The owner's value for a call.
    pub fn owner_mut(&mut self, call: Key) -> Option<&mut T> {
        self.calls.get_mut(call).map(|call| &mut call.owner)
    }

    /// Forgets a call, and cancels it if it is not over.
    pub fn remove(&mut self, call: Key) -> Option<Removed<T>> {
        self.cancel(call);
        let mut call = self.calls.remove(call)?;
        if let Some(memory) = call.inbox.clear() {
            self.keep(memory);
        }
        Some(Removed {
            owner: call.owner,
            head: call.head.unwrap_or_default(),
            ending: call
                .ending
                .unwrap_or_else(|| Ending::constant(Code::Cancelled, "cancelled by the caller")),
        })
    }
}

/// The remains of a call that is forgotten.
#[derive(Debug)]
pub struct Removed<T> {
    /// The owner's value.
    pub owner: T,
    /// The fields at the head of the response; none if it had no head of its
    /// own.
    pub head: FieldBuffer,
    /// How it ended.
    pub ending: Ending,
}
