//! From a request to a call: services as routes.
//!
//! Over HTTP/2 as native gRPC, gRPC-Web and Connect, over HTTP/1.1 as gRPC-Web, binary and
//! text, and as Connect. A body that has been received completely is answered immediately; any other goes
//! through a session that judges each prefix as it arrives.

use alloc::boxed::Box;
use alloc::{format, sync::Arc};

use super::call::Call;
use super::call_session::CallSession;
use super::codec::CallStatus;
use super::guard::{deadline_exceeded, guarded};
use super::inbox::{Inbox, broken};
use super::interceptor::Interceptors;
use super::machine::Machine;
use super::methods::{Answer, Method, OnHead, OnMessage};
use super::rules::{Codec, Rules};
use super::running::{Receiving, run};
use super::sending::Sending;
use super::service::{Registered, Service};
use super::unknown::unknown;
use crate::app::exchange::refusal::{Done, Refusal};
use crate::app::exchange::reply::Reply;
use crate::app::exchange::request::Request;
use crate::app::exchange::session::SessionContext;
use crate::app::routes::endpoint::{Endpoint, erase};
use crate::app::routes::router::Verb;
use crate::app::routes::table::{About, RouteKind};
use crate::app::serving::builder::App;
use crate::grpc::connect::Shape;
use crate::grpc::{self, Code, Limits, Status};
use crate::http::Method as HttpMethod;
use crate::net::{Claim, Resource};
use crate::wire::{Instant, shortcut};

const UNKNOWN_CODEC: Status = Status::new(Code::Unimplemented, "unknown codec in the content type");
const NO_VERSION: Status = Status::new(
    Code::InvalidArgument,
    "the protocol version of Connect is not named",
);
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
    let connect = match &sending.machine {
        Machine::Grpc(_) => None,
        Machine::Connect(call) => Some(call),
    };
    // Connect has a query for itself, and lets others pass.
    let has_query = connect.is_none() && head.target.query().is_some();
    if !sending.rules.is_path(request.path()) || has_query {
        return Err(OTHER_PATH.into());
    }
    if sending.rules.versioned && connect.is_some_and(|call| !call.is_versioned()) {
        return Err(NO_VERSION.into());
    }
    let timeout = sending.machine.timeout()?;
    if timeout.is_some_and(|timeout| timeout.is_zero()) {
        return Err(deadline_exceeded());
    }
    // One of Connect was refused for it.
    if connect.is_none() && sending.machine.codec(&sending.rules) == Codec::Unknown {
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
    let mut sending = Sending::new(Machine::open(head, rules)?, rules.clone(), at);
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
    reply.at().loop_state.scratch.keep_frames(frames);
    Ok(answered.map_or(Done(()), |answer| keep(sending, answer, deadline, reply)))
}

/// Answers a request by GET for a method of one message, which its query has.
fn answer_get(
    rules: &Arc<Rules>,
    method: &OnMessage,
    request: &Request<'_>,
    mut reply: Reply<'_, '_>,
) -> Result<Done, Refusal> {
    let head = request.head();
    let at = reply.at();
    let (machine, message) = Machine::open_get(head, rules)?;
    let mut sending = Sending::new(machine, rules.clone(), at);
    let Ok(deadline) = begin(&mut sending, request, at) else {
        return Ok(Done(()));
    };
    if message.len() > rules.limits.message {
        let fault = grpc::ProtocolError::MessageTooLong;
        sending.finish(at, broken(fault));
        return Ok(Done(()));
    }
    let compressed = sending.machine.is_bare_compressed() && !message.is_empty();
    let given = (head.fields, deadline);
    let answered = run(method, (&message, compressed), given, &mut sending, at);
    Ok(answered.map_or(Done(()), |answer| keep(sending, answer, deadline, reply)))
}

/// Keeps a call whose method has not answered with a message.
fn keep(
    mut sending: Sending,
    answer: Answer,
    deadline: Option<Instant>,
    mut reply: Reply<'_, '_>,
) -> Done {
    match place(&mut sending, reply.at()) {
        Some(claim) => {
            let session = CallSession::answered(sending, deadline, answer, claim);
            reply.owe(Box::new(session))
        }
        None => Done(()),
    }
}

/// Begins a call whose body is still to come; `None` if it has ended with its head.
fn begin_later(
    rules: &Arc<Rules>,
    request: &Request<'_>,
    at: &mut SessionContext<'_, '_>,
) -> Result<Option<(Sending, Option<Instant>, Claim)>, Refusal> {
    let machine = Machine::open(request.head(), rules)?;
    let mut sending = Sending::new(machine, rules.clone(), at);
    let Ok(deadline) = begin(&mut sending, request, at) else {
        return Ok(None);
    };
    let claim = place(&mut sending, at);
    Ok(claim.map(|claim| (sending, deadline, claim)))
}

/// Takes a request for a method of one message, whose body is still to come.
fn receive(
    rules: &Arc<Rules>,
    method: &Arc<OnMessage>,
    request: &Request<'_>,
    mut reply: Reply<'_, '_>,
) -> Result<Done, Refusal> {
    let at = reply.at();
    let Some((mut sending, deadline, claim)) = begin_later(rules, request, at)? else {
        return Ok(Done(()));
    };
    match Receiving::new(method.clone(), request.head().fields, at) {
        Ok(receiving) => {
            let session = CallSession::receiving(sending, deadline, receiving, claim);
            Ok(go_on(session, reply))
        }
        Err(status) => {
            sending.finish(at, status);
            Ok(Done(()))
        }
    }
}

/// Takes a request for a method that takes its messages one by one.
fn converse(
    rules: &Arc<Rules>,
    method: &OnHead,
    request: &Request<'_>,
    mut reply: Reply<'_, '_>,
) -> Result<Done, Refusal> {
    let at = reply.at();
    let Some((mut sending, deadline, claim)) = begin_later(rules, request, at)? else {
        return Ok(Done(()));
    };
    // The deadline counts from the head.
    let asked = rules.request(None, request.head().fields);
    let mut call = Call::new(asked, &mut sending.outgoing, deadline, at);
    match guarded(at.loop_state, rules, || method(&mut call)) {
        Ok(source) => {
            let session = CallSession::talking(sending, deadline, source, claim);
            Ok(go_on(session, reply))
        }
        Err(status) => {
            sending.finish(at, status);
            Ok(Done(()))
        }
    }
}

/// Has a call take its body as that comes.
fn go_on(session: CallSession, mut reply: Reply<'_, '_>) -> Done {
    // Refused only where all of it has been received already.
    let _ = reply.at().context.accept_messages();
    reply.owe(Box::new(session))
}

/// A place for a call that is not over yet; without one the call has been ended.
fn place(sending: &mut Sending, at: &mut SessionContext<'_, '_>) -> Option<Claim> {
    let claim = at.claim(Resource::Sessions);
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
    /// Serves a service: to clients of gRPC, gRPC-Web and Connect over HTTP/2, and to those
    /// of gRPC-Web and Connect also over HTTP/1.1.
    #[must_use]
    pub fn grpc(self, service: Service) -> Self {
        let Service {
            name: service,
            methods,
            limits,
            interceptors,
            compress,
            versioned,
            described,
            safe,
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
                messages,
            } = registered;
            let pattern = format!("/{service}/{name}");
            let described = described.as_ref();
            let has_get = shape(&method, single) == Shape::Unary
                && (safe.contains(&name)
                    || described.is_some_and(|all| all.is_safe(&service, &name)));
            let mapping = described.and_then(|all| all.mapping(&service, &name));
            let [request, response] = messages.types.map_or([None; 2], |it| it.map(Some));
            let about = About {
                kind: kind(&method, single),
                name: Some(format!("{service}.{name}").into()),
                request,
                response,
            };
            let rules = Arc::new(Rules {
                service: service.clone(),
                method: name,
                path: pattern.as_str().into(),
                limits,
                interceptors: interceptors.clone(),
                single,
                shape: shape(&method, single),
                needs_http2: matches!(method, Method::Messages(_)) && !single,
                codecs: messages.codecs,
                mapping,
                compress,
                versioned,
                has_get,
            });
            if let (true, Method::Message(method)) = (has_get, &method) {
                let (rules, method) = (rules.clone(), method.clone());
                let get = Endpoint::new(move |request, reply| {
                    answer_get(&rules, &*method, request, reply)
                });
                let verb = Verb::One(HttpMethod::GET.as_str().into());
                app = app.serve_as(Some(about.clone()), verb, &pattern, get);
            }
            app = app.serve_as(Some(about), post(), &pattern, endpoint(rules, method));
        }
        let whole = interceptors.clone();
        let others = Endpoint {
            whole: Some(erase(move |request, mut reply| {
                unknown(&whole, request.head(), reply.at())
            })),
            streamed: Some(erase(move |request, mut reply| {
                unknown(&interceptors, request.head(), reply.at())
            })),
            ..Endpoint::EMPTY
        };
        app.serve_as(None, post(), &format!("/{service}/{{*method}}"), others)
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
                ..Endpoint::EMPTY
            }
        }
        Method::Messages(method) => Endpoint {
            collect,
            streamed: Some(erase(move |request, reply| {
                converse(&rules, &*method, request, reply)
            })),
            ..Endpoint::EMPTY
        },
    }
}

const fn kind(method: &Method, single: bool) -> RouteKind {
    match (method, single) {
        (Method::Message(_), true) => RouteKind::Unary,
        (Method::Message(_), false) => RouteKind::ServerStreaming,
        (Method::Messages(_), true) => RouteKind::ClientStreaming,
        (Method::Messages(_), false) => RouteKind::Bidirectional,
    }
}

/// How Connect carries the messages of a method.
const fn shape(method: &Method, single: bool) -> Shape {
    match method {
        Method::Message(_) if single => Shape::Unary,
        Method::Message(_) | Method::Messages(_) => Shape::Streaming,
    }
}
