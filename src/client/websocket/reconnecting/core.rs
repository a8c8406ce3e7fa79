//! A reconnecting WebSocket without I/O.

mod commands;
mod pings;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::mem;

use self::pings::Pings;
use super::options::Deciding;
use super::queue::Queue;
use super::schedule::Schedule;
use super::{
    Closed, ComeBack, Confirmation, ConnectAttempt, Position, QueuePolicy, Receipt, ReconnectEvent,
    ReconnectLimits, ReconnectOptions, ReconnectTask, ResumeHook, Seen, ToWrite, UnknownPolicy,
};
use crate::client::Message;
use crate::wire::Instant;

/// Messages behind which a Ping is sent though more are waiting.
const BATCH: usize = 64;
/// The shortest time from one of those Pings to the next: servers count them.
const PING_GAP: core::time::Duration = core::time::Duration::from_millis(50);

/// A reconnecting WebSocket without I/O: what is to be done next, what is to be written,
/// and what becomes of messages.
///
/// Its owner has a clock, a source of chance and something that connects. It does what
/// [`task`](Self::task) says, and tells what comes of it:
///
/// - [`ReconnectTask::Connect`]: [`opened`](Self::opened), or [`lost`](Self::lost).
/// - [`ReconnectTask::Serve`]: it writes what [`next`](Self::next) gives, says where that lies in
///   the output ([`placed`](Self::placed)) and how far the output has got
///   ([`handed_over`](Self::handed_over)), and hands in what comes:
///   [`received`](Self::received), [`pong`](Self::pong), and in the end `lost`.
/// - [`ReconnectTask::Wait`]: nothing, until then.
///
/// It calls [`elapsed`](Self::elapsed) at the [`deadline`](Self::deadline), and takes
/// [`event`](Self::event)s after each call.
///
/// ```text
///   Waiting ──► Connecting ──opened──► Open ──lost──┐
///      ▲            └──────────lost───────►┐        │
///      └──────────────── come back? ◄──────┴────────┘
///                             └─ no ──► Over
/// ```
///
/// ```
/// use barewire::client::{Reconnector, ReconnectOptions, ReceiptState, ReconnectTask, ToWrite};
/// use barewire::wire::Instant;
///
/// let now = Instant::START;
/// let mut core = Reconnector::new(ReconnectOptions::new());
/// let receipt = core.send("hello".into())?;
/// let ReconnectTask::Connect(attempt) = core.task(now) else { panic!() };
/// assert_eq!(attempt.number, 1);
/// core.opened(None, now);
/// let Some(ToWrite::Message(message)) = core.next(now) else { panic!() };
/// assert_eq!(message.text(), Some("hello"));
/// core.placed(0, 11, now); // a frame with a mask
/// core.handed_over(11);
/// assert_eq!(receipt.state(), ReceiptState::Written);
/// let Some(ToWrite::Ping(payload)) = core.next(now) else { panic!() };
/// core.placed(11, 25, now);
/// core.handed_over(25);
/// core.pong(&payload);
/// assert_eq!(receipt.state(), ReceiptState::Confirmed);
/// # Ok::<(), barewire::client::ReconnectError>(())
/// ```
pub struct Reconnector {
    limits: ReconnectLimits,
    policy: QueuePolicy,
    unknown: UnknownPolicy,
    confirmation: Confirmation,
    attempts: Option<u32>,
    come_back: Deciding,
    resume: Option<Box<dyn ResumeHook>>,
    state: State,
    schedule: Schedule,
    queue: Queue,
    pings: Pings,
    position: Option<Position>,
    /// This side ends the connection, once what was written is confirmed.
    leaving: Option<Leaving>,
    events: VecDeque<ReconnectEvent>,
    /// What `next` gave, until it is placed.
    given: Option<Given>,
    /// The question to resume, while it is written.
    question: Option<Message>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting {
        until: Instant,
    },
    Connecting,
    Open,
    /// What was asked to resume has to be answered until then.
    Resuming {
        until: Instant,
    },
    Over,
}

/// Why this side ends the connection.
#[derive(Debug, Clone, Copy)]
enum Leaving {
    ForGood,
    ToReconnect { after: core::time::Duration },
}

#[derive(Debug, Clone, Copy)]
enum Given {
    Question,
    Message,
    Ping(u64),
    Close,
}

impl Reconnector {
    /// One that connects as soon as it is asked what to do.
    pub fn new(options: ReconnectOptions) -> Self {
        Self {
            limits: options.limits,
            policy: options.queue,
            unknown: options.unknown,
            confirmation: options.confirmation,
            attempts: options.attempts,
            come_back: options.come_back,
            resume: options.resume,
            state: State::Waiting {
                until: Instant::START,
            },
            schedule: Schedule::default(),
            queue: Queue::default(),
            pings: Pings::default(),
            position: None,
            leaving: None,
            events: VecDeque::new(),
            given: None,
            question: None,
        }
    }

    /// What is to be done now.
    pub fn task(&mut self, now: Instant) -> ReconnectTask {
        match self.state {
            State::Waiting { until } if until <= now => {
                self.state = State::Connecting;
                ReconnectTask::Connect(ConnectAttempt {
                    number: self.schedule.failures().saturating_add(1),
                    position: self.position.clone(),
                })
            }
            State::Waiting { until } => ReconnectTask::Wait(until),
            State::Connecting => ReconnectTask::Wait(Instant::NEVER),
            State::Open | State::Resuming { .. } => ReconnectTask::Serve,
            State::Over => ReconnectTask::Over,
        }
    }

    /// The connection is open, with this subprotocol.
    pub fn opened(&mut self, protocol: Option<String>, now: Instant) {
        if self.state != State::Connecting {
            return;
        }
        self.schedule.opened(now);
        self.pings = Pings::default();
        self.given = None;
        self.state = State::Open;
        self.events.push_back(ReconnectEvent::Opened { protocol });
    }

    /// What is to be written next, in the order in which it is given; `None` if nothing is
    /// for now. To be written complete, and followed by [`placed`](Self::placed).
    pub fn next(&mut self, now: Instant) -> Option<ToWrite<'_>> {
        self.given = None;
        self.question = None;
        if self.state == State::Open && !mem::replace(&mut self.pings.has_asked, true) {
            let position = self.position.as_ref();
            self.question = self.resume.as_mut().and_then(|it| it.ask(position));
            if self.question.is_some() {
                let until = now + self.limits.resume;
                self.state = State::Resuming { until };
                self.given = Some(Given::Question);
                return self.question.as_ref().map(ToWrite::Message);
            }
        }
        if self.state != State::Open || self.pings.has_closed {
            return None;
        }
        if let Some(newest) = self.ping_due(now) {
            self.given = Some(Given::Ping(newest));
            return Some(ToWrite::Ping(self.pings.payload(newest)));
        }
        if self.has_more() {
            self.given = Some(Given::Message);
            return self.queue.front().map(ToWrite::Message);
        }
        if self.leaving.is_some() && !self.awaits_confirmation() {
            self.given = Some(Given::Close);
            return Some(ToWrite::Close);
        }
        None
    }

    /// Whether messages wait that are to be written on this connection: before this side
    /// leaves it to reconnect, nothing more is begun.
    fn has_more(&self) -> bool {
        let leaves = matches!(self.leaving, Some(Leaving::ToReconnect { .. }));
        !leaves && self.queue.has_waiting()
    }

    /// What was given to be written lies in the output, from `from` up to `to`, counted
    /// from the connection's first byte.
    pub fn placed(&mut self, from: u64, to: u64, now: Instant) {
        match self.given.take() {
            Some(Given::Message) => self.queue.placed(from, to),
            Some(Given::Ping(newest)) => {
                (self.pings.upto, self.pings.place) = (newest, to);
                self.pings.awaited = Some(now);
                self.pings.next = now + PING_GAP;
            }
            Some(Given::Close) => self.pings.has_closed = true,
            Some(Given::Question) | None => {}
        }
    }

    /// The system has taken the output up to here, counted from the connection's first
    /// byte.
    pub fn handed_over(&mut self, upto: u64) {
        self.queue.handed_over(upto, self.unknown);
    }

    /// The newest message that a Ping is due behind.
    fn ping_due(&self, now: Instant) -> Option<u64> {
        let newest = self.unpinged()?;
        (self.pings.next <= now).then_some(newest)
    }

    /// The newest message that waits for a Ping behind it, if it is time but for the gap.
    fn unpinged(&self) -> Option<u64> {
        let is_wanted = self.confirmation == Confirmation::Ping
            && self.pings.awaited.is_none()
            && !self.pings.has_closed;
        if !is_wanted {
            return None;
        }
        let (newest, count) = self.queue.placed_behind(self.pings.upto);
        newest.filter(|_| count >= BATCH || !self.has_more())
    }

    /// Whether it is worth waiting for what confirms messages.
    fn awaits_confirmation(&self) -> bool {
        self.confirmation == Confirmation::Ping && self.queue.has_placed()
    }

    /// A message has arrived.
    pub fn received(&mut self, message: Message) {
        if !self.is_open() {
            return;
        }
        let position = self.position.as_ref();
        let seen = self
            .resume
            .as_mut()
            .map_or(Seen::Message, |it| it.see(&message, position));
        match seen {
            Seen::Message => self.events.push_back(ReconnectEvent::Message(message)),
            Seen::At(position) => {
                self.position = Some(position);
                self.events.push_back(ReconnectEvent::Message(message));
            }
            Seen::Resumed {
                recovered,
                position,
            } => {
                self.position = position.or(self.position.take());
                self.state = State::Open;
                self.events.push_back(ReconnectEvent::Resumed { recovered });
            }
        }
    }

    /// A Pong has arrived. It counts once the system has taken what it answers.
    pub fn pong(&mut self, payload: &[u8]) {
        let is_answer = self.pings.place <= self.queue.taken()
            && payload == self.pings.payload(self.pings.upto);
        if is_answer && self.pings.awaited.take().is_some() {
            self.queue.confirm_upto(self.pings.upto);
        }
    }

    /// The application has learned that the peer has read this message. Whether that was
    /// not known.
    pub fn confirm(&mut self, id: u64) -> bool {
        self.queue.confirm(id)
    }

    /// The attempt has failed, or the connection has ended; `dice` is any number, evenly
    /// distributed. How the connection ended is known by this side where it has closed it
    /// itself.
    pub fn lost(&mut self, closed: Closed, now: Instant, dice: u64) {
        if matches!(self.state, State::Waiting { .. } | State::Over) {
            return;
        }
        let was_open = self.is_open();
        let unknown = self.queue.lost(self.unknown);
        let is_asked_for = matches!(self.leaving, Some(Leaving::ToReconnect { .. }));
        self.schedule.failed(now, &self.limits, is_asked_for);
        let leaves = self.is_leaving();
        let closed = match self.leaving.take() {
            Some(Leaving::ToReconnect { after }) => Closed::ToReconnect { after },
            Some(Leaving::ForGood) | None => closed,
        };
        let come_back = match leaves {
            true => ComeBack::Never,
            false => (self.come_back)(&closed),
        };
        let end = closed.clone();
        self.events.push_back(ReconnectEvent::Closed {
            closed,
            was_open,
            unknown,
        });
        let failures = self.schedule.failures();
        let counted = self.schedule.counted();
        let may = self.attempts.is_none_or(|most| counted < most);
        let delay = self.schedule.delay(come_back, &self.limits, dice);
        match delay.filter(|_| may) {
            Some(delay) => {
                let attempt = failures.saturating_add(1);
                self.state = State::Waiting { until: now + delay };
                self.events
                    .push_back(ReconnectEvent::Waiting { delay, attempt });
            }
            None if leaves => self.finish(),
            None => {
                let (attempts, unsent) = (counted, self.end());
                self.events.push_back(ReconnectEvent::GaveUp {
                    closed: end,
                    attempts,
                    unsent,
                });
            }
        }
    }

    fn finish(&mut self) {
        let unsent = self.end();
        self.events.push_back(ReconnectEvent::Finished { unsent });
    }

    fn end(&mut self) -> Vec<Receipt> {
        self.state = State::Over;
        self.queue.end()
    }

    /// When [`elapsed`](Self::elapsed) is to be called; `None` if never. Any other call may
    /// change it. When an attempt begins, [`task`](Self::task) says.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline_where(true)
    }

    /// The deadline where more can be written, or cannot: then no Ping is due.
    pub(super) fn deadline_where(&self, takes_more: bool) -> Option<Instant> {
        let resume = match self.state {
            State::Resuming { until } => Some(until),
            State::Open => None,
            State::Waiting { .. } | State::Connecting | State::Over => return None,
        };
        let confirm = self.pings.awaited.map(|at| at + self.limits.confirm);
        let ping = self.unpinged().filter(|_| takes_more);
        let ping = ping.map(|_| self.pings.next);
        [resume, confirm, ping].into_iter().flatten().min()
    }

    /// Looks at what time has made due. What it says then ends the connection, and is
    /// followed by [`lost`](Self::lost) with it.
    pub fn elapsed(&mut self, now: Instant) -> Option<Closed> {
        let confirm = self.pings.awaited.map(|at| at + self.limits.confirm);
        let text = match self.state {
            State::Resuming { until } if until <= now => "the server does not say what it resumes",
            State::Open | State::Resuming { .. } if confirm.is_some_and(|it| it <= now) => {
                "no answer to a ping in time"
            }
            _ => return None,
        };
        Some(Closed::Lost(text.into()))
    }

    /// Whether something has happened that was not taken.
    pub(super) fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// What has happened, in order; to be taken after each call.
    pub fn event(&mut self) -> Option<ReconnectEvent> {
        self.events.pop_front()
    }
}

impl fmt::Debug for Reconnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reconnector")
            .field("state", &self.state)
            .field("failures", &self.schedule.failures())
            .field("held", &self.held())
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

/// What is left when nothing more is told: unsent messages say so.
impl Drop for Reconnector {
    fn drop(&mut self) {
        let _: Vec<Receipt> = self.queue.lost(self.unknown);
        let _: Vec<Receipt> = self.queue.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ping_that_cannot_be_written_has_no_deadline() {
        let now = Instant::START;
        let mut core = Reconnector::new(ReconnectOptions::new());
        core.task(now);
        core.opened(None, now);
        core.send("a".into()).unwrap();
        core.next(now);
        core.placed(0, 10, now);
        assert_eq!(core.deadline(), Some(now));
        assert_eq!(core.deadline_where(false), None);
    }
}
