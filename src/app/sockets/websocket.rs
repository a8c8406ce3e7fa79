//! WebSocket sessions: what an application writes, and what calls it.
//!
//! ```text
//!  GET /ws, Upgrade: websocket ──► the route's closure ──► Ok(object) ──► 101
//!                                        └─► Err(refusal)
//!  frames ──► link ──► open, message, chunk, pong, writable, timer, mail, closed
//! ```

use alloc::{boxed::Box, string::String, sync::Arc};
use core::any::Any;

use super::socket::Socket;
use crate::app::exchange::client::Client;
use crate::app::exchange::session::{After, Session, SessionContext};
use crate::app::publishing::handle::HandleMessage;
use crate::app::publishing::message::Message;
use crate::app::telemetry::metrics;
use crate::link::EndReason;
use crate::net::Claim;
use crate::websocket::{CloseCode, Kind};

/// One WebSocket session: an object whose fields are the session's state.
///
/// It is made by its route's closure for each connection, is called on one
/// thread alone, and is dropped with the connection. An object without fields
/// takes no memory of its own.
///
/// ```
/// use barewire::app::{App, Message, Socket, WebSocket};
///
/// struct Echo;
///
/// impl WebSocket for Echo {
///     fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
///         socket.send(message);
///     }
/// }
///
/// App::new().websocket("/ws/echo", |_request| Ok(Echo));
/// ```
///
/// Its methods must not sleep or wait: their loop serves others on the same
/// thread. What blocks goes to a thread, which is given the session's
/// [`handle`](Socket::handle), and comes back as [`mail`](Self::mail).
#[expect(unused_variables, reason = "the names are the documentation")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the object of a WebSocket",
    note = "implement `WebSocket` for it: `message` gets what the client sends"
)]
pub trait WebSocket {
    /// The connection is a WebSocket now.
    fn open(&mut self, socket: &mut Socket<'_, '_>) {}

    /// A whole message arrived. While what is sent waits for the peer, no
    /// further message is received, so that an echo needs no thought.
    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>);

    /// A part of a message arrived, on a route that
    /// [streams](crate::app::WebSocketRoute::streaming); of a text, whole characters.
    /// `last` says that the message ends with it, and the part may be empty
    /// then. [`message`](Self::message) is not called on such a route.
    fn chunk(&mut self, socket: &mut Socket<'_, '_>, kind: Kind, part: &mut [u8], last: bool) {}

    /// After a [`Wait`](crate::net::Flow::Wait): the peer has taken enough to
    /// go on.
    fn writable(&mut self, socket: &mut Socket<'_, '_>) {}

    /// A timer set with [`Socket::after`] went off.
    fn timer(&mut self, socket: &mut Socket<'_, '_>, token: u32) {}

    /// Something was sent with [`Handle::mail`](crate::app::Handle::mail).
    fn mail(&mut self, socket: &mut Socket<'_, '_>, mail: Box<dyn Any + Send>) {}

    /// A pong arrived: to a [`ping`](Socket::ping), or of the peer's own
    /// accord. The protocol's own keep-alive needs no care.
    fn pong(&mut self, socket: &mut Socket<'_, '_>, payload: &[u8]) {}

    /// The server stops: the session's Close with 1001 follows when this returns,
    /// unless this has closed it, with [`CloseCode::SERVICE_RESTART`] and a reason
    /// perhaps. What is sent here still arrives before it.
    fn draining(&mut self, socket: &mut Socket<'_, '_>) {}

    /// The session is over, however it ended: nothing can be sent to the peer
    /// any more. The session is still in its rooms, and leaves them when this
    /// returns. Not called if one of the others panicked.
    fn closed(&mut self, socket: &mut Socket<'_, '_>, closed: SocketEnd<'_>) {}
}

/// How a WebSocket session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SocketEnd<'b> {
    /// The peer's close code; [`NO_STATUS`](CloseCode::NO_STATUS) if its Close
    /// frame had none, and [`ABNORMAL`](CloseCode::ABNORMAL) if none came
    /// (RFC 6455 §7.1.5).
    pub code: CloseCode,
    /// The peer's reason.
    pub reason: &'b str,
    /// What ended the connection: [`Finished`](EndReason::Finished) after the peer's
    /// Close frame.
    pub end_reason: EndReason,
}

/// A WebSocket session on its loop.
pub(crate) struct WebSocketSession<W> {
    object: W,
    client: Client,
    protocol: Option<Arc<String>>,
    _claim: Claim,
}

impl<W: WebSocket> WebSocketSession<W> {
    pub(crate) const fn new(
        object: W,
        client: Client,
        protocol: Option<Arc<String>>,
        claim: Claim,
    ) -> Self {
        Self {
            object,
            client,
            protocol,
            _claim: claim,
        }
    }

    /// Calls the object with its socket.
    #[inline]
    fn call(
        &mut self,
        at: &mut SessionContext<'_, '_>,
        call: impl FnOnce(&mut W, &mut Socket<'_, '_>),
    ) -> After {
        let protocol = self.protocol.as_ref().map(|name| name.as_str());
        let mut socket = Socket::new(at.reborrow(), &mut self.client, protocol);
        call(&mut self.object, &mut socket);
        After::Keep
    }

    /// Tells the object that the session is over.
    fn closed(&mut self, at: &mut SessionContext<'_, '_>, closed: SocketEnd<'_>) -> After {
        self.call(at, |object, socket| object.closed(socket, closed));
        After::End
    }
}

impl<W: WebSocket> Session for WebSocketSession<W> {
    fn kind(&self) -> metrics::Kind {
        metrics::Kind::WebSocket
    }

    fn content(&self) -> u64 {
        self.client.membership.activity().bytes_sent()
    }

    fn opened(&mut self, at: &mut SessionContext<'_, '_>) -> After {
        self.call(at, |object, socket| object.open(socket))
    }

    fn message(
        &mut self,
        at: &mut SessionContext<'_, '_>,
        kind: Kind,
        payload: &mut [u8],
    ) -> After {
        self.call(at, |object, socket| {
            socket.received(payload.len(), true);
            object.message(socket, Message::received(kind, payload));
        })
    }

    fn chunk(
        &mut self,
        at: &mut SessionContext<'_, '_>,
        kind: Kind,
        payload: &mut [u8],
        last: bool,
    ) -> After {
        self.call(at, |object, socket| {
            socket.received(payload.len(), last);
            object.chunk(socket, kind, payload, last);
        })
    }

    fn pong(&mut self, at: &mut SessionContext<'_, '_>, payload: &[u8]) -> After {
        self.call(at, |object, socket| object.pong(socket, payload))
    }

    fn writable(&mut self, at: &mut SessionContext<'_, '_>) -> After {
        self.call(at, |object, socket| object.writable(socket))
    }

    fn timer(&mut self, at: &mut SessionContext<'_, '_>, token: u64) -> After {
        // Sessions set no others than those of `Socket::after`.
        self.call(at, |object, socket| object.timer(socket, token as u32))
    }

    fn mail(&mut self, at: &mut SessionContext<'_, '_>, mail: Box<dyn Any + Send>) -> After {
        let Ok(handle_message) = mail.downcast::<HandleMessage>() else {
            return After::Keep; // nobody else knows the session's address
        };
        self.call(at, |object, socket| match *handle_message {
            HandleMessage::Send(kind, payload) => {
                // Too late, if the socket is closing.
                let _ = socket.send(Message::received(kind, &payload));
            }
            HandleMessage::Close(code, reason) => {
                // It may be closing already.
                let _ = socket.close(code, &reason);
            }
            HandleMessage::Mail(mail) => object.mail(socket, mail),
        })
    }

    fn draining(&mut self, at: &mut SessionContext<'_, '_>) -> After {
        // The loop closes the WebSocket itself, where this does not.
        self.call(at, |object, socket| object.draining(socket))
    }

    fn close(
        &mut self,
        at: &mut SessionContext<'_, '_>,
        code: Option<CloseCode>,
        reason: &str,
    ) -> After {
        let code = code.unwrap_or(CloseCode::NO_STATUS);
        let gone = EndReason::Finished;
        self.closed(
            at,
            SocketEnd {
                code,
                reason,
                end_reason: gone,
            },
        )
    }

    fn gone(&mut self, at: &mut SessionContext<'_, '_>, why: EndReason) -> After {
        let closed = SocketEnd {
            code: CloseCode::ABNORMAL,
            reason: "",
            end_reason: why,
        };
        self.closed(at, closed)
    }
}
