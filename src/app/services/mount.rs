//! From a request to a call: services as routes.
//!
//! Over HTTP/2 as native gRPC and gRPC-Web, over HTTP/1.1 as gRPC-Web, binary
//! and text. A body that has been received completely is answered immediately; any other goes
//! through a session that judges each prefix as it arrives.

use alloc::boxed::Box;
use alloc::{format, sync::Arc};

use super::call::Call;
use super::call_session::CallSession;
use super::codec::CallStatus;
use super::guard::{deadline_exceeded, guarded};
use super::inbox::Inbox;
use super::interceptor::Interceptors;
use super::methods::{Method, OnHead, OnMessage};
use super::rules::Rules;
use super::running::{Receiving, run};
use super::sending::Sending;
use super::service::{Registered, Service};
use super::unknown::unknown;
use crate::app::exchange::record::RouteNumber;
use crate::app::exchange::refusal::{Done, Refusal};
use crate::app::exchange::reply::Reply;
use crate::app::exchange::request::Request;
use crate::app::exchange::session::SessionContext;
use crate::app::routes::endpoint::{Endpoint, erase};
use crate::app::routes::router::Verb;
use crate::app::serving::builder::App;
use crate::grpc::{self, Code, Limits, Status};
use crate::http::Method as HttpMethod;
use crate::net::{Claim, Resource};
use crate::wire::{Instant, shortcut};

const UNKNOWN_CODEC: Status = Status::new(Code::Unimplemented, "unknown codec in the content type");
const OTHER_PATH: Status = Status::new(Code::Unimplemented, "no method has an escape or a query");

/// A call that has ended with its head.
struct Ended;

/// Gives the deadline of a call, or ends it by what its head says.
fn begin(
    sending: &mut Sending,
    request: &Request<'_>,
    at: &mut SessionContext<'_, '_>,
) -> Result<Option<Instant>, Ended> {
    judge(sending, request, at).map_err(|status| {
        sending.finish(at, status);
        Ended
    })
}

/// Looks at the head of a request: whether what it asks for is still wanted,
/// and what the interceptors say. Gives the deadline, or the status that the
/// call ends with.
fn judge(
    sending: &mut Sending,
    request: &Request<'_>,
    at: &mut SessionContext<'_, '_>,
) -> Result<Option<Instant>, CallStatus> {
    let head = request.head();
    if !sending.rules.is_path(request.path()) || head.target.query().is_some() {
        return Err(OTHER_PATH.into());
    }
    let timeout = sending.machine.timeout()?;
    if timeout.is_some_and(|timeout| timeout.is_zero()) {
        return Err(deadline_exceeded());
    }
    if !sending.rules.speaks(sending.machine.content_type()) {
        return Err(UNKNOWN_CODEC.into());
    }
    let deadline = timeout.map(|timeout| at.context.now() + timeout);
    let Sending {
        rules, outgoing, ..
    } = sending;
    if !rules.interceptors.is_empty() {
        let record = at.record.as_deref();
        outgoing.extensions = record.and_then(|it| it.extensions.clone());
        let asked = rules.request(timeout, head.fields);
        let mut call = Call::new(asked, outgoing, deadline, at);
        guarded(at.loop_state, rules, || {
            rules.interceptors.before(&mut call)
        })?;
    }
    Ok(deadline)
}

/// Answers a request for a method of one message, whose body has been received.
fn answer(
    rules: &Arc<Rules>,
    method: &OnMessage,
    request: &Request<'_>,
    mut reply: Reply<'_, '_>,
) -> Result<Done, Refusal> {
    let head = request.head();
    let at = reply.at();
    let mut sending = Sending::new(grpc::Call::open(head)?, rules.clone(), at);
    let Ok(deadline) = begin(&mut sending, request, at) else {
        return Ok(Done(()));
    };
    sending.frames = core::mem::take(&mut at.loop_state.scratch.frames);
    let given = (head.fields, deadline);
    let whole = sending.machine.whole_message(request.body(), &rules.limits);
    let answered = match whole.filter(|_| shortcut!("grpc_message")) {
        Some(message) => run(method, (message, false), given, &mut sending, at),
        None => {
            let mut inbox = Inbox::default();
            let machine = &mut sending.machine;
            let message = inbox
                .push(request.body(), machine, &rules.limits)
                .and_then(|()| inbox.end(machine));
            match message {
                Ok(message) => run(method, message, given, &mut sending, at),
                Err(status) => {
                    sending.finish(at, status);
                    None
                }
            }
        }
    };
    let frames = core::mem::take(&mut sending.frames);
    at.loop_state.scratch.keep_frames(frames);
    Ok(match answered {
        Some(answer) => match place(&mut sending, reply.at()) {
            Some(claim) => {
                let session = CallSession::answered(sending, deadline, answer, claim);
                reply.owe(Box::new(session))
            }
            None => Done(()),
        },
        None => Done(()),
    })
}

/// Takes a request for a method of one message, whose body is still to come.
fn receive(
    rules: &Arc<Rules>,
    method: &Arc<OnMessage>,
    request: &Request<'_>,
    mut reply: Reply<'_, '_>,
) -> Result<Done, Refusal> {
    let head = request.head();
    let at = reply.at();
    let mut sending = Sending::new(grpc::Call::open(head)?, rules.clone(), at);
    let Ok(deadline) = begin(&mut sending, request, at) else {
        return Ok(Done(()));
    };
    let Some(claim) = place(&mut sending, at) else {
        return Ok(Done(()));
    };
    let receiving = match Receiving::new(method.clone(), head.fields, at) {
        Ok(receiving) => receiving,
        Err(status) => {
            sending.finish(at, status);
            return Ok(Done(()));
        }
    };
    // Refused only where all of it has been received already.
    let _ = reply.at().context.accept_messages();
    let session = CallSession::receiving(sending, deadline, receiving, claim);
    Ok(reply.owe(Box::new(session)))
}

/// Takes a request for a method that takes its messages one by one.
fn converse(
    rules: &Arc<Rules>,
    method: &OnHead,
    request: &Request<'_>,
    mut reply: Reply<'_, '_>,
) -> Result<Done, Refusal> {
    let head = request.head();
    let at = reply.at();
    let mut sending = Sending::new(grpc::Call::open(head)?, rules.clone(), at);
    let Ok(deadline) = begin(&mut sending, request, at) else {
        return Ok(Done(()));
    };
    let Some(claim) = place(&mut sending, at) else {
        return Ok(Done(()));
    };
    // The deadline counts from the head.
    let asked = rules.request(None, head.fields);
    let mut call = Call::new(asked, &mut sending.outgoing, deadline, at);
    match guarded(at.loop_state, rules, || method(&mut call)) {
        Ok(source) => {
            // Refused only where all of it has been received already.
            let _ = at.context.accept_messages();
            let session = CallSession::talking(sending, deadline, source, claim);
            Ok(reply.owe(Box::new(session)))
        }
        Err(status) => {
            sending.finish(at, status);
            Ok(Done(()))
        }
    }
}

/// A place for a call that is not over yet; without one the call has been ended.
fn place(sending: &mut Sending, at: &mut SessionContext<'_, '_>) -> Option<Claim> {
    let claim = at.context.claim(Resource::Sessions);
    if claim.is_err() {
        let status = Status::new(Code::ResourceExhausted, "too many calls");
        sending.finish(at, status.into());
    }
    claim.ok()
}

/// Bytes up to which a body is collected: one message, as base64.
const fn collected(limits: &Limits) -> usize {
    let framed = limits.message.saturating_add(grpc::frame::PREFIX);
    (framed / 3 + 1).saturating_mul(4)
}

impl App {
    /// Serves a gRPC service: to all clients over HTTP/2, to those of gRPC-Web
    /// also over HTTP/1.1.
    #[must_use]
    pub fn grpc(self, service: Service) -> Self {
        let Service {
            name: service,
            methods,
            limits,
            interceptors,
            compress,
        } = service;
        let interceptors = Arc::new(Interceptors {
            of_app: self.interceptors().clone(),
            own: interceptors,
        });
        let post = || Verb::One(HttpMethod::POST.as_str().into());
        let mut app = self;
        for (name, registered) in methods {
            let Registered {
                method,
                single,
                codecs,
            } = registered;
            let pattern = format!("/{service}/{name}");
            let rules = Arc::new(Rules {
                service: service.clone(),
                method: name,
                path: pattern.as_str().into(),
                limits,
                interceptors: interceptors.clone(),
                single,
                codecs,
                compress,
            });
            app = app.serve(post(), &pattern, endpoint(rules, method));
        }
        let whole = interceptors.clone();
        let others = Endpoint {
            collect: None,
            whole: Some(erase(move |request, mut reply| {
                unknown(&whole, request.head(), reply.at())
            })),
            streamed: Some(erase(move |request, mut reply| {
                unknown(&interceptors, request.head(), reply.at())
            })),
            upgrades: false,
            number: RouteNumber::NONE,
        };
        app.serve(post(), &format!("/{service}/{{*method}}"), others)
    }
}

/// A method as a route.
fn endpoint(rules: Arc<Rules>, method: Method) -> Endpoint {
    let collect = Some(collected(&rules.limits));
    match method {
        Method::Message(method) => {
            let (whole, run) = (rules.clone(), method.clone());
            Endpoint {
                collect,
                whole: Some(erase(move |request, reply| {
                    answer(&whole, &*run, request, reply)
                })),
                streamed: Some(erase(move |request, reply| {
                    receive(&rules, &method, request, reply)
                })),
                upgrades: false,
                number: RouteNumber::NONE,
            }
        }
        Method::Messages(method) => Endpoint {
            collect,
            whole: None,
            streamed: Some(erase(move |request, reply| {
                converse(&rules, &*method, request, reply)
            })),
            upgrades: false,
            number: RouteNumber::NONE,
        },
    }
}
