//! A WebSocket, as a test's client sees it.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::error::TestError;
use super::running::{TestExchange, take_response};
use crate::client::{AsMessage, CloseFrame, Message};
use crate::link::EndReason;
use crate::websocket::CloseCode;

/// An open WebSocket. Pings of the app are answered; dropping it does not close it.
#[derive(Debug)]
pub struct TestWebSocket {
    exchange: TestExchange,
    protocol: Option<String>,
}

impl TestWebSocket {
    pub(super) fn open(exchange: TestExchange) -> Result<Self, TestError> {
        let opened = exchange.wait(|state| match state.opened {
            Some(Err(_)) if !state.is_over() => None, // its body comes
            _ => state.opened.take(),
        })?;
        match opened {
            Ok(protocol) => Ok(Self { exchange, protocol }),
            Err(why) => {
                let response = take_response(&mut exchange.state_mut());
                Err(match response {
                    Some(response) => TestError::Refused {
                        why,
                        response: Box::new(response),
                    },
                    None => TestError::Ended(EndReason::Aborted),
                })
            }
        }
    }

    /// The subprotocol that the app has chosen.
    pub fn protocol(&self) -> Option<&str> {
        self.protocol.as_deref()
    }

    /// Sends a message: text, or bytes, which are binary.
    ///
    /// # Errors
    /// [`TestError::Ended`] once it is closed.
    pub fn send(&self, message: &(impl AsMessage + ?Sized)) -> Result<(), TestError> {
        let (kind, payload) = message.as_message();
        let act = |wire: &mut crate::client::Wire, stream| wire.send_message(stream, kind, payload);
        match self.exchange.act(act)?.is_taken() {
            true => Ok(()),
            false => Err(TestError::Ended(self.why())),
        }
    }

    fn why(&self) -> EndReason {
        self.exchange.ended().unwrap_or(EndReason::Finished)
    }

    /// Waits for the next message.
    ///
    /// # Errors
    /// [`TestError::Ended`] once it is closed, [`TestError::Silent`] if none comes.
    pub fn receive(&self) -> Result<Message, TestError> {
        let message = self.exchange.wait(|state| {
            let message = state.messages.pop_front();
            let is_over = message.is_none() && state.close.is_some();
            match is_over {
                true => Some(None),
                false => message.map(Some),
            }
        })?;
        message.ok_or_else(|| TestError::Ended(self.why()))
    }

    /// The next message, if it is here.
    pub fn try_receive(&self) -> Option<Message> {
        self.exchange.state_mut().messages.pop_front()
    }

    /// Sends a ping of at most 125 bytes.
    ///
    /// # Errors
    /// [`TestError::Usage`] if it is longer, or the socket is closed.
    pub fn ping(&self, payload: &[u8]) -> Result<(), TestError> {
        self.exchange
            .act(|wire, stream| wire.ping(stream, payload))??;
        Ok(())
    }

    /// The next pong that has come.
    pub fn pong(&self) -> Option<Vec<u8>> {
        self.exchange.state_mut().pongs.pop_front()
    }

    /// Begins to close it.
    ///
    /// # Errors
    /// [`TestError::Usage`] for a code that may not be sent, or if it is closed.
    pub fn close(&self, code: CloseCode, reason: &str) -> Result<(), TestError> {
        let closed = |wire: &mut crate::client::Wire, stream| wire.close(stream, code, reason);
        self.exchange.act(closed)??;
        Ok(())
    }

    /// Waits for the app's Close frame: its first, or its answer to ours.
    ///
    /// # Errors
    /// [`TestError::Ended`] if the connection ends without one, [`TestError::Silent`] if
    /// none comes.
    pub fn closed(&self) -> Result<CloseFrame, TestError> {
        self.exchange.wait(|state| state.close.clone())
    }

    /// Whether a Close frame has come, or the connection has ended.
    pub fn is_closed(&self) -> bool {
        let state = self.exchange.state();
        state.close.is_some() || state.ended.is_some()
    }

    /// Breaks the connection, over HTTP/2 the stream.
    ///
    /// # Errors
    /// [`TestError::Restless`] and [`TestError::App`].
    pub fn cancel(self) -> Result<(), TestError> {
        self.exchange.cancel()
    }
}
