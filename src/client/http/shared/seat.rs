//! A call's place on a shared connection.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::mem;

use super::connection::{Locked, SharedConnection, State};
use super::handover::Bell;
use super::handover::Duty;
use super::news::News;
use crate::client::connecting::{Canceller, RequestSender, Waited, Watch, clock};
use crate::client::http::over_http2::{Kept, head_over_http2};
use crate::http::{Fields, RequestHead};
use crate::http2::{self, ErrorCode};
use crate::link::{Body, EndReason, Event, UsageError};
use crate::net::Flow;
use crate::wire::Instant;
use crate::wire::partly_shown;

/// The stream number of a request that was not sent.
const UNSENT: u32 = u32::MAX;

/// A call's place on a shared connection: a [`RequestSender`] that waits for what comes.
/// Dropping it resets the stream.
pub(crate) struct Seat {
    connection: Arc<SharedConnection>,
    at: usize,
    stream: u32,
    /// Bytes that wait for the stream's window, as of the last look.
    queued: usize,
    /// Where its last output ends on the connection.
    end: u64,
    /// Events that have come, and are to be told to the call.
    inbox: News,
    progress: Progress,
    /// Bytes of the connection that count here, sent and received.
    carried: (u64, u64),
    canceller: Option<Box<(Canceller, Watch)>>,
}

/// How far the present request has come.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Progress {
    /// Bytes that the system has taken since it began, up to the last of its own.
    pub(crate) handed_over: u64,
    pub(crate) is_out: bool,
    pub(crate) received: bool,
}

impl Seat {
    /// Takes a seat. `canceller` ends its waits.
    pub(crate) fn take(connection: &Arc<SharedConnection>, canceller: Option<&Canceller>) -> Self {
        let (at, inbox) = connection.lock().desk.sit();
        let watched = Arc::downgrade(connection);
        let canceller = canceller.map(|it| {
            let watch = it.on_cancel(move || {
                if let Some(connection) = watched.upgrade() {
                    // It does no harm to one that has something else to do.
                    connection.lock().desk.ring(at);
                    connection.sound();
                }
            });
            Box::new((it.clone(), watch))
        });
        Self {
            connection: connection.clone(),
            at,
            stream: 0,
            queued: 0,
            end: 0,
            inbox,
            progress: Progress::default(),
            carried: (0, 0),
            canceller,
        }
    }

    /// Bytes sent and received that count as this call's: each byte is one call's.
    pub(crate) const fn carried(&self) -> (u64, u64) {
        self.carried
    }

    pub(crate) const fn progress(&self) -> Progress {
        self.progress
    }

    /// Waits until the server allows a further request. It is over where the server will
    /// allow none.
    pub(crate) fn admit(&mut self, until: Instant) -> Waited {
        let at = self.at;
        let mut may = false;
        let waited = self.wait_for(until, |state| {
            let State { driven, desk, .. } = state;
            may = desk.admit(at, driven.connection().wire().allowance());
            may || desk.is_leaving
        });
        match waited {
            Waited::Moved if !may => Waited::Over,
            waited => waited,
        }
    }

    /// Waits until there is something to tell.
    pub(crate) fn wait(&mut self, until: Instant) -> Waited {
        if !self.inbox.is_empty() {
            return Waited::Moved;
        }
        let at = self.at;
        self.wait_for(until, |state| state.desk.has_news(at))
    }

    /// Writes what the kernel takes, unless the leader will, and takes what has come.
    pub(crate) fn write_out(&mut self) -> Waited {
        let connection = self.connection.clone();
        let mut state = connection.lock();
        if state.desk.polling.is_some() {
            state.write();
        }
        self.look(&mut state);
        match state.desk.is_over && self.inbox.is_empty() {
            true => Waited::Over,
            false => Waited::Moved,
        }
    }

    fn wait_for(&mut self, until: Instant, mut is_here: impl FnMut(&mut State) -> bool) -> Waited {
        let bell = Bell::mine();
        let connection = self.connection.clone();
        let mut state = connection.lock();
        state.desk.answers(self.at, &bell);
        let mut is_late = false;
        loop {
            if state.desk.polling.is_some() {
                state.write();
            }
            let waited = if is_here(&mut state) {
                Waited::Moved
            } else if state.desk.is_over {
                Waited::Over
            } else if self.is_cancelled() {
                Waited::Cancelled
            } else if is_late {
                Waited::TimedOut
            } else {
                match state.desk.handover.wait(self.at) {
                    Duty::Lead => (state, is_late) = state.lead(until, &mut is_here),
                    Duty::Follow => {
                        drop(state);
                        is_late = !bell.sleep(until);
                        state = connection.lock();
                    }
                }
                continue;
            };
            state.leave(self.at);
            self.look(&mut state);
            return waited;
        }
    }

    fn look(&mut self, state: &mut Locked<'_>) {
        if self.inbox.is_empty() {
            state.desk.take_news(self.at, &mut self.inbox);
        }
        let (sent, came) = state.take_carried();
        self.carried = (self.carried.0 + sent, self.carried.1 + came);
        let (start, received) = state.desk.progress(self.at);
        let handed_over = state.driven.handed_over();
        let put_out = state.driven.put_out();
        let connection = state.driven.connection();
        let is_written = connection.output().is_empty();
        let queued = connection.wire().link.queued(self.stream);
        if queued != self.queued {
            (self.queued, self.end) = (queued, put_out);
        }
        // What others send, or the connection itself, is no progress of this request.
        self.progress = Progress {
            handed_over: handed_over.min(self.end).saturating_sub(start),
            is_out: queued == 0 && (is_written || handed_over >= self.end),
            received,
        };
    }

    /// It has put out something of its own.
    fn extend(&mut self, state: &mut State) {
        self.end = state.driven.put_out();
    }

    fn is_cancelled(&self) -> bool {
        let canceller = self.canceller.as_ref();
        canceller.is_some_and(|it| it.0.is_cancelled())
    }

    /// Tells what has come, without the lock.
    pub(crate) fn tell(&mut self, mut owner: impl FnMut(&mut dyn RequestSender, u32, Event<'_>)) {
        let mut inbox = mem::take(&mut self.inbox);
        inbox.tell(|event| {
            let stream = match event {
                Event::GoingAway { .. } => 0,
                _ => self.stream,
            };
            owner(self, stream, event);
        });
        // What was put there meanwhile is kept.
        if self.inbox.is_empty() {
            self.inbox = inbox;
        }
    }

    fn act<T>(&mut self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.connection.lock())
    }
}

impl RequestSender for Seat {
    fn allowance(&mut self) -> usize {
        self.act(|state| state.driven.connection().wire().allowance())
    }

    fn request(
        &mut self,
        head: &RequestHead<'_>,
        body: Option<Body<'_>>,
    ) -> Result<u32, UsageError> {
        let mut kept = Kept::new();
        let head = head_over_http2(head, self.connection.is_secure, &mut kept);
        let streams = matches!(body, Some(Body::Streamed { .. }));
        let (at, now) = (self.at, clock::now());
        let asked = self.act(|state| {
            let State { driven, desk, .. } = state;
            desk.spend(at);
            let start = driven.put_out();
            driven.connection().wire().set_now(now);
            let asked = driven.connection().wire().request(&head, body);
            match asked {
                Ok(stream) => desk.begin(at, stream, start),
                Err(_) => desk.call_applicants(), // its place is free
            }
            asked.map(|stream| (stream, driven.put_out()))
        });
        self.stream = match asked {
            Ok((stream, end)) => {
                (self.queued, self.end) = (0, end);
                stream
            }
            Err(UsageError::Http2(
                http2::UsageError::GoingAway
                | http2::UsageError::TooManyStreams
                | http2::UsageError::NotOpen,
            )) => {
                // It has gone since the seat was taken: as good as refused by the server.
                let code = ErrorCode::REFUSED_STREAM.code();
                let refused = EndReason::StreamReset { code };
                self.inbox.keep(Event::Ended(refused), 0);
                UNSENT
            }
            Err(misuse) => return Err(misuse),
        };
        if streams {
            // Its source may let the next piece wait.
            self.connection.lock().write();
        }
        Ok(self.stream)
    }

    fn write(&mut self, stream: u32, data: &[u8]) -> Flow {
        let connection = self.connection.clone();
        let mut state = connection.lock();
        let flow = state.driven.connection().wire().write(stream, data);
        self.extend(&mut state);
        state.write();
        flow
    }

    fn finish(&mut self, stream: u32, trailers: Fields<'_>) -> Result<(), UsageError> {
        let connection = self.connection.clone();
        let mut state = connection.lock();
        let wire = state.driven.connection().wire();
        let finished = wire.finish(stream, trailers);
        self.extend(&mut state);
        finished
    }

    fn reset(&mut self, stream: u32, code: ErrorCode) {
        self.act(|state| state.driven.connection().wire().reset(stream, code));
    }

    fn consume(&mut self, stream: u32, bytes: usize) {
        self.act(|state| state.driven.connection().wire().consume(stream, bytes));
    }

    fn shutdown(&mut self) {
        self.act(|state| state.driven.connection().wire().shutdown());
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.canceller = None;
        let mut state = self.connection.lock();
        let wire = state.driven.connection().wire();
        if self.stream != 0 {
            // Does nothing to what has ended.
            wire.reset(self.stream, ErrorCode::CANCEL);
        }
        state.desk.rise(self.at, mem::take(&mut self.inbox));
        state.leave(self.at);
    }
}

partly_shown!(it: Seat { stream, connection });
