//! A client of the envelope on a loop.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use core::error::Error;

use super::listener::{EnvelopeListener, Translate};
use super::sender::EnvelopeSender;
use super::{EnvelopeOptions, hook};
use crate::client::{
    ConnectAttempt, LoopReconnecting, LoopWebSockets, Url, WebSocketError, WebSocketOptions,
};

/// A client of the [envelope](crate::envelope) on a loop: an
/// [`EnvelopeClient`](super::EnvelopeClient) for a thread that must not wait. Clones are the
/// same client, which goes on when all are dropped.
///
/// ```no_run
/// use barewire::client::{EnvelopeListener, EnvelopeMessage, EnvelopeOptions, EnvelopeSender};
/// use barewire::client::{LoopEnvelopeClient, LoopReconnecting, LoopWebSockets};
/// use barewire::client::WebSocketOptions;
/// use barewire::net::{Limits, Loop};
///
/// struct Print;
///
/// impl EnvelopeListener<LoopReconnecting> for Print {
///     fn message(&mut self, _: &LoopEnvelopeClient, message: &EnvelopeMessage) {
///         println!("{:?}: {}", message.channel, message.json());
///     }
/// }
///
/// let mut events = Loop::new(Limits::DEFAULT)?;
/// let sockets = LoopWebSockets::on(&mut events, WebSocketOptions::new());
/// let url = "ws://127.0.0.1:8080/ws/hub";
/// let client = LoopEnvelopeClient::connect(&sockets, url, EnvelopeOptions::new(), Print)?;
/// client.subscribe("tea")?;
/// events.run()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type LoopEnvelopeClient = EnvelopeSender<LoopReconnecting>;

impl EnvelopeSender<LoopReconnecting> {
    /// Connects to a URL of `ws` or `wss`, now and whenever the connection is lost, with
    /// the options of `sockets`.
    ///
    /// # Errors
    /// [`WebSocketError::Url`]; [`WebSocketError::Closed`] if the loop is gone.
    pub fn connect(
        sockets: &LoopWebSockets,
        url: &str,
        options: EnvelopeOptions,
        listener: impl EnvelopeListener<LoopReconnecting>,
    ) -> Result<Self, WebSocketError> {
        Url::parse(url)?;
        let (url, socket) = (String::from(url), (*sockets.options).clone());
        let ask = move |_: &ConnectAttempt| Ok((url.clone(), socket.clone()));
        Self::connect_by(sockets, ask, options, listener)
    }

    /// Asks before each attempt where to connect, and how: see
    /// [`LoopReconnecting::connect_by`].
    ///
    /// # Errors
    /// [`WebSocketError::Closed`] if the loop is gone.
    pub fn connect_by(
        sockets: &LoopWebSockets,
        mut ask: impl FnMut(&ConnectAttempt) -> Result<(String, WebSocketOptions), Box<dyn Error>>
        + 'static,
        options: EnvelopeOptions,
        listener: impl EnvelopeListener<LoopReconnecting>,
    ) -> Result<Self, WebSocketError> {
        let (shared, reconnect) = hook::begin(options);
        let talk = Arc::clone(&shared.talk);
        let ask = move |attempt: &ConnectAttempt| {
            talk.lock().attempts += 1;
            ask(attempt)
        };
        let translate = Translate {
            shared: shared.clone(),
            listener,
        };
        let socket = LoopReconnecting::connect_by(sockets, ask, reconnect, translate)?;
        Ok(Self { shared, socket })
    }
}
