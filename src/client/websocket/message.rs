//! Messages of a WebSocket, as a client keeps them.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::websocket::{CloseCode, Kind};

/// A message of a WebSocket.
///
/// ```
/// use barewire::client::Message;
///
/// assert_eq!(Message::from("hi").text(), Some("hi"));
/// assert_eq!(Message::from(vec![1, 2]).payload(), [1, 2]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Message {
    /// Text.
    Text(String),
    /// Any bytes.
    Binary(Vec<u8>),
}

impl Message {
    /// Its kind.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Text(_) => Kind::Text,
            Self::Binary(_) => Kind::Binary,
        }
    }

    /// Its bytes.
    pub fn payload(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// Its text; `None` of a binary one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Binary(_) => None,
        }
    }

    /// Its bytes, without a copy.
    pub fn into_payload(self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.into_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&[u8]> for Message {
    fn from(bytes: &[u8]) -> Self {
        Self::Binary(bytes.into())
    }
}

impl From<Vec<u8>> for Message {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Binary(bytes)
    }
}

impl<const N: usize> From<&[u8; N]> for Message {
    fn from(bytes: &[u8; N]) -> Self {
        Self::Binary(bytes.into())
    }
}

impl From<Bytes> for Message {
    fn from(bytes: Bytes) -> Self {
        Self::Binary(bytes.into())
    }
}

/// A Close frame of the peer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CloseFrame {
    /// Its code; [`CloseCode::NO_STATUS`] if it had none.
    pub code: CloseCode,
    /// Its reason.
    pub reason: String,
}

impl CloseFrame {
    /// One that may be sent (RFC 6455 §5.5, §7.4.2): 1000 without a reason in place of one
    /// that may not.
    pub(crate) fn new(code: CloseCode, reason: &str) -> Self {
        let (code, reason) = match code.is_sendable() && reason.len() <= 123 {
            true => (code, reason),
            false => (CloseCode::NORMAL, ""),
        };
        let reason = reason.into();
        Self { code, reason }
    }
}

/// A value that can be sent as a message: text, or bytes, which are binary.
pub trait AsMessage {
    /// Its kind and its bytes.
    fn as_message(&self) -> (Kind, &[u8]);
}

impl AsMessage for str {
    fn as_message(&self) -> (Kind, &[u8]) {
        (Kind::Text, self.as_bytes())
    }
}

impl AsMessage for String {
    fn as_message(&self) -> (Kind, &[u8]) {
        (Kind::Text, self.as_bytes())
    }
}

impl AsMessage for [u8] {
    fn as_message(&self) -> (Kind, &[u8]) {
        (Kind::Binary, self)
    }
}

impl<const N: usize> AsMessage for [u8; N] {
    fn as_message(&self) -> (Kind, &[u8]) {
        (Kind::Binary, self)
    }
}

impl AsMessage for Vec<u8> {
    fn as_message(&self) -> (Kind, &[u8]) {
        (Kind::Binary, self)
    }
}

impl AsMessage for Bytes {
    fn as_message(&self) -> (Kind, &[u8]) {
        (Kind::Binary, self)
    }
}

impl AsMessage for Message {
    fn as_message(&self) -> (Kind, &[u8]) {
        (self.kind(), self.payload())
    }
}

impl<M: AsMessage + ?Sized> AsMessage for &M {
    fn as_message(&self) -> (Kind, &[u8]) {
        (**self).as_message()
    }
}
