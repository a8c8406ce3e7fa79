//! Errors, as a client is told them.

use alloc::string::String;
use core::fmt;

/// The `code` of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// `bad_json`: the message is not JSON.
    BadJson,
    /// `bad_envelope`: it is JSON, but no envelope.
    BadEnvelope,
    /// `bad_payload`: the payload cannot be what its type says.
    BadPayload,
    /// `unknown_type`: an unknown `message_type`, or `type` of a payload.
    UnknownType,
    /// `missing_channel`: the request names no channel.
    MissingChannel,
    /// `bad_channel`: the channel's name is empty, too long, or has control characters.
    BadChannel,
    /// `not_allowed`: the channel's rule says no.
    NotAllowed,
    /// `too_large`: the message is longer, or nested deeper, than the server takes.
    TooLarge,
    /// `too_fast`: the client asks for more in this time than the server takes.
    TooFast,
    /// `too_many`: there are as many channels or members as there may be.
    TooMany,
    /// `unavailable`: the server cannot do it now. It may be tried again.
    Unavailable,
    /// `unknown`: it may have been published or not. The server was cut off from others
    /// meanwhile, and the channel keeps no history.
    Unknown,
}

impl ErrorCode {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::BadJson,
        Self::BadEnvelope,
        Self::BadPayload,
        Self::UnknownType,
        Self::MissingChannel,
        Self::BadChannel,
        Self::NotAllowed,
        Self::TooLarge,
        Self::TooFast,
        Self::TooMany,
        Self::Unavailable,
        Self::Unknown,
    ];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadJson => "bad_json",
            Self::BadEnvelope => "bad_envelope",
            Self::BadPayload => "bad_payload",
            Self::UnknownType => "unknown_type",
            Self::MissingChannel => "missing_channel",
            Self::BadChannel => "bad_channel",
            Self::NotAllowed => "not_allowed",
            Self::TooLarge => "too_large",
            Self::TooFast => "too_fast",
            Self::TooMany => "too_many",
            Self::Unavailable => "unavailable",
            Self::Unknown => "unknown",
        }
    }

    /// The code of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == name)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The fault of a message, for which its sender is answered with an error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {text}")]
pub struct Fault {
    /// Its code.
    pub code: ErrorCode,
    /// The fault in words.
    pub text: &'static str,
    /// The `message_id` of the message, if it could be read.
    pub in_reply_to: Option<String>,
}
