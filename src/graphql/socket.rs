//! GraphQL over WebSockets: `graphql-transport-ws`, and the older `graphql-ws` of
//! subscriptions-transport-ws.
//!
//! ```text
//!   client                                    server
//!     connection_init ────────────────────►     accept
//!     ◄──────────────────── connection_ack
//!     subscribe 1 ────────────────────────►     next, next, …
//!     ◄──────────── next 1, next 1, complete 1
//! ```
//!
//! [`Server`] and [`Client`] take text messages and write what is to be sent: each call at
//! most one message, and nothing where it leaves `out` as it was. They hold the ids of
//! operations that run, and nothing else.

mod client;
mod close_code;
mod message;
mod server;
mod state;

pub use client::{Client, ClientEvent};
pub use close_code::{CloseCode, Closing};
pub use server::{Server, ServerEvent};

/// A subprotocol of WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// `graphql-transport-ws`, of the package graphql-ws.
    TransportWs,
    /// `graphql-ws`, of the package subscriptions-transport-ws, which is not maintained.
    Legacy,
}

impl Protocol {
    /// All of them, the better one first.
    pub const ALL: [Self; 2] = [Self::TransportWs, Self::Legacy];

    /// Its name in `Sec-WebSocket-Protocol`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TransportWs => "graphql-transport-ws",
            Self::Legacy => "graphql-ws",
        }
    }

    /// The protocol of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    /// The best one that a client offers. Without one the WebSocket is closed with
    /// [`CloseCode::SubprotocolNotAcceptable`].
    ///
    /// ```
    /// use barewire::graphql::socket::Protocol;
    ///
    /// let chosen = Protocol::choose(["graphql-ws", "graphql-transport-ws"]);
    /// assert_eq!(chosen, Some(Protocol::TransportWs));
    /// assert_eq!(Protocol::choose(["mqtt"]), None);
    /// ```
    pub fn choose<'a>(offered: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let known = offered.into_iter().filter_map(Self::named);
        known.min_by_key(|it| *it as u8)
    }
}

#[cfg(test)]
mod tests;
