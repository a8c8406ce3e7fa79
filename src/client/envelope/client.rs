//! A client of the envelope, with a thread of its own.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use core::error::Error;
use core::ops::Deref;

use super::listener::{EnvelopeListener, Translate};
use super::sender::EnvelopeSender;
use super::{EnvelopeOptions, hook};
use crate::client::{ConnectAttempt, Reconnecting, Url, WebSocketError, WebSocketOptions};

/// A client of a server that speaks the [envelope](crate::envelope), as
/// `app::EnvelopeHub` does: channels over a WebSocket that reconnects by itself, on a thread
/// of its own. It is used as the [`EnvelopeSender`] that it holds; dropping it closes it.
///
/// After a connection was lost it subscribes to its channels again, and recovers what it
/// missed of those that keep history, each once and in order, before anything else is sent.
///
/// ```no_run
/// use barewire::client::{EnvelopeClient, EnvelopeListener, EnvelopeMessage};
/// use barewire::client::{EnvelopeOptions, EnvelopeSender};
///
/// struct Print;
///
/// impl EnvelopeListener for Print {
///     fn message(&mut self, _client: &EnvelopeSender, message: &EnvelopeMessage) {
///         println!("{:?}: {}", message.channel, message.json());
///     }
/// }
///
/// let url = "ws://127.0.0.1:8080/ws/hub";
/// let client = EnvelopeClient::connect(url, EnvelopeOptions::new(), Print)?;
/// client.on("move", |_client, message| println!("they move: {}", message.json()));
/// client.subscribe("tea")?;
/// client.broadcast("tea", "Hello")?;
/// client.send_message("time", &())?;
/// client.disconnect()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct EnvelopeClient {
    socket: Reconnecting,
    sender: EnvelopeSender,
}

impl EnvelopeClient {
    /// Connects to a URL of `ws` or `wss`, now and whenever the connection is lost.
    ///
    /// # Errors
    /// [`WebSocketError::Url`]; [`WebSocketError::System`] if no thread can be started.
    pub fn connect(
        url: &str,
        options: EnvelopeOptions,
        listener: impl EnvelopeListener + Send,
    ) -> Result<Self, WebSocketError> {
        Self::connect_with(url, WebSocketOptions::new(), options, listener)
    }

    /// Like [`connect`](Self::connect), with options for each connection.
    ///
    /// # Errors
    /// Those of [`connect`](Self::connect).
    pub fn connect_with(
        url: &str,
        socket: WebSocketOptions,
        options: EnvelopeOptions,
        listener: impl EnvelopeListener + Send,
    ) -> Result<Self, WebSocketError> {
        Url::parse(url)?;
        let url = String::from(url);
        let ask = move |_: &ConnectAttempt| Ok((url.clone(), socket.clone()));
        Self::connect_by(ask, options, listener)
    }

    /// Asks before each attempt where to connect, and how: see
    /// [`Reconnecting::connect_by`].
    ///
    /// # Errors
    /// [`WebSocketError::System`] if no thread can be started.
    pub fn connect_by(
        mut ask: impl FnMut(
            &ConnectAttempt,
        ) -> Result<(String, WebSocketOptions), Box<dyn Error + Send + Sync>>
        + Send
        + 'static,
        options: EnvelopeOptions,
        listener: impl EnvelopeListener + Send,
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
        let socket = Reconnecting::connect_by(ask, reconnect, translate)?;
        let sender = EnvelopeSender {
            shared,
            socket: socket.sender().clone(),
        };
        Ok(Self { socket, sender })
    }

    /// The side that subscribes and sends, for other threads.
    pub const fn sender(&self) -> &EnvelopeSender {
        &self.sender
    }

    /// Closes it for good, and waits for the end: see [`Reconnecting::close`].
    ///
    /// # Errors
    /// Those of [`Reconnecting::close`].
    pub fn disconnect(self) -> Result<(), WebSocketError> {
        self.socket.close()
    }

    /// Waits for the end: see [`Reconnecting::wait`].
    ///
    /// # Errors
    /// Those of [`Reconnecting::wait`].
    pub fn wait(self) -> Result<(), WebSocketError> {
        self.socket.wait()
    }
}

impl Deref for EnvelopeClient {
    type Target = EnvelopeSender;

    fn deref(&self) -> &EnvelopeSender {
        &self.sender
    }
}
