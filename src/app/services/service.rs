//! gRPC services: methods by name.
//!
//! ```text
//!  POST /user_service.UserService/GetUser      application/grpc-web+proto
//!         │                        │
//!         └─ Service               └─ method ──► unary: a message, or a status
//!                                             ├─ server streaming: an iterator or
//!                                             │  an object, then a status
//!                                             └─ client streaming, bidirectional:
//!                                                an object that takes messages
//! ```

use alloc::{
    boxed::Box,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    vec::Vec,
};

use super::call::Call;
use super::codec::{CallStatus, Payload};
use super::conversation::{Conversation, ConversationSource};
use super::descriptors::Descriptors;
use super::interceptor::Interceptor;
use super::later::{DeferredResponse, ResponseSender};
use super::methods::{Answer, Messages, Method, OnHead, OnMessage};
use super::responses::{Awaited, Live, Pulled, ServerStream, Source};
use crate::grpc::Limits;
use crate::wire::partly_shown;

/// A service of gRPC, gRPC-Web and Connect: its methods are the same in all of them.
///
/// ```
/// use barewire::app::{App, Service};
/// use barewire::grpc::{Code, Status};
///
/// let service = Service::new("echo.Echo")
///     .unary("Say", |request: Vec<u8>, _call| match request.is_empty() {
///         true => Err(Status::new(Code::InvalidArgument, "nothing to say").into()),
///         false => Ok(request),
///     })
///     .server_streaming("Repeat", |request: Vec<u8>, _call| {
///         Ok((0..3).map(move |_| Ok(request.clone())))
///     });
/// App::new().grpc(service);
/// ```
///
/// | request | answer |
/// |---|---|
/// | a content type that the method does not speak | HTTP 415, with `Accept-Post` |
/// | no POST, nor GET for a [method without side effects](Self::no_side_effects) | HTTP 405 |
/// | `application/grpc` over HTTP/1.1, and Connect if streams flow both ways | HTTP 505 |
/// | an unknown method, encoding or [codec](Payload::CODECS), no or several messages where one is due | UNIMPLEMENTED |
/// | a message longer than the limit, also once it is inflated | RESOURCE_EXHAUSTED, as soon as its prefix has been received |
/// | malformed framing or compression | INTERNAL |
/// | to Connect: a malformed message, timeout or query | INVALID_ARGUMENT |
/// | `grpc-timeout` or `connect-timeout-ms` has passed | DEADLINE_EXCEEDED, wherever the call is |
/// | a panic of the method | INTERNAL |
pub struct Service {
    pub(super) name: Box<str>,
    pub(super) methods: BTreeMap<Box<str>, Registered>,
    pub(crate) limits: Limits,
    pub(crate) interceptors: Vec<Box<dyn Interceptor>>,
    pub(super) compress: bool,
    pub(super) versioned: bool,
    pub(super) described: Option<Arc<Descriptors>>,
    /// Methods that have no side effects.
    pub(super) safe: BTreeSet<Box<str>>,
}

/// A method as it was registered.
pub(super) struct Registered {
    pub(super) method: Method,
    /// Whether its response is one message.
    pub(super) single: bool,
    pub(super) messages: Messages,
}

partly_shown!(it: Service { name, methods: it.methods.keys() });

impl Service {
    /// A service without methods. The name comes with its package:
    /// `user_service.UserService`.
    pub fn new(name: &str) -> Self {
        Self {
            name: Box::from(name),
            methods: BTreeMap::new(),
            limits: Limits::DEFAULT,
            interceptors: Vec::new(),
            compress: false,
            versioned: false,
            described: None,
            safe: BTreeSet::new(),
        }
    }

    /// The limits on messages, 4 MiB each by default.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Compresses messages with gzip for clients that read that
    /// (`grpc-accept-encoding`). What a client sends compressed is read in any
    /// case.
    #[cfg(feature = "gzip")]
    #[must_use]
    pub const fn compress(mut self) -> Self {
        self.compress = true;
        self
    }

    /// Says that a method has no side effects, as `idempotency_level` of its descriptor can:
    /// clients of Connect may then call it by GET, whose answers caches keep. Only methods of
    /// one message each way are served so.
    #[must_use]
    pub fn no_side_effects(mut self, method: &str) -> Self {
        self.safe.insert(method.into());
        self
    }

    /// Refuses calls of Connect that do not name the version of the protocol
    /// (`Connect-Protocol-Version: 1`, or `connect=v1` in a query) with INVALID_ARGUMENT. By
    /// default they are served, so that any client of HTTP can make them by hand.
    #[must_use]
    pub const fn require_connect_protocol_version(mut self) -> Self {
        self.versioned = true;
        self
    }

    /// Adds an interceptor, after those that were added before.
    #[must_use]
    pub fn intercept(mut self, interceptor: impl Interceptor + 'static) -> Self {
        self.interceptors.push(Box::new(interceptor));
        self
    }

    /// A method of one message each way. Of two methods with the same name the
    /// later one stays.
    #[must_use]
    pub fn unary<I: Payload, O: Payload>(
        self,
        name: &str,
        method: impl Fn(I, &mut Call<'_>) -> Result<O, CallStatus> + Send + Sync + 'static,
    ) -> Self {
        self.on_message(
            name,
            true,
            Messages::of::<I, O>(),
            move |message, call, out| {
                method(call.read::<I>(message)?, call)?.encode(out);
                Ok(Answer::Message)
            },
        )
    }

    /// A method of one message each way, as bytes: the request is borrowed from where it
    /// arrived, and the response is appended to where it leaves from, after whatever is
    /// there. Nothing is copied or allocated on the way.
    ///
    /// ```
    /// use barewire::app::Service;
    ///
    /// Service::new("echo.Echo").unary_bytes("Say", |request, _call, response| {
    ///     response.extend_from_slice(request);
    ///     Ok(())
    /// });
    /// ```
    #[must_use]
    pub fn unary_bytes(
        self,
        name: &str,
        method: impl Fn(&[u8], &mut Call<'_>, &mut Vec<u8>) -> Result<(), CallStatus>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.on_message(name, true, Messages::BYTES, move |message, call, out| {
            method(message, call, out)?;
            Ok(Answer::Message)
        })
    }

    /// A method of one message each way, whose response comes later, from
    /// whatever thread.
    ///
    /// ```
    /// use barewire::app::Service;
    ///
    /// Service::new("slow.Slow").unary_later("Think", |request: Vec<u8>, _call, later| {
    ///     std::thread::spawn(move || later.send(Ok(request)));
    /// });
    /// ```
    #[must_use]
    pub fn unary_later<I: Payload, O: Payload + 'static>(
        self,
        name: &str,
        method: impl Fn(I, &mut Call<'_>, DeferredResponse<O>) + Send + Sync + 'static,
    ) -> Self {
        self.on_message(
            name,
            true,
            Messages::of::<I, O>(),
            move |message, call, _out| {
                let request: I = call.read(message)?;
                let later = DeferredResponse::of(call);
                method(request, call, later);
                Ok(Answer::Later)
            },
        )
    }

    /// A method that answers with a stream of messages: what an iterator
    /// gives, asked only as fast as the client takes it. An error ends the
    /// stream with that status.
    #[must_use]
    pub fn server_streaming<I: Payload, O: Payload, S>(
        self,
        name: &str,
        method: impl Fn(I, &mut Call<'_>) -> Result<S, CallStatus> + Send + Sync + 'static,
    ) -> Self
    where
        S: IntoIterator<Item = Result<O, CallStatus>>,
        S::IntoIter: 'static,
    {
        self.on_message(
            name,
            false,
            Messages::of::<I, O>(),
            move |message, call, _out| {
                let messages = method(call.read::<I>(message)?, call)?;
                Ok(Answer::Stream(Box::new(Pulled(messages.into_iter()))))
            },
        )
    }

    /// A method that answers with a stream of messages, which an object sends
    /// whenever it has some.
    #[must_use]
    pub fn server_streaming_object<I: Payload, S: ServerStream + 'static>(
        self,
        name: &str,
        method: impl Fn(I, &mut Call<'_>) -> Result<S, CallStatus> + Send + Sync + 'static,
    ) -> Self {
        self.on_message(
            name,
            false,
            Messages::of::<I, S::Message>(),
            move |message, call, _out| {
                let object = method(call.read::<I>(message)?, call)?;
                Ok(Answer::Stream(Box::new(Live(object))))
            },
        )
    }

    /// A method that answers with a stream of messages from whatever thread.
    ///
    /// ```
    /// use barewire::app::Service;
    /// use barewire::grpc::Status;
    ///
    /// Service::new("slow.Slow").server_streaming_later("Ponder", |request: Vec<u8>, _call, sender| {
    ///     std::thread::spawn(move || {
    ///         while sender.is_wanted() && sender.send(&request).is_ok() {}
    ///         sender.finish(Status::OK)
    ///     });
    /// });
    /// ```
    #[must_use]
    pub fn server_streaming_later<I: Payload, O: Payload + 'static>(
        self,
        name: &str,
        method: impl Fn(I, &mut Call<'_>, ResponseSender<O>) + Send + Sync + 'static,
    ) -> Self {
        self.on_message(
            name,
            false,
            Messages::of::<I, O>(),
            move |message, call, _out| {
                let request: I = call.read(message)?;
                let sender = ResponseSender::of(call);
                method(request, call, sender);
                Ok(Answer::Stream(Box::new(Awaited)))
            },
        )
    }

    /// A method that takes a stream of messages and answers with one: an
    /// object is made for each call, from its head, and
    /// [responds](crate::app::ResponseStream::respond) when the client has
    /// half-closed, or before. OK without exactly one message is INTERNAL.
    #[must_use]
    pub fn client_streaming<C: Conversation + 'static>(
        self,
        name: &str,
        method: impl Fn(&mut Call<'_>) -> Result<C, CallStatus> + Send + Sync + 'static,
    ) -> Self {
        let messages = Messages::of::<C::Request, C::Response>();
        self.on_head(name, true, messages, move |call| boxed(method(call)?))
    }

    /// A method of streams both ways: an object is made for each call, from
    /// its head.
    #[must_use]
    pub fn bidirectional<C: Conversation + 'static>(
        self,
        name: &str,
        method: impl Fn(&mut Call<'_>) -> Result<C, CallStatus> + Send + Sync + 'static,
    ) -> Self {
        let messages = Messages::of::<C::Request, C::Response>();
        self.on_head(name, false, messages, move |call| boxed(method(call)?))
    }

    /// Has all methods take Protocol Buffers alone, which they read as bytes.
    pub(super) fn of_proto(mut self) -> Self {
        for registered in self.methods.values_mut() {
            registered.messages.codecs = &["proto"];
        }
        self
    }

    pub(super) fn on_head(
        mut self,
        name: &str,
        single: bool,
        messages: Messages,
        make: impl Fn(&mut Call<'_>) -> Result<Box<dyn Source>, CallStatus> + Send + Sync + 'static,
    ) -> Self {
        let make: Arc<OnHead> = Arc::new(make);
        let registered = Registered {
            method: Method::Messages(make),
            single,
            messages,
        };
        self.methods.insert(Box::from(name), registered);
        self
    }

    pub(super) fn on_message(
        mut self,
        name: &str,
        single: bool,
        messages: Messages,
        run: impl Fn(&[u8], &mut Call<'_>, &mut Vec<u8>) -> Result<Answer, CallStatus>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        let run: Arc<OnMessage> = Arc::new(run);
        let method = Method::Message(run);
        let registered = Registered {
            method,
            single,
            messages,
        };
        self.methods.insert(Box::from(name), registered);
        self
    }
}

fn boxed(conversation: impl Conversation + 'static) -> Result<Box<dyn Source>, CallStatus> {
    Ok(Box::new(ConversationSource(conversation)))
}
