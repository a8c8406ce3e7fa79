//! A reconnecting WebSocket, as an application has it in its hands.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use std::thread::{self, JoinHandle};

use super::receipt::LISTENS;
use super::sender::Shared;
use super::thread::{Asked, Driver};
use super::{
    ConnectAttempt, Receipt, ReconnectError, ReconnectListener, ReconnectOptions, ReconnectSender,
    Reconnector,
};
use crate::client::{Message, Url, WebSocketError, WebSocketOptions};
use crate::net::is_loop_thread;

/// A WebSocket that reconnects by itself, on a thread of its own.
///
/// Messages wait in a bounded queue for their connection, and a message's [`Receipt`]
/// tells its state. A [listener](ReconnectListener) is told of events. Dropping this
/// closes the WebSocket.
///
/// ```no_run
/// use barewire::client::{Message, ReconnectListener, ReconnectOptions, ReconnectSender};
/// use barewire::client::{ReceiptState, Reconnecting};
/// use std::time::Duration;
///
/// struct Print;
///
/// impl ReconnectListener for Print {
///     fn message(&mut self, _socket: &ReconnectSender, message: Message) {
///         println!("{:?}", message.text());
///     }
/// }
///
/// let socket = Reconnecting::connect("wss://example.org/chat", ReconnectOptions::new(), Print)?;
/// let receipt = socket.send("hello")?;
/// if receipt.wait(Duration::from_secs(5))? != ReceiptState::Confirmed {
///     println!("not confirmed yet");
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Reconnecting {
    sender: ReconnectSender,
    thread: Option<JoinHandle<()>>,
}

impl Reconnecting {
    /// Connects to a URL of `ws` or `wss`, now and whenever the connection is lost.
    ///
    /// # Errors
    /// [`WebSocketError::Url`]; [`WebSocketError::System`] if no thread can be started.
    pub fn connect(
        url: &str,
        options: ReconnectOptions,
        listener: impl ReconnectListener + Send,
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
        options: ReconnectOptions,
        listener: impl ReconnectListener + Send,
    ) -> Result<Self, WebSocketError> {
        Url::parse(url)?;
        let url = String::from(url);
        let ask = move |_: &ConnectAttempt| Ok((url.clone(), socket.clone()));
        Self::connect_by(ask, options, listener)
    }

    /// Asks before each attempt where to connect, and how: for a token that runs out, say,
    /// or a server that is told the position in its URL. It is asked on the thread of the
    /// WebSocket, and may block; an error counts as an attempt that has failed.
    ///
    /// # Errors
    /// [`WebSocketError::System`] if no thread can be started.
    pub fn connect_by(
        ask: impl FnMut(&ConnectAttempt) -> Asked + Send + 'static,
        options: ReconnectOptions,
        listener: impl ReconnectListener + Send,
    ) -> Result<Self, WebSocketError> {
        let attempt_time = options.limits.attempt;
        let mut core = Reconnector::new(options);
        let (resume, decide) = core.take_hooks();
        let shared = Arc::new(Shared::new(core));
        let sender = ReconnectSender { shared };
        let driver = Driver {
            sender: sender.clone(),
            ask: Box::new(ask),
            attempt_time,
            listener,
            resume,
            decide,
            watch: None,
        };
        let thread = thread::Builder::new().name("websocket".into());
        let thread = thread.spawn(move || {
            LISTENS.set(true);
            driver.run();
        })?;
        Ok(Self {
            sender,
            thread: Some(thread),
        })
    }

    /// The side that sends, for other threads.
    pub const fn sender(&self) -> &ReconnectSender {
        &self.sender
    }

    /// Sends a message as [`ReconnectSender::send`] does.
    ///
    /// # Errors
    /// Those of [`ReconnectSender::send`].
    pub fn send(&self, message: impl Into<Message>) -> Result<Receipt, ReconnectError> {
        self.sender.send(message)
    }

    /// Closes it for good, and waits for the end: what was sent is written before and
    /// confirmed, where there is a connection, for at most [`ReconnectLimits::leave`].
    ///
    /// # Errors
    /// [`WebSocketError::OnLoop`] on a thread that runs a loop, or on its own: it is
    /// closed, without waiting for the end.
    ///
    /// [`ReconnectLimits::leave`]: super::ReconnectLimits::leave
    pub fn close(self) -> Result<(), WebSocketError> {
        self.sender.close();
        self.wait()
    }

    /// Ends it now, without a word more, and waits for the end.
    ///
    /// # Errors
    /// Those of [`close`](Self::close): it is ended, without waiting.
    pub fn abort(self) -> Result<(), WebSocketError> {
        self.sender.abort();
        self.wait()
    }

    /// Waits for the end: the listener has given up, or somebody has closed it.
    ///
    /// # Errors
    /// [`WebSocketError::OnLoop`] on a thread that runs a loop, or on its own: nobody
    /// waits, and it is closed, as it is when this is dropped.
    pub fn wait(mut self) -> Result<(), WebSocketError> {
        let is_own = |it: &JoinHandle<()>| it.thread().id() == thread::current().id();
        if is_loop_thread() || self.thread.as_ref().is_some_and(is_own) {
            return Err(WebSocketError::OnLoop);
        }
        if let Some(thread) = self.thread.take() {
            // It has panicked only if the listener has, who has said so.
            let _ = thread.join();
        }
        Ok(())
    }
}

impl Drop for Reconnecting {
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.sender.close();
        }
    }
}
