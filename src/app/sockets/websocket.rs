//! WebSocket sessions: what an application writes, and what calls it.
//!
//! ```text
//!  GET /ws, Upgrade: websocket ──► the route's closure ──► Ok(object) ──► 101
//!                                        └─► Err(refusal)
//!  frames ──► link ──► open, message, chunk, pong, writable, timer, mail, closed
//! ```

use alloc::{boxed::Box, format};
use core::any::Any;

use super::socket::{Run, Socket};
use crate::app::channels::channel_limits::ChannelError;
use crate::app::channels::format::Delivery;
use crate::app::channels::position::Position;
use crate::app::channels::publication::Publication;
use crate::app::channels::slow::Missed;
use crate::app::exchange::client::Client;
use crate::app::exchange::session::{After, Session, SessionContext};
use crate::app::futures::jobs::Jobs;
use crate::app::publishing::handle::HandleMessage;
use crate::app::publishing::inbox::Item;
use crate::app::publishing::join::{ChannelAnswer, Joined, Outcome};
use crate::app::publishing::message::Message;
use crate::app::telemetry::metrics;
use crate::link::EndReason;
use crate::net::{Claim, Flow};
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

    /// Something on this loop has woken it, by [`Socket::waker`].
    fn woken(&mut self, socket: &mut Socket<'_, '_>) {}

    /// A pong arrived: to a [`ping`](Socket::ping), or of the peer's own
    /// accord. The protocol's own keep-alive needs no care.
    fn pong(&mut self, socket: &mut Socket<'_, '_>, payload: &[u8]) {}

    /// How what is published reaches the session; asked once, before it opens.
    fn delivery(&self) -> Delivery {
        Delivery::Direct
    }

    /// Something was published to a channel that the session is in, if its publications
    /// come to its [object](Delivery::Object).
    fn publication(
        &mut self,
        socket: &mut Socket<'_, '_>,
        channel: &str,
        publication: &Publication,
    ) {
    }

    /// The session was too slow, and some of what was published was left out
    /// ([`SlowMembers::Drop`](crate::app::SlowMembers::Drop)): between what it has got and
    /// what comes from now on. By default it closes with 1013, so that no client takes what it
    /// got for all there was.
    fn missed(&mut self, socket: &mut Socket<'_, '_>, missed: Missed<'_>) {
        // Refused only if it is closing already.
        let _ = socket.close(CloseCode::TRY_AGAIN_LATER, "publications were lost");
    }

    /// The outcome of a [`join`](Socket::join) that was to be decided
    /// [later](Joined::Later). What the session missed follows what is sent here. By default
    /// it closes with 1013 if the channel cannot be reached.
    fn joined(&mut self, socket: &mut Socket<'_, '_>, answer: ChannelAnswer<'_, Joined>) {
        if answer.result == Err(ChannelError::Unavailable) {
            // Refused only if it is closing already.
            let _ = socket.close(CloseCode::TRY_AGAIN_LATER, "the channel cannot be reached");
        }
    }

    /// The outcome of something that the session has published, of which that was to be
    /// decided [later](crate::app::Published::Later): its place, in a channel with history.
    fn published(
        &mut self,
        socket: &mut Socket<'_, '_>,
        answer: ChannelAnswer<'_, Option<Position>>,
    ) {
    }

    /// The server stops: the session's Close with 1001 follows when this returns,
    /// unless this has closed it, with [`CloseCode::SERVICE_RESTART`] and a reason
    /// perhaps. What is sent here still arrives before it.
    fn draining(&mut self, socket: &mut Socket<'_, '_>) {}

    /// The session is over, however it ended: nothing can be sent to the peer
    /// any more. The session is still in its channels, and leaves them when this
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
    /// The reason why the connection ended: [`Finished`](EndReason::Finished) after the
    /// peer's Close frame.
    pub end_reason: EndReason,
}

pub(crate) struct WebSocketSession<W> {
    object: W,
    client: Client,
    jobs: Jobs<Run>,
    _claim: Claim,
}

impl<W: WebSocket> WebSocketSession<W> {
    pub(crate) const fn new(object: W, client: Client, claim: Claim) -> Self {
        Self {
            object,
            client,
            jobs: Jobs::new(),
            _claim: claim,
        }
    }

    #[inline]
    fn call(
        &mut self,
        at: &mut SessionContext<'_, '_>,
        call: impl FnOnce(&mut W, &mut Socket<'_, '_>),
    ) -> After {
        let mut socket = Socket::new(at.reborrow(), &mut self.client, &mut self.jobs);
        call(&mut self.object, &mut socket);
        After::Keep
    }

    /// Gives the object what was published, as long as the peer takes what it sends.
    fn take_publications(&mut self, at: &mut SessionContext<'_, '_>) {
        let membership = &self.client.membership;
        membership.catch_up(at.context);
        let is_over = membership.is_over().is_some();
        while is_over || at.context.flow() == Flow::Go {
            match self.client.membership.next_publication() {
                Ok(None) => return,
                Ok(Some((channel, Item::Publication(publication)))) => {
                    self.call(at, |object, socket| {
                        object.publication(socket, &channel, &publication);
                    });
                }
                Ok(Some((channel, Item::Missed(count)))) => {
                    let missed = Missed::new(&channel, count);
                    self.call(at, |object, socket| object.missed(socket, missed));
                }
                Err(over) => {
                    // Refused only if it is closing already.
                    let _ = at.context.close(CloseCode::TRY_AGAIN_LATER, over.as_str());
                    return;
                }
            }
        }
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
        for missed in self.client.membership.keeps_up() {
            let told = Missed::new(&missed.channel, missed.publications);
            self.call(at, |object, socket| object.missed(socket, told));
            self.client.membership.give_newest(at.context, &missed);
        }
        self.take_publications(at);
        self.call(at, |object, socket| {
            socket.poll_blocked();
            object.writable(socket);
        })
    }

    fn timer(&mut self, at: &mut SessionContext<'_, '_>, token: u64) -> After {
        // Sessions set no others than those of `Socket::after`.
        self.call(at, |object, socket| object.timer(socket, token as u32))
    }

    fn woken(&mut self, at: &mut SessionContext<'_, '_>) -> After {
        self.take_publications(at);
        self.call(at, |object, socket| object.woken(socket))
    }

    fn poll(&mut self, at: &mut SessionContext<'_, '_>, token: u64) -> After {
        self.call(at, |_, socket| socket.poll_job(token))
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
            HandleMessage::SendAway(time) => {
                object.draining(socket);
                let reason = format!("retry in {} ms", time.as_millis());
                // It may have closed itself.
                let _ = socket.close(CloseCode::SERVICE_RESTART, &reason);
            }
            HandleMessage::Answered(channel, token, answered) => {
                match socket.answered((&channel, token), answered) {
                    Some(Outcome::Joined(result)) => {
                        object.joined(socket, ChannelAnswer::new(&channel, token, result));
                    }
                    Some(Outcome::Published(result)) => {
                        object.published(socket, ChannelAnswer::new(&channel, token, result));
                    }
                    None => {}
                }
            }
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

    fn ended(&mut self, at: &mut SessionContext<'_, '_>, why: EndReason) -> After {
        let closed = SocketEnd {
            code: CloseCode::ABNORMAL,
            reason: "",
            end_reason: why,
        };
        self.closed(at, closed)
    }
}
