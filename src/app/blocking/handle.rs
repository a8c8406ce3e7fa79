//! The threads for blocking work, for calls.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::sync::{Mutex, PoisonError};

use super::pool::Pool;
use super::session::Job;
use crate::app::services::codec::{CallStatus, Payload};
use crate::app::services::later::DeferredResponse;
use crate::app::serving::builder::App;
use crate::grpc::{Code, Status};
use crate::net::Claim;
use crate::net::report::report;

/// The threads of an app that do blocking work, for gRPC methods. Clones share the same
/// threads. [`App::blocking_threads`] gives it.
///
/// ```
/// use barewire::app::App;
/// use barewire::app::Service;
///
/// let app = App::new();
/// let threads = app.blocking_threads();
/// let service = Service::new("files.Files").unary_later(
///     "Read",
///     move |name: Vec<u8>, _call, later| {
///         threads.call(later, move |_job| {
///             let name = String::from_utf8_lossy(&name).into_owned();
///             Ok(std::fs::read(name).unwrap_or_default())
///         });
///     },
/// );
/// app.grpc(service);
/// ```
#[derive(Debug, Clone)]
pub struct BlockingThreads(Pool);

impl BlockingThreads {
    /// Answers a call with what `work` returns, on a thread where it may block. If the
    /// queue is full, or the client's address has used up its share
    /// ([`Limits::jobs`](crate::net::Limits::jobs)), the call ends with
    /// RESOURCE_EXHAUSTED; if `work` panics, with INTERNAL. Work whose client no longer
    /// waits when its turn comes is dropped.
    pub fn call<M: Payload + 'static>(
        &self,
        later: DeferredResponse<M>,
        work: impl FnOnce(&Job) -> Result<M, CallStatus> + Send + 'static,
    ) {
        let claim = match later.claim_job() {
            Ok(claim) => claim,
            Err(exhausted) => {
                report!(Warn, "a call ends with RESOURCE_EXHAUSTED: {exhausted}");
                later.send(Err(busy()));
                return;
            }
        };
        // Shared, so that it is still here where the work is not taken.
        let later = Arc::new(Mutex::new(Some(later)));
        let taken = later.clone();
        let submitted = self.0.submit(Box::new(move || {
            let later = taken.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(later) = later.filter(DeferredResponse::is_wanted) {
                run(later, claim, work);
            }
        }));
        if submitted.is_err() {
            report!(
                Warn,
                "a call ends with RESOURCE_EXHAUSTED: there is no room for more blocking work"
            );
            if let Some(later) = later.lock().unwrap_or_else(PoisonError::into_inner).take() {
                later.send(Err(busy()));
            }
        }
    }
}

fn busy() -> CallStatus {
    Status::new(Code::ResourceExhausted, "the server is busy").into()
}

/// Runs the work and has its answer sent. The claim counts until then, even if the client has
/// gone.
fn run<M: Payload>(
    later: DeferredResponse<M>,
    claim: Claim,
    work: impl FnOnce(&Job) -> Result<M, CallStatus>,
) {
    let job = Job::new(later.wanted());
    let result = catch_unwind(AssertUnwindSafe(|| work(&job))).unwrap_or_else(|_| {
        report!(Error, "blocking work of a call has panicked: INTERNAL");
        Err(Status::new(Code::Internal, "the method failed").into())
    });
    drop(claim); // before its client can ask for the next
    later.send(result);
}

impl App {
    /// The threads for blocking work, for gRPC methods. Closures of other routes
    /// have [`Reply::blocking`](crate::app::Reply::blocking).
    pub fn blocking_threads(&self) -> BlockingThreads {
        BlockingThreads(self.metrics().pool().clone())
    }
}
