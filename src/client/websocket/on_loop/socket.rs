//! A WebSocket on a loop.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::String;
use core::cell::{Cell, RefCell};
use core::panic::AssertUnwindSafe;
use core::time::Duration;
use std::panic::catch_unwind;

use super::{
    Attempt, Desk, Line, News, Place, Seat, Wish,
    queue::{Outgoing, Queue},
};
use crate::client::connecting::clock;
use crate::client::websocket::WebSocketOptions;
use crate::client::{AsMessage, CloseFrame, Message, Url, WebSocketError};
use crate::link::{Charge, UsageError};
use crate::net::Flow;
use crate::websocket::CloseCode;
use crate::websocket::UsageError as Misuse;
use crate::wire::Instant;
use crate::wire::partly_shown;

/// Bytes that wait from which on a sender is asked to wait.
const HIGH: usize = 64 << 10;
/// The largest payload of a control frame (RFC 6455 §5.5).
const CONTROL: usize = 125;

/// A listener of a [`LoopWebSocket`], called on the loop's thread.
///
/// One of `closed` and `failed` comes in the end, and nothing behind it. A listener that
/// panics has lost its WebSocket, and is told nothing more.
///
/// ```
/// use barewire::client::{LoopWebSocket, Message, WebSocketListener};
///
/// struct Greet;
///
/// impl WebSocketListener for Greet {
///     fn opened(&mut self, socket: &LoopWebSocket, _protocol: Option<&str>) {
///         let _ = socket.send("hello"); // refused only while much waits
///     }
///
///     fn message(&mut self, socket: &LoopWebSocket, message: Message) {
///         println!("{:?}", message.text());
///         let _ = socket.close();
///     }
/// }
/// ```
#[expect(unused_variables, reason = "the names are the documentation")]
pub trait WebSocketListener: 'static {
    /// It is open, with this subprotocol.
    fn opened(&mut self, socket: &LoopWebSocket, protocol: Option<&str>) {}

    /// A message has arrived.
    fn message(&mut self, socket: &LoopWebSocket, message: Message);

    /// A Pong has arrived: to a [`ping`](LoopWebSocket::ping), or unasked.
    fn pong(&mut self, socket: &LoopWebSocket, payload: &[u8]) {}

    /// There is room again, after a [`send`](LoopWebSocket::send) that said
    /// [`Flow::Wait`](crate::net::Flow::Wait).
    fn writable(&mut self, socket: &LoopWebSocket) {}

    /// It is closed, as the peer's Close frame says.
    fn closed(&mut self, frame: &CloseFrame) {}

    /// It could not be opened, or has ended without a Close frame of the peer.
    fn failed(&mut self, error: &WebSocketError) {}
}

/// A WebSocket as a client on a loop, opened by
/// [`LoopWebSockets`](super::LoopWebSockets): a [`WebSocketListener`] is told what comes,
/// and nothing blocks. Clones are the same WebSocket, which goes on when all are dropped.
///
/// ```no_run
/// use barewire::client::{LoopWebSocket, LoopWebSockets, Message, WebSocketListener};
/// use barewire::client::WebSocketOptions;
/// use barewire::net::{Limits, Loop};
///
/// struct Print;
///
/// impl WebSocketListener for Print {
///     fn message(&mut self, _socket: &LoopWebSocket, message: Message) {
///         println!("{:?}", message.text());
///     }
/// }
///
/// let mut events = Loop::new(Limits::DEFAULT)?;
/// let sockets = LoopWebSockets::on(&mut events, WebSocketOptions::new());
/// let socket = sockets.connect("ws://127.0.0.1:8080/ws/echo", Print)?;
/// socket.send("hello")?; // though it is not open yet
/// events.run()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct LoopWebSocket {
    socket: Rc<Socket>,
}

struct Socket {
    place: Place,
    desk: Rc<Desk>,
    listener: RefCell<Option<Box<dyn WebSocketListener>>>,
    /// The attempt that the first step asks for.
    attempt: RefCell<Option<Box<Attempt>>>,
    queue: RefCell<Queue>,
    /// Bytes that may wait.
    most: usize,
    /// How long what was sent before a close may take.
    send_time: Duration,
    protocol: RefCell<Option<String>>,
    state: Cell<State>,
    waits: Cell<bool>,
    is_paused: Cell<bool>,
    /// The part of that which the connection knows.
    is_held: Cell<bool>,
    /// When what was sent before a close has to have left.
    close_by: Cell<Instant>,
    charge: RefCell<Charge>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Connecting,
    Open,
    /// This side closes it: nothing is sent any more.
    Closing,
    /// It is to end without a word more.
    Aborted,
    Cancelled,
    Over,
}

impl LoopWebSocket {
    pub(super) fn begin(
        desk: Rc<Desk>,
        url: Url,
        options: WebSocketOptions,
        listener: Box<dyn WebSocketListener>,
    ) -> Self {
        let mut charge = Charge::NONE;
        charge.move_to(desk.account());
        let socket = Rc::new(Socket {
            place: Place::new(),
            desk,
            listener: RefCell::new(Some(listener)),
            queue: RefCell::default(),
            most: options.queue,
            send_time: options.send_time,
            attempt: RefCell::new(Some(Box::new(Attempt {
                until: clock::now() + options.connect_time,
                url,
                options,
            }))),
            protocol: RefCell::default(),
            state: Cell::new(State::Connecting),
            waits: Cell::new(false),
            is_paused: Cell::new(false),
            is_held: Cell::new(false),
            close_by: Cell::new(Instant::NEVER),
            charge: RefCell::new(charge),
        });
        let socket = Self { socket };
        socket.ask();
        socket
    }

    /// Sends a message, in order, as soon as it is open. It leaves in this turn of the loop,
    /// or in the next. [`Flow::Wait`] says that it was taken, and asks for no more until
    /// [`writable`](WebSocketListener::writable).
    ///
    /// # Errors
    /// [`WebSocketError::Full`] if it was not taken, as
    /// [more](WebSocketOptions::queue) waits than may; [`WebSocketError::NoMemory`] if
    /// the loop has no memory left for it; [`WebSocketError::Closed`].
    pub fn send(&self, message: impl AsMessage) -> Result<Flow, WebSocketError> {
        let (kind, payload) = message.as_message();
        self.put(payload.len(), || Outgoing::Message(kind, payload.into()))
    }

    /// Sends a Ping of at most 125 bytes. Pings that find lost peers are sent without this.
    ///
    /// # Errors
    /// Those of [`send`](Self::send), and [`WebSocketError::Usage`] if it is too long.
    pub fn ping(&self, payload: &[u8]) -> Result<Flow, WebSocketError> {
        if payload.len() > CONTROL {
            return Err(UsageError::from(Misuse::ControlTooLong).into());
        }
        self.put(payload.len(), || Outgoing::Ping(payload.into()))
    }

    fn put(&self, bytes: usize, make: impl FnOnce() -> Outgoing) -> Result<Flow, WebSocketError> {
        let socket = &self.socket;
        if !matches!(socket.state.get(), State::Connecting | State::Open) {
            return Err(WebSocketError::Closed);
        }
        let mut queue = socket.queue.borrow_mut();
        let bytes = bytes + size_of::<Outgoing>();
        if queue.bytes > 0 && queue.bytes.saturating_add(bytes) > socket.most {
            socket.waits.set(true);
            return Err(WebSocketError::Full);
        }
        let charged = socket.charge.borrow_mut().try_grow(bytes);
        charged.map_err(|_| WebSocketError::NoMemory)?;
        queue.push(make());
        let is_high = queue.bytes > HIGH.min(socket.most);
        drop(queue);
        self.ask();
        match is_high {
            true => {
                socket.waits.set(true);
                Ok(Flow::Wait)
            }
            false => Ok(Flow::Go),
        }
    }

    /// Closes it with 1000, after what was sent.
    ///
    /// # Errors
    /// [`WebSocketError::Closed`] if it is closing already.
    pub fn close(&self) -> Result<(), WebSocketError> {
        self.close_with(CloseCode::NORMAL, "")
    }

    /// Closes it with a code and a reason of at most 123 bytes, after what was sent. That
    /// has the time of [`send_time`](WebSocketOptions::send_time) to leave. What
    /// arrives until the peer answers is told to the listener. One that is not open yet is
    /// [`WebSocketError::Closed`] immediately.
    ///
    /// # Errors
    /// Those of [`close`](Self::close), and [`WebSocketError::Usage`] if the code may not
    /// be sent or the reason is too long.
    pub fn close_with(&self, code: CloseCode, reason: &str) -> Result<(), WebSocketError> {
        let socket = &self.socket;
        if !code.is_sendable() {
            return Err(UsageError::from(Misuse::InvalidCloseCode).into());
        }
        if reason.len() + 2 > CONTROL {
            return Err(UsageError::from(Misuse::ControlTooLong).into());
        }
        match socket.state.get() {
            State::Connecting => socket.state.set(State::Aborted),
            State::Open => {
                let close = Outgoing::Close(code, reason.into());
                socket.state.set(State::Closing);
                socket.close_by.set(clock::now() + socket.send_time);
                socket.charge.borrow_mut().grow(close.bytes()); // the last, and short
                socket.queue.borrow_mut().push(close);
            }
            _ => return Err(WebSocketError::Closed),
        }
        self.ask();
        Ok(())
    }

    /// Ends it now, without a word more: the listener is told [`WebSocketError::Closed`].
    pub fn abort(&self) {
        if self.socket.state.get() != State::Over {
            self.socket.state.set(State::Aborted);
            self.ask();
        }
    }

    /// Stops reading: the peer is held back by its own flow control, and neither its Pings
    /// nor its Close frame are seen.
    pub fn pause(&self) {
        self.socket.is_paused.set(true);
        self.ask();
    }

    /// Reads again.
    pub fn resume(&self) {
        self.socket.is_paused.set(false);
        self.ask();
    }

    /// Whether messages can be sent and leave: it is open, and not closing.
    pub fn is_open(&self) -> bool {
        self.socket.state.get() == State::Open
    }

    /// The subprotocol that the server has chosen.
    pub fn protocol(&self) -> Option<String> {
        self.socket.protocol.borrow().clone()
    }

    /// Bytes that wait to be sent, with some for each message. What the loop has taken is
    /// not among them.
    pub fn queued(&self) -> usize {
        self.socket.queue.borrow().bytes
    }

    fn ask(&self) {
        self.socket.desk.ask(self.socket.clone());
    }
}

impl Socket {
    /// Calls the listener, without a borrow of anything else.
    fn tell(self: &Rc<Self>, act: impl FnOnce(&mut dyn WebSocketListener, &LoopWebSocket)) {
        // It is not there while it is called, nor after the end.
        let Some(mut listener) = self.listener.take() else {
            return;
        };
        let handle = LoopWebSocket {
            socket: self.clone(),
        };
        let call = AssertUnwindSafe(|| act(&mut *listener, &handle));
        match catch_unwind(call) {
            Ok(()) => *self.listener.borrow_mut() = Some(listener),
            Err(_) => self.state.set(State::Aborted),
        }
    }

    fn end(&self, how: &Result<CloseFrame, WebSocketError>) {
        self.state.set(State::Over);
        self.queue.take();
        self.charge.take();
        let Some(mut listener) = self.listener.take() else {
            return;
        };
        // After a panic here there is nothing left to lose.
        let _ = catch_unwind(AssertUnwindSafe(|| match how {
            Ok(frame) => listener.closed(frame),
            Err(error) => listener.failed(error),
        }));
    }

    /// Gives the loop what waits, as far as it takes it.
    fn write(&self, line: &mut Line<'_, '_>) {
        while line.takes_more() {
            let Some(next) = self.queue.borrow_mut().pop() else {
                break;
            };
            // Refused only where it is closing: its end comes with what is read.
            match next {
                Outgoing::Message(kind, payload) => {
                    line.send(kind, &payload);
                }
                Outgoing::Ping(payload) => {
                    let _ = line.ping(&payload);
                }
                Outgoing::Close(code, reason) => {
                    self.close_by.set(Instant::NEVER);
                    let _ = line.close(code, &reason);
                }
            }
        }
        let bytes = self.queue.borrow().bytes;
        self.charge.borrow_mut().set(bytes);
    }
}

impl Seat for Socket {
    fn place(&self) -> &Place {
        &self.place
    }

    fn told(self: Rc<Self>, news: News<'_>, line: &mut Line<'_, '_>) {
        match news {
            News::Opened(protocol) => {
                line.charge(&mut self.charge.borrow_mut()); // it ends with the connection
                if self.state.get() == State::Connecting {
                    self.state.set(State::Open);
                }
                *self.protocol.borrow_mut() = protocol.clone();
                self.tell(|listener, socket| listener.opened(socket, protocol.as_deref()));
            }
            News::Message(message) => self.tell(|listener, socket| {
                listener.message(socket, message);
            }),
            News::Pong(payload) => self.tell(|listener, socket| listener.pong(socket, payload)),
            News::Writable => {}
            News::Over(how) => self.end(&how),
        }
    }

    fn step(self: Rc<Self>, line: &mut Line<'_, '_>) -> Wish {
        loop {
            match self.state.get() {
                State::Over => return Wish::Over,
                State::Aborted => self.end(&Err(WebSocketError::Closed)),
                State::Cancelled => self.end(&Err(WebSocketError::Cancelled)),
                State::Connecting => {
                    return match self.attempt.take() {
                        Some(attempt) => Wish::Connect(attempt),
                        None => Wish::Until(Instant::NEVER),
                    };
                }
                State::Open | State::Closing => {
                    if self.is_held.replace(self.is_paused.get()) != self.is_paused.get() {
                        line.set_reading(!self.is_paused.get());
                    }
                    self.write(line);
                    let has_room = self.queue.borrow().waiting.is_empty();
                    if has_room && self.waits.take() && self.state.get() == State::Open {
                        self.tell(|listener, socket| listener.writable(socket));
                        continue;
                    }
                    if self.close_by.get() <= clock::now() {
                        self.end(&Err(WebSocketError::TimedOut));
                        continue;
                    }
                    return Wish::Until(self.close_by.get());
                }
            }
        }
    }

    fn cancel(&self) {
        if self.state.get() != State::Over {
            self.state.set(State::Cancelled);
        }
    }

    fn drain(&self) {
        // Refused where it is closing: the loop closes those that are open itself.
        match self.state.get() {
            State::Connecting => self.state.set(State::Aborted),
            State::Open => self.state.set(State::Closing),
            _ => {}
        }
    }

    fn gone(self: Rc<Self>) {
        if self.state.get() != State::Over {
            self.end(&Err(WebSocketError::Closed));
        }
    }
}

partly_shown!(it: LoopWebSocket { state: it.socket.state.get(), queued: it.queued() });
