//! A reconnecting WebSocket on a loop.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::{String, ToString as _};
use core::cell::RefCell;
use core::error::Error;
use core::fmt;
use core::panic::AssertUnwindSafe;
use core::time::Duration;
use std::panic::catch_unwind;

use super::listener::tell;
use super::options::Deciding;
use super::placing::{Output, Placing};
use super::resume::questions;
use super::thread::dice;
use super::{
    Closed, ConnectAttempt, Position, Receipt, ReconnectError, ReconnectListener, ReconnectOptions,
    ReconnectTask, Reconnector, ResumeHook, Seen, ToWrite,
};
use crate::client::connecting::clock;
use crate::client::websocket::on_loop::{
    Attempt, Desk, Line, LoopWebSockets, News, Place, Seat, Wish,
};
use crate::client::{CloseFrame, Message, Url, WebSocketError, WebSocketOptions};
use crate::websocket::CloseCode;
use crate::wire::Instant;

/// The parameters of an attempt, or the error for which none is made.
type Asked = Result<(String, WebSocketOptions), Box<dyn Error>>;

/// A WebSocket on a loop that reconnects by itself: a
/// [`Reconnecting`](super::Reconnecting) for a thread that must not wait, by the same
/// [`Reconnector`]. Clones are the same WebSocket, which goes on when all are dropped.
///
/// ```no_run
/// use barewire::client::{LoopReconnecting, LoopWebSockets, Message, ReconnectListener};
/// use barewire::client::{ReconnectOptions, WebSocketOptions};
/// use barewire::net::{Limits, Loop};
///
/// struct Print;
///
/// impl ReconnectListener<LoopReconnecting> for Print {
///     fn message(&mut self, _socket: &LoopReconnecting, message: Message) {
///         println!("{:?}", message.text());
///     }
/// }
///
/// let mut events = Loop::new(Limits::DEFAULT)?;
/// let sockets = LoopWebSockets::on(&mut events, WebSocketOptions::new());
/// let url = "ws://127.0.0.1:8080/ws/chat";
/// let socket = LoopReconnecting::connect(&sockets, url, ReconnectOptions::new(), Print)?;
/// let receipt = socket.send("hello")?;
/// events.run()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct LoopReconnecting {
    seat: Rc<Reconnects>,
}

/// State shared by handles and the owner. No application code runs while it is borrowed.
struct Reconnects {
    place: Place,
    desk: Rc<Desk>,
    core: RefCell<Reconnector>,
    placing: RefCell<Placing>,
    hooks: RefCell<Option<Hooks>>,
    attempt_time: Duration,
}

/// The application's own code.
struct Hooks {
    ask: Box<dyn FnMut(&ConnectAttempt) -> Asked>,
    decide: Deciding,
    resume: Option<Box<dyn ResumeHook>>,
    listener: Box<dyn ReconnectListener<LoopReconnecting>>,
}

impl LoopReconnecting {
    /// Connects to a URL of `ws` or `wss`, now and whenever the connection is lost, with
    /// the options of `sockets`.
    ///
    /// # Errors
    /// [`WebSocketError::Url`]; [`WebSocketError::Closed`] if the loop is gone.
    pub fn connect(
        sockets: &LoopWebSockets,
        url: &str,
        options: ReconnectOptions,
        listener: impl ReconnectListener<Self>,
    ) -> Result<Self, WebSocketError> {
        Url::parse(url)?;
        let (url, socket) = (String::from(url), sockets.options.clone());
        let ask = move |_: &ConnectAttempt| Ok((url.clone(), (*socket).clone()));
        Self::connect_by(sockets, ask, options, listener)
    }

    /// Asks before each attempt where to connect, and how: for a token that runs out, say.
    /// It must not block; an error counts as an attempt that has failed. Its options have
    /// the limits of `sockets`.
    ///
    /// # Errors
    /// [`WebSocketError::Closed`] if the loop is gone.
    pub fn connect_by(
        sockets: &LoopWebSockets,
        ask: impl FnMut(&ConnectAttempt) -> Asked + 'static,
        options: ReconnectOptions,
        listener: impl ReconnectListener<Self>,
    ) -> Result<Self, WebSocketError> {
        if sockets.desk.is_gone() {
            return Err(WebSocketError::Closed);
        }
        let attempt_time = options.limits.attempt;
        let mut core = Reconnector::new(options);
        if let Some(account) = sockets.desk.account() {
            core.charge_to(account); // messages outlive connections
        }
        let (resume, decide) = core.take_hooks();
        let seat = Rc::new(Reconnects {
            place: Place::new(),
            desk: sockets.desk.clone(),
            core: RefCell::new(core),
            placing: RefCell::default(),
            hooks: RefCell::new(Some(Hooks {
                ask: Box::new(ask),
                decide,
                resume,
                listener: Box::new(listener),
            })),
            attempt_time,
        });
        let socket = Self { seat };
        socket.ask();
        Ok(socket)
    }

    /// Queues a message: it is written as soon as there is a connection.
    ///
    /// # Errors
    /// [`ReconnectError::Full`] if the queue has no room and its policy refuses,
    /// [`ReconnectError::NoMemory`] if that is because the loop has no memory left,
    /// [`ReconnectError::Over`] if it is closed for good.
    pub fn send(&self, message: impl Into<Message>) -> Result<Receipt, ReconnectError> {
        let receipt = self.seat.core.borrow_mut().send(message.into())?;
        self.ask();
        Ok(receipt)
    }

    /// Says that the peer has read a message, by its own answer. Whether that was not
    /// known.
    pub fn confirm(&self, receipt: &Receipt) -> bool {
        let is_news = self.seat.core.borrow_mut().confirm(receipt.id());
        self.ask();
        is_news
    }

    /// Connects now, if it waits to: the network is back, or somebody asks for it. Whether
    /// it did wait.
    pub fn try_now(&self) -> bool {
        let did_wait = self.seat.core.borrow_mut().try_now();
        self.ask();
        did_wait
    }

    /// Closes the connection and connects again, after this time and a bit: a server has
    /// asked for it, say.
    pub fn reconnect(&self, after: Duration) {
        self.seat.core.borrow_mut().reconnect(after);
        self.ask();
    }

    /// Closes it for good: what was sent is written before and confirmed, where there is a
    /// connection. Nothing can be sent from here on.
    pub fn close(&self) {
        self.seat.core.borrow_mut().close(clock::now());
        self.ask();
    }

    /// Closes it for good with this code and reason, and without what waits or is not
    /// confirmed. If the reason is longer than 123 bytes, or the code may not be sent, it
    /// closes with 1000 and no reason.
    pub fn close_with(&self, code: CloseCode, reason: &str) {
        let mut core = self.seat.core.borrow_mut();
        core.close_with(code, reason, clock::now());
        drop(core);
        self.ask();
    }

    /// Ends it now, without a word more.
    pub fn abort(&self) {
        self.seat.core.borrow_mut().abandon();
        self.ask();
    }

    /// Whether a connection is open.
    pub fn is_open(&self) -> bool {
        self.seat.core.borrow().is_open()
    }

    /// How many messages wait or are not confirmed, and the bytes that are held for them.
    pub fn held(&self) -> (usize, usize) {
        self.seat.core.borrow().held()
    }

    /// The last position that was seen.
    pub fn position(&self) -> Option<Position> {
        self.seat.core.borrow().position().cloned()
    }

    /// Sets the position to resume from: one that was kept, say.
    pub fn set_position(&self, position: Option<Position>) {
        self.seat.core.borrow_mut().set_position(position);
    }

    fn ask(&self) {
        self.seat.desk.ask(self.seat.clone());
    }
}

impl Reconnects {
    /// Calls the application; `None` if it is being called, or has panicked, which ends it.
    fn call<R>(&self, act: impl FnOnce(&mut Hooks) -> R) -> Option<R> {
        let mut hooks = self.hooks.take()?;
        let called = catch_unwind(AssertUnwindSafe(|| act(&mut hooks)));
        match called {
            Ok(called) => {
                *self.hooks.borrow_mut() = Some(hooks);
                Some(called)
            }
            Err(_) => {
                self.core.borrow_mut().abandon();
                None
            }
        }
    }

    fn tell(self: &Rc<Self>) {
        let socket = LoopReconnecting { seat: self.clone() };
        loop {
            let event = self.core.borrow_mut().event();
            let Some(event) = event else {
                return;
            };
            self.call(|hooks| tell(&mut *hooks.listener, &socket, event));
        }
    }

    /// The attempt has failed, or the connection is over.
    fn lose(&self, closed: Closed) {
        let known = self.core.borrow().known_as(closed.clone());
        let Some(come_back) = self.call(|hooks| (hooks.decide)(&known)) else {
            return;
        };
        let mut core = self.core.borrow_mut();
        core.lost_as(closed, come_back, clock::now(), dice());
    }

    fn attempt(&self, attempt: &ConnectAttempt) -> Result<Attempt, Closed> {
        let asked = self.call(|hooks| (hooks.ask)(attempt));
        let asked = asked.ok_or_else(|| Closed::NotTried("it has panicked".into()))?;
        let (url, options) = asked.map_err(|error| Closed::NotTried(error.to_string()))?;
        let url = Url::parse(&url).map_err(|error| Closed::Unusable(error.to_string()))?;
        let time = options.connect_time.min(self.attempt_time);
        Ok(Attempt {
            url,
            options,
            until: clock::now() + time,
        })
    }

    fn ask_to_resume(&self) {
        if !self.core.borrow().is_to_ask() {
            return;
        }
        let position = self.core.borrow().position().cloned();
        let questions = self.call(|hooks| {
            let hook = hooks.resume.as_mut()?;
            Some(questions(&mut **hook, position.as_ref()))
        });
        let questions = questions.flatten().unwrap_or_default();
        self.core.borrow_mut().ask(questions);
    }

    fn take(&self, message: Message) {
        let position = self.core.borrow().position().cloned();
        let seen = self.call(|hooks| match &mut hooks.resume {
            Some(hook) => hook.see(&message, position.as_ref()),
            None => Seen::Message,
        });
        if let Some(seen) = seen {
            self.core.borrow_mut().take(message, seen);
        }
    }

    /// Learns how much the system has taken.
    fn sync(&self, line: &mut Line<'_, '_>) {
        let mut core = self.core.borrow_mut();
        let now = clock::now();
        if line.progress().is_some() {
            self.placing.borrow_mut().look(&mut core, line, now);
            core.handed_over(line.taken(), now);
        }
    }

    /// The connection is over, or none has come about.
    fn end(&self, how: Result<CloseFrame, WebSocketError>, line: &mut Line<'_, '_>) {
        self.sync(line);
        self.lose(match how {
            Ok(frame) => Closed::ByPeer {
                code: frame.code,
                reason: frame.reason,
            },
            Err(error) => Closed::by(error),
        });
    }
}

impl Output for Line<'_, '_> {
    fn end(&mut self) -> u64 {
        self.progress().map_or(0, |it| it.written)
    }

    fn taken(&mut self) -> u64 {
        self.progress().map_or(0, |it| it.sent)
    }

    fn waiting(&mut self) -> usize {
        self.progress().map_or(0, |it| it.queued)
    }

    fn unsent(&mut self) -> Option<usize> {
        self.left_unsent().map(|bytes| bytes as usize)
    }

    fn await_window(&mut self) {
        self.awaits_departure = true;
    }

    fn put(&mut self, next: ToWrite<'_>, _: Instant) -> bool {
        match next {
            ToWrite::Message(message) => self.send(message.kind(), message.payload()),
            ToWrite::Ping(payload) => self.ping(&payload).is_ok(),
            ToWrite::Close { code, reason } => self.close(code, reason).is_ok(),
        }
    }
}

impl Seat for Reconnects {
    fn place(&self) -> &Place {
        &self.place
    }

    fn told(self: Rc<Self>, news: News<'_>, line: &mut Line<'_, '_>) {
        match news {
            News::Opened(protocol) => {
                self.placing.take();
                self.core.borrow_mut().opened(protocol, clock::now());
            }
            News::Message(message) => self.take(message),
            News::Pong(payload) => {
                self.sync(line);
                self.core.borrow_mut().pong(payload);
            }
            News::Writable => {}
            News::Over(how) => self.end(how, line),
        }
    }

    fn step(self: Rc<Self>, line: &mut Line<'_, '_>) -> Wish {
        loop {
            self.tell();
            let now = clock::now();
            let mut core = self.core.borrow_mut();
            match core.task(now) {
                ReconnectTask::Over => {
                    drop(core);
                    drop(self.hooks.take()); // a listener may hold a handle
                    return Wish::Over;
                }
                ReconnectTask::Connect(attempt) => {
                    drop(core);
                    match self.attempt(&attempt) {
                        Ok(attempt) => return Wish::Connect(Box::new(attempt)),
                        Err(closed) => self.lose(closed),
                    }
                }
                ReconnectTask::Wait(until) => {
                    // Closed for good while it connects, or not over in time.
                    if core.is_leaving() {
                        drop(core);
                        self.lose(Closed::Lost("it was ended by this side".into()));
                        return Wish::Cut;
                    }
                    return Wish::Until(until);
                }
                ReconnectTask::Serve => {
                    drop(core);
                    self.sync(line);
                    self.ask_to_resume();
                    let mut core = self.core.borrow_mut();
                    if let Some(closed) = core.elapsed(now) {
                        drop(core);
                        self.lose(closed);
                        return Wish::Cut;
                    }
                    if core.has_events() || core.is_over() {
                        continue;
                    }
                    let mut placing = self.placing.borrow_mut();
                    let takes_more = placing.write_on_loop(&mut core, line, now);
                    let has_left = line.end() == line.taken() && line.waiting() == 0;
                    line.awaits_departure |= !has_left;
                    let due = core.deadline_where(takes_more);
                    return Wish::Until(due.unwrap_or(Instant::NEVER));
                }
            }
        }
    }

    fn cancel(&self) {
        self.core.borrow_mut().abandon();
    }

    fn drain(&self) {
        self.core.borrow_mut().close(clock::now());
    }

    fn gone(self: Rc<Self>) {
        self.core.borrow_mut().abandon();
        self.tell();
        drop(self.hooks.take());
    }
}

impl fmt::Debug for LoopReconnecting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LoopReconnecting")
            .field(&self.seat.core.borrow())
            .finish()
    }
}
