//! Event streams for all operations of a client (graphql-sse, single connection mode).
//!
//! ```text
//!   PUT    ──► a token          any loop
//!   GET    ──► the stream       its loop: operations are executed there
//!   POST   ──► an operation     any loop; by mail to the stream's, or kept until it opens
//!   DELETE ──► its stop
//! ```

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::Write as _;
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::executor::{Executor, Operation};
use super::shared::{Origin, Shared, busy, listens};
use crate::app::event_streams::event_stream::EventStream;
use crate::app::exchange::refusal::{Done, Refusal};
use crate::app::exchange::reply::Reply;
use crate::app::exchange::request::Request as HttpRequest;
use crate::app::futures::jobs::FutureId;
use crate::app::futures::spawner::Spawner;
use crate::app::publishing::handle::Handle;
use crate::graphql::sse::{COMPLETE, NEXT, Reservation, TOKEN_HEADER, token};
use crate::graphql::{Limits, Request, RequestError};
use crate::http::Status;
use crate::link::Charge;
use crate::net::{Claim, Resource};
use crate::sse::Event;

/// The streams of one route, by their tokens.
#[derive(Clone, Default)]
pub(super) struct Reserved(Arc<Mutex<Streams>>);

#[derive(Default)]
struct Streams {
    by_token: BTreeMap<String, Entry>,
    /// A task forgets the tokens whose streams do not come.
    is_swept: bool,
}

#[derive(Default)]
struct Entry {
    reservation: Reservation,
    /// It was there when the tokens were looked through last.
    is_old: bool,
    handle: Option<Handle>,
    /// Operations that came before the stream.
    waiting: Vec<(String, Operation)>,
    /// The address's share of sessions, until the stream has one of its own.
    claim: Option<Claim>,
}

/// What the session of a stream is told.
pub(super) enum Mail {
    Begin(String, Box<Operation>),
    Stop(String),
}

/// Whether an operation was begun.
pub(super) enum Begun {
    Begun,
    /// There is no memory for it, or no room in the mailbox of its stream's loop.
    Full,
}

impl Reserved {
    /// No code of others runs under the lock.
    fn lock(&self) -> MutexGuard<'_, Streams> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reserves a stream: its token is the answer.
    pub(super) fn reserve(
        &self,
        limits: &Limits,
        mut reply: Reply<'_, '_>,
    ) -> Result<Done, Refusal> {
        let spawner = reply.spawner();
        let claim = reply.at().claim(Resource::Sessions);
        let context = &mut *reply.at().context;
        let Ok(claim) = claim else {
            return Err(Status::SERVICE_UNAVAILABLE.into());
        };
        let mut name = String::new();
        for _ in 0..4 {
            for byte in context.random_bytes() {
                // A string has room.
                let _ = write!(name, "{byte:02x}");
            }
        }
        let mut streams = self.lock();
        let entry = Entry {
            claim: Some(claim),
            ..Entry::default()
        };
        streams.by_token.insert(name.clone(), entry);
        let is_swept = core::mem::replace(&mut streams.is_swept, true);
        drop(streams);
        if !is_swept {
            let sweep = self.clone().sweep(spawner.clone(), limits.init_time);
            if spawner.spawn_local(sweep).is_err() {
                let mut streams = self.lock();
                streams.is_swept = false;
                streams.by_token.remove(&name);
                return Err(Status::SERVICE_UNAVAILABLE.into());
            }
        }
        Ok(reply.status(Status::CREATED).text(name))
    }

    /// Forgets the tokens whose streams do not come within `time`, and at most twice that.
    async fn sweep(self, spawner: Spawner, time: Duration) {
        loop {
            spawner.sleep(time).await;
            let mut streams = self.lock();
            let all = core::mem::take(&mut streams.by_token).into_iter();
            let (kept, late): (BTreeMap<_, _>, BTreeMap<_, _>) =
                all.partition(|(_, entry)| !entry.is_old || entry.reservation.is_open());
            streams.by_token = kept;
            for entry in streams.by_token.values_mut() {
                entry.is_old = true;
            }
            let mut entries = streams.by_token.values();
            streams.is_swept = entries.any(|it| !it.reservation.is_open());
            let is_over = !streams.is_swept;
            drop(streams);
            drop(late); // an application's own, and so not under the lock
            if is_over {
                return;
            }
        }
    }

    /// The token of a request. One in the query of a URL counts if it is known: others may
    /// have a parameter of that name for themselves.
    pub(super) fn token_of(&self, request: &HttpRequest<'_>) -> Option<String> {
        let token = token(request.query(), request.headers())?;
        let counts =
            request.headers().contains(TOKEN_HEADER) || self.lock().by_token.contains_key(&token);
        counts.then_some(token)
    }

    /// The stream of a token comes.
    pub(super) fn open(&self, token: &str) -> Result<(), RequestError> {
        let mut streams = self.lock();
        let entry = streams.by_token.get_mut(token);
        let entry = entry.ok_or(RequestError::UnknownStream)?;
        entry.reservation.open()?;
        entry.claim = None;
        Ok(())
    }

    /// An operation of a stream begins, now or when that opens.
    pub(super) fn begin<E: Executor>(
        &self,
        token: &str,
        request: Request<'_>,
        (origin, charge): (Origin, Charge),
        shared: &Shared<E>,
    ) -> Result<Begun, RequestError> {
        let mut streams = self.lock();
        let entry = streams.by_token.get_mut(token);
        let entry = entry.ok_or(RequestError::UnknownStream)?;
        let id = entry.reservation.begin(&request, &shared.limits)?;
        let Ok(operation) = Shared::<E>::operation(request, origin, charge) else {
            entry.reservation.stop(&id);
            return Ok(Begun::Full);
        };
        let Some(handle) = entry.handle.clone() else {
            entry.waiting.push((id, operation));
            return Ok(Begun::Begun);
        };
        // Under the lock, so that what stops it comes behind it.
        match handle.mail(Mail::Begin(id.clone(), Box::new(operation))) {
            Ok(()) => Ok(Begun::Begun),
            Err(_) => {
                entry.reservation.stop(&id);
                Ok(Begun::Full)
            }
        }
    }

    /// An operation of a stream is stopped.
    pub(super) fn stop(&self, token: Option<&str>, id: &str) -> Result<(), RequestError> {
        let mut streams = self.lock();
        let entry = token.and_then(|token| streams.by_token.get_mut(token));
        let entry = entry.ok_or(RequestError::UnknownStream)?;
        let mut stopped = None;
        if entry.reservation.stop(id) {
            let at = entry.waiting.iter().position(|(other, _)| other == id);
            stopped = at.map(|at| entry.waiting.remove(at));
            if let Some(handle) = &entry.handle {
                // Where it is not told, what it sends is dropped.
                let _ = handle.mail(Mail::Stop(id.into()));
            }
        }
        drop(streams);
        drop(stopped); // an application's own, and so not under the lock
        Ok(())
    }

    /// The data of an event of a stream.
    fn data(
        &self,
        token: &str,
        write: impl FnOnce(&mut Reservation, &mut String) -> bool,
    ) -> Option<String> {
        let mut streams = self.lock();
        let entry = streams.by_token.get_mut(token)?;
        let mut data = String::new();
        write(&mut entry.reservation, &mut data).then_some(data)
    }
}

/// The session of one stream.
pub(super) struct Single<E: Executor> {
    shared: Arc<Shared<E>>,
    reserved: Reserved,
    token: String,
    running: BTreeMap<String, FutureId>,
}

impl<E: Executor> Single<E> {
    pub(super) fn new(shared: Arc<Shared<E>>, reserved: Reserved, token: &str) -> Self {
        Self {
            shared,
            reserved,
            token: token.into(),
            running: BTreeMap::new(),
        }
    }

    pub(super) fn open(&mut self, stream: &mut EventStream<'_, '_>) {
        let mut streams = self.reserved.lock();
        let Some(entry) = streams.by_token.get_mut(&self.token) else {
            drop(streams);
            return stream.finish();
        };
        entry.handle = Some(stream.handle());
        let waiting = core::mem::take(&mut entry.waiting);
        drop(streams);
        for (id, operation) in waiting {
            self.begin(id, operation, stream);
        }
    }

    pub(super) fn mail(&mut self, stream: &mut EventStream<'_, '_>, mail: Mail) {
        match mail {
            Mail::Begin(id, operation) => self.begin(id, *operation, stream),
            Mail::Stop(id) => {
                if let Some(future) = self.running.remove(&id) {
                    stream.cancel(future);
                }
            }
        }
    }

    /// The stream is over.
    pub(super) fn close(&mut self) {
        let entry = self.reserved.lock().by_token.remove(&self.token);
        drop(entry); // an application's own, and so not under the lock
    }

    fn begin(&mut self, id: String, operation: Operation, stream: &mut EventStream<'_, '_>) {
        let send = |data: Option<String>, name: &str, stream: &mut EventStream<'_, '_>| {
            if let Some(data) = data {
                stream.send(&Event::new(&data).event(name));
            }
        };
        let (reserved, token, of) = (self.reserved.clone(), self.token.clone(), id.clone());
        let next = move |response: &str, stream: &mut EventStream<'_, '_>| {
            let data = reserved.data(&token, |it, out| it.next(&of, response, out));
            send(data, NEXT, stream);
        };
        let (reserved, token, of) = (self.reserved.clone(), self.token.clone(), id.clone());
        let end = move |stream: &mut EventStream<'_, '_>| {
            let data = reserved.data(&token, |it, out| it.complete(&of, out));
            send(data, COMPLETE, stream);
        };
        let ends = end.clone();
        let nexts = next.clone();
        let begun = match listens(&operation) {
            true => stream.stream(self.shared.subscribe(operation), move |response, stream| {
                match response {
                    Some(response) => next(response.json(), stream),
                    None => end(stream),
                }
            }),
            false => stream.future(self.shared.execute(operation), move |response, stream| {
                next(response.json(), stream);
                end(stream);
            }),
        };
        match begun {
            Ok(future) => {
                let reserved = self.reserved.clone();
                let is_live = |id: &String| {
                    let streams = reserved.lock();
                    let entry = streams.by_token.get(&self.token);
                    entry.is_some_and(|it| it.reservation.is_live(id))
                };
                self.running.retain(|id, _| is_live(id));
                self.running.insert(id, future);
            }
            Err(error) => {
                nexts(busy(&error).json(), stream);
                ends(stream);
            }
        }
    }
}

impl<E: Executor> Drop for Single<E> {
    /// Also where the session has ended by itself.
    fn drop(&mut self) {
        self.close();
    }
}
