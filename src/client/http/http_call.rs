//! A call without I/O, for sockets of the caller's own.

mod event;
mod line;

use alloc::boxed::Box;
use alloc::sync::Arc;
use std::io;

use self::line::Line;
use super::call::{Call, Informational, Step};
use super::error::{Error, ErrorKind};
use super::request::Request;
use super::shared_state::Shared;
use crate::client::connecting::{Connection, DialError, Phase, Url};
use crate::http::ResponseHead;
use crate::net::{Speaks, Transport};
use crate::wire::Instant;
use crate::wire::partly_shown;

pub use event::HttpEvent;

/// One HTTP call without I/O: bytes in, events out.
///
/// It is made from a request by [`RequestBuilder::into_call`], and does what
/// [`send`](crate::client::RequestBuilder::send) does: redirects, further attempts, deadlines, limits, decoding.
/// The sockets and the clock are yours, on one thread or another, blocking or not.
///
/// ```text
///   next_event ──► Connect ── you open one ──► connected, connected_over, or resume_on
///       ▲   │
///       │   ├───► Wait ───── output ──► write ──► sent
///       │   │                read ──► receive, receive_eof, or failed
///       │   │                deadline passes ──► elapsed
///       │   └───► Informational, Response, Body, End: look at it, and ask for the next
///       └───────────┘
/// ```
///
/// A whole call, with a server that is played here:
///
/// ```
/// use barewire::client::{Client, HttpEvent};
/// use barewire::wire::Instant;
///
/// # fn main() -> Result<(), barewire::client::Error> {
/// let now = Instant::START;
/// let mut call = Client::new().get("http://example.org/a").into_call(now)?;
/// assert!(matches!(call.next_event(now)?, HttpEvent::Connect { url, .. } if url.port() == 80));
/// call.connected(now);
/// let request = call.output(now).to_vec();
/// assert!(request.starts_with(b"GET /a HTTP/1.1\r\nHost: example.org\r\n"));
/// call.sent(request.len(), now);
/// assert!(matches!(call.next_event(now)?, HttpEvent::Wait));
/// call.receive(&mut b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi".to_vec(), now);
/// assert!(matches!(call.next_event(now)?, HttpEvent::Response(head) if head.status.code() == 200));
/// assert!(matches!(call.next_event(now)?, HttpEvent::Body(b"hi")));
/// assert!(matches!(call.next_event(now)?, HttpEvent::End(_)));
/// let for_the_next_call = call.take_connection();
/// assert!(for_the_next_call.is_some());
/// # Ok(())
/// # }
/// ```
///
/// The layers between a socket and the server are yours as well: TLS
/// (`tls::Client::session` of the feature `tls`) and ways through proxies are a
/// [`net::Transport`](crate::net::Transport) that is given to
/// [`connected_over`](Self::connected_over). The proxies of the client's options are
/// not asked. Ask for events until there is [`Wait`](HttpEvent::Wait) before you give
/// it more: what it holds of a body is what you gave it.
///
/// [`RequestBuilder::into_call`]: crate::client::RequestBuilder::into_call
pub struct HttpCall {
    client: Arc<Shared>,
    call: Call,
    line: Option<Line>,
    /// One that is not needed any more, and can be used again.
    resting: Option<Connection>,
    informational: Option<Informational>,
    /// How much of the piece was shown, which is taken from it next.
    shown: usize,
    /// The caller has had the time since the last event.
    is_with_caller: bool,
    is_answered: bool,
}

impl HttpCall {
    pub(super) fn new(client: Arc<Shared>, request: Request, now: Instant) -> Self {
        client.counters.start();
        Self {
            call: Call::new(request, client.policy.clone(), now),
            client,
            line: None,
            resting: None,
            informational: None,
            shown: 0,
            is_with_caller: false,
            is_answered: false,
        }
    }

    /// The next event, or the next thing to do. Content that the last event has shown
    /// is taken.
    ///
    /// # Errors
    /// [`Error`] says how far it was, what went wrong, and whether the server may have
    /// acted on the request. The call is over then, and its connection is to be closed.
    pub fn next_event(&mut self, now: Instant) -> Result<HttpEvent<'_>, Error> {
        self.call.consume(core::mem::take(&mut self.shown));
        if core::mem::take(&mut self.is_with_caller) {
            self.call.resume(now);
        }
        if let Some(line) = &mut self.line {
            line.give_back(&mut self.call);
        }
        Ok(match self.call.next(now) {
            Step::Wait => HttpEvent::Wait,
            Step::Connect { .. } if self.is_awaiting() => HttpEvent::Wait,
            Step::Connect { fresh, at } => {
                self.let_go();
                let url = self.call.url();
                HttpEvent::Connect { url, fresh, at }
            }
            Step::Informational(informational) => {
                let informational = self.informational.insert(informational);
                HttpEvent::Informational(informational.status, informational.fields.as_fields())
            }
            Step::Head => {
                self.is_with_caller = true;
                let took = now.saturating_since(self.call.started());
                let head = self.call.head();
                self.client.counters.answered(head.status, took);
                self.is_answered = true;
                HttpEvent::Response(ResponseHead {
                    status: head.status,
                    version: head.version,
                    fields: head.fields.as_fields(),
                })
            }
            Step::Piece => {
                self.is_with_caller = true;
                self.shown = self.call.piece().len();
                HttpEvent::Body(self.call.piece())
            }
            Step::End => {
                self.let_go();
                HttpEvent::End(self.call.head().trailers.as_fields())
            }
            Step::Failed(error) => {
                let line = self.line.take();
                return Err(error.explained(|| line?.connection.transport_details()));
            }
        })
    }

    /// A connection to where [`Connect`](HttpEvent::Connect) has asked for is open, and
    /// nothing but HTTP/1.1 is spoken on it; or HTTP/2, where the client's options say that
    /// the server is known to speak it.
    pub fn connected(&mut self, now: Instant) {
        let limits = self.client.link.clone();
        let connection = match self.client.may_share(self.call.url()) {
            true if !self.call.url().is_secure() => Connection::http2(limits, now),
            _ => Connection::http1(limits, now),
        };
        self.client.counters.opened();
        self.begin(connection, false, now);
    }

    /// A socket is open over which a transport goes, such as TLS. It speaks what that
    /// agrees on, HTTP/1.1 if it leaves that open; the request goes out when its handshake
    /// is over.
    pub fn connected_over(&mut self, transport: Box<dyn Transport + Send>, now: Instant) {
        let until = now + self.call.limits().handshake_time;
        let limits = self.client.link.clone();
        let connection = Connection::over_until(transport, Speaks::Http1, until, limits, now);
        self.client.counters.opened();
        self.begin(connection, false, now);
    }

    /// The request goes out on a connection that another call was [done
    /// with](Self::take_connection). Look at its socket before: what has come there in the
    /// meantime answers no request, and makes it useless.
    pub fn resume_on(&mut self, connection: Connection, now: Instant) {
        self.client.counters.reused();
        self.begin(connection, true, now);
    }

    fn begin(&mut self, connection: Connection, reused: bool, now: Instant) {
        if self.call.wants_connection() {
            let line = Line::new(connection, self.call.url().is_secure(), reused, now);
            self.line.insert(line).settle(&mut self.call, now);
        }
    }

    /// No connection could be made, in this phase.
    pub fn unreachable(&mut self, phase: Phase, error: io::Error, now: Instant) {
        if self.call.wants_connection() {
            let error = DialError::failed(phase, error);
            self.call.unreachable(error, now);
        }
    }

    /// Takes bytes that have arrived.
    pub fn receive(&mut self, bytes: &mut [u8], now: Instant) {
        self.on_line(|line, call| line.receive(bytes, call, now));
    }

    /// Takes the end of what arrives: the server has sent its last byte.
    pub fn receive_eof(&mut self, now: Instant) {
        self.on_line(|line, call| line.receive_eof(call, now));
    }

    /// Reading or writing has failed: the connection is broken.
    pub fn failed(&mut self, now: Instant) {
        self.on_line(|line, call| line.break_off(call, now));
    }

    /// The bytes to write. Say by [`sent`](Self::sent) how many of them the system has
    /// taken.
    pub fn output(&mut self, now: Instant) -> &[u8] {
        match &mut self.line {
            Some(line) => line.output(&mut self.call, now),
            None => &[],
        }
    }

    /// The system has taken the first bytes of the [`output`](Self::output). Whether a
    /// request may be sent again depends on that.
    pub fn sent(&mut self, bytes: usize, now: Instant) {
        self.on_line(|line, call| line.sent(bytes, call, now));
    }

    /// When [`elapsed`](Self::elapsed) is to be called. Any other call may change the
    /// answer.
    pub fn deadline(&self) -> Instant {
        let of_call = self.call.deadline();
        let line = self.line.as_ref();
        line.map_or(of_call, |it| it.deadline(&self.call).min(of_call))
    }

    /// Does what time has made due.
    pub fn elapsed(&mut self, now: Instant) {
        match &mut self.line {
            Some(line) => line.elapsed(&mut self.call, now),
            None => self.call.elapsed(now),
        }
    }

    /// Ends the call: its next event is an error. The connection is to be closed.
    pub fn cancel(&mut self) {
        self.call.abandon(ErrorKind::Cancelled);
    }

    /// The connection, if the call needs it no more and it can be used again: after
    /// [`End`](HttpEvent::End), and at [`Connect`](HttpEvent::Connect) that of the request
    /// before. Otherwise its socket is to be closed.
    pub const fn take_connection(&mut self) -> Option<Connection> {
        self.resting.take()
    }

    /// The URL of the present request, which a redirect may have named.
    pub const fn url(&self) -> &Url {
        self.call.url()
    }

    fn on_line(&mut self, act: impl FnOnce(&mut Line, &mut Call)) {
        if let Some(line) = &mut self.line {
            act(line, &mut self.call);
        }
    }

    /// Whether the present connection is to take the request, and does not yet.
    fn is_awaiting(&self) -> bool {
        self.line.as_ref().is_some_and(Line::is_awaited)
    }

    fn let_go(&mut self) {
        if let Some(mut line) = self.line.take() {
            let (sent, received) = self.call.carried();
            self.client.counters.carried(sent, received);
            self.resting = line.connection.can_go_on().then_some(line.connection);
        }
    }
}

impl Drop for HttpCall {
    fn drop(&mut self) {
        self.client.counters.end(&mut self.call, self.is_answered);
    }
}

partly_shown!(it: HttpCall { call, line });
