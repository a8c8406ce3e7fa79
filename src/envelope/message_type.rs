//! Types of messages.

/// The `message_type` of an envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageType {
    /// The payload is any JSON.
    Text,
    /// The payload is a text: bytes in base64 (RFC 4648 §4).
    Binary,
    /// The payload is of no account. It is answered by a pong.
    Ping,
    /// The payload is "pong".
    Pong,
    /// The closing handshake is to begin.
    Close,
}

impl MessageType {
    const ALL: [Self; 5] = [
        Self::Text,
        Self::Binary,
        Self::Ping,
        Self::Pong,
        Self::Close,
    ];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Binary => "binary",
            Self::Ping => "ping",
            Self::Pong => "pong",
            Self::Close => "close",
        }
    }

    /// The type of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == name)
    }
}
