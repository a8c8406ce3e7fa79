//! The record of a request, kept until its reply's head has left.

use alloc::string::String;
use alloc::sync::Arc;
use core::mem;
use core::time::Duration;

use super::coded_request::CodedRequest;
use super::extensions::Extensions;
use super::reply_end::ReplyEnd;
#[cfg(feature = "tracing")]
use super::request_span::RequestSpan;
use crate::coding::accept::Accepted;
use crate::http::{Asks, FieldBuffer, Method, ResponseContent, Status, Version};
use crate::link::{Account, Charge};
use crate::net::{Peer, TimerId};
use crate::wire::Instant;

/// The record of a request, kept until the head of its reply has left, for the
/// middleware that looks at the reply.
///
/// Records are pooled: a loop in its steady state allocates none.
#[derive(Debug, Default)]
pub struct Record {
    line: String,         // an unusual method, then the path as sent
    known: Option<Known>, // a usual method
    method: usize,        // where an unusual method ends in `line`
    query: Option<usize>, // where the query begins in `line`, which it ends
    peer: Option<Peer>,
    /// Of use behind middleware alone.
    pub(crate) version: Option<Version>,
    started: Instant,
    now: Instant,
    pub(crate) fields: FieldBuffer,
    /// How many of them the middleware has given.
    given: usize,
    pub(crate) route: RouteNumber,
    pub(crate) extensions: Option<Arc<Extensions>>,
    /// How the reply may be coded, if it may be. Of use behind middleware alone.
    pub(crate) may_code: Option<MayCode>,
    /// The codings of the request's body, where it is to be decoded; likewise.
    pub(crate) coded: Option<Arc<CodedRequest>>,
    /// The app gave a field that cannot stand on the wire.
    pub(crate) faulty: bool,
    pub(crate) answered: bool,
    /// The reply's status, where middleware wants to know how it ends.
    status: Option<Status>,
    /// Bytes of content that have been written after its head; likewise.
    content: u64,
    charge: Charge, // while it waits for the next event
    /// What bounds the time in which the body is collected.
    pub(crate) timer: Option<TimerId>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct MayCode {
    pub(crate) accepted: Accepted,
    /// The client has a coded reply already: If-None-Match names a weak entity tag.
    pub(crate) has_coded: bool,
    /// Bytes up to which a file is coded when it is asked for.
    pub(crate) file: u64,
}

/// Records up to this size are not charged: that would cost each call more than it is worth.
pub(crate) const SMALL: usize = 512;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct RouteNumber(u32); // 0 is none

impl RouteNumber {
    pub(crate) const NONE: Self = Self(0);

    pub(crate) fn of(index: usize) -> Self {
        Self(u32::try_from(index + 1).unwrap_or(0))
    }

    pub(crate) const fn index(self) -> Option<usize> {
        (self.0 as usize).checked_sub(1)
    }
}

/// A method that is no extension.
#[derive(Debug, Clone, Copy)]
struct Known(Method<'static>);

impl Known {
    const fn new(method: Method<'_>) -> Option<Self> {
        Some(Self(match method {
            Method::GET => Method::GET,
            Method::HEAD => Method::HEAD,
            Method::POST => Method::POST,
            Method::PUT => Method::PUT,
            Method::DELETE => Method::DELETE,
            Method::CONNECT => Method::CONNECT,
            Method::OPTIONS => Method::OPTIONS,
            Method::TRACE => Method::TRACE,
            Method::PATCH => Method::PATCH,
            Method::Extension(_) => return None,
        }))
    }
}

impl Record {
    /// Starts over with another request: with an empty method if its head could
    /// not be read.
    pub(crate) fn begin(&mut self, method: Method<'_>, now: Instant) {
        self.line.clear();
        self.known = Known::new(method);
        if self.known.is_none() {
            self.line.push_str(method.as_str());
        }
        self.method = self.line.len();
        self.started = now;
        self.now = now;
        self.fields.clear();
        self.query = None;
        self.given = 0;
        self.route = RouteNumber::NONE;
        self.faulty = false;
        self.answered = false;
    }

    pub(crate) fn memory(&self) -> usize {
        self.line.capacity() + self.fields.memory()
    }

    /// Charges what it refers to until [`uncharge`](Self::uncharge).
    pub(crate) fn charge_to(&mut self, account: Option<&Account>) {
        self.charge.move_to(account);
        self.charge.set(self.memory());
    }

    pub(crate) fn uncharge(&mut self) {
        if self.charge.account().is_some() {
            self.charge = Charge::NONE;
        }
    }

    /// Notes what the middleware may ask for beside.
    pub(crate) fn remember(&mut self, path: &str, query: Option<&str>, peer: Option<Peer>) {
        self.line.truncate(self.method);
        self.line.push_str(path);
        self.query = query.map(|_| self.line.len());
        self.line.push_str(query.unwrap_or_default());
        self.peer = peer;
    }

    pub(crate) const fn set_peer(&mut self, peer: Option<Peer>) {
        self.peer = peer;
    }

    pub(crate) const fn started(&self) -> Instant {
        self.started
    }

    pub(crate) fn pass_middleware(&mut self) {
        self.given = self.fields.as_fields().len();
    }

    /// Takes out the fields that the middleware has given, for a reply that is
    /// not the route's.
    pub(crate) fn take_given(&mut self) -> FieldBuffer {
        let mut fields = mem::take(&mut self.fields);
        fields.truncate(if self.faulty { 0 } else { self.given });
        fields
    }

    pub(crate) const fn end(&mut self, now: Instant) {
        self.now = now;
        self.answered = true;
    }

    /// Notes the status sent, and the content so far if any may follow.
    pub(crate) fn reply(&mut self, status: Status, content: u64) {
        let may_follow = ResponseContent::of(self.method(), status).may_follow;
        self.status = Some(status);
        self.content = if may_follow { content } else { 0 };
    }

    pub(crate) const fn wrote(&mut self, bytes: u64) {
        self.content += bytes;
    }

    /// How the reply has ended, of which so many bytes have not left.
    pub(crate) const fn reply_end(
        &self,
        unsent: u64,
        now: Instant,
        unix_seconds: u64,
    ) -> ReplyEnd<'static> {
        ReplyEnd {
            status: match self.status {
                Some(status) => status,
                None => Status::OK, // a reply's head has left before its record is read
            },
            bytes: self.content.saturating_sub(unsent),
            elapsed: now.saturating_since(self.started),
            unix_seconds,
            route: None,
        }
    }

    /// Starts over in place of `other`, which waits for its reply to leave.
    pub(crate) fn stand_in(&mut self, other: &Self) {
        self.begin(other.method(), other.started);
        self.route = other.route;
        self.answered = true;
    }

    /// The request's method; an empty one if the head could not be read
    /// ([`is_unread`](Self::is_unread)).
    pub fn method(&self) -> Method<'_> {
        match self.known {
            Some(Known(method)) => method,
            None => Method::Extension(self.line.get(..self.method).unwrap_or_default()),
        }
    }

    #[inline]
    pub(super) const fn asks(&self) -> Asks {
        match self.known {
            Some(Known(method)) => Asks::of(method),
            None => Asks::Content,
        }
    }

    /// The path of the request's target, percent-encoded as it was sent, before
    /// any middleware rewrote it.
    pub fn path(&self) -> &str {
        let end = self.query.unwrap_or(self.line.len());
        self.line.get(self.method..end).unwrap_or_default()
    }

    /// The query of the request's target, percent-encoded as it was sent. It may
    /// hold what a log should not: keys, names, addresses.
    pub fn query(&self) -> Option<&str> {
        self.line.get(self.query?..)
    }

    /// The version of HTTP; of no meaning if the head [could not be read](Self::is_unread).
    pub const fn version(&self) -> Option<Version> {
        self.version
    }

    /// Whether the head could not be read: it was malformed, too large or too
    /// slow, and has been refused. Method and path are empty then.
    pub const fn is_unread(&self) -> bool {
        self.known.is_none() && self.method == 0
    }

    /// The values that middleware has attached to the request with
    /// [`Incoming::insert`](crate::app::Incoming::insert).
    pub fn extensions(&self) -> &Extensions {
        self.extensions.as_deref().unwrap_or(Extensions::none())
    }

    pub(crate) fn has_span(&self) -> bool {
        #[cfg(feature = "tracing")]
        return self.extensions().contains::<RequestSpan>();
        #[cfg(not(feature = "tracing"))]
        false
    }

    /// The client's address: the peer's, or the one that trusted proxies name
    /// ([`App::trust_proxies`](crate::app::App::trust_proxies)).
    pub const fn peer(&self) -> Option<Peer> {
        self.peer
    }

    /// How long the reply took: from the turn of the loop in which the
    /// request's head was read, to the head of the reply.
    pub const fn elapsed(&self) -> Duration {
        self.now.saturating_since(self.started)
    }
}
