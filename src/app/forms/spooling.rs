//! The way of a form to disk.
//!
//! ```text
//!   chunk ─► reader ─► pieces ──── batch ────► a thread: Store ─► the form ─► the answer
//!                        ▲  held back while        │ mail
//!                        └──  much waits  ◄────────┘
//! ```
//!
//! A thread has the store while it writes one batch, and no thread waits for the client.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::mem;
use core::panic::AssertUnwindSafe;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::io;
use std::panic::catch_unwind;
use std::sync::{Mutex, PoisonError};

use super::multipart::{reader, refusal};
use super::receiving::give;
use super::spool::{Spool, SpooledForm};
use super::store::{Piece, Store};
use crate::app::blocking::pool::{Pool, Ticket};
use crate::app::blocking::session::{LaterAnswer, busy};
use crate::app::exchange::refusal::{Done, Refusal};
use crate::app::exchange::reply::Reply;
use crate::app::exchange::request::Request;
use crate::app::exchange::response::Response;
use crate::app::exchange::stream::{Stream, Streaming};
use crate::app::exchange::stream_handle::StreamHandle;
use crate::http::multipart::{MultipartEvent, MultipartLimits, MultipartReader};
use crate::http::{Fields, Status};
use crate::link::Charge;
use crate::net::report::report;
use crate::net::{Claim, Resource};

/// Bytes that are worth a turn of a thread.
const BATCH: usize = 256 << 10;
/// Bytes that may wait while a thread writes, before the client is held back.
const HIGH: usize = BATCH;

impl Reply<'_, '_> {
    /// Writes the files of the form that is the request's body to disk, and answers with what
    /// `work` returns, on threads where that may block
    /// ([`blocking`](Self::blocking)). The client is held back while the disk is slow. Files
    /// that `work` does not [keep](crate::app::SpooledFile::persist) are deleted.
    ///
    /// ```
    /// use barewire::app::{App, Refusal, Response, Route, Spool, Status};
    ///
    /// let spool = Spool::new("/var/spool/photos");
    /// App::new().route(Route::post("/photos/{id}").stream(move |request, reply| {
    ///     let id: u32 = request.param("id").parse().map_err(|_| Status::BAD_REQUEST)?;
    ///     let done = reply.spool(request, &spool, move |mut form| {
    ///         let photo = form.take_file("photo")?;
    ///         let bytes = photo.len();
    ///         let kept = photo.persist(format!("/var/spool/photos/{id}.jpg"));
    ///         kept.map_err(|_| Status::INTERNAL_SERVER_ERROR)?;
    ///         Ok::<_, Refusal>(Response::text(format!("{bytes} bytes: {}", form.text("title")?)))
    ///     });
    ///     Ok::<_, Status>(done)
    /// }));
    /// ```
    ///
    /// The client gets 415 if it is no such form, 400 if it is malformed, 413 beyond a limit,
    /// and the reason names the part; 507 if the disk is full, 503 where there is no room for
    /// more blocking work.
    pub fn spool<A: LaterAnswer>(
        self,
        request: &Request<'_>,
        spool: &Spool,
        work: impl FnOnce(SpooledForm) -> A + Send + 'static,
    ) -> Done {
        let limits = spool.limits;
        let mut reader = match reader(request, &limits) {
            Ok(reader) => reader,
            Err(refusal) => return self.refuse(refusal),
        };
        let mut store = Store::new(spool.directory.clone());
        let work = move |form| work(form).into_result();
        if request.is_streamed() {
            return self.receive(Spooling {
                reader,
                limits,
                pieces: Pieces::default(),
                store: Some(store),
                work: Some(Box::new(work)),
                has_ended: false,
                is_held: false,
                charge: Charge::NONE,
                running: 0,
                shared: Arc::default(),
                job: None,
            });
        }
        let mut pieces = Pieces::default();
        let given = give(&mut reader, &limits, request.body(), |event| {
            pieces.put(event)
        });
        let ended = given.and_then(|()| reader.finish().map_err(|error| refusal(error, &reader)));
        match ended {
            Ok(()) => self.blocking(move || match store.write(pieces.list) {
                Ok(()) => work(store.into_form()),
                Err(error) => Err(unwritten(&error)),
            }),
            Err(refusal) => self.refuse(refusal),
        }
    }
}

/// Says that the disk has failed.
fn unwritten(error: &io::Error) -> Refusal {
    report!(Error, "a file of a form cannot be written: {error}");
    Refusal::new(match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Status::INSUFFICIENT_STORAGE,
        _ => Status::INTERNAL_SERVER_ERROR,
    })
}

/// What waits to be written.
#[derive(Default)]
struct Pieces {
    list: Vec<Piece>,
    /// Bytes of content in it.
    bytes: usize,
    is_field: bool,
    /// Bytes of all fields, which stay in memory.
    fields: usize,
}

impl Pieces {
    fn put(&mut self, event: MultipartEvent<'_>) -> Result<(), Refusal> {
        let piece = match event {
            MultipartEvent::Part(head) => {
                self.is_field = !head.is_file();
                Piece::Part(head.clone())
            }
            MultipartEvent::Content(content) => {
                self.bytes += content.len();
                self.fields += if self.is_field { content.len() } else { 0 };
                if let Some(Piece::Content(last)) = self.list.last_mut() {
                    last.extend_from_slice(content);
                    return Ok(());
                }
                Piece::Content(content.into())
            }
            MultipartEvent::End => Piece::End,
        };
        self.list.push(piece);
        Ok(())
    }
}

type Work = Box<dyn FnOnce(SpooledForm) -> Result<Response, Refusal> + Send>;

/// A form on its way to disk, on its loop.
struct Spooling {
    reader: MultipartReader,
    limits: MultipartLimits,
    pieces: Pieces,
    /// None while a thread has it.
    store: Option<Store>,
    work: Option<Work>,
    has_ended: bool,
    is_held: bool,
    charge: Charge,
    /// Bytes that a thread is writing.
    running: usize,
    shared: Arc<Shared>,
    job: Option<(Pool, Ticket)>,
}

/// What its loop and a thread share.
#[derive(Default)]
struct Shared {
    is_over: AtomicBool,
    outcome: Mutex<Option<Outcome>>,
}

enum Outcome {
    Written(Store),
    Answer(Result<Response, Refusal>),
    Failed(io::Error),
    Panicked,
}

/// Something lies in [`Shared::outcome`].
struct Arrived;

impl Shared {
    fn take(&self) -> Option<Outcome> {
        let mut outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        outcome.take()
    }

    /// Hands the outcome over, from a thread. A mailbox that is full is emptied soon.
    fn hand_over(&self, outcome: Outcome, to: &StreamHandle) {
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        while !self.is_over.load(Ordering::Acquire) && !to.mail(Arrived) {
            std::thread::sleep(Duration::from_millis(10));
        }
        if self.is_over.load(Ordering::Acquire) {
            drop(self.take()); // and its files, here and not on the loop
        }
    }
}

impl Spooling {
    /// Gives a thread what there is to write, if that is enough.
    fn flush(&mut self, stream: &mut Stream<'_, '_>) {
        if self.pieces.bytes < BATCH && !self.has_ended {
            return;
        }
        let Some(mut store) = self.store.take() else {
            return;
        };
        let claim: Claim = match stream.at.context.claim(Resource::Jobs) {
            Ok(claim) => claim,
            Err(exhausted) => {
                let subject = stream.at.subject();
                report!(Warn, "{subject}: 503, as {exhausted}");
                self.store = Some(store);
                return stream.refuse(busy());
            }
        };
        let pieces = mem::take(&mut self.pieces.list);
        self.running = mem::take(&mut self.pieces.bytes);
        let work = self.work.take_if(|_| self.has_ended);
        let (shared, handle) = (self.shared.clone(), stream.handle());
        let pool = stream.at.loop_state.pool.clone();
        let submitted = pool.submit(Box::new(move || {
            let written = catch_unwind(AssertUnwindSafe(|| match (store.write(pieces), work) {
                (Err(error), _) => Outcome::Failed(error),
                (Ok(()), None) => Outcome::Written(store),
                (Ok(()), Some(work)) => Outcome::Answer(work(store.into_form())),
            }));
            drop(claim); // before its client can ask for the next
            shared.hand_over(written.unwrap_or(Outcome::Panicked), &handle);
        }));
        match submitted {
            Ok(ticket) => self.job = Some((pool, ticket)),
            Err(work) => {
                drop(work);
                let subject = stream.at.subject();
                report!(
                    Warn,
                    "{subject}: 503, as there is no room for more blocking work"
                );
                stream.refuse(busy());
            }
        }
    }

    /// Bytes that are held for the client.
    const fn held(&self) -> usize {
        self.pieces.bytes + self.running + self.pieces.fields + self.reader.memory()
    }
}

impl Streaming for Spooling {
    fn chunk(&mut self, stream: &mut Stream<'_, '_>, data: &mut [u8]) {
        if self.charge.account().is_none() {
            self.charge = stream.charge();
        }
        if self.charge.try_grow(data.len()).is_err() {
            return stream.refuse(busy());
        }
        let pieces = &mut self.pieces;
        let given = give(&mut self.reader, &self.limits, data, |event| {
            pieces.put(event)
        });
        if let Err(refusal) = given {
            return stream.refuse(refusal);
        }
        self.charge.set(self.held());
        self.flush(stream);
        if self.store.is_none() && self.pieces.bytes >= HIGH && !self.is_held {
            self.is_held = true;
            stream.set_reading(false);
        }
    }

    fn end(&mut self, stream: &mut Stream<'_, '_>, _trailers: Fields<'_>) {
        if let Err(error) = self.reader.finish() {
            return stream.refuse(refusal(error, &self.reader));
        }
        self.has_ended = true;
        self.flush(stream);
    }

    fn mail(&mut self, stream: &mut Stream<'_, '_>, mail: Box<dyn Any + Send>) {
        let outcome = mail
            .downcast::<Arrived>()
            .ok()
            .and_then(|_| self.shared.take());
        self.job = None;
        match outcome {
            Some(Outcome::Written(store)) => {
                self.store = Some(store);
                self.running = 0;
                self.charge.set(self.held());
                if mem::take(&mut self.is_held) {
                    stream.set_reading(true);
                }
                self.flush(stream);
            }
            Some(Outcome::Answer(Ok(response))) => stream.respond(response),
            Some(Outcome::Answer(Err(refusal))) => stream.refuse(refusal),
            Some(Outcome::Failed(error)) => stream.refuse(unwritten(&error)),
            Some(Outcome::Panicked) => {
                stream.at.loop_state.metrics.panicked();
                let subject = stream.at.subject();
                report!(Error, "{subject}: 500, as its blocking work has panicked");
                stream.refuse(Status::INTERNAL_SERVER_ERROR);
            }
            None => {}
        }
    }
}

impl Drop for Spooling {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Release);
        if let Some((pool, ticket)) = self.job.take() {
            pool.cancel(ticket);
        }
    }
}
