//! Middleware: code before and after every route.

use alloc::string::String;
use core::any::Any;
use core::fmt;

use crate::app::exchange::extensions::Extensions;
use crate::app::exchange::provenance::Provenance;
use crate::app::exchange::record::Record;
use crate::app::exchange::refusal::{Done, Refusal};
use crate::app::exchange::reply::Reply;
use crate::app::exchange::reply_end::ReplyEnd;
use crate::app::exchange::reply_head::ReplyHead;
use crate::app::exchange::request::{RequestTls, scheme_of};
use crate::http::{FieldBuffer, Fields, InvalidField, Method, RequestHead, Target};
use crate::net::{Error, Peer};

/// Something that sees every request before its route and every reply's head
/// before it leaves.
///
/// Middleware runs in the order in which it was added; its
/// [`after`](Self::after) in the opposite order. All loops share it. For a
/// part of the paths there is [`Scoped`](crate::app::Scoped).
///
/// ```
/// use barewire::app::{Incoming, Middleware, Next, Record, Reply, ReplyHead};
/// use barewire::http::Status;
///
/// /// Refuses requests without the word.
/// struct Password(&'static str);
///
/// impl Middleware for Password {
///     fn before(&self, request: &mut Incoming<'_, '_>, reply: Reply<'_, '_>) -> Next {
///         match request.header("authorization") {
///             Some(word) if word == self.0 => Next::Continue,
///             _ => reply.refuse(Status::UNAUTHORIZED).into(),
///         }
///     }
///
///     fn after(&self, _record: &Record, head: &mut ReplyHead<'_>) {
///         let _ = head.set_header("Cache-Control", "private");
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not middleware",
    note = "implement `Middleware` for it: `before` sees requests, `after` heads of replies; both have defaults"
)]
pub trait Middleware: Send + Sync {
    /// Looks at a request before it is routed; may change it, answer it, or
    /// give the reply fields, which stay whatever answers it.
    ///
    /// Called once for each request, when its head is complete and its body
    /// may still be to come.
    fn before(&self, request: &mut Incoming<'_, '_>, reply: Reply<'_, '_>) -> Next {
        let _ = (request, reply);
        Next::Continue
    }

    /// Looks at the head of a reply before it leaves: also of refusals, of
    /// deferred and streamed replies, and of 101.
    ///
    /// Responses that do not come from the app have left already, and changes of their
    /// heads have no effect: the 500 after a panic, and refusals by the protocol, such
    /// as of a malformed body or of a head that could not be read
    /// ([`Record::is_unread`]).
    fn after(&self, record: &Record, head: &mut ReplyHead<'_>) {
        let _ = (record, head);
    }

    /// Whether [`ended`](Self::ended) is to be called. What is remembered of
    /// each request is kept until then. False by default.
    fn watches_ends(&self) -> bool {
        false
    }

    /// Whether [`ended`](Self::ended) is to be called for requests that have a span.
    #[doc(hidden)]
    fn watches_some_ends(&self) -> bool {
        false
    }

    /// A reply has left to its last byte, or no more of it will: its client has
    /// gone, or it was cut. Called for every reply that
    /// [`after`](Self::after) has seen, if
    /// [`watches_ends`](Self::watches_ends); for one that lasts, like an
    /// event stream or a WebSocket, when that is over.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicU64, Ordering};
    ///
    /// use barewire::app::{Middleware, Record, ReplyEnd};
    ///
    /// /// Counts the bytes of content that have left.
    /// #[derive(Default)]
    /// struct Traffic(AtomicU64);
    ///
    /// impl Middleware for Traffic {
    ///     fn watches_ends(&self) -> bool {
    ///         true
    ///     }
    ///
    ///     fn ended(&self, _record: &Record, end: &ReplyEnd<'_>) {
    ///         self.0.fetch_add(end.bytes(), Ordering::Relaxed);
    ///     }
    /// }
    /// ```
    fn ended(&self, record: &Record, end: &ReplyEnd<'_>) {
        let _ = (record, end);
    }

    /// Called once before an app starts. With an error the app does not start: for
    /// options that cannot work.
    ///
    /// # Errors
    /// The fault of the options.
    fn ready(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// The decision of a middleware.
#[derive(Debug)]
#[must_use]
pub enum Next {
    /// The request goes on to the next middleware, or to its route.
    Continue,
    /// It has been answered.
    Answered(Done),
    /// It is refused.
    Refused(Refusal),
}

impl From<Done> for Next {
    fn from(done: Done) -> Self {
        Self::Answered(done)
    }
}

impl From<Refusal> for Next {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// The changes that middleware has made to a request. The memory is used again.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    fields: FieldBuffer,
    has_fields: bool,
    path: String,
    has_path: bool,
    /// The host that a trusted proxy was asked for, and the scheme.
    pub(super) host: String,
    pub(super) scheme: Option<&'static str>,
    pub(crate) extensions: Extensions,
}

impl Changes {
    pub(super) fn clear(&mut self) {
        // What they hold is cleared before it is used again.
        self.has_fields = false;
        self.has_path = false;
        self.host.clear();
        self.scheme = None;
        self.extensions = Extensions::new();
    }

    pub(super) fn apply<'a>(&'a self, head: &RequestHead<'a>) -> Option<RequestHead<'a>> {
        let is_forwarded = !self.host.is_empty() || self.scheme.is_some();
        if !self.has_fields && !self.has_path && !is_forwarded {
            return None;
        }
        let mut head = *head;
        if self.has_fields {
            head.fields = self.fields.as_fields();
        }
        if is_forwarded
            && let Target::Absolute {
                scheme, authority, ..
            } = &mut head.target
        {
            *scheme = self.scheme.unwrap_or(scheme);
            if !self.host.is_empty() {
                *authority = &self.host;
            }
        }
        if self.has_path {
            head.target = match head.target {
                Target::Origin { query, .. } => Target::Origin {
                    path: &self.path,
                    query,
                },
                Target::Absolute {
                    scheme,
                    authority,
                    query,
                    ..
                } => Target::Absolute {
                    scheme,
                    authority,
                    path: &self.path,
                    query,
                },
                other @ (Target::Authority(_) | Target::Asterisk) => other,
            };
        }
        Some(head)
    }
}

/// A request on its way to its route, which may be changed.
pub struct Incoming<'a, 'b> {
    pub(crate) head: &'a RequestHead<'b>,
    pub(crate) changes: &'a mut Changes,
    pub(crate) peer: Option<Peer>,
    pub(crate) tls: &'a RequestTls,
}

impl Incoming<'_, '_> {
    /// The head, with the changes so far.
    pub fn head(&self) -> RequestHead<'_> {
        self.changes.apply(self.head).unwrap_or(*self.head)
    }

    /// The method.
    pub const fn method(&self) -> Method<'_> {
        self.head.method
    }

    /// The path, percent-encoded.
    pub fn path(&self) -> &str {
        self.head().target.path()
    }

    /// The fields.
    pub fn headers(&self) -> Fields<'_> {
        self.head().fields
    }

    /// The value of the first field of this name, if it is UTF-8.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().get_str(name)
    }

    /// The client's address: the peer's, or the one that trusted proxies name
    /// ([`App::trust_proxies`](crate::app::App::trust_proxies)).
    pub const fn peer(&self) -> Option<Peer> {
        self.peer
    }

    /// The TLS that the request came by; `None` in the clear.
    #[cfg(feature = "tls")]
    pub fn tls(&self) -> Option<&crate::tls::Info> {
        self.tls.info()
    }

    /// The trusted proxy that sent the request, where there is one.
    pub fn proxy(&self) -> Option<Peer> {
        self.extensions().get().map(|told: &Provenance| told.proxy)
    }

    /// The scheme that the client used: `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        scheme_of(self.extensions(), self.tls)
    }

    /// Attaches a value to the request for what comes after: the route finds it with
    /// [`Request::extensions`](crate::app::Request::extensions), a gRPC method with
    /// [`Call::extensions`](crate::app::Call::extensions). A value of its type that was
    /// there before is given back.
    ///
    /// ```
    /// use barewire::app::{App, Incoming, Middleware, Next, Reply};
    /// use barewire::http::Status;
    ///
    /// struct User(String);
    ///
    /// /// Finds out who asks.
    /// struct Login;
    ///
    /// impl Middleware for Login {
    ///     fn before(&self, request: &mut Incoming<'_, '_>, reply: Reply<'_, '_>) -> Next {
    ///         match request.header("authorization") {
    ///             Some("Bearer 42") => {
    ///                 request.insert(User("Ann".into()));
    ///                 Next::Continue
    ///             }
    ///             _ => reply.refuse(Status::UNAUTHORIZED).into(),
    ///         }
    ///     }
    /// }
    ///
    /// App::new().with(Login).get("/me", |request, reply| {
    ///     let user = request.extensions().get::<User>().ok_or(Status::UNAUTHORIZED)?;
    ///     reply.text(&user.0).ok()
    /// });
    /// ```
    pub fn insert<T: Any + Send + Sync>(&mut self, value: T) -> Option<T> {
        self.changes.extensions.insert(value)
    }

    /// The values that this middleware and those before it have attached to the
    /// request.
    pub const fn extensions(&self) -> &Extensions {
        &self.changes.extensions
    }

    /// Drops all fields of this name; whether there was one. For names that mean
    /// something to what comes after, and that no client may send:
    ///
    /// ```
    /// # use barewire::app::{Incoming, Middleware, Next, Reply};
    /// struct NoSpoofing;
    ///
    /// impl Middleware for NoSpoofing {
    ///     fn before(&self, request: &mut Incoming<'_, '_>, _reply: Reply<'_, '_>) -> Next {
    ///         request.remove_header("x-user");
    ///         Next::Continue
    ///     }
    /// }
    /// ```
    pub fn remove_header(&mut self, name: &str) -> bool {
        self.headers().contains(name) && self.own_fields().remove(name)
    }

    /// Sets a header, replacing all others of that name.
    ///
    /// # Errors
    /// [`InvalidField`] if it cannot stand on the wire; nothing is changed.
    pub fn set_header(&mut self, name: &str, value: &str) -> Result<(), InvalidField> {
        self.own_fields().set(name, value)
    }

    /// Adds a field.
    ///
    /// # Errors
    /// [`InvalidField`] if it cannot stand on the wire; nothing is changed.
    pub fn add_header(&mut self, name: &str, value: &str) -> Result<(), InvalidField> {
        self.own_fields().push(name, value)
    }

    /// Puts another path in place of the one that was sent: percent-encoded,
    /// with a slash in front. The query stays.
    ///
    /// # Errors
    /// [`InvalidPath`] unless it is such a path.
    pub fn rewrite(&mut self, path: &str) -> Result<(), InvalidPath> {
        let parsed = Target::parse(path.as_bytes(), Method::GET);
        match parsed {
            Ok(Target::Origin { query: None, .. }) => {
                self.changes.path.clear();
                self.changes.path.push_str(path);
                self.changes.has_path = true;
                Ok(())
            }
            _ => Err(InvalidPath),
        }
    }

    fn own_fields(&mut self) -> &mut FieldBuffer {
        let Changes {
            fields, has_fields, ..
        } = self.changes;
        if !*has_fields {
            fields.clear();
            for field in self.head.fields.iter() {
                // One that could not stand on the wire would be left out: no
                // parser lets it in.
                let _ = fields.extend(Fields::new(&[field]));
            }
            *has_fields = true;
        }
        fields
    }
}

/// The request with the changes so far.
impl fmt::Debug for Incoming<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = self.head();
        f.debug_struct("Incoming")
            .field("method", &head.method.as_str())
            .field("path", &head.target.path())
            .field("query", &head.target.query())
            .field("version", &head.version)
            .field("peer", &self.peer)
            .field("fields", &head.fields)
            .field("extensions", self.extensions())
            .finish()
    }
}

/// A path that a request cannot be rewritten to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an absolute path without a query (RFC 9112 §3.2.1)")]
pub struct InvalidPath;
