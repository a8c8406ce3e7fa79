//! A reconnecting WebSocket without I/O.

mod commands;
mod pings;
mod writing;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use self::pings::Pings;
use super::options::Deciding;
use super::queue::Queue;
use super::schedule::Schedule;
use super::{
    Closed, ComeBack, Confirmation, ConnectAttempt, Position, QueuePolicy, Receipt, ReconnectEvent,
    ReconnectLimits, ReconnectOptions, ReconnectTask, ResumeHook, Seen, UnknownPolicy,
};
use crate::client::{CloseFrame, Message};
use crate::wire::Instant;
use crate::wire::partly_shown;

/// Messages after which a Ping is sent although more are waiting.
const BATCH: usize = 64;
/// The shortest time from one of those Pings to the next: servers count them.
const PING_GAP: core::time::Duration = core::time::Duration::from_millis(50);

/// How a connection has ended whose server does not answer.
const OVERDUE: &str = "the server does not say what it resumes";

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
/// core.handed_over(11, now);
/// assert_eq!(receipt.state(), ReceiptState::Written);
/// let Some(ToWrite::Ping(payload)) = core.next(now) else { panic!() };
/// core.placed(11, 25, now);
/// core.handed_over(25, now);
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
    /// When it is over, if this side ends it for good.
    leave_by: Option<Instant>,
    /// The words with which this side ends it now, without what waits.
    farewell: Option<CloseFrame>,
    /// Those for a server that does not answer what was asked to resume.
    overdue: Option<CloseFrame>,
    events: VecDeque<ReconnectEvent>,
    /// The result of `next`, until it is placed.
    given: Option<Given>,
    /// Questions to resume that are not written yet.
    questions: VecDeque<Message>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting {
        until: Instant,
    },
    Connecting,
    Open,
    /// The question to resume has to be answered until then.
    Resuming {
        until: Instant,
    },
    Over,
}

/// Why this side ends the connection.
#[derive(Debug, Clone, Copy)]
enum Leaving {
    ForGood,
    ToReconnect {
        after: core::time::Duration,
    },
    /// The question to resume was not answered.
    Overdue,
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
            leave_by: None,
            farewell: None,
            overdue: options.overdue,
            events: VecDeque::new(),
            given: None,
            questions: VecDeque::new(),
        }
    }

    /// The next thing to do.
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
        self.farewell = self.farewell.take().filter(|_| self.is_leaving());
        self.questions.clear();
        self.state = State::Open;
        self.events.push_back(ReconnectEvent::Opened { protocol });
    }

    /// A message has arrived.
    pub fn received(&mut self, message: Message) {
        let position = self.position.as_ref();
        let seen = match &mut self.resume {
            Some(it) if matches!(self.state, State::Open | State::Resuming { .. }) => {
                it.see(&message, position)
            }
            _ => Seen::Message,
        };
        self.take(message, seen);
    }

    /// A message has arrived that says this to the hook that resumes.
    pub(super) fn take(&mut self, message: Message, seen: Seen) {
        if !self.is_open() {
            return;
        }
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
        if is_answer && self.pings.answered() {
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
        let come_back = (self.come_back)(&self.known_as(closed.clone()));
        self.lost_as(closed, come_back, now, dice);
    }

    /// It has ended so, and this is when to come back if nothing speaks against it.
    pub(super) fn lost_as(&mut self, closed: Closed, come_back: ComeBack, now: Instant, dice: u64) {
        if matches!(self.state, State::Waiting { .. } | State::Over) {
            return;
        }
        let was_open = self.is_open();
        let unknown = self.queue.lost(self.unknown);
        let is_asked_for = matches!(self.leaving, Some(Leaving::ToReconnect { .. }));
        self.schedule.failed(now, &self.limits, is_asked_for);
        let leaves = self.is_leaving();
        let closed = self.known_as(closed);
        self.leaving = None;
        let come_back = match leaves {
            true => ComeBack::Never,
            false => come_back,
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

    /// How a connection has ended that ends so, if this side has ended it itself.
    pub(super) fn known_as(&self, closed: Closed) -> Closed {
        match self.leaving {
            Some(Leaving::ToReconnect { after }) => Closed::ToReconnect { after },
            Some(Leaving::Overdue) => Closed::Lost(OVERDUE.into()),
            Some(Leaving::ForGood) | None => closed,
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
            State::Connecting => return self.leave_by,
            State::Waiting { .. } | State::Over => return None,
        };
        let slow = self.pings.slow.map(|(_, until)| until);
        let ping = self.unpinged().filter(|_| takes_more);
        let ping = ping.map(|_| self.pings.next);
        let all = [resume, self.leave_by, self.pings.awaited, slow, ping];
        all.into_iter().flatten().min()
    }

    /// Looks at what time has made due. What it says then ends the connection, and is
    /// followed by [`lost`](Self::lost) with it.
    pub fn elapsed(&mut self, now: Instant) -> Option<Closed> {
        let is_due = |until: Option<Instant>| until.is_some_and(|it| it <= now);
        let slow = self.pings.slow.map(|(_, until)| until);
        let text = match self.state {
            State::Connecting | State::Open | State::Resuming { .. } if is_due(self.leave_by) => {
                "it was not over in time"
            }
            State::Resuming { until } if until <= now => match self.overdue.clone() {
                Some(farewell) if self.leaving.is_none() => {
                    self.leaving = Some(Leaving::Overdue);
                    self.farewell = Some(farewell);
                    self.state = State::Resuming {
                        until: Instant::NEVER,
                    };
                    return None;
                }
                _ => OVERDUE,
            },
            State::Open | State::Resuming { .. } if is_due(self.pings.awaited) => {
                "no answer to a ping in time"
            }
            State::Open | State::Resuming { .. } if is_due(slow) => "the server reads too slowly",
            _ => return None,
        };
        Some(Closed::Lost(text.into()))
    }

    /// Whether something has happened that was not taken.
    pub(super) fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// The next event, in order; to be taken after each call.
    pub fn event(&mut self) -> Option<ReconnectEvent> {
        self.events.pop_front()
    }
}

partly_shown!(it: Reconnector { state, failures: it.schedule.failures(), held: it.held(), position });

impl Drop for Reconnector {
    fn drop(&mut self) {
        let _: Vec<Receipt> = self.queue.lost(self.unknown);
        let _: Vec<Receipt> = self.queue.end();
    }
}

#[cfg(test)]
mod tests;
