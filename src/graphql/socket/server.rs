//! The server's side of a WebSocket.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;

use super::message::{Incoming, Kind, Side, write};
use super::state::{FromClient, ServerState, ServerStep, server};
use super::{CloseCode, Closing, Protocol};
use crate::graphql::{Limits, OperationType, Request, RequestError};
use crate::wire::Instant;

/// The server's side of a WebSocket, without I/O.
///
/// [`receive`](Self::receive) takes what comes; what the application says goes through
/// [`accept`](Self::accept) or [`refuse`](Self::refuse), and for each operation
/// [`next`](Self::next), then [`complete`](Self::complete) or [`error`](Self::error). Each
/// appends at most one message to `out`. [`elapsed`](Self::elapsed) is to be called at the
/// [`deadline`](Self::deadline). After a [`Closing`] every further message leads to the same.
///
/// ```
/// use barewire::graphql::Limits;
/// use barewire::graphql::socket::{Protocol, Server, ServerEvent};
/// use barewire::wire::Instant;
///
/// let limits = &Limits::DEFAULT;
/// let mut server = Server::new(Protocol::TransportWs, Instant::START, limits);
/// let mut out = String::new();
/// let event = server.receive(r#"{"type":"connection_init"}"#, limits, &mut out)?;
/// assert_eq!(event, Some(ServerEvent::Init { payload: None }));
/// server.accept(None, &mut out);
/// assert_eq!(out, r#"{"type":"connection_ack"}"#);
///
/// let text = r#"{"id":"7","type":"subscribe","payload":{"query":"{ a }"}}"#;
/// let event = server.receive(text, limits, &mut out)?;
/// let Some(ServerEvent::Subscribe { id, request, .. }) = event else { panic!() };
/// assert_eq!(request.query, "{ a }");
/// out.clear();
/// server.next(&id, r#"{"data":{"a":1}}"#, &mut out);
/// assert_eq!(out, r#"{"id":"7","type":"next","payload":{"data":{"a":1}}}"#);
/// # Ok::<(), barewire::graphql::socket::Closing>(())
/// ```
#[derive(Debug)]
pub struct Server {
    protocol: Protocol,
    state: ServerState,
    /// When the init has to be there, and answered.
    init_by: Instant,
    /// The ids of operations that run, and whether they are subscriptions.
    operations: BTreeMap<Box<str>, bool>,
    subscriptions: usize,
    /// Bytes of the ids.
    held: usize,
}

/// What a client wants.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerEvent<'a> {
    /// To be [accepted](Server::accept), or [refused](Server::refuse).
    Init {
        /// What it says of itself: a JSON object.
        payload: Option<&'a str>,
    },
    /// An operation to be executed.
    Subscribe {
        /// Its id, until it is over.
        id: Cow<'a, str>,
        /// The operation. Its document may be named by a hash or an id.
        request: Request<'a>,
        /// Whether one of this id runs, which is to be stopped without a word (legacy). An
        /// operation of this protocol may come before the init is accepted: it is to be
        /// executed only after that.
        replaces: bool,
    },
    /// This operation to be stopped. Nothing more is sent of it.
    Complete {
        /// Its id.
        id: Cow<'a, str>,
    },
}

impl Server {
    /// A WebSocket that was opened now.
    pub fn new(protocol: Protocol, now: Instant, limits: &Limits) -> Self {
        Self {
            protocol,
            state: ServerState::Opening,
            init_by: now + limits.init_time,
            operations: BTreeMap::new(),
            subscriptions: 0,
            held: 0,
        }
    }

    /// The protocol that it speaks.
    pub const fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Takes a text message. What is to be answered without the application is appended to
    /// `out`.
    ///
    /// # Errors
    /// [`Closing`]: the WebSocket is to be closed so, and all operations are to be stopped.
    pub fn receive<'a>(
        &mut self,
        text: &'a str,
        limits: &Limits,
        out: &mut String,
    ) -> Result<Option<ServerEvent<'a>>, Closing> {
        let incoming = Incoming::read(self.protocol, Side::Client, text, limits);
        let live = |it: &Incoming<'_>| self.operations.contains_key(&*it.id);
        let message = match &incoming {
            None => FromClient::Invalid,
            Some(it) => match it.kind {
                Kind::Init => FromClient::Init,
                Kind::Subscribe => FromClient::Subscribe { live: live(it) },
                Kind::Stop => FromClient::Complete { live: live(it) },
                Kind::Ping => FromClient::Ping,
                Kind::Pong => FromClient::Pong,
                Kind::Terminate => FromClient::Terminate,
                Kind::Ack
                | Kind::Refusal
                | Kind::KeepAlive
                | Kind::Next
                | Kind::Error
                | Kind::Complete => FromClient::Invalid,
            },
        };
        let step = server(self.protocol, self.state, message);
        let Some(Incoming { id, payload, .. }) = incoming else {
            return Err(self.over(CloseCode::BadRequest));
        };
        match step {
            ServerStep::Close(CloseCode::SubscriberAlreadyExists) => {
                self.over(CloseCode::SubscriberAlreadyExists);
                Err(Closing::exists(&id))
            }
            ServerStep::Close(code) => Err(self.over(code)),
            ServerStep::Nothing => Ok(None),
            ServerStep::Pong => {
                write(self.protocol, Side::Server, Kind::Pong, None, payload, out);
                Ok(None)
            }
            ServerStep::Decide => {
                self.state = ServerState::Deciding;
                Ok(Some(ServerEvent::Init { payload }))
            }
            ServerStep::Stop => {
                self.remove(&id);
                Ok(Some(ServerEvent::Complete { id }))
            }
            ServerStep::Execute | ServerStep::Replace => {
                let replaces = step == ServerStep::Replace;
                self.remove(&id);
                match Request::of_json(payload.unwrap_or_default(), limits) {
                    Ok(request) => Ok(self.begin(id, request, replaces, limits, out)),
                    Err(error @ RequestError::DocumentTooLong) => {
                        self.refuse_operation(&id, error, out);
                        Ok(replaces.then_some(ServerEvent::Complete { id }))
                    }
                    Err(_) => Err(self.over(CloseCode::BadRequest)),
                }
            }
        }
    }

    /// An operation begins, if there may be one more.
    fn begin<'a>(
        &mut self,
        id: Cow<'a, str>,
        request: Request<'a>,
        replaces: bool,
        limits: &Limits,
        out: &mut String,
    ) -> Option<ServerEvent<'a>> {
        let listens = request.operation_type() == Some(OperationType::Subscription);
        let is_full = self.operations.len() >= limits.operations
            || (listens && self.subscriptions >= limits.subscriptions);
        if is_full {
            self.refuse_operation(&id, RequestError::TooManyOperations, out);
            return replaces.then_some(ServerEvent::Complete { id });
        }
        self.held += id.len();
        self.subscriptions += usize::from(listens);
        self.operations.insert(id.as_ref().into(), listens);
        Some(ServerEvent::Subscribe {
            id,
            request,
            replaces,
        })
    }

    fn refuse_operation(&self, id: &str, error: RequestError, out: &mut String) {
        let mut payload = String::from(if self.is_legacy() { "" } else { "[" });
        error.write(&mut payload);
        payload.push_str(if self.is_legacy() { "" } else { "]" });
        self.say(Kind::Error, Some(id), Some(&payload), out);
    }

    const fn is_legacy(&self) -> bool {
        matches!(self.protocol, Protocol::Legacy)
    }

    fn say(&self, kind: Kind, id: Option<&str>, payload: Option<&str>, out: &mut String) {
        write(self.protocol, Side::Server, kind, id, payload, out);
    }

    /// Accepts the client, with a JSON object for it or none. False, and nothing is written,
    /// if it has not asked, or is accepted.
    pub fn accept(&mut self, payload: Option<&str>, out: &mut String) -> bool {
        let is_asked = self.state == ServerState::Deciding;
        if is_asked {
            self.state = ServerState::Ready;
            self.say(Kind::Ack, None, payload, out);
        }
        is_asked
    }

    /// Refuses the client: the WebSocket is to be closed so. `reason` has at most 123 bytes.
    pub fn refuse(&mut self, reason: &str, out: &mut String) -> Closing {
        let mut code = CloseCode::Forbidden;
        if self.is_legacy() {
            code = CloseCode::Refused;
            let mut payload = String::from(r#"{"message":"#);
            crate::wire::json::put_string(reason, &mut payload);
            payload.push('}');
            self.say(Kind::Refusal, None, Some(&payload), out);
        }
        let closing = self.over(code);
        match reason.len() {
            1..=123 => Closing {
                code,
                reason: reason.into(),
            },
            _ => closing,
        }
    }

    /// Sends a result of an operation: a JSON object of GraphQL. False, and nothing is
    /// written, if it is over: the client may have stopped it.
    pub fn next(&self, id: &str, result: &str, out: &mut String) -> bool {
        let is_live = self.is_live(id);
        if is_live {
            self.say(Kind::Next, Some(id), Some(result), out);
        }
        is_live
    }

    /// Ends an operation with errors: a JSON array of GraphQL errors that is not empty. The
    /// legacy protocol tells the first. False, and nothing is written, if it is over.
    pub fn error(&mut self, id: &str, errors: &str, out: &mut String) -> bool {
        let is_live = self.remove(id);
        if is_live {
            let first = crate::wire::json::elements(errors, 0);
            let first = first.as_deref().and_then(|it| it.first().copied());
            let payload = match self.protocol {
                Protocol::TransportWs => errors,
                Protocol::Legacy => first.unwrap_or("{}"),
            };
            self.say(Kind::Error, Some(id), Some(payload), out);
        }
        is_live
    }

    /// Ends an operation. False, and nothing is written, if it is over.
    pub fn complete(&mut self, id: &str, out: &mut String) -> bool {
        let is_live = self.remove(id);
        if is_live {
            self.say(Kind::Complete, Some(id), None, out);
        }
        is_live
    }

    /// Shows that the connection lives: a `ping`, or the legacy `ka`, of a client that was
    /// accepted.
    pub fn keep_alive(&self, out: &mut String) {
        if self.state == ServerState::Ready {
            let kind = if self.is_legacy() {
                Kind::KeepAlive
            } else {
                Kind::Ping
            };
            self.say(kind, None, None, out);
        }
    }

    /// Something went wrong here: the WebSocket is to be closed so.
    pub fn fail(&mut self) -> Closing {
        self.over(CloseCode::InternalServerError)
    }

    /// When [`elapsed`](Self::elapsed) is to be called, if ever.
    pub fn deadline(&self) -> Option<Instant> {
        let is_open = matches!(self.state, ServerState::Opening | ServerState::Deciding);
        is_open.then_some(self.init_by)
    }

    /// The time is now.
    ///
    /// # Errors
    /// [`Closing`] with [`CloseCode::ConnectionInitialisationTimeout`].
    pub fn elapsed(&mut self, now: Instant) -> Result<(), Closing> {
        match self.deadline().is_some_and(|it| it <= now) {
            true => Err(self.over(CloseCode::ConnectionInitialisationTimeout)),
            false => Ok(()),
        }
    }

    /// Whether the client is accepted.
    pub fn is_ready(&self) -> bool {
        self.state == ServerState::Ready
    }

    /// Whether an operation runs.
    pub fn is_live(&self, id: &str) -> bool {
        self.operations.contains_key(id)
    }

    /// The operations that run.
    pub fn operations(&self) -> usize {
        self.operations.len()
    }

    /// Bytes that are held for the client: the ids, at most
    /// [`Limits::operations`] of [`Limits::id`] bytes.
    pub const fn held(&self) -> usize {
        self.held
    }

    fn remove(&mut self, id: &str) -> bool {
        let Some((id, listens)) = self.operations.remove_entry(id) else {
            return false;
        };
        self.held -= id.len();
        self.subscriptions -= usize::from(listens);
        true
    }

    /// It is over; the first code stays.
    fn over(&mut self, code: CloseCode) -> Closing {
        let code = match self.state {
            ServerState::Over(first) => first,
            ServerState::Opening | ServerState::Deciding | ServerState::Ready => code,
        };
        self.state = ServerState::Over(code);
        self.operations.clear();
        (self.subscriptions, self.held) = (0, 0);
        code.into()
    }
}
