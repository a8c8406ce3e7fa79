//! The ends of calls that their method does not end.

use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use super::codec::CallStatus;
use super::rules::Rules;
use crate::app::exchange::loop_state::LoopState;
use crate::grpc::{Code, Status};
use crate::net::report::report;

pub(super) fn deadline_exceeded() -> CallStatus {
    Status::new(Code::DeadlineExceeded, "deadline has passed").into()
}

pub(super) fn failed(loop_state: &LoopState, rules: &Rules) -> CallStatus {
    loop_state.metrics.panicked();
    let Rules {
        service, method, ..
    } = rules;
    // A method that nobody has is named as its client has: a path, one line.
    report!(
        Error,
        "POST /{service}/{method}: its handler has panicked: INTERNAL"
    );
    Status::new(Code::Internal, "the method failed").into()
}

/// Runs what is an application's own. Its panic is the call's end, and nobody
/// else's.
pub(super) fn guarded<R>(
    loop_state: &LoopState,
    rules: &Rules,
    run: impl FnOnce() -> Result<R, CallStatus>,
) -> Result<R, CallStatus> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err(failed(loop_state, rules)))
}
