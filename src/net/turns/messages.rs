//! A handler's calls on a WebSocket.

use super::feeding::Further;
use super::state::State;
use crate::link::{Link, UsageError};
use crate::net::lending::Lending;
use crate::net::outlet::LARGE;
use crate::net::{Context, Flow};
use crate::websocket::{CloseCode, Kind};
use crate::wire::Sink;

/// Writes a message, compressed where that was agreed on.
#[inline(always)]
fn put<S: Sink>(
    link: &mut Link,
    kind: Kind,
    payload: &[u8],
    state: &mut Lending<'_, S>,
) -> Result<(), UsageError> {
    let (stream, now, mask_key) = (state.stream, state.now, state.mask(link));
    match &mut state.deflater {
        Some(deflater) if link.is_compressed(stream) => {
            let cork = &mut *state.cork;
            link.send_message_deflated(stream, kind, payload, mask_key, now, deflater, cork)
        }
        _ => link.send_message(stream, kind, payload, mask_key, now, state.cork),
    }
}

impl Context<'_> {
    /// Sends a WebSocket message.
    pub fn send(&mut self, kind: Kind, payload: &[u8]) -> Flow {
        if payload.len() >= LARGE {
            let (sent, waited) =
                self.act_past(|link, mut state| put(link, kind, payload, &mut state));
            return match sent {
                Ok(()) => self.state.flow(self.exchange, waited),
                Err(misuse) => Flow::Over(misuse),
            };
        }
        self.write_by(|link, mut state| put(link, kind, payload, &mut state))
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

impl<'c> Context<'c> {
    /// The next message, if complete with nothing to be done before: handed over by this call.
    #[inline]
    pub(crate) fn next_message(&mut self) -> Option<(Kind, &'c mut [u8])> {
        let Further { run, feeding } = self.further.as_deref_mut()?;
        if run.input().is_empty() || feeding.is_late(run.input(), self.state) {
            return None;
        }
        let State {
            connections,
            cork,
            limits,
            memory,
            ..
        } = &mut *self.state;
        let connection = connections.get_mut(self.exchange.connection)?;
        let may_follow = connection.may_be_fed()
            && !connection.is_behind(cork.len(), limits.backlog_high)
            && !memory.is_full();
        if !may_follow {
            return None;
        }
        let (used, kind, payload) = run.next(&connection.link)?;
        feeding.took(used);
        Some((kind, payload))
    }
}
