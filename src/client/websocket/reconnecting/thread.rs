//! The thread of a reconnecting WebSocket.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use core::error::Error;
use core::hash::{BuildHasher as _, Hasher as _};
use core::time::Duration;
use std::hash::RandomState;
use std::sync::{MutexGuard, PoisonError};

use super::listener::tell;
use super::options::Deciding;
use super::placing::Placing;
use super::resume::questions;
use super::sender::Held;
use super::{
    Closed, ConnectAttempt, ReconnectListener, ReconnectSender, ReconnectTask, ResumeHook, Seen,
};
use crate::client::connecting::{Duplex, Waited, Watch, clock};
use crate::client::websocket::inbox::{Inbox, Incoming};
use crate::client::websocket::opening::{Opened, open};
use crate::client::{Canceller, Message, Url, WebSocketError, WebSocketOptions};
use crate::wire::Instant;

/// The longest time to wait for the server to end a connection that is over.
const LINGER: Duration = Duration::from_secs(1);

/// The parameters of an attempt, or the error for which none is made.
pub(super) type Asked = Result<(String, WebSocketOptions), Box<dyn Error + Send + Sync>>;
/// The function that is called before each attempt.
pub(super) type Ask = Box<dyn FnMut(&ConnectAttempt) -> Asked + Send>;

/// The state of the thread. Application code runs without the lock.
pub(super) struct Driver<L> {
    pub(super) sender: ReconnectSender,
    pub(super) ask: Ask,
    pub(super) attempt_time: Duration,
    pub(super) listener: L,
    pub(super) resume: Option<Box<dyn ResumeHook>>,
    pub(super) decide: Deciding,
    /// The options' canceller ends it, whatever it does.
    pub(super) watch: Option<Watch>,
}

/// Ends what is left, should the listener panic.
struct End(ReconnectSender);

impl Drop for End {
    fn drop(&mut self) {
        self.0.abort();
        // Senders may live for long: the descriptors go now.
        self.0.shared.lock().duplex = None;
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
        let closed = match opened {
            Ok(opened) => match begin(opened, &mut held, clock::now()) {
                Some(duplex) => {
                    drop(held);
                    return self.serve(&duplex);
                }
                None => Closed::Lost(NO_ROOM.into()),
            },
            Err(closed) => closed,
        };
        drop(held);
        self.lose(closed);
    }

    fn lose(&self, closed: Closed) {
        let known = self.sender.shared.lock().core.known_as(closed.clone());
        let come_back = (self.decide)(&known);
        let mut held = self.sender.shared.lock();
        held.core.lost_as(closed, come_back, clock::now(), dice());
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
        let options = options.connect_time(time);
        open(&url, &options, canceller).map_err(Closed::by)
    }

    fn ask_to_resume(&mut self) {
        let mut held = self.sender.shared.lock();
        if !held.core.is_to_ask() {
            return;
        }
        let questions = match &mut self.resume {
            None => VecDeque::new(),
            Some(hook) => {
                let position = held.core.position().cloned();
                drop(held);
                let questions = questions(&mut **hook, position.as_ref());
                held = self.sender.shared.lock();
                questions
            }
        };
        held.core.ask(questions);
    }

    fn take(&mut self, message: Message) {
        let seen = match &mut self.resume {
            None => Seen::Message,
            Some(hook) => {
                let position = self.sender.position();
                hook.see(&message, position.as_ref())
            }
        };
        self.sender.shared.lock().core.take(message, seen);
    }

    /// Reads and writes until the connection is over.
    fn serve(&mut self, duplex: &Arc<Duplex<Inbox>>) {
        let sender = self.sender.clone();
        let mut placing = Placing::default();
        loop {
            self.ask_to_resume();
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
                drop(held);
                duplex.shut_down(); // nothing leaves any more
                return self.lose(closed);
            }
            let takes_more = placing.write(&mut held.core, duplex, now);
            let due = held.core.deadline_where(takes_more);
            let until = due.unwrap_or(Instant::NEVER);
            held.is_asleep = true;
            drop(held);
            let waited = duplex.turn(until);
            sender.shared.lock().is_asleep = false;
            let incoming = self.hand_over(duplex, &mut placing);
            for one in incoming {
                match one {
                    Incoming::Message(message) => self.take(message),
                    Incoming::Pong(payload) => sender.shared.lock().core.pong(&payload),
                }
            }
            if matches!(waited, Waited::Over | Waited::Cancelled) {
                return self.end(waited, duplex, placing);
            }
        }
    }

    /// Tells the core how much the system has taken. What has come.
    fn hand_over(&self, duplex: &Duplex<Inbox>, placing: &mut Placing) -> VecDeque<Incoming> {
        let mut held = self.sender.shared.lock();
        let mut state = duplex.lock();
        let now = clock::now();
        placing.look(&mut held.core, &mut *state, now);
        held.core.handed_over(state.handed_over(), now);
        core::mem::take(&mut state.owner().waiting)
    }

    fn end(&mut self, waited: Waited, duplex: &Duplex<Inbox>, mut placing: Placing) {
        let has_rest = {
            let mut state = duplex.lock();
            state.position() > state.handed_over()
        };
        if waited == Waited::Over && has_rest {
            // It may still leave. What is unsent is known only after that.
            duplex.linger(LINGER);
        }
        self.hand_over(duplex, &mut placing);
        let closed = how_closed(duplex.lock().owner());
        self.sender.shared.lock().duplex = None;
        self.lose(closed);
        if waited == Waited::Over && !has_rest {
            self.tell();
            duplex.linger(LINGER);
        }
    }
}

const NO_ROOM: &str = "the system has no descriptors left";

/// Begins to serve a connection, unless the system has no room.
fn begin(opened: Opened, held: &mut Held, now: Instant) -> Option<Arc<Duplex<Inbox>>> {
    let mut inbox = opened.inbox;
    (inbox.keeps_pongs, inbox.pauses) = (true, false);
    let duplex = Arc::new(Duplex::new(opened.driven, inbox, opened.send_time));
    duplex.share().ok()?;
    held.core.opened(opened.protocol, now);
    held.duplex = Some(duplex.clone());
    Some(duplex)
}

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

pub(super) fn dice() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests;
