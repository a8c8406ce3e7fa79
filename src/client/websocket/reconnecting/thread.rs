//! The thread of a reconnecting WebSocket.

use alloc::boxed::Box;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use core::error::Error;
use core::hash::{BuildHasher as _, Hasher as _};
use core::time::Duration;
use std::hash::RandomState;
use std::sync::{MutexGuard, PoisonError};

use super::listener::tell;
use super::sender::Held;
use super::{Closed, ConnectAttempt, ReconnectListener, ReconnectSender, ReconnectTask, ToWrite};
use crate::client::connecting::{Duplex, Waited, Watch, clock};
use crate::client::websocket::inbox::{Inbox, Incoming};
use crate::client::websocket::opening::{Opened, open};
use crate::client::{Canceller, Url, WebSocketError, WebSocketOptions};
use crate::websocket::CloseCode;
use crate::websocket::handshake::Refused;
use crate::wire::Instant;

/// Output from which on the system is to take some before more is put to it.
const OUTPUT: u64 = 64 << 10;
/// The longest time to wait for the server to end a connection that is over.
const LINGER: Duration = Duration::from_secs(1);

/// What an attempt needs to know, or why none is made.
pub(super) type Asked = Result<(String, WebSocketOptions), Box<dyn Error + Send + Sync>>;
/// Who is asked before each attempt.
pub(super) type Ask = Box<dyn FnMut(&ConnectAttempt) -> Asked + Send>;

/// What runs on the thread.
pub(super) struct Driver<L> {
    pub(super) sender: ReconnectSender,
    pub(super) ask: Ask,
    pub(super) attempt_time: Duration,
    pub(super) listener: L,
    /// The options' canceller ends it, whatever it does.
    pub(super) watch: Option<Watch>,
}

/// Ends what is left, should the listener panic.
struct End(ReconnectSender);

impl Drop for End {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<L: ReconnectListener> Driver<L> {
    pub(super) fn run(mut self) {
        let end = End(self.sender.clone());
        loop {
            self.tell();
            let mut held = end.0.shared.lock();
            if held.core.has_events() {
                continue;
            }
            let now = clock::now();
            match held.core.task(now) {
                ReconnectTask::Connect(attempt) => self.connect(&attempt, held),
                ReconnectTask::Wait(until) => {
                    held.is_asleep = true;
                    let left = until.saturating_since(now);
                    let waited = end.0.shared.news.wait_timeout(held, left);
                    let mut held = waited.unwrap_or_else(PoisonError::into_inner).0;
                    held.is_asleep = false;
                }
                ReconnectTask::Serve => drop(held), // connecting serves to the end
                ReconnectTask::Over => return,
            }
        }
    }

    /// Tells the listener what is new.
    fn tell(&mut self) {
        loop {
            let event = self.sender.shared.lock().core.event();
            match event {
                Some(event) => tell(&mut self.listener, &self.sender, event),
                None => return,
            }
        }
    }

    fn connect(&mut self, attempt: &ConnectAttempt, mut held: MutexGuard<'_, Held>) {
        let canceller = Canceller::new();
        held.dialling = Some(canceller.clone());
        drop(held);
        let opened = self.attempt(attempt, &canceller);
        let sender = self.sender.clone();
        let mut held = sender.shared.lock();
        held.dialling = None;
        let now = clock::now();
        match opened {
            Ok(opened) => match begin(opened, &mut held, now) {
                Some(duplex) => {
                    drop(held);
                    self.serve(&duplex);
                }
                None => held.core.lost(Closed::Lost(NO_ROOM.into()), now, dice()),
            },
            Err(closed) => held.core.lost(closed, now, dice()),
        }
    }

    fn attempt(
        &mut self,
        attempt: &ConnectAttempt,
        canceller: &Canceller,
    ) -> Result<Opened, Closed> {
        let asked = (self.ask)(attempt);
        let (url, options) = asked.map_err(|error| Closed::NotTried(error.to_string()))?;
        let url = Url::parse(&url).map_err(|error| Closed::Unusable(error.to_string()))?;
        self.watch = options.canceller.as_ref().map(|it| {
            let sender = self.sender.clone();
            it.on_cancel(move || sender.abort())
        });
        let time = options.connect_time.min(self.attempt_time);
        let options = options.with_connect_time(time);
        open(&url, &options, canceller).map_err(|error| match error {
            WebSocketError::Refused {
                reason: Refused::Status(status),
                retry_after,
                ..
            } => Closed::Refused {
                status,
                retry_after,
            },
            WebSocketError::Dial { error, .. } => Closed::Unreachable(error.to_string()),
            WebSocketError::Handshake(error) => Closed::Unusable(error.to_string()),
            WebSocketError::Options(error) => Closed::Unusable(error.to_string()),
            error => Closed::Lost(error.to_string()),
        })
    }

    /// Reads and writes until the connection is over.
    fn serve(&mut self, duplex: &Arc<Duplex<Inbox>>) {
        let sender = self.sender.clone();
        loop {
            self.tell();
            let mut held = sender.shared.lock();
            if held.core.has_events() {
                continue;
            }
            let now = clock::now();
            let over = match held.core.is_over() {
                true => Some(Closed::Lost("it was ended by this side".into())),
                false => held.core.elapsed(now),
            };
            if let Some(closed) = over {
                held.duplex = None;
                held.core.lost(closed, now, dice());
                drop(held);
                duplex.shut_down();
                return;
            }
            let takes_more = write(&mut held, duplex, now);
            let due = held.core.deadline_where(takes_more);
            let until = due.unwrap_or(Instant::NEVER);
            held.is_asleep = true;
            drop(held);
            let waited = duplex.turn(until);
            let mut held = sender.shared.lock();
            held.is_asleep = false;
            let mut state = duplex.lock();
            held.core.handed_over(state.handed_over());
            while let Some(incoming) = state.owner().waiting.pop_front() {
                match incoming {
                    Incoming::Message(message) => held.core.received(message),
                    Incoming::Pong(payload) => held.core.pong(&payload),
                }
            }
            if matches!(waited, Waited::Over | Waited::Cancelled) {
                let has_rest = state.position() > state.handed_over();
                drop(state);
                drop(held);
                if waited == Waited::Over && has_rest {
                    // It may still leave. What is unsent is known only after that.
                    duplex.linger(LINGER);
                }
                end(&mut sender.shared.lock(), duplex);
                if waited == Waited::Over && !has_rest {
                    self.tell();
                    duplex.linger(LINGER);
                }
                return;
            }
        }
    }
}

const NO_ROOM: &str = "the system has no descriptors left";

/// Begins to serve a connection, unless the system has no room.
fn begin(opened: Opened, held: &mut Held, now: Instant) -> Option<Arc<Duplex<Inbox>>> {
    let mut inbox = opened.inbox;
    inbox.keeps_pongs = true;
    let duplex = Arc::new(Duplex::new(opened.driven, inbox, opened.send_time));
    duplex.share().ok()?;
    held.core.opened(opened.protocol, now);
    held.duplex = Some(duplex.clone());
    Some(duplex)
}

/// The connection is over, and nothing is written to it any more.
fn end(held: &mut Held, duplex: &Duplex<Inbox>) {
    let mut state = duplex.lock();
    held.core.handed_over(state.handed_over());
    let closed = how_closed(state.owner());
    drop(state);
    held.duplex = None;
    held.core.lost(closed, clock::now(), dice());
}

/// Writes what there is, as far as the system takes it. Whether more could be put to it
/// before it has taken that.
fn write(held: &mut Held, duplex: &Duplex<Inbox>, now: Instant) -> bool {
    let core = &mut held.core;
    loop {
        let mut state = duplex.lock();
        let inbox = state.owner();
        let stream = inbox.stream;
        inbox.has_room = false;
        let (mut is_full, mut takes_more) = (false, true);
        while !is_full {
            let from = state.position();
            if from - state.handed_over() >= OUTPUT {
                takes_more = false;
                break;
            }
            let Some(next) = core.next(now) else {
                is_full = true;
                break;
            };
            let wire = state.wire_at(now);
            let is_taken = match next {
                ToWrite::Message(message) => {
                    let flow = wire.send_message(stream, message.kind(), message.payload());
                    is_full = wire.link.queued(stream) > 0; // its window is closed
                    flow.is_taken()
                }
                ToWrite::Ping(payload) => wire.ping(stream, &payload).is_ok(),
                ToWrite::Close => wire.close(stream, CloseCode::NORMAL, "").is_ok(),
            };
            if !is_taken {
                // It is closing: the end comes with what is read.
                (is_full, takes_more) = (true, false);
                break;
            }
            let to = state.position();
            core.placed(from, to, now);
        }
        drop(state);
        let is_written = duplex.push();
        core.handed_over(duplex.lock().handed_over());
        if is_full || !is_written {
            return takes_more;
        }
    }
}

/// How a connection has ended.
fn how_closed(inbox: &mut Inbox) -> Closed {
    match (inbox.closed.take(), inbox.ended) {
        (Some(frame), _) => Closed::ByPeer {
            code: frame.code,
            reason: frame.reason,
        },
        (None, Some(reason)) => Closed::Lost(WebSocketError::ended(reason).to_string()),
        (None, None) => Closed::Lost("it was ended by this side".into()),
    }
}

/// Any number, evenly distributed.
fn dice() -> u64 {
    RandomState::new().build_hasher().finish()
}
