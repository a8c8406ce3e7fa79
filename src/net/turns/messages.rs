//! A handler's calls on a WebSocket.

use crate::link::UsageError;
use crate::net::outlet::LARGE;
use crate::net::{Context, Flow};
use crate::websocket::{CloseCode, Kind};

impl Context<'_> {
    /// Sends a WebSocket message.
    pub fn send(&mut self, kind: Kind, payload: &[u8]) -> Flow {
        if payload.len() >= LARGE {
            let (sent, waited) = self.act_past(|link, mut state| {
                let (stream, now, mask_key) = (state.stream, state.now, state.mask(link));
                link.send_message(stream, kind, payload, mask_key, now, state.cork)
            });
            return match sent {
                Ok(()) => self.state.flow(self.exchange, waited),
                Err(misuse) => Flow::Over(misuse),
            };
        }
        self.write_by(|link, mut state| {
            let (stream, now, mask_key) = (state.stream, state.now, state.mask(link));
            link.send_message(stream, kind, payload, mask_key, now, state.cork)
        })
    }

    /// Sends a ping of at most 125 bytes.
    ///
    /// # Errors
    /// [`UsageError`] unless the exchange is an open WebSocket.
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), UsageError> {
        self.act(|link, mut state| {
            let mask_key = state.mask(link);
            link.ping(state.stream, payload, mask_key, state.cork)
        })
    }

    /// Starts the WebSocket's closing handshake.
    ///
    /// # Errors
    /// [`UsageError`] unless the exchange is an open WebSocket and the code may be
    /// sent.
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), UsageError> {
        self.act(|link, mut state| {
            let (stream, now, mask_key) = (state.stream, state.now, state.mask(link));
            link.close(stream, code, reason, mask_key, now, state.cork)
        })
    }
}
