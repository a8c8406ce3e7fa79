//! The opener of WebSockets on a loop.

use alloc::boxed::Box;
use alloc::rc::Rc;

use super::driver::Driver;
use super::{Desk, LoopWebSocket, WebSocketListener};
use crate::client::websocket::WebSocketOptions;
use crate::client::{Url, WebSocketError};
use crate::link::Limits;
use crate::net::AnyLoop;
use crate::wire::partly_shown;

/// Opens WebSockets on a loop, on whose thread it stays: [`LoopWebSocket`]s, and
/// [`LoopReconnecting`](crate::client::LoopReconnecting) ones.
///
/// For an app, [`App::on_each_loop`](crate::app::App::on_each_loop) makes one for each loop:
///
/// ```no_run
/// use barewire::app::{App, Response};
/// use barewire::client::{LoopWebSocket, LoopWebSockets, Message, WebSocketError};
/// use barewire::client::{WebSocketListener, WebSocketOptions};
/// use barewire::http::Status;
///
/// /// Answers a request with the first message.
/// struct Answer(Option<barewire::app::Deferred>);
///
/// impl WebSocketListener for Answer {
///     fn message(&mut self, socket: &LoopWebSocket, message: Message) {
///         if let Some(deferred) = self.0.take() {
///             deferred.send(Response::text(message.text().unwrap_or("bytes")));
///         }
///         let _ = socket.close();
///     }
///
///     fn failed(&mut self, error: &WebSocketError) {
///         if let Some(deferred) = self.0.take() {
///             deferred.send(Response::text(&error.to_string()).status(Status::BAD_GATEWAY));
///         }
///     }
/// }
///
/// App::new()
///     .on_each_loop(|events| Ok(LoopWebSockets::on(events, WebSocketOptions::new())))
///     .get("/price", |request, reply| {
///         let sockets = request.local::<LoopWebSockets>().expect("made on each loop");
///         reply.defer(|deferred| {
///             let url = "ws://10.0.0.7/ticker";
///             let opened = sockets.connect(url, Answer(Some(deferred)));
///             opened.expect("a valid URL");
///         })
///     });
/// ```
#[derive(Clone)]
pub struct LoopWebSockets {
    pub(crate) desk: Rc<Desk>,
    pub(crate) options: Rc<WebSocketOptions>,
}

impl LoopWebSockets {
    /// One on this loop, with options for the WebSockets that it opens.
    ///
    /// In place of [`send_time`](WebSocketOptions::send_time) a server that takes
    /// nothing is left after the loop's
    /// [`write_progress`](crate::net::Limits::write_progress).
    pub fn on(events: &mut dyn AnyLoop, options: WebSocketOptions) -> Self {
        let limits = options.limits;
        let desk = Rc::new(Desk::default());
        let profile = events.add_profile(Limits::DEFAULT.with_websocket(limits));
        let driver = Driver::new(desk.clone(), profile, limits, events.remote());
        let owner = events.add_handler(Box::new(driver));
        events.enter_owner(owner, &mut |context| {
            desk.begin(context.waker(), context.loop_account().clone());
        });
        Self {
            desk,
            options: Rc::new(options),
        }
    }

    /// Connects to a URL of `ws` or `wss`. Never blocks: the listener is told what becomes
    /// of it.
    ///
    /// ```
    /// use std::{cell::Cell, rc::Rc};
    ///
    /// use barewire::app::{App, Message as Incoming, Socket, WebSocket};
    /// use barewire::client::{LoopWebSocket, LoopWebSockets, Message, WebSocketListener};
    /// use barewire::client::{CloseFrame, WebSocketOptions};
    /// use barewire::net::{Address, Limits, Loop};
    ///
    /// struct Echo;
    /// impl WebSocket for Echo {
    ///     fn message(&mut self, socket: &mut Socket<'_, '_>, message: Incoming<'_>) {
    ///         socket.send(message);
    ///     }
    /// }
    ///
    /// struct Once(Rc<Cell<bool>>);
    /// impl WebSocketListener for Once {
    ///     fn message(&mut self, socket: &LoopWebSocket, message: Message) {
    ///         assert_eq!(message.text(), Some("hello"));
    ///         socket.close().expect("it is open");
    ///     }
    ///
    ///     fn closed(&mut self, _frame: &CloseFrame) {
    ///         self.0.set(true);
    ///     }
    /// }
    ///
    /// let app = App::new().websocket("/echo", |_request| Ok(Echo));
    /// let server = app.listen("127.0.0.1:0")?.spawn()?;
    /// let [Address::Tcp(address)] = server.local_addresses() else { panic!() };
    ///
    /// let mut events = Loop::new(Limits::DEFAULT)?;
    /// let sockets = LoopWebSockets::on(&mut events, WebSocketOptions::new().no_proxy());
    /// let is_closed = Rc::new(Cell::new(false));
    /// let socket = sockets.connect(&format!("ws://{address}/echo"), Once(is_closed.clone()))?;
    /// socket.send("hello")?; // though it is not open yet
    /// while !is_closed.get() {
    ///     events.turn(None)?;
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`WebSocketError::Url`]; [`WebSocketError::Closed`] if the loop is gone.
    pub fn connect(
        &self,
        url: &str,
        listener: impl WebSocketListener,
    ) -> Result<LoopWebSocket, WebSocketError> {
        self.connect_with(url, (*self.options).clone(), listener)
    }

    /// Like [`connect`](Self::connect), with options of its own. Their
    /// [limits](WebSocketOptions::limits) have to be those of [`on`](Self::on): others
    /// are [`WebSocketError::Options`], which the listener is told.
    ///
    /// # Errors
    /// Those of [`connect`](Self::connect).
    pub fn connect_with(
        &self,
        url: &str,
        options: WebSocketOptions,
        listener: impl WebSocketListener,
    ) -> Result<LoopWebSocket, WebSocketError> {
        let url = Url::parse(url)?;
        if self.desk.is_gone() {
            return Err(WebSocketError::Closed);
        }
        Ok(LoopWebSocket::begin(
            self.desk.clone(),
            url,
            options,
            Box::new(listener),
        ))
    }
}

partly_shown!(LoopWebSockets);
