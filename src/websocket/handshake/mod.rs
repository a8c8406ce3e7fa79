//! The opening handshake, both sides (RFC 6455 §4, RFC 8441).
//!
//! ```text
//!  GET /chat HTTP/1.1                          HTTP/1.1 101 Switching Protocols
//!  Host: server.example.com                    Upgrade: websocket
//!  Upgrade: websocket                          Connection: Upgrade
//!  Connection: Upgrade                         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
//!  Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ== Sec-WebSocket-Protocol: chat
//!  Sec-WebSocket-Protocol: chat, superchat
//!  Sec-WebSocket-Version: 13
//!  Origin: http://example.com
//! ```
//! Over HTTP/2 the same is an extended CONNECT with `:protocol` = `websocket`
//! that is answered by 200, without keys and without the Upgrade fields.
//!
//! A server asks [`is_upgrade`], [`check`]s, judges the
//! [`origin`](Opening::check_origin), and [`accept`]s. A client sends an
//! [`Offer`] and checks the answer with [`Offer::check_response`].

mod client;
#[cfg(any(test, not(feature = "std")))]
mod digest;
mod key;
mod origins;
mod server;

pub use client::{Established, Offer, Refused};
pub use key::{Key, accept_key};
pub use origins::Origins;
pub use server::{Accepted, Opening, Refusal, accept, check, is_upgrade};

use crate::http::{Field, Fields};

/// The fields of one handshake message, up to 8.
#[derive(Debug, Clone, Copy)]
pub struct HandshakeFields<'a> {
    list: [Field<'a>; 8],
    len: usize, // <= 8
}

impl<'a> HandshakeFields<'a> {
    const fn new() -> Self {
        Self {
            list: [Field::new("", ""); 8],
            len: 0,
        }
    }

    /// The handshakes here have at most seven fields.
    fn push(&mut self, name: &'a str, value: &'a str) {
        if let Some(place) = self.list.get_mut(self.len) {
            *place = Field::new(name, value);
            self.len += 1;
        }
    }

    /// The fields, as a list that can be sent.
    pub fn as_fields(&self) -> Fields<'_> {
        Fields::new(self.as_slice())
    }

    /// The fields, as a slice to be joined with others.
    pub fn as_slice(&self) -> &[Field<'a>] {
        &self.list[..self.len]
    }
}
