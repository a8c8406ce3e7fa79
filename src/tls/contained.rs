//! Panics of rustls, kept to the connection that they happen on.

use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use rustls::Error;

/// Calls rustls, whose unbuffered connections a peer can make panic. `None` ends this
/// connection, not the loop's thread.
#[inline]
pub(super) fn contain<T>(call: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(call)).ok() // nothing more is asked of the connection
}

#[cold]
pub(super) fn panicked() -> Error {
    Error::General("rustls panicked".into())
}
