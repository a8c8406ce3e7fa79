//! The responses of a server stream: from an iterator, or from an object.

use alloc::{boxed::Box, vec::Vec};
use core::any::Any;
use core::fmt;
use core::marker::PhantomData;
use core::time::Duration;

use super::call::push;
use super::codec::{CallStatus, Payload};
use crate::app::exchange::client::Client;
use crate::app::exchange::session::At;
use crate::app::publishing::handle::Handle;
use crate::grpc::{self, Misuse, Status};
use crate::http::FieldBuffer;
use crate::link::{self, Gone};
use crate::net::Flow;
use crate::wire::Instant;

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
pub trait ServerStream {
    /// What it sends.
    type Message: Payload;

    /// The head of the response has been sent.
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

    /// The client has gone, or its deadline has passed: nothing can be sent
    /// any more.
    fn gone(&mut self, why: Gone) {}
}

/// What a session has of its own answer.
pub(in crate::app) struct Sending {
    pub(in crate::app) machine: grpc::Call,
    pub(in crate::app) trailers: FieldBuffer,
    pub(in crate::app) client: Option<Client>,
    pub(in crate::app) ended: bool,
    message: Vec<u8>,
    frame: Vec<u8>,
}

impl Sending {
    pub(in crate::app) const fn new(machine: grpc::Call, trailers: FieldBuffer) -> Self {
        Self {
            machine,
            trailers,
            client: None,
            ended: false,
            message: Vec::new(),
            frame: Vec::new(),
        }
    }

    /// Sends one message.
    fn send(&mut self, at: &mut At<'_, '_>, encode: impl FnOnce(&mut Vec<u8>)) -> Flow {
        if self.ended {
            return Flow::Over(link::Misuse::Over);
        }
        self.message.clear();
        self.frame.clear();
        encode(&mut self.message);
        if self
            .machine
            .send_message(&self.message, &mut self.frame)
            .is_err()
        {
            // Only a message of more than 4 GiB cannot be framed.
            self.finish(
                at,
                &Status::new(grpc::Code::Internal, "message is too long").into(),
            );
            return Flow::Over(link::Misuse::Over);
        }
        let flow = at.context.write(&self.frame);
        if flow.is_taken() {
            at.site.metrics.sent_messages(1, self.message.len());
            if let Some(client) = &self.client {
                let now = at.context.unix_seconds();
                client.membership.activity().sent(self.message.len(), now);
            }
        }
        flow
    }

    /// Ends the call with a status.
    pub(in crate::app) fn finish(&mut self, at: &mut At<'_, '_>, status: &CallStatus) {
        if self.ended {
            return;
        }
        self.ended = true;
        self.frame.clear();
        let mut fields = FieldBuffer::new();
        let trailers = self.trailers.as_fields();
        // The trailers were checked, and a vector has room.
        let _ = self
            .machine
            .send_status(status.as_ref(), trailers, &mut fields, &mut self.frame);
        if !self.frame.is_empty() {
            let _ = at.context.write(&self.frame);
        }
        // Refused only if the exchange is over.
        let _ = at.context.finish(fields.as_fields());
    }
}

/// What happens to a stream.
pub(in crate::app) enum Turn {
    Open,
    Writable,
    Timer(u32),
    Mail(Box<dyn Any + Send>),
    Gone(Gone),
}

/// Where the messages of a stream come from.
pub(in crate::app) trait Source {
    /// Whether it may wait for something else than the client.
    fn is_live(&self) -> bool;

    /// Something happened; sends what there is to send.
    fn turn(&mut self, at: &mut At<'_, '_>, sending: &mut Sending, turn: Turn);
}

/// What an iterator gives.
pub(in crate::app) struct Pulled<I>(pub(in crate::app) I);

impl<M: Payload, I: Iterator<Item = Result<M, CallStatus>>> Source for Pulled<I> {
    fn is_live(&self) -> bool {
        false
    }

    fn turn(&mut self, at: &mut At<'_, '_>, sending: &mut Sending, turn: Turn) {
        if !matches!(turn, Turn::Open | Turn::Writable) {
            return;
        }
        while !sending.ended {
            match self.0.next() {
                Some(Ok(message)) => match sending.send(at, |out| message.encode(out)) {
                    Flow::Go => {}
                    Flow::Wait | Flow::Over(_) => return,
                },
                Some(Err(status)) => sending.finish(at, &status),
                None => sending.finish(at, &Status::OK.into()),
            }
        }
    }
}

/// What an object sends.
pub(in crate::app) struct Live<S>(pub(in crate::app) S);

impl<S: ServerStream> Source for Live<S> {
    fn is_live(&self) -> bool {
        true
    }

    fn turn(&mut self, at: &mut At<'_, '_>, sending: &mut Sending, turn: Turn) {
        let stream = &mut ResponseStream {
            at: at.reborrow(),
            sending,
            message: PhantomData,
        };
        match turn {
            Turn::Open => self.0.open(stream),
            Turn::Writable => self.0.writable(stream),
            Turn::Timer(token) => self.0.timer(stream, token),
            Turn::Mail(mail) => self.0.mail(stream, mail),
            Turn::Gone(why) => self.0.gone(why),
        }
    }
}

/// The responses of one call, as they are sent. Lent for one call.
pub struct ResponseStream<'a, 'c, M> {
    at: At<'a, 'c>,
    sending: &'a mut Sending,
    message: PhantomData<fn(&M)>,
}

impl<M> fmt::Debug for ResponseStream<'_, '_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseStream")
            .field("ended", &self.sending.ended)
            .finish_non_exhaustive()
    }
}

impl<M: Payload> ResponseStream<'_, '_, M> {
    /// Sends a message.
    ///
    /// It never waits and drops nothing. [`Flow::Wait`] asks for silence until
    /// [`writable`](ServerStream::writable); whoever goes on regardless is
    /// closed when the backlog reaches its cap.
    pub fn send(&mut self, message: &M) -> Flow {
        self.sending.send(&mut self.at, |out| message.encode(out))
    }

    /// Ends the call with a status: [`Status::OK`] if all has been sent.
    pub fn finish(&mut self, status: impl Into<CallStatus>) {
        self.sending.finish(&mut self.at, &status.into());
    }

    /// Adds metadata that is sent with the status.
    ///
    /// # Errors
    /// [`Misuse`] if the name or the value cannot be sent.
    pub fn send_trailer(&mut self, name: &str, value: &str) -> Result<(), Misuse> {
        push(&mut self.sending.trailers, name, value)
    }

    /// Has [`timer`](ServerStream::timer) called with `token` after this time,
    /// once, unless the call is over by then.
    pub fn after(&mut self, time: Duration, token: u32) {
        self.at.context.after(time, u64::from(token));
    }

    /// The stream as any thread can reach it: its
    /// [`mail`](Handle::mail) comes to [`ServerStream::mail`], what it
    /// [sends](Handle::send) goes out as the bytes of one message, and its
    /// [`close`](Handle::close) ends the call with OK.
    pub fn handle(&self) -> Option<Handle> {
        let client = self.sending.client.as_ref()?;
        Some(client.handle(self.at.context))
    }

    /// Bytes that wait for the client to take them.
    pub fn backlog(&self) -> usize {
        self.at.context.backlog()
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

impl Sending {
    /// Sends the bytes of one message.
    pub(in crate::app) fn send_bytes(&mut self, at: &mut At<'_, '_>, bytes: &[u8]) {
        // Whoever sends from another thread cannot wait.
        let _ = self.send(at, |out| out.extend_from_slice(bytes));
    }
}
