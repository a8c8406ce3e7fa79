//! The client's side of a WebSocket.

use alloc::borrow::Cow;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;

use super::message::{Incoming, Kind, Side, write};
use super::state::{ClientState, ClientStep, FromServer, client};
use super::{CloseCode, Closing, Protocol};
use crate::graphql::{Limits, Request};
use crate::wire::Instant;
use crate::wire::ascii::Decimal;

/// The client's side of a WebSocket, without I/O: [`init`](Self::init) first, then
/// [`subscribe`](Self::subscribe) once the server has acknowledged that. Each call appends
/// at most one message to `out`. After a [`Closing`] every further message leads to the same.
///
/// ```
/// use barewire::graphql::{Limits, Request};
/// use barewire::graphql::socket::{Client, ClientEvent, Protocol};
/// use barewire::wire::Instant;
///
/// let limits = &Limits::DEFAULT;
/// let mut client = Client::new(Protocol::TransportWs);
/// let mut out = String::new();
/// client.init(None, Instant::START, limits, &mut out);
/// assert_eq!(out, r#"{"type":"connection_init"}"#);
///
/// let event = client.receive(r#"{"type":"connection_ack"}"#, limits, &mut out)?;
/// assert_eq!(event, Some(ClientEvent::Acknowledged { payload: None }));
/// out.clear();
/// client.subscribe(7, &Request::new("{ a }"), &mut out);
/// let event = client.receive(r#"{"id":"7","type":"complete"}"#, limits, &mut out)?;
/// assert_eq!(event, Some(ClientEvent::Complete { id: 7 }));
/// # Ok::<(), barewire::graphql::socket::Closing>(())
/// ```
#[derive(Debug)]
pub struct Client {
    protocol: Protocol,
    state: ClientState,
    ack_by: Instant,
    operations: BTreeSet<u64>,
}

/// What has come of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientEvent<'a> {
    /// Operations may be asked for.
    Acknowledged {
        /// What the server says: a JSON object.
        payload: Option<&'a str>,
    },
    /// It refuses this client, and closes the WebSocket (legacy; the other protocol closes
    /// it with 4403).
    Refused {
        /// Why: JSON.
        payload: Option<&'a str>,
    },
    /// A result.
    Next {
        /// The operation.
        id: u64,
        /// A JSON object of GraphQL.
        result: &'a str,
    },
    /// An operation is over.
    Error {
        /// The operation.
        id: u64,
        /// A JSON array of GraphQL errors.
        errors: Cow<'a, str>,
    },
    /// An operation is over.
    Complete {
        /// The operation.
        id: u64,
    },
}

impl Client {
    /// A WebSocket that was opened, with the protocol that its server has chosen.
    pub const fn new(protocol: Protocol) -> Self {
        Self {
            protocol,
            state: ClientState::Opening,
            ack_by: Instant::NEVER,
            operations: BTreeSet::new(),
        }
    }

    /// The protocol that it speaks.
    pub const fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Introduces itself, with a JSON object or none. Nothing is written if it has done so.
    pub fn init(&mut self, payload: Option<&str>, now: Instant, limits: &Limits, out: &mut String) {
        if self.state == ClientState::Opening {
            self.state = ClientState::Waiting;
            self.ack_by = now + limits.ack_time;
            self.say(Kind::Init, None, payload, out);
        }
    }

    /// Takes a text message.
    ///
    /// # Errors
    /// [`Closing`]: the WebSocket is to be closed so.
    pub fn receive<'a>(
        &mut self,
        text: &'a str,
        limits: &Limits,
        out: &mut String,
    ) -> Result<Option<ClientEvent<'a>>, Closing> {
        let incoming = Incoming::read(self.protocol, Side::Server, text, limits);
        let id = incoming.as_ref().and_then(|it| it.id.parse().ok());
        let live = id.is_some_and(|id| self.operations.contains(&id));
        let id = id.unwrap_or_default();
        let message = incoming
            .as_ref()
            .map_or(FromServer::Invalid, |it| match it.kind {
                Kind::Ack => FromServer::Ack,
                Kind::Refusal => FromServer::Refusal,
                Kind::Next => FromServer::Next { live },
                Kind::Error => FromServer::Error { live },
                Kind::Complete => FromServer::Complete { live },
                Kind::Ping => FromServer::Ping,
                Kind::Pong => FromServer::Pong,
                Kind::KeepAlive => FromServer::KeepAlive,
                Kind::Init | Kind::Subscribe | Kind::Stop | Kind::Terminate => FromServer::Invalid,
            });
        let payload = incoming.and_then(|it| it.payload);
        Ok(match client(self.state, message) {
            ClientStep::Close(code) => return Err(self.over(code)),
            ClientStep::Nothing => None,
            ClientStep::Pong => {
                self.say(Kind::Pong, None, payload, out);
                None
            }
            ClientStep::Begin => {
                self.state = ClientState::Ready;
                Some(ClientEvent::Acknowledged { payload })
            }
            ClientStep::Refused => {
                self.over(CloseCode::Forbidden);
                Some(ClientEvent::Refused { payload })
            }
            ClientStep::Next => Some(ClientEvent::Next {
                id,
                result: payload.unwrap_or_default(),
            }),
            ClientStep::Fail => {
                self.operations.remove(&id);
                let errors = payload.unwrap_or_default();
                let errors = match errors.starts_with('[') {
                    true => Cow::Borrowed(errors),
                    false => Cow::Owned(format!("[{errors}]")),
                };
                Some(ClientEvent::Error { id, errors })
            }
            ClientStep::End => {
                self.operations.remove(&id);
                Some(ClientEvent::Complete { id })
            }
        })
    }

    fn say(&self, kind: Kind, id: Option<u64>, payload: Option<&str>, out: &mut String) {
        let id = id.map(Decimal::new);
        let id = id.as_ref().map(Decimal::as_str);
        write(self.protocol, Side::Client, kind, id, payload, out);
    }

    /// Asks for an operation, by an id of the caller's. False, and nothing is written, if
    /// the server has not acknowledged yet, or one of this id runs.
    pub fn subscribe(&mut self, id: u64, request: &Request<'_>, out: &mut String) -> bool {
        if self.state != ClientState::Ready || !self.operations.insert(id) {
            return false;
        }
        let mut payload = String::new();
        request.write(&mut payload);
        self.say(Kind::Subscribe, Some(id), Some(&payload), out);
        true
    }

    /// Stops an operation: nothing more comes of it. False, and nothing is written, if it is
    /// over.
    pub fn complete(&mut self, id: u64, out: &mut String) -> bool {
        let is_live = self.operations.remove(&id);
        if is_live {
            self.say(Kind::Stop, Some(id), None, out);
        }
        is_live
    }

    /// Asks for a `pong`. The legacy protocol has none, and nothing is written.
    pub fn ping(&self, out: &mut String) {
        if !matches!(self.state, ClientState::Over(_)) {
            self.say(Kind::Ping, None, None, out);
        }
    }

    /// Whether the server has acknowledged it.
    pub fn is_ready(&self) -> bool {
        self.state == ClientState::Ready
    }

    /// When [`elapsed`](Self::elapsed) is to be called, if ever.
    pub fn deadline(&self) -> Option<Instant> {
        (self.state == ClientState::Waiting).then_some(self.ack_by)
    }

    /// The time is now.
    ///
    /// # Errors
    /// [`Closing`] with [`CloseCode::ConnectionAcknowledgementTimeout`].
    pub fn elapsed(&mut self, now: Instant) -> Result<(), Closing> {
        match self.deadline().is_some_and(|it| it <= now) {
            true => Err(self.over(CloseCode::ConnectionAcknowledgementTimeout)),
            false => Ok(()),
        }
    }

    /// It is over; the first code stays.
    fn over(&mut self, code: CloseCode) -> Closing {
        let code = match self.state {
            ClientState::Over(first) => first,
            ClientState::Opening | ClientState::Waiting | ClientState::Ready => code,
        };
        self.state = ClientState::Over(code);
        self.operations.clear();
        code.into()
    }
}
