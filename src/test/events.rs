//! An event stream, as a test's client sees it.

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::time::Duration;

use super::error::TestError;
use super::running::{TestExchange, take_response};
use crate::client::MessageEvent;
use crate::sse::{Decoded, Decoder, Limits, Reconnection};
use crate::wire::Step;

/// An open event stream. It does not reconnect.
#[derive(Debug)]
pub struct TestEvents {
    exchange: TestExchange,
    decoder: Decoder,
    input: Vec<u8>,
    reconnection: Reconnection,
}

impl TestEvents {
    pub(super) fn open(exchange: TestExchange) -> Result<Self, TestError> {
        let is_stream = exchange.wait(|state| {
            let head = state.head.as_ref()?;
            let media_type = head.fields.as_fields().get_str("content-type");
            let media_type = media_type.and_then(|it| it.split(';').next());
            let is_events = |it: &str| it.trim().eq_ignore_ascii_case("text/event-stream");
            let is_stream = head.status.code() == 200 && media_type.is_some_and(is_events);
            (is_stream || state.is_complete).then_some(is_stream)
        })?;
        if !is_stream && let Some(response) = take_response(&mut exchange.state_mut()) {
            return Err(TestError::NoEvents(Box::new(response)));
        }
        Ok(Self {
            exchange,
            decoder: Decoder::new(),
            input: Vec::new(),
            reconnection: Reconnection::new(),
        })
    }

    /// Waits for the next event; `None` at the end of the stream.
    ///
    /// # Errors
    /// [`TestError::Ended`] if the stream is cut, [`TestError::Silent`] if nothing comes.
    pub fn receive(&mut self) -> Result<Option<MessageEvent>, TestError> {
        loop {
            if let Some(event) = self.decode()? {
                return Ok(Some(event));
            }
            let Some(piece) = self.exchange.read()? else {
                return Ok(None);
            };
            self.input.extend_from_slice(&piece);
        }
    }

    /// The next event, if it is here.
    ///
    /// # Errors
    /// [`TestError::Events`] for a stream over the limits.
    pub fn try_receive(&mut self) -> Result<Option<MessageEvent>, TestError> {
        self.input.extend_from_slice(&self.exchange.take());
        self.decode()
    }

    fn decode(&mut self) -> Result<Option<MessageEvent>, TestError> {
        loop {
            let received = self.decoder.receive(&mut self.input, &Limits::DEFAULT)?;
            let used = received.used;
            let Step::Event(decoded) = received.step else {
                self.input.drain(..used);
                return Ok(None);
            };
            self.reconnection.observe(&decoded);
            let event = match decoded {
                Decoded::Message(message) => Some(MessageEvent {
                    event: message.event.decode().into_owned(),
                    data: message.data.decode().into_owned(),
                    last_event_id: self.reconnection.last_event_id().to_string(),
                }),
                _ => None,
            };
            self.input.drain(..used);
            if event.is_some() {
                return Ok(event);
            }
        }
    }

    /// The last event ID, as far as the stream was read; empty if there is none.
    pub fn last_event_id(&self) -> &str {
        self.reconnection.last_event_id()
    }

    /// The reconnection time (`retry`) that the app has set, as far as the stream was read.
    pub fn retry(&self) -> Option<Duration> {
        self.reconnection.time()
    }

    /// Leaves: breaks the connection, over HTTP/2 the stream.
    ///
    /// # Errors
    /// [`TestError::Restless`] and [`TestError::App`].
    pub fn cancel(self) -> Result<(), TestError> {
        self.exchange.cancel()
    }
}
