//! The operations of one WebSocket, through all its connections, without I/O.
//!
//! ```text
//!   begin ──► connection_init      see ──► connection_ack      resume ──► subscribe, …
//!   take ──► next, complete        end ──► the connection is lost: all begin again
//! ```

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::{GraphQlError, GraphQlOptions, GraphQlResponse};
use crate::client::{Closed, ComeBack, Receipt, Seen};
use crate::graphql::socket::{Client, ClientEvent, CloseCode, Closing, Protocol};
use crate::graphql::{Limits, Request};
use crate::wire::Instant;
use crate::wire::json::{members, string};

/// The close code of a legacy server for a subprotocol that it does not speak.
const REFUSED: u16 = 1002;
const NOT_ACCEPTABLE: u16 = CloseCode::SubprotocolNotAcceptable.code();

#[derive(Debug)]
struct Asked {
    request: Request<'static>,
    /// It was asked for on an earlier connection: results may be missing.
    was_asked: bool,
}

/// What has come of an operation.
#[derive(Debug)]
pub(super) enum News {
    Next(GraphQlResponse),
    Resubscribed,
    Ended(Result<(), GraphQlError>),
}

#[derive(Debug)]
pub(super) struct Talk {
    limits: Limits,
    /// The connection that is open.
    client: Option<Client>,
    operations: BTreeMap<u64, Asked>,
    next_id: u64,
    /// What the next `connection_init` says.
    pub(super) init: Option<String>,
    /// Operations that are still to be asked for on this connection, the first one last.
    left: Vec<u64>,
    /// Messages that only this connection is to see.
    pub(super) control: Vec<Receipt>,
    /// The server has just refused what it has chosen itself: the next connection is offered
    /// the legacy protocol alone.
    only_legacy: bool,
    /// No further connection comes.
    pub(super) over: Option<Over>,
}

/// Why no further connection comes.
#[derive(Debug, Clone)]
pub(super) enum Over {
    /// This side has closed it for good.
    Left,
    Lost(Closed),
    Broken(Closing),
}

impl Over {
    /// The end of each operation.
    pub(super) fn end(&self) -> Result<(), GraphQlError> {
        match self {
            Self::Left => Ok(()),
            Self::Lost(closed) => Err(GraphQlError::Closed(closed.clone())),
            Self::Broken(closing) => Err(closing.clone().into()),
        }
    }
}

impl Talk {
    pub(super) const fn new(limits: Limits) -> Self {
        Self {
            limits,
            client: None,
            operations: BTreeMap::new(),
            next_id: 1,
            init: None,
            left: Vec::new(),
            control: Vec::new(),
            only_legacy: false,
            over: None,
        }
    }

    /// A further operation: its id, and what is sent if there is a connection.
    pub(super) fn subscribe(&mut self, request: Request<'static>) -> (u64, Option<String>) {
        let id = self.next_id;
        self.next_id += 1;
        let asked = Asked {
            request,
            was_asked: false,
        };
        self.operations.insert(id, asked);
        (id, self.ask(id))
    }

    fn ask(&mut self, id: u64) -> Option<String> {
        let (client, asked) = (self.client.as_mut()?, self.operations.get_mut(&id)?);
        let mut out = String::new();
        let is_asked = client.subscribe(id, &asked.request, &mut out);
        asked.was_asked |= is_asked;
        is_asked.then_some(out)
    }

    /// An operation is not wanted any more: what is sent, if there is a connection.
    pub(super) fn stop(&mut self, id: u64) -> Option<String> {
        self.operations.remove(&id)?;
        let mut out = String::new();
        let is_said = self.client.as_mut()?.complete(id, &mut out);
        is_said.then_some(out)
    }

    /// The subprotocols that the next connection offers.
    pub(super) fn offers(&self) -> &'static [Protocol] {
        match self.only_legacy {
            true => &[Protocol::Legacy],
            false => &Protocol::ALL,
        }
    }

    /// When to come back after such an end. Servers of subscriptions-transport-ws choose the
    /// first subprotocol that is offered, or none, and close what is not theirs with 1002:
    /// they are offered theirs alone then, for one connection: the server that is
    /// met after that may be a newer one, which speaks nothing else.
    pub(super) fn come_back(&mut self, closed: &Closed) -> ComeBack {
        let is_refused = matches!(closed, Closed::ByPeer { code, .. }
            if matches!(code.get(), REFUSED | NOT_ACCEPTABLE));
        let is_new = self.client.as_ref().is_some_and(|it| !it.is_ready());
        let was_only_legacy = self.only_legacy;
        if self.client.is_some() {
            self.only_legacy = false; // one was opened
        }
        if is_refused && is_new && !was_only_legacy {
            self.only_legacy = true;
            return ComeBack::Retry;
        }
        GraphQlOptions::come_back(closed)
    }

    /// A connection is open: what is said first, in either protocol.
    pub(super) fn begin(&mut self) -> String {
        let mut out = String::new();
        let mut client = Client::new(Protocol::TransportWs);
        client.init(self.init.as_deref(), Instant::START, &self.limits, &mut out);
        self.client = Some(client);
        out
    }

    /// The server has chosen a protocol, or none.
    pub(super) fn opened(&mut self, protocol: Option<&str>) {
        let protocol = protocol.and_then(Protocol::named);
        let mut client = Client::new(protocol.unwrap_or(Protocol::TransportWs));
        // It is sent by `begin`.
        client.init(None, Instant::START, &self.limits, &mut String::new());
        self.client = Some(client);
    }

    /// What a message means for the hook: whether it acknowledges the connection.
    pub(super) fn see(&mut self, text: &str) -> Seen {
        let Some(client) = self.client.as_mut().filter(|it| !it.is_ready()) else {
            return Seen::Message;
        };
        let kind = members(text, ["type"]).ok().and_then(|[it]| string(it?));
        if kind.is_none_or(|it| it != "connection_ack") {
            return Seen::Message;
        }
        // It answers nothing. One that is not of its form is judged as a message.
        let received = client.receive(text, &self.limits, &mut String::new());
        if received.is_err() {
            return Seen::Message;
        }
        self.left = self.operations.keys().rev().copied().collect();
        Seen::Resumed {
            recovered: !self.operations.values().any(|it| it.was_asked),
            position: None,
        }
    }

    /// The connection is acknowledged: the next operation to be asked for, what is sent for
    /// it, and whether it was asked for before.
    pub(super) fn resume(&mut self) -> Option<(u64, String, bool)> {
        while let Some(id) = self.left.pop() {
            let was_asked = self.operations.get(&id).is_some_and(|it| it.was_asked);
            if let Some(text) = self.ask(id) {
                return Some((id, text, was_asked));
            }
        }
        None
    }

    /// A message has come. What is answered is appended to `out`.
    pub(super) fn take(
        &mut self,
        text: &str,
        out: &mut String,
    ) -> Result<Option<(u64, News)>, Closing> {
        let Some(client) = &mut self.client else {
            return Ok(None);
        };
        Ok(match client.receive(text, &self.limits, out)? {
            Some(ClientEvent::Next { id, result }) => {
                let response = GraphQlResponse::parse(result).unwrap_or_default();
                Some((id, News::Next(response)))
            }
            Some(ClientEvent::Error { id, errors }) => {
                self.operations.remove(&id);
                let response = GraphQlResponse::of_errors(&errors);
                let error = GraphQlError::Response(response.into());
                Some((id, News::Ended(Err(error))))
            }
            Some(ClientEvent::Complete { id }) => {
                self.operations.remove(&id);
                Some((id, News::Ended(Ok(()))))
            }
            // The server closes it.
            Some(ClientEvent::Refused { .. } | ClientEvent::Acknowledged { .. }) | None => None,
        })
    }

    /// The connection is over: what was said only for it.
    pub(super) fn end(&mut self) -> Vec<Receipt> {
        self.client = None;
        self.left.clear();
        core::mem::take(&mut self.control)
    }

    /// No connection comes any more.
    pub(super) fn finish(&mut self, over: Over) {
        self.over.get_or_insert(over);
        self.client = None;
        self.operations.clear();
    }
}
