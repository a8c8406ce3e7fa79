//! A subscription that a thread waits for.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::any::Any;
use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::session::{Operations, Receiver};
use super::{GraphQlError, GraphQlResponse};
use crate::client::{
    EventSource, EventSourceHandle, EventSourceOptions, ReconnectSender, RequestBuilder, Resume,
};
use crate::graphql::sse::StreamEvent;

/// What comes of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum GraphQlEvent {
    /// A result.
    Next(GraphQlResponse),
    /// The connection was lost, and the subscription was made again: events may be missing
    /// between the last result and the next.
    Resubscribed,
}

impl GraphQlEvent {
    fn bytes(&self) -> usize {
        match self {
            Self::Next(response) => response.bytes(),
            Self::Resubscribed => 0,
        }
    }
}

/// A subscription: an iterator that waits for what comes. `None` says that the server has
/// completed it, or that it was stopped. Dropping it stops it.
pub struct GraphQlSubscription(Source);

enum Source {
    Socket {
        feed: Feed,
        stopper: GraphQlStopper,
        /// Whose WebSocket it is.
        _client: Arc<dyn Any + Send + Sync>,
    },
    Events(Box<Events>),
}

/// Stops a subscription, from any thread.
#[derive(Clone)]
pub struct GraphQlStopper(Stopper);

#[derive(Clone)]
enum Stopper {
    Socket {
        operations: Arc<Operations<Feed>>,
        socket: ReconnectSender,
        id: u64,
    },
    Events(EventSourceHandle),
}

impl GraphQlStopper {
    pub(super) const fn of_socket(
        operations: Arc<Operations<Feed>>,
        socket: ReconnectSender,
        id: u64,
    ) -> Self {
        Self(Stopper::Socket {
            operations,
            socket,
            id,
        })
    }

    /// Stops it, and the server is told so. What has come can still be read.
    pub fn stop(&self) {
        match &self.0 {
            Stopper::Socket {
                operations,
                socket,
                id,
            } => operations.stop(socket, *id),
            Stopper::Events(handle) => handle.close(),
        }
    }
}

impl fmt::Debug for GraphQlStopper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GraphQlStopper")
    }
}

impl GraphQlSubscription {
    pub(super) const fn of_socket(
        feed: Feed,
        stopper: GraphQlStopper,
        client: Arc<dyn Any + Send + Sync>,
    ) -> Self {
        Self(Source::Socket {
            feed,
            stopper,
            _client: client,
        })
    }

    pub(super) fn of_events(
        request: RequestBuilder,
        options: EventSourceOptions,
    ) -> Result<Self, GraphQlError> {
        let source = EventSource::new(request, options);
        let mut source = source.map_err(|error| GraphQlError::from(&error))?;
        let opened = Arc::new(AtomicU32::new(0));
        let counter = opened.clone();
        source.on_open(move || {
            counter.fetch_add(1, Ordering::Relaxed);
        });
        Ok(Self(Source::Events(Box::new(Events {
            source,
            opened,
            told: 1,
            next: None,
            is_over: false,
        }))))
    }

    /// What stops it from another thread.
    pub fn stopper(&self) -> GraphQlStopper {
        match &self.0 {
            Source::Socket { stopper, .. } => stopper.clone(),
            Source::Events(events) => GraphQlStopper(Stopper::Events(events.source.handle())),
        }
    }
}

impl Iterator for GraphQlSubscription {
    type Item = Result<GraphQlEvent, GraphQlError>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Source::Socket { feed, .. } => feed.wait(),
            Source::Events(events) => events.next(),
        }
    }
}

impl Drop for GraphQlSubscription {
    fn drop(&mut self) {
        if let Source::Socket { stopper, .. } = &self.0 {
            stopper.stop();
        }
    }
}

impl fmt::Debug for GraphQlSubscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GraphQlSubscription")
    }
}

/// How event streams of GraphQL are followed: asked for again, up to their last event.
pub(super) fn event_options(options: &super::GraphQlOptions) -> EventSourceOptions {
    EventSourceOptions::new()
        .limits(options.events)
        .end_event(crate::graphql::sse::COMPLETE)
        .resume(|_| Resume::Again)
}

/// A subscription over an event stream of its own.
struct Events {
    source: EventSource,
    /// How many streams there were.
    opened: Arc<AtomicU32>,
    told: u32,
    /// What came together with a new stream.
    next: Option<GraphQlResponse>,
    is_over: bool,
}

impl Events {
    fn next(&mut self) -> Option<Result<GraphQlEvent, GraphQlError>> {
        if let Some(next) = self.next.take() {
            return Some(Ok(GraphQlEvent::Next(next)));
        }
        while !self.is_over {
            let read = |event: &crate::sse::Message<'_>, _: &str| {
                let (name, data) = (event.event.decode(), event.data.decode());
                match StreamEvent::read(&name, &data) {
                    Some(StreamEvent::Next(result)) => {
                        Some(GraphQlResponse::parse(result).unwrap_or_default())
                    }
                    _ => None,
                }
            };
            let response = match self.source.next_with(read)? {
                Ok(response) => response,
                Err(error) => {
                    self.is_over = true;
                    return Some(Err((&error).into()));
                }
            };
            let opened = self.opened.load(Ordering::Relaxed);
            if opened > self.told {
                self.told = opened;
                self.next = response;
                return Some(Ok(GraphQlEvent::Resubscribed));
            }
            if let Some(response) = response {
                return Some(Ok(GraphQlEvent::Next(response)));
            }
        }
        None
    }
}

/// What has come of a subscription, and is not read yet.
#[derive(Clone)]
pub(super) struct Feed(Arc<Queue>);

struct Queue {
    state: Mutex<State>,
    news: Condvar,
    most: usize,
    most_bytes: usize,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<GraphQlEvent>,
    /// Bytes of those.
    bytes: usize,
    /// Why it is over.
    end: Option<Result<(), GraphQlError>>,
}

impl Feed {
    /// At most so many events wait, and so many bytes; one may have any size.
    pub(super) fn new(most: usize, most_bytes: usize) -> Self {
        Self(Arc::new(Queue {
            state: Mutex::default(),
            news: Condvar::new(),
            most,
            most_bytes,
        }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self) -> Option<Result<GraphQlEvent, GraphQlError>> {
        let mut state = self.lock();
        loop {
            if let Some(event) = state.waiting.pop_front() {
                state.bytes -= event.bytes();
                return Some(Ok(event));
            }
            match &mut state.end {
                // An error is told once.
                Some(end) => return core::mem::replace(end, Ok(())).err().map(Err),
                None => {
                    state = self
                        .0
                        .news
                        .wait(state)
                        .unwrap_or_else(PoisonError::into_inner)
                }
            }
        }
    }

    /// False if there is no room.
    fn push(&self, event: GraphQlEvent) -> bool {
        let mut state = self.lock();
        let bytes = state.bytes + event.bytes();
        let fits = state.waiting.is_empty() || bytes <= self.0.most_bytes;
        let has_room = fits && state.waiting.len() < self.0.most && state.end.is_none();
        match has_room {
            true => {
                state.bytes = bytes;
                state.waiting.push_back(event);
            }
            false => drop(state.end.get_or_insert(Err(GraphQlError::Full))),
        }
        self.0.news.notify_one();
        has_room
    }
}

impl Receiver for Feed {
    fn next(&mut self, response: GraphQlResponse) -> bool {
        self.push(GraphQlEvent::Next(response))
    }

    fn resubscribed(&mut self) {
        // One that follows another tells nothing new.
        if self.lock().waiting.back() != Some(&GraphQlEvent::Resubscribed) {
            self.push(GraphQlEvent::Resubscribed);
        }
    }

    fn ended(self, end: Result<(), GraphQlError>) {
        self.lock().end.get_or_insert(end);
        self.0.news.notify_all();
    }
}
