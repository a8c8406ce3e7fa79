//! The plain values that say whose a connection is and which exchange is meant.

use super::Key;

/// One exchange on one connection: what a reply, a timer or a message from another thread
/// is addressed to. The address of an exchange that is over reaches nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Exchange {
    /// The connection.
    pub connection: Key,
    /// The exchange on it ([`Link::stream`](crate::link::Link::stream)).
    pub stream: u32,
}

impl Exchange {
    /// No exchange on no connection.
    pub(crate) const NONE: Self = Self::first_of(Key::NONE);

    /// The address of a connection itself before it has an exchange.
    pub(crate) const fn first_of(connection: Key) -> Self {
        Self {
            connection,
            stream: 0,
        }
    }
}

/// A handler's place in its loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Owner(pub(super) u16);

/// Which of a loop's limits the connections of a listener are subject to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile(pub(super) u16);

/// The protocol of a connection when it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Speaks {
    /// HTTP/1.1 and whatever that is upgraded to; accepted connections also
    /// HTTP/2, if they begin with its preface.
    Http,
    /// HTTP/1.1 and whatever that is upgraded to, never HTTP/2.
    Http1,
    /// HTTP/2 from the first byte: as a transport has agreed on, or with prior
    /// knowledge (RFC 9113 §3.2, §3.3). A listener without a transport finds out by
    /// itself, as with [`Http`](Self::Http).
    Http2,
    /// No protocol of ours: [`Event::Data`](crate::link::Event::Data).
    Raw,
}
