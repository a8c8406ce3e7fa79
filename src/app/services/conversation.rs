//! Calls whose requests are streams of messages.

use alloc::boxed::Box;
use core::any::Any;

use super::codec::Payload;
use super::responses::{ResponseStream, Source, Turn};
use super::sending::Sending;
use crate::app::channels::channel_limits::ChannelError;
use crate::app::channels::publication::Publication;
use crate::app::channels::slow::Missed;
use crate::app::exchange::session::SessionContext;
use crate::app::publishing::join::{ChannelAnswer, Joined};
use crate::grpc::{Code, Status};
use crate::link::EndReason;

/// An object that takes the messages of one call and answers them: its fields
/// are the call's state. It serves client-streaming methods, which answer
/// with one message once the client has half-closed, and bidirectional ones,
/// which answer whenever they like.
///
/// ```
/// use barewire::app::{Conversation, ResponseStream, Service};
///
/// /// Adds up the lengths of all messages.
/// #[derive(Default)]
/// struct Sum(usize);
///
/// impl Conversation for Sum {
///     type Request = Vec<u8>;
///     type Response = Vec<u8>;
///
///     fn message(&mut self, message: Vec<u8>, _stream: &mut ResponseStream<'_, '_, Vec<u8>>) {
///         self.0 += message.len();
///     }
///
///     fn half_closed(&mut self, stream: &mut ResponseStream<'_, '_, Vec<u8>>) {
///         stream.respond(&self.0.to_string().into_bytes());
///     }
/// }
///
/// /// Gives every message back.
/// struct Echo;
///
/// impl Conversation for Echo {
///     type Request = Vec<u8>;
///     type Response = Vec<u8>;
///
///     fn message(&mut self, message: Vec<u8>, stream: &mut ResponseStream<'_, '_, Vec<u8>>) {
///         stream.send(&message);
///     }
///
///     fn half_closed(&mut self, stream: &mut ResponseStream<'_, '_, Vec<u8>>) {
///         stream.finish(barewire::grpc::Status::OK);
///     }
/// }
///
/// Service::new("test.Test")
///     .client_streaming("Sum", |_call| Ok(Sum::default()))
///     .bidirectional("Echo", |_call| Ok(Echo));
/// ```
///
/// While the client does not take what is sent ([`Flow::Wait`]), and while the
/// object has it [held back](ResponseStream::set_reading), no message comes.
///
/// [`Flow::Wait`]: crate::net::Flow::Wait
#[expect(unused_variables, reason = "the names are the documentation")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not hold a conversation",
    note = "implement `Conversation` for it: `message` gets each message of the client"
)]
pub trait Conversation {
    /// The type of a request message.
    type Request: Payload;
    /// The type of a response message.
    type Response: Payload;

    /// The call begins. The head of the response leaves with the first message
    /// that is sent, or with [`ResponseStream::send_head`].
    fn open(&mut self, stream: &mut ResponseStream<'_, '_, Self::Response>) {}

    /// A message of the request.
    fn message(
        &mut self,
        message: Self::Request,
        stream: &mut ResponseStream<'_, '_, Self::Response>,
    );

    /// The client has sent its last message. The call stays open until it is
    /// [finished](ResponseStream::finish).
    fn half_closed(&mut self, stream: &mut ResponseStream<'_, '_, Self::Response>);

    /// After a [`Flow::Wait`](crate::net::Flow::Wait): the client has taken
    /// enough to go on.
    fn writable(&mut self, stream: &mut ResponseStream<'_, '_, Self::Response>) {}

    /// A timer set with [`ResponseStream::after`] went off.
    fn timer(&mut self, stream: &mut ResponseStream<'_, '_, Self::Response>, token: u32) {}

    /// Something was sent with [`Handle::mail`](crate::app::Handle::mail).
    fn mail(
        &mut self,
        stream: &mut ResponseStream<'_, '_, Self::Response>,
        mail: Box<dyn Any + Send>,
    ) {
    }

    /// Something was published to a channel that the call has
    /// [joined](ResponseStream::join). While the client does not take what is sent
    /// ([`Flow::Wait`](crate::net::Flow::Wait)), none comes; where too many wait, the call
    /// ends with RESOURCE_EXHAUSTED.
    fn publication(
        &mut self,
        stream: &mut ResponseStream<'_, '_, Self::Response>,
        channel: &str,
        publication: &Publication,
    ) {
    }

    /// The client was too slow, and some of what was published was left out
    /// ([`SlowMembers::Drop`](crate::app::SlowMembers::Drop)): between what has come and what
    /// comes from now on. By default the call ends with RESOURCE_EXHAUSTED.
    fn missed(&mut self, stream: &mut ResponseStream<'_, '_, Self::Response>, missed: Missed<'_>) {
        let status = Status::new(Code::ResourceExhausted, "publications were lost");
        stream.finish(status);
    }

    /// The outcome of a [`join`](ResponseStream::join) that was to be decided
    /// [later](Joined::Later). By default the call ends with UNAVAILABLE if the channel cannot
    /// be reached.
    fn joined(
        &mut self,
        stream: &mut ResponseStream<'_, '_, Self::Response>,
        answer: ChannelAnswer<'_, Joined>,
    ) {
        if answer.result == Err(ChannelError::Unavailable) {
            let status = Status::new(Code::Unavailable, "the channel cannot be reached");
            stream.finish(status);
        }
    }

    /// The client has cancelled the call or gone, its deadline has passed, or
    /// what it sent cannot be read: nothing can be sent any more.
    fn cancelled(&mut self, why: EndReason) {}
}

pub(super) struct ConversationSource<C>(pub(super) C);

impl<C: Conversation> Source for ConversationSource<C> {
    fn is_live(&self) -> bool {
        true
    }

    fn opens_at_once(&self) -> bool {
        false
    }

    fn turn(&mut self, at: &mut SessionContext<'_, '_>, sending: &mut Sending, turn: Turn<'_>) {
        let stream = &mut ResponseStream::new(at, sending);
        match turn {
            Turn::Open => self.0.open(stream),
            Turn::Message(bytes) => match C::Request::decode(bytes) {
                Ok(message) => self.0.message(message, stream),
                Err(status) => {
                    let status = stream.sending.machine.unreadable(status);
                    stream.finish(status);
                    self.0.cancelled(EndReason::Aborted);
                }
            },
            Turn::HalfClosed => self.0.half_closed(stream),
            Turn::Writable => self.0.writable(stream),
            Turn::Timer(token) => self.0.timer(stream, token),
            Turn::Mail(mail) => self.0.mail(stream, mail),
            Turn::Published(channel, publication) => {
                self.0.publication(stream, channel, publication);
            }
            Turn::Missed(missed) => self.0.missed(stream, missed),
            Turn::Joined(answer) => self.0.joined(stream, answer),
            Turn::Ended(why) => self.0.cancelled(why),
            Turn::Poll => {} // it polls nothing
        }
    }
}
