//! Requests that are answered by blocking work, and what it gives back.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use core::any::Any;
use core::panic::AssertUnwindSafe;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::panic::catch_unwind;

use super::pool::BlockingLimits;
use super::pool::{Pool, Ticket};
use crate::app::exchange::defer::{Deferred, Deferring};
use crate::app::exchange::refusal::{Done, Refusal};
use crate::app::exchange::reply::Reply;
use crate::app::exchange::response::Response;
use crate::app::exchange::session::{After, Session, SessionContext};
use crate::app::serving::builder::App;
use crate::http::Status;
use crate::net::report::report;
use crate::net::{Claim, Resource};

/// The exchange of a job, on its loop. Dropped with it, and the job with that,
/// if it still waits.
struct Blocked {
    deferring: Deferring,
    pool: Pool,
    ticket: Ticket,
}

impl Session for Blocked {
    fn mail(&mut self, at: &mut SessionContext<'_, '_>, mail: Box<dyn Any + Send>) -> After {
        self.deferring.mail(at, mail)
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        self.pool.cancel(self.ticket);
    }
}

impl Reply<'_, '_> {
    /// Answers with what `work` returns, which runs on a thread where it may block: for a
    /// database, a file, a slow library, long computing. A closure of a route itself must
    /// not: while it sleeps or waits, its loop serves no other client.
    ///
    /// ```
    /// use barewire::app::{App, Refusal, Response, Status};
    /// use std::time::Duration;
    ///
    /// /// Stands for a query of a database.
    /// fn name_of(id: u32) -> Option<String> {
    ///     std::thread::sleep(Duration::from_millis(100));
    ///     (id == 7).then(|| "Ann".into())
    /// }
    ///
    /// App::new().get("/users/{id}", |request, reply| {
    ///     // What the work needs is taken along.
    ///     let id = request.param("id").parse().map_err(|_| Status::BAD_REQUEST)?;
    ///     Ok::<_, Status>(reply.blocking(move || {
    ///         let name = name_of(id).ok_or(Status::NOT_FOUND)?;
    ///         Ok::<_, Refusal>(Response::text(name))
    ///     }))
    /// });
    /// ```
    ///
    /// The threads are those of the app. [`BlockingLimits`](crate::app::BlockingLimits)
    /// say how many there may be, and how many jobs may wait for one. Where there is
    /// no room, the request is refused with 503. A job whose client has gone, or
    /// has waited for longer than [`Limits::reply`](crate::link::Limits::reply)
    /// (504), is dropped if it has not begun; one that runs cannot be stopped, but
    /// may [ask](Self::blocking_job) whether its client still waits. If it panics, 500
    /// is sent. At a shutdown jobs have the time that the server has.
    ///
    /// A client of HTTP/1.1 that closes its connection in an orderly way looks like
    /// one that has sent all and still reads: its job is done. One that resets the
    /// connection, and one of HTTP/2 that resets the stream, has gone.
    pub fn blocking<A: LaterAnswer>(self, work: impl FnOnce() -> A + Send + 'static) -> Done {
        self.blocking_job(|_job| work())
    }

    /// Answers as [`blocking`](Self::blocking) does, with work that may ask
    /// whether its client still waits.
    ///
    /// ```
    /// use barewire::app::{App, Response};
    ///
    /// App::new().get("/primes", |_request, reply| {
    ///     reply.blocking_job(|job| {
    ///         let mut found: Vec<u32> = Vec::new();
    ///         for number in 2..100_000 {
    ///             if number % 1_000 == 0 && !job.is_wanted() {
    ///                 break; // nobody will read it
    ///             }
    ///             if found.iter().take_while(|it| *it * *it <= number).all(|it| number % it != 0) {
    ///                 found.push(number);
    ///             }
    ///         }
    ///         Response::text(format!("{} primes", found.len()))
    ///     })
    /// });
    /// ```
    pub fn blocking_job<A: LaterAnswer>(
        mut self,
        work: impl FnOnce(&Job) -> A + Send + 'static,
    ) -> Done {
        let claim = match self.place() {
            Ok(claim) => claim,
            Err(refusal) => return self.refuse(refusal),
        };
        let job = match self.at().claim(Resource::Jobs) {
            Ok(job) => job,
            Err(exhausted) => {
                let subject = self.at().subject();
                report!(Warn, "{subject}: 503, as {exhausted}");
                return self.refuse(busy());
            }
        };
        let at = self.at();
        let pool = at.loop_state.pool.clone();
        let (deferring, deferred) = Deferring::new(at.context, claim);
        match pool.submit(Box::new(move || run(deferred, job, work))) {
            Ok(ticket) => self.owe(Box::new(Blocked {
                deferring,
                pool,
                ticket,
            })),
            Err(work) => {
                // In this order, so that nothing is posted.
                drop(deferring);
                drop(work);
                let subject = self.at().subject();
                report!(
                    Warn,
                    "{subject}: 503, as there is no room for more blocking work"
                );
                self.refuse(busy())
            }
        }
    }
}

impl App {
    /// Sets how many threads there are for [blocking work](Reply::blocking), and
    /// how many jobs may wait for them.
    ///
    /// ```
    /// use barewire::app::{App, BlockingLimits};
    ///
    /// // As many as the database takes connections.
    /// App::new().blocking_limits(BlockingLimits::DEFAULT.with_threads(20));
    /// ```
    #[must_use]
    pub fn blocking_limits(self, limits: BlockingLimits) -> Self {
        self.metrics().pool().set_limits(limits);
        self
    }
}

/// Does the work, and has its answer sent. The claim counts until the work is done,
/// also where its client has gone before.
fn run<A: LaterAnswer>(deferred: Deferred, claim: Claim, work: impl FnOnce(&Job) -> A) {
    let job = Job::new(deferred.wanted());
    if !job.is_wanted() {
        return;
    }
    let result = catch_unwind(AssertUnwindSafe(|| work(&job).into_result()));
    drop(claim); // before its client can ask for the next
    let _ = match result {
        Ok(Ok(response)) => deferred.send(response),
        Ok(Err(refusal)) => deferred.refuse(refusal),
        Err(_) => deferred.fail(),
    };
}

/// There is no room for more work; a client may come again soon.
pub(crate) fn busy() -> Refusal {
    Refusal::new(Status::SERVICE_UNAVAILABLE)
        .because("the server is busy")
        .retry_after(Duration::from_secs(1))
}

/// The result of blocking work ([`Reply::blocking`](crate::app::Reply::blocking)) and of
/// futures ([`Reply::future`](crate::app::Reply::future)): a [`Response`], or a `Result` of
/// it, so that `?` works inside.
#[diagnostic::on_unimplemented(
    message = "blocking work and futures give back `Response` or `Result<Response, E>`, not `{Self}`",
    label = "gives back `{Self}`",
    note = "make one: `Response::text(..)`, `Response::json_text(..)`, `Response::new(Status::NO_CONTENT)`",
    note = "in `Result<Response, E>`, `E` is `Refusal`, `Status` or anything with `impl From<E> for Refusal`"
)]
pub trait LaterAnswer: sealed::Sealed {
    /// The answer, as the one kind that all become.
    #[doc(hidden)]
    fn into_result(self) -> Result<Response, Refusal>;
}

impl LaterAnswer for Response {
    fn into_result(self) -> Result<Response, Refusal> {
        Ok(self)
    }
}

impl<E: Into<Refusal>> LaterAnswer for Result<Response, E> {
    fn into_result(self) -> Result<Response, Refusal> {
        self.map_err(Into::into)
    }
}

/// What becomes a response is an answer, too.
macro_rules! answers {
    ($($(#[$when:meta])? [$($generic:tt)*] $type:ty;)*) => {
        $($(#[$when])?
        impl<$($generic)*> LaterAnswer for $type {
            fn into_result(self) -> Result<Response, Refusal> {
                Ok(self.into())
            }
        }

        $(#[$when])?
        impl<$($generic)*> sealed::Sealed for $type {})*
    };
}

answers! {
    [] &str;
    [] String;
    [] Status;
    [R: Into<Response>] (Status, R);
    #[cfg(feature = "http")] [B: Into<bytes::Bytes>] ::http::Response<B>;
}

mod sealed {
    use super::{Refusal, Response};

    pub trait Sealed {}
    impl Sealed for Response {}
    impl<E: Into<Refusal>> Sealed for Result<Response, E> {}
}

/// A job that runs on a thread for blocking work:
/// [`Reply::blocking_job`](crate::app::Reply::blocking_job) lends it to its closure.
#[derive(Debug)]
pub struct Job {
    wanted: Arc<AtomicBool>,
}

impl Job {
    pub(super) const fn new(wanted: Arc<AtomicBool>) -> Self {
        Self { wanted }
    }

    /// Whether the client still waits: it has not gone, and the time is not up.
    /// A job that runs cannot be stopped from outside; one that takes long asks
    /// this now and then, and returns early.
    pub fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Acquire)
    }
}
