//! Close codes of GraphQL over WebSockets.

use alloc::string::String;

/// The code with which a side closes the WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CloseCode {
    /// 1000: the client is done.
    Normal,
    /// 1011: the legacy protocol's refusal, behind its `connection_error`.
    Refused,
    /// 4004: the server's message is not one that the client may get now.
    BadResponse,
    /// 4400: the client's message is not one that the server reads.
    BadRequest,
    /// 4401: an operation before the acknowledgement.
    Unauthorized,
    /// 4403: the server has refused the `connection_init`.
    Forbidden,
    /// 4406: no subprotocol in common.
    SubprotocolNotAcceptable,
    /// 4408: no `connection_init` in time.
    ConnectionInitialisationTimeout,
    /// 4409: an operation of this id runs.
    SubscriberAlreadyExists,
    /// 4429: a second `connection_init`.
    TooManyInitialisationRequests,
    /// 4500: a fault of the server.
    InternalServerError,
    /// 4504: no acknowledgement in time.
    ConnectionAcknowledgementTimeout,
}

impl CloseCode {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Normal,
        Self::Refused,
        Self::BadResponse,
        Self::BadRequest,
        Self::Unauthorized,
        Self::Forbidden,
        Self::SubprotocolNotAcceptable,
        Self::ConnectionInitialisationTimeout,
        Self::SubscriberAlreadyExists,
        Self::TooManyInitialisationRequests,
        Self::InternalServerError,
        Self::ConnectionAcknowledgementTimeout,
    ];

    /// The number.
    pub const fn code(self) -> u16 {
        match self {
            Self::Normal => 1000,
            Self::Refused => 1011,
            Self::BadResponse => 4004,
            Self::BadRequest => 4400,
            Self::Unauthorized => 4401,
            Self::Forbidden => 4403,
            Self::SubprotocolNotAcceptable => 4406,
            Self::ConnectionInitialisationTimeout => 4408,
            Self::SubscriberAlreadyExists => 4409,
            Self::TooManyInitialisationRequests => 4429,
            Self::InternalServerError => 4500,
            Self::ConnectionAcknowledgementTimeout => 4504,
        }
    }

    /// The words that go with it.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Normal => "",
            Self::Refused | Self::Forbidden => "Forbidden",
            Self::BadResponse => "Bad response",
            Self::BadRequest => "Invalid message",
            Self::Unauthorized => "Unauthorized",
            Self::SubprotocolNotAcceptable => "Subprotocol not acceptable",
            Self::ConnectionInitialisationTimeout => "Connection initialisation timeout",
            Self::SubscriberAlreadyExists => "Subscriber already exists",
            Self::TooManyInitialisationRequests => "Too many initialisation requests",
            Self::InternalServerError => "Internal server error",
            Self::ConnectionAcknowledgementTimeout => "Connection acknowledgement timeout",
        }
    }

    /// Whether a client that gets, or sends, this code of a close is not to connect again:
    /// the next connection would end in the same way. A refusal and the two timeouts may go
    /// away.
    ///
    /// ```
    /// use barewire::graphql::socket::CloseCode;
    ///
    /// assert!(CloseCode::is_fatal(4400) && CloseCode::is_fatal(4500));
    /// assert!(!CloseCode::is_fatal(4408) && !CloseCode::is_fatal(1006));
    /// ```
    pub const fn is_fatal(code: u16) -> bool {
        match code {
            1000 | 1001 | 1005 | 1006 | 1012..=1014 => false,
            1000..=1999 => true,
            4004 | 4005 | 4400 | 4401 | 4406 | 4409 | 4429 | 4500 => true,
            _ => false,
        }
    }
}

/// The end of a WebSocket, as this side is to close it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}", code.code())]
pub struct Closing {
    /// The code.
    pub code: CloseCode,
    /// The words, at most 123 bytes (RFC 6455 §5.5).
    pub reason: String,
}

impl From<CloseCode> for Closing {
    fn from(code: CloseCode) -> Self {
        Self {
            code,
            reason: code.reason().into(),
        }
    }
}

impl Closing {
    /// An operation of this id runs.
    pub(super) fn exists(id: &str) -> Self {
        let mut reason = alloc::format!("Subscriber for {id} already exists");
        while reason.len() > 123 {
            reason.pop();
        }
        Self {
            code: CloseCode::SubscriberAlreadyExists,
            reason,
        }
    }
}
