//! WebSockets that block.
//!
//! ```text
//!   WebSocket ──split──► WebSocketReceiver   one thread
//!                        WebSocketSender     any number of threads
//! ```

use alloc::string::String;
use alloc::sync::Arc;
use core::time::Duration;

use super::inbox::Inbox;
use super::opening::{Opened, open};
use super::{AsMessage, CloseFrame, WebSocketError, WebSocketOptions};
use crate::client::connecting::{Duplex, Waited, clock};
use crate::client::{Canceller, Message, Url};
use crate::link::UsageError;
use crate::net::{Flow, is_loop_thread};
use crate::websocket::CloseCode;
use crate::wire::Instant;
use crate::wire::partly_shown;

/// The longest time to wait for the server to end a connection that is over.
const LINGER: Duration = Duration::from_secs(1);

/// A WebSocket as a client, for the thread that waits.
///
/// Pings are answered, and peers that are lost are found
/// ([`websocket::Limits`](crate::websocket::Limits)), while a thread
/// [receives](Self::receive), and only then.
///
/// ```no_run
/// use barewire::client::WebSocket;
///
/// let mut socket = WebSocket::connect("wss://example.org/echo")?;
/// socket.send("hello")?;
/// while let Some(message) = socket.receive()? {
///     println!("{:?}", message.text());
/// }
/// # Ok::<(), barewire::client::WebSocketError>(())
/// ```
#[derive(Debug)]
pub struct WebSocket {
    receiver: WebSocketReceiver,
}

impl WebSocket {
    /// Connects to a URL of `ws` or `wss`.
    ///
    /// # Errors
    /// [`WebSocketError`].
    pub fn connect(url: &str) -> Result<Self, WebSocketError> {
        Self::connect_with(url, &WebSocketOptions::new())
    }

    /// Connects with options.
    ///
    /// # Errors
    /// [`WebSocketError`].
    pub fn connect_with(url: &str, options: &WebSocketOptions) -> Result<Self, WebSocketError> {
        let url = Url::parse(url)?;
        let canceller = options.canceller.clone().unwrap_or_default();
        Ok(Self::opened(open(&url, options, &canceller)?, options))
    }

    fn opened(opened: Opened, options: &WebSocketOptions) -> Self {
        let shared = Arc::new(Shared {
            duplex: Duplex::new(opened.driven, opened.inbox, options.send_time),
            stream: opened.stream,
            protocol: opened.protocol,
            send_time: options.send_time,
        });
        Self {
            receiver: WebSocketReceiver { shared },
        }
    }

    /// The subprotocol that the server has chosen.
    pub fn protocol(&self) -> Option<&str> {
        self.receiver.protocol()
    }

    /// Sends a message, and waits until the system has taken it.
    ///
    /// # Errors
    /// [`WebSocketError::Closed`], [`WebSocketError::TimedOut`] if the server takes nothing
    /// for the time of [`WebSocketOptions::send_time`]: it may still get the message.
    /// [`WebSocketError::Cancelled`].
    pub fn send(&mut self, message: impl AsMessage) -> Result<(), WebSocketError> {
        self.receiver.shared.send(&message)
    }

    /// Sends messages in this order, with as few writes as can be, and waits until the
    /// system has taken them all.
    ///
    /// # Errors
    /// Those of [`send`](Self::send): the first messages may have been sent then.
    pub fn send_all<M: AsMessage>(&mut self, messages: &[M]) -> Result<(), WebSocketError> {
        self.receiver.shared.send_all(messages)
    }

    /// Sends a Ping of at most 125 bytes. Pings that find lost peers are sent without this.
    ///
    /// # Errors
    /// Those of [`send`](Self::send), and [`WebSocketError::Usage`] if it is too long.
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), WebSocketError> {
        self.receiver.shared.ping(payload)
    }

    /// Waits for a message; `None` once the peer has closed the WebSocket.
    ///
    /// # Errors
    /// [`WebSocketError`], when it ended otherwise.
    pub fn receive(&mut self) -> Result<Option<Message>, WebSocketError> {
        self.receiver.receive()
    }

    /// Waits for a message for at most this long.
    ///
    /// # Errors
    /// Those of [`receive`](Self::receive), and [`WebSocketError::TimedOut`], after which
    /// the WebSocket can be used as before.
    pub fn receive_within(&mut self, time: Duration) -> Result<Option<Message>, WebSocketError> {
        self.receiver.receive_within(time)
    }

    /// How the peer has closed it, if it has.
    pub fn closed(&self) -> Option<CloseFrame> {
        self.receiver.closed()
    }

    /// Closes it with 1000, and waits for the peer's answer. Messages that come before are
    /// dropped.
    ///
    /// # Errors
    /// [`WebSocketError`], if the closing handshake did not end as it should.
    pub fn close(self) -> Result<CloseFrame, WebSocketError> {
        self.close_with(CloseCode::NORMAL, "")
    }

    /// Closes it with a code and a reason of at most 123 bytes.
    ///
    /// # Errors
    /// Those of [`close`](Self::close), and [`WebSocketError::Usage`] if the code may not
    /// be sent or the reason is too long.
    pub fn close_with(
        mut self,
        code: CloseCode,
        reason: &str,
    ) -> Result<CloseFrame, WebSocketError> {
        match self.receiver.shared.close(code, reason) {
            // The peer was first.
            Ok(()) | Err(WebSocketError::Closed) => {}
            Err(error) => return Err(error),
        }
        while self.receive()?.is_some() {}
        self.closed().ok_or(WebSocketError::Closed)
    }

    /// A canceller that ends it from any thread, immediately and without a closing
    /// handshake.
    pub fn canceller(&self) -> Canceller {
        self.receiver.shared.duplex.canceller().clone()
    }

    /// Parts the side that sends, for any thread, from the side that receives.
    ///
    /// # Errors
    /// [`WebSocketError::System`] if the system has no descriptors left.
    pub fn split(self) -> Result<(WebSocketSender, WebSocketReceiver), WebSocketError> {
        let receiver = self.receiver;
        receiver.shared.duplex.share()?;
        let shared = receiver.shared.clone();
        Ok((WebSocketSender { shared }, receiver))
    }
}

/// The side of a [`WebSocket`] that sends. Its clones are for other threads.
///
/// It writes its messages itself, also while the receiver waits. No thread answers
/// Pings, or finds out that the peer is lost, unless a thread receives.
///
/// ```no_run
/// use barewire::client::WebSocket;
///
/// let (sender, mut receiver) = WebSocket::connect("wss://example.org/chat")?.split()?;
/// std::thread::spawn(move || sender.send("from a thread"));
/// while let Some(message) = receiver.receive()? {
///     println!("{:?}", message.text());
/// }
/// # Ok::<(), barewire::client::WebSocketError>(())
/// ```
#[derive(Debug, Clone)]
pub struct WebSocketSender {
    shared: Arc<Shared>,
}

impl WebSocketSender {
    /// Sends a message as [`WebSocket::send`] does. Messages of several threads do not mix.
    ///
    /// # Errors
    /// Those of [`WebSocket::send`].
    pub fn send(&self, message: impl AsMessage) -> Result<(), WebSocketError> {
        self.shared.send(&message)
    }

    /// Sends messages as [`WebSocket::send_all`] does. Messages of other threads may come
    /// between them.
    ///
    /// # Errors
    /// Those of [`WebSocket::send_all`].
    pub fn send_all<M: AsMessage>(&self, messages: &[M]) -> Result<(), WebSocketError> {
        self.shared.send_all(messages)
    }

    /// Sends a Ping of at most 125 bytes.
    ///
    /// # Errors
    /// Those of [`WebSocket::ping`].
    pub fn ping(&self, payload: &[u8]) -> Result<(), WebSocketError> {
        self.shared.ping(payload)
    }

    /// Begins the closing handshake. The receiver gets what still comes, and then the end:
    /// at the latest after [`close_timeout`](crate::websocket::Limits::close_timeout).
    ///
    /// # Errors
    /// [`WebSocketError::Closed`] if it is closing already; [`WebSocketError::Usage`] if
    /// the code may not be sent or the reason has more than 123 bytes.
    pub fn close(&self, code: CloseCode, reason: &str) -> Result<(), WebSocketError> {
        self.shared.close(code, reason)
    }
}

/// The side of a [`WebSocket`] that receives.
#[derive(Debug)]
pub struct WebSocketReceiver {
    shared: Arc<Shared>,
}

impl WebSocketReceiver {
    /// The subprotocol that the server has chosen.
    pub fn protocol(&self) -> Option<&str> {
        self.shared.protocol.as_deref()
    }

    /// Waits for a message as [`WebSocket::receive`] does.
    ///
    /// # Errors
    /// Those of [`WebSocket::receive`].
    pub fn receive(&mut self) -> Result<Option<Message>, WebSocketError> {
        self.shared.receive(Instant::NEVER)
    }

    /// Waits for a message for at most this long.
    ///
    /// # Errors
    /// Those of [`WebSocket::receive_within`].
    pub fn receive_within(&mut self, time: Duration) -> Result<Option<Message>, WebSocketError> {
        self.shared.receive(clock::now() + time)
    }

    /// How the peer has closed it, if it has.
    pub fn closed(&self) -> Option<CloseFrame> {
        self.shared.duplex.lock().owner().closed.clone()
    }

    /// A canceller that ends it from any thread, immediately and without a closing
    /// handshake.
    pub fn canceller(&self) -> Canceller {
        self.shared.duplex.canceller().clone()
    }
}

struct Shared {
    duplex: Duplex<Inbox>,
    stream: u32,
    protocol: Option<String>,
    send_time: Duration,
}

impl Shared {
    fn send(&self, message: &impl AsMessage) -> Result<(), WebSocketError> {
        let (kind, payload) = message.as_message();
        self.put(true, |wire, stream| {
            match wire.send_message(stream, kind, payload) {
                Flow::Go | Flow::Wait => Ok(()),
                Flow::Over(misuse) => Err(misuse),
            }
        })
    }

    fn send_all<M: AsMessage>(&self, messages: &[M]) -> Result<(), WebSocketError> {
        let mut messages = messages.iter();
        while messages.len() > 0 {
            self.put(true, |wire, stream| {
                for message in messages.by_ref() {
                    let (kind, payload) = message.as_message();
                    match wire.send_message(stream, kind, payload) {
                        Flow::Go => {}
                        Flow::Wait => break, // what is put out goes first
                        Flow::Over(misuse) => return Err(misuse),
                    }
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    fn ping(&self, payload: &[u8]) -> Result<(), WebSocketError> {
        self.put(true, |wire, stream| wire.ping(stream, payload))
    }

    fn close(&self, code: CloseCode, reason: &str) -> Result<(), WebSocketError> {
        self.put(false, |wire, stream| wire.close(stream, code, reason))
    }

    /// Sends a frame. One that `queues` waits until what was sent before has left.
    fn put(
        &self,
        queues: bool,
        act: impl FnOnce(&mut crate::client::Wire, u32) -> Result<(), UsageError>,
    ) -> Result<(), WebSocketError> {
        use crate::websocket::UsageError::Closed;
        if is_loop_thread() {
            return Err(WebSocketError::OnLoop);
        }
        let (time, stream) = (self.send_time, self.stream);
        let sent = self
            .duplex
            .send(time, queues, |state, now| act(state.wire_at(now), stream));
        match sent.map_err(WebSocketError::waited)? {
            Ok(()) => Ok(()),
            Err(UsageError::WebSocket(Closed) | UsageError::Over) => Err(WebSocketError::Closed),
            Err(misuse) => Err(misuse.into()),
        }
    }

    fn receive(&self, until: Instant) -> Result<Option<Message>, WebSocketError> {
        if is_loop_thread() {
            return Err(WebSocketError::OnLoop);
        }
        loop {
            if let Some(message) = self.duplex.take_next(Inbox::take) {
                return Ok(Some(message));
            }
            match self.duplex.turn(until) {
                Waited::Moved => {}
                Waited::Over => return self.end(),
                waited @ (Waited::TimedOut | Waited::Cancelled) => {
                    return Err(WebSocketError::waited(waited));
                }
            }
        }
    }

    fn end(&self) -> Result<Option<Message>, WebSocketError> {
        let (closed, ended) = {
            let mut state = self.duplex.lock();
            let inbox = state.owner();
            (inbox.closed.is_some(), inbox.ended)
        };
        self.duplex.linger(LINGER);
        match (closed, ended) {
            (true, _) => Ok(None),
            (false, Some(reason)) => Err(WebSocketError::ended(reason)),
            (false, None) => Err(WebSocketError::Closed),
        }
    }
}

partly_shown!(it: Shared { protocol });
