//! A session that a route's closure opens, with what its head says.

use alloc::{string::String, vec::Vec};

use super::refusal::Refusal;
use super::reply::Reply;
use crate::http::Status;
use crate::net::report::report;

/// Opens a WebSocket or an event stream: the object of the session, and fields of
/// the answer's head. The closures of
/// [`WebSocketRoute::accepting`](crate::app::WebSocketRoute::accepting) and
/// [`EventsRoute::accepting`](crate::app::EventsRoute::accepting) return it.
///
/// ```
/// use barewire::app::{Accept, App, Message, Socket, WebSocket, WebSocketRoute};
///
/// struct Chat;
///
/// impl WebSocket for Chat {
///     fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
///         socket.send(message);
///     }
/// }
///
/// let route = WebSocketRoute::accepting(|request| {
///     let accept = Accept::new(Chat).header("Set-Cookie", "visited=1; Secure; HttpOnly");
///     Ok(match request.subprotocols().find(|name| name.starts_with("chat.")) {
///         Some(name) => accept.protocol(name),
///         None => accept,
///     })
/// });
/// App::new().websocket_route("/chat", route);
/// ```
#[derive(Debug)]
pub struct Accept<S> {
    object: S,
    pub(crate) protocol: Choice,
    fields: Vec<(String, Vec<u8>)>,
}

/// Which subprotocol a session speaks.
#[derive(Debug)]
pub(crate) enum Choice {
    /// The first of the route's that the client offers.
    Route,
    /// None.
    Without,
    Named(String),
}

impl<S> Accept<S> {
    /// Accepts with this object and no field more than the protocol needs.
    pub const fn new(object: S) -> Self {
        Self {
            object,
            protocol: Choice::Route,
            fields: Vec::new(),
        }
    }

    /// Adds a field to the head: of 101 (over HTTP/2, of 200), or of an event
    /// stream's 200.
    ///
    /// The head's own are not to be given: Connection, Upgrade, Content-Length,
    /// Transfer-Encoding, Content-Type, and all whose names begin with
    /// `Sec-WebSocket-`. With one of those, or one that cannot stand on the wire
    /// (RFC 9110 §5.5), the client gets 500. A Cache-Control given here takes the
    /// place of the `no-cache` that event streams have without it.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let field = (String::from(name), Vec::from(value.as_ref()));
        self.fields.push(field);
        self
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|it| it.0.eq_ignore_ascii_case(name))
    }

    /// Gives the fields to the reply, and takes the rest apart.
    pub(crate) fn open<'a, 'c>(
        self,
        mut reply: Reply<'a, 'c>,
    ) -> Result<(S, Choice, Reply<'a, 'c>), Refusal> {
        if let Some((name, _)) = self.fields.iter().find(|(name, _)| is_own(name)) {
            let subject = reply.at().subject();
            report!(
                Error,
                "{subject}: 500, as the route gave {name:?}, which is the head's own"
            );
            return Err(Status::INTERNAL_SERVER_ERROR.into());
        }
        let add =
            |reply: Reply<'a, 'c>, field: &(String, Vec<u8>)| reply.header(&field.0, &field.1);
        let reply = self.fields.iter().fold(reply, add);
        Ok((self.object, self.protocol, reply))
    }
}

fn is_own(name: &str) -> bool {
    const OWN: [&str; 5] = [
        "connection",
        "upgrade",
        "content-length",
        "transfer-encoding",
        "content-type",
    ];
    const PREFIX: &[u8] = b"sec-websocket-";
    let start = name.as_bytes().get(..PREFIX.len());
    OWN.iter().any(|own| own.eq_ignore_ascii_case(name))
        || start.is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
}
