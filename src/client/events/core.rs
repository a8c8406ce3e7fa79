//! An event source without I/O: when to ask, for what, and what came of it.
//!
//! ```text
//!              ┌────────────────── delay ──────────────────┐
//!              ▼                                           │
//!   next ─► Connect ─► AwaitResponse ─► ReadUntil ─────────┤ lost, ended, silent
//!                          │ 200, an event stream          │
//!                          ├─ no response ─────────────────┘
//!                          │                                 and its rule says no,
//!                          ├─ 204, another status or type    or no attempt is left:
//!                          ▼                                 │
//!                        Over ◄── marker, over a limit ◄─────┘
//! ```
//!
//! Bytes stay with the caller, and so do clock and dice. All that outlives a connection
//! is the last event ID, the reconnection time, and how many attempts have failed in a
//! row.

use alloc::string::String;
use core::time::Duration;

use super::resume::delay;
use super::{
    EventSourceEnd, EventSourceFault, EventSourceLimits, EventSourceOptions, Interrupted,
    Interruption, Resume,
};
use crate::http::{Field, InvalidField, Method};
use crate::sse::{self, Decoded, Decoder, Reconnection, Text};
use crate::wire::{Instant, ascii};

/// Bytes kept of an unexpected content type.
const TYPE_SHOWN: usize = 256;

/// An event source without I/O (WHATWG HTML §9.2).
///
/// Its owner has an HTTP client, follows redirects, and calls in this order:
///
/// 1. [`next`](Self::next) says what to do, again after each other call;
/// 2. at [`Connect`](NextStep::Connect) it sends the request that
///    [`asks`](Self::asks) and [`fields`](Self::fields) describe, and then tells of the
///    [`response`](Self::response), or why there is none:
///    [`not_reached`](Self::not_reached), [`lost`](Self::lost), or
///    [`refuse`](Self::refuse) if there never will be one;
/// 3. with each piece of the body it calls [`arrived`](Self::arrived) once, and
///    [`receive`](Self::receive) until that gives no event;
/// 4. at the end of the body it calls [`receive_end`](Self::receive_end) until that is
///    done; where the connection breaks, [`lost`](Self::lost); at a deadline,
///    [`elapsed`](Self::elapsed).
///
/// A response that is not to be read any further is to be given up: wherever `next` says
/// something else than [`ReadUntil`](NextStep::ReadUntil). A body's bytes that are left
/// over then do not belong to the next one.
///
/// `dice` is any number, drawn anew for each call: delays are spread by it.
///
/// ```
/// use barewire::client::{EventSourceCore, EventSourceOptions, NextStep};
/// use barewire::http::Method;
/// use barewire::sse::Decoded;
/// use barewire::wire::{Instant, Step};
///
/// let now = Instant::START;
/// let mut source = EventSourceCore::new(Method::GET, EventSourceOptions::new())?;
/// assert_eq!(source.next(now), NextStep::Connect);
/// source.response(200, Some(b"text/event-stream"), None, now, 7);
/// let mut body = *b"id: 1\ndata: hello\n\n";
/// source.arrived(now);
/// let received = source.receive(&mut body)?;
/// let Step::Event(Decoded::Message(message)) = received.step else { panic!() };
/// assert_eq!(message.data, "hello");
/// source.lost(now, 7);
/// assert!(matches!(source.next(now), NextStep::WaitUntil(at) if at.as_secs() >= 3));
/// assert_eq!(source.last_event_id(), "1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct EventSourceCore {
    pub(super) options: EventSourceOptions,
    pub(super) sse: sse::Limits,
    is_get: bool,
    pub(super) stage: Stage,
    asks: Resume,
    pub(super) decoder: Decoder,
    pub(super) reconnection: Reconnection,
    /// Attempts in a row that brought nothing.
    in_vain: u32,
    /// Whether the present attempt has brought something.
    pub(super) of_use: bool,
    pub(super) had_events: bool,
    last_interruption: Option<Interruption>,
}

#[derive(Debug)]
pub(super) enum Stage {
    Waiting(Instant),
    Asking,
    Open {
        since: Instant,
        heard: Instant,
        /// The end of the stream has cut an event.
        cut: bool,
    },
    Over(EventSourceEnd),
}

impl EventSourceCore {
    /// A source whose request has this method. A GET is resumed unless the options have
    /// another rule; anything else only by such a rule.
    ///
    /// # Errors
    /// [`InvalidField`] if the last event ID of the options cannot be sent.
    pub fn new(method: Method<'_>, options: EventSourceOptions) -> Result<Self, InvalidField> {
        Field::new("last-event-id", &options.last_event_id).check()?;
        let mut reconnection = Reconnection::new();
        let id = Text::new(options.last_event_id.as_bytes());
        reconnection.observe(&Decoded::LastEventId(id));
        Ok(Self {
            sse: options.limits.sse(),
            options,
            is_get: method == Method::GET,
            stage: Stage::Waiting(Instant::START),
            asks: Resume::Again,
            decoder: Decoder::new(),
            reconnection,
            in_vain: 0,
            of_use: false,
            had_events: false,
            last_interruption: None,
        })
    }

    /// The next thing to do. [`NextStep::Connect`] is returned once for each attempt.
    pub fn next(&mut self, now: Instant) -> NextStep {
        match self.stage {
            Stage::Waiting(at) if at <= now => {
                self.stage = Stage::Asking;
                self.of_use = false;
                self.decoder = Decoder::new();
                NextStep::Connect
            }
            Stage::Waiting(at) => NextStep::WaitUntil(at),
            Stage::Asking => NextStep::AwaitResponse,
            Stage::Open { heard, .. } => NextStep::ReadUntil(heard + self.limits().silence),
            Stage::Over(_) => NextStep::Over,
        }
    }

    /// How the request of the present attempt differs from the first one.
    /// [`Resume::Again`]: not at all. Never [`Resume::Stop`].
    pub const fn asks(&self) -> &Resume {
        &self.asks
    }

    /// The fields that belong into the request of the present attempt, beside those of
    /// the application (WHATWG HTML §9.2.2, Fetch §4.5).
    pub fn fields(&self) -> impl Iterator<Item = Field<'_>> {
        let always = [
            Field::new("accept", sse::CONTENT_TYPE),
            Field::new("cache-control", "no-cache"),
        ];
        let id = Field {
            name: b"last-event-id",
            // A field cannot have white space at its ends (Fetch §2.2.2, "normalize").
            value: ascii::trim_ows(self.last_event_id().as_bytes()),
        };
        let id = Some(id).filter(|id| !id.value.is_empty());
        always.into_iter().chain(id)
    }

    /// The response has come: its status, its Content-Type, and how long it asks to wait
    /// (`Retry-After`).
    pub fn response(
        &mut self,
        status: u16,
        content_type: Option<&[u8]>,
        retry_after: Option<Duration>,
        now: Instant,
        dice: u32,
    ) {
        let Stage::Asking = self.stage else { return };
        match status {
            200 if content_type.is_some_and(is_event_stream) => {
                self.stage = Stage::Open {
                    since: now,
                    heard: now,
                    cut: false,
                };
            }
            200 => {
                let shown = content_type.map(|it| it.get(..TYPE_SHOWN).unwrap_or(it));
                let shown = shown.map(|it| String::from_utf8_lossy(it).into_owned());
                self.fail(EventSourceFault::ContentType(shown));
            }
            204 => self.finish(EventSourceEnd::NoContent),
            _ if self.options.retry_on.contains(&status) => {
                let least = retry_after.unwrap_or_default().min(self.limits().longest);
                self.interrupt(Interruption::Status(status), least, now, dice);
            }
            _ => self.fail(EventSourceFault::Status(status)),
        }
    }

    /// Further bytes of the body have come.
    pub fn arrived(&mut self, now: Instant) {
        if let Stage::Open { heard, .. } = &mut self.stage {
            *heard = now;
        }
    }

    /// The server was not reached, or has provably not acted on the request.
    pub fn not_reached(&mut self, now: Instant, dice: u32) {
        if let Stage::Asking = self.stage {
            self.interrupt(Interruption::NotReached, Duration::ZERO, now, dice);
        }
    }

    /// There is no response, or its body has broken off.
    pub fn lost(&mut self, now: Instant, dice: u32) {
        let why = match self.stage {
            Stage::Asking => Interruption::NoResponse,
            Stage::Open { .. } => Interruption::Lost,
            Stage::Waiting(_) | Stage::Over(_) => return,
        };
        self.interrupt(why, Duration::ZERO, now, dice);
    }

    /// The request of this attempt cannot be made, and no other one will do better.
    pub fn refuse(&mut self) {
        if let Stage::Asking = self.stage {
            self.fail(EventSourceFault::Request);
        }
    }

    /// Ends a stream that has been silent for too long.
    pub fn elapsed(&mut self, now: Instant, dice: u32) {
        if let Stage::Open { heard, .. } = self.stage
            && heard + self.limits().silence <= now
        {
            self.interrupt(Interruption::Silent, Duration::ZERO, now, dice);
        }
    }

    /// Begins the next attempt without delay: the network is back.
    pub const fn try_now(&mut self) {
        if let Stage::Waiting(at) = &mut self.stage {
            *at = Instant::START;
        }
    }

    /// Ends the source. Nothing is done to one that is over.
    pub fn close(&mut self) {
        if !matches!(self.stage, Stage::Over(_)) {
            self.finish(EventSourceEnd::Closed);
        }
    }

    /// The state as WHATWG HTML §9.2.2 has it.
    pub const fn ready_state(&self) -> ReadyState {
        match self.stage {
            Stage::Waiting(_) | Stage::Asking => ReadyState::Connecting,
            Stage::Open { .. } => ReadyState::Open,
            Stage::Over(_) => ReadyState::Closed,
        }
    }

    /// Why the source is over; `None` while it is not.
    pub const fn end(&self) -> Option<&EventSourceEnd> {
        match &self.stage {
            Stage::Over(end) => Some(end),
            Stage::Waiting(_) | Stage::Asking | Stage::Open { .. } => None,
        }
    }

    /// The last event ID; empty if there is none.
    pub fn last_event_id(&self) -> &str {
        self.reconnection.last_event_id()
    }

    /// The reconnection time that the server has set.
    pub const fn reconnection_time(&self) -> Option<Duration> {
        self.reconnection.time()
    }

    /// Why the latest attempt or stream that was interrupted was.
    pub const fn last_interruption(&self) -> Option<Interruption> {
        self.last_interruption
    }

    /// How many attempts in a row have brought nothing.
    pub const fn attempts_in_vain(&self) -> u32 {
        self.in_vain
    }

    const fn limits(&self) -> &EventSourceLimits {
        &self.options.limits
    }

    pub(super) fn fail(&mut self, fault: EventSourceFault) {
        self.finish(EventSourceEnd::Failed(fault));
    }

    #[cold]
    pub(super) fn finish(&mut self, end: EventSourceEnd) {
        self.stage = Stage::Over(end);
    }

    /// An attempt or stream has ended: the source is over, or asks again, `least` from now at
    /// the earliest.
    pub(super) fn interrupt(
        &mut self,
        why: Interruption,
        least: Duration,
        now: Instant,
        dice: u32,
    ) {
        self.last_interruption = Some(why);
        let settled = match self.stage {
            Stage::Open { since, .. } => now.saturating_since(since) >= self.limits().settled,
            Stage::Waiting(_) | Stage::Asking | Stage::Over(_) => false,
        };
        self.in_vain = match self.of_use || settled {
            true => 0,
            false => self.in_vain.saturating_add(1),
        };
        let interrupted = Interrupted {
            why,
            attempts: self.in_vain,
            last_event_id: self.reconnection.last_event_id(),
            had_events: self.had_events,
        };
        match self.options.rule.decide(&interrupted, self.is_get) {
            Resume::Stop => return self.stop(why),
            Resume::Again => {}
            asks => self.asks = asks,
        }
        if self.in_vain >= self.limits().attempts {
            let attempts = self.in_vain;
            return self.fail(EventSourceFault::GaveUp {
                attempts,
                last: why,
            });
        }
        let asked = self.reconnection.time();
        let delay = delay(asked, self.in_vain, self.limits(), dice);
        self.stage = Stage::Waiting(now + delay.max(least));
    }

    /// The source is over after what is not resumed.
    fn stop(&mut self, why: Interruption) {
        match why {
            Interruption::Ended if self.options.has_marker() => {
                self.fail(EventSourceFault::NoMarker);
            }
            Interruption::Ended => self.finish(EventSourceEnd::Finished),
            Interruption::Status(status) => self.fail(EventSourceFault::Status(status)),
            Interruption::NoResponse
            | Interruption::NotReached
            | Interruption::Lost
            | Interruption::CutInEvent
            | Interruption::Silent => self.fail(EventSourceFault::Interrupted(why)),
        }
    }
}

/// Whether a Content-Type is that of an event stream, whatever its parameters
/// (WHATWG HTML §9.2.3).
fn is_event_stream(value: &[u8]) -> bool {
    let essence = value.split(|&b| b == b';').next().unwrap_or_default();
    ascii::eq_ignore_case(ascii::trim_ows(essence), sse::CONTENT_TYPE.as_bytes())
}

/// A step that an event source asks its owner to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// Send the request.
    Connect,
    /// Nothing, until then.
    WaitUntil(Instant),
    /// Wait for the response to the request.
    AwaitResponse,
    /// Read the body of the response. At this time, if there is one, call
    /// [`elapsed`](super::EventSourceCore::elapsed).
    ReadUntil(Instant),
    /// Nothing: the source is over. [`end`](super::EventSourceCore::end) says why.
    Over,
}

/// The state of an event source, as `readyState` has it (WHATWG HTML §9.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadyState {
    /// There is no stream at present, and there is to be one again.
    Connecting,
    /// The stream is open.
    Open,
    /// It is over.
    Closed,
}
