//! The way of a request: through the middleware, to its route.

use alloc::{boxed::Box, string::String, sync::Arc};
use core::mem;

use super::endpoint::{Endpoint, Plan};
use super::middleware::{Changes, Incoming, Next};
use super::router::{Match, Router};
use super::shared::Shared;
use crate::app::exchange::coded_request::CodedRequest;
use crate::app::exchange::decoded::decoded as session_of;
use crate::app::exchange::extensions::Extensions;
use crate::app::exchange::path::Path;
use crate::app::exchange::pattern::Params;
use crate::app::exchange::refusal::{Done, Refusal};
use crate::app::exchange::reply::{Coming, Reply};
use crate::app::exchange::request::Locals;
use crate::app::exchange::request::Request;
use crate::app::exchange::request::RequestTls;
#[cfg(feature = "tracing")]
use crate::app::exchange::request_span::RequestSpan;
use crate::app::exchange::session::{Session, SessionContext};
use crate::app::services::unknown::unknown;
use crate::grpc;
use crate::http::{Content, Method, RequestHead, Status, Target};
use crate::link::{Body, UsageError};
use crate::net::Peer;
use crate::net::report::report;

pub(crate) struct Dispatch<'w> {
    pub(crate) shared: &'w Shared,
    pub(crate) path: &'w mut Path,
    pub(crate) changes: &'w mut Changes,
    pub(crate) opened: &'w mut Option<Box<dyn Session>>,
    pub(crate) peer: &'w Option<Peer>,
    pub(crate) tls: &'w RequestTls,
    /// The values that the app has made for this loop.
    pub(crate) locals: &'w Locals,
    /// The request is seen for the first time: its body has not been collected.
    pub(crate) is_fresh: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Answered {
        /// The content has been received and the session is to get it in pieces.
        feed: bool,
    },
    /// It comes again when its body has been collected.
    Collecting,
}

impl Dispatch<'_> {
    pub(crate) fn follow(
        mut self,
        at: &mut SessionContext<'_, '_>,
        head: &RequestHead<'_>,
        content: &mut Content<'_>,
    ) -> Outcome {
        let outcome = if self.shared.middleware.is_empty() {
            self.route(at, head, content, &None, self.peer)
        } else {
            self.pass(at, head, content)
        };
        let outcome = outcome.unwrap_or_else(|refusal| {
            *self.opened = None;
            at.refuse(&refusal);
            Outcome::Answered { feed: false }
        });
        let is_owed = at.record.as_ref().is_some_and(|record| !record.answered);
        if is_owed && self.opened.is_none() && outcome != Outcome::Collecting {
            // The closure gave back what another exchange was done with, or
            // the response could not be sent.
            let subject = at.subject();
            report!(
                Error,
                "{subject}: 500, as the route gave no reply of its own"
            );
            at.refuse(&Status::INTERNAL_SERVER_ERROR.into());
        }
        if !self.shared.middleware.is_empty()
            && self.opened.is_none()
            && outcome != Outcome::Collecting
            && let Some(record) = at.record
        {
            if at.loop_state.watches(record) && record.answered {
                let next = at.loop_state.spare.pop().unwrap_or_default();
                let left = mem::replace(record, next);
                record.stand_in(&left);
                at.context.on_departure(left);
            } else {
                record.extensions = None;
            }
        }
        outcome
    }

    /// Takes a request through the middleware to its route.
    #[inline(never)]
    fn pass(
        &mut self,
        at: &mut SessionContext<'_, '_>,
        head: &RequestHead<'_>,
        content: &mut Content<'_>,
    ) -> Result<Outcome, Refusal> {
        // Taken out, as the route is called with what they hold.
        let mut changes = mem::take(self.changes);
        changes.clear();
        let mut peer = *self.peer;
        let outcome = self.before(at, head, content, &mut changes, &mut peer);
        if let Some(record) = at.record.as_deref_mut()
            && !changes.extensions.is_empty()
        {
            record.extensions = Some(Arc::new(mem::take(&mut changes.extensions)));
        }
        let outcome = match outcome {
            Ok(None) => match changes.apply(head) {
                Some(changed) => self.route_behind(at, &changed, content, &peer),
                None => self.route_behind(at, head, content, &peer),
            },
            Ok(Some(Done(()))) => Ok(Outcome::Answered { feed: false }),
            Err(refusal) => Err(refusal),
        };
        *self.changes = changes;
        outcome
    }

    #[inline(never)]
    fn route_behind(
        &mut self,
        at: &mut SessionContext<'_, '_>,
        head: &RequestHead<'_>,
        content: &mut Content<'_>,
        peer: &Option<Peer>,
    ) -> Result<Outcome, Refusal> {
        // Its owner is the record, which the reply needs as well.
        let extensions = at.record.as_ref().and_then(|it| it.extensions.clone());
        #[cfg(feature = "tracing")]
        let span = extensions.as_ref().and_then(|it| it.get::<RequestSpan>());
        #[cfg(feature = "tracing")]
        let _entered = span.map(|it| it.0.enter());
        match at.record.as_ref().and_then(|it| it.coded.clone()) {
            None => self.route(at, head, content, &extensions, peer),
            Some(coded) => self.route_decoded(at, head, content, (&extensions, peer), &coded),
        }
    }

    #[inline(never)]
    fn route_decoded(
        &mut self,
        at: &mut SessionContext<'_, '_>,
        head: &RequestHead<'_>,
        content: &mut Content<'_>,
        (extensions, peer): (&Option<Arc<Extensions>>, &Option<Peer>),
        coded: &CodedRequest,
    ) -> Result<Outcome, Refusal> {
        let (mut plain, _charge);
        let mut decoded = match content {
            Content::None => Content::None,
            Content::Whole(body) => {
                (plain, _charge) =
                    coded.decode(body, at.context.charge(), &at.loop_state.metrics)?;
                // What was collected was the coded body: its limit is for this one, too.
                self.is_fresh = true;
                Content::Whole(&mut plain)
            }
            Content::Follows { .. } => Content::Follows { length: None },
        };
        let outcome = self.route(at, head, &mut decoded, extensions, peer)?;
        let comes = matches!(content, Content::Follows { .. });
        if (comes || outcome == Outcome::Answered { feed: true })
            && let Some(session) = self.opened.take()
        {
            *self.opened = Some(session_of(session, coded, at.context.charge())?);
        }
        Ok(outcome)
    }

    /// Lets the middleware look at the request, once.
    fn before(
        &mut self,
        at: &mut SessionContext<'_, '_>,
        head: &RequestHead<'_>,
        content: &Content<'_>,
        changes: &mut Changes,
        peer: &mut Option<Peer>,
    ) -> Result<Option<Done>, Refusal> {
        if !self.is_fresh {
            *peer = at.peer();
            return Ok(None);
        }
        let coming = match content {
            Content::None | Content::Whole(_) => Coming::Nothing,
            Content::Follows { .. } => Coming::Offered,
        };
        if let Some(record) = at.record.as_deref_mut() {
            record.may_code = None;
            record.coded = None;
        }
        for middleware in &self.shared.middleware {
            let mut incoming = Incoming {
                head,
                changes,
                peer: *peer,
                tls: self.tls,
            };
            let reply = Reply::new(at.reborrow(), self.opened, coming);
            let next = middleware.before(&mut incoming, reply);
            *peer = incoming.peer;
            if let Some(record) = at.record.as_deref_mut() {
                record.set_peer(incoming.peer);
            }
            match next {
                Next::Continue => {}
                Next::Answered(done) => return Ok(Some(done)),
                Next::Refused(refusal) => return Err(refusal),
            }
        }
        if let Some(record) = at.record.as_deref_mut() {
            record.pass_middleware();
        }
        Ok(None)
    }

    #[inline(always)]
    fn route(
        &mut self,
        at: &mut SessionContext<'_, '_>,
        head: &RequestHead<'_>,
        content: &mut Content<'_>,
        extensions: &Option<Arc<Extensions>>,
        peer: &Option<Peer>,
    ) -> Result<Outcome, Refusal> {
        if self.tls.is_misdirected(head) && !at.provenance().is_some_and(|it| it.names_host) {
            return Err(Status::MISDIRECTED_REQUEST.into());
        }
        let shared = self.shared;
        let plain = match head.target {
            Target::Origin { path, .. } | Target::Absolute { path, .. }
                if head.protocol.is_none() =>
            {
                shared.router.find_plain(path, head.method)
            }
            _ => None,
        };
        let found;
        let (endpoint, params) = match plain {
            // Its path has no parameters; that of another request must not stay.
            Some(endpoint) => {
                self.path.clear();
                (endpoint, &Params::NONE)
            }
            None => match search(shared, self.path, at, head)? {
                Ok((endpoint, params)) => {
                    found = params;
                    (endpoint, &found)
                }
                Err(outcome) => return Ok(outcome),
            },
        };
        if let Some(record) = at.record.as_deref_mut() {
            record.route = endpoint.number;
        }
        let path = &*self.path;
        let connects = head.protocol.is_some();
        let plan = match &endpoint.whole {
            Some(call) if connects => Plan::Whole(call),
            _ => endpoint.plan(content, shared.collect, self.is_fresh),
        };
        let (call, coming) = match plan {
            Plan::Whole(call) => (call, Coming::Nothing),
            Plan::Pieces(call) if matches!(content, Content::Follows { .. }) => {
                (call, Coming::Offered)
            }
            Plan::Pieces(call) => (call, Coming::Here),
            Plan::Collect(limit) => {
                endpoint.time_body(at)?;
                return match at.context.collect(head, limit) {
                    Ok(()) => Ok(Outcome::Collecting),
                    Err(UsageError::BodyTooLarge) => Err(Status::CONTENT_TOO_LARGE.into()),
                    Err(misuse) => {
                        let subject = at.subject();
                        report!(
                            Error,
                            "{subject}: 500, as its body cannot be collected: {misuse}"
                        );
                        Err(Status::INTERNAL_SERVER_ERROR.into())
                    }
                };
            }
            Plan::TooLarge => return Err(Status::CONTENT_TOO_LARGE.into()),
        };
        let (body, length): (&[u8], _) = match content {
            Content::None => (&[], Some(0)),
            Content::Whole(data) => (data, Some(data.len() as u64)),
            Content::Follows { length } => (&[], *length),
        };
        let follows = (coming != Coming::Nothing).then_some(length);
        let body = if follows.is_some() { &[] } else { body };
        at.loop_state.metrics.received_body(body.len());
        let request = Request {
            head,
            path,
            params,
            body,
            follows,
            peer,
            tls: self.tls,
            extensions,
            locals: self.locals,
        };
        let Done(()) = call(&request, Reply::new(at.reborrow(), self.opened, coming))?;
        Ok(Outcome::Answered {
            feed: coming == Coming::Here,
        })
    }
}

type RouteMatch<'r> = Result<(&'r Endpoint, Params<'r>), Outcome>;

#[inline(never)]
fn search<'r>(
    shared: &'r Shared,
    path: &mut Path,
    at: &mut SessionContext<'_, '_>,
    head: &RequestHead<'_>,
) -> Result<RouteMatch<'r>, Refusal> {
    let router = &shared.router;
    match head.target {
        Target::Origin { .. } | Target::Absolute { .. } => {}
        Target::Asterisk => return Ok(Err(allow(at, |out| router.put_all_allowed(out)))),
        Target::Authority(_) => return Err(Status::NOT_IMPLEMENTED.into()),
    }
    if path.decode(head.target.path()).is_err() {
        return Err(Refusal::new(Status::BAD_REQUEST).because("malformed percent-encoding"));
    }
    let path = &*path;
    // An extended CONNECT asks for what GET upgrades to (RFC 8441 §5).
    let method = match head.protocol {
        None => head.method,
        Some("websocket") => Method::GET,
        Some(_) => return Err(Status::NOT_IMPLEMENTED.into()),
    };
    let connects = head.protocol.is_some();
    match router.find(path, method) {
        Match::Found(endpoint, _) if connects && !endpoint.upgrades => {
            Err(not_allowed(router, path))
        }
        Match::Found(endpoint, params) => Ok(Ok((endpoint, params))),
        Match::WrongMethod if head.method == Method::OPTIONS => {
            Ok(Err(allow(at, |out| router.put_allowed(path, out))))
        }
        // To a client of gRPC every path is that of a method.
        Match::WrongMethod if head.method == Method::POST && is_call(head) => {
            nothing(shared, at, head).map(Err)
        }
        Match::WrongMethod => Err(not_allowed(router, path)),
        Match::Nothing => nothing(shared, at, head).map(Err),
    }
}

/// Answers a request for what is not there: 404, or what that is to a client
/// of gRPC.
#[inline(never)]
fn nothing(
    shared: &Shared,
    at: &mut SessionContext<'_, '_>,
    head: &RequestHead<'_>,
) -> Result<Outcome, Refusal> {
    if !is_call(head) {
        return Err(Status::NOT_FOUND.into());
    }
    let Done(()) = unknown(&shared.interceptors, head, at)?;
    Ok(Outcome::Answered { feed: false })
}

fn is_call(head: &RequestHead<'_>) -> bool {
    let content_type = head.fields.get("content-type").unwrap_or_default();
    grpc::ContentType::parse(content_type).is_some()
}

/// Answers OPTIONS with the methods that are allowed (RFC 9110 §9.3.7).
#[inline(never)]
fn allow(at: &mut SessionContext<'_, '_>, put: impl FnOnce(&mut String)) -> Outcome {
    let mut allowed = String::new();
    put(&mut allowed);
    if let Some(record) = at.record.as_deref_mut()
        && !allowed.is_empty()
    {
        // Methods are tokens.
        let _ = record.fields.set("Allow", &allowed);
    }
    at.respond(Status::NO_CONTENT, None, Body::Whole(b""));
    Outcome::Answered { feed: false }
}

/// 405, with the methods that are allowed (RFC 9110 §15.5.6).
#[inline(never)]
fn not_allowed(router: &Router, path: &Path) -> Refusal {
    let mut allowed = String::new();
    router.put_allowed(path, &mut allowed);
    let refusal = Refusal::new(Status::METHOD_NOT_ALLOWED);
    // Methods are tokens.
    refusal.clone().header("Allow", &allowed).unwrap_or(refusal)
}
