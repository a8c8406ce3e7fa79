//! The reply that a route owes.

use alloc::boxed::Box;
use core::time::Duration;

use bytes::Bytes;

use super::defer::{Deferred, Deferring};
use super::refusal::{Done, Refusal};
use super::reply_head::Chosen;
use super::respond::given;
use super::response::Response;
use super::session::{Session, SessionContext};
use super::stream::{Stage, StreamSession, Streaming};
use crate::http::{ContentTypeLine, Method, Status};
use crate::link::Body;
use crate::net::{Claim, LocalWaker, Resource};
use crate::websocket::deflate;
use crate::wire::codec::Compression;
use crate::wire::{Instant, partly_shown};

static PLAIN: ContentTypeLine = ContentTypeLine::new("Content-Type: text/plain; charset=utf-8\r\n");
static HTML: ContentTypeLine = ContentTypeLine::new("Content-Type: text/html; charset=utf-8\r\n");
static JSON: ContentTypeLine = ContentTypeLine::new("Content-Type: application/json\r\n");

/// The reply that is owed for one request.
///
/// Its ends ([`text`](Self::text), [`body`](Self::body),
/// [`stream`](Self::stream), ...) use it up and give [`Done`] back, so that the
/// compiler sees to it that there is exactly one answer.
///
/// [Fields](Self::header) stay with the exchange, whatever answers it in the
/// end: a refusal after them carries them too.
///
/// ```
/// use barewire::app::{App, Status};
///
/// App::new()
///     .get("/page", |_request, reply| {
///         reply.header("Cache-Control", "max-age=60").html("<p>hello</p>")
///     })
///     .post("/items", |_request, reply| {
///         reply.status(Status::CREATED).header("Location", "/items/7").empty()
///     })
///     .get("/old", |_request, reply| reply.redirect("/page"));
/// ```
pub struct Reply<'a, 'c> {
    at: SessionContext<'a, 'c>,
    pub(super) opened: &'a mut Option<Box<dyn Session>>,
    coming: Coming,
    pub(super) status: Status,
    length: Option<u64>,
}

/// Where a session is, with the place that has it.
type Opened<'r, 'a, 'c> = (
    &'r mut SessionContext<'a, 'c>,
    &'r mut Option<Box<dyn Session>>,
);

/// The form in which a reply's session gets the request's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coming {
    /// None of it: there is none, or the closure has all of it.
    Nothing,
    /// All of it, which has been received already.
    Here,
    /// It is on offer and comes once it is accepted.
    Offered,
}

partly_shown!(it: Reply<'_, '_> { status });

impl<'a, 'c> Reply<'a, 'c> {
    pub(crate) const fn new(
        at: SessionContext<'a, 'c>,
        opened: &'a mut Option<Box<dyn Session>>,
        coming: Coming,
    ) -> Self {
        Self {
            at,
            opened,
            coming,
            status: Status::OK,
            length: None,
        }
    }

    /// Sets the status; 200 until then.
    #[must_use]
    pub const fn status(mut self, status: Status) -> Self {
        self.status = status;
        self
    }

    /// Adds a field. One that cannot stand on the wire (a token and a value
    /// without CR, LF, NUL or other controls, RFC 9110 §5.5) has 500 sent in
    /// place of the reply; the log says which it was.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        if let Some(record) = self.at.record.as_deref_mut()
            && let Err(why) = record.fields.push(name, value.as_ref())
        {
            self.at.spoil(name, value.as_ref(), &why);
        }
        self
    }

    /// Sets a header, replacing all others of that name; otherwise like
    /// [`header`](Self::header).
    #[must_use]
    pub fn set_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        if let Some(record) = self.at.record.as_deref_mut()
            && let Err(why) = record.fields.set(name, value.as_ref())
        {
            self.at.spoil(name, value.as_ref(), &why);
        }
        self
    }

    /// Announces the length in bytes of a body that is going to be
    /// [streamed](Self::stream); without it, the body is chunked.
    #[must_use]
    pub const fn length(mut self, bytes: u64) -> Self {
        self.length = Some(bytes);
        self
    }

    // The ends.

    /// Replies with plain text.
    pub fn text(mut self, text: impl AsRef<str>) -> Done {
        self.end(Some(&PLAIN), Body::Whole(text.as_ref().as_bytes()))
    }

    /// Replies with a page.
    pub fn html(mut self, text: impl AsRef<str>) -> Done {
        self.end(Some(&HTML), Body::Whole(text.as_ref().as_bytes()))
    }

    /// Replies with a value as JSON. If it cannot be serialized, the client gets 500.
    #[cfg(feature = "json")]
    pub fn json(self, value: &(impl serde::Serialize + ?Sized)) -> Done {
        match serde_json::to_string(value) {
            Ok(text) => self.json_text(text),
            Err(error) => {
                crate::net::report::report!(Error, "a value cannot be sent as JSON: {error}");
                self.refuse(Refusal::new(Status::INTERNAL_SERVER_ERROR))
            }
        }
    }

    /// Replies with text that is JSON already.
    pub fn json_text(mut self, text: impl AsRef<str>) -> Done {
        self.end(Some(&JSON), Body::Whole(text.as_ref().as_bytes()))
    }

    fn end(&mut self, content_type: Option<&'static ContentTypeLine>, body: Body<'_>) -> Done {
        self.at.respond(self.status, content_type, body);
        Done(())
    }

    fn typed(&mut self, content_type: &str) {
        let content_type = content_type.as_bytes();
        if let Some(record) = self.at.record.as_deref_mut()
            && let Err(why) = record.fields.set_content_type(content_type)
        {
            self.at.spoil("Content-Type", content_type, &why);
        }
    }

    /// Replies with a body of this media type. The body is copied into the
    /// loop's output.
    pub fn body(mut self, content_type: &str, body: impl AsRef<[u8]>) -> Done {
        self.typed(content_type);
        self.end(None, Body::Whole(body.as_ref()))
    }

    /// Replies with a body of this media type, which leaves without being
    /// copied where it is large.
    pub fn bytes(mut self, content_type: &str, body: Bytes) -> Done {
        self.typed(content_type);
        self.end(None, Body::Shared(&body))
    }

    /// Replies without a body: 204 (RFC 9110 §15.3.5) unless another status has
    /// been set.
    pub fn empty(mut self) -> Done {
        if self.status == Status::OK {
            self.status = Status::NO_CONTENT;
        }
        self.end(None, Body::Whole(b""))
    }

    /// Replies with a response made elsewhere. Its status and fields go before
    /// those given here.
    pub fn response(mut self, response: impl Into<Response>) -> Done {
        response.into().answer(&mut self.at);
        Done(())
    }

    /// Refuses the request: a status, and a JSON body that says why.
    pub fn refuse(mut self, refusal: impl Into<Refusal>) -> Done {
        self.at.refuse(&refusal.into());
        Done(())
    }

    /// Streams both ways: sends the head now, with what has been set here, and
    /// gives what follows to `object`. It is told when it may write the body of
    /// the reply, and on a route that streams, gets the body of the request.
    ///
    /// Set the media type with [`header`](Self::header).
    pub fn stream(mut self, object: impl Streaming + 'static) -> Done {
        let claim = match self.place() {
            Ok(claim) => claim,
            Err(refusal) => return self.refuse(refusal),
        };
        // Before the head: an early answer would refuse the body.
        let (receiving, peer) = (self.accept(), self.at.peer());
        let is_unseen = self.is_unseen();
        if let Some(coded) = self.at.begin_coded(self.status, self.length) {
            let stage = Stage::Writing;
            let object = Box::new(object);
            let session =
                StreamSession::new(object, stage, receiving, is_unseen, (claim, peer), coded);
            *self.opened = Some(Box::new(session));
        }
        Done(())
    }

    /// Gives the body of the request to `object`, which answers when it
    /// chooses: with [`Stream::respond`](crate::app::Stream::respond) or
    /// [`Stream::start`](crate::app::Stream::start).
    pub fn receive(mut self, object: impl Streaming + 'static) -> Done {
        let claim = match self.place() {
            Ok(claim) => claim,
            Err(refusal) => return self.refuse(refusal),
        };
        let (receiving, peer) = (self.accept(), self.at.peer());
        let object = Box::new(object);
        let session =
            StreamSession::new(object, Stage::Owing, receiving, false, (claim, peer), None);
        *self.opened = Some(Box::new(session));
        Done(())
    }

    /// The status, and the length of the body where it was announced.
    pub(crate) const fn announced(&self) -> (Status, Option<u64>) {
        (self.status, self.length)
    }

    /// A place for a session that outlives this call, to be taken before the reply is begun.
    ///
    /// # Errors
    /// 503 beyond [`Limits::sessions`](crate::net::Limits::sessions).
    pub(crate) fn place(&mut self) -> Result<Claim, Refusal> {
        let claim = self.at.claim(Resource::Sessions);
        claim.map_err(|_| no_place())
    }

    /// Whether no body will be sent: to HEAD, or with a status that has none.
    pub(super) fn is_unseen(&self) -> bool {
        !self.at.may_have_content(self.status)
    }

    pub(crate) fn longest_coded(&self) -> Option<u64> {
        let may_code = self.at.record.as_deref()?.may_code?;
        // What else may come is for a session.
        (self.coming == Coming::Nothing).then_some(may_code.file)
    }

    pub(super) fn is_to_head(&self) -> bool {
        let record = self.at.record.as_deref();
        record.is_some_and(|record| record.method() == Method::HEAD)
    }

    /// Asks for the body that is on offer; whether one comes in pieces.
    fn accept(&mut self) -> bool {
        match self.coming {
            Coming::Nothing => false,
            Coming::Here => true,
            Coming::Offered => self.at.context.accept_body().is_ok(),
        }
    }

    /// Replies later, from whatever thread: `take` is given what the reply is
    /// to be sent by.
    ///
    /// ```
    /// use barewire::app::{App, Response};
    ///
    /// App::new().get("/slow", |_request, reply| {
    ///     reply.defer(|deferred| {
    ///         std::thread::spawn(move || deferred.send(Response::text("worth the wait")));
    ///     })
    /// });
    /// ```
    pub fn defer(mut self, take: impl FnOnce(Deferred)) -> Done {
        let claim = match self.place() {
            Ok(claim) => claim,
            Err(refusal) => return self.refuse(refusal),
        };
        let (session, deferred) = Deferring::new(self.at.context, claim);
        *self.opened = Some(Box::new(session));
        take(deferred);
        Done(())
    }

    /// A waker for the object of the reply, for use on this loop
    /// ([`Streaming::woken`](crate::app::Streaming::woken) and its like), once there is
    /// an object.
    pub fn waker(&self) -> LocalWaker {
        self.at.context.waker()
    }

    /// The loop's clock, one time for a whole turn. All loops of a process have the same.
    pub fn now(&self) -> Instant {
        self.at.context.now()
    }

    // What other kinds of sessions are opened by.

    pub(crate) fn at(&mut self) -> &mut SessionContext<'a, 'c> {
        &mut self.at
    }

    /// A reply for a call within this one.
    pub(crate) fn reborrow(&mut self) -> Reply<'_, 'c> {
        Reply {
            at: self.at.reborrow(),
            opened: self.opened,
            ..*self
        }
    }

    /// The session that a call within this one has opened, if it has.
    pub(crate) fn opened_session(&mut self) -> Option<Opened<'_, 'a, 'c>> {
        match self.opened {
            Some(_) => Some((&mut self.at, self.opened)),
            None => None,
        }
    }

    /// Sends the head of an event stream. `make` is told the coding, and called unless
    /// something else was sent.
    pub(crate) fn open(
        mut self,
        endless: bool,
        make: impl FnOnce(&SessionContext<'a, 'c>, Option<Chosen>) -> Box<dyn Session>,
    ) -> Done {
        if let Some(chosen) = self.at.begin_stream(self.status, self.length, endless) {
            *self.opened = Some(make(&self.at, chosen));
        }
        Done(())
    }

    /// Sends the reply as it is, whatever [`Compression`](crate::app::Compression) says:
    /// for what holds a secret beside something that others choose.
    #[must_use]
    pub fn uncompressed(self) -> Self {
        if let Some(record) = self.at.record {
            record.may_code = None;
        }
        self
    }

    /// Opens a session that sends the head itself, or has sent it.
    pub(crate) fn owe(self, session: Box<dyn Session>) -> Done {
        *self.opened = Some(session);
        Done(())
    }

    /// Accepts a WebSocket with 101 or, by extended CONNECT, 200, and the fields given so far;
    /// its session is opened.
    ///
    /// # Errors
    /// 500 if a field cannot be sent.
    pub(crate) fn open_websocket(
        mut self,
        (streaming, limits, compress): (bool, u16, Option<(deflate::Session, Compression)>),
        session: Box<dyn Session>,
    ) -> Result<Done, Refusal> {
        if self.at.is_faulty() {
            return Err(Status::INTERNAL_SERVER_ERROR.into());
        }
        let status = match self.at.context.is_shared() {
            true => Status::OK,
            false => Status::SWITCHING_PROTOCOLS,
        };
        let body = Body::Streamed {
            length: None,
            endless: true,
        };
        let switched = self.at.prepare_head(status, body).and_then(|prepared| {
            let context = &mut *self.at.context;
            let sent = context
                .upgrade_websocket(given(self.at.record), streaming)
                .and_then(|()| context.choose_websocket_limits(limits))
                .and_then(|()| match compress {
                    Some((agreed, compression)) => context.compress(agreed, compression),
                    None => Ok(()),
                });
            self.at.count_head(status, body, prepared.is_timed, sent)
        });
        match switched {
            Ok(()) => {
                *self.opened = Some(session);
                Ok(Done(()))
            }
            // The request has been checked: it is a field that cannot be sent.
            Err(misuse) => {
                self.at.respond_misused(status, misuse);
                Ok(Done(()))
            }
        }
    }
}

#[cold]
pub(crate) fn no_place() -> Refusal {
    Refusal::new(Status::SERVICE_UNAVAILABLE)
        .retry_after(Duration::from_secs(1))
        .because("the server is busy")
}
