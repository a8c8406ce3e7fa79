//! WebSocket routes: who may open a session, and how it runs.

use alloc::{boxed::Box, string::String, sync::Arc, vec::Vec};

use super::websocket::{WebSocket, WebSocketSession};
use crate::app::exchange::accept::{Accept, Choice};
use crate::app::exchange::client::{Client, Count};
use crate::app::exchange::refusal::{Done, Refusal};
use crate::app::exchange::reply::Reply;
use crate::app::exchange::request::Request;
use crate::app::routes::endpoint::Endpoint;
use crate::app::routes::origin_guard::{ForeignOrigin, OriginGuard};
use crate::app::routes::router::Verb;
use crate::app::routes::table::RouteKind;
use crate::app::serving::builder::App;
use crate::app::telemetry::metrics::Kind;
use crate::http::{Method, Status, Version};
use crate::net::report::report;
use crate::websocket::Limits;
#[cfg(feature = "deflate")]
use crate::websocket::deflate::Policy;
use crate::websocket::deflate::{Agreement, Session};
use crate::websocket::handshake;
use crate::wire::Role;
use crate::wire::codec::Compression;
use crate::wire::{builder, partly_shown};

/// Content of a request to open a session, in bytes: it means nothing, and is
/// dropped.
const UPGRADE_CONTENT: usize = 16 << 10;

/// A function that makes the object of a session, or refuses it.
type Open<W> = dyn Fn(&Request<'_>) -> Result<Accept<W>, Refusal> + Send + Sync;

/// A WebSocket route with options.
///
/// ```
/// use barewire::app::{App, Message, Socket, WebSocket, WebSocketRoute};
///
/// struct Echo;
///
/// impl WebSocket for Echo {
///     fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
///         socket.send(message);
///     }
/// }
///
/// let route = WebSocketRoute::new(|_request| Ok(Echo))
///     .protocols(["echo.v2", "echo.v1"])
///     .origins(["https://example.com"]);
/// App::new().websocket_route("/ws/echo", route);
/// ```
///
/// | request | answer |
/// |---|---|
/// | no upgrade asked for, or another version than 13 | 426 with `Upgrade` and `Sec-WebSocket-Version: 13` |
/// | the same over HTTP/2, which has no `Upgrade` | 405 with `Allow: CONNECT`, or 400 with `Sec-WebSocket-Version: 13` |
/// | key, subprotocols or extensions malformed | 400 |
/// | a page of another origin than the server's that is not allowed, or two origins | 403 |
/// | refused by the route's closure | as that says |
/// | content of more than 16 KiB | 413; less of it is dropped, and the session begins after it |
pub struct WebSocketRoute<W> {
    open: Box<Open<W>>,
    protocols: Vec<Count>,
    guard: Option<OriginGuard>, // none: every page may
    streaming: bool,
    limits: Option<Limits>,
    /// The number of its limits among those of the app's routes, from 1.
    websocket_limits: u16,
    #[cfg(feature = "deflate")]
    deflate: Option<(Policy, Compression)>,
    sessions: Count,
}

partly_shown!([W] it: WebSocketRoute<W> { protocols, guard, streaming, limits, sessions });

impl<W: WebSocket + 'static> WebSocketRoute<W> {
    /// A route for the server's own pages and for clients that are no browsers,
    /// without subprotocols, that gives complete messages. `open` makes the object
    /// of a session, or refuses the request.
    pub fn new(open: impl Fn(&Request<'_>) -> Result<W, Refusal> + Send + Sync + 'static) -> Self {
        Self::accepting(move |request| open(request).map(Accept::new))
    }

    /// Like [`new`](Self::new), but `open` also chooses the subprotocol and adds
    /// fields to the head of the answer: see [`Accept`].
    pub fn accepting(
        open: impl Fn(&Request<'_>) -> Result<Accept<W>, Refusal> + Send + Sync + 'static,
    ) -> Self {
        Self {
            open: Box::new(open),
            protocols: Vec::new(),
            guard: Some(OriginGuard::new()),
            streaming: false,
            limits: None,
            websocket_limits: 0,
            #[cfg(feature = "deflate")]
            deflate: None,
            sessions: Count::default(),
        }
    }

    /// Subprotocols, the favourite first: the first one that the client offers
    /// is chosen, none if it offers none of them (RFC 6455 §1.9). The session
    /// finds the choice with [`Socket::protocol`](crate::app::Socket::protocol).
    #[must_use]
    pub fn protocols<P: Into<Arc<str>>>(mut self, names: impl IntoIterator<Item = P>) -> Self {
        self.protocols = names
            .into_iter()
            .map(|name| self.sessions.speaking(String::from(&*name.into())))
            .collect();
        self
    }

    /// Lets pages of these origins in besides the server's own, each written as
    /// `https://example.com`. [`OriginGuard`] says what counts as
    /// the server's own; clients that are no browsers send no origin, and are let
    /// in (RFC 6455 §10.2).
    #[must_use]
    pub fn origins<O: Into<String>>(mut self, origins: impl IntoIterator<Item = O>) -> Self {
        let origins = origins.into_iter();
        self.guard = Some(origins.fold(OriginGuard::new(), OriginGuard::allow));
        self
    }

    builder! {
        /// Lets every page in. A page of anyone may then open a session in the name
        /// of its visitor, with the visitor's cookies and from inside the visitor's
        /// network: for data that is public, or where the first message has to carry
        /// a token.
        fn any_origin() => guard = None;

        /// Judges the sessions of this route by limits of their own, in place of
        /// those of [`App::protocol_limits`]: sizes, pings, deadlines.
        ///
        /// ```
        /// use barewire::app::{App, Message, Socket, WebSocket, WebSocketRoute};
        /// use barewire::websocket::Limits;
        /// use core::time::Duration;
        ///
        /// struct Chat;
        ///
        /// impl WebSocket for Chat {
        ///     fn message(&mut self, _socket: &mut Socket<'_, '_>, _message: Message<'_>) {}
        /// }
        ///
        /// let limits = Limits::DEFAULT
        ///     .with_message(4096)
        ///     .with_ping_interval(Duration::from_secs(15));
        /// App::new().websocket_route("/chat", WebSocketRoute::new(|_request| Ok(Chat)).limits(limits));
        /// ```
        const fn limits(limits: Limits) => limits = Some(limits);

        /// Compresses messages for clients that offer permessage-deflate (RFC 7692), as browsers
        /// do: what is agreed to, and how what is sent is compressed. Without this nothing is.
        ///
        /// An attacker who can have text of theirs compressed together with a secret, and
        /// see the length of the result, can find the secret out (BREACH): on such a route
        /// send no secrets in one message with text that others have written, or leave it
        /// uncompressed.
        ///
        /// ```
        /// use barewire::app::{App, Message, Socket, WebSocket, WebSocketRoute};
        /// use barewire::websocket::deflate::Policy;
        /// use barewire::wire::codec::Compression;
        ///
        /// struct Chat;
        ///
        /// impl WebSocket for Chat {
        ///     fn message(&mut self, _socket: &mut Socket<'_, '_>, _message: Message<'_>) {}
        /// }
        ///
        /// let compression = Compression { level: 4, ..Compression::DEFAULT };
        /// let route = WebSocketRoute::new(|_request| Ok(Chat)).deflate(Policy::DEFAULT, compression);
        /// App::new().websocket_route("/chat", route);
        /// ```
        #[cfg(feature = "deflate")]
        const fn deflate(policy: Policy, compression: Compression) =>
            deflate = Some((policy, compression));

        /// Gives messages in parts, as they arrive, to
        /// [`WebSocket::chunk`]: for messages that must not be held completely. The limit on
        /// messages holds all the same.
        const fn streaming() => streaming = true;
    }

    pub(crate) fn answer(
        &self,
        request: &Request<'_>,
        mut reply: Reply<'_, '_>,
    ) -> Result<Done, Refusal> {
        let opening = handshake::check(request.head()).map_err(|refusal| {
            if refusal == handshake::Refusal::Origin {
                ForeignOrigin::of(request.head()).report(reply.at()); // there are two
            }
            refuse(refusal, request.version())
        })?;
        if let Some(guard) = &self.guard {
            guard
                .check_origin(request.head())
                .inspect_err(|foreign| foreign.report(reply.at()))?;
        }
        let (object, choice, reply_with_fields) = (self.open)(request)?.open(reply)?;
        reply = reply_with_fields;
        let count = match choice {
            Choice::Route => self.choose(&opening).clone(),
            Choice::Without => self.sessions.clone(),
            Choice::Named(name) => self.sessions.speaking(name),
        };
        let name = count.protocol();
        let Ok(accepted) = handshake::accept(&opening, name) else {
            let (subject, name) = (reply.at().subject(), name.unwrap_or_default());
            report!(
                Error,
                "{subject}: 500, as the route chose the subprotocol {name:?}, which was not offered"
            );
            return Err(Status::INTERNAL_SERVER_ERROR.into());
        };
        let claim = reply.place()?; // a refusal has none of these fields
        let compress = self.compress(&opening);
        let agreement = compress.map(|(agreement, _)| agreement);
        let accepted = accepted.with_deflate(agreement);
        for field in accepted.fields().as_fields().iter() {
            // Constant names, a key of base64, and a token.
            let name = core::str::from_utf8(field.name).unwrap_or_default();
            reply = reply.set_header(name, field.value);
        }
        let delivery = object.delivery();
        let client = Client::new(reply.at(), Kind::WebSocket, &count, delivery);
        let session = WebSocketSession::new(object, client, claim);
        let compress = compress.map(|(agreement, compression)| {
            let session = Session::new(&agreement, Role::Server);
            (session, compression)
        });
        let options = (self.streaming, self.websocket_limits, compress);
        reply.open_websocket(options, Box::new(session))
    }

    #[cfg(feature = "deflate")]
    fn compress(&self, opening: &handshake::Opening<'_>) -> Option<(Agreement, Compression)> {
        let (policy, compression) = self.deflate?;
        let agreement = policy.respond(opening.extensions())?;
        Some((agreement, compression))
    }

    #[cfg(not(feature = "deflate"))]
    #[expect(clippy::unused_self, reason = "as where there is compression")]
    const fn compress(&self, _: &handshake::Opening<'_>) -> Option<(Agreement, Compression)> {
        None
    }

    /// Of the subprotocols that the client offers, the route's favourite.
    fn choose(&self, opening: &handshake::Opening<'_>) -> &Count {
        let is_offered = |it: &&Count| {
            opening
                .protocols()
                .any(|offer| it.protocol() == Some(offer))
        };
        let chosen = self.protocols.iter().find(is_offered);
        chosen.unwrap_or(&self.sessions)
    }
}

impl App {
    /// Serves WebSockets. `open` makes the object of a session, or refuses the
    /// request.
    #[must_use]
    pub fn websocket<W: WebSocket + 'static>(
        self,
        pattern: &str,
        open: impl Fn(&Request<'_>) -> Result<W, Refusal> + Send + Sync + 'static,
    ) -> Self {
        self.websocket_route(pattern, WebSocketRoute::new(open))
    }

    /// Serves WebSockets with options.
    #[must_use]
    pub fn websocket_route<W: WebSocket + 'static>(
        mut self,
        pattern: &str,
        route: WebSocketRoute<W>,
    ) -> Self {
        let route = self.prepare_websocket(route);
        let endpoint = Endpoint::new(move |request, reply| route.answer(request, reply));
        // A request may have content all the same: the WebSocket begins after
        // it (RFC 9110 §7.8).
        self.serve(
            RouteKind::WebSocket,
            Verb::One(Method::GET.as_str().into()),
            pattern,
            endpoint.collecting(UPGRADE_CONTENT).upgrading(),
        )
    }
}

impl App {
    /// Judges the options of a route, and gives its limits their number.
    pub(crate) fn prepare_websocket<W>(
        &mut self,
        mut route: WebSocketRoute<W>,
    ) -> WebSocketRoute<W> {
        self.fail(route.guard.as_ref().and_then(OriginGuard::fault));
        if let Some(limits) = route.limits {
            route.websocket_limits = self.add_websocket_limits(limits);
        }
        route
    }
}

impl<W: WebSocket> Accept<W> {
    builder! {
        /// Speaks this subprotocol, in place of the one that
        /// [`WebSocketRoute::protocols`](crate::app::WebSocketRoute::protocols) would
        /// choose: one of those that the client
        /// [offers](crate::app::Request::subprotocols), or the client gets 500
        /// (RFC 6455 §4.2.2). The session finds it with
        /// [`Socket::protocol`](crate::app::Socket::protocol).
        fn protocol(name: impl Into<String>) => protocol = Choice::Named(name.into());

        /// Speaks no subprotocol, whatever the route's are.
        fn without_protocol() => protocol = Choice::Without;
    }
}

/// The answer in the words of the request's version: HTTP/2 has extended
/// CONNECT in place of the upgrade (RFC 8441 §4).
fn refuse(refusal: handshake::Refusal, version: Version) -> Refusal {
    if version != Version::Http2 {
        return refusal.into();
    }
    let (status, name, value) = match refusal {
        handshake::Refusal::NotUpgrade => (Status::METHOD_NOT_ALLOWED, "Allow", "CONNECT"),
        handshake::Refusal::Version => (Status::BAD_REQUEST, "Sec-WebSocket-Version", "13"),
        other => return other.into(),
    };
    // Constant text that can stand on the wire.
    let answer = Refusal::new(status).header(name, value);
    answer.unwrap_or(Refusal::new(status))
}

impl From<handshake::Refusal> for Refusal {
    fn from(refusal: handshake::Refusal) -> Self {
        let answer = Self::new(refusal.status());
        let text = |bytes| core::str::from_utf8(bytes).unwrap_or_default();
        let mut fields = refusal.fields().iter();
        // Constant text that can stand on the wire.
        fields
            .try_fold(answer, |answer, field| {
                answer.header(text(field.name), text(field.value))
            })
            .unwrap_or(Self::new(refusal.status()))
    }
}
