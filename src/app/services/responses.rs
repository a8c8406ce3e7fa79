//! The responses of a server stream: from an iterator, or from an object.

use alloc::boxed::Box;
use core::any::Any;
use core::marker::PhantomData;
use core::time::Duration;

use super::call::binary_value;
use super::codec::{CallStatus, Payload};
use super::later::ResponseSender;
use super::sending::Sending;
use crate::app::channels::channel_limits::ChannelError;
use crate::app::channels::publication::Publication;
use crate::app::channels::slow::Missed;
use crate::app::exchange::session::SessionContext;
use crate::app::publishing::handle::Handle;
use crate::app::publishing::join::{ChannelAnswer, Joined};
use crate::app::publishing::loop_address::LoopAddress;
use crate::grpc::{Code, Detail, Status, UsageError};
use crate::link::{Charge, EndReason};
use crate::net::Flow;
use crate::wire::Instant;
use crate::wire::partly_shown;

/// An object that answers one call with a stream of messages: its fields are
/// the stream's state.
///
/// ```
/// use barewire::app::{ResponseStream, ServerStream, Service};
/// use barewire::grpc::Status;
/// use core::time::Duration;
///
/// struct Countdown(u8);
///
/// impl ServerStream for Countdown {
///     type Message = Vec<u8>;
///
///     fn open(&mut self, stream: &mut ResponseStream<'_, '_, Vec<u8>>) {
///         stream.after(Duration::from_secs(1), 0);
///     }
///
///     fn timer(&mut self, stream: &mut ResponseStream<'_, '_, Vec<u8>>, _token: u32) {
///         self.0 -= 1;
///         stream.send(&vec![self.0]);
///         match self.0 {
///             0 => stream.finish(Status::OK),
///             _ => stream.after(Duration::from_secs(1), 0),
///         }
///     }
/// }
///
/// Service::new("launch.Launch")
///     .server_streaming_object("Count", |_request: Vec<u8>, _call| Ok(Countdown(10)));
/// ```
#[expect(unused_variables, reason = "the names are the documentation")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` gives no responses",
    note = "an iterator of `Result<Response, CallStatus>` will do; or implement `ServerStream`"
)]
pub trait ServerStream {
    /// The type of a message.
    type Message: Payload;

    /// The call begins; the head of the response leaves after this.
    fn open(&mut self, stream: &mut ResponseStream<'_, '_, Self::Message>);

    /// A timer set with [`ResponseStream::after`] went off.
    fn timer(&mut self, stream: &mut ResponseStream<'_, '_, Self::Message>, token: u32) {}

    /// Something was sent with [`Handle::mail`].
    fn mail(
        &mut self,
        stream: &mut ResponseStream<'_, '_, Self::Message>,
        mail: Box<dyn Any + Send>,
    ) {
    }

    /// After a [`Flow::Wait`]: the client has taken enough to go on.
    fn writable(&mut self, stream: &mut ResponseStream<'_, '_, Self::Message>) {}

    /// Something was published to a channel that the call has
    /// [joined](ResponseStream::join). While the client does not take what is sent
    /// ([`Flow::Wait`]), none comes; where too many wait, the call ends with
    /// RESOURCE_EXHAUSTED.
    fn publication(
        &mut self,
        stream: &mut ResponseStream<'_, '_, Self::Message>,
        channel: &str,
        publication: &Publication,
    ) {
    }

    /// The client was too slow, and some of what was published was left out
    /// ([`SlowMembers::Drop`](crate::app::SlowMembers::Drop)): between what has come and what
    /// comes from now on. By default the call ends with RESOURCE_EXHAUSTED.
    fn missed(&mut self, stream: &mut ResponseStream<'_, '_, Self::Message>, missed: Missed<'_>) {
        let status = Status::new(Code::ResourceExhausted, "publications were lost");
        stream.finish(status);
    }

    /// The outcome of a [`join`](ResponseStream::join) that was to be decided
    /// [later](Joined::Later). By default the call ends with UNAVAILABLE if the channel cannot
    /// be reached.
    fn joined(
        &mut self,
        stream: &mut ResponseStream<'_, '_, Self::Message>,
        answer: ChannelAnswer<'_, Joined>,
    ) {
        if answer.result == Err(ChannelError::Unavailable) {
            let status = Status::new(Code::Unavailable, "the channel cannot be reached");
            stream.finish(status);
        }
    }

    /// The client has cancelled the call or gone, or its deadline has passed:
    /// nothing can be sent any more.
    fn cancelled(&mut self, why: EndReason) {}
}

/// An event of a stream.
pub(super) enum Turn<'m> {
    Open,
    /// A message of the request.
    Message(&'m [u8]),
    /// The client has sent its last message.
    HalfClosed,
    Writable,
    Timer(u32),
    /// What it polls has been woken.
    Poll,
    Mail(Box<dyn Any + Send>),
    Published(&'m str, &'m Publication),
    /// Some publications were left out.
    Missed(Missed<'m>),
    Joined(ChannelAnswer<'m, Joined>),
    Ended(EndReason),
}

/// Where the messages of a stream come from.
pub(super) trait Source {
    /// Whether it may wait for something else than the client.
    fn is_live(&self) -> bool;

    /// Whether the head of the response leaves before there is a message.
    fn opens_at_once(&self) -> bool {
        true
    }

    /// Whether it owes a single response: one that is not given in time is overdue.
    fn is_owing(&self) -> bool {
        false
    }

    /// Whether it polls a future or a stream.
    fn is_polled(&self) -> bool {
        false
    }

    /// Something happened; sends what there is to send.
    fn turn(&mut self, at: &mut SessionContext<'_, '_>, sending: &mut Sending, turn: Turn<'_>);
}

/// The source of an iterator's messages.
pub(super) struct Pulled<I>(pub(super) I);

impl<M: Payload, I: Iterator<Item = Result<M, CallStatus>>> Source for Pulled<I> {
    fn is_live(&self) -> bool {
        false
    }

    fn turn(&mut self, at: &mut SessionContext<'_, '_>, sending: &mut Sending, turn: Turn<'_>) {
        if !matches!(turn, Turn::Open | Turn::Writable) {
            return;
        }
        while !sending.is_ended() {
            match self.0.next() {
                Some(Ok(message)) => match sending.send(at, |out| message.encode(out)) {
                    Flow::Go => {}
                    Flow::Wait | Flow::Over(_) => return,
                },
                Some(Err(status)) => sending.finish(at, status),
                None => sending.finish_ok(at),
            }
        }
    }
}

/// The source of messages that are posted from elsewhere.
pub(super) struct Awaited;

impl Source for Awaited {
    fn is_live(&self) -> bool {
        true
    }

    fn turn(&mut self, _at: &mut SessionContext<'_, '_>, _sending: &mut Sending, _turn: Turn<'_>) {}
}

/// The source of an object's messages.
pub(super) struct Live<S>(pub(super) S);

impl<S: ServerStream> Source for Live<S> {
    fn is_live(&self) -> bool {
        true
    }

    fn turn(&mut self, at: &mut SessionContext<'_, '_>, sending: &mut Sending, turn: Turn<'_>) {
        let stream = &mut ResponseStream::new(at, sending);
        match turn {
            Turn::Open => self.0.open(stream),
            Turn::Writable => self.0.writable(stream),
            Turn::Timer(token) => self.0.timer(stream, token),
            Turn::Mail(mail) => self.0.mail(stream, mail),
            Turn::Published(channel, publication) => {
                self.0.publication(stream, channel, publication);
            }
            Turn::Missed(missed) => self.0.missed(stream, missed),
            Turn::Joined(answer) => self.0.joined(stream, answer),
            Turn::Ended(why) => self.0.cancelled(why),
            // It had its one message before, and polls nothing.
            Turn::Message(_) | Turn::HalfClosed | Turn::Poll => {}
        }
    }
}

/// The responses of one call, as they are sent. Lent for one call.
pub struct ResponseStream<'a, 'c, M> {
    pub(super) at: SessionContext<'a, 'c>,
    pub(super) sending: &'a mut Sending,
    message: PhantomData<fn(&M)>,
}

partly_shown!([M] it: ResponseStream<'_, '_, M> { ended: it.sending.is_ended() });

impl<'a, 'c, M> ResponseStream<'a, 'c, M> {
    pub(super) fn new(at: &'a mut SessionContext<'_, 'c>, sending: &'a mut Sending) -> Self {
        Self {
            at: at.reborrow(),
            sending,
            message: PhantomData,
        }
    }
}

impl<M: Payload> ResponseStream<'_, '_, M> {
    /// Sends a message.
    ///
    /// It never waits and drops nothing. [`Flow::Wait`] asks for silence until
    /// `writable` is called; a sender that does not stop is closed when the
    /// backlog reaches its cap. Messages of one turn leave together.
    pub fn send(&mut self, message: &M) -> Flow {
        self.sending.send(&mut self.at, |out| message.encode(out))
    }

    /// Sends the one message of a response and ends the call with OK.
    pub fn respond(&mut self, message: &M) {
        if self.send(message).is_taken() {
            self.finish(Status::OK);
        }
    }

    /// Ends the call with a status: [`Status::OK`] if all has been sent.
    pub fn finish(&mut self, status: impl Into<CallStatus>) {
        self.sending.finish(&mut self.at, status.into());
    }

    /// Whether the call has been [finished](Self::finish).
    pub fn is_finished(&self) -> bool {
        self.sending.is_ended()
    }

    /// Sends the head of the response now; else it leaves with the first
    /// message.
    pub fn send_head(&mut self) {
        self.sending.open(&mut self.at);
    }

    /// Adds metadata that is sent ahead of the messages.
    ///
    /// # Errors
    /// [`UsageError`] if the name or the value cannot be sent, or the head has
    /// been.
    pub fn send_metadata(&mut self, name: &str, value: &str) -> Result<(), UsageError> {
        self.sending.outgoing.push_head(name, value)
    }

    /// Adds metadata that is sent with the status.
    ///
    /// # Errors
    /// [`UsageError`] if the name or the value cannot be sent.
    pub fn send_trailer(&mut self, name: &str, value: &str) -> Result<(), UsageError> {
        self.sending.outgoing.push_trailer(name, value)
    }

    /// Adds octets that are sent with the status, under a name that ends with
    /// `-bin`.
    ///
    /// # Errors
    /// Those of [`send_trailer`](Self::send_trailer).
    pub fn send_binary_trailer(&mut self, name: &str, octets: &[u8]) -> Result<(), UsageError> {
        let value = binary_value(name, octets)?;
        self.sending.outgoing.push_trailer(name, &value)
    }

    /// Adds a message of Protocol Buffers that goes with the error, if the call ends with
    /// one.
    pub fn send_detail(&mut self, detail: Detail) {
        self.sending.outgoing.details.push(detail);
    }

    /// Calls `timer` with `token` after this time, once, unless the call is over by then.
    /// If no further timer is allowed ([`Limits::timers`](crate::net::Limits::timers)),
    /// the call ends with RESOURCE_EXHAUSTED.
    pub fn after(&mut self, time: Duration, token: u32) {
        if !self.at.context.after(time, u64::from(token)) {
            self.finish(Status::new(Code::ResourceExhausted, "no more timers"));
        }
    }

    /// Holds the client back, by its own flow control, or lets it go on: no
    /// further message comes meanwhile, not even one that has been received.
    pub const fn set_reading(&mut self, reading: bool) {
        self.sending.held = !reading;
    }

    /// Whether the message that is looked at came compressed.
    pub const fn is_compressed(&self) -> bool {
        self.sending.outgoing.was_compressed
    }

    /// Whether the messages from here on are compressed. They are not where
    /// the client does not read that, nor if neither the service nor the call
    /// had said so before the first of them.
    #[cfg(feature = "gzip")]
    pub const fn set_compressed(&mut self, compressed: bool) {
        self.sending.outgoing.compress = compressed;
    }

    /// The stream as any thread can reach it: its
    /// [`mail`](Handle::mail) comes to `mail`, what it
    /// [sends](Handle::send) goes out as the bytes of one message, and its
    /// [`close`](Handle::close) ends the call with OK.
    pub fn handle(&self) -> Option<Handle> {
        let client = self.sending.client.as_ref()?;
        Some(client.handle(self.at.context))
    }

    /// A sender of the call's messages for any thread, which also ends the call. The
    /// call ends when the last of its clones is dropped.
    pub fn sender(&mut self) -> ResponseSender<M> {
        let context = &*self.at.context;
        let loop_address = LoopAddress {
            remote: context.remote(),
            owner: context.owner(),
        };
        let wanted = self.sending.outgoing.wanted();
        ResponseSender::new(loop_address, context.exchange(), wanted)
    }

    /// Bytes that wait for the client to take them.
    pub fn backlog(&self) -> usize {
        self.at.context.backlog() + self.sending.frames.len()
    }

    /// A charge for what the handler keeps for this client: see
    /// [`Stream::charge`](crate::app::Stream::charge).
    pub fn charge(&mut self) -> Charge {
        self.at.context.charge()
    }

    /// The time now, on a clock that only goes forward.
    pub fn now(&self) -> Instant {
        self.at.context.now()
    }

    /// Seconds since 1970-01-01 00:00:00 UTC.
    pub fn unix_seconds(&self) -> u64 {
        self.at.context.unix_seconds()
    }
}
