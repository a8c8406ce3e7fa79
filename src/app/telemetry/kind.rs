//! The kinds of what is counted.

/// The kinds of sessions that are counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// WebSockets.
    WebSocket,
    /// Event streams.
    Events,
    /// Calls of gRPC services.
    Grpc,
    /// Streamed and deferred replies, and requests that are being collected.
    Exchange,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::WebSocket, Self::Events, Self::Grpc, Self::Exchange];

    pub(super) const fn index(self) -> usize {
        self as usize
    }

    /// The kind as a label of metrics has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WebSocket => "websocket",
            Self::Events => "events",
            Self::Grpc => "grpc",
            Self::Exchange => "exchange",
        }
    }
}
