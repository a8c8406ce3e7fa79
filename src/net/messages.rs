//! What a handler can do with a WebSocket.

use super::{Context, Flow};
use crate::link::Misuse;
use crate::websocket::{CloseCode, Kind};
use crate::wire::Role;

impl Context<'_> {
    /// Sends a WebSocket message.
    pub fn send(&mut self, kind: Kind, payload: &[u8]) -> Flow {
        let (chance, waited) = (self.mask(), self.held());
        let sent = self.act(|link, state| {
            let (stream, now) = (state.stream, state.now);
            link.send_message(stream, kind, payload, chance, now, state.cork)
        });
        self.flow_after(sent, waited)
    }

    /// Sends a ping of at most 125 bytes.
    ///
    /// # Errors
    /// [`Misuse`] unless the exchange is an open WebSocket.
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), Misuse> {
        let chance = self.mask();
        self.act(|link, state| link.ping(state.stream, payload, chance, state.cork))
    }

    /// Starts the WebSocket's closing handshake.
    ///
    /// # Errors
    /// [`Misuse`] unless the exchange is an open WebSocket and the code may be
    /// sent.
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Misuse> {
        let chance = self.mask();
        self.act(|link, state| {
            let (stream, now) = (state.stream, state.now);
            link.close(stream, code, reason, chance, now, state.cork)
        })
    }

    /// The mask of one frame: unpredictable on the client's side alone, as a
    /// server's frames are not masked (RFC 6455 §5.1).
    fn mask(&mut self) -> [u8; 4] {
        match self.state.role_of(self.exchange) {
            Role::Client => self.chance(),
            Role::Server => [0; 4],
        }
    }
}
