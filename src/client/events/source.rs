//! An event source on the thread that waits for it.

use alloc::string::String;
use core::mem;
use core::time::Duration;

use super::control::Woken;
use super::error::Left;
use super::listeners::{Hooks, Listeners};
use super::receiving::Inlet;
use super::{
    EventSourceCore, EventSourceEnd, EventSourceError, EventSourceFault, EventSourceHandle,
    EventSourceOptions, MessageEvent, NextStep, ReadyState, Resume, Waiting,
};
use crate::client::connecting::clock;
use crate::client::http::{
    AsUrl, Client, Error, ErrorKind, Form, Repeated, RequestBuilder, Response,
};
use crate::sse::{Decoded, Message};
use crate::wire::{Instant, Step};

/// What an error keeps of a response that is no stream, and how long it waits for it.
pub(super) const BODY_SHOWN: usize = 16 << 10;
const BODY_TIME: Duration = Duration::from_secs(2);

/// An event source (WHATWG HTML §9.2) that blocks the thread which reads from it.
///
/// It is an iterator of events: it connects when it is first asked, waits, reads, and
/// connects again if the stream is interrupted, all on the calling thread; no other
/// thread is used. `None` says that it ended as intended; an error is the last item. A
/// GET is resumed with the last event ID for as long as it takes, unless
/// [`EventSourceLimits::attempts`](super::EventSourceLimits::attempts) are named. Any
/// other method is sent once, unless the [options](EventSourceOptions::resume) have
/// a rule.
///
/// ```no_run
/// use barewire::client::EventSource;
///
/// for event in EventSource::connect("https://example.org/feed")? {
///     let event = event?;
///     println!("{}: {}", event.event, event.data);
/// }
/// # Ok::<(), barewire::client::EventSourceError>(())
/// ```
///
/// A request of any kind can begin a stream, with headers and a body:
///
/// ```no_run
/// use barewire::client::{Client, EventSource, EventSourceOptions};
///
/// let request = Client::new()
///     .post("https://example.org/v1/chat/completions")
///     .bearer_auth("token")
///     .header("Content-Type", "application/json")
///     .body(r#"{"stream": true}"#);
/// let options = EventSourceOptions::new().end_data("[DONE]");
/// for event in EventSource::new(request, options)? {
///     println!("{}", event?.data);
/// }
/// # Ok::<(), barewire::client::EventSourceError>(())
/// ```
///
/// Or listeners are told, of events by their type and of what becomes of the source, by
/// [`run`](Self::run) on this thread or by [`spawn`](Self::spawn) on one of its own:
///
/// ```no_run
/// use barewire::client::EventSource;
///
/// let mut source = EventSource::connect("https://example.org/feed")?;
/// source.on("notification", |event| println!("{}", event.data));
/// source.on_waiting(|waiting| println!("{}, again in {:?}", waiting.why, waiting.delay));
/// source.on_gave_up(|error| println!("{error}"));
/// let thread = source.spawn()?;
/// thread.handle().close();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct EventSource {
    core: EventSourceCore,
    request: Repeated,
    handle: EventSourceHandle,
    silence: Duration,
    response: Option<Response>,
    has_ended: bool,
    inlet: Inlet,
    pub(super) listeners: Listeners,
    pub(super) hooks: Hooks,
    cause: Option<Error>,
    left: Left,
    has_waited: bool,
    is_told: bool,
}

impl EventSource {
    /// A GET of this URL, by a client of its own and with default options.
    ///
    /// # Errors
    /// [`EventSourceError`] if it is not a URL of `http` or `https`.
    pub fn connect(url: impl AsUrl) -> Result<Self, EventSourceError> {
        Self::new(Client::new().get(url), EventSourceOptions::new())
    }

    /// The stream that this request asks for. It is sent when the first event is asked
    /// for.
    ///
    /// Accept and Cache-Control are added unless the request has them. A Last-Event-ID of
    /// the request is the first one if the options have none. The time of the [whole
    /// call](crate::client::ClientLimits::total_time) holds up to the head of the
    /// response, and for the stream only if the request itself has limits; how long the
    /// stream may be silent is set by
    /// [`EventSourceLimits::silence`](crate::client::EventSourceLimits::silence). A hook
    /// set with `on_informational` is dropped.
    ///
    /// # Errors
    /// [`EventSourceError`] if the request is at fault, or the last event ID of the
    /// options cannot be sent.
    pub fn new(
        request: RequestBuilder,
        options: EventSourceOptions,
    ) -> Result<Self, EventSourceError> {
        let (request, core, silence) = begin(request, options)?;
        Ok(Self {
            core,
            request,
            handle: EventSourceHandle::new(),
            silence,
            response: None,
            has_ended: false,
            inlet: Inlet::default(),
            listeners: Listeners::default(),
            hooks: Hooks::default(),
            cause: None,
            left: Left::default(),
            has_waited: false,
            is_told: false,
        })
    }

    /// A handle that closes the source from another thread.
    pub fn handle(&self) -> EventSourceHandle {
        self.handle.clone()
    }

    /// Whether there is a stream at present.
    pub fn ready_state(&self) -> ReadyState {
        match self.handle.is_closed() {
            true => ReadyState::Closed,
            false => self.core.ready_state(),
        }
    }

    /// The last event ID; empty if there is none.
    pub fn last_event_id(&self) -> &str {
        self.core.last_event_id()
    }

    /// Why the source is over; `None` while it is not.
    pub const fn end(&self) -> Option<&EventSourceEnd> {
        self.core.end()
    }

    /// Waits for the next event, and passes it to `take` by reference, with the last
    /// event ID: no text is copied. `None` if the source is over; an error once, if it
    /// has failed.
    pub fn next_with<T>(
        &mut self,
        take: impl FnOnce(&Message<'_>, &str) -> T,
    ) -> Option<Result<T, EventSourceError>> {
        loop {
            if self.handle.is_closed() {
                self.core.close();
            }
            if self.response.is_none() {
                if !self.get_stream() {
                    return self.tell_end().map(Err);
                }
                continue;
            }
            let unread = self.inlet.unread();
            let received = match self.has_ended {
                false => self.core.receive(unread),
                true => self
                    .core
                    .receive_end(unread, clock::now(), self.request.roll()),
            };
            let Ok(received) = received else {
                self.let_go();
                continue;
            };
            let used = received.used;
            match received.step {
                Step::Event(Decoded::Message(message)) => {
                    let taken = take(&message, self.core.last_event_id());
                    self.inlet.take(used);
                    return Some(Ok(taken));
                }
                Step::Event(Decoded::Cut { message, .. }) => {
                    self.left.partial = Some(message.data.decode().into_owned());
                }
                Step::Event(Decoded::LastEventId(_) | Decoded::ReconnectionTime(_)) => {}
                Step::Need(_) | Step::Paused | Step::Full => {
                    self.inlet.take(used);
                    self.read();
                    continue;
                }
                Step::Done => self.let_go(),
            }
            self.inlet.take(used);
        }
    }

    fn get_stream(&mut self) -> bool {
        let now = clock::now();
        match self.core.next(now) {
            NextStep::Over => return false,
            NextStep::Connect => {
                // Its delay may be over already; that there is no stream is told all the same.
                if !mem::take(&mut self.has_waited) {
                    self.wait(Duration::ZERO);
                    self.has_waited = false;
                }
                if !self.handle.is_closed() {
                    self.ask();
                }
            }
            NextStep::WaitUntil(at) => self.wait(at.saturating_since(now)),
            // There is no response: it was lost.
            NextStep::AwaitResponse | NextStep::ReadUntil(_) => {
                self.core.lost(now, self.request.roll());
            }
        }
        true
    }

    /// Sends the request, and takes its response.
    fn ask(&mut self) {
        self.left.partial = None;
        let form = match self.core.asks() {
            Resume::Get => Form::Get,
            Resume::Body(body) => Form::Body(body),
            Resume::Again | Resume::Stop => Form::Same,
        };
        let canceller = self.handle.canceller();
        let request = self.request.next(form, self.core.fields(), canceller);
        let mut response = match request.and_then(RequestBuilder::send) {
            Ok(response) => response,
            Err(error) => return self.fail_by(error),
        };
        self.cause = None;
        self.core.response(
            response.status().code(),
            response.headers().get("content-type"),
            response.retry_after(),
            clock::now(),
            self.request.roll(),
        );
        if self.core.ready_state() == ReadyState::Open {
            if !self.request.has_own_limits() {
                response.retime(self.silence, Some(Duration::MAX));
            } else {
                response.retime(self.silence, None);
            }
            self.response = Some(response);
            self.hooks.tell_opened();
        } else if let Some(EventSourceEnd::Failed(_)) = self.core.end() {
            self.left.body = text_of(response);
        }
    }

    fn wait(&mut self, delay: Duration) {
        self.has_waited = true;
        let Some(why) = self.core.last_interruption() else {
            return;
        };
        self.hooks.tell_waiting(&Waiting {
            why,
            error: self.cause.as_ref(),
            attempts: self.core.attempts_in_vain(),
            delay,
        });
        match self.handle.wait(delay) {
            Woken::TimeOver => {}
            Woken::TryNow => self.core.try_now(),
            Woken::Closed => self.core.close(),
        }
    }

    fn read(&mut self) {
        let Some(response) = &mut self.response else {
            return;
        };
        match response.next_chunk() {
            Ok(Some(piece)) => {
                self.inlet.fill(piece);
                self.core.arrived(clock::now());
            }
            Ok(None) => self.has_ended = true,
            Err(error) => {
                self.fail_by(error);
                self.let_go();
            }
        }
    }

    fn fail_by(&mut self, error: Error) {
        note_failure(&mut self.core, &error, clock::now(), self.request.roll());
        self.cause = Some(error);
    }

    fn let_go(&mut self) {
        self.response = None;
        self.has_ended = false;
        self.inlet.clear();
    }

    fn tell_end(&mut self) -> Option<EventSourceError> {
        if mem::replace(&mut self.is_told, true) {
            return None;
        }
        let end = self.core.end()?;
        let EventSourceEnd::Failed(fault) = end else {
            self.hooks.tell_end(Ok(end));
            return None;
        };
        let mut left = mem::take(&mut self.left);
        left.last_event_id = self.core.last_event_id().into();
        let cause = self.cause.take();
        let error = EventSourceError::new(fault.clone(), cause, self.request.shown(), left);
        self.hooks.tell_end(Err(&error));
        Some(error)
    }
}

impl Iterator for EventSource {
    type Item = Result<MessageEvent, EventSourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_with(MessageEvent::new)
    }
}

impl core::iter::FusedIterator for EventSource {}

pub(super) fn begin(
    request: RequestBuilder,
    mut options: EventSourceOptions,
) -> Result<(Repeated, EventSourceCore, Duration), EventSourceError> {
    let refused = |cause, request| {
        let fault = EventSourceFault::Request;
        EventSourceError::new(fault, Some(cause), request, Left::default())
    };
    let request = Repeated::new(request);
    let mut request = request.map_err(|error| refused(error, String::new()))?;
    let own_id = request.take_field("last-event-id");
    if options.last_event_id.is_empty() {
        options.last_event_id = own_id.unwrap_or_default();
    }
    let silence = options.limits.silence;
    let core = EventSourceCore::new(request.method(), options)
        .map_err(|error| refused(request.refuse(error), request.shown()))?;
    Ok((request, core, silence))
}

pub(super) fn note_failure(core: &mut EventSourceCore, error: &Error, now: Instant, dice: u32) {
    if error.is_cancelled() {
        core.close();
    } else if is_futile(error.kind()) {
        core.refuse();
    } else if let NextStep::ReadUntil(silent) = core.next(now)
        && matches!(error.kind(), ErrorKind::TimedOut("silence_time"))
    {
        core.elapsed(silent.max(now), dice);
    } else if !error.may_have_been_processed() {
        core.not_reached(now, dice);
    }
    // Does nothing where that has decided.
    core.lost(now, dice);
}

/// The text of a response that is not a stream, as far as it comes soon.
fn text_of(mut response: Response) -> String {
    response.retime(BODY_TIME, Some(BODY_TIME));
    let mut body = alloc::vec::Vec::new();
    while body.len() < BODY_SHOWN
        && let Ok(Some(piece)) = response.next_chunk()
    {
        body.extend_from_slice(piece);
    }
    body.truncate(BODY_SHOWN);
    String::from_utf8_lossy(&body).into_owned()
}

/// Whether a request has failed by what it is, so that another one would, too.
const fn is_futile(kind: &ErrorKind) -> bool {
    #[cfg(feature = "tls")]
    if let ErrorKind::Tls(_) = kind {
        return true;
    }
    matches!(
        kind,
        ErrorKind::Url(_)
            | ErrorKind::Method(_)
            | ErrorKind::Field(_)
            | ErrorKind::Usage(_)
            | ErrorKind::Unsendable(_)
            | ErrorKind::OnLoop
            | ErrorKind::Redirect(_)
            | ErrorKind::Body(_)
    )
}
