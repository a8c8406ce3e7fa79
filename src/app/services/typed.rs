//! Answers of typed services, and the methods of a [`Service`] that take them.
//!
//! A trait has one signature for each method, and its implementations answer now, later, or
//! by a future: so the ways to answer are values here.

use alloc::boxed::Box;
use core::future::Future;
use core::marker::PhantomData;

use super::call::Call;
use super::codec::{CallStatus, Payload};
use super::conversation::{Conversation, ConversationSource};
use super::later::{DeferredResponse, ResponseSender};
use super::methods::{Answer, Messages};
use super::polled;
use super::responses::{Awaited, Live, Pulled, ServerStream, Source};
use super::service::Service;
use crate::wire::partly_shown;

/// The response of a unary method of a generated trait: a message, or the promise of one.
///
/// ```
/// use barewire::app::{Call, CallStatus, Service, UnaryResponse};
///
/// fn answer(request: Vec<u8>, call: &mut Call<'_>) -> Result<UnaryResponse<Vec<u8>>, CallStatus> {
///     Ok(match request.first() {
///         // Now.
///         None => request.into(),
///         // When a future is ready.
///         Some(0) => UnaryResponse::future(async move { Ok(request) }),
///         // From another thread.
///         Some(_) => UnaryResponse::later(call, |response| {
///             std::thread::spawn(move || response.send(Ok(request)));
///         }),
///     })
/// }
///
/// Service::new("a.A").unary_any("Answer", answer);
/// ```
pub struct UnaryResponse<M>(Unary<M>);

enum Unary<M> {
    Now(M),
    Later,
    Polled(Box<dyn Source>),
}

partly_shown!([M] UnaryResponse<M>);

impl<M> From<M> for UnaryResponse<M> {
    fn from(message: M) -> Self {
        Self(Unary::Now(message))
    }
}

impl<M: Payload + 'static> UnaryResponse<M> {
    /// What `begin` sends, now or from another thread: as
    /// [`Service::unary_later`](crate::app::Service::unary_later).
    pub fn later(call: &mut Call<'_>, begin: impl FnOnce(DeferredResponse<M>)) -> Self {
        begin(DeferredResponse::of(call));
        Self(Unary::Later)
    }

    /// What a future gives, which is polled on the loop: as
    /// [`Service::unary_async`](crate::app::Service::unary_async).
    pub fn future(future: impl Future<Output = Result<M, CallStatus>> + 'static) -> Self {
        Self(Unary::Polled(polled::awaited(future)))
    }
}

/// The response of a server-streaming method of a generated trait.
///
/// ```
/// use barewire::app::{Service, StreamingResponse};
///
/// Service::new("a.A").server_streaming_any("Count", |_request: Vec<u8>, _call| {
///     Ok(StreamingResponse::new((0..3).map(|number| Ok(vec![number]))))
/// });
/// ```
pub struct StreamingResponse<M> {
    source: Box<dyn Source>,
    of: PhantomData<fn() -> M>,
}

partly_shown!([M] StreamingResponse<M>);

impl<M: Payload + 'static> StreamingResponse<M> {
    fn of(source: impl Source + 'static) -> Self {
        Self {
            source: Box::new(source),
            of: PhantomData,
        }
    }

    /// What an iterator gives, asked only as fast as the client takes it: as
    /// [`Service::server_streaming`](crate::app::Service::server_streaming).
    pub fn new<S>(messages: S) -> Self
    where
        S: IntoIterator<Item = Result<M, CallStatus>>,
        S::IntoIter: 'static,
    {
        Self::of(Pulled(messages.into_iter()))
    }

    /// What an object sends whenever it has something.
    pub fn object(object: impl ServerStream<Message = M> + 'static) -> Self {
        Self::of(Live(object))
    }

    /// What is sent from whatever thread: as
    /// [`Service::server_streaming_later`](crate::app::Service::server_streaming_later).
    pub fn later(call: &mut Call<'_>, begin: impl FnOnce(ResponseSender<M>)) -> Self {
        begin(ResponseSender::of(call));
        Self::of(Awaited)
    }

    /// What a [`Stream`](futures_core::Stream) gives, which is polled on the loop.
    #[cfg(feature = "futures")]
    pub fn stream(
        messages: impl futures_core::Stream<Item = Result<M, CallStatus>> + 'static,
    ) -> Self {
        Self {
            source: polled::streamed(messages),
            of: PhantomData,
        }
    }
}

/// Any [`Conversation`] with these messages, for methods of generated traits: requests `I`,
/// responses `O`.
///
/// ```
/// use barewire::app::{BoxConversation, Call, CallStatus, Conversation, ResponseStream, Service};
/// use barewire::grpc::Status;
///
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
///         stream.finish(Status::OK);
///     }
/// }
///
/// fn chat(_call: &mut Call<'_>) -> Result<BoxConversation<Vec<u8>, Vec<u8>>, CallStatus> {
///     Ok(Echo.into())
/// }
///
/// Service::new("a.A").bidirectional_any("Chat", chat);
/// ```
pub struct BoxConversation<I, O> {
    source: Box<dyn Source>,
    of: PhantomData<fn(I) -> O>,
}

impl<I, O> core::fmt::Debug for BoxConversation<I, O> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("BoxConversation").finish_non_exhaustive()
    }
}

impl<C: Conversation + 'static> From<C> for BoxConversation<C::Request, C::Response> {
    fn from(conversation: C) -> Self {
        Self {
            source: Box::new(ConversationSource(conversation)),
            of: PhantomData,
        }
    }
}

impl Service {
    /// A method of one message each way, which answers now, later or by a future.
    #[must_use]
    pub fn unary_any<I: Payload, O: Payload>(
        self,
        name: &str,
        method: impl Fn(I, &mut Call<'_>) -> Result<UnaryResponse<O>, CallStatus>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.on_message(
            name,
            true,
            Messages::of::<I, O>(),
            move |message, call, out| {
                Ok(match method(call.read::<I>(message)?, call)?.0 {
                    Unary::Now(message) => {
                        message.encode(out);
                        Answer::Message
                    }
                    Unary::Later => Answer::Later,
                    Unary::Polled(source) => Answer::Stream(source),
                })
            },
        )
    }

    /// A method that answers with a stream of messages, wherever they come from.
    #[must_use]
    pub fn server_streaming_any<I: Payload, O: Payload>(
        self,
        name: &str,
        method: impl Fn(I, &mut Call<'_>) -> Result<StreamingResponse<O>, CallStatus>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.on_message(
            name,
            false,
            Messages::of::<I, O>(),
            move |message, call, _out| {
                let response = method(call.read::<I>(message)?, call)?;
                Ok(Answer::Stream(response.source))
            },
        )
    }

    /// A method that takes a stream of messages and answers with one, by any conversation.
    #[must_use]
    pub fn client_streaming_any<I: Payload, O: Payload>(
        self,
        name: &str,
        method: impl Fn(&mut Call<'_>) -> Result<BoxConversation<I, O>, CallStatus>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.on_head(name, true, Messages::of::<I, O>(), move |call| {
            method(call).map(|it| it.source)
        })
    }

    /// A method of streams both ways, by any conversation.
    #[must_use]
    pub fn bidirectional_any<I: Payload, O: Payload>(
        self,
        name: &str,
        method: impl Fn(&mut Call<'_>) -> Result<BoxConversation<I, O>, CallStatus>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.on_head(name, false, Messages::of::<I, O>(), move |call| {
            method(call).map(|it| it.source)
        })
    }
}
