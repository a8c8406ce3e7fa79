//! gRPC services: methods by name.
//!
//! ```text
//!  POST /user_service.UserService/GetUser      application/grpc-web+proto
//!         │                        │
//!         └─ Service               └─ method ──► unary: a message, or a status
//!                                             └─ server streaming: an iterator or
//!                                                an object, then a status
//! ```
//!
//! gRPC-Web over HTTP/1.1, binary and text. A body whose length is announced
//! and fits is collected and answered at once; any other goes through a session
//! that judges each prefix as it arrives.

use alloc::{boxed::Box, format, sync::Arc, vec::Vec};
use core::fmt;
use std::collections::HashMap;

use super::call::{Call, Metadata};
use super::call_session::{CallSession, Receiving, begin};
use super::codec::{CallStatus, Payload};
use super::inbox::Inbox;
use super::later::Later;
use super::methods::{Answer, Methods, execute};
use super::responses::{Live, Pulled, ServerStream};
use crate::app::exchange::refusal::{Done, Refusal};
use crate::app::exchange::reply::Reply;
use crate::app::exchange::request::Request;
use crate::app::routes::endpoint::{Endpoint, erase};
use crate::app::routes::router::Verb;
use crate::app::serving::builder::App;
use crate::grpc::{self, Limits};
use crate::http::Method;

/// A gRPC service.
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
/// | a content type that is none of gRPC-Web's | HTTP 415 |
/// | no POST | HTTP 405 |
/// | an unknown method, compressed messages, no or several messages | UNIMPLEMENTED |
/// | a message longer than the limit | RESOURCE_EXHAUSTED, as soon as its prefix is here |
/// | malformed framing | INTERNAL |
/// | `grpc-timeout` has passed | DEADLINE_EXCEEDED |
/// | a panic of the method | INTERNAL |
pub struct Service {
    methods: Methods,
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("name", &self.methods.service)
            .field("methods", &self.methods.named.keys())
            .finish_non_exhaustive()
    }
}

impl Service {
    /// A service without methods. The name comes with its package:
    /// `user_service.UserService`.
    pub fn new(name: &str) -> Self {
        Self {
            methods: Methods {
                service: Box::from(name),
                named: HashMap::new(),
                limits: Limits::DEFAULT,
            },
        }
    }

    /// The limits on messages, 4 MiB each by default.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.methods.limits = limits;
        self
    }

    /// A method of one message each way. Of two with the same name the later
    /// one stays.
    #[must_use]
    pub fn unary<I: Payload, O: Payload>(
        self,
        name: &str,
        method: impl Fn(I, &mut Call<'_>) -> Result<O, CallStatus> + Send + Sync + 'static,
    ) -> Self {
        self.method(name, move |message, call| {
            let response = method(I::decode(message)?, call)?;
            let mut bytes = Vec::new();
            response.encode(&mut bytes);
            Ok(Answer::Message(bytes))
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
        method: impl Fn(I, &mut Call<'_>, Later<O>) + Send + Sync + 'static,
    ) -> Self {
        self.method(name, move |message, call| {
            let request = I::decode(message)?;
            let later = Later::new(call.door().clone(), call.exchange());
            method(request, call, later);
            Ok(Answer::Later)
        })
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
        self.method(name, move |message, call| {
            let messages = method(I::decode(message)?, call)?;
            Ok(Answer::Stream(Box::new(Pulled(messages.into_iter()))))
        })
    }

    /// A method that answers with a stream of messages, which an object sends
    /// whenever it has some.
    #[must_use]
    pub fn server_streaming_object<I: Payload, S: ServerStream + 'static>(
        self,
        name: &str,
        method: impl Fn(I, &mut Call<'_>) -> Result<S, CallStatus> + Send + Sync + 'static,
    ) -> Self {
        self.method(name, move |message, call| {
            let object = method(I::decode(message)?, call)?;
            Ok(Answer::Stream(Box::new(Live(object))))
        })
    }

    fn method(
        mut self,
        name: &str,
        run: impl Fn(&[u8], &mut Call<'_>) -> Result<Answer, CallStatus> + Send + Sync + 'static,
    ) -> Self {
        self.methods.named.insert(Box::from(name), Box::new(run));
        self
    }
}

/// Answers a request whose body is here.
fn answer(
    methods: &Methods,
    request: &Request<'_>,
    mut reply: Reply<'_, '_>,
) -> Result<Done, Refusal> {
    let mut machine = grpc::Call::open(request.head())?;
    let at = reply.at();
    let begun = match methods.ask(&mut machine, request.head(), request.peer(), at) {
        Ok((run, mut call)) => {
            let mut inbox = Inbox::default();
            let message = inbox
                .push(request.body(), &mut machine, &methods.limits)
                .and_then(|()| inbox.end(&mut machine));
            let answer = message.and_then(|message| execute(run, message, &mut call, at));
            begin(at, machine, call.into_metadata(), answer)
        }
        Err(status) => begin(at, machine, Metadata::default(), Err(status)),
    };
    Ok(match begun {
        Some(session) => reply.owe(Box::new(session)),
        None => Done(()),
    })
}

/// Answers a request whose body is still to come.
fn receive(
    methods: &Arc<Methods>,
    request: &Request<'_>,
    mut reply: Reply<'_, '_>,
) -> Result<Done, Refusal> {
    let mut machine = grpc::Call::open(request.head())?;
    match methods.ask(&mut machine, request.head(), request.peer(), reply.at()) {
        Ok((_, call)) => {
            let receiving = Receiving::new(methods.clone(), &call);
            // Refused only where all of it is here already.
            let _ = reply.at().context.accept_body();
            Ok(reply.owe(Box::new(CallSession::receiving(machine, receiving))))
        }
        Err(status) => {
            begin(reply.at(), machine, Metadata::default(), Err(status));
            Ok(Done(()))
        }
    }
}

impl App {
    /// Serves a gRPC service, to clients of gRPC-Web.
    #[must_use]
    pub fn grpc(self, service: Service) -> Self {
        let whole = Arc::new(service.methods);
        let streamed = whole.clone();
        let pattern = format!("/{}/{{*method}}", whole.service);
        let endpoint = Endpoint {
            collect: Some(whole.collected()),
            whole: Some(erase(move |request, reply| answer(&whole, request, reply))),
            streamed: Some(erase(move |request, reply| {
                receive(&streamed, request, reply)
            })),
            upgrades: false,
        };
        self.serve(Verb::One(Method::Post.as_str().into()), &pattern, endpoint)
    }
}

impl From<grpc::Refusal> for Refusal {
    fn from(refusal: grpc::Refusal) -> Self {
        Self::new(refusal.http_status())
    }
}
