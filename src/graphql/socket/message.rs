//! Messages as they are written: one JSON object in one text message.
//!
//! ```text
//!   {"id":"1","type":"subscribe","payload":{"query":"subscription { a }"}}
//!   {"id":"1","type":"next","payload":{"data":{"a":1}}}
//! ```

use alloc::borrow::Cow;
use alloc::string::String;

use super::Protocol;
use crate::graphql::Limits;
use crate::graphql::request::as_json;
use crate::wire::json::{given, members, put_string, string};

/// The type of a message, whatever its protocol calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Init,
    Ack,
    /// Legacy: the refusal of an init.
    Refusal,
    Ping,
    Pong,
    /// Legacy.
    KeepAlive,
    Subscribe,
    Next,
    Error,
    /// Of a server.
    Complete,
    /// Of a client: `complete`, or legacy `stop`.
    Stop,
    /// Legacy.
    Terminate,
}

use Kind::{
    Ack, Complete, Error, Init, KeepAlive, Next, Ping, Pong, Refusal, Stop, Subscribe, Terminate,
};

/// What a client says, and what a server says.
type Names = (
    &'static [(Kind, &'static str)],
    &'static [(Kind, &'static str)],
);

const TRANSPORT_WS: Names = (
    &[
        (Init, "connection_init"),
        (Ping, "ping"),
        (Pong, "pong"),
        (Subscribe, "subscribe"),
        (Stop, "complete"),
    ],
    &[
        (Ack, "connection_ack"),
        (Ping, "ping"),
        (Pong, "pong"),
        (Next, "next"),
        (Error, "error"),
        (Complete, "complete"),
    ],
);

const LEGACY: Names = (
    &[
        (Init, "connection_init"),
        (Subscribe, "start"),
        (Stop, "stop"),
        (Terminate, "connection_terminate"),
    ],
    &[
        (Ack, "connection_ack"),
        (Refusal, "connection_error"),
        (KeepAlive, "ka"),
        (Next, "data"),
        (Error, "error"),
        (Complete, "complete"),
    ],
);

/// Who has sent a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Client,
    Server,
}

fn names(protocol: Protocol, side: Side) -> &'static [(Kind, &'static str)] {
    let (client, server) = match protocol {
        Protocol::TransportWs => TRANSPORT_WS,
        Protocol::Legacy => LEGACY,
    };
    match side {
        Side::Client => client,
        Side::Server => server,
    }
}

/// A message that has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Incoming<'a> {
    pub(super) kind: Kind,
    /// Empty where the type has none.
    pub(super) id: Cow<'a, str>,
    pub(super) payload: Option<&'a str>,
}

impl<'a> Incoming<'a> {
    /// Reads a message of this side; `None` if it is of no type, or not of its form.
    pub(super) fn read(
        protocol: Protocol,
        side: Side,
        text: &'a str,
        limits: &Limits,
    ) -> Option<Self> {
        let text = as_json(text.as_bytes(), limits).ok()?;
        let [id, kind, payload] = members(text, ["id", "type", "payload"]).ok()?;
        let kind = string(kind?)?;
        let (kind, _) = names(protocol, side).iter().find(|it| it.1 == kind)?;
        let payload = given(payload);
        let is_form = |first: char| payload.is_some_and(|it| it.starts_with(first));
        let (has_id, is_valid) = match kind {
            Init | Ack | Ping | Pong => (false, payload.is_none() || is_form('{')),
            Refusal | KeepAlive | Terminate => (false, true),
            Subscribe | Next => (true, is_form('{')),
            Error => match protocol {
                Protocol::TransportWs => (true, is_form('[')),
                Protocol::Legacy => (true, payload.is_some()),
            },
            Complete | Stop => (true, true),
        };
        let id = match has_id {
            true => given(id).and_then(string)?,
            false => Cow::Borrowed(""),
        };
        let is_named = !has_id || !id.is_empty() && id.len() <= limits.id;
        (is_valid && is_named).then_some(Self {
            kind: *kind,
            id,
            payload,
        })
    }
}

/// Bytes of a message around its id and its payload, at most.
const ENVELOPE: usize = 64;

/// Appends a message; nothing if the protocol has none of this kind. The payload is JSON.
pub(super) fn write(
    protocol: Protocol,
    side: Side,
    kind: Kind,
    id: Option<&str>,
    payload: Option<&str>,
    out: &mut String,
) {
    let Some((_, name)) = names(protocol, side).iter().find(|it| it.0 == kind) else {
        return;
    };
    let texts = [id, payload].into_iter().flatten().map(str::len);
    out.reserve(ENVELOPE + texts.sum::<usize>());
    out.push('{');
    if let Some(id) = id {
        out.push_str(r#""id":"#);
        put_string(id, out);
        out.push(',');
    }
    out.push_str(r#""type":""#);
    out.push_str(name);
    match payload {
        None => out.push_str(r#""}"#),
        Some(payload) => {
            out.push_str(r#"","payload":"#);
            out.push_str(payload);
            out.push('}');
        }
    }
}
