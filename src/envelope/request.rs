//! The requests of a client.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{EnvelopeLimits, ErrorCode, Fault, MessageType};
use crate::wire::json::{NotObject, given, is_deeper, members, string};

/// A message of a client. What it says of its sender and its time is not looked at.
///
/// ```
/// use barewire::envelope::{EnvelopeLimits, Request, Want};
///
/// let text = r#"{"message_id": "7", "message_type": "text",
///     "payload": {"type": "broadcast", "channel": "tea", "data": 1.0}}"#;
/// let request = Request::parse(text.as_bytes(), &EnvelopeLimits::DEFAULT)?;
/// assert_eq!(request.message_id.as_deref(), Some("7"));
/// assert_eq!(request.want, Want::Broadcast { channel: "tea".into(), data: "1.0" });
/// # Ok::<(), barewire::envelope::Fault>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request<'a> {
    /// The name that its answer refers to.
    pub message_id: Option<Cow<'a, str>>,
    /// What it asks for.
    pub want: Want<'a>,
}

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Want<'a> {
    /// To be a member of a channel.
    Subscribe {
        /// Its name.
        channel: Cow<'a, str>,
        /// What the client has got of it.
        since: Since<'a>,
    },
    /// To be a member no more.
    Unsubscribe {
        /// The channel's name.
        channel: Cow<'a, str>,
    },
    /// To tell all others of a channel.
    Broadcast {
        /// Its name.
        channel: Cow<'a, str>,
        /// JSON; `null` if there was none.
        data: &'a str,
    },
    /// Something of the application's.
    Other {
        /// The `type` of its payload.
        kind: Cow<'a, str>,
        /// JSON; `null` if there was none.
        data: &'a str,
    },
    /// Bytes, for the application.
    Binary(Vec<u8>),
    /// To be answered with a pong.
    Ping,
    /// Nothing: it is a pong itself.
    Pong,
    /// To begin the closing handshake.
    Close,
}

/// What a client has got of a channel that it subscribes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Since<'a> {
    /// Nothing: it wants what comes from now on.
    Now,
    /// All up to an offset.
    Offset {
        /// The life of the channel that it belongs to.
        epoch: Cow<'a, str>,
        /// The offset.
        offset: u64,
    },
    /// Something, but where that ends cannot be read: it cannot be recovered.
    Unreadable,
}

impl<'a> Request<'a> {
    /// Reads a message.
    ///
    /// # Errors
    /// The [`Fault`] to answer with.
    pub fn parse(message: &'a [u8], limits: &EnvelopeLimits) -> Result<Self, Fault> {
        if message.len() > limits.message {
            return Err(large(message, limits, "the message is too long"));
        }
        let Some(text) = crate::wire::simd::as_text(message) else {
            return Err(fault(ErrorCode::BadJson, "the message is not UTF-8"));
        };
        if is_deeper(text, limits.nesting) {
            return Err(large(message, limits, "the message is nested too deeply"));
        }
        let names = ["message_id", "message_type", "payload"];
        let [message_id, message_type, payload] = members(text, names).map_err(not_object)?;
        let message_id = match given(message_id) {
            None => None,
            Some(json) => Some(name_of(json, limits).ok_or_else(|| {
                let text = "the message_id is not a text, or too long";
                fault(ErrorCode::BadEnvelope, text)
            })?),
        };
        match want(message_type, payload.unwrap_or("null")) {
            Ok(want) => Ok(Self { message_id, want }),
            Err((code, text)) => Err(Fault {
                code,
                text,
                in_reply_to: message_id.map(Cow::into_owned),
            }),
        }
    }
}

/// A code and some words.
type Wrong = (ErrorCode, &'static str);

const fn fault(code: ErrorCode, text: &'static str) -> Fault {
    Fault {
        code,
        text,
        in_reply_to: None,
    }
}

fn not_object(why: NotObject) -> Fault {
    match why {
        NotObject::Malformed => fault(ErrorCode::BadJson, "the message is not JSON"),
        NotObject::Other => fault(ErrorCode::BadEnvelope, "the message is not an object"),
    }
}

/// The fault of a message that is too large. Its name is looked for all the same.
fn large(message: &[u8], limits: &EnvelopeLimits, text: &'static str) -> Fault {
    let name = || -> Option<String> {
        let text = crate::wire::simd::as_text(message)?;
        let [name] = members(text, ["message_id"]).ok()?;
        name_of(name?, limits).map(Cow::into_owned)
    };
    Fault {
        code: ErrorCode::TooLarge,
        text,
        in_reply_to: name(),
    }
}

fn name_of<'a>(json: &'a str, limits: &EnvelopeLimits) -> Option<Cow<'a, str>> {
    string(json).filter(|it| it.len() <= limits.message_id)
}

fn want<'a>(message_type: Option<&'a str>, payload: &'a str) -> Result<Want<'a>, Wrong> {
    let Some(name) = given(message_type).and_then(string) else {
        return Err((ErrorCode::BadEnvelope, "the message has no message_type"));
    };
    match MessageType::parse(&name) {
        Some(MessageType::Text) => in_text(payload),
        Some(MessageType::Binary) => {
            let bytes = string(payload).and_then(|it| STANDARD.decode(&*it).ok());
            let wrong = (ErrorCode::BadPayload, "the payload is not base64");
            bytes.map(Want::Binary).ok_or(wrong)
        }
        Some(MessageType::Ping) => Ok(Want::Ping),
        Some(MessageType::Pong) => Ok(Want::Pong),
        Some(MessageType::Close) => Ok(Want::Close),
        None => Err((ErrorCode::UnknownType, "the message_type is not known")),
    }
}

const NO_TYPE: Wrong = (ErrorCode::UnknownType, "the payload has no type");

fn in_text(payload: &str) -> Result<Want<'_>, Wrong> {
    let names = ["type", "data", "channel", "epoch", "offset"];
    // It is JSON, for it was read before.
    let [kind, data, channel, epoch, offset] = members(payload, names).map_err(|_| NO_TYPE)?;
    let kind = given(kind).and_then(string).ok_or(NO_TYPE)?;
    let data = data.unwrap_or("null");
    if !matches!(&*kind, "subscribe" | "unsubscribe" | "broadcast") {
        return Ok(Want::Other { kind, data });
    }
    // All of it may stand inside of `data` as well.
    let names = ["data", "channel", "epoch", "offset"];
    let inner = members(data, names).unwrap_or_default();
    let (channel, data) = match (given(channel), given(inner[1])) {
        (Some(channel), _) => (channel, data),
        (None, Some(channel)) => (channel, inner[0].unwrap_or("null")),
        (None, None) => return Err((ErrorCode::MissingChannel, "the request names no channel")),
    };
    let wrong = (ErrorCode::BadChannel, "the channel is not a text");
    let channel = string(channel).ok_or(wrong)?;
    Ok(match &*kind {
        "broadcast" => Want::Broadcast { channel, data },
        "unsubscribe" => Want::Unsubscribe { channel },
        _ => {
            let epoch = given(epoch).or(given(inner[2]));
            let offset = given(offset).or(given(inner[3]));
            let since = since(epoch, offset);
            Want::Subscribe { channel, since }
        }
    })
}

fn since<'a>(epoch: Option<&'a str>, offset: Option<&'a str>) -> Since<'a> {
    if epoch.is_none() && offset.is_none() {
        return Since::Now;
    }
    let epoch = epoch.and_then(string);
    let offset = offset.and_then(|it| it.parse().ok());
    match epoch.zip(offset) {
        Some((epoch, offset)) => Since::Offset { epoch, offset },
        None => Since::Unreadable,
    }
}

#[cfg(test)]
mod tests;
